"""The circuit breaker of each destination, shared by all workers.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; every destination begins as one that is well."""
    op.create_table(
        "destination_breaker",
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("destination", name="pk_destination_breaker"),
    )


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
