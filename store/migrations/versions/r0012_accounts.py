"""Sites of users, second factors, emergency access, kept entries, providers, and what a session is known by.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give accounts and sessions what they lack, and make the tables. Whoever is signed in signs in again."""
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("sites", sa.Text(), nullable=True))
        for name in ("names_granted", "must_change_password"):
            account.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
        for name in ("second_factor", "pending_factor"):
            account.add_column(sa.Column(name, sa.LargeBinary(), nullable=True))
        account.add_column(sa.Column("second_factor_since", sa.DateTime(timezone=True), nullable=True))
        account.add_column(sa.Column("last_code_step", sa.BigInteger(), nullable=True))
    op.execute("DELETE FROM web_session")
    with op.batch_alter_table("web_session") as web_session:
        web_session.add_column(sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False))
        for name in ("form_secret", "browser", "address"):
            web_session.add_column(sa.Column(name, sa.String(), nullable=False))
    op.create_index("ix_web_session_account_id", "web_session", ["account_id"], unique=False)
    _signing_in()
    _what_is_kept()


def _signing_in() -> None:
    op.create_table(
        "sign_in",
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("by_provider", sa.Boolean(), nullable=False),
        sa.Column("second_factor_done", sa.Boolean(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_sign_in_account_id_account"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_sign_in"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("code_mac", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_recovery_code_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_code"),
        sa.UniqueConstraint("account_id", "code_mac", name="uq_recovery_code_account_id_code_mac"),
    )
    op.create_table(
        "known_browser",
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_known_browser_account_id_account"),
        sa.PrimaryKeyConstraint("token_sha256", name="pk_known_browser"),
    )
    op.create_index("ix_known_browser_account_id", "known_browser", ["account_id"], unique=False)
    op.create_table(
        "provider_link",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_provider_link_account_id_account"),
        sa.PrimaryKeyConstraint("account_id", name="pk_provider_link"),
        sa.UniqueConstraint("issuer", "subject", name="uq_provider_link_issuer_subject"),
    )


def _what_is_kept() -> None:
    op.create_table(
        "emergency_access",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("reviewed_by", sa.String(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_emergency_access_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_emergency_access"),
    )
    op.create_index("ix_emergency_access_account_id", "emergency_access", ["account_id"], unique=False)
    op.create_table(
        "kept_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_kept_entry_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_kept_entry"),
    )
    op.create_index("ix_kept_entry_account_id", "kept_entry", ["account_id"], unique=False)
