from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.name_comparison import NameAgreement, NameLevel, PrintedName
from matching.person import Person, printed_person
from matching.roster_columns import known_person
from records.patient import PatientIdentity, RosterPatient


def known(family: str, given_name: str, **more: str) -> Person:
    return known_person(RosterPatient(patient_id="p", site="s", family=family, given=given_name, **more))


def levels(
    family: str | None, given_name: str | None, patient: Person, *, middle: str | None = None, swapped: bool = False
) -> NameAgreement:
    printed = printed_person(PatientIdentity(family=family, given=given_name, middle=middle))
    names = {"maria", "marie", "anna", "anne", "anders", "anderson"}
    name = PrintedName(printed, given_known=names.__contains__, family_known=names.__contains__)
    return name.against(patient, swapped=swapped)


@pytest.mark.parametrize(
    ("printed", "patient", "level"),
    [
        ("Louis", known("Miller", "Louis"), NameLevel.EXACT),
        ("JOSE", known("Miller", "José"), NameLevel.EXACT),
        ("Mary Ann", known("Miller", "Maryann"), NameLevel.EXACT),
        ("Louis J", known("Miller", "Louis"), NameLevel.EXACT),
        ("Louis J", known("Miller", "Louis", middle="John"), NameLevel.EXACT),
        ("Louis Carl", known("Miller", "Louis"), NameLevel.PART),
        ("Louis Carl", known("Miller", "Louis", middle="John"), NameLevel.PART),
        ("Missy", known("Miller", "Melissa", preferred="Missy"), NameLevel.PREFERRED),
        ("Tony", known("Miller", "Anthony"), NameLevel.NICKNAME),
        ("William", known("Miller", "Bill"), NameLevel.NICKNAME),
        ("Bob", known("Miller", "Rob"), NameLevel.NICKNAME),
        ("Louys", known("Miller", "Louis"), NameLevel.ONE_EDIT),
        ("Luois", known("Miller", "Louis"), NameLevel.ONE_EDIT),
        ("Cathrinne", known("Miller", "Catherine"), NameLevel.ONE_EDIT),
        ("Marie", known("Miller", "Maria"), NameLevel.OTHER_NAME),
        ("Lynn", known("Miller", "Ann"), NameLevel.DIFFERENT),
        ("Mary", known("Miller", "Mary Ann"), NameLevel.PART),
        ("Stacy", known("Miller", "Peggy", middle="Stacy"), NameLevel.MIDDLE),
        ("Christop", known("Miller", "Christopher"), NameLevel.CUT_OFF),
        ("L", known("Miller", "Louis"), NameLevel.INITIAL),
        ("K", known("Miller", "Louis"), NameLevel.DIFFERENT),
        ("Peggy", known("Miller", "Lynn"), NameLevel.DIFFERENT),
        (None, known("Miller", "Louis"), NameLevel.MISSING),
        ("Unknown", known("Miller", "Louis"), NameLevel.MISSING),
    ],
)
def test_a_given_name_has_a_level(printed: str | None, patient: Person, level: NameLevel) -> None:
    assert levels("Miller", printed, patient).given is level


@pytest.mark.parametrize(
    ("printed", "patient", "level"),
    [
        ("O'Malley", known("OMalley", "Lucy"), NameLevel.EXACT),
        ("De La Cruz", known("Delacruz", "Lucy"), NameLevel.EXACT),
        ("Holloway Riley", known("Holloway-Riley", "Lucy"), NameLevel.EXACT),
        ("Miller Jr", known("Miller", "Lucy"), NameLevel.EXACT),
        ("Randolph", known("Ramirez", "Lucy", former_family="Randolph"), NameLevel.FORMER),
        ("Riley", known("Holloway-Riley", "Lucy"), NameLevel.PART),
        ("Cruz", known("de la Cruz", "Lucy"), NameLevel.PART),
        ("De La Torre", known("de la Cruz", "Lucy"), NameLevel.DIFFERENT),
        ("Montggomery", known("Montgomery", "Lucy"), NameLevel.ONE_EDIT),
        ("Anders", known("Anderson", "Lucy"), NameLevel.OTHER_NAME),
        ("Washingt", known("Washington", "Lucy"), NameLevel.ONE_EDIT),
        ("Fitzger", known("Fitzgerald", "Lucy"), NameLevel.CUT_OFF),
        ("Rilley", known("Holloway-Riley", "Lucy"), NameLevel.SIMILAR),
        ("Stone", known("Miller", "Lucy"), NameLevel.DIFFERENT),
        ("", known("Miller", "Lucy"), NameLevel.MISSING),
    ],
)
def test_a_family_name_has_a_level(printed: str, patient: Person, level: NameLevel) -> None:
    assert levels(printed, "Lucy", patient).family is level


def test_a_middle_name_may_be_the_second_half_of_either_name() -> None:
    assert levels("Lopez", "Maria", known("Garcia Lopez", "Maria"), middle="Garcia").equal
    assert levels("Miller", "Mary", known("Miller", "Mary Ann"), middle="Ann").equal


def test_swapped_columns_agree_swapped() -> None:
    patient = known("Ramirez", "Yolanda", middle="C")
    assert not levels("Yolanda", "Ramirez", patient, middle="C").agrees
    swapped = levels("Yolanda", "Ramirez", patient, middle="C", swapped=True)
    assert swapped.equal
    assert swapped.label == "swapped"


def test_swapped_columns_with_a_slip_agree() -> None:
    assert levels("Trevor", "Liindsey", known("Lindsey", "Trevor"), swapped=True).agrees


@pytest.mark.parametrize(
    ("given_name", "family"), [("Louys", "Milleer"), ("Tony", "Milleer"), ("L", "Miller"), (None, "Miller")]
)
def test_two_doubts_or_a_missing_part_are_no_agreement(given_name: str | None, family: str) -> None:
    patient = known("Miller", "Anthony") if given_name == "Tony" else known("Miller", "Louis")
    assert not levels(family, given_name, patient).agrees


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12), st.text(max_size=12), st.booleans())
def test_any_two_names_have_levels(family: str, first: str, other_family: str, other_first: str, swapped: bool) -> None:
    agreement = levels(family, first, known(other_family, other_first), swapped=swapped)
    assert isinstance(agreement.given, NameLevel)
    assert isinstance(agreement.family, NameLevel)


@given(st.from_regex(r"[a-z]{2,12}", fullmatch=True), st.from_regex(r"[a-z]{2,12}", fullmatch=True))
def test_a_name_is_equal_to_itself(family: str, first: str) -> None:
    patient = known(family, first)
    if patient.family and patient.given:
        assert levels(family, first, patient).equal


@pytest.mark.parametrize(
    ("printed", "patient", "level"),
    [
        ("Urs…", known("Miller", "Ursula"), NameLevel.CUT_OFF),
        ("Jan…", known("Miller", "Jan"), NameLevel.CUT_OFF),
        ("Jan...", known("Miller", "Janet"), NameLevel.CUT_OFF),
        ("Mag…", known("Miller", "Margaret", preferred="Maggie"), NameLevel.CUT_OFF),
        ("U…", known("Miller", "Ursula"), NameLevel.INITIAL),
        ("Kath…", known("Miller", "Kate"), NameLevel.DIFFERENT),
        ("Marie…", known("Miller", "Maria"), NameLevel.DIFFERENT),
    ],
)
def test_a_name_with_an_ellipsis_is_a_beginning_and_never_equal(
    printed: str, patient: Person, level: NameLevel
) -> None:
    assert levels("Miller", printed, patient).given is level
    assert levels(printed, "Miller", patient, swapped=True).given is level


@pytest.mark.parametrize(
    ("printed", "level"),
    [
        ("Gonzalez-Ram…", NameLevel.CUT_OFF),
        ("GONZALEZ-RAM", NameLevel.CUT_OFF),
        ("Gonzalez-", NameLevel.PART),
        ("Gonzalez", NameLevel.PART),
        ("Gonzalez…", NameLevel.CUT_OFF),
        ("Gonzalez-Ramirez…", NameLevel.CUT_OFF),
    ],
)
def test_a_double_name_cut_off_amid_its_second_half_is_not_a_part_of_it(printed: str, level: NameLevel) -> None:
    assert levels(printed, "Lucy", known("Gonzalez-Ramirez", "Lucy")).family is level
