"""Clinician, latest visit and merging of roster patients.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; patients listed before have none of it until the next import."""
    for column in (
        sa.Column("clinician", sa.String(), nullable=True),
        sa.Column("last_visit", sa.Date(), nullable=True),
        sa.Column("merged_into", sa.String(), nullable=True),
    ):
        op.add_column("roster_patient", column)


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
