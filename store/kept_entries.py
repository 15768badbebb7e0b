"""Forms that came after their session had ended: kept for a while, for the person who sent them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from store.account_tables import KeptEntryRow
from store.accounts import User, note, row_of
from store.context import keys_of, stored_id
from store.sealing import seal, unseal

KEPT_FOR: Final = timedelta(minutes=30)
_MOST: Final = 20  # of one person


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEntry:
    """A form that was not taken yet.

    Attributes:
        path: Where it was sent.
        fields: What was entered; may be patient data.
    """

    entry_id: int
    path: str
    fields: Mapping[str, str] = field(repr=False)
    kept_at: datetime


def keep(session: Session, user: User, path: str, fields: Mapping[str, str], *, now: datetime) -> bool:
    """Keep a form for its sender; False if too many are kept already."""
    session.connection().execute(delete(KeptEntryRow).where(col(KeptEntryRow.kept_at) <= now - KEPT_FOR))
    if len(list_entries(session, user, now=now)) >= _MOST:
        return False
    sealed = seal(keys_of(session), json.dumps(dict(fields)), purpose=_purpose(user.user_id))
    session.add(KeptEntryRow(account_id=user.user_id, path=path, sealed=sealed, kept_at=now))
    session.flush()
    note(session, row_of(session, user), "entry.kept", actor="service", now=now)
    return True


def list_entries(session: Session, user: User, *, now: datetime) -> list[KeptEntry]:
    """The user's kept forms, oldest first."""
    mine = select(KeptEntryRow).where(
        col(KeptEntryRow.account_id) == user.user_id, col(KeptEntryRow.kept_at) > now - KEPT_FOR
    )
    return [_entry(session, row) for row in session.exec(mine.order_by(col(KeptEntryRow.id)))]


def has_entries(session: Session, user: User, *, now: datetime) -> bool:
    """Whether anything is kept for the user."""
    mine = select(KeptEntryRow.id).where(
        col(KeptEntryRow.account_id) == user.user_id, col(KeptEntryRow.kept_at) > now - KEPT_FOR
    )
    return session.exec(mine.limit(1)).first() is not None


def drop(session: Session, user: User, entry_id: int) -> bool:
    """Forget a kept form of the user's own; False if there is none with this id."""
    row = session.get(KeptEntryRow, entry_id)
    if row is None or row.account_id != user.user_id:
        return False
    session.delete(row)
    session.flush()
    return True


def drop_outdated(session: Session, *, now: datetime) -> int:
    """Forget everything older than `KEPT_FOR`; the number of forms."""
    done = session.connection().execute(delete(KeptEntryRow).where(col(KeptEntryRow.kept_at) <= now - KEPT_FOR))
    return done.rowcount


def _entry(session: Session, row: KeptEntryRow) -> KeptEntry:
    fields = json.loads(unseal(keys_of(session), row.sealed, purpose=_purpose(row.account_id)))
    return KeptEntry(entry_id=stored_id(row.id), path=row.path, fields=fields, kept_at=row.kept_at)


def _purpose(account_id: int) -> str:
    return f"kept-entry:{account_id}"
