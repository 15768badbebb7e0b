"""The tables of the audit chain: its events, whom they showed, how far it was checked, and the signed reviews.

Only `store` sees them.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class AuditRow(StoreTable, table=True):
    """One link of the audit chain. `at` and `detail` are kept as the very text that was chained."""

    __tablename__ = "audit_event"
    # Newest first whatever is asked for: each of them ends in the order of the pages.
    __table_args__ = (
        Index("ix_audit_event_at_seq", "at", "seq"),
        Index("ix_audit_event_actor_at_seq", "actor", "at", "seq"),
        Index("ix_audit_event_action_at_seq", "action", "at", "seq"),
        Index("ix_audit_event_actor_action_at_seq", "actor", "action", "at", "seq"),
        Index("ix_audit_event_object_kind_object_id_at_seq", "object_kind", "object_id", "at", "seq"),
    )

    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: str
    actor: str
    action: str
    object_kind: str
    object_id: str
    detail: str = Field(sa_type=Text)
    prev_mac: str
    mac: str


class ShownRecordRow(StoreTable, table=True):
    """An event of the chain showed this record among others; rows are only ever added."""

    __tablename__ = "audit_shown_record"
    __table_args__ = (Index("ix_audit_shown_record_seq", "seq"),)

    record_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


class ShownPatientRow(StoreTable, table=True):
    """An event of the chain showed this patient of the roster; rows are only ever added."""

    __tablename__ = "audit_shown_patient"
    __table_args__ = (Index("ix_audit_shown_patient_seq", "seq"),)

    site: str = Field(primary_key=True)
    patient_id: str = Field(primary_key=True)
    seq: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})


class ChainCheckRow(StoreTable, table=True):
    """The one row that says how far the chain was followed. `seal` is a code of all the rest under the audit key."""

    __tablename__ = "audit_check"

    id: int = Field(primary_key=True)
    began_at: str
    seq: int = Field(sa_type=BigInteger)
    mac: str
    checked_seq: int = Field(sa_type=BigInteger)
    checked_at: str
    bad_seq: int | None = Field(default=None, sa_type=BigInteger)
    reason: str | None = None
    seal: str


class ActivityReviewRow(StoreTable, table=True):
    """A week of activity as somebody reviewed it; never changed. `snapshot` is JSON without patients."""

    __tablename__ = "activity_review"

    week: date = Field(primary_key=True)
    snapshot: str = Field(sa_type=Text)
    sha256: str
    note: str = Field(sa_type=Text)
    signed_by: str
    signed_at: datetime = Field(sa_type=UtcDateTime)
