"""What every version of a roster changed.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; the rosters in use are the first version that is known."""
    op.add_column("roster", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("roster", sa.Column("held_by", sa.String(), nullable=True))
    op.create_table(
        "roster_version",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("restores", sa.Integer(), nullable=True),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["roster.site"], name="fk_roster_version_site_roster"),
        sa.PrimaryKeyConstraint("site", "version", name="pk_roster_version"),
    )
    op.create_table(
        "roster_change",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site", "version"],
            ["roster_version.site", "roster_version.version"],
            name="fk_roster_change_site_roster_version",
        ),
        sa.PrimaryKeyConstraint("site", "version", "patient_id", name="pk_roster_change"),
    )
    op.create_index("ix_roster_change_site_patient_id", "roster_change", ["site", "patient_id"], unique=False)
    op.execute(
        "INSERT INTO roster_version "
        "(site, version, as_of, made_at, made_by, source, added, changed, removed, warnings) "
        "SELECT site, version, as_of, imported_at, imported_by, imported_from, "
        "(SELECT count(*) FROM roster_patient WHERE roster_patient.site = roster.site), 0, 0, '[]' FROM roster"
    )


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
