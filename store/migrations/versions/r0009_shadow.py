"""What staff typed, what people found of the differences, what was signed, and since when destinations are as they are.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; since when a destination is in its mode is known from the next start on."""
    _typed_values()
    op.create_table(
        "shadow_finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("typed_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shadow_finding"),
        sa.UniqueConstraint(
            "site", "record_id", "typed_id", "field", name="uq_shadow_finding_site_record_id_typed_id_field"
        ),
    )
    op.create_table(
        "shadow_sign_off",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sites", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("signed_name", sa.String(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shadow_sign_off"),
    )
    op.create_table(
        "destination_mode",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_destination_mode"),
    )
    op.create_index("ix_destination_mode_destination", "destination_mode", ["destination", "id"], unique=False)


def _typed_values() -> None:
    op.create_table(
        "typed_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_typed_import"),
    )
    op.create_index("ix_typed_import_site", "typed_import", ["site"], unique=False)
    op.create_table(
        "typed_value",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("remote", sa.String(), nullable=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["typed_import.id"], name="fk_typed_value_import_id_typed_import"),
        sa.PrimaryKeyConstraint("id", name="pk_typed_value"),
        sa.UniqueConstraint("site", "identity", name="uq_typed_value_site_identity"),
    )
    op.create_index("ix_typed_value_import_id", "typed_value", ["import_id"], unique=False)
    op.create_index("ix_typed_value_remote", "typed_value", ["remote"], unique=False)
