"""Bring the tables of a database up to what this program expects."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from records.errors import StoreError
from store import (
    account_tables,
    alert_tables,
    amendment_tables,
    audit_tables,
    chosen_tables,
    day_tables,
    delivery_tables,
    learning_tables,
    portal_patient_tables,
    preference_tables,
    queue_tables,
    shadow_tables,
    token_tables,
    work_tables,
)

# Whoever compares the tables with the revisions must find all of them declared.
TABLES = (
    account_tables,
    alert_tables,
    amendment_tables,
    audit_tables,
    chosen_tables,
    day_tables,
    delivery_tables,
    learning_tables,
    portal_patient_tables,
    preference_tables,
    queue_tables,
    shadow_tables,
    token_tables,
    work_tables,
)


def upgrade(connection: Connection) -> None:
    """Run every revision that this database lacks, in the caller's transaction.

    Raises:
        StoreError: A newer program has been here; going on could misread what it wrote.
    """
    config = _config(connection)
    known = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_heads()
    newer = set(current) - {script.revision for script in known.walk_revisions()}
    if newer:
        raise StoreError("The database was made by a newer version of this program.", next_step="Install that version.")
    if set(current) != set(known.get_heads()):
        command.upgrade(config, "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", "store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
