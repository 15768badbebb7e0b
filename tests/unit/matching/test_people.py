from __future__ import annotations

from datetime import date

import pytest

from matching.people import identity_from_person
from records.patient import PatientIdentity


def row(**cells: str) -> dict[str, str]:
    return dict.fromkeys(("record_id", "name", "family", "given", "birth_date", "mrn", "sex"), "") | cells


@pytest.mark.parametrize("name", ["Harmon Jr, Lucy M", "Lucy M. Harmon Jr", " Harmon  Jr,  Lucy M "])
def test_a_name_is_taken_apart(name: str) -> None:
    identity = identity_from_person(row(name=name))
    assert (identity.family, identity.given, identity.middle, identity.suffix) == ("Harmon", "Lucy", "M", "Jr")


def test_family_and_given_name_win_over_the_whole_name() -> None:
    identity = identity_from_person(row(name="Somebody Else", family="de la Cruz Jr", given="Maria Ann"))
    assert (identity.family, identity.given, identity.middle, identity.suffix) == ("de la Cruz", "Maria", "Ann", "Jr")
    assert identity.name == "Somebody Else"


@pytest.mark.parametrize(("family", "given"), [("Harmon", None), (None, "Lucy")])
def test_half_a_name_stays_half(family: str | None, given: str | None) -> None:
    identity = identity_from_person(row(family=family or "", given=given or ""))
    assert (identity.family, identity.given) == (family, given)


def test_an_empty_row_is_an_empty_identity() -> None:
    assert identity_from_person({}) == PatientIdentity()
    assert identity_from_person(row()) == PatientIdentity()


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("1990-03-14", (date(1990, 3, 14), None)),
        ("19900314", (date(1990, 3, 14), None)),
        ("1990-03-14T00:00:00", (date(1990, 3, 14), None)),
        ("3/14/1990", (date(1990, 3, 14), None)),
        ("14.3.1990", (date(1990, 3, 14), None)),
        ("3/4/1990", (date(1990, 3, 4), date(1990, 4, 3))),
        ("3/3/1990", (date(1990, 3, 3), None)),
        ("", (None, None)),
    ],
)
def test_a_birth_date_keeps_every_reading(text: str, readings: tuple[date | None, date | None]) -> None:
    identity = identity_from_person(row(birth_date=text))
    assert (identity.birth_date, identity.birth_date_other_reading) == readings


@pytest.mark.parametrize("text", ["1990-02-30", "30/30/1990", "March 1990", "90-1-1"])
def test_what_is_no_birth_date_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="birth_date") as refusal:
        identity_from_person(row(birth_date=text))
    assert text not in str(refusal.value)


@pytest.mark.parametrize(("text", "sex"), [("F", "F"), ("male", "M"), ("x", "X"), ("unknown", None), ("", None)])
def test_sex_is_a_letter(text: str, sex: str | None) -> None:
    assert identity_from_person(row(sex=text)).sex == sex


def test_a_record_number_stays_as_written() -> None:
    assert identity_from_person(row(mrn=" W-00123 ")).mrn == "W-00123"
    assert identity_from_person(row()).mrn is None
