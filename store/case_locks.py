"""Who has a case open, so that two people do not look at one case without knowing.

A lock is a courtesy with an end: it lasts five minutes from the holder's last sign of life, and anybody may take it
over. What keeps two decisions apart is the case's version, checked in the transaction of each decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session

from records.audit import AuditEvent
from records.case import CaseState
from records.errors import CaseTakenError, DecisionRefusedError
from store import audit
from store.queue_tables import CaseLockRow, CaseVisitRow, CaseWordRow, RegistrationRow
from store.tables import CaseRow, table_of

LEASE: Final = timedelta(minutes=5)
_ONE_SITTING: Final = timedelta(minutes=30)  # whoever opens a case again later looks at it anew


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLock:
    """Who has a case open.

    Attributes:
        holder: User name, or None: nobody, or the case is decided.
        since: When the holder opened it, or None.
        expires_at: When it is anybody's again unless the holder does something, or None.
        is_mine: Whether it is held by whoever asked.
    """

    case_id: int
    holder: str | None
    since: datetime | None
    expires_at: datetime | None
    is_mine: bool


def open_case(session: Session, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    """Hold a case if nobody does, or go on holding it; else tell who does.

    Raises:
        DecisionRefusedError: There is no such case.
    """
    if _case(session, case_id).state != CaseState.OPEN:
        return _free(case_id)
    other = _held_by_another(session, case_id, actor=actor, now=now)
    if other is not None:
        return _lock(other, actor=actor)
    _note_opening(session, case_id, actor=actor, now=now)
    return _take(session, case_id, actor=actor, now=now)


def renew(session: Session, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    """A sign of life of whoever has the case open; one who lost it to somebody else is told so."""
    row = session.get(CaseLockRow, case_id)
    if row is None or (row.holder == actor and row.expires_at <= now):
        return open_case(session, case_id, actor=actor, now=now)
    if row.holder == actor:
        row.expires_at = now + LEASE
        session.add(row)
        session.flush()
    return _lock(row, actor=actor) if row.expires_at > now else _free(case_id)


def take_over(session: Session, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    """Hold a case whoever had it open; they are told at their next step. It is an event of the audit trail.

    Raises:
        DecisionRefusedError: There is no such case.
    """
    if _case(session, case_id).state != CaseState.OPEN:
        return _free(case_id)
    other = _held_by_another(session, case_id, actor=actor, now=now)
    _note_opening(session, case_id, actor=actor, now=now)
    taken = _take(session, case_id, actor=actor, now=now)
    if other is not None:
        event = AuditEvent(actor=actor, action="case.taken-over", object_kind="case", object_id=str(case_id))
        audit.append(session, event, now=now)
    return taken


def release(session: Session, case_id: int, *, actor: str) -> None:
    """Give a case back; one that is not one's own stays as it is."""
    row = session.get(CaseLockRow, case_id)
    if row is not None and row.holder == actor:
        session.delete(row)
        session.flush()


def hold(session: Session, case_id: int, *, actor: str, now: datetime) -> None:
    """Make sure that nobody else has a case open that is about to be decided; a free one is taken.

    Raises:
        CaseTakenError: Somebody else has it open.
        DecisionRefusedError: There is no such case.
    """
    other = _held_by_another(session, case_id, actor=actor, now=now)
    if other is not None:
        raise CaseTakenError(
            f"{other.holder} has case {case_id} open.",
            holder=other.holder,
            since=other.since,
            next_step="Nothing was saved. Take it over, or go on with the next one.",
        )
    if _case(session, case_id).state == CaseState.OPEN:
        _take(session, case_id, actor=actor, now=now)


def current(session: Session, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    """Who has a case open, without opening it."""
    row = session.get(CaseLockRow, case_id)
    return _free(case_id) if row is None or row.expires_at <= now else _lock(row, actor=actor)


def opened_at(session: Session, case_id: int, *, actor: str) -> datetime | None:
    """When this person first had the case open in this sitting, or None."""
    visit = session.get(CaseVisitRow, (case_id, actor))
    return None if visit is None else visit.opened_at


def close(session: Session, case_id: int) -> None:
    """The case is decided: forget who has it open, who put it behind, whose word waited, and that it was parked."""
    session.flush()
    for kind in (CaseLockRow, CaseVisitRow, CaseWordRow, RegistrationRow):
        table = table_of(kind)
        session.connection().execute(delete(table).where(table.c.case_id == case_id))
        for known in [one for one in session.identity_map.values() if isinstance(one, kind) and one.case_id == case_id]:
            session.expunge(known)


def _held_by_another(session: Session, case_id: int, *, actor: str, now: datetime) -> CaseLockRow | None:
    row = session.get(CaseLockRow, case_id)
    return row if row is not None and row.holder != actor and row.expires_at > now else None


def _take(session: Session, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    row = session.get(CaseLockRow, case_id)
    if row is None or row.holder != actor or row.expires_at <= now:
        row = row or CaseLockRow(case_id=case_id, holder=actor, since=now, expires_at=now)
        row.holder, row.since = actor, now
    row.expires_at = now + LEASE
    session.add(row)
    session.flush()
    return _lock(row, actor=actor)


def _note_opening(session: Session, case_id: int, *, actor: str, now: datetime) -> None:
    visit = session.get(CaseVisitRow, (case_id, actor)) or CaseVisitRow(case_id=case_id, actor=actor)
    if visit.opened_at is None or now - visit.opened_at > _ONE_SITTING:
        visit.opened_at = now
        session.add(visit)
        session.flush()


def _case(session: Session, case_id: int) -> CaseRow:
    row = session.get(CaseRow, case_id)
    if row is None:
        raise DecisionRefusedError(f"There is no case {case_id}.", next_step="Reload the list.")
    return row


def _lock(row: CaseLockRow, *, actor: str) -> CaseLock:
    return CaseLock(
        case_id=row.case_id,
        holder=row.holder,
        since=row.since,
        expires_at=row.expires_at,
        is_mine=row.holder == actor,
    )


def _free(case_id: int) -> CaseLock:
    return CaseLock(case_id=case_id, holder=None, since=None, expires_at=None, is_mine=False)
