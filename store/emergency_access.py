"""Emergency access: who took it, why, until when, and who has looked at it since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from records.errors import DecisionRefusedError
from store import notices
from store.account_tables import EmergencyAccessRow
from store.accounts import User, note, row_of, user_of
from store.context import stored_id
from store.tables import AccountRow

LASTS: Final = timedelta(minutes=60)
SHORTEST_REASON: Final = 10  # characters: a full stop is no reason
_NOTICE: Final = "emergency-access"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyAccess:
    """One taking of emergency access.

    Attributes:
        reason: In the person's own words; may name a patient, so it is for the auditor's eyes.
        ends_at: When it ends or ended.
        ended_by: Who ended it early, or None.
        reviewed_by: Who has looked at it afterwards, or None.
    """

    access_id: int
    user: User
    reason: str
    begun_at: datetime
    ends_at: datetime
    ended_by: str | None
    reviewed_by: str | None
    reviewed_at: datetime | None


def take(session: Session, user: User, reason: str, *, now: datetime) -> EmergencyAccess:
    """Begin emergency access for `LASTS`; the operator gets a notice.

    Raises:
        DecisionRefusedError: The reason says nothing, the user has no second factor, or it is on already.
    """
    reason = " ".join(reason.split())
    row = row_of(session, user)
    if len(reason) < SHORTEST_REASON:
        raise DecisionRefusedError("Emergency access needs a reason.", next_step="Say in a sentence why you need it.")
    if row.second_factor_since is None:
        raise DecisionRefusedError(
            "Emergency access needs an authenticator app.", next_step="Set one up under “Your account”."
        )
    if current(session, user, now=now) is not None:
        raise DecisionRefusedError("Emergency access is on already.", next_step="End it first to give another reason.")
    taken = EmergencyAccessRow(account_id=user.user_id, reason=reason, begun_at=now, ends_at=now + LASTS)
    session.add(taken)
    session.flush()
    detail = (("access", str(taken.id)), ("until", taken.ends_at.isoformat()))
    note(session, row, "emergency-access.taken", actor=row.name, now=now, detail=detail)
    sentence = f"{row.name} took emergency access. Look at it under “Emergency access” and mark it as reviewed."
    notices.leave(session, _NOTICE, f"emergency access {taken.id}", sentence, now=now)
    return _access(session, taken)


def current(session: Session, user: User, *, now: datetime) -> EmergencyAccess | None:
    """The user's emergency access that is on now, or None."""
    mine = select(EmergencyAccessRow).where(
        col(EmergencyAccessRow.account_id) == user.user_id, col(EmergencyAccessRow.ends_at) > now
    )
    row = session.exec(mine.order_by(col(EmergencyAccessRow.id).desc())).first()
    return None if row is None else _access(session, row)


def end(session: Session, user: User, *, actor: str, now: datetime) -> bool:
    """End the user's emergency access now; False if none is on."""
    access = current(session, user, now=now)
    if access is None:
        return False
    row = session.get_one(EmergencyAccessRow, access.access_id)
    row.ends_at, row.ended_by = now, actor
    session.flush()
    detail = (("access", str(row.id)),)
    note(session, row_of(session, user), "emergency-access.ended", actor=actor, now=now, detail=detail)
    return True


def review(session: Session, access_id: int, *, actor: str, now: datetime) -> None:
    """Somebody else has looked at what was done; the notice is over. A second time changes nothing.

    Raises:
        DecisionRefusedError: There is no such emergency access, it is still on, or it was the reviewer's own.
    """
    row = session.get(EmergencyAccessRow, access_id)
    if row is None:
        raise DecisionRefusedError("There is no such emergency access.", next_step="Open the list again.")
    account = session.get_one(AccountRow, row.account_id)
    if account.name == actor:
        raise DecisionRefusedError("Nobody reviews their own access.", next_step="Ask somebody else to look at it.")
    if row.ends_at > now:
        raise DecisionRefusedError("This emergency access is still on.", next_step="Review it when it has ended.")
    if row.reviewed_at is None:
        row.reviewed_by, row.reviewed_at = actor, now
        session.flush()
        detail = (("access", str(row.id)),)
        note(session, account, "emergency-access.reviewed", actor=actor, now=now, detail=detail)
        notices.resolve(session, _NOTICE, f"emergency access {row.id}", now=now)


def list_accesses(session: Session, *, limit: int = 200) -> list[EmergencyAccess]:
    """What was taken, the latest first."""
    query = select(EmergencyAccessRow).order_by(col(EmergencyAccessRow.id).desc()).limit(limit)
    return [_access(session, row) for row in session.exec(query)]


def _access(session: Session, row: EmergencyAccessRow) -> EmergencyAccess:
    return EmergencyAccess(
        access_id=stored_id(row.id),
        user=user_of(session.get_one(AccountRow, row.account_id)),
        reason=row.reason,
        begun_at=row.begun_at,
        ends_at=row.ends_at,
        ended_by=row.ended_by,
        reviewed_by=row.reviewed_by,
        reviewed_at=row.reviewed_at,
    )
