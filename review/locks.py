"""Who has a case open. The web pages, the JSON interface and the command line call these functions and no others."""

from __future__ import annotations

from datetime import datetime

from store import case_locks
from store.case_locks import LEASE, CaseLock
from store.database import Database

__all__ = ["LEASE", "CaseLock", "current", "open_case", "release", "renew", "take_over"]


def open_case(database: Database, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    """Hold a case for five minutes if nobody does, or go on holding it; else tell who does.

    The time until the decision counts from here, so a page that is only fetched ahead must not call this.

    Raises:
        DecisionRefusedError: There is no such case.
    """
    with database.session() as session:
        return case_locks.open_case(session, case_id, actor=actor, now=now)


def renew(database: Database, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    """A sign of life of whoever has the case open: another five minutes. Tells who has it, if somebody took it over.

    Raises:
        DecisionRefusedError: There is no such case.
    """
    with database.session() as session:
        return case_locks.renew(session, case_id, actor=actor, now=now)


def take_over(database: Database, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    """Hold a case whoever had it open; the other one's next step is refused.

    Raises:
        DecisionRefusedError: There is no such case.
    """
    with database.session() as session:
        return case_locks.take_over(session, case_id, actor=actor, now=now)


def release(database: Database, case_id: int, *, actor: str) -> None:
    """Give a case back; one that is not one's own stays as it is."""
    with database.session() as session:
        case_locks.release(session, case_id, actor=actor)


def current(database: Database, case_id: int, *, actor: str, now: datetime) -> CaseLock:
    """Who has a case open, without opening it."""
    with database.reading() as session:
        return case_locks.current(session, case_id, actor=actor, now=now)
