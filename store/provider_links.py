"""Which person of an identity provider a user is."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from store.account_tables import ProviderLinkRow
from store.accounts import User, note, row_named, row_of, user_of
from store.tables import AccountRow


def linked(session: Session, issuer: str, subject: str) -> User | None:
    """The user whom a subject of a provider was linked with, enabled or not."""
    query = select(ProviderLinkRow).where(
        col(ProviderLinkRow.issuer) == issuer, col(ProviderLinkRow.subject) == subject
    )
    row = session.exec(query).first()
    return None if row is None else user_of(session.get_one(AccountRow, row.account_id))


def link_first(session: Session, issuer: str, subject: str, name: str, *, now: datetime) -> User | None:
    """Link an enabled user of this name who is not linked yet; None if there is none.

    Only the subject is looked at from then on: a name may be given to somebody else at the provider.
    """
    row = row_named(session, name)
    if row is None or not row.enabled or session.get(ProviderLinkRow, row.id) is not None:
        return None
    user = user_of(row)
    session.add(ProviderLinkRow(account_id=user.user_id, issuer=issuer, subject=subject, linked_at=now))
    session.flush()
    note(session, row, "user.provider-linked", actor="service", now=now, detail=(("issuer", issuer),))
    return user


def is_linked(session: Session, user: User) -> bool:
    """Whether the user signs in by a provider."""
    return session.get(ProviderLinkRow, user.user_id) is not None


def unlink(session: Session, user: User, *, actor: str, now: datetime) -> bool:
    """Forget who the user is at the provider; False if nothing was known."""
    row = session.get(ProviderLinkRow, user.user_id)
    if row is None:
        return False
    session.delete(row)
    session.flush()
    note(session, row_of(session, user), "user.provider-unlinked", actor=actor, now=now)
    return True
