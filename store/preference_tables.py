"""How people want to work. Only `store` sees this table."""

from __future__ import annotations

from sqlmodel import Field

from store.tables import StoreTable


class PreferenceRow(StoreTable, table=True):
    """What one person has set for the pages; somebody without a row has everything as it comes."""

    __tablename__ = "preference"

    user_name: str = Field(primary_key=True)
    single_keys: bool
