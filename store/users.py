"""Named users: who they are, what they may do, and how a password is taken."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from records.errors import DecisionRefusedError
from store import emergency_access
from store.account_tables import KnownBrowserRow, RecoveryCodeRow, SignInRow, WebSessionRow
from store.accounts import (
    LOCKED_AFTER,
    LOCKED_FOR,
    SEE_NAMES,
    CountsFailures,
    Role,
    User,
    clear_failures,
    count_failure,
    digest,
    is_locked,
    known_row,
    note,
    row_named,
    row_of,
    user_of,
    written,
)
from store.context import stored_id
from store.tables import AccountRow
from store.token_revoking import revoke_all

__all__ = ["LOCKED_AFTER", "LOCKED_FOR", "SEE_NAMES", "Role", "User", "user_of"]

MINIMUM_PASSWORD: Final = 12  # characters
BROWSER_KNOWN_FOR: Final = timedelta(days=90)
_KNOWN_BROWSERS: Final = 10

_hasher: Final = PasswordHasher()  # Argon2id with the library's current recommendation


def add(
    session: Session, name: str, password: str, role: Role, *, actor: str, now: datetime,
    sites: Collection[str] | None = None, names_granted: bool = False, must_change_password: bool = False,
) -> User:  # fmt: skip
    """Make a user.

    Args:
        sites: Ids of the sites the user sees, or None for all.
        names_granted: Show patients' names although the role alone does not include them.
        must_change_password: The next sign-in asks for another password, because somebody else knows this one.

    Raises:
        DecisionRefusedError: The name is empty or taken, or the password is shorter than `MINIMUM_PASSWORD`.
    """
    name = name.strip()
    if not name or row_named(session, name) is not None:
        raise DecisionRefusedError("The user name is empty or taken.", next_step="Choose another.")
    row = AccountRow(
        name=name, password_hash=_hashed(password), role=role, created_at=now, sites=written(sites),
        names_granted=names_granted, must_change_password=must_change_password,
    )  # fmt: skip
    session.add(row)
    session.flush()
    note(session, row, "user.added", actor=actor, now=now, detail=(("role", role.value), ("sites", _said(sites))))
    return user_of(row)


def verify(session: Session, name: str, password: str, *, now: datetime, browser: str = "") -> User | None:
    """The user, if the password is right and the account neither disabled nor locked; else None, whatever is wrong.

    After `LOCKED_AFTER` failures in a row the account is locked for `LOCKED_FOR`, the right password included. A
    browser in which this person has signed in before has a count of its own, so that strangers can lock nobody out
    of it. The count begins anew when the sign-in is complete (`signed_in`), not with the password: who has the
    password alone may not try codes without end.

    Args:
        browser: The secret of a browser that may be known, or "".
    """
    row = row_named(session, name)
    right = _is_right(_dummy_hash() if row is None or not row.password_hash else row.password_hash, password)
    if row is None or not row.enabled:
        return None
    counter = counter_of(session, row, browser=browser)
    if is_locked(counter, now=now):
        return None
    if right:
        if _hasher.check_needs_rehash(row.password_hash):
            row.password_hash = _hasher.hash(password)
            session.flush()
        return user_of(row)
    failed(session, row, counter, "user.sign-in-failed", now=now)
    return None


def is_password(session: Session, user: User, password: str) -> bool:
    """Whether this is the user's password; for somebody who is signed in."""
    return _is_right(row_of(session, user).password_hash, password)


def counter_of(session: Session, row: AccountRow, *, browser: str) -> CountsFailures:
    """What counts the failures of this person in this browser."""
    known = session.get(KnownBrowserRow, digest(browser)) if browser else None
    return row if known is None or known.account_id != row.id else known


def failed(session: Session, row: AccountRow, counter: CountsFailures, action: str, *, now: datetime) -> None:
    """Count and audit a wrong password or code."""
    locks = count_failure(counter, now=now)
    session.flush()
    note(session, row, action, actor="service", now=now, detail=(("locked", str(locks)),))


def signed_in(session: Session, user: User, *, by: str, now: datetime, browser: str = "") -> str:
    """Everything that is asked has been shown: count failures anew, and know the browser from now on.

    Args:
        by: How the person was recognised ("password", "password and code", "provider", …), for the audit.
        browser: The secret of a browser that may be known, or "".

    Returns:
        The secret of the browser, new if it was not known.
    """
    row = row_of(session, user)
    clear_failures(counter_of(session, row, browser=browser))
    note(session, row, "user.signed-in", actor=row.name, now=now, detail=(("by", by),))
    return _know(session, row, browser, now=now)


def proved(session: Session, user: User, *, by: str, browser: str, now: datetime) -> None:
    """Somebody who is signed in has shown once more who they are: count failures anew.

    Args:
        by: How ("code", "password", "provider"), for the audit.
        browser: The secret of a browser that may be known, or "".
    """
    row = row_of(session, user)
    clear_failures(counter_of(session, row, browser=browser))
    session.flush()
    note(session, row, "user.proved", actor=row.name, now=now, detail=(("by", by),))


def set_role(session: Session, name: str, role: Role, *, actor: str, now: datetime) -> User:
    """Give a user another role; signed-in browsers have it at their next request, and programs need new tokens.

    Raises:
        DecisionRefusedError: There is no such user, or it is the last enabled administrator.
    """
    row = known_row(session, name)
    if role is not Role.ADMINISTRATOR:
        _keep_an_administrator(session, row)
    before, row.role = row.role, role
    session.flush()
    if before != role:
        revoke_all(session, stored_id(row.id), because="role-changed", actor=actor, now=now)
    note(session, row, "user.role-changed", actor=actor, now=now, detail=(("from", before), ("to", role.value)))
    return user_of(row)


def set_sites(session: Session, name: str, sites: Collection[str] | None, *, actor: str, now: datetime) -> User:
    """Give a user other sites, None for all; signed-in browsers have them at their next request.

    Raises:
        DecisionRefusedError: There is no such user, or it is the last enabled administrator of all sites.
    """
    row = known_row(session, name)
    if sites is not None:
        _keep_an_administrator(session, row)
    before, row.sites = user_of(row).sites, written(sites)
    session.flush()
    detail = (("from", _said(before)), ("to", _said(sites)))
    note(session, row, "user.sites-changed", actor=actor, now=now, detail=detail)
    return user_of(row)


def grant_names(session: Session, name: str, *, granted: bool, actor: str, now: datetime) -> User:
    """Show a user patients' names, or no more, where the role alone does not include them.

    Raises:
        DecisionRefusedError: There is no such user.
    """
    row = known_row(session, name)
    row.names_granted = granted
    session.flush()
    note(session, row, "user.names-granted" if granted else "user.names-withdrawn", actor=actor, now=now)
    return user_of(row)


def set_password(
    session: Session, name: str, password: str, *, actor: str, now: datetime, must_change: bool = False
) -> None:
    """Give a user another password; all of the user's browsers are signed out and unknown, and a lock is lifted.

    Args:
        must_change: The next sign-in asks for another one, because somebody else knows this one.

    Raises:
        DecisionRefusedError: There is no such user, or the password is too short.
    """
    row = known_row(session, name)
    row.password_hash, row.must_change_password = _hashed(password), must_change
    clear_failures(row)
    sign_out_everywhere(session, row)
    note(session, row, "user.password-changed", actor=actor, now=now)


def unlock(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Lift a lock after wrong passwords or codes.

    Raises:
        DecisionRefusedError: There is no such user.
    """
    row = known_row(session, name)
    clear_failures(row)
    known = select(KnownBrowserRow).where(col(KnownBrowserRow.account_id) == row.id)
    for browser in session.exec(known):
        clear_failures(browser)
    session.flush()
    note(session, row, "user.unlocked", actor=actor, now=now)


def disable(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Keep a user out from now on; the name stays taken, for the audit trail's sake.

    Sessions and emergency access end and tokens of the API are revoked for good: none comes back with `enable`.

    Raises:
        DecisionRefusedError: There is no such user, or it is the last enabled administrator.
    """
    row = known_row(session, name)
    _keep_an_administrator(session, row)
    row.enabled = False
    sessions = sign_out_everywhere(session, row)
    emergency_access.end(session, user_of(row), actor=actor, now=now)
    revoked = revoke_all(session, stored_id(row.id), because="user-disabled", actor=actor, now=now)
    detail = (("sessions-ended", str(sessions)), ("tokens-revoked", str(revoked)))
    note(session, row, "user.disabled", actor=actor, now=now, detail=detail)


def enable(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Let a user in again, with the password and second factor there were; programs need new tokens.

    Raises:
        DecisionRefusedError: There is no such user.
    """
    row = known_row(session, name)
    row.enabled = True
    clear_failures(row)
    session.flush()
    note(session, row, "user.enabled", actor=actor, now=now)


def reset_second_factor(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Forget a user's authenticator app and recovery codes; all of the user's browsers are signed out.

    Raises:
        DecisionRefusedError: There is no such user.
    """
    row = known_row(session, name)
    row.second_factor, row.pending_factor, row.second_factor_since, row.last_code_step = None, None, None, None
    session.flush()
    session.connection().execute(delete(RecoveryCodeRow).where(col(RecoveryCodeRow.account_id) == row.id))
    sign_out_everywhere(session, row)
    note(session, row, "user.second-factor-reset", actor=actor, now=now)


def sign_out_all(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """End all of a user's sessions.

    Raises:
        DecisionRefusedError: There is no such user.
    """
    row = known_row(session, name)
    sign_out_everywhere(session, row)
    note(session, row, "user.signed-out-everywhere", actor=actor, now=now)


def list_users(session: Session) -> list[User]:
    """All users by name."""
    return [user_of(row) for row in session.exec(select(AccountRow).order_by(col(AccountRow.name)))]


def named(session: Session, name: str) -> User | None:
    """The user of this name, enabled or not."""
    row = row_named(session, name)
    return None if row is None else user_of(row)


def get(session: Session, user_id: int) -> User | None:
    """The user with this id, enabled or not."""
    row = session.get(AccountRow, user_id)
    return None if row is None else user_of(row)


def sign_out_everywhere(session: Session, row: AccountRow) -> int:
    """End a user's sessions and half-done sign-ins, and know none of the user's browsers any more; how many sessions.

    One that has ended by itself a short while ago counts too: its forms could still have been kept.
    """
    session.flush()
    sessions = select(func.count()).select_from(WebSessionRow).where(col(WebSessionRow.account_id) == row.id)
    ended = session.exec(sessions).one()
    for kind in (WebSessionRow, SignInRow, KnownBrowserRow):
        session.connection().execute(delete(kind).where(col(kind.account_id) == row.id))
    session.expire_all()
    return ended


def _keep_an_administrator(session: Session, row: AccountRow) -> None:
    # One who sees all sites: an administrator of some sites cannot look after the others'.
    others = select(AccountRow.id).where(
        col(AccountRow.role) == Role.ADMINISTRATOR, col(AccountRow.enabled).is_(True), col(AccountRow.id) != row.id,
        col(AccountRow.sites).is_(None),
    )  # fmt: skip
    counts = row.role == Role.ADMINISTRATOR and row.enabled and row.sites is None
    if counts and session.exec(others.limit(1)).first() is None:
        raise DecisionRefusedError(
            "This is the last administrator.", next_step="Make another user administrator of all sites first."
        )


def _know(session: Session, row: AccountRow, browser: str, *, now: datetime) -> str:
    known = session.get(KnownBrowserRow, digest(browser)) if browser else None
    if known is not None and known.account_id == row.id:
        known.seen_at = now
        session.flush()
        return browser
    secret = secrets.token_urlsafe(32)
    session.add(KnownBrowserRow(token_sha256=digest(secret), account_id=row.id or 0, seen_at=now))
    session.flush()
    _forget_old(session, row, now=now)
    return secret


def _forget_old(session: Session, row: AccountRow, *, now: datetime) -> None:
    mine = select(KnownBrowserRow).where(col(KnownBrowserRow.account_id) == row.id)
    newest_first = session.exec(mine.order_by(col(KnownBrowserRow.seen_at).desc())).all()
    for number, known in enumerate(newest_first):
        if number >= _KNOWN_BROWSERS or now - known.seen_at >= BROWSER_KNOWN_FOR:
            session.delete(known)
    session.flush()


def _hashed(password: str) -> str:
    if len(password) < MINIMUM_PASSWORD:
        raise DecisionRefusedError(
            f"A password has at least {MINIMUM_PASSWORD} characters.", next_step="Choose a longer one."
        )
    return _hasher.hash(password)


def _is_right(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy_hash() -> str:
    # An unknown name takes as long as a known one, so that names cannot be tried out by the clock.
    return _hasher.hash(secrets.token_urlsafe(16))


def _said(sites: Collection[str] | None) -> str:
    return "all" if sites is None else ", ".join(sorted(sites))
