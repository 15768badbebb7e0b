"""What people teach matching, automatic matches, the blind audit, and calibrations.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_STANDING = sa.text("state IN ('active', 'awaiting-second')")


def upgrade() -> None:
    """Make the tables; what was decided before teaches nothing, for the evidence of then is gone."""
    _aliases()
    _audits()
    op.create_table(
        "calibration",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("error_before", sa.Float(), nullable=False),
        sa.Column("error_after", sa.Float(), nullable=False),
        sa.Column("reverts_to", sa.Integer(), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_calibration"),
    )


def _aliases() -> None:
    op.create_table(
        "alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("roster_fingerprint", sa.String(), nullable=False),
        sa.Column("mrn", sa.String(), nullable=False),
        sa.Column("rivals", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("said_by", sa.String(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconded_by", sa.String(), nullable=True),
        sa.Column("seconded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_alias_record_id_record"),
        sa.PrimaryKeyConstraint("id", name="pk_alias"),
    )
    op.create_index("ix_alias_site_fingerprint", "alias", ["site", "fingerprint"], unique=False)
    op.create_index(
        "uq_alias_standing",
        "alias",
        ["site", "source", "fingerprint"],
        unique=True,
        sqlite_where=_STANDING,
        postgresql_where=_STANDING,
    )
    op.create_table(
        "alias_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alias_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["alias_id"], ["alias.id"], name="fk_alias_event_alias_id_alias"),
        sa.PrimaryKeyConstraint("id", name="pk_alias_event"),
    )
    op.create_index("ix_alias_event_alias_id", "alias_event", ["alias_id"], unique=False)


def _audits() -> None:
    op.create_table(
        "automatic_match",
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alias_id", sa.Integer(), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_automatic_match_record_id_record"),
        sa.ForeignKeyConstraint(["alias_id"], ["alias.id"], name="fk_automatic_match_alias_id_alias"),
        sa.PrimaryKeyConstraint("record_id", name="pk_automatic_match"),
    )
    op.create_index("ix_automatic_match_week", "automatic_match", ["week"], unique=False)
    op.create_index("ix_automatic_match_alias_id", "automatic_match", ["alias_id"], unique=False)
    op.create_table(
        "blind_audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agrees", sa.Boolean(), nullable=True),
        sa.Column("settled", sa.String(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_blind_audit_record_id_record"),
        sa.PrimaryKeyConstraint("id", name="pk_blind_audit"),
        sa.UniqueConstraint("record_id", name="uq_blind_audit_record_id"),
    )
    op.create_index("ix_blind_audit_state", "blind_audit", ["state", "id"], unique=False)
    op.create_table(
        "blind_audit_week",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("automatic", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("week", name="pk_blind_audit_week"),
    )


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
