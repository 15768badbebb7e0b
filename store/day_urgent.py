"""Answers about self-harm that nobody has taken yet, for the first lines of the day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from records.alert import AlertTelling, CriticalAlert
from store import alert_tellings
from store.alerts import alert_of
from store.tables import AlertRow


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgentAnswer:
    """An open alert and how people were told of it in its present round.

    Attributes:
        told: What channels took, oldest first.
        failing: What channels have not taken.
    """

    alert: CriticalAlert
    told: tuple[AlertTelling, ...]
    failing: tuple[AlertTelling, ...]


def open_answers(session: Session, *, sites: Collection[str], limit: int) -> list[UrgentAnswer]:
    """Open alerts of these sites, longest waiting first."""
    query = (
        select(AlertRow)
        .where(col(AlertRow.acknowledged_at).is_(None), col(AlertRow.site).in_(sites))
        .order_by(col(AlertRow.id))
        .limit(limit)
    )
    return [_answer(session, alert_of(row)) for row in session.exec(query)]


def count_open(session: Session, *, sites: Collection[str]) -> int:
    """How many alerts of these sites nobody has taken."""
    query = select(func.count()).select_from(AlertRow)
    return session.exec(query.where(col(AlertRow.acknowledged_at).is_(None), col(AlertRow.site).in_(sites))).one()


def last_raised(session: Session, *, sites: Collection[str]) -> CriticalAlert | None:
    """The latest alert of these sites, taken or not; None if there never was one."""
    query = select(AlertRow).where(col(AlertRow.site).in_(sites)).order_by(col(AlertRow.id).desc()).limit(1)
    row = session.exec(query).first()
    return None if row is None else alert_of(row)


def _answer(session: Session, alert: CriticalAlert) -> UrgentAnswer:
    ours = [one for one in alert_tellings.of_alert(session, alert.alert_id) if one.round == alert.round]
    return UrgentAnswer(
        alert=alert,
        told=tuple(one for one in ours if one.is_told),
        failing=tuple(one for one in ours if one.fault is not None),
    )
