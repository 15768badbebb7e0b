"""Named users, their passwords and their signed-in browsers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from store import audit
from store.context import stored_id
from store.tables import AccountRow, WebSessionRow

MINIMUM_PASSWORD: Final = 12  # characters
LOCKED_AFTER: Final = 5  # failures in a row
LOCKED_FOR: Final = timedelta(minutes=15)
IDLE: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=12)
_TOUCH_EVERY: Final = timedelta(seconds=30)  # a write per request would make every reader wait for the writers

_hasher: Final = PasswordHasher()  # Argon2id with the library's current recommendation


class Role(StrEnum):
    """What a user may do."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    TEMPLATE_AUTHOR = "template-author"
    CLINICIAN = "clinician"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A named user.

    Attributes:
        sites: Sites whose patients the user may see; None for all.
    """

    user_id: int
    name: str
    role: Role
    enabled: bool = True
    sites: frozenset[str] | None = None

    def sees(self, site: str) -> bool:
        """Whether this user may know anything about a site's patients."""
        return self.sites is None or site in self.sites


def add(session: Session, name: str, password: str, role: Role, *, actor: str, now: datetime) -> User:
    """Make a user.

    Raises:
        DecisionRefusedError: The name is empty or taken, or the password is shorter than `MINIMUM_PASSWORD`.
    """
    name = name.strip()
    if not name or _row(session, name) is not None:
        raise DecisionRefusedError("The user name is empty or taken.", next_step="Choose another.")
    row = AccountRow(name=name, password_hash=_hashed(password), role=role, created_at=now)
    session.add(row)
    session.flush()
    _audit(session, row, "user.added", actor=actor, now=now, detail=(("role", role.value),))
    return user_of(row)


def verify(session: Session, name: str, password: str, *, now: datetime) -> User | None:
    """The user, if the password is right and the account neither disabled nor locked; else None, whatever is wrong.

    After `LOCKED_AFTER` failures in a row the account is locked for `LOCKED_FOR`, the right password included.
    """
    row = _row(session, name.strip())
    right = _is_right(_dummy_hash() if row is None else row.password_hash, password)
    if row is None or not row.enabled:
        return None
    if row.locked_until is not None and row.locked_until > now:
        return None
    if right:
        row.failures, row.locked_until = 0, None
        if _hasher.check_needs_rehash(row.password_hash):
            row.password_hash = _hasher.hash(password)
        session.add(row)
        session.flush()
        _audit(session, row, "user.signed-in", actor=row.name, now=now)
        return user_of(row)
    row.failures += 1
    if row.failures >= LOCKED_AFTER:
        row.failures, row.locked_until = 0, now + LOCKED_FOR
    session.add(row)
    session.flush()
    locked = (("locked", str(row.locked_until is not None and row.locked_until > now)),)
    _audit(session, row, "user.sign-in-failed", actor="service", now=now, detail=locked)
    return None


def set_role(session: Session, name: str, role: Role, *, actor: str, now: datetime) -> User:
    """Give a user another role; signed-in browsers have it at their next request.

    Raises:
        DecisionRefusedError: There is no such user, or it is the last enabled administrator.
    """
    row = _known_row(session, name)
    if role is not Role.ADMINISTRATOR:
        _keep_an_administrator(session, row)
    before, row.role = row.role, role
    session.add(row)
    session.flush()
    _audit(session, row, "user.role-changed", actor=actor, now=now, detail=(("from", before), ("to", role.value)))
    return user_of(row)


def set_password(session: Session, name: str, password: str, *, actor: str, now: datetime) -> None:
    """Give a user another password; all of the user's browsers are signed out, and a lock is lifted.

    Raises:
        DecisionRefusedError: There is no such user, or the password is too short.
    """
    row = _known_row(session, name)
    row.password_hash, row.failures, row.locked_until = _hashed(password), 0, None
    session.add(row)
    _sign_out(session, row)
    _audit(session, row, "user.password-changed", actor=actor, now=now)


def disable(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Keep a user out from now on; the name stays taken, for the audit trail's sake.

    Raises:
        DecisionRefusedError: There is no such user, or it is the last enabled administrator.
    """
    row = _known_row(session, name)
    _keep_an_administrator(session, row)
    row.enabled = False
    session.add(row)
    _sign_out(session, row)
    _audit(session, row, "user.disabled", actor=actor, now=now)


def list_users(session: Session) -> list[User]:
    """All users by name."""
    return [user_of(row) for row in session.exec(select(AccountRow).order_by(col(AccountRow.name)))]


def open_session(session: Session, user: User, *, now: datetime) -> str:
    """Sign a browser in and return its secret token, of which only the hash is kept."""
    session.connection().execute(delete(WebSessionRow).where(col(WebSessionRow.opened_at) <= now - LONGEST))
    token = secrets.token_urlsafe(32)
    session.add(WebSessionRow(token_sha256=_digest(token), account_id=user.user_id, opened_at=now, seen_at=now))
    session.flush()
    return token


def session_user(session: Session, token: str, *, now: datetime) -> User | None:
    """Who is signed in with this token, or None after `IDLE` without a request or `LONGEST` in all.

    The request counts as activity, so this needs a writing session.
    """
    row = session.get(WebSessionRow, _digest(token))
    if row is None:
        return None
    if now - row.seen_at >= IDLE or now - row.opened_at >= LONGEST:
        session.delete(row)
        session.flush()
        return None
    account = session.get(AccountRow, row.account_id)
    if account is None or not account.enabled:
        return None
    if now - row.seen_at >= _TOUCH_EVERY:
        row.seen_at = now
        session.add(row)
        session.flush()
    return user_of(account)


def close_session(session: Session, token: str) -> None:
    """Sign a browser out; an unknown token is fine."""
    row = session.get(WebSessionRow, _digest(token))
    if row is not None:
        session.delete(row)
        session.flush()


def _row(session: Session, name: str) -> AccountRow | None:
    return session.exec(select(AccountRow).where(col(AccountRow.name) == name)).first()


def _known_row(session: Session, name: str) -> AccountRow:
    row = _row(session, name.strip())
    if row is None:
        raise DecisionRefusedError("There is no such user.", next_step="Run: scorebridge user list")
    return row


def _keep_an_administrator(session: Session, row: AccountRow) -> None:
    others = select(AccountRow.id).where(
        col(AccountRow.role) == Role.ADMINISTRATOR, col(AccountRow.enabled).is_(True), col(AccountRow.id) != row.id
    )
    if row.role == Role.ADMINISTRATOR and row.enabled and session.exec(others.limit(1)).first() is None:
        raise DecisionRefusedError(
            "This is the last administrator.", next_step="Make another user administrator first."
        )


def _sign_out(session: Session, row: AccountRow) -> None:
    session.flush()
    session.connection().execute(delete(WebSessionRow).where(col(WebSessionRow.account_id) == row.id))
    session.expire_all()


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


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def user_of(row: AccountRow) -> User:
    """The frozen value of a row."""
    return User(user_id=stored_id(row.id), name=row.name, role=Role(row.role), enabled=row.enabled)


def _audit(
    session: Session,
    row: AccountRow,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...] = (),
) -> None:
    event = AuditEvent(actor=actor, action=action, object_kind="user", object_id=row.name, detail=detail)
    audit.append(session, event, now=now)
