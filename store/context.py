"""What a session of the store carries besides its transaction."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session

from store.keys import Keys


def keys_of(session: Session) -> Keys:
    """The keys of the database this session belongs to."""
    keys = session.info["keys"]
    if not isinstance(keys, Keys):
        raise TypeError("the session was not opened by store.database")
    return keys


def deployment_of(session: Session) -> UUID:
    """The installation's own id, chosen once when the database was made."""
    return UUID(str(session.info["deployment"]))


def stored_id(row_id: int | None) -> int:
    """The id of a row that has been flushed."""
    if row_id is None:
        raise RuntimeError("the row was not flushed")
    return row_id
