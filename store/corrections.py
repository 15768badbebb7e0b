"""Change or take back what a portal was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from records.assessment import SymptomAssessment
from records.audit import AuditEvent
from records.case import CaseState
from records.errors import DecisionRefusedError
from records.submission import DeliveryState, ResultStatus
from store import alerts, audit, automatic_matches, known, vetoes
from store.confirming import administration, key_of
from store.context import keys_of, stored_id
from store.kept_records import RecordState, record_row
from store.queueing import enqueue, enqueue_taking_back, may_be_there, of_assessment
from store.serialised import assessment_text, codes_text
from store.tables import CaseRow, RecordRow, SubmissionRow


def enqueue_correction(
    session: Session,
    record_id: int,
    *,
    assessment: SymptomAssessment,
    actor: str,
    now: datetime,
    destinations: Sequence[str],
) -> int:
    """Give a confirmed record other values, and tell the portals; return the number of submissions.

    Raises:
        DecisionRefusedError: The record is not confirmed or was replaced, the values are the same, or it would become
            another administration (other questionnaire, day or time): that is withdrawn and confirmed anew.
    """
    row = _confirmed(session, record_id)
    which = administration(assessment, site=row.site, patient_id=row.patient_id or "")
    if which is None or key_of(session, which) != row.assessment_key:
        raise DecisionRefusedError(
            "Another questionnaire, day or time, or no value at all, is no correction.",
            next_step="Withdraw the record and decide it again.",
        )
    digest = known.values_digest(keys_of(session), assessment)
    if digest == row.values_digest:
        raise DecisionRefusedError("The values are the same as before.", next_step="Change a value first.")
    row.assessment, row.values_digest = assessment_text(assessment), digest
    row.revision, row.confirmed_by, row.confirmed_at = row.revision + 1, actor, now
    session.add(row)
    session.flush()
    queued = enqueue(session, row, destinations, now=now)
    _audit(session, row, "record.corrected", actor=actor, now=now, detail=(("submissions", str(len(queued))),))
    return len(queued)


def enqueue_withdrawal(
    session: Session, record_id: int, *, reason: str, actor: str, now: datetime, reopen: bool
) -> int:
    """Take a confirmed record back from wherever it is or may be; return the number of withdrawals on their way.

    What has certainly not arrived is cancelled. With `reopen` the record returns to the review queue, its patient
    excluded by a veto; what is then sent for the right patient waits until the withdrawal has arrived. Answers about
    self-harm in it are told anew: whoever took them has seen to somebody else.

    Raises:
        DecisionRefusedError: The record is not confirmed, or was replaced by a correction: withdraw that one.
    """
    row = _confirmed(session, record_id)
    related = of_assessment(session, row.external_id or "")
    places = dict.fromkeys(other.destination for other in related)
    queued = 0
    for place in places:
        rows = [other for other in related if other.destination == place]
        queued += _take_back(session, row, place, rows, now=now)
    chain = _chain(session, row)
    for other in chain:
        other.state = RecordState.WITHDRAWN
        session.add(other)
    automatic_matches.taken_back(session, (stored_id(other.id) for other in chain), now=now)
    if reopen and row.patient_id is not None:
        told = [stored_id(other.id) for other in chain]
        alerts.begin_again_of(session, told, patient_id=row.patient_id, actor=actor, now=now)
    if reopen:
        _reopen(session, row, reason=reason, actor=actor, now=now)
    session.flush()
    detail = (("reason", reason), ("withdrawals", str(queued)), ("reopened", str(reopen)))
    _audit(session, row, "record.withdrawn", actor=actor, now=now, detail=detail)
    return queued


def _confirmed(session: Session, record_id: int) -> RecordRow:
    row = record_row(session, record_id)
    if row.state != RecordState.CONFIRMED:
        raise DecisionRefusedError(f"Record {record_id} is {row.state}, not confirmed.", next_step="Reload the page.")
    if row.superseded_by is not None:
        raise DecisionRefusedError(
            f"Record {record_id} was replaced by record {row.superseded_by}.", next_step="Change that one."
        )
    return row


def _take_back(session: Session, row: RecordRow, place: str, rows: list[SubmissionRow], *, now: datetime) -> int:
    for other in rows:
        if other.state in (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.DEAD) and not other.was_unknown:
            other.state, other.reason = DeliveryState.CANCELLED, "withdrawn"
            session.add(other)
    session.flush()
    there = [other for other in rows if may_be_there(other)]
    if not there or there[-1].status == ResultStatus.ENTERED_IN_ERROR:
        return 0
    enqueue_taking_back(session, row, place, now=now)
    return 1


def _chain(session: Session, row: RecordRow) -> list[RecordRow]:
    """The record and those it replaced: one value at the portal, so they are taken back together."""
    query = select(RecordRow).where(
        col(RecordRow.site) == row.site,
        col(RecordRow.external_id) == row.external_id,
        col(RecordRow.state) == RecordState.CONFIRMED,
    )
    return list(session.exec(query))


def _reopen(session: Session, row: RecordRow, *, reason: str, actor: str, now: datetime) -> None:
    if row.patient_id is not None:
        vetoes.say(session, site=row.site, fingerprint=row.fingerprint, patient_id=row.patient_id, actor=actor, now=now)
    row.state, row.reasons = RecordState.REVIEW, codes_text(("vetoed",))
    row.patient_id = row.assessment_key = row.external_id = None
    row.occurrence, row.revision, row.corrects = 1, 1, None
    row.confirmed_by = row.confirmed_at = None
    session.add(row)
    case = session.exec(select(CaseRow).where(col(CaseRow.record_id) == row.id)).first()
    if case is None:
        case = CaseRow(record_id=stored_id(row.id), site=row.site, version=0, state="", critical=False, opened_at=now)
    case.state, case.version, case.opened_at, case.note = CaseState.OPEN, case.version + 1, now, reason
    case.closed_at = case.closed_by = case.reject_reason = None
    session.add(case)


def _audit(
    session: Session, row: RecordRow, action: str, *, actor: str, now: datetime, detail: tuple[tuple[str, str], ...]
) -> None:
    event = AuditEvent(actor=actor, action=action, object_kind="record", object_id=str(row.id), detail=detail)
    audit.append(session, event, now=now)
