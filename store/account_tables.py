"""The tables of accounts besides the accounts themselves. Only `store` sees them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class SignInRow(StoreTable, table=True):
    """A browser halfway through signing in: it has shown something, and not all that is asked."""

    __tablename__ = "sign_in"

    token_sha256: str = Field(primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    by_provider: bool
    second_factor_done: bool
    begun_at: datetime = Field(sa_type=UtcDateTime)


class RecoveryCodeRow(StoreTable, table=True):
    """A recovery code that has not been used; only its keyed hash is kept."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("account_id", "code_mac"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    code_mac: str


class KnownBrowserRow(StoreTable, table=True):
    """A browser in which this person has signed in before. It has a count of failures of its own."""

    __tablename__ = "known_browser"
    __table_args__ = (Index("ix_known_browser_account_id", "account_id"),)

    token_sha256: str = Field(primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)


class EmergencyAccessRow(StoreTable, table=True):
    """One taking of emergency access, for good."""

    __tablename__ = "emergency_access"
    __table_args__ = (Index("ix_emergency_access_account_id", "account_id"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    reason: str = Field(sa_type=Text)
    begun_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    ended_by: str | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class KeptEntryRow(StoreTable, table=True):
    """A form that came after its session had ended. What was entered is sealed."""

    __tablename__ = "kept_entry"
    __table_args__ = (Index("ix_kept_entry_account_id", "account_id"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    path: str
    sealed: bytes = Field(sa_type=LargeBinary)
    kept_at: datetime = Field(sa_type=UtcDateTime)


class ProviderLinkRow(StoreTable, table=True):
    """Which person of an identity provider an account belongs to."""

    __tablename__ = "provider_link"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    account_id: int = Field(primary_key=True, foreign_key="account.id")
    issuer: str
    subject: str
    linked_at: datetime = Field(sa_type=UtcDateTime)


class WebSessionRow(StoreTable, table=True):
    """A signed-in browser; only the hash of its token is kept. The form secret stays when the token is renewed."""

    __tablename__ = "web_session"
    __table_args__ = (Index("ix_web_session_account_id", "account_id"),)

    token_sha256: str = Field(primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    opened_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    proved_at: datetime = Field(sa_type=UtcDateTime)
    form_secret: str
    browser: str
    address: str
