"""The day: what was signed, its letter, the kept look at the balance; and indexes that answer it without the rows.

Revision ID: 0014
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Rows of records and submissions are as wide as a page of the file; what the day counts is in the indexes alone.
_WIDER = (
    ("ix_record_site_day", "record", ("site", "day", "report_id", "state", "confirmed_by", "id")),
    ("ix_submission_record_id", "submission", ("record_id", "destination", "state", "status", "received_at", "id")),
    ("ix_submission_state", "submission", ("state", "site")),
)


def upgrade() -> None:
    """Make the tables and widen the indexes; days before have no letter and no signature."""
    op.create_table(
        "day_sign_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_name", sa.String(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_day_sign_off"),
    )
    op.create_index("ix_day_sign_off_site_day", "day_sign_off", ["site", "day"], unique=False)
    op.create_table(
        "day_letter",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("site", "day", name="pk_day_letter"),
    )
    op.create_index("ix_day_letter_sent_at", "day_letter", ["sent_at"], unique=False)
    op.create_table(
        "balance_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("wrong", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_balance_check"),
    )
    for name, table, columns in _WIDER:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, list(columns), unique=False)
    op.create_index("ix_report_site_seen_at", "report", ["site", "seen_at"], unique=False)
    op.create_index("ix_review_case_site_state", "review_case", ["site", "state", "opened_at"], unique=False)


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
