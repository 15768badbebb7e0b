"""The table of what programs show instead of a password. Only `store` sees it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class ApiTokenRow(StoreTable, table=True):
    """A token of the JSON API; only the hash of its secret is kept. `sites` is a JSON list, NULL for all of the user's.

    `made_for` is the role that the user had when it was made: another role needs another token.
    """

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("secret_sha256"))

    id: int | None = Field(default=None, primary_key=True)
    name: str
    secret_sha256: str
    account_id: int = Field(foreign_key="account.id")
    made_for: str
    role: str
    sites: str | None = Field(default=None, sa_type=Text)
    read_only: bool
    made_by: str
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_by: str | None = None
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
