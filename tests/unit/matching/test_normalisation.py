from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.normalisation import (
    fingerprint,
    is_test_patient,
    known_birth_date,
    known_name,
    mrn_core,
    normalise_mrn,
    normalise_name,
    normalise_suffix,
    split_suffix,
    strip_mrn_zeros,
)
from records.patient import PatientIdentity

IDENTITY = PatientIdentity(
    name="Saldaña Jr, Carol B",
    family="Saldaña",
    given="Carol",
    middle="B",
    suffix="Jr",
    birth_date=date(1979, 2, 12),
    mrn="W-063949",
    sex="F",
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Saldaña", "saldana"),
        ("MÜLLER", "muller"),
        ("Strauß", "strauss"),
        ("Sørensen", "sorensen"),
        ("Łukasz", "lukasz"),
        ("Ægir", "aegir"),
        ("O'Malley", "omalley"),
        ("O’Malley", "omalley"),
        ("St. James", "st james"),
        ("Holloway-Riley", "holloway riley"),
        ("  De  la   Cruz ", "de la cruz"),
        ("ﬁnn", "finn"),
        ("İpek", "ipek"),
        ("Иванов", "иванов"),
        ("王", "王"),
        ("--", ""),
    ],
)
def test_a_name_has_one_spelling(text: str, expected: str) -> None:
    assert normalise_name(text) == expected


@given(st.text(max_size=30))
def test_normalising_a_name_twice_changes_nothing(text: str) -> None:
    once = normalise_name(text)
    assert normalise_name(once) == once


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=30))
def test_upper_and_lower_case_print_the_same_name(text: str) -> None:
    assert normalise_name(text.upper()) == normalise_name(text.lower())


@pytest.mark.parametrize(
    "text", ["", None, "Unknown", "UNK", "n/a", "N / A", "-", "?", "Baby Boy", "Babygirl", "Baby Girl A", "TEST", "FNU"]
)
def test_a_placeholder_is_no_name(text: str | None) -> None:
    assert known_name(text) == ""


@pytest.mark.parametrize("text", ["Null", "Na", "Boyle", "Testa", "Infante", "X"])
def test_a_name_that_resembles_a_placeholder_is_a_name(text: str) -> None:
    assert known_name(text) == text.lower()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("miller jr", ("miller", "jr")),
        ("miller iii", ("miller", "iii")),
        ("miller", ("miller", "")),
        ("jr", ("jr", "")),
        ("nguyen v", ("nguyen v", "")),
        ("smith senior", ("smith senior", "")),
    ],
)
def test_a_suffix_is_split_off_where_it_can_be_nothing_else(name: str, expected: tuple[str, str]) -> None:
    assert split_suffix(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("Jr.", "jr"), ("JUNIOR", "jr"), ("III", "iii"), ("2nd", "ii"), ("PhD", "")]
)
def test_a_suffix_has_one_spelling(text: str, expected: str) -> None:
    assert normalise_suffix(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w-45765", "W45765"),
        (" W 45 765 ", "W45765"),
        ("MRN: 0045765", "0045765"),
        ("#45765", "45765"),
        ("Ｗ４５", "W45"),
        (None, ""),
        ("n/a", ""),
        ("UNKNOWN", ""),
        ("000000", ""),
        ("999999", ""),
    ],
)
def test_a_record_number_has_one_spelling(text: str | None, expected: str) -> None:
    assert normalise_mrn(text) == expected


def test_padding_zeros_and_letters_can_be_left_out_of_a_record_number() -> None:
    assert strip_mrn_zeros("W00123") == "W123"
    assert strip_mrn_zeros("100") == "100"
    assert mrn_core("W00123") == "123"
    assert mrn_core("ABC") == "ABC"


def test_a_day_that_programs_write_for_none_is_no_birth_date() -> None:
    assert known_birth_date(date(1900, 1, 1)) is None
    assert known_birth_date(date(1900, 1, 2)) == date(1900, 1, 2)
    assert known_birth_date(None) is None


@pytest.mark.parametrize(
    "same",
    [
        replace(IDENTITY, family="SALDANA Jr.", suffix=None),
        replace(IDENTITY, mrn="W63949"),
        replace(IDENTITY, name="other spacing", phone="555-0100"),
        replace(IDENTITY, sex="f"),
        replace(IDENTITY, middle="b."),
    ],
)
def test_prints_of_one_identity_have_one_fingerprint(same: PatientIdentity) -> None:
    assert fingerprint(same) == fingerprint(IDENTITY)


@pytest.mark.parametrize(
    "other",
    [
        replace(IDENTITY, family="Saldona"),
        replace(IDENTITY, given="Carola"),
        replace(IDENTITY, middle=None),
        replace(IDENTITY, suffix=None),
        replace(IDENTITY, birth_date=None),
        replace(IDENTITY, birth_date=date(1979, 12, 2)),
        replace(IDENTITY, birth_date_other_reading=date(1979, 12, 2)),
        replace(IDENTITY, mrn=None),
        replace(IDENTITY, sex=None),
        replace(IDENTITY, family="Carol", given="Saldaña"),
    ],
)
def test_another_identity_field_makes_another_fingerprint(other: PatientIdentity) -> None:
    assert fingerprint(other) != fingerprint(IDENTITY)


def test_a_fingerprint_does_not_show_the_patient() -> None:
    assert "saldana" not in fingerprint(IDENTITY)
    assert len(fingerprint(IDENTITY)) == 64


def test_a_name_that_was_not_taken_apart_is_part_of_the_fingerprint() -> None:
    assert fingerprint(PatientIdentity(name="Harmon Lucy")) != fingerprint(PatientIdentity(name="Harmon Luca"))


@pytest.mark.parametrize(
    ("family", "given_name"),
    [
        ("Test", "Test"),
        ("Testpatient", "Lucy"),
        ("ZZTest", "Lucy"),
        ("zztop", "A"),
        ("Mouse", "Mickey"),
        ("Doe", "Jane"),
    ],
)
def test_made_up_people_are_test_patients(family: str, given_name: str) -> None:
    assert is_test_patient(PatientIdentity(family=family, given=given_name))


@pytest.mark.parametrize(
    ("family", "given_name"), [("Testa", "Lucy"), ("Doe", "Susan"), ("Mouse", "Lucy"), (None, None)]
)
def test_other_people_are_no_test_patients(family: str | None, given_name: str | None) -> None:
    assert not is_test_patient(PatientIdentity(family=family, given=given_name))


def test_a_paragraph_in_the_place_of_a_name_is_no_name() -> None:
    assert known_name("x" * 121) == ""
    assert known_name("x" * 120) == "x" * 120
