"""Where destinations are, and which of them nobody serves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, or_, select

from records.submission import DeliveryState
from store.delivery_tables import AddressRow
from store.tables import SubmissionRow

CHANGED = "address-changed"
_AT_ITS_END = (DeliveryState.DELIVERED, DeliveryState.CANCELLED)


def note(session: Session, destination: str, address: str, *, now: datetime) -> bool:
    """Remember where a destination is; whether it has moved although it has, or may have, values of ours."""
    row = session.get(AddressRow, destination)
    before = None if row is None else row.address
    if before != address:
        session.merge(AddressRow(destination=destination, address=address, since=now))
        session.flush()
    return before not in (None, address) and _may_have_values(session, destination)


def unserved(session: Session, served: Collection[str]) -> frozenset[str]:
    """Destinations that messages wait for and that are not among those served."""
    waiting = select(SubmissionRow.destination).where(
        col(SubmissionRow.state).not_in(_AT_ITS_END), col(SubmissionRow.destination).not_in(served)
    )
    return frozenset(session.exec(waiting.distinct()))


def _may_have_values(session: Session, destination: str) -> bool:
    query = select(SubmissionRow.id).where(
        col(SubmissionRow.destination) == destination,
        or_(col(SubmissionRow.remote_id).is_not(None), col(SubmissionRow.was_unknown)),
    )
    return session.exec(query.limit(1)).first() is not None
