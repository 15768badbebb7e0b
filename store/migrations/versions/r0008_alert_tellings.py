"""What each channel was told of an alert, tasks at FHIR servers, and what people did about it.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OPEN_TASK = sa.text("NOT settled")


def upgrade() -> None:
    """Make the tables; what was told before is not known by channel, so open alerts are told once more."""
    op.create_index("ix_submission_external_id", "submission", ["external_id"], unique=False)
    op.add_column("alert", sa.Column("round", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("alert", sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "alert_telling",
        sa.Column("alert_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt", sa.String(), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_telling_alert_id_alert"),
        sa.PrimaryKeyConstraint("alert_id", "round", "channel", "step", name="pk_alert_telling"),
    )
    op.create_index("ix_alert_telling_state", "alert_telling", ["state"], unique=False)
    op.create_table(
        "alert_task",
        sa.Column("alert_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_task_alert_id_alert"),
        sa.PrimaryKeyConstraint("alert_id", "round", "channel", name="pk_alert_task"),
    )
    op.create_index(
        "ix_alert_task_open",
        "alert_task",
        ["alert_id"],
        unique=False,
        sqlite_where=_OPEN_TASK,
        postgresql_where=_OPEN_TASK,
    )
    op.create_table(
        "alert_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_event_alert_id_alert"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_event"),
    )
    op.create_index("ix_alert_event_alert_id", "alert_event", ["alert_id"], unique=False)


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
