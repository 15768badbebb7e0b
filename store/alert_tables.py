"""The tables of what was told of an alert, and of what people did about it. Only `store` sees them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable

OPEN_TASK = text("NOT settled")


class AlertTellingRow(StoreTable, table=True):
    """One step of an alert's ladder for one channel. `fault` is what its last failed try ended with."""

    __tablename__ = "alert_telling"
    __table_args__ = (Index("ix_alert_telling_state", "state"),)

    alert_id: int = Field(primary_key=True, foreign_key="alert.id", sa_column_kwargs={"autoincrement": False})
    round: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    channel: str = Field(primary_key=True)
    step: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: str
    attempts: int = 0
    first_tried_at: datetime = Field(sa_type=UtcDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    receipt: str | None = None
    fault: str | None = None


class AlertTaskRow(StoreTable, table=True):
    """What a FHIR server shows of one round of an alert; `settled` while it shows an end."""

    __tablename__ = "alert_task"
    __table_args__ = (Index("ix_alert_task_open", "alert_id", sqlite_where=OPEN_TASK, postgresql_where=OPEN_TASK),)

    alert_id: int = Field(primary_key=True, foreign_key="alert.id", sa_column_kwargs={"autoincrement": False})
    round: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    channel: str = Field(primary_key=True)
    status: str
    patient_id: str | None = None
    receipt: str
    settled: bool
    told_at: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    fault: str | None = None


class AlertEventRow(StoreTable, table=True):
    """What a person did about an alert; rows are only ever added. `note` may name a patient and stays in the store."""

    __tablename__ = "alert_event"
    __table_args__ = (Index("ix_alert_event_alert_id", "alert_id"),)

    id: int | None = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alert.id")
    round: int
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    kind: str
    patient_id: str | None = None
    note: str = Field(sa_type=Text)
