"""Run by Alembic: migrate the connection that `store.migrating` brings along, inside its transaction."""

from alembic import context
from sqlalchemy import Connection

from store.tables import StoreTable

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("migrations run through store.migrating")
context.configure(connection=connection, target_metadata=StoreTable.metadata, transactional_ddl=True)
context.run_migrations()
