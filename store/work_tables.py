"""Tables of what people ask of the service from the pages, and of template drafts. Only `store` sees them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class WorkRequestRow(StoreTable, table=True):
    """One thing that somebody asked of the service.

    `arguments` and `found` are JSON objects of texts without patient data; `file_name` may name a patient, as any
    report's may. The document is in the archive until the request is at its end.
    """

    __tablename__ = "work_request"
    __table_args__ = (
        Index("ix_work_request_state_id", "state", "id"),
        Index("ix_work_request_kind_subject", "kind", "subject"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    subject: str
    site: str | None = None
    arguments: str = Field(sa_type=Text)
    file_name: str | None = None
    document_id: str | None = None
    wrapped_key: bytes | None = None
    asked_by: str
    asked_at: datetime = Field(sa_type=UtcDateTime)
    state: str
    attempts: int = 0
    begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str = Field(default="", sa_type=Text)
    found: str = Field(default="{}", sa_type=Text)


class TemplateDraftRow(StoreTable, table=True):
    """The text of a template that somebody has brought and nobody has published yet."""

    __tablename__ = "template_draft"
    __table_args__ = (Index("ix_template_draft_template_id", "template_id"),)

    id: int | None = Field(default=None, primary_key=True)
    template_id: str
    revision: int
    text: str = Field(sa_type=Text)
    sha256: str
    brought_by: str
    brought_at: datetime = Field(sa_type=UtcDateTime)
