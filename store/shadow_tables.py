"""The tables of the comparison with what staff typed, and of the modes of destinations. Only `store` sees them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from store.columns import UtcDateTime
from store.tables import StoreTable


class TypedImportRow(StoreTable, table=True):
    """One taking over of typed values, from a file or from a portal."""

    __tablename__ = "typed_import"
    __table_args__ = (Index("ix_typed_import_site", "site"),)

    id: int | None = Field(default=None, primary_key=True)
    site: str
    source: str
    sha256: str
    listed: int
    added: int
    imported_by: str
    imported_at: datetime = Field(sa_type=UtcDateTime)


class TypedValueRow(StoreTable, table=True):
    """A value that staff typed. `identity` is the same for the same value in every file that holds it."""

    __tablename__ = "typed_value"
    __table_args__ = (
        UniqueConstraint("site", "identity"),
        Index("ix_typed_value_import_id", "import_id"),
        Index("ix_typed_value_remote", "remote"),
    )

    id: int | None = Field(default=None, primary_key=True)
    import_id: int = Field(foreign_key="typed_import.id")
    site: str
    identity: str
    remote: str | None = None
    value: str = Field(sa_type=Text)
    replaced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ShadowFindingRow(StoreTable, table=True):
    """What a person found of a difference; it counts while `basis`, a digest of both sides, is unchanged."""

    __tablename__ = "shadow_finding"
    __table_args__ = (UniqueConstraint("site", "record_id", "typed_id", "field"),)

    id: int | None = Field(default=None, primary_key=True)
    site: str
    record_id: int
    typed_id: int
    field: str
    basis: str
    verdict: str
    settled_by: str
    settled_at: datetime = Field(sa_type=UtcDateTime)


class ShadowSignOffRow(StoreTable, table=True):
    """A comparison as it was signed; never changed. `snapshot` is JSON without patients, `sha256` that of its text."""

    __tablename__ = "shadow_sign_off"

    id: int | None = Field(default=None, primary_key=True)
    sites: str = Field(sa_type=Text)
    first: date
    last: date
    snapshot: str = Field(sa_type=Text)
    sha256: str
    signed_name: str
    signed_by: str
    signed_at: datetime = Field(sa_type=UtcDateTime)


class DestinationModeRow(StoreTable, table=True):
    """A mode that a destination was in, and from when; rows are only ever added."""

    __tablename__ = "destination_mode"
    __table_args__ = (Index("ix_destination_mode_destination", "destination", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    destination: str
    mode: str
    since: datetime = Field(sa_type=UtcDateTime)
