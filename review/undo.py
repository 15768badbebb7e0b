"""Take back one's own last decisions. The web pages, the JSON interface and the command line call these functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from records.errors import DecisionRefusedError
from store import decisions, decisions_undoing
from store.database import Database, Session
from store.decisions import DecisionKind, QueueDecision

__all__ = ["HOLD", "KEPT", "DecisionKind", "QueueDecision", "RecentDecision", "recent", "undo", "undo_last"]

HOLD: Final = timedelta(seconds=30)
"""How long nothing of an approval is sent, so that it can be taken back; `hold_minutes` of a destination may add."""
KEPT: Final = 10
"""How many decisions a person can go back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentDecision:
    """One of a person's last decisions.

    Attributes:
        why_not: Why it cannot be taken back (any more), as a sentence; empty if it can.
    """

    decision: QueueDecision
    why_not: str


def recent(session: Session, *, actor: str, limit: int = KEPT) -> tuple[RecentDecision, ...]:
    """A person's last decisions that were not taken back, newest first."""
    latest = decisions.recent(session, actor=actor, limit=min(limit, KEPT))
    refused = decisions_undoing.why_none(session, [made.decision_id for made in latest])
    return tuple(RecentDecision(decision=made, why_not=refused[made.decision_id]) for made in latest)


def undo_last(database: Database, *, actor: str, now: datetime) -> QueueDecision:
    """Take one's newest decision back; each is taken back once, and the one before it is next.

    Raises:
        DecisionRefusedError: There is none among the last ten, a portal has been told of it, or the record has changed
            since.
    """
    with database.session() as session:
        latest = decisions.recent(session, actor=actor, limit=1)
        if not latest:
            raise DecisionRefusedError("There is nothing to undo.", next_step="Nothing was changed.")
        return decisions_undoing.undo(session, latest[0].decision_id, actor=actor, now=now)


def undo(database: Database, decision_id: int, *, actor: str, now: datetime) -> QueueDecision:
    """Take one of one's own last decisions back, whatever else was decided since of other records.

    Raises:
        DecisionRefusedError: It is not among the person's last ten, a portal has been told of it, or the record has
            changed since.
    """
    with database.session() as session:
        if decision_id not in {one.decision_id for one in decisions.recent(session, actor=actor, limit=KEPT)}:
            raise DecisionRefusedError("This is not one of your last decisions.", next_step="Nothing was changed.")
        return decisions_undoing.undo(session, decision_id, actor=actor, now=now)
