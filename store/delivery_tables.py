"""The tables of delivery beside the outbox itself. Only `store` sees them."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class PauseRow(StoreTable, table=True):
    """A destination to which nothing goes until somebody acts."""

    __tablename__ = "destination_pause"

    destination: str = Field(primary_key=True)
    reason: str
    paused_at: datetime = Field(sa_type=UtcDateTime)


class BreakerRow(StoreTable, table=True):
    """A destination that failed lately, as all workers see it; no row where its last answer was a clear one."""

    __tablename__ = "destination_breaker"

    destination: str = Field(primary_key=True)
    failures: int
    pauses: int
    open_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    probe_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AddressRow(StoreTable, table=True):
    """Where a destination was when it was last delivered to: ids of another portal's results mean nothing there."""

    __tablename__ = "destination_address"

    destination: str = Field(primary_key=True)
    address: str
    since: datetime = Field(sa_type=UtcDateTime)
