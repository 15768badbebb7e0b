"""What people have chosen on the pages where the settings file says nothing. Only `store` sees these tables."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class RosterLayoutRow(StoreTable, table=True):
    """One choice for a site; the latest counts, and one without columns forgets what was before it.

    `columns` is a JSON object of field to header, "" for a field that is not taken from the file.
    """

    __tablename__ = "roster_layout"
    __table_args__ = (Index("ix_roster_layout_site", "site"),)

    id: int | None = Field(default=None, primary_key=True)
    site: str
    columns: str = Field(sa_type=Text)
    date_format: str | None = None
    chosen_by: str
    chosen_at: datetime = Field(sa_type=UtcDateTime)


class ChosenModeRow(StoreTable, table=True):
    """One choice of a destination's mode; the latest counts, and one without a mode gives up what was before it."""

    __tablename__ = "chosen_mode"
    __table_args__ = (Index("ix_chosen_mode_destination", "destination"),)

    id: int | None = Field(default=None, primary_key=True)
    destination: str
    mode: str
    chosen_by: str
    chosen_at: datetime = Field(sa_type=UtcDateTime)
