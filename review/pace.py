"""How fast a person decides, so that a tired hand is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from store import blind_audit, decisions
from store.database import Session
from store.decisions import DecisionKind

_IN_A_ROW: Final = 10
_FAST: Final = 1.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What one person has done since some moment.

    Attributes:
        decided: Cases taken off the desk and not taken back.
        mean_seconds: From opening to decision, or None where no time is known.
    """

    decided: int
    mean_seconds: float | None


def going_fast(session: Session, *, actor: str) -> bool:
    """Whether the person's last ten decisions were all approvals, each under a second."""
    seconds = decisions.last_seconds(session, actor=actor, kind=DecisionKind.APPROVED, limit=_IN_A_ROW)
    return len(seconds) == _IN_A_ROW and all(one is not None and one < _FAST for one in seconds)


def pace_of(session: Session, *, actor: str, since: datetime) -> Pace:
    """What a person has decided since then, such as since midnight at the site."""
    decided, mean = decisions.count_since(session, actor=actor, since=since)
    return Pace(decided=decided, mean_seconds=mean)


def due_check(
    session: Session, *, actor: str, every: int, since: datetime, sites: Collection[str] | None
) -> int | None:
    """The blind audit to show next, after every so many decisions since then; None if it is not time, or none waits.

    The automatic matches that are checked blindly are also what is known already of a reviewer's own eye: whoever
    answers otherwise than a certain match is looked at a second time, whichever of the two was wrong.

    Args:
        every: `check_every` of the settings; 0 for never.
        sites: Whose matches the person may see; None for all.
    """
    if every <= 0:
        return None
    decided, _ = decisions.count_since(session, actor=actor, since=since)
    if decided == 0 or decided % every:
        return None
    waiting = blind_audit.list_tasks(session, sites=sites, limit=1)
    return waiting[0].task_id if waiting else None
