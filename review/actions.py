"""What a person can do. The web pages and the command line call these functions and no others.

Each decision is one transaction: the checks, the change and its audit event happen together or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from parsers.instrument_library import load_instruments
from records.alert import CriticalAlert
from records.case import CaseState, RejectReason, ReviewCase
from records.decision import MatchDecision
from records.errors import DecisionRefusedError, StaleCaseError
from review.case_summary import CaseSummary, case_summary
from review.correction import corrected
from review.desk import Approval, ApprovalOutcome, Desk, RejectionOutcome, approve_at, at_desk, reject_at
from review.graver_answers import raise_if_graver
from review.patient_search import PatientIndex, find_patients
from review.rematching import IDENTITY, Rosters, rematch, typed_identity, with_identity
from store import (
    alert_subjects,
    alerts,
    alias_recall,
    blind_audit,
    case_locks,
    cases,
    decisions,
    kept_records,
    queue_order,
    reports,
)
from store.blind_audit import BlindAudit, Settled, Verdict
from store.cases import ApprovedAs
from store.database import Database, Session
from store.decisions import DecisionKind
from store.kept_records import StoredRecord
from store.queue_order import Position

_LONGEST_NOTE: Final = 2000
_A_WORKING_DAY: Final = timedelta(hours=12)

__all__ = [
    "Approval",
    "ApprovalOutcome",
    "ApprovedAs",
    "CaseSummary",
    "PatientIndex",
    "Position",
    "RejectionOutcome",
    "acknowledge_alert",
    "alert_not_this_patient",
    "answer_blind_audit",
    "approve",
    "case_summary",
    "correct",
    "find_patients",
    "next_case",
    "not_this_patient",
    "position",
    "previous",
    "process_again",
    "reject",
    "reopen",
    "revoke_alias",
    "settle_blind_audit",
    "settle_report",
    "skip",
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
) -> Approval:
    """Confirm a record for a patient and queue it for delivery, which waits `review.undo.HOLD` for a change of mind.

    An answer about self-harm goes to a patient who is not likely only when two people say so, and a record from which
    somebody has corrected such an answer away to any patient: the first word is kept, and the case stays open for
    somebody else. Its alert has been sent long before.

    Args:
        version: The version of the case the person saw.
        today: Today at the site.
        destinations: Where confirmed records of the site go.
        as_: What the record is to an earlier print of the same assessment.

    Raises:
        StaleCaseError: The case has changed since it was shown.
        CaseTakenError: Somebody else has the case open.
        DecisionRefusedError: The patient is not on the site's roster, or a value may not go to a chart like this.
    """
    with database.session() as session:
        desk = at_desk(session, case_id, version, actor=actor, now=now)
        return approve_at(desk, patient_id=patient_id, today=today, destinations=destinations, as_=as_)


def correct(
    database: Database,
    case_id: int,
    *,
    version: int,
    changes: Mapping[str, str],
    actor: str,
    now: datetime,
    today: date,
    rosters: Rosters | None = None,
) -> ReviewCase:
    """Change values that were read wrongly; the case stays open with a new version.

    An answer about self-harm that becomes graver than it was read raises an alert in the same transaction. Where name,
    birth date or record number change, the patient is matched anew; the print as it was read is kept beside them, and
    aliases and "not this patient" go on to be kept for that.

    Args:
        version: The version of the case the person saw.
        changes: Field to new text, as `review.correction.corrected` and `review.rematching.typed_identity` describe.
        today: Today at the site.
        rosters: Who can be matched; needed where the identity changes.

    Raises:
        StaleCaseError: The case has changed since it was shown.
        CaseTakenError: Somebody else has the case open.
        DecisionRefusedError: A new value cannot be read or breaks a clinical rule.
    """
    match = _rematched(database, case_id, changes, rosters=rosters, now=now)
    with database.session() as session:
        desk = at_desk(session, case_id, version, actor=actor, now=now)
        case, held = desk.case, desk.case.assessment
        revised = with_identity(held, changes)
        values = {field: text for field, text in changes.items() if field not in IDENTITY}
        if values:
            revised = corrected(revised, values, load_instruments(), today=today)
        if revised == held:
            raise DecisionRefusedError("Nothing was changed.", next_step="Change a value, or approve the record.")
        raise_if_graver(session, _record_of(session, case), revised, keys=database.keys, now=now)
        done = cases.correct(
            session,
            case_id,
            version=version,
            assessment=revised,
            actor=actor,
            now=now,
            match=None if revised.patient == held.patient else match,
        )
        desk.keep(DecisionKind.CORRECTED)
        return done


def reject(
    database: Database, case_id: int, *, version: int, reason: RejectReason, note: str, actor: str, now: datetime
) -> RejectionOutcome:
    """Keep a record out of the portal for good; it is not deleted and can be reopened.

    One that holds, or held, an answer about self-harm is rejected only when two people say so: the first word is kept,
    and the case stays open for somebody else.

    Raises:
        StaleCaseError: The case has changed since it was shown.
        CaseTakenError: Somebody else has the case open.
        DecisionRefusedError: The reason is "other" and no note says why.
    """
    with database.session() as session:
        return reject_at(at_desk(session, case_id, version, actor=actor, now=now), reason=reason, note=note)


def skip(database: Database, case_id: int, *, actor: str, now: datetime, until: datetime | None = None) -> None:
    """Put a case behind the others for this person, and give it back to everybody else.

    Args:
        until: When it has its old place again: the end of the site's day; None for twelve hours from now.

    Raises:
        StaleCaseError: The case is decided.
    """
    with database.session() as session:
        case = cases.get(session, case_id)
        if case.state is not CaseState.OPEN:
            raise StaleCaseError(f"Case {case_id} is decided already.", next_step="Go on with the next one.")
        desk = Desk.of(session, case, actor=actor, now=now)
        queue_order.skip(session, case_id, actor=actor, until=until or now + _A_WORKING_DAY)
        case_locks.release(session, case_id, actor=actor)
        desk.keep(DecisionKind.SKIPPED)


def next_case(
    database: Database, *, actor: str, sites: Collection[str] | None, after: int | None = None, now: datetime
) -> int | None:
    """The case that this person meets next, or None if nothing is left for them.

    Answers about self-harm first, then the oldest, then what the person skipped; not what others have open, nor what
    waits for somebody else's word after their own.

    Args:
        sites: Whose cases the person sees; None for all.
        after: To go on from this case, and past the last one begin again; None for the first of all, which is what
            follows a decision.
    """
    with database.reading() as session:
        return queue_order.next_case(session, actor=actor, sites=sites, after=after, now=now)


def previous(
    database: Database, *, actor: str, sites: Collection[str] | None, before: int, now: datetime
) -> int | None:
    """The case before this one in the same order, or None at the beginning."""
    with database.reading() as session:
        return queue_order.previous_case(session, actor=actor, sites=sites, before=before, now=now)


def position(database: Database, case_id: int, *, actor: str, sites: Collection[str] | None, now: datetime) -> Position:
    """Where a case stands for this person among all that wait."""
    with database.reading() as session:
        return queue_order.position(session, case_id, actor=actor, sites=sites, now=now)


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
        CaseTakenError: Somebody else has the case open.
    """
    with database.session() as session:
        desk = at_desk(session, case_id, version, actor=actor, now=now)
        done = cases.not_this_patient(session, case_id, patient_id, actor=actor, now=now)
        desk.keep(DecisionKind.NOT_THIS_PATIENT, patient_id=patient_id)
        return done


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


def _rematched(
    database: Database, case_id: int, changes: Mapping[str, str], *, rosters: Rosters | None, now: datetime
) -> MatchDecision | None:
    """Who a corrected identity is, found before the transaction begins: it takes its own look at the store."""
    if not changes.keys() & set(IDENTITY):
        return None
    if rosters is None:
        raise DecisionRefusedError("Name, birth date and record number cannot be corrected here.")
    with database.reading() as session:
        case = cases.get(session, case_id)
        source = reports.get(session, case.report_id).source
    return rematch(rosters, case, typed_identity(case.assessment.patient, changes), source=source, now=now)


def _record_of(session: Session, case: ReviewCase) -> StoredRecord:
    return kept_records.get(session, decisions.case_and_record(session, case.case_id)[0].record_id)
