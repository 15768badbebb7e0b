"""What each case waits for, beside the case: causes are counted from an index alone.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_WAITING = "state = 'open' AND NOT parked"
_INDEXES = (
    ("ix_review_case_waiting", ("critical", "opened_at", "id", "site")),
    ("ix_review_case_cause", ("site", "reasons", "report_id", "critical", "opened_at")),
)


def upgrade() -> None:
    """Copy reasons and report of each record to its case."""
    op.add_column("review_case", sa.Column("report_id", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("review_case", sa.Column("reasons", sa.Text(), server_default="[]", nullable=False))
    op.execute(
        "UPDATE review_case SET"
        " report_id = (SELECT record.report_id FROM record WHERE record.id = review_case.record_id),"
        " reasons = (SELECT record.reasons FROM record WHERE record.id = review_case.record_id)"
    )
    op.drop_index("ix_review_case_waiting", "review_case")
    op.drop_index("ix_review_case_state_critical", "review_case")  # SQLite would take it in place of the two below
    for name, columns in _INDEXES:
        op.create_index(
            name,
            "review_case",
            [*columns, "state", "parked"],
            unique=False,
            sqlite_where=sa.text(_WAITING),
            postgresql_where=sa.text(_WAITING),
        )


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
