"""How far each destination went and since when, what it was sent in a day, and letting go of what a day held back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.submission import DeliveryState, DestinationMode, ResultStatus
from store import audit
from store.handover import SERVICE
from store.shadow_tables import DestinationModeRow
from store.tables import SubmissionRow

_UNDER_WAY = (DeliveryState.SENDING, DeliveryState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSince:
    """A destination's mode, and since when it was in no other."""

    mode: DestinationMode
    since: datetime


def note(session: Session, destination: str, mode: DestinationMode, *, now: datetime) -> ModeSince:
    """Remember the mode that a destination is in; one that has not changed keeps its day."""
    kept = current(session, destination)
    if kept is not None and kept.mode is mode:
        return kept
    session.add(DestinationModeRow(destination=destination, mode=mode, since=now))
    session.flush()
    detail = (("mode", str(mode)), ("before", str(kept.mode) if kept else "none"))
    event = AuditEvent(
        actor=SERVICE,
        action="destination.mode-changed",
        object_kind="destination",
        object_id=destination,
        detail=detail,
    )
    audit.append(session, event, now=now)
    return ModeSince(mode=mode, since=now)


def current(session: Session, destination: str) -> ModeSince | None:
    """The mode that the service was last started with, or None before its first start."""
    query = select(DestinationModeRow).where(col(DestinationModeRow.destination) == destination)
    row = session.exec(query.order_by(col(DestinationModeRow.id).desc()).limit(1)).first()
    return None if row is None else ModeSince(mode=DestinationMode(row.mode), since=row.since)


def sent_since(session: Session, destination: str, since: datetime, *, but: Collection[int] = ()) -> int:
    """New values that reached a destination since an instant, with those that may have or are on their way.

    Corrections and withdrawals are not counted.

    Args:
        but: Submissions that are not counted either, whatever their state.
    """
    query = (
        select(func.count())
        .select_from(SubmissionRow)
        .where(
            col(SubmissionRow.destination) == destination,
            col(SubmissionRow.status) == ResultStatus.FINAL,
            col(SubmissionRow.id).not_in(but),
            ((col(SubmissionRow.state) == DeliveryState.DELIVERED) & (col(SubmissionRow.received_at) >= since))
            | col(SubmissionRow.state).in_(_UNDER_WAY),
        )
    )
    return session.exec(query).one()


def release_oldest(session: Session, destination: str, reason: str, *, most: int | None, now: datetime) -> int:
    """Let the oldest of what is held at a destination for a reason be tried again, at most so many; return how many."""
    query = select(SubmissionRow).where(
        col(SubmissionRow.destination) == destination,
        col(SubmissionRow.state) == DeliveryState.HELD,
        col(SubmissionRow.reason) == reason,
    )
    rows = session.exec(query.order_by(col(SubmissionRow.id)).limit(most)).all()
    for row in rows:
        row.state, row.reason, row.due_at = DeliveryState.PENDING, None, now
        if not row.was_unknown:  # held before it was sent: made anew by the file as it is by then
            row.payload, row.mapping_revision = None, None
        session.add(row)
    session.flush()
    return len(rows)


def held(session: Session, destination: str, reason: str) -> int:
    """How many are held at a destination for a reason."""
    query = (
        select(func.count())
        .select_from(SubmissionRow)
        .where(
            col(SubmissionRow.destination) == destination,
            col(SubmissionRow.state) == DeliveryState.HELD,
            col(SubmissionRow.reason) == reason,
        )
    )
    return session.exec(query).one()
