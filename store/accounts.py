"""What everything about accounts stands on: the user, the row behind it, the count of failures, the audit."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from store import audit
from store.context import stored_id
from store.tables import AccountRow

LOCKED_AFTER: Final = 5  # failures in a row
LOCKED_FOR: Final = timedelta(minutes=15)


class Role(StrEnum):
    """What a user may do."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    TEMPLATE_AUTHOR = "template-author"
    CLINICIAN = "clinician"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


SEE_NAMES: Final = frozenset({Role.REVIEWER, Role.CLINICIAN, Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A named user.

    Attributes:
        sites: Ids of the sites this user sees, or None for all of them.
        names_granted: Patients' names are shown although the role alone does not include them.
        must_change_password: The password was given by somebody else; the next sign-in asks for another.
        second_factor_since: When the authenticator app was set up, or None.
        locked_until: Until when strange browsers are refused after wrong passwords, or None.
    """

    user_id: int
    name: str
    role: Role
    enabled: bool = True
    sites: frozenset[str] | None = None
    names_granted: bool = False
    must_change_password: bool = False
    second_factor_since: datetime | None = None
    locked_until: datetime | None = None

    def sees(self, site: str) -> bool:
        """Whether this site is one of the user's."""
        return self.sites is None or site in self.sites

    @property
    def sees_names(self) -> bool:
        """Whether pages show this user the names of patients."""
        return self.role in SEE_NAMES or self.names_granted


class CountsFailures(Protocol):
    """A row that counts wrong passwords and codes: an account, or a browser it knows."""

    failures: int
    locked_until: datetime | None


def user_of(row: AccountRow) -> User:
    """The user behind a row."""
    return User(
        user_id=stored_id(row.id),
        name=row.name,
        role=Role(row.role),
        enabled=row.enabled,
        sites=None if row.sites is None else frozenset(json.loads(row.sites)),
        names_granted=row.names_granted,
        must_change_password=row.must_change_password,
        second_factor_since=row.second_factor_since,
        locked_until=row.locked_until,
    )


def written(sites: Collection[str] | None) -> str | None:
    """Sites as the row keeps them."""
    return None if sites is None else json.dumps(sorted(sites))


def row_named(session: Session, name: str) -> AccountRow | None:
    """The row of a name, if there is one."""
    return session.exec(select(AccountRow).where(col(AccountRow.name) == name.strip())).first()


def known_row(session: Session, name: str) -> AccountRow:
    """The row of a name.

    Raises:
        DecisionRefusedError: There is no such user.
    """
    row = row_named(session, name)
    if row is None:
        raise DecisionRefusedError("There is no such user.", next_step="Run: scorebridge user list")
    return row


def row_of(session: Session, user: User) -> AccountRow:
    """The row of a user, who is never removed."""
    return session.get_one(AccountRow, user.user_id)


def is_locked(counter: CountsFailures, *, now: datetime) -> bool:
    """Whether too many wrong passwords or codes came just before."""
    return counter.locked_until is not None and counter.locked_until > now


def count_failure(counter: CountsFailures, *, now: datetime) -> bool:
    """Count a wrong password or code; True if the lock falls with it. The caller flushes."""
    counter.failures += 1
    if counter.failures < LOCKED_AFTER:
        return False
    counter.failures, counter.locked_until = 0, now + LOCKED_FOR
    return True


def clear_failures(counter: CountsFailures) -> None:
    """Forget wrong passwords and codes. The caller flushes."""
    counter.failures, counter.locked_until = 0, None


def digest(token: str) -> str:
    """What is kept of a secret token."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def note(
    session: Session,
    row: AccountRow,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...] = (),
) -> None:
    """Write what happened to an account into the audit trail."""
    event = AuditEvent(actor=actor, action=action, object_kind="user", object_id=row.name, detail=detail)
    audit.append(session, event, now=now)
