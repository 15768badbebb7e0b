"""How far each destination is with what it was given, in numbers and without patients."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from records.submission import DeliveryState
from store.tables import SubmissionRow

_AT_ITS_END = (DeliveryState.DELIVERED, DeliveryState.CANCELLED)
_WITH_A_REASON = (DeliveryState.PENDING, DeliveryState.UNKNOWN, DeliveryState.HELD, DeliveryState.DEAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationFigures:
    """What waits for a destination and what has arrived.

    Attributes:
        counts: Submissions in each state; every state is listed.
        oldest_waiting: When the oldest that is not at its end was made, or None.
        last_delivered: When the latest arrived, or None.
        reasons: Why submissions wait, are held or are dead: state and reason code to how many, the most first.
    """

    counts: Mapping[DeliveryState, int]
    oldest_waiting: datetime | None
    last_delivered: datetime | None
    reasons: tuple[tuple[DeliveryState, str, int], ...]

    @property
    def waiting(self) -> int:
        """How many are not at their end."""
        return sum(count for state, count in self.counts.items() if state not in _AT_ITS_END)


def figures(session: Session, destination: str, *, sites: Collection[str] | None) -> DestinationFigures:
    """The figures of one destination.

    Args:
        sites: Whose submissions count; None for all.
    """
    mine = [col(SubmissionRow.destination) == destination]
    if sites is not None:
        mine.append(col(SubmissionRow.site).in_(list(sites)))
    return DestinationFigures(
        counts=_counts(session, mine),
        oldest_waiting=session.exec(
            select(func.min(col(SubmissionRow.created_at))).where(*mine, col(SubmissionRow.state).not_in(_AT_ITS_END))
        ).one(),
        last_delivered=session.exec(select(func.max(col(SubmissionRow.received_at))).where(*mine)).one(),
        reasons=_reasons(session, mine),
    )


def _counts(session: Session, mine: list[ColumnElement[bool]]) -> Mapping[DeliveryState, int]:
    query = select(SubmissionRow.state, func.count()).where(*mine).group_by(col(SubmissionRow.state))
    found = dict(session.exec(query).all())
    return {state: found.get(state, 0) for state in DeliveryState}


def _reasons(session: Session, mine: list[ColumnElement[bool]]) -> tuple[tuple[DeliveryState, str, int], ...]:
    query = (
        select(SubmissionRow.state, SubmissionRow.reason, func.count())
        .where(*mine, col(SubmissionRow.state).in_(_WITH_A_REASON), col(SubmissionRow.reason).is_not(None))
        .group_by(col(SubmissionRow.state), col(SubmissionRow.reason))
    )
    found = [(DeliveryState(state), reason or "", count) for state, reason, count in session.exec(query)]
    return tuple(sorted(found, key=lambda one: (-one[2], one[0], one[1])))
