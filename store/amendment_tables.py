"""The table of what people changed about records that were confirmed already. Only `store` sees it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class AmendmentRow(StoreTable, table=True):
    """One change of a confirmed record; rows are only ever added, and `open` goes from true to false.

    `before` is what the record held until then, `queued` the JSON list of the submissions that tell of the change.
    """

    __tablename__ = "amendment"
    __table_args__ = (
        Index("ix_amendment_record_id", "record_id"),
        Index("ix_amendment_site_patient_id", "site", "patient_id"),
        Index("ix_amendment_site_to_patient_id", "site", "to_patient_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(foreign_key="record.id")
    site: str
    kind: str
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    reason: str = Field(sa_type=Text)
    patient_id: str
    to_patient_id: str | None = None
    before: str = Field(sa_type=Text)
    before_by: str
    before_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    queued: str = Field(sa_type=Text)
    open: bool
