"""Take back what a person decided in the queue: the case is then as it was, with a new version.

What the decision taught goes too: an alias made by it is revoked, one that it seconded waits for a second person
again, a "not this patient" is withdrawn or stands again. An alias that was doubted or an alert that was raised on the
way stays: both err on the safe side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.case import CaseState
from records.errors import DecisionRefusedError
from records.submission import DeliveryState
from store import alias_doubts, audit, queue_order, second_words, undoing, vetoes
from store.alias_states import AliasReason, AliasState, alias_row, turn
from store.context import stored_id
from store.decisions import (
    Before,
    DecisionKind,
    QueueDecision,
    case_and_record,
    decision_row,
    last_amendments,
    queue_decision,
    state_before,
)
from store.kept_records import RecordState, wait_for
from store.queue_tables import QueueDecisionRow, RegistrationRow
from store.queueing import may_be_there
from store.tables import CaseRow, RecordRow, SubmissionRow, VetoRow


def why_not(session: Session, decision_id: int) -> str:
    """Why a decision cannot be taken back (any more), as a sentence; empty if it can.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    decision_row(session, decision_id)
    return why_none(session, (decision_id,))[decision_id]


def why_none(session: Session, decision_ids: Collection[int]) -> dict[int, str]:
    """The same for many decisions, which exist."""
    query = (
        select(QueueDecisionRow, CaseRow, RecordRow)
        .join(CaseRow, col(CaseRow.id) == col(QueueDecisionRow.case_id))
        .join(RecordRow, col(RecordRow.id) == col(CaseRow.record_id))
        .where(col(QueueDecisionRow.id).in_(decision_ids))
    )
    rows = session.exec(query).all()
    approved = [stored_id(row.id) for made, _, row in rows if made.kind == DecisionKind.APPROVED]
    messages: dict[int, list[SubmissionRow]] = {}
    for one in session.exec(select(SubmissionRow).where(col(SubmissionRow.record_id).in_(approved))):
        messages.setdefault(one.record_id, []).append(one)
    amended = last_amendments(session, approved)
    return {
        stored_id(made.id): _why_not(made, case, row, messages.get(stored_id(row.id), ()), amended)
        for made, case, row in rows
    }


def _why_not(
    made: QueueDecisionRow,
    case: CaseRow,
    row: RecordRow,
    messages: Iterable[SubmissionRow],
    amended: Mapping[int, int],
) -> str:
    if made.undone_at is not None:
        return "This was taken back already."
    if made.kind == DecisionKind.SKIPPED:
        return ""
    is_approval = made.kind == DecisionKind.APPROVED
    if is_approval and (told := _told(row, messages)):
        return told
    if case.version != made.version_after:
        return "The record has changed since."
    if is_approval and amended.get(made.record_id, 0) != state_before(made).last_amendment:
        return "The record has changed since."
    return ""


def undo(session: Session, decision_id: int, *, actor: str, now: datetime) -> QueueDecision:
    """Take one's own decision back.

    Raises:
        DecisionRefusedError: It is somebody else's, was taken back already, a portal has been told, or the record has
            changed since.
    """
    made = decision_row(session, decision_id)
    if made.actor != actor:
        raise DecisionRefusedError("This is somebody else's decision.", next_step="Nothing was changed.")
    refused = why_not(session, decision_id)
    if refused:
        raise DecisionRefusedError(refused, next_step="Nothing was changed.")
    case, row = case_and_record(session, made.case_id)
    was = state_before(made)
    if made.kind == DecisionKind.SKIPPED:
        _put_where_it_was(session, made, was)
    else:
        _take_back(session, made, case, row, was, now=now)
        _follow_version(session, made, was, case)
    made.undone_at = now
    session.add(made)
    session.flush()
    detail = (("decision", made.kind), ("record", str(made.record_id)))
    event = AuditEvent(
        actor=actor, action="case.decision-undone", object_kind="case", object_id=str(made.case_id), detail=detail
    )
    audit.append(session, event, now=now)
    return queue_decision(made)


def _told(row: RecordRow, messages: Iterable[SubmissionRow]) -> str:
    """Whether a portal knows already, in words."""
    if row.state != RecordState.CONFIRMED:
        return ""
    told = [one for one in messages if one.external_id == row.external_id]
    if any(one.state == DeliveryState.DELIVERED for one in told):
        return "Already delivered. Send a correction?"
    return "It is being delivered just now. Send a correction?" if any(map(may_be_there, told)) else ""


def _put_where_it_was(session: Session, made: QueueDecisionRow, was: Before) -> None:
    if was.skipped_until is None:
        queue_order.unskip(session, made.case_id, actor=made.actor)
    else:
        queue_order.skip(session, made.case_id, actor=made.actor, until=was.skipped_until)


def _take_back(
    session: Session, made: QueueDecisionRow, case: CaseRow, row: RecordRow, was: Before, *, now: datetime
) -> None:
    match DecisionKind(made.kind):
        case DecisionKind.APPROVED:
            _take_approval_back(session, made, row, was, now=now)
        case DecisionKind.CORRECTED:
            row.assessment, row.values_digest, row.match = was.assessment, was.values_digest, was.match
        case DecisionKind.NOT_THIS_PATIENT:
            _withdraw_no(session, made, row, was)
        case DecisionKind.PARKED:
            # Gone already where the parked case was decided, and that was taken back first.
            if (registration := session.get(RegistrationRow, made.case_id)) is not None:
                session.delete(registration)
    row.state = RecordState.REVIEW
    wait_for(row, case, was.reasons)
    case.state, case.parked, case.version = CaseState.OPEN, False, max(case.version, made.version_after) + 1
    case.opened_at, case.note = was.opened_at, was.note
    case.closed_at = case.closed_by = case.reject_reason = None
    session.add(row)
    session.add(case)
    second_words.restore(session, made.case_id, was.words)


def _take_approval_back(
    session: Session, made: QueueDecisionRow, row: RecordRow, was: Before, *, now: datetime
) -> None:
    actor = made.actor
    if row.state == RecordState.DUPLICATE:
        row.duplicate_of = None
        alias_doubts.revoke_taught_by(session, row.id or 0, actor=actor, now=now)
    else:
        undoing.undo(session, row.id or 0, actor=actor, now=now)
    row.match = was.match
    _say_no_again(session, made, row, was)
    for alias_id in was.waiting_aliases:
        alias = alias_row(session, alias_id)
        if alias.state == AliasState.ACTIVE and alias.seconded_by == actor:
            alias.seconded_by = alias.seconded_at = None
            turn(session, alias, AliasState.AWAITING_SECOND, AliasReason.SECOND_TAKEN_BACK, actor=actor, now=now)


def _say_no_again(session: Session, made: QueueDecisionRow, row: RecordRow, was: Before) -> None:
    """The "not this patient" that the approval overruled stands again."""
    for one in was.vetoes:
        if (
            one.patient_id == made.patient_id
            and session.get(VetoRow, (row.site, row.fingerprint, one.patient_id)) is None
        ):
            session.add(
                VetoRow(
                    site=row.site,
                    fingerprint=row.fingerprint,
                    patient_id=one.patient_id,
                    actor=one.actor,
                    said_at=one.said_at,
                )
            )
    session.flush()


def _withdraw_no(session: Session, made: QueueDecisionRow, row: RecordRow, was: Before) -> None:
    if made.patient_id is not None and made.patient_id not in {one.patient_id for one in was.vetoes}:
        vetoes.withdraw(session, site=row.site, fingerprint=row.fingerprint, patient_id=made.patient_id)


def _follow_version(session: Session, made: QueueDecisionRow, was: Before, case: CaseRow) -> None:
    """The decision before this one is the last again, so that it can be taken back next."""
    query = select(QueueDecisionRow).where(
        col(QueueDecisionRow.case_id) == made.case_id,
        col(QueueDecisionRow.id) < made.id,
        col(QueueDecisionRow.undone_at).is_(None),
        col(QueueDecisionRow.version_after) == was.version,
        col(QueueDecisionRow.kind) != DecisionKind.SKIPPED,
    )
    for earlier in session.exec(query).all():
        earlier.version_after = case.version
        session.add(earlier)
