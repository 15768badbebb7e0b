from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.comparison import BirthDateLevel, FieldLevel, MrnLevel, birth_date_level, compare, middle_level, mrn_level
from matching.comparison import printed_name as name_of
from matching.name_frequency import NameFrequency
from matching.name_pool import NamePool
from matching.person import Person, printed_person
from matching.roster_columns import columns_of, known_person
from records.patient import PatientIdentity, RosterPatient

BORN = date(1984, 11, 6)


def known(family: str = "Riley", given_name: str = "Julie", **more: str) -> Person:
    return known_person(listed(family, given_name, **more))


@pytest.mark.parametrize(
    ("printed", "level"),
    [
        (BORN, BirthDateLevel.EXACT),
        (date(1984, 6, 11), BirthDateLevel.SWAPPED),
        (date(1948, 11, 6), BirthDateLevel.TRANSPOSED),
        (date(1985, 11, 6), BirthDateLevel.ONE_DIGIT),
        (date(1984, 11, 26), BirthDateLevel.ONE_DIGIT),
        (date(1977, 11, 6), BirthDateLevel.TWO_PARTS),
        (date(1984, 11, 13), BirthDateLevel.TWO_PARTS),
        (date(1984, 3, 25), BirthDateLevel.YEAR_ONLY),
        (date(1967, 3, 25), BirthDateLevel.DIFFERENT),
    ],
)
def test_a_birth_date_has_a_level(printed: date, level: BirthDateLevel) -> None:
    assert birth_date_level(printed, BORN) is level


@given(st.dates(), st.dates())
def test_birth_dates_compare_the_same_both_ways(a: date, b: date) -> None:
    assert birth_date_level(a, b) is birth_date_level(b, a)


@pytest.mark.parametrize(
    ("printed", "patient", "level"),
    [
        ("W24463", "W24463", MrnLevel.EXACT),
        ("123", "000123", MrnLevel.EXACT),
        ("W123", "W00123", MrnLevel.EXACT),
        ("24463", "W24463", MrnLevel.WITHOUT_LETTERS),
        ("H24463", "W24463", MrnLevel.ONE_EDIT),
        ("W24436", "W24463", MrnLevel.ONE_EDIT),
        ("W2446", "W24463", MrnLevel.ONE_EDIT),
        ("W24499", "W24463", MrnLevel.TWO_EDITS),
        ("W99999", "W24463", MrnLevel.DIFFERENT),
        ("", "W24463", MrnLevel.MISSING),
        ("W24463", "", MrnLevel.MISSING),
    ],
)
def test_a_record_number_has_a_level(printed: str, patient: str, level: MrnLevel) -> None:
    assert mrn_level(printed, patient) is level


@pytest.mark.parametrize(
    ("printed", "patient", "level"),
    [
        ("J", "James", FieldLevel.INITIAL),
        ("James", "J", FieldLevel.INITIAL),
        ("James", "James", FieldLevel.EXACT),
        ("Jmaes", "James", FieldLevel.DIFFERENT),
        ("Kyle", "James", FieldLevel.DIFFERENT),
        ("John", "James", FieldLevel.DIFFERENT),
        (None, "James", FieldLevel.MISSING),
        ("James", None, FieldLevel.MISSING),
    ],
)
def test_a_middle_name_has_a_level(printed: str | None, patient: str | None, level: FieldLevel) -> None:
    print_of = printed_person(PatientIdentity(family="Riley", given="Julie", middle=printed))
    person = known_person(RosterPatient(patient_id="p", site="s", family="Riley", given="Julie", middle=patient))
    assert middle_level(print_of, person) is level


def listed(family: str = "Riley", given_name: str = "Julie", **more: Any) -> RosterPatient:
    return RosterPatient(
        patient_id="p", site="s", family=family, given=given_name, birth_date=BORN, mrn="W24463", **more
    )


def bits(identity: PatientIdentity, patient: RosterPatient, others: list[RosterPatient]) -> tuple[float, ...]:
    pool = NamePool()
    frequency = NameFrequency.of(columns_of([patient, *others], pool), pool)
    printed = printed_person(identity)
    return compare(printed, known_person(patient), row=0, names=name_of(printed, frequency), frequency=frequency).bits


def test_a_rare_name_weighs_more_than_a_common_one() -> None:
    identity = PatientIdentity(family="Riley", given="Julie")
    rare = bits(identity, listed(), [listed("Stone") for _ in range(50)])
    common = bits(identity, listed(), [listed() for _ in range(50)])
    assert rare[0] > common[0] + 3


def test_a_birth_date_that_a_clinic_enters_by_default_weighs_little() -> None:
    identity = PatientIdentity(family="Riley", given="Julie", birth_date=BORN)
    default = bits(identity, listed(), [listed() for _ in range(50)])
    others = [RosterPatient(patient_id="p", site="s", family="A", given="B") for _ in range(50)]
    assert bits(identity, listed(), others)[1] > default[1] + 10


def test_what_is_missing_weighs_nothing() -> None:
    identity = PatientIdentity(family="Riley", given="Julie")
    assert (
        bits(
            identity,
            listed(middle="J", suffix="Jr", sex="F", phone="5551234567", clinician="Dr. A. Stone", last_visit=BORN),
            [],
        )[1:]
        == (0,) * 8
    )


def test_an_ambiguous_date_weighs_less_than_a_plain_one() -> None:
    plain = PatientIdentity(family="Riley", given="Julie", birth_date=BORN)
    either = PatientIdentity(family="Riley", given="Julie", birth_date=date(1984, 6, 11), birth_date_other_reading=BORN)
    assert 0 < bits(either, listed(), [])[1] < bits(plain, listed(), [])[1]


@given(st.integers(1, 20_000))
def test_no_other_birth_date_weighs_as_much_as_the_equal_one(days: int) -> None:
    equal = bits(PatientIdentity(family="Riley", given="Julie", birth_date=BORN), listed(), [])
    other = PatientIdentity(family="Riley", given="Julie", birth_date=BORN + timedelta(days=days))
    assert bits(other, listed(), [])[1] < equal[1]
