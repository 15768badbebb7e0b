"""People at work in the review queue: locks, skips, words that wait for a second, decisions, registrations.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_WAITING = "state = 'open' AND NOT parked"


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _case(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["case_id"], ["review_case.id"], name=f"fk_{table}_case_id_review_case")


def upgrade() -> None:
    """Make the tables; cases that wait go on waiting, opened and skipped by nobody."""
    with op.batch_alter_table("review_case") as batch:
        batch.add_column(sa.Column("parked", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_review_case_waiting",
        "review_case",
        ["critical", "opened_at", "id", "site"],
        unique=False,
        sqlite_where=sa.text(_WAITING),
        postgresql_where=sa.text(_WAITING),
    )
    op.create_table(
        "case_lock",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        _moment("since"),
        _moment("expires_at"),
        _case("case_lock"),
        sa.PrimaryKeyConstraint("case_id", name="pk_case_lock"),
    )
    op.create_table(
        "case_visit",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        _moment("opened_at", nullable=True),
        _moment("skipped_until", nullable=True),
        _case("case_visit"),
        sa.PrimaryKeyConstraint("case_id", "actor", name="pk_case_visit"),
    )
    op.create_index("ix_case_visit_actor_skipped_until", "case_visit", ["actor", "skipped_until"], unique=False)
    op.create_table(
        "case_word",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        _moment("said_at"),
        _case("case_word"),
        sa.PrimaryKeyConstraint("case_id", "actor", name="pk_case_word"),
    )
    op.create_table(
        "queue_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        _moment("decided_at"),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("version_after", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        _moment("undone_at", nullable=True),
        _case("queue_decision"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_queue_decision_record_id_record"),
        sa.PrimaryKeyConstraint("id", name="pk_queue_decision"),
    )
    op.create_index("ix_queue_decision_actor_id", "queue_decision", ["actor", "id"], unique=False)
    op.create_index("ix_queue_decision_case_id", "queue_decision", ["case_id"], unique=False)
    op.create_table(
        "registration",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("parked_by", sa.String(), nullable=False),
        _moment("parked_at"),
        sa.Column("roster_version", sa.Integer(), nullable=False),
        _case("registration"),
        sa.PrimaryKeyConstraint("case_id", name="pk_registration"),
    )


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
