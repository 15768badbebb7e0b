"""A person's word on a case may be that its row is to be rejected.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a word name no patient, with the reason of a rejection and its note; words so far name one."""
    with op.batch_alter_table("case_word") as words:
        words.alter_column("patient_id", existing_type=sa.String(), nullable=True)
        words.add_column(sa.Column("reject_reason", sa.String(), nullable=True))
        words.add_column(sa.Column("note", sa.String(), nullable=True))


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
