"""Which submissions may go now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, and_, bindparam, exists, not_, or_, select, text, update
from sqlmodel import Session
from sqlmodel import select as select_rows

from records.submission import DeliveryState, ResultStatus, Submission
from store.columns import UtcDateTime
from store.delivery_tables import PauseRow
from store.outbox_entries import submissions
from store.settling import forget
from store.tables import OPEN_SUBMISSIONS, SubmissionRow, table_of

_BLOCKING: Final = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.HELD)
_AT_ITS_END: Final = (DeliveryState.DELIVERED, DeliveryState.CANCELLED)
_WINDOW: Final = 400
_SUBMISSION: Final = table_of(SubmissionRow)


def _unblocked() -> Select[tuple[int]]:
    """Those whose patient has nothing ahead of them or in flight, and whose withdrawal elsewhere has arrived."""
    one, other, first = _SUBMISSION.c, _SUBMISSION.alias().c, _SUBMISSION.alias().c
    same_patient = and_(other.destination == one.destination, other.patient_id == one.patient_id, other.id != one.id)
    # A value in the wrong chart does not wait until somebody has settled why another one of that patient is held, nor
    # why the one that it takes back is: that one may be there, and is cancelled when this has arrived.
    passes = and_(
        one.status == ResultStatus.ENTERED_IN_ERROR,
        other.state == DeliveryState.HELD,
        or_(other.external_id != one.external_id, other.status != ResultStatus.ENTERED_IN_ERROR),
    )
    ahead = and_(other.sequence < one.sequence, other.state.in_(_BLOCKING), not_(passes))
    in_flight = other.state == DeliveryState.SENDING
    return (
        select(one.id)
        .where(
            one.id.in_(bindparam("window", expanding=True)),
            ~exists(select(other.id).where(same_patient, or_(ahead, in_flight))),
            ~exists(select(first.id).where(first.id == one.after_id, first.state.not_in(_AT_ITS_END))),
        )
        .order_by(one.id)
        .limit(bindparam("most"))
    )


# Written once: building a statement costs more than running it.
_UNBLOCKED: Final = _unblocked()
_CLAIM: Final = (
    update(_SUBMISSION)
    .where(_SUBMISSION.c.id.in_(bindparam("numbers", expanding=True)))
    .values(
        was_unknown=or_(_SUBMISSION.c.was_unknown, _SUBMISSION.c.state != DeliveryState.PENDING),
        state=DeliveryState.SENDING,
        lease_owner=bindparam("new_owner"),
        lease_until=bindparam("until"),
        attempts=_SUBMISSION.c.attempts + 1,
    )
)


def claim_due(
    session: Session,
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
    owner: str,
    destinations: Sequence[str],
    queued_before: datetime | None = None,
    but: Collection[int] = (),
) -> list[Submission]:
    """Claim up to `limit` submissions due at `now` for `destinations` that are not paused, oldest first.

    A claim is good until `now + lease`. Whoever lets it run out gives the submission back with `was_unknown` set,
    because nobody can say what the portal got.

    Args:
        queued_before: What was put into the outbox later is not sent yet, so that a decision can be undone; None for
            no such time. Withdrawals never wait for it.
        but: What `owner` still has in hand: a clock that jumps ahead ends leases, not what is under way.
    """
    session.flush()
    open_places = sorted(set(destinations) - paused(session).keys())
    numbers: list[int] = []
    after = 0
    while open_places and len(numbers) < limit:
        window = _due_window(session, open_places, now=now, after=after, queued_before=queued_before or now)
        if not window:
            break
        free = [number for number in window if number not in but]
        if free:
            found = session.connection().execute(_UNBLOCKED, {"window": free, "most": limit - len(numbers)})
            numbers += [row.id for row in found]
        after = window[-1]
    if not numbers:
        return []
    session.connection().execute(_CLAIM, {"numbers": numbers, "new_owner": owner, "until": now + lease})
    forget(session)
    return submissions(session, numbers)


def _due_window(
    session: Session, destinations: Sequence[str], *, now: datetime, after: int, queued_before: datetime
) -> list[int]:
    """The next due submissions, oldest first: of a long backlog only the beginning is looked at."""
    # SQLite would rather sort all there is of a destination than walk the open ones in their order.
    hint = "INDEXED BY ix_submission_open" if session.get_bind().dialect.name == "sqlite" else ""
    statement = text(
        f"SELECT id FROM submission {hint} WHERE {OPEN_SUBMISSIONS} AND id > :after AND destination IN :destinations "  # noqa: S608
        "AND (state <> 'sending' AND due_at <= :now OR state = 'sending' AND lease_until <= :now) "
        "AND (created_at <= :queued_before OR attempts > 0 OR status = 'entered-in-error') "
        "ORDER BY id LIMIT :most"
    ).bindparams(
        bindparam("destinations", list(destinations), expanding=True),
        bindparam("now", now, UtcDateTime),
        bindparam("queued_before", queued_before, UtcDateTime),
        after=after,
        most=_WINDOW,
    )
    return [int(found) for found in session.connection().execute(statement).scalars()]


def paused(session: Session) -> dict[str, str]:
    """Paused destinations and why."""
    return {row.destination: row.reason for row in session.exec(select_rows(PauseRow))}
