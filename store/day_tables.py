"""The tables of the day: what was signed, the letter about it, and the last look whether every report adds up."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class DaySignOffRow(StoreTable, table=True):
    """A site's day as it was signed; never changed. `snapshot` is JSON without patients, `sha256` that of its text."""

    __tablename__ = "day_sign_off"
    __table_args__ = (Index("ix_day_sign_off_site_day", "site", "day"),)

    id: int | None = Field(default=None, primary_key=True)
    site: str
    day: date
    snapshot: str = Field(sa_type=Text)
    sha256: str
    note: str = Field(sa_type=Text)
    signed_name: str
    signed_by: str
    signed_at: datetime = Field(sa_type=UtcDateTime)


class DayLetterRow(StoreTable, table=True):
    """The letter about one site's day, without patient data; `sent_at` is None until it is out."""

    __tablename__ = "day_letter"
    __table_args__ = (Index("ix_day_letter_sent_at", "sent_at"),)

    site: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    subject: str
    body: str = Field(sa_type=Text)
    written_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    fault: str | None = None
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BalanceCheckRow(StoreTable, table=True):
    """What the last look at all reports has found; `wrong` is a JSON list of their ids."""

    __tablename__ = "balance_check"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    checked_at: datetime = Field(sa_type=UtcDateTime)
    reports: int
    wrong: str = Field(sa_type=Text)
