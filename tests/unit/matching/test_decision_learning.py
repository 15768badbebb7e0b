from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.aliases import roster_fingerprint
from matching.decision import decide
from matching.normalisation import fingerprint
from matching.roster_index import RosterIndex
from records.decision import MatchDecision, MatchGrade
from records.patient import Alias, LinkPolicy, PatientIdentity, Roster, RosterPatient, Veto

BORN = date(1984, 11, 6)
MALONE = RosterPatient(
    patient_id="malone", site="WCP", family="Malone", given="Julie", birth_date=BORN, mrn="W24463", sex="F"
)
# Married since: nothing on the roster says so.
PRINT = PatientIdentity(family="Alvarez", given="Julie", birth_date=BORN, sex="F")


def alias_for(identity: PatientIdentity, patient: RosterPatient, *rivals: str) -> LinkPolicy:
    said_of = fingerprint(identity)
    alias = Alias(
        fingerprint=said_of,
        patient_id=patient.patient_id,
        roster_fingerprint=roster_fingerprint(patient),
        rivals=frozenset(rivals),
    )
    return LinkPolicy(aliases={said_of: alias})


def match(identity: PatientIdentity, *patients: RosterPatient, policy: LinkPolicy) -> MatchDecision:
    index = RosterIndex.build(Roster(site="WCP", patients=patients, as_of=datetime(2026, 1, 5, tzinfo=UTC)))
    return decide(identity, index, policy)


def test_what_a_person_said_of_this_very_print_is_said_again() -> None:
    assert match(PRINT, MALONE, policy=LinkPolicy()).grade is not MatchGrade.CERTAIN
    decision = match(PRINT, MALONE, policy=alias_for(PRINT, MALONE))
    assert (decision.grade, decision.patient_id, decision.reasons) == (MatchGrade.CERTAIN, "malone", ())
    best = decision.candidates[0]
    assert ("person", "alias") in {(bar.identifier, bar.level) for bar in best.evidence}
    assert best.score == fsum(bar.weight for bar in best.evidence)


@pytest.mark.parametrize(
    "other",
    [
        {"family": "Alvares"},
        {"given": "Julia"},
        {"birth_date": date(1984, 11, 7)},
        {"mrn": "W1"},
        {"sex": None},
        {"middle": "K"},
    ],
)
def test_an_alias_is_for_one_print_and_no_other(other: dict[str, object]) -> None:
    policy = alias_for(PRINT, MALONE)
    assert match(replace(PRINT, **other), MALONE, policy=policy).grade is not MatchGrade.CERTAIN  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"family": "Stone"},
        {"given": "Julia"},
        {"birth_date": date(1984, 11, 7)},
        {"mrn": "W80000"},
        {"sex": "M"},
        {"suffix": "Jr"},
        {"former_family": "Alvarado"},
        {"active": False},
        {"merged_into": "other"},
    ],
)
def test_an_alias_is_suspended_when_its_patient_changes(change: dict[str, object]) -> None:
    changed = replace(MALONE, **change)  # type: ignore[arg-type]
    decision = match(PRINT, changed, policy=alias_for(PRINT, MALONE))
    assert decision.grade is not MatchGrade.CERTAIN
    assert "alias-suspended" in decision.reasons


def test_a_new_telephone_or_doctor_changes_no_patient() -> None:
    changed = replace(MALONE, phone="5551234567", clinician="Stone", last_visit=BORN)
    assert match(PRINT, changed, policy=alias_for(PRINT, MALONE)).grade is MatchGrade.CERTAIN


def test_an_alias_is_suspended_when_its_patient_is_gone() -> None:
    other = replace(MALONE, patient_id="other", given="Julia", family="Alvarez")
    decision = match(PRINT, other, policy=alias_for(PRINT, MALONE))
    assert decision.grade is not MatchGrade.CERTAIN
    assert "alias-suspended" in decision.reasons


def test_an_alias_is_suspended_when_somebody_new_comes_near() -> None:
    newcomer = replace(MALONE, patient_id="newcomer", family="Alvarez", mrn="W80000")
    decision = match(PRINT, MALONE, newcomer, policy=alias_for(PRINT, MALONE))
    assert decision.grade is not MatchGrade.CERTAIN
    assert "alias-suspended" in decision.reasons
    seen = alias_for(PRINT, MALONE, "newcomer")
    assert match(PRINT, MALONE, newcomer, policy=seen).patient_id == "malone"


@pytest.mark.parametrize(
    "bare",
    [
        PatientIdentity(family="Malone", given="Julie"),
        PatientIdentity(family="Malone", given="J", birth_date=BORN),
        PatientIdentity(family="Malone", birth_date=BORN),
        PatientIdentity(mrn="W24463"),
    ],
)
def test_an_alias_on_one_identifier_never_confirms(bare: PatientIdentity) -> None:
    decision = match(bare, MALONE, policy=alias_for(bare, MALONE))
    assert decision.grade is not MatchGrade.CERTAIN
    assert "alias-suspended" in decision.reasons


def test_a_veto_beats_an_alias() -> None:
    policy = replace(
        alias_for(PRINT, MALONE), vetoes=frozenset({Veto(fingerprint=fingerprint(PRINT), patient_id="malone")})
    )
    decision = match(PRINT, MALONE, policy=policy)
    assert decision.grade is MatchGrade.CERTAINLY_NOT


def test_an_alias_finds_a_patient_who_shares_nothing_with_the_print() -> None:
    print_of = PatientIdentity(family="Oyelaran", given="Babatunde", birth_date=date(1999, 2, 3))
    assert match(print_of, MALONE, policy=LinkPolicy()).candidates == ()
    assert match(print_of, MALONE, policy=alias_for(print_of, MALONE)).patient_id == "malone"


CERTAIN_PRINT = replace(PRINT, family="Malone")


def test_a_calibration_that_lowers_sends_more_to_people() -> None:
    pessimist = LinkPolicy(calibration=((0.0, 0.0), (60.0, 5.0)))
    assert match(CERTAIN_PRINT, MALONE, policy=LinkPolicy()).grade is MatchGrade.CERTAIN
    decision = match(CERTAIN_PRINT, MALONE, policy=pessimist)
    assert decision.reasons == ("patient-below-threshold",)
    best = decision.candidates[0]
    assert best.evidence[-1].identifier == "calibration"
    assert best.score == fsum(bar.weight for bar in best.evidence) < 5


@given(st.floats(-20, 60), st.floats(-20, 60), st.floats(-40, 40), st.floats(0, 40))
def test_no_calibration_makes_anything_certain(low: float, high: float, proved: float, rise: float) -> None:
    points = ((min(low, high), proved), (max(low, high) + 1, proved + rise))
    doubtful = PatientIdentity(family="Malone", given="Julie")
    computed = match(doubtful, MALONE, policy=LinkPolicy())
    assert computed.grade is not MatchGrade.CERTAIN
    assert match(doubtful, MALONE, policy=LinkPolicy(calibration=points)).grade is not MatchGrade.CERTAIN
