"""What the database says when something is wrong, in plain words and without the values it would quote."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from records.errors import StoreError

# Piece of the driver's message, lower case → sentence and next step. SQLite has no better way to tell them apart.
_SIGNS: Final[tuple[tuple[str, str, str], ...]] = (
    ("disk is full", "The disk is full.", "Free space on the volume of the database."),
    ("no space left", "The disk is full.", "Free space on the volume of the database."),
    ("locked", "The database is busy: another program holds it.", "Find out what runs for so long, then try again."),
    ("lock timeout", "The database is busy: another program holds it.", "Find out what runs for so long."),
    ("not a database", "The key does not open this database.", "Restore the key that belongs to it."),
    ("malformed", "The database file is damaged.", "Restore it from the backup; do not write to it any more."),
    ("hmac check failed", "The database file is damaged.", "Restore it from the backup; do not write to it any more."),
    ("unable to open", "The database file cannot be opened.", "Check that it is there and who owns it."),
    ("readonly", "This part of the program only reads, or the database file is write-protected.", "Check its owner."),
    ("read-only", "This part of the program only reads, or the server is a read-only copy.", "Check the server."),
    ("disk i/o", "The disk reports a fault.", "Check the disk; restore from the backup if the database is damaged."),
    ("audit trail", "The audit trail cannot be changed.", "Find out who tried."),
    ("connection", "The database server does not answer.", "Check that it runs and that its address is right."),
    ("authentication failed", "The database server refuses the password.", "Check the database URL."),
)


def plain(fault: SQLAlchemyError) -> StoreError:
    """The error that leaves the store instead of `fault`: no statement, no parameter, no quoted value in it."""
    if isinstance(fault, IntegrityError) and "audit trail" not in str(fault.orig):
        return StoreError(
            f"The database refused a change that breaks one of its rules{_rule(fault)}.",
            next_step="Nothing was changed; report this as a fault of the program.",
        )
    if isinstance(fault, PoolTimeoutError):
        return StoreError("Too much is asked of the database at once.", next_step="Try again.")
    if isinstance(fault, DBAPIError):
        said = str(fault.orig).lower()
        for sign, sentence, next_step in _SIGNS:
            if sign in said:
                return StoreError(sentence, next_step=next_step)
        return StoreError(
            f"The database failed ({type(fault.orig).__name__}).", next_step="Look into the database's own log."
        )
    if isinstance(fault, StatementError) and fault.orig is not None:
        return StoreError(f"A value could not be stored ({type(fault.orig).__name__}).")
    return StoreError(f"The database failed ({type(fault).__name__}).")


def _rule(fault: IntegrityError) -> str:
    diagnosis = getattr(fault.orig, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    if isinstance(name, str):
        return f" ({name})"
    # SQLite: "UNIQUE constraint failed: table.column", names only.
    said = str(fault.orig)
    return f" ({said})" if said.isascii() and "constraint failed" in said and len(said) < 200 else ""
