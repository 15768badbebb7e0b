"""Tokens of the JSON API: what a program shows instead of a password.

A token acts for one named user and never further than that user: with a role that the user's own includes, at sites
that the user sees, until a day that is set. Whatever is done with it is done by that user, so that two tokens of one
person never pass for two people. When the user is disabled or given another role, the token is revoked for good.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from store import audit, users
from store.context import stored_id
from store.serialised import encodable
from store.tables import AccountRow
from store.token_revoking import revoke_row
from store.token_tables import ApiTokenRow
from store.users import Role, User

LONGEST: Final = timedelta(days=365)
SIGN: Final = "sbt_"  # by which a secret that leaked into a repository is recognised
_LONGEST_NAME: Final = 60
_TOUCH_EVERY: Final = timedelta(minutes=1)  # a write per request would make everybody wait for the writers


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token, without its secret.

    Attributes:
        user: Name of the user it acts for.
        role: What it may do.
        sites: Sites it sees, of those that the user sees; None for all of them.
        read_only: It changes nothing, whatever its role.
        used_at: When it was last shown, within a minute; None if never.
    """

    token_id: int
    name: str
    user: str
    role: Role
    sites: frozenset[str] | None
    read_only: bool
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired; the user may still be disabled."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who shows a token.

    Attributes:
        user: The user it acts for, with the token's role and sites.
        is_good: Whether it lets anybody in; if not, it is expired, revoked, or its user is disabled or has changed.
    """

    token: ApiToken
    user: User
    is_good: bool


def includes(role: Role, other: Role) -> bool:
    """Whether who has `role` may do all that `other` may."""
    return role in (other, Role.ADMINISTRATOR) or other is Role.VIEWER


def make(
    session: Session,
    *,
    name: str,
    user: str,
    role: Role,
    sites: Collection[str] | None,
    read_only: bool,
    expires_at: datetime,
    actor: str,
    now: datetime,
) -> tuple[ApiToken, str]:
    """Make a token; its secret is returned this once and not kept.

    Args:
        name: What it is for, such as the program that shows it; never used twice, for the audit trail's sake.
        user: Name of the user it acts for.
        sites: Sites it sees, or None for all that the user sees.

    Raises:
        DecisionRefusedError: The name is empty, too long or taken; there is no such user, or it is disabled; the role
            or a site is not the user's; or it would be good for more than a year, or no more at all.
    """
    name = name.strip()
    account = session.exec(select(AccountRow).where(col(AccountRow.name) == user)).first()
    if account is None or not account.enabled:
        raise DecisionRefusedError("There is no such user, or it is disabled.", next_step="Run: scorebridge user list")
    _check_name(session, name)
    _check_scope(users.user_of(account), role, sites, good_for=expires_at - now)
    secret = SIGN + secrets.token_urlsafe(32)
    row = ApiTokenRow(
        name=encodable(name),
        secret_sha256=_digest(secret),
        account_id=stored_id(account.id),
        made_for=account.role,
        role=role,
        sites=None if sites is None else json.dumps(sorted(sites)),
        read_only=read_only,
        made_by=actor,
        made_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    detail = (
        ("for", user),
        ("role", role.value),
        ("sites", "all" if sites is None else " ".join(sorted(sites))),
        ("read-only", str(read_only)),
        ("expires", expires_at.date().isoformat()),
    )
    _audit(session, row, "token.made", actor=actor, now=now, detail=detail)
    return _token(row, user), secret


def revoke(session: Session, token_id: int, *, actor: str, now: datetime) -> ApiToken:
    """Make a token good for nothing, from the next request on. A second time changes nothing.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    row = session.get(ApiTokenRow, token_id)
    if row is None:
        raise DecisionRefusedError("There is no such token.", next_step="Run: scorebridge token list")
    revoke_row(session, row, actor=actor, now=now)
    return _token(row, session.get_one(AccountRow, row.account_id).name)


def list_tokens(session: Session) -> list[ApiToken]:
    """All tokens, the newest first."""
    query = select(ApiTokenRow, AccountRow.name).join(AccountRow, col(AccountRow.id) == col(ApiTokenRow.account_id))
    return [_token(row, user) for row, user in session.exec(query.order_by(col(ApiTokenRow.id).desc()))]


def bearer(session: Session, secret: str, *, now: datetime) -> Bearer | None:
    """Who shows this secret, or None if nobody was ever given it. Writes nothing."""
    if not secret.startswith(SIGN):
        return None
    query = select(ApiTokenRow, AccountRow).join(AccountRow, col(AccountRow.id) == col(ApiTokenRow.account_id))
    found = session.exec(query.where(col(ApiTokenRow.secret_sha256) == _digest(secret))).first()
    if found is None:
        return None
    row, account = found
    token = _token(row, account.name)
    user = users.user_of(account)
    return Bearer(
        token=token,
        user=replace(user, role=token.role, sites=_shared(user.sites, token.sites)),
        is_good=token.is_good(now) and account.enabled and account.role == row.made_for,
    )


def is_due(token: ApiToken, *, now: datetime) -> bool:
    """Whether its last use is long enough ago to be noted anew."""
    return token.used_at is None or now - token.used_at >= _TOUCH_EVERY


def note_use(session: Session, token_id: int, *, now: datetime) -> None:
    """Remember when it was last shown."""
    row = session.get(ApiTokenRow, token_id)
    if row is not None:
        row.used_at = now
        session.add(row)
        session.flush()


def note_change(session: Session, shown: Bearer, operation: str, *, now: datetime) -> None:
    """Put into the audit trail that a user is about to change something by a token."""
    _note(session, shown, "token.used", ("operation", operation), now=now)


def note_refused(session: Session, shown: Bearer, *, now: datetime) -> None:
    """Put into the audit trail that a token was shown which is good for nothing any more."""
    _note(session, shown, "token.refused", ("revoked", str(shown.token.revoked_at is not None)), now=now)


def _check_name(session: Session, name: str) -> None:
    taken = session.exec(select(ApiTokenRow.id).where(col(ApiTokenRow.name) == name)).first() is not None
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or taken:
        raise DecisionRefusedError(
            f"The name of the token is empty, taken, or longer than {_LONGEST_NAME} characters.",
            next_step="Choose another, after the program that will show it.",
        )


def _check_scope(user: User, role: Role, sites: Collection[str] | None, *, good_for: timedelta) -> None:
    if not includes(user.role, role):
        raise DecisionRefusedError(
            "A token may not do more than its user.", next_step=f"Choose the role {user.role.value}, or viewer."
        )
    if sites is not None and (not sites or (user.sites is not None and not set(sites) <= user.sites)):
        raise DecisionRefusedError(
            "A token sees sites of its user only, and one at least.", next_step="Choose among the sites of the user."
        )
    if not timedelta(0) < good_for <= LONGEST:
        raise DecisionRefusedError(
            f"A token is good for {LONGEST.days} days at most.", next_step="Choose an earlier day after today."
        )


def _shared(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    if first is None or second is None:
        return second if first is None else first
    return first & second


def _token(row: ApiTokenRow, user: str) -> ApiToken:
    return ApiToken(
        token_id=stored_id(row.id),
        name=row.name,
        user=user,
        role=Role(row.role),
        sites=None if row.sites is None else frozenset(json.loads(row.sites)),
        read_only=row.read_only,
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )


def _digest(secret: str) -> str:
    # 256 random bits need no slow hash.
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _note(session: Session, shown: Bearer, action: str, more: tuple[str, str], *, now: datetime) -> None:
    event = AuditEvent(
        actor=shown.user.name,
        action=action,
        object_kind="token",
        object_id=str(shown.token.token_id),
        detail=(("name", shown.token.name), more),
    )
    audit.append(session, event, now=now)


def _audit(
    session: Session,
    row: ApiTokenRow,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...] = (),
) -> None:
    event = AuditEvent(
        actor=actor, action=action, object_kind="token", object_id=str(row.id), detail=(("name", row.name), *detail)
    )
    audit.append(session, event, now=now)
