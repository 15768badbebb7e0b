"""Synthetic values for the store's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import count

from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.decision import Candidate, DecidedRecord, Decision, Evidence, MatchDecision, MatchGrade
from records.finding import Finding
from records.geometry import Region
from records.patient import PatientIdentity, RosterPatient
from records.printed_file import PrintedFile
from records.submission import DeliveryReceipt
from store import reports, roster
from store.database import Database, Session
from store.handover import HandedOver, ReadOutcome, RecordToStore, hand_over
from store.reports import StoredReport

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
SITE = "WCP"
PORTAL = "portal"
SURNAME = "Vandersynthetic"

_numbers = count()


def printed_file(content: bytes | None = None, *, site: str = SITE, seen_at: datetime = NOW) -> PrintedFile:
    content = f"report {next(_numbers)}".encode() if content is None else content
    return PrintedFile(
        path="/srv/print/scores.pdf",
        sha256=sha256(content).hexdigest(),
        size_bytes=len(content),
        seen_at=seen_at,
        site=site,
    )


def assessment(**changes: object) -> SymptomAssessment:
    made = SymptomAssessment(
        page=1,
        line=None,
        region=Region(1, 10.5, 20.25, 300.1, 32.0),
        patient=PatientIdentity(
            name=f"{SURNAME}, Ada", family=SURNAME, given="Ada", birth_date=date(1980, 5, 17), mrn="M-1", sex="F"
        ),
        instrument="gad-7",
        instrument_printed="GAD-7",
        authored_on=date(2026, 3, 1),
        authored_time=None,
        total=9,
        total_printed="9",
        result=None,
        items=(
            ItemScore(link_id="1", state=ItemState.ANSWERED, points=2, source=Region(1, 10, 20, 30, 40)),
            ItemScore(link_id="2", state=ItemState.BLANK, points=None, source=None),
        ),
        severity="mild",
        critical=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def match(patient_id: str | None = "D1", grade: MatchGrade = MatchGrade.CERTAIN) -> MatchDecision:
    evidence = (Evidence(identifier="name", level="exact", weight=8.25),)
    candidates: tuple[Candidate, ...] = ()
    if patient_id is not None:
        candidates = (
            Candidate(
                patient_id=patient_id, grade=grade, probability=0.9997, score=8.25, evidence=evidence, reasons=()
            ),
        )
    return MatchDecision(
        grade=grade if patient_id else MatchGrade.CERTAINLY_NOT,
        patient_id=patient_id,
        probability=0.9997 if patient_id else 0.0,
        runner_up=0.0001,
        candidates=candidates,
        reasons=() if grade is MatchGrade.CERTAIN and patient_id else ("patient-not-found",),
    )


def record(
    decision: Decision = Decision.CONFIRMED,
    *,
    made: SymptomAssessment | None = None,
    patient_id: str | None = "D1",
    fingerprint: str | None = None,
    repeats: int | None = None,
    reasons: tuple[str, ...] = (),
) -> RecordToStore:
    grade = MatchGrade.CERTAIN if decision is Decision.CONFIRMED else MatchGrade.PROBABLE
    return RecordToStore(
        decided=DecidedRecord(
            assessment=made or assessment(), match=match(patient_id, grade), decision=decision, reasons=reasons
        ),
        fingerprint=fingerprint or f"print-of-{patient_id}",
        repeats=repeats,
    )


def outcome(
    *records: RecordToStore,
    destinations: tuple[str, ...] = (PORTAL,),
    findings: tuple[Finding, ...] = (),
    no_score: int = 0,
    template: str | None = "listing@1",
    day: date = DAY,
) -> ReadOutcome:
    return ReadOutcome(
        template=template,
        pages=1,
        no_score=no_score,
        findings=findings,
        records=records,
        destinations=destinations,
        day=day,
    )


def taken(session: Session, database: Database | None = None, *, site: str = SITE) -> StoredReport:
    archived = database.archive.put(b"%PDF-1.7 synthetic %%EOF") if database else None
    return reports.take(session, printed_file(site=site), source="wcp", file_name="scores.pdf", archived=archived)


def handed(session: Session, *records: RecordToStore, destinations: tuple[str, ...] = (PORTAL,)) -> HandedOver:
    return hand_over(session, taken(session).report_id, outcome(*records, destinations=destinations), now=NOW)


def patients(*patient_ids: str, site: str = SITE) -> list[RosterPatient]:
    return [
        RosterPatient(patient_id=patient_id, site=site, family=SURNAME, given=f"Given {patient_id}")
        for patient_id in patient_ids
    ]


def with_roster(session: Session, *patient_ids: str, site: str = SITE) -> None:
    roster.replace(
        session,
        site,
        patients(*patient_ids, site=site),
        as_of=NOW,
        imported_from="roster.csv",
        actor="ida",
        now=NOW,
        max_removed_share=1.0,
    )


def receipt(remote_id: str = "r-1") -> DeliveryReceipt:
    return DeliveryReceipt(remote_id=remote_id, version="1", http_status=201, received_at=NOW)
