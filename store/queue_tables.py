"""The tables of people at work in the review queue. Only `store` sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, Index, Text, text
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import CaseRow, StoreTable, table_of

_CASE: Final = table_of(CaseRow).c
# What waits, in its order: with years of decided cases behind it, the queue stays as quick as it is long. State and
# `parked` are the same in all of it; SQLite wants them there all the same, or looks each row up.
Index(
    "ix_review_case_waiting",
    _CASE.critical,
    _CASE.opened_at,
    _CASE.id,
    _CASE.site,
    _CASE.state,
    _CASE.parked,
    sqlite_where=text("state = 'open' AND NOT parked"),
    postgresql_where=text("state = 'open' AND NOT parked"),
)
# The same by their causes: ten thousand of them are counted without a look at one.
Index(
    "ix_review_case_cause",
    _CASE.site,
    _CASE.reasons,
    _CASE.report_id,
    _CASE.critical,
    _CASE.opened_at,
    _CASE.state,
    _CASE.parked,
    sqlite_where=text("state = 'open' AND NOT parked"),
    postgresql_where=text("state = 'open' AND NOT parked"),
)


class CaseLockRow(StoreTable, table=True):
    """Who has a case open. It counts until `expires_at`; a case has one row at most."""

    __tablename__ = "case_lock"

    case_id: int = Field(
        primary_key=True, sa_column_args=[ForeignKey("review_case.id")], sa_column_kwargs={"autoincrement": False}
    )
    holder: str
    since: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class CaseVisitRow(StoreTable, table=True):
    """What one person has done with a case that waits: when it was first opened, and until when it is put behind."""

    __tablename__ = "case_visit"
    __table_args__ = (Index("ix_case_visit_actor_skipped_until", "actor", "skipped_until"),)

    case_id: int = Field(
        primary_key=True, sa_column_args=[ForeignKey("review_case.id")], sa_column_kwargs={"autoincrement": False}
    )
    actor: str = Field(primary_key=True)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    skipped_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CaseWordRow(StoreTable, table=True):
    """One person's word where two must say the same; the latest of each person.

    `patient_id` is None for "this row is to be rejected", with its reason.
    """

    __tablename__ = "case_word"

    case_id: int = Field(
        primary_key=True, sa_column_args=[ForeignKey("review_case.id")], sa_column_kwargs={"autoincrement": False}
    )
    actor: str = Field(primary_key=True)
    patient_id: str | None = None
    said_at: datetime = Field(sa_type=UtcDateTime)
    reject_reason: str | None = None
    note: str | None = None


class QueueDecisionRow(StoreTable, table=True):
    """One thing that a person did in the queue. Rows are only added; `undone_at` is set once.

    `before` is the JSON of what taking it back needs; `version_after` the case's version that it left.
    """

    __tablename__ = "queue_decision"
    __table_args__ = (
        Index("ix_queue_decision_actor_id", "actor", "id"),
        Index("ix_queue_decision_case_id", "case_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="review_case.id")
    record_id: int = Field(foreign_key="record.id")
    site: str
    actor: str
    kind: str
    patient_id: str | None = None
    decided_at: datetime = Field(sa_type=UtcDateTime)
    seconds: float | None = None
    batch: str | None = None
    version_after: int
    before: str = Field(sa_type=Text)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RegistrationRow(StoreTable, table=True):
    """A case whose patient is not on the roster: the front desk registers them, and the case comes back."""

    __tablename__ = "registration"

    case_id: int = Field(
        primary_key=True, sa_column_args=[ForeignKey("review_case.id")], sa_column_kwargs={"autoincrement": False}
    )
    site: str
    parked_by: str
    parked_at: datetime = Field(sa_type=UtcDateTime)
    roster_version: int
