"""The tables. Only `store` sees them; everything else sees the frozen values of `records` and of `store`'s modules.

States are words, not database enumerations: a new word must not need a rewrite of the table.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlmodel import Field, SQLModel

from store.columns import PathBytes, UtcDateTime

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class StoreTable(SQLModel):
    """What all tables share: one catalogue with predictable names."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


def table_of(kind: type[StoreTable]) -> Table:
    """The table behind a row class, for statements about many rows at once."""
    return StoreTable.metadata.tables[str(kind.__tablename__)]


class DeploymentRow(StoreTable, table=True):
    """The one row that says which installation this is."""

    __tablename__ = "deployment"

    id: int = Field(primary_key=True)
    deployment_uuid: str
    key_check: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class ReportRow(StoreTable, table=True):
    """One printed file. `identity` is its SHA-256 on the row that owns these bytes, and NULL on all others."""

    __tablename__ = "report"
    __table_args__ = (
        UniqueConstraint("site", "identity"),
        Index("ix_report_state_id", "state", "id"),
        Index("ix_report_site_day", "site", "day"),
        Index("ix_report_source_seen_at", "source", "seen_at"),
        Index("ix_report_site_seen_at", "site", "seen_at"),
        Index("ix_report_attention", "attention", sqlite_where=text("attention"), postgresql_where=text("attention")),
    )

    id: int | None = Field(default=None, primary_key=True)
    site: str
    source: str
    file_name: str
    path: str
    sha256: str
    identity: str | None = None
    size_bytes: int = Field(sa_type=BigInteger)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    state: str
    template: str | None = None
    pages: int | None = None
    no_score: int = 0
    printed: int = 0
    reasons: str = Field(default="[]", sa_type=Text)
    findings: str = Field(default="[]", sa_type=Text)
    attempts: int = 0
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    document_id: str | None = None
    wrapped_key: bytes | None = None
    duplicate_of: int | None = Field(default=None, foreign_key="report.id")
    day: date | None = None
    attention: bool = False
    settled_by: str | None = None
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_note: str | None = Field(default=None, sa_type=Text)


class RecordRow(StoreTable, table=True):
    """One printed record, in exactly one state."""

    __tablename__ = "record"
    __table_args__ = (
        UniqueConstraint("report_id", "position"),
        Index("ix_record_site_printed_key", "site", "printed_key"),
        Index("ix_record_site_assessment_key", "site", "assessment_key"),
        Index("ix_record_external_id", "external_id"),
        # Rows are as wide as a page of the file: what a day counts is in the indexes alone, here and of submissions.
        Index("ix_record_site_day", "site", "day", "report_id", "state", "confirmed_by", "id"),
        Index("ix_record_site_patient_id", "site", "patient_id"),
        # Two prints of one assessment can never both be the first, whatever the program believes.
        Index(
            "uq_record_stands",
            "site",
            "assessment_key",
            "occurrence",
            "revision",
            unique=True,
            sqlite_where=text("state = 'confirmed'"),
            postgresql_where=text("state = 'confirmed'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    report_id: int = Field(foreign_key="report.id")
    site: str
    position: int
    day: date
    state: str
    fingerprint: str
    printed_key: str
    assessment_key: str | None = None
    occurrence: int = 1
    revision: int = 1
    external_id: str | None = None
    values_digest: str
    read_digest: str
    patient_id: str | None = None
    assessment: str = Field(sa_type=Text)
    as_read: str = Field(sa_type=Text)
    match: str = Field(sa_type=Text)
    reasons: str = Field(sa_type=Text)
    duplicate_of: int | None = Field(default=None, foreign_key="record.id")
    corrects: int | None = Field(default=None, foreign_key="record.id")
    superseded_by: int | None = Field(default=None, foreign_key="record.id")
    confirmed_by: str | None = None
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CaseRow(StoreTable, table=True):
    """A record that a person decides; opened again, it keeps its row and counts its version up."""

    __tablename__ = "review_case"
    __table_args__ = (
        UniqueConstraint("record_id"),
        Index("ix_review_case_site_state", "site", "state", "opened_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(foreign_key="record.id")
    report_id: int = Field(sa_column_kwargs={"server_default": text("0")})
    site: str
    version: int = 1
    state: str
    # What it waits for, as its record says: beside the case, so that causes are counted without reading records.
    reasons: str = Field(default="[]", sa_type=Text, sa_column_kwargs={"server_default": "[]"})
    critical: bool
    # It waits for its patient to be registered, and is offered to nobody meanwhile.
    parked: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = None
    reject_reason: str | None = None
    note: str | None = Field(default=None, sa_type=Text)


OPEN_SUBMISSIONS = text("state IN ('pending', 'sending', 'unknown')")


class SubmissionRow(StoreTable, table=True):
    """One message for one destination. `after_id` must be delivered or taken back before this one may go.

    `assessment` is what was confirmed when it was queued: a record may be corrected, or given to another patient, while
    an earlier message about it is still waiting.
    """

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("destination", "external_id", "revision"),
        UniqueConstraint("destination", "patient_id", "sequence"),
        UniqueConstraint("idempotency_key"),
        Index("ix_submission_state", "state", "site"),
        # Claims walk the open ones from the oldest on, past neither the delivered years nor the whole backlog.
        Index("ix_submission_open", "id", sqlite_where=OPEN_SUBMISSIONS, postgresql_where=OPEN_SUBMISSIONS),
        Index("ix_submission_record_id", "record_id", "destination", "state", "status", "received_at", "id"),
        Index("ix_submission_external_id", "external_id"),
        Index("ix_submission_site_patient_id", "site", "patient_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    record_id: int = Field(foreign_key="record.id")
    site: str
    destination: str
    patient_id: str
    sequence: int
    external_id: str
    revision: int
    status: str
    assessment: str = Field(sa_type=Text)
    confirmed_by: str
    payload: bytes | None = None
    mapping_revision: str | None = None
    idempotency_key: str
    state: str
    reason: str | None = None
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    lease_owner: str | None = None
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    was_unknown: bool = False
    after_id: int | None = Field(default=None, foreign_key="submission.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    remote_id: str | None = None
    remote_version: str | None = None
    http_status: int | None = None
    received_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    found: bool = False


class SightingRow(StoreTable, table=True):
    """What the watcher knows of one path."""

    __tablename__ = "sighting"

    source: str = Field(primary_key=True)
    path: str = Field(sa_type=PathBytes, primary_key=True)
    size: int = Field(sa_type=BigInteger)
    mtime_ns: int = Field(sa_type=BigInteger)
    state: str
    first_seen: datetime = Field(sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    report_id: int | None = Field(default=None, foreign_key="report.id")
    reason: str | None = None


class RosterRow(StoreTable, table=True):
    """The roster in use at one site. While `held_at` is set, nothing is imported without a person."""

    __tablename__ = "roster"

    site: str = Field(primary_key=True)
    version: int
    as_of: datetime = Field(sa_type=UtcDateTime)
    imported_from: str
    imported_at: datetime = Field(sa_type=UtcDateTime)
    imported_by: str
    held_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held_by: str | None = None


class RosterVersionRow(StoreTable, table=True):
    """One state that a site's roster has been in. `warnings` is a JSON list of sentences without patient data."""

    __tablename__ = "roster_version"

    site: str = Field(primary_key=True, sa_column_args=[ForeignKey("roster.site")])
    version: int = Field(primary_key=True)
    as_of: datetime = Field(sa_type=UtcDateTime)
    made_at: datetime = Field(sa_type=UtcDateTime)
    made_by: str
    source: str
    restores: int | None = None
    added: int
    changed: int
    removed: int
    warnings: str = Field(sa_type=Text)


class RosterChangeRow(StoreTable, table=True):
    """What one version changed of one patient, as JSON objects of fields; all fields of a removed patient."""

    __tablename__ = "roster_change"
    __table_args__ = (
        ForeignKeyConstraint(["site", "version"], ["roster_version.site", "roster_version.version"]),
        Index("ix_roster_change_site_patient_id", "site", "patient_id"),
    )

    site: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    patient_id: str = Field(primary_key=True)
    kind: str
    before: str | None = Field(default=None, sa_type=Text)
    after: str | None = Field(default=None, sa_type=Text)


class RosterPatientRow(StoreTable, table=True):
    """One patient of a site's current roster."""

    __tablename__ = "roster_patient"

    site: str = Field(primary_key=True, sa_column_args=[ForeignKey("roster.site")])
    patient_id: str = Field(primary_key=True)
    family: str
    given: str
    mrn: str | None = None
    middle: str | None = None
    suffix: str | None = None
    preferred: str | None = None
    former_family: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    phone: str | None = None
    clinician: str | None = None
    last_visit: date | None = None
    active: bool = True
    merged_into: str | None = None


class VetoRow(StoreTable, table=True):
    """A person's "not this patient"."""

    __tablename__ = "veto"

    site: str = Field(primary_key=True)
    fingerprint: str = Field(primary_key=True)
    patient_id: str = Field(primary_key=True)
    actor: str
    said_at: datetime = Field(sa_type=UtcDateTime)


class AlertRow(StoreTable, table=True):
    """A critical answer; raised again, it gets a row of its own. A wrong patient begins a new `round` of it."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("ix_alert_alert_key", "alert_key"),
        Index("ix_alert_acknowledged_at", "acknowledged_at"),
        Index("ix_alert_report_id", "report_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    alert_key: str
    site: str
    report_id: int = Field(foreign_key="report.id")
    position: int
    record_id: int | None = Field(default=None, foreign_key="record.id")
    instrument: str
    link_id: str | None = None
    points: int | None = None
    unverified: bool
    raised_at: datetime = Field(sa_type=UtcDateTime)
    round: int = 1
    begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    notified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    notices: int = 0
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NoticeRow(StoreTable, table=True):
    """A message for the operator; at most one is open about one thing."""

    __tablename__ = "notice"
    __table_args__ = (
        Index(
            "uq_notice_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("resolved_at IS NULL"),
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    subject: str
    sentence: str = Field(sa_type=Text)
    left_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TemplateRow(StoreTable, table=True):
    """State of one template revision; the template itself is a file."""

    __tablename__ = "template_revision"

    template_id: str = Field(primary_key=True)
    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    sha256: str
    state: str
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str


class SignatureRow(StoreTable, table=True):
    """What the reading of one report looked like; the usual ones are what later readings are held against."""

    __tablename__ = "layout_signature"
    __table_args__ = (
        UniqueConstraint("report_id"),
        Index("ix_layout_signature_template_site", "template", "site", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    report_id: int = Field(foreign_key="report.id")
    template: str
    site: str
    state: str
    read_at: datetime = Field(sa_type=UtcDateTime)
    signature: str = Field(sa_type=Text)
    changes: str = Field(sa_type=Text)


class AccountRow(StoreTable, table=True):
    """A named user."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("name"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    password_hash: str
    role: str
    enabled: bool = True
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    sites: str | None = Field(default=None, sa_type=Text)
    names_granted: bool = False
    must_change_password: bool = False
    second_factor: bytes | None = Field(default=None, sa_type=LargeBinary)
    pending_factor: bytes | None = Field(default=None, sa_type=LargeBinary)
    second_factor_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_code_step: int | None = Field(default=None, sa_type=BigInteger)
