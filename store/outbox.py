"""The outbox: confirmed records on their way to the portals, each exactly once and in order.

`pending → sending → delivered | unknown | held | dead | cancelled`. Within a destination and a patient, submissions go
strictly in their sequence and one at a time; a dead or cancelled one lets the next pass, everything else blocks its own
patient only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from records.submission import DeliveryReceipt, DeliveryState, ResultStatus
from store import audit, settling
from store.claiming import claim_due, paused
from store.confirmed_records import ConfirmedRecord, confirmed_record, told_by
from store.context import stored_id
from store.corrections import enqueue_correction, enqueue_withdrawal
from store.delivery_tables import PauseRow
from store.kept_records import RecordState
from store.outbox_entries import (
    OVERWRITE,
    OutboxEntry,
    counts,
    entry,
    latest_submissions,
    list_submissions,
    newest_submissions,
    oldest_waiting,
    submission_row,
    waiting_places,
)
from store.queueing import idempotency_key, may_be_there, of_assessment
from store.settling import Settlement, settle
from store.tables import RecordRow, SubmissionRow

__all__ = [
    "ConfirmedRecord",
    "OutboxEntry",
    "Settlement",
    "cancel",
    "claim_due",
    "confirmed_record",
    "counts",
    "enqueue_correction",
    "enqueue_withdrawal",
    "entry",
    "freeze",
    "freeze_many",
    "latest_submissions",
    "list_submissions",
    "mark_dead",
    "mark_deferred",
    "mark_delivered",
    "mark_held",
    "mark_unknown",
    "newest_submissions",
    "oldest_waiting",
    "pause",
    "paused",
    "release_held",
    "resend",
    "resume",
    "settle",
    "thaw",
    "told_by",
    "waiting_places",
]

SERVICE: Final = "service"
BY_PERSON: Final = "paused-by-person"
"""Reason of a pause that ends when a person says so, and by no restart."""

_ON_THEIR_WAY: Final = (DeliveryState.PENDING, DeliveryState.HELD)


def freeze(session: Session, submission_id: int, payload: bytes, mapping_revision: str, *, owner: str) -> bool:
    """Keep the payload before the first attempt; one frozen before stays. False if `owner` has lost the lease."""
    return submission_id in settling.freeze(session, {submission_id: payload}, mapping_revision, owner=owner)


def freeze_many(
    session: Session, payloads: Mapping[int, bytes], mapping_revision: str, *, owner: str
) -> frozenset[int]:
    """Keep payloads, by submission id, before the first attempt; the ids that `owner` has leased."""
    return settling.freeze(session, payloads, mapping_revision, owner=owner)


def mark_delivered(
    session: Session, submission_id: int, receipt: DeliveryReceipt, *, owner: str, now: datetime
) -> bool:
    """The portal has the value. False, and nothing is changed, if `owner` has lost the lease."""
    ended = Settlement(submission_id=submission_id, state=DeliveryState.DELIVERED, receipt=receipt)
    return bool(settle(session, [ended], owner=owner, now=now))


def mark_unknown(
    session: Session, submission_id: int, *, reason: str, due_at: datetime, owner: str, now: datetime
) -> bool:
    """The answer was lost: look at the portal from `due_at` on. False if `owner` has lost the lease."""
    ended = Settlement(submission_id=submission_id, state=DeliveryState.UNKNOWN, reason=reason, due_at=due_at)
    return bool(settle(session, [ended], owner=owner, now=now))


def mark_deferred(
    session: Session,
    submission_id: int,
    *,
    reason: str,
    due_at: datetime,
    owner: str,
    now: datetime,
    may_be_there: bool = False,
) -> bool:
    """Try again from `due_at` on; see `Settlement`. False if `owner` has lost the lease."""
    ended = Settlement(
        submission_id=submission_id,
        state=DeliveryState.PENDING,
        reason=reason,
        due_at=due_at,
        may_be_there=may_be_there,
    )
    return bool(settle(session, [ended], owner=owner, now=now))


def mark_held(session: Session, submission_id: int, *, reason: str, owner: str, now: datetime) -> bool:
    """It waits for a setting, a permission or a patient to appear. False if `owner` has lost the lease."""
    ended = Settlement(submission_id=submission_id, state=DeliveryState.HELD, reason=reason)
    return bool(settle(session, [ended], owner=owner, now=now))


def mark_dead(
    session: Session, submission_id: int, *, reason: str, owner: str, now: datetime, may_be_there: bool = False
) -> bool:
    """The portal will never take it like this: a person decides. False if `owner` has lost the lease."""
    ended = Settlement(submission_id=submission_id, state=DeliveryState.DEAD, reason=reason, may_be_there=may_be_there)
    return bool(settle(session, [ended], owner=owner, now=now))


def release_held(
    session: Session,
    destination: str,
    reason: str | None = None,
    *,
    sites: Collection[str] | None = None,
    actor: str,
    now: datetime,
) -> int:
    """Let what is held at a destination (for `reason`, or for any) be tried again at once; return how many.

    Args:
        sites: Of these sites only, or None for all.
    """
    query = select(SubmissionRow).where(
        col(SubmissionRow.destination) == destination, col(SubmissionRow.state) == DeliveryState.HELD
    )
    if reason is not None:
        query = query.where(col(SubmissionRow.reason) == reason)
    if sites is not None:
        query = query.where(col(SubmissionRow.site).in_(sites))
    rows = session.exec(query).all()
    for row in rows:
        row.due_at = now
        _thaw(row)
        _put(session, row, DeliveryState.PENDING, None)
    if rows:
        _audit_destination(session, destination, "destination.released", actor=actor, now=now, reason=reason)
    return len(rows)


def thaw(session: Session, destination: str) -> None:
    """Have the payloads made anew that wait for their turn and certainly have not arrived.

    What was frozen before a restart may be made by a destination file, or for a patient at the portal, of another day.
    """
    session.flush()
    waiting = update(SubmissionRow).where(
        col(SubmissionRow.destination) == destination,
        col(SubmissionRow.state) == DeliveryState.PENDING,
        col(SubmissionRow.payload).is_not(None),
        col(SubmissionRow.was_unknown).is_(False),
    )
    session.connection().execute(waiting.values(payload=None, mapping_revision=None))
    settling.forget(session)


def resend(session: Session, submission_id: int, *, actor: str, now: datetime) -> OutboxEntry:
    """Try a dead or held submission once more, at once.

    A dead one tells of the assessment as it stands now. Unless it may have arrived just so, it gets a new payload and
    with it a new revision and key, because a portal that remembers keys answers another body under the same key with a
    refusal.
    One that the portal refused because somebody changed the result there (412) now overwrites that.

    Raises:
        DecisionRefusedError: It is in another state, a later message tells the portal of the same assessment, or the
            assessment was taken back.
    """
    row = submission_row(session, submission_id)
    if row.state not in (DeliveryState.DEAD, DeliveryState.HELD):
        raise DecisionRefusedError(f"Submission {submission_id} is {row.state}.", next_step="Reload the list.")
    if row.state == DeliveryState.DEAD:
        _renew(session, row)
    _thaw(row)
    row.due_at = now
    overwrites = row.state == DeliveryState.DEAD and (row.reason or "").startswith("http-412")
    _put(session, row, DeliveryState.PENDING, OVERWRITE if overwrites else None)
    _audit(session, row, "submission.resent", actor=actor, now=now)
    return entry(session, submission_id)


def cancel(
    session: Session, submission_id: int, *, actor: str, now: datetime, done_by_hand: bool = False
) -> OutboxEntry:
    """Take a submission back that is not under way: it will not be sent.

    Args:
        done_by_hand: The person has put the portal right there, and says so: only then is a message given up that may
            have arrived, or whose loss would leave a withdrawn or an earlier value standing.

    Raises:
        DecisionRefusedError: It is being sent, has arrived or may have, or the portal would be left with another value
            than the record's.
    """
    row = submission_row(session, submission_id)
    if row.state not in (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.DEAD):
        raise DecisionRefusedError(
            f"Submission {submission_id} is {row.state}, or has arrived.", next_step="Withdraw the record instead."
        )
    refusal = None if done_by_hand else _why_not_cancelled(session, row)
    if refusal is not None:
        raise refusal
    _put(session, row, DeliveryState.CANCELLED, None)
    detail = (("done-by-hand", "True"),) if done_by_hand else ()
    _audit(session, row, "submission.cancelled", actor=actor, now=now, detail=detail)
    return entry(session, submission_id)


def pause(session: Session, destination: str, *, reason: str, now: datetime, actor: str = SERVICE) -> None:
    """Send nothing there until `resume`; a pause under way keeps its first reason."""
    if session.get(PauseRow, destination) is None:
        session.add(PauseRow(destination=destination, reason=reason, paused_at=now))
        _audit_destination(session, destination, "destination.paused", actor=actor, now=now, reason=reason)


def resume(session: Session, destination: str, *, actor: str, now: datetime) -> None:
    """Send there again."""
    row = session.get(PauseRow, destination)
    if row is not None:
        session.delete(row)
        _audit_destination(session, destination, "destination.resumed", actor=actor, now=now, reason=None)


def _why_not_cancelled(session: Session, row: SubmissionRow) -> DecisionRefusedError | None:
    by_hand = "Put it right at the portal, then cancel with --done-by-hand"
    if row.was_unknown:
        return DecisionRefusedError(
            f"Submission {row.id} may be at the portal.", next_step=f"Withdraw the record instead. Or: {by_hand}."
        )
    if row.status == ResultStatus.ENTERED_IN_ERROR:
        return DecisionRefusedError(
            "Without this message the portal would go on showing what was withdrawn.",
            next_step=f"Send it again. {by_hand}.",
        )
    before = [
        other
        for other in of_assessment(session, row.external_id, row.destination)
        if other.revision < row.revision and (may_be_there(other) or other.state in _ON_THEIR_WAY)
    ]
    if before and before[-1].status != ResultStatus.ENTERED_IN_ERROR:
        return DecisionRefusedError(
            "Without this message the portal would keep the earlier value.",
            next_step=f"Undo the correction, or correct the record again. {by_hand}.",
        )
    return None


def _renew(session: Session, row: SubmissionRow) -> None:
    """Make a dead message tell what is to be told now."""
    related = of_assessment(session, row.external_id, row.destination)
    later = [other for other in related if other.revision > row.revision and other.state != DeliveryState.CANCELLED]
    if later:
        raise DecisionRefusedError(
            f"Submission {later[-1].id} tells the portal of this assessment since.",
            next_step="It replaces this one as soon as it arrives.",
        )
    outdated = row.status != ResultStatus.ENTERED_IN_ERROR and _told_anew(session, row)
    if row.was_unknown and not outdated:
        return
    if row.was_unknown:
        row.status = ResultStatus.CORRECTED  # it is looked for, and overwritten if it is there
    row.payload, row.mapping_revision = None, None
    row.revision = max(other.revision for other in related) + 1
    row.idempotency_key = idempotency_key(session, row.external_id, row.revision, row.status, row.destination)


def _thaw(row: SubmissionRow) -> None:
    if not row.was_unknown:
        row.payload, row.mapping_revision = None, None


def _told_anew(session: Session, row: SubmissionRow) -> bool:
    """Give a message the values as they stand; whether they are others than it had."""
    query = select(RecordRow).where(
        col(RecordRow.site) == row.site,
        col(RecordRow.external_id) == row.external_id,
        col(RecordRow.state) == RecordState.CONFIRMED,
        col(RecordRow.superseded_by).is_(None),
    )
    record = session.exec(query).first()
    if record is None:
        raise DecisionRefusedError(
            "The record has been taken back since.", next_step="Cancel this one, and look at the record."
        )
    outdated = (row.record_id, row.assessment) != (record.id, record.assessment)
    row.record_id, row.assessment = stored_id(record.id), record.assessment
    row.confirmed_by = record.confirmed_by or ""
    return outdated


def _put(session: Session, row: SubmissionRow, state: DeliveryState, reason: str | None) -> None:
    row.state, row.reason, row.lease_owner, row.lease_until = state, reason, None, None
    session.add(row)
    session.flush()


def _audit(
    session: Session,
    row: SubmissionRow,
    action: str,
    *,
    now: datetime,
    actor: str = SERVICE,
    detail: tuple[tuple[str, str], ...] = (),
) -> None:
    event = AuditEvent(
        actor=actor, action=action, object_kind="submission", object_id=str(stored_id(row.id)), detail=detail
    )
    audit.append(session, event, now=now)


def _audit_destination(
    session: Session, destination: str, action: str, *, actor: str, now: datetime, reason: str | None
) -> None:
    detail = (("reason", reason),) if reason else ()
    event = AuditEvent(actor=actor, action=action, object_kind="destination", object_id=destination, detail=detail)
    audit.append(session, event, now=now)
