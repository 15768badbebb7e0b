"""Which submissions may go now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, and_, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from records.submission import DeliveryState, Submission
from store.columns import UtcDateTime
from store.outbox_entries import submission_of
from store.tables import OPEN_SUBMISSIONS, PauseRow, SubmissionRow

_BLOCKING: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.HELD)
_AT_ITS_END: Final = (DeliveryState.DELIVERED, DeliveryState.CANCELLED)
_WINDOW: Final = 400


def claim_due(
    session: Session, *, now: datetime, lease: timedelta, limit: int, owner: str, destinations: Sequence[str]
) -> list[Submission]:
    """Claim up to `limit` submissions due at `now` for `destinations` that are not paused, oldest first.

    A claim is good until `now + lease`. Whoever lets it run out gives the submission back with `was_unknown` set,
    because nobody can say what the portal got.
    """
    session.flush()
    open_places = sorted(set(destinations) - paused(session).keys())
    rows: list[SubmissionRow] = []
    after = 0
    while open_places and len(rows) < limit:
        window = _due_window(session, open_places, now=now, after=after)
        if not window:
            break
        rows += session.exec(_unblocked(window).limit(limit - len(rows))).all()
        after = window[-1]
    for row in rows:
        row.was_unknown = row.was_unknown or row.state != DeliveryState.PENDING
        row.state, row.lease_owner, row.lease_until = DeliveryState.SENDING, owner, now + lease
        row.attempts += 1
        session.add(row)
    session.flush()
    return [submission_of(session, row) for row in rows]


def _due_window(session: Session, destinations: Sequence[str], *, now: datetime, after: int) -> list[int]:
    """The next due submissions, oldest first: of a long backlog only the beginning is looked at."""
    # SQLite would rather sort all there is of a destination than walk the open ones in their order.
    hint = "INDEXED BY ix_submission_open" if session.get_bind().dialect.name == "sqlite" else ""
    statement = text(
        f"SELECT id FROM submission {hint} WHERE {OPEN_SUBMISSIONS} AND id > :after AND destination IN :destinations "  # noqa: S608
        "AND (state <> 'sending' AND due_at <= :now OR state = 'sending' AND lease_until <= :now) "
        "ORDER BY id LIMIT :most"
    ).bindparams(
        bindparam("destinations", list(destinations), expanding=True),
        bindparam("now", now, UtcDateTime),
        after=after,
        most=_WINDOW,
    )
    return [int(found) for found in session.connection().execute(statement).scalars()]


def _unblocked(window: Sequence[int]) -> SelectOfScalar[SubmissionRow]:
    """Those whose patient has nothing ahead of them or in flight, and whose withdrawal elsewhere has arrived."""
    other, first = aliased(SubmissionRow), aliased(SubmissionRow)
    same_patient = and_(
        col(other.destination) == col(SubmissionRow.destination),
        col(other.patient_id) == col(SubmissionRow.patient_id),
        col(other.id) != col(SubmissionRow.id),
    )
    ahead = and_(col(other.sequence) < col(SubmissionRow.sequence), col(other.state).in_(_BLOCKING))
    in_flight = col(other.state) == DeliveryState.SENDING
    return (
        select(SubmissionRow)
        .where(
            col(SubmissionRow.id).in_(window),
            ~select(other.id).where(same_patient, or_(ahead, in_flight)).exists(),
            ~select(first.id)
            .where(col(first.id) == col(SubmissionRow.after_id), col(first.state).not_in(_AT_ITS_END))
            .exists(),
        )
        .order_by(col(SubmissionRow.id))
    )


def paused(session: Session) -> dict[str, str]:
    """Paused destinations and why."""
    return {row.destination: row.reason for row in session.exec(select(PauseRow))}
