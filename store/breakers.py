"""How a destination has fared lately, shared by all workers and kept over restarts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, select

from store.delivery_tables import BreakerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """What a circuit breaker remembers.

    Attributes:
        failures: Deliveries in a row without a clear answer.
        pauses: Pauses in a row, from which the length of the next follows.
        open_until: Nothing is delivered before this; then a single one tries. None: closed.
        probe_until: That single one is under way, at most until then; or None.
    """

    failures: int = 0
    pauses: int = 0
    open_until: datetime | None = None
    probe_until: datetime | None = None


def state(session: Session, destination: str) -> BreakerState:
    """How the destination has fared; the empty state where all is well."""
    row = session.get(BreakerRow, destination)
    if row is None:
        return BreakerState()
    return BreakerState(
        failures=row.failures, pauses=row.pauses, open_until=row.open_until, probe_until=row.probe_until
    )


def keep(session: Session, destination: str, changed: BreakerState) -> None:
    """Remember how it fares now."""
    row = session.get(BreakerRow, destination)
    if changed == BreakerState():
        if row is not None:
            session.delete(row)
    else:
        row = row or BreakerRow(destination=destination, failures=0, pauses=0)
        row.failures, row.pauses = changed.failures, changed.pauses
        row.open_until, row.probe_until = changed.open_until, changed.probe_until
        session.add(row)
    session.flush()


def open_ones(session: Session) -> dict[str, datetime]:
    """Destinations that are left alone for failing time after time, and until when."""
    rows = session.exec(select(BreakerRow)).all()
    return {row.destination: row.open_until for row in rows if row.open_until is not None}
