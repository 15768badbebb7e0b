"""Signed-in browsers, and browsers halfway through signing in. The server knows them; a browser holds a token only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from store.account_tables import SignInRow, WebSessionRow
from store.accounts import User, digest, user_of
from store.tables import AccountRow

IDLE: Final = timedelta(minutes=15)
LONGEST: Final = timedelta(hours=12)
# How long it is still known whose session it was, so that a form that comes late can be kept for that person.
REMEMBERED: Final = timedelta(minutes=30)
SIGN_IN_WITHIN: Final = timedelta(minutes=10)
_TOUCH_EVERY: Final = timedelta(seconds=30)  # a write per request would make every reader wait for the writers
_MARK: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """A signed-in browser.

    Attributes:
        mark: What tells it from the user's other sessions; opens nothing.
        seen_at: Last activity, to the half minute.
        proved_at: When the person last showed a code or password.
        form_secret: What the tokens of its forms are made of; it stays when the session's own token is renewed.
        browser: What kind of browser it says it is, in a few words.
        address: The machine it came from.
    """

    mark: str
    user: User
    opened_at: datetime
    seen_at: datetime
    proved_at: datetime
    form_secret: str
    browser: str
    address: str

    @property
    def ends_at(self) -> datetime:
        """When it ends without another request."""
        return min(self.seen_at + IDLE, self.opened_at + LONGEST)

    def is_touch_due(self, now: datetime) -> bool:
        """Whether activity now is worth writing down."""
        return now - self.seen_at >= _TOUCH_EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A browser halfway through signing in.

    Attributes:
        by_provider: The person was recognised by the identity provider, not by a password of ours.
        second_factor_done: A code was shown, here or at the provider.
    """

    user: User
    by_provider: bool
    second_factor_done: bool


def open_session(session: Session, user: User, *, now: datetime, browser: str = "", address: str = "") -> str:
    """Sign a browser in and return its secret token, of which only the hash is kept."""
    session.connection().execute(
        delete(WebSessionRow).where(col(WebSessionRow.opened_at) <= now - LONGEST - REMEMBERED)
    )
    token = secrets.token_urlsafe(32)
    session.add(
        WebSessionRow(
            token_sha256=digest(token),
            account_id=user.user_id,
            opened_at=now,
            seen_at=now,
            proved_at=now,
            form_secret=secrets.token_urlsafe(32),
            browser=browser,
            address=address,
        )
    )
    session.flush()
    return token


def find(session: Session, token: str, *, now: datetime) -> WebSession | None:
    """The session of this token, or None if there is none, it has ended, or the account is disabled.

    It changes nothing: activity is noted by `touch`.
    """
    found = _found(session, token)
    return found if found is not None and now < found.ends_at else None


def ended(session: Session, token: str, *, now: datetime) -> WebSession | None:
    """The session of this token if it ended by itself within `REMEMBERED`; None for one that was signed out."""
    found = _found(session, token)
    return found if found is not None and found.ends_at <= now < found.ends_at + REMEMBERED else None


def touch(session: Session, token: str, *, now: datetime) -> None:
    """Note activity; an unknown token is fine."""
    row = session.get(WebSessionRow, digest(token))
    if row is not None and row.seen_at < now < _web_session(session, row).ends_at:
        row.seen_at = now
        session.flush()


def renew(session: Session, token: str, *, now: datetime) -> str | None:
    """Another token for the same session, whose rights are others from now on; the old one opens nothing more.

    When the person last proved who they are stays as it was.
    """
    found, row = find(session, token, now=now), session.get(WebSessionRow, digest(token))
    return None if found is None or row is None else _renew(session, row, proved_at=row.proved_at, now=now)


def prove(session: Session, token: str, *, now: datetime) -> str | None:
    """Another token for the same session, after the person has proved who they are; the old one opens nothing more."""
    found, row = find(session, token, now=now), session.get(WebSessionRow, digest(token))
    return None if found is None or row is None else _renew(session, row, proved_at=now, now=now)


def prove_marked(session: Session, user: User, mark: str, *, now: datetime) -> str | None:
    """The same for the user's session with this mark, where the browser does not show its token; None if it is over."""
    mine = select(WebSessionRow).where(col(WebSessionRow.account_id) == user.user_id)
    row = next((one for one in session.exec(mine) if one.token_sha256[:_MARK] == mark), None)
    if row is None or not user.enabled or now >= _web_session(session, row).ends_at:
        return None
    return _renew(session, row, proved_at=now, now=now)


def _renew(session: Session, row: WebSessionRow, *, proved_at: datetime, now: datetime) -> str:
    fresh = secrets.token_urlsafe(32)
    session.add(
        WebSessionRow(
            token_sha256=digest(fresh),
            account_id=row.account_id,
            opened_at=row.opened_at,
            seen_at=now,
            proved_at=proved_at,
            form_secret=row.form_secret,
            browser=row.browser,
            address=row.address,
        )
    )
    session.delete(row)
    session.flush()
    return fresh


def list_sessions(session: Session, user: User, *, now: datetime) -> list[WebSession]:
    """The user's signed-in browsers, the latest first."""
    rows = session.exec(select(WebSessionRow).where(col(WebSessionRow.account_id) == user.user_id)).all()
    found = (_web_session(session, row) for row in rows)
    return sorted((one for one in found if now < one.ends_at), key=lambda one: one.seen_at, reverse=True)


def close_session(session: Session, token: str) -> None:
    """Sign a browser out; an unknown token is fine."""
    row = session.get(WebSessionRow, digest(token))
    if row is not None:
        session.delete(row)
        session.flush()


def close_marked(session: Session, user: User, mark: str) -> bool:
    """Sign another of the user's browsers out; False if there is none with this mark."""
    mine = select(WebSessionRow).where(col(WebSessionRow.account_id) == user.user_id)
    for row in session.exec(mine).all():
        if row.token_sha256[:_MARK] == mark:
            session.delete(row)
            session.flush()
            return True
    return False


def begin_sign_in(session: Session, user: User, *, by_provider: bool, second_factor_done: bool, now: datetime) -> str:
    """Remember a browser whose person has shown the first half, and return its secret token."""
    session.connection().execute(delete(SignInRow).where(col(SignInRow.begun_at) <= now - SIGN_IN_WITHIN))
    token = secrets.token_urlsafe(32)
    session.add(
        SignInRow(
            token_sha256=digest(token),
            account_id=user.user_id,
            by_provider=by_provider,
            second_factor_done=second_factor_done,
            begun_at=now,
        )
    )
    session.flush()
    return token


def find_sign_in(session: Session, token: str, *, now: datetime) -> SignIn | None:
    """The half-done sign-in of this token, or None after `SIGN_IN_WITHIN` or if the account is disabled."""
    row = session.get(SignInRow, digest(token))
    account = None if row is None else session.get(AccountRow, row.account_id)
    if row is None or account is None or not account.enabled or now - row.begun_at >= SIGN_IN_WITHIN:
        return None
    return SignIn(user=user_of(account), by_provider=row.by_provider, second_factor_done=row.second_factor_done)


def note_second_factor(session: Session, token: str) -> None:
    """The half-done sign-in has shown a second factor."""
    row = session.get_one(SignInRow, digest(token))
    row.second_factor_done = True
    session.flush()


def end_sign_in(session: Session, token: str) -> None:
    """The half-done sign-in is complete or given up; an unknown token is fine."""
    row = session.get(SignInRow, digest(token))
    if row is not None:
        session.delete(row)
        session.flush()


def _found(session: Session, token: str) -> WebSession | None:
    row = session.get(WebSessionRow, digest(token))
    if row is None:
        return None
    found = _web_session(session, row)
    return found if found.user.enabled else None


def _web_session(session: Session, row: WebSessionRow) -> WebSession:
    return WebSession(
        mark=row.token_sha256[:_MARK],
        user=user_of(session.get_one(AccountRow, row.account_id)),
        opened_at=row.opened_at,
        seen_at=row.seen_at,
        proved_at=row.proved_at,
        form_secret=row.form_secret,
        browser=row.browser,
        address=row.address,
    )
