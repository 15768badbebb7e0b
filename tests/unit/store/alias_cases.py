"""Synthetic people whose prints are matched, and what reviewers say of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from store_cases import NOW, PORTAL, SITE, assessment, outcome, taken

from matching.normalisation import fingerprint
from records.case import ReviewCase
from records.decision import Candidate, DecidedRecord, Decision, MatchDecision, MatchGrade
from records.patient import PatientIdentity, RosterPatient
from store import aliases, cases, kept_records, roster
from store.alias_states import StoredAlias
from store.database import Session
from store.handover import HandedOver, RecordToStore, hand_over
from store.kept_records import RecordState

SOURCE = "wcp"
BORN = date(1980, 5, 17)
PRINT = PatientIdentity(name="Synth, Ada", family="Synth", given="Ada", birth_date=BORN, mrn="M-1", sex="F")
ADA = RosterPatient(patient_id="D1", site=SITE, family="Synth", given="Ada", birth_date=BORN, mrn="M-1", sex="F")
EVE = replace(ADA, patient_id="D2", given="Eve", mrn="M-2")
ZOE = replace(ADA, patient_id="D3", family="Other", given="Zoe", mrn="M-3", birth_date=date(1990, 1, 1))


def listed(session: Session, *people: RosterPatient) -> None:
    roster.replace(
        session, SITE, people, as_of=NOW, imported_from="r.csv", actor="setup", now=NOW, max_removed_share=1.0
    )


def candidate(patient_id: str, score: float) -> Candidate:
    return Candidate(
        patient_id=patient_id, grade=MatchGrade.PROBABLE, probability=0.5, score=score, evidence=(), reasons=("twin",)
    )


def match_of(*candidates: Candidate, certain: bool = False, reasons: tuple[str, ...] = ("twin",)) -> MatchDecision:
    return MatchDecision(
        grade=MatchGrade.CERTAIN if certain else MatchGrade.PROBABLE,
        patient_id=candidates[0].patient_id,
        probability=0.9,
        runner_up=0.1,
        candidates=candidates,
        reasons=() if certain else reasons,
    )


WAITS = match_of(candidate("D1", 6.0), candidate("D2", 2.0), candidate("D3", -4.0))


def arrive(
    session: Session,
    *,
    who: PatientIdentity = PRINT,
    match: MatchDecision = WAITS,
    by_alias: bool = False,
    day: int = 1,
) -> HandedOver:
    made = assessment(patient=who, authored_on=date(2026, 1, 1) + timedelta(days=day))
    record = RecordToStore(
        decided=DecidedRecord(
            assessment=made,
            match=match,
            decision=Decision.CONFIRMED if match.grade is MatchGrade.CERTAIN else Decision.REVIEW,
            reasons=match.reasons,
        ),
        fingerprint=fingerprint(who),
        by_alias=by_alias,
    )
    return hand_over(session, taken(session).report_id, outcome(record), now=NOW)


def by_alias(session: Session, *, day: int, patient_id: str = "D1", who: PatientIdentity = PRINT) -> int:
    sure = match_of(candidate(patient_id, 6.0), certain=True)
    return arrive(session, who=who, match=sure, by_alias=True, day=day).records[0]


def case_of(session: Session, handed: HandedOver) -> ReviewCase:
    case = cases.of_record(session, handed.records[0])
    assert case is not None
    return case


def approve(session: Session, case: ReviewCase, patient_id: str, *, actor: str = "ida") -> None:
    cases.approve(
        session, case.case_id, version=case.version, patient_id=patient_id, actor=actor, now=NOW, destinations=(PORTAL,)
    )


def say(session: Session, patient_id: str = "D1", *, actor: str = "ida", day: int = 1, **more: object) -> None:
    approve(session, case_of(session, arrive(session, day=day, **more)), patient_id, actor=actor)  # type: ignore[arg-type]


def only(session: Session) -> StoredAlias:
    (alias,) = aliases.list_aliases(session)
    return alias


def state_of(session: Session, record_id: int) -> RecordState:
    return kept_records.get(session, record_id).state
