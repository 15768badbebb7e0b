"""What a person can do. The web pages and the command line call these functions and no others.

Each decision is one transaction: the checks, the change and its audit event happen together or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from parsers.instrument_library import load_instruments
from records.alert import CriticalAlert
from records.case import RejectReason, ReviewCase
from records.errors import DecisionRefusedError, StaleCaseError
from review.case_summary import CaseSummary, case_summary
from review.correction import corrected, faults_of
from review.graver_answers import raise_if_graver
from review.patient_search import PatientIndex, find_patients
from store import alert_subjects, alerts, alias_recall, blind_audit, cases, kept_records, reports, roster
from store.blind_audit import BlindAudit, Settled, Verdict
from store.cases import ApprovedAs
from store.database import Database, Session
from store.kept_records import StoredRecord

_LONGEST_NOTE: Final = 2000

__all__ = [
    "ApprovedAs",
    "CaseSummary",
    "PatientIndex",
    "acknowledge_alert",
    "alert_not_this_patient",
    "answer_blind_audit",
    "approve",
    "case_summary",
    "correct",
    "find_patients",
    "not_this_patient",
    "process_again",
    "reject",
    "reopen",
    "revoke_alias",
    "settle_blind_audit",
    "settle_report",
]


def approve(
    database: Database,
    case_id: int,
    *,
    version: int,
    patient_id: str,
    actor: str,
    now: datetime,
    today: date,
    destinations: tuple[str, ...],
    as_: ApprovedAs = ApprovedAs.CONFIRMATION,
) -> int:
    """Confirm a record for a patient and queue it for delivery; returns the record's id.

    Args:
        version: The version of the case the person saw.
        today: Today at the site.
        destinations: Where confirmed records of the site go.
        as_: What the record is to an earlier print of the same assessment.

    Raises:
        StaleCaseError: The case has changed since it was shown.
        DecisionRefusedError: The patient is not on the site's roster, or a value may not go to a chart like this.
    """
    with database.session() as session:
        case = _as_seen(session, case_id, version)
        if roster.patient(session, case.site, patient_id) is None:
            raise DecisionRefusedError(
                "This patient is not on the roster of the site.", next_step="Nothing was saved. Find the patient."
            )
        faults = faults_of(case.assessment, load_instruments(), today=today)
        if faults:
            raise DecisionRefusedError(" ".join(faults), next_step="Nothing was saved. Correct the value first.")
        return cases.approve(
            session,
            case_id,
            version=version,
            patient_id=patient_id,
            actor=actor,
            now=now,
            destinations=destinations,
            as_=as_,
        )


def correct(
    database: Database,
    case_id: int,
    *,
    version: int,
    changes: Mapping[str, str],
    actor: str,
    now: datetime,
    today: date,
) -> ReviewCase:
    """Change values that were read wrongly; the case stays open with a new version.

    An answer about self-harm that becomes graver than it was read raises an alert in the same transaction.

    Args:
        version: The version of the case the person saw.
        changes: Field to new text, as `review.correction.corrected` describes.
        today: Today at the site.

    Raises:
        StaleCaseError: The case has changed since it was shown.
        DecisionRefusedError: A new value cannot be read or breaks a clinical rule.
    """
    with database.session() as session:
        case = _as_seen(session, case_id, version)
        revised = corrected(case.assessment, changes, load_instruments(), today=today)
        if revised == case.assessment:
            raise DecisionRefusedError("Nothing was changed.", next_step="Change a value, or approve the record.")
        raise_if_graver(session, _record_of(session, case), revised, keys=database.keys, now=now)
        return cases.correct(session, case_id, version=version, assessment=revised, actor=actor, now=now)


def reject(
    database: Database, case_id: int, *, version: int, reason: RejectReason, note: str, actor: str, now: datetime
) -> None:
    """Keep a record out of the portal for good; it is not deleted and can be reopened.

    Raises:
        StaleCaseError: The case has changed since it was shown.
        DecisionRefusedError: The reason is "other" and no note says why.
    """
    if reason is RejectReason.OTHER and not note.strip():
        raise DecisionRefusedError("The reason is missing.", next_step="Nothing was saved. Say why in a few words.")
    with database.session() as session:
        cases.reject(session, case_id, version=version, reason=reason, note=note.strip(), actor=actor, now=now)


def reopen(database: Database, case_id: int, *, actor: str, now: datetime) -> ReviewCase:
    """Take a rejection back: the record waits again."""
    with database.session() as session:
        return cases.reopen(session, case_id, actor=actor, now=now)


def not_this_patient(
    database: Database, case_id: int, patient_id: str, *, version: int, actor: str, now: datetime
) -> ReviewCase:
    """Rule a patient out for this print and every later one like it; the case stays open with a new version.

    Raises:
        StaleCaseError: The case has changed since it was shown.
    """
    with database.session() as session:
        _as_seen(session, case_id, version)
        return cases.not_this_patient(session, case_id, patient_id, actor=actor, now=now)


def acknowledge_alert(database: Database, alert_id: int, *, actor: str, now: datetime, note: str = "") -> CriticalAlert:
    """Take responsibility for an answer about self-harm: nobody else is notified any more.

    Args:
        note: What was done, in the person's own words; kept whoever was first, and never sent anywhere.

    Returns:
        The alert, with the name of whoever took it first.
    """
    with database.session(urgent=True) as session:
        return alerts.acknowledge(session, alert_id, actor=actor, now=now, note=note[:_LONGEST_NOTE])


def alert_not_this_patient(
    database: Database, alert_id: int, patient_id: str, *, actor: str, now: datetime
) -> CriticalAlert:
    """Say that an alert is not about the patient shown for it: matching begins anew, and people are told anew.

    What was sent for that patient is taken back from every portal; the record waits for review with the patient ruled
    out. Whoever had taken the alert has seen to somebody else, so it is open again.

    Args:
        patient_id: Whom the person saw.

    Raises:
        StaleCaseError: Another patient is shown for it by now.
        DecisionRefusedError: Nobody is matched yet, or the record was rejected or withdrawn.
    """
    with database.session(urgent=True) as session:
        return alert_subjects.rule_out(session, alert_id, patient_id=patient_id, actor=actor, now=now)


def process_again(database: Database, report_id: int, *, actor: str, now: datetime) -> None:
    """Read a quarantined report once more."""
    with database.session() as session:
        reports.process_again(session, report_id, actor=actor, now=now)


def settle_report(database: Database, report_id: int, *, note: str, actor: str, now: datetime) -> None:
    """Close a report that needed attention, with a word on what was done.

    Raises:
        DecisionRefusedError: The note is empty.
    """
    if not note.strip():
        raise DecisionRefusedError("The note is missing.", next_step="Say in a few words what was done.")
    with database.session() as session:
        reports.settle(session, report_id, actor=actor, note=note.strip(), now=now)


def revoke_alias(database: Database, alias_id: int, *, actor: str, now: datetime) -> tuple[int, ...]:
    """Revoke an alias and take back, and put back into review, every record that stands on it alone; their ids.

    Raises:
        DecisionRefusedError: There is no such alias.
    """
    with database.session() as session:
        return alias_recall.revoke(session, alias_id, actor=actor, now=now)


def answer_blind_audit(
    database: Database, task_id: int, verdict: Verdict, *, patient_id: str | None, actor: str, now: datetime
) -> BlindAudit:
    """Say who a print is about without knowing what the program chose. Nothing is changed at a portal by it.

    Raises:
        DecisionRefusedError: It is answered already, or the patient is not on the site's roster.
    """
    with database.session() as session:
        return blind_audit.answer(session, task_id, verdict, patient_id=patient_id, actor=actor, now=now)


def settle_blind_audit(database: Database, task_id: int, found: Settled, *, actor: str, now: datetime) -> BlindAudit:
    """Settle an answer that differs from the match; a wrong match is withdrawn and its record waits for review again.

    Raises:
        DecisionRefusedError: There is nothing to settle, or another person must say that the match was right.
    """
    with database.session() as session:
        return blind_audit.settle(session, task_id, found, actor=actor, now=now)


def _record_of(session: Session, case: ReviewCase) -> StoredRecord:
    for kept in kept_records.of_report(session, case.report_id):
        found = cases.of_record(session, kept.record_id)
        if found is not None and found.case_id == case.case_id:
            return kept
    raise _stale()


def _as_seen(session: Session, case_id: int, version: int) -> ReviewCase:
    case = cases.get(session, case_id)
    if case.version != version:
        raise _stale()
    return case


def _stale() -> StaleCaseError:
    return StaleCaseError("This record changed since it was opened.", next_step="Nothing was saved. Look at it again.")
