"""Finding events of the audit chain, whom they showed, how far the chain was checked, and signed weeks.

Revision ID: 0015
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_REFUSAL = "the audit trail cannot be changed"
_EVENT_INDEXES = (
    ("ix_audit_event_at_seq", ["at", "seq"]),
    ("ix_audit_event_actor_at_seq", ["actor", "at", "seq"]),
    ("ix_audit_event_action_at_seq", ["action", "at", "seq"]),
    ("ix_audit_event_actor_action_at_seq", ["actor", "action", "at", "seq"]),
    ("ix_audit_event_object_kind_object_id_at_seq", ["object_kind", "object_id", "at", "seq"]),
)


def upgrade() -> None:
    """Make the tables and indexes; whom earlier lists showed was not kept and cannot be made up."""
    op.drop_index("ix_audit_event_object_kind_object_id", "audit_event")
    for name, columns in _EVENT_INDEXES:
        op.create_index(name, "audit_event", columns, unique=False)
    op.create_index("ix_record_site_patient_id", "record", ["site", "patient_id"], unique=False)
    op.create_index("ix_submission_site_patient_id", "submission", ["site", "patient_id"], unique=False)
    _make_tables()
    for table in ("audit_shown_record", "audit_shown_patient"):
        _close(table)


def _make_tables() -> None:
    op.create_table(
        "audit_shown_record",
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("record_id", "seq", name="pk_audit_shown_record"),
    )
    op.create_index("ix_audit_shown_record_seq", "audit_shown_record", ["seq"], unique=False)
    op.create_table(
        "audit_shown_patient",
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("site", "patient_id", "seq", name="pk_audit_shown_patient"),
    )
    op.create_index("ix_audit_shown_patient_seq", "audit_shown_patient", ["seq"], unique=False)
    op.create_table(
        "audit_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.Column("checked_seq", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", sa.String(), nullable=False),
        sa.Column("bad_seq", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("seal", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_check"),
    )
    op.create_table(
        "activity_review",
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("week", name="pk_activity_review"),
    )


def _close(table: str) -> None:
    """What was shown to whom is added to, never changed."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )


def downgrade() -> None:
    """An older program refuses a newer database."""
    raise NotImplementedError("restore a backup instead")
