"""What readings looked like, so that drift is noticed.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of signatures; readings of earlier days have none."""
    op.create_table(
        "layout_signature",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name="fk_layout_signature_report_id_report"),
        sa.PrimaryKeyConstraint("id", name="pk_layout_signature"),
        sa.UniqueConstraint("report_id", name="uq_layout_signature_report_id"),
    )
    op.create_index("ix_layout_signature_template_site", "layout_signature", ["template", "site", "id"], unique=False)


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
