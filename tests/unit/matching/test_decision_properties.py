"""What must hold of every decision, whoever is printed and whoever is on the roster."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from matching.decision import decide
from matching.roster_index import RosterIndex
from records.decision import Candidate, MatchDecision, MatchGrade
from records.patient import LinkPolicy, PatientIdentity, Roster, RosterPatient

NAMES = st.sampled_from(
    ["Ann", "Anna", "Marie", "Mary Ann", "Louis", "Louys", "Bill", "William", "Miller", "Stone-Miller"]
)
DAYS = st.sampled_from([date(1980, 3, 4), date(1980, 4, 3), date(1980, 3, 5), date(1955, 3, 4), date(1992, 12, 31)])
NUMBERS = st.sampled_from(["W1001", "W1002", "W2001", "W77777"])
PHONES = st.sampled_from(["5551234567", "5557654321"])
CLINICIANS = st.sampled_from(["Dr. Stone", "Ann Baker, MD"])
PRINTS = st.builds(
    PatientIdentity, family=st.none() | NAMES, given=st.none() | NAMES, middle=st.none() | NAMES,
    suffix=st.sampled_from([None, "Jr"]), birth_date=st.none() | DAYS, mrn=st.none() | NUMBERS,
    sex=st.sampled_from([None, "F", "M"]), phone=st.none() | PHONES, clinician=st.none() | CLINICIANS,
    visit_date=st.none() | DAYS,
)  # fmt: skip
PATIENTS = st.builds(
    RosterPatient, patient_id=st.just(""), site=st.just("WCP"), family=NAMES, given=NAMES, middle=st.none() | NAMES,
    suffix=st.sampled_from([None, "Jr"]), birth_date=st.none() | DAYS, mrn=st.none() | NUMBERS,
    sex=st.sampled_from([None, "F", "M"]), phone=st.none() | PHONES, clinician=st.none() | CLINICIANS,
    last_visit=st.none() | DAYS,
)  # fmt: skip
ROSTERS = st.lists(PATIENTS, min_size=1, max_size=6).map(
    lambda patients: tuple(replace(patient, patient_id=f"p{n}") for n, patient in enumerate(patients))
)
# What is on the print, and what the roster calls it.
EVIDENCE = {
    "birth_date": "birth_date", "mrn": "mrn", "sex": "sex", "suffix": "suffix", "phone": "phone",
    "clinician": "clinician", "visit_date": "last_visit",
}  # fmt: skip


def match(identity: PatientIdentity, patients: tuple[RosterPatient, ...]) -> MatchDecision:
    roster = Roster(site="WCP", patients=patients, as_of=datetime(2026, 1, 5, tzinfo=UTC))
    return decide(identity, RosterIndex.build(roster), LinkPolicy())


def candidate_of(decision: MatchDecision, patient_id: str) -> Candidate | None:
    return next((found for found in decision.candidates if found.patient_id == patient_id), None)


@given(PRINTS, ROSTERS, st.sampled_from(sorted(EVIDENCE)))
def test_evidence_that_agrees_with_one_candidate_never_lowers_it(
    identity: PatientIdentity, patients: tuple[RosterPatient, ...], field: str
) -> None:
    value = getattr(patients[0], EVIDENCE[field])
    patients = (patients[0], *(other for other in patients[1:] if getattr(other, EVIDENCE[field]) != value))
    without, agreeing = replace(identity, **{field: None}), replace(identity, **{field: value})
    before, after = (candidate_of(match(each, patients), "p0") for each in (without, agreeing))
    if before is not None and value is not None:
        assert after is not None
        assert after.score >= before.score - 1e-9


@given(PRINTS, ROSTERS, PATIENTS)
def test_a_namesake_never_makes_anybody_else_certain(
    identity: PatientIdentity, patients: tuple[RosterPatient, ...], other: RosterPatient
) -> None:
    namesake = replace(other, patient_id="namesake", family=patients[0].family, given=patients[0].given)
    after = match(identity, (*patients, namesake))
    if after.grade is MatchGrade.CERTAIN and after.patient_id != "namesake":
        before = match(identity, patients)
        assert (before.grade, before.patient_id) == (MatchGrade.CERTAIN, after.patient_id)


@given(PRINTS, PATIENTS, st.sampled_from(["mrn", "sex", "phone", "clinician", "visit_date", "birth_date"]))
def test_what_the_roster_does_not_know_counts_for_nothing(
    identity: PatientIdentity, patient: RosterPatient, field: str
) -> None:
    ignorant = (replace(patient, patient_id="p0", **{EVIDENCE[field]: None}),)
    printed, silent = match(identity, ignorant), match(replace(identity, **{field: None}), ignorant)
    if printed.candidates and silent.candidates:
        assert printed.candidates[0].score == silent.candidates[0].score
        assert printed.candidates[0].evidence == silent.candidates[0].evidence


@given(PRINTS, PATIENTS, st.sampled_from(["sex", "phone", "clinician", "visit_date"]))
def test_what_is_not_printed_counts_for_nothing(identity: PatientIdentity, patient: RosterPatient, field: str) -> None:
    identity = replace(identity, **{field: None})
    known = (replace(patient, patient_id="p0"),)
    ignorant = (replace(known[0], **{EVIDENCE[field]: None}),)
    assert match(identity, known) == match(identity, ignorant)


@given(PRINTS, ROSTERS)
def test_whoever_shares_a_household_is_not_confirmed_by_it(
    identity: PatientIdentity, patients: tuple[RosterPatient, ...]
) -> None:
    """Telephone, clinician and visit support; nobody becomes certain by them who was not nearly so."""
    bare = replace(identity, phone=None, clinician=None, visit_date=None)
    decision = match(identity, patients)
    if decision.grade is MatchGrade.CERTAIN:
        reasons = set(match(bare, patients).reasons)
        assert reasons <= {"patient-below-threshold", "near-second"}
