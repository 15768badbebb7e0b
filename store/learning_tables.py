"""The tables of what people teach matching, and of the blind audit that checks it. Only `store` sees them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable

STANDING = text("state IN ('active', 'awaiting-second')")


class AliasRow(StoreTable, table=True):
    """A person's "this print is that patient". At most one stands for a print of one source."""

    __tablename__ = "alias"
    __table_args__ = (
        Index(
            "uq_alias_standing",
            "site",
            "source",
            "fingerprint",
            unique=True,
            sqlite_where=STANDING,
            postgresql_where=STANDING,
        ),
        Index("ix_alias_site_fingerprint", "site", "fingerprint"),
    )

    id: int | None = Field(default=None, primary_key=True)
    site: str
    source: str
    fingerprint: str
    patient_id: str
    roster_fingerprint: str
    mrn: str
    rivals: str = Field(sa_type=Text)
    evidence: str = Field(sa_type=Text)
    model: str
    record_id: int = Field(foreign_key="record.id")
    state: str
    said_by: str
    said_at: datetime = Field(sa_type=UtcDateTime)
    seconded_by: str | None = None
    seconded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    uses: int = 0
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AliasEventRow(StoreTable, table=True):
    """What became of an alias; rows are only ever added."""

    __tablename__ = "alias_event"
    __table_args__ = (Index("ix_alias_event_alias_id", "alias_id"),)

    id: int | None = Field(default=None, primary_key=True)
    alias_id: int = Field(foreign_key="alias.id")
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    state: str
    reason: str


class AutomaticMatchRow(StoreTable, table=True):
    """A record that went out without a person. It stays when the record is taken back: the audit must know of it."""

    __tablename__ = "automatic_match"
    __table_args__ = (
        Index("ix_automatic_match_week", "week"),
        Index("ix_automatic_match_alias_id", "alias_id"),
    )

    record_id: int = Field(primary_key=True, foreign_key="record.id", sa_column_kwargs={"autoincrement": False})
    site: str
    patient_id: str
    week: date
    confirmed_at: datetime = Field(sa_type=UtcDateTime)
    alias_id: int | None = Field(default=None, foreign_key="alias.id")
    taken_back_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BlindAuditRow(StoreTable, table=True):
    """An automatic match that a person checks without knowing what it was."""

    __tablename__ = "blind_audit"
    __table_args__ = (UniqueConstraint("record_id"), Index("ix_blind_audit_state", "state", "id"))

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(foreign_key="record.id")
    site: str
    week: date
    share: float
    drawn_at: datetime = Field(sa_type=UtcDateTime)
    state: str
    verdict: str | None = None
    patient_id: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    agrees: bool | None = None
    settled: str | None = None
    settled_by: str | None = None
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BlindAuditWeekRow(StoreTable, table=True):
    """A week whose sample is complete."""

    __tablename__ = "blind_audit_week"

    week: date = Field(primary_key=True)
    automatic: int
    drawn: int
    closed_at: datetime = Field(sa_type=UtcDateTime)


class CalibrationRow(StoreTable, table=True):
    """One calibration of the matching odds; the one with the highest version is in use."""

    __tablename__ = "calibration"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    points: str = Field(sa_type=Text)
    labels: int
    error_before: float
    error_after: float
    reverts_to: int | None = None
    made_by: str
    made_at: datetime = Field(sa_type=UtcDateTime)
