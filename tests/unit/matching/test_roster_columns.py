from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from matching.person import printed_person
from matching.roster_columns import TextColumn, known_person
from records.patient import PatientIdentity, RosterPatient

TEXTS = st.lists(st.text(alphabet="ab1é", max_size=3), max_size=12)


@given(TEXTS)
def test_a_column_of_texts_gives_back_what_was_put_in(texts: list[str]) -> None:
    column = TextColumn(texts)
    assert list(column) == [column[row] for row in range(len(column))] == texts


@given(TEXTS, TEXTS)
def test_a_column_grows(texts: list[str], more: list[str]) -> None:
    assert list(TextColumn(texts).followed_by(TextColumn(more))) == texts + more


@given(TEXTS, st.text(alphabet="ab1é", min_size=1, max_size=3))
def test_a_text_is_found_in_its_rows_and_not_across_them(texts: list[str], wanted: str) -> None:
    assert TextColumn(texts).find(wanted) == [row for row, text in enumerate(texts) if text == wanted]


def test_a_patient_comes_out_of_the_columns_normalised() -> None:
    patient = RosterPatient(
        patient_id="p", site="s", family="Peña Jr.", given="José", mrn="MRN 00-123", middle="Luis", preferred="Pepe",
        former_family="Núñez; de la Cruz;Núñez", birth_date=date(1984, 11, 6), sex="m", phone="+1 (555) 123-4567",
        clinician="Dr. Ann B. Stone", last_visit=date(2026, 1, 5),
    )  # fmt: skip
    person = known_person(patient)
    assert (person.family, person.given, person.middle, person.preferred) == ("pena", "jose", "luis", "pepe")
    assert (person.former, person.suffix) == (("nunez", "de la cruz"), "jr")
    assert (person.birth_dates, person.mrn, person.sex) == ((date(1984, 11, 6),), "00123", "M")
    assert (person.phone, person.clinician, person.visit) == ("5551234567", "ann stone", date(2026, 1, 5))


def test_placeholders_are_missing_in_the_columns_too() -> None:
    patient = RosterPatient(
        patient_id="p",
        site="s",
        family="Unknown",
        given="Baby Boy",
        mrn="0000",
        birth_date=date(1900, 1, 1),
        phone="n/a",
    )
    person = known_person(patient)
    assert (person.family, person.given, person.mrn, person.birth_dates, person.phone) == ("", "", "", (), "")


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_a_printed_and_a_listed_name_are_normalised_alike(family: str, given_name: str, mrn: str) -> None:
    known = known_person(RosterPatient(patient_id="p", site="s", family=family, given=given_name, mrn=mrn))
    printed = printed_person(PatientIdentity(family=family, given=given_name, mrn=mrn))
    assert (known.family, known.given, known.mrn) == (printed.family, printed.given, printed.mrn)
