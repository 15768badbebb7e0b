"""What each channel was told of each alert, and what it has not taken: no restart forgets either."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import uuid5

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, func, select

from records.alert import AlertTelling
from store import notices
from store.alert_tables import AlertTellingRow
from store.alerts import alert_row, audit_alert
from store.context import deployment_of
from store.tables import AlertRow

CHANNEL_DOWN: Final = "alert-channel-down"
RECIPIENT_REFUSED: Final = "alert-recipient-refused"
# A single refusal may be a moment's trouble; after so many tries the operator hears of it over the other channels.
_TRIES_BEFORE_A_NOTICE: Final = 3


class TellingState(StrEnum):
    """How far one step is with one channel."""

    TOLD = "told"
    FAILING = "failing"
    OVERTAKEN = "overtaken"  # it never took this step, but a later one


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSoFar:
    """The last step that a channel took in the current round of an alert."""

    step: int
    told_at: datetime


def told_so_far(session: Session) -> Mapping[tuple[int, str], ToldSoFar]:
    """For each open alert and each channel that took a step of its current round: the last one."""
    query = (
        select(
            AlertTellingRow.alert_id,
            AlertTellingRow.channel,
            func.max(col(AlertTellingRow.step)),
            func.max(col(AlertTellingRow.told_at)),
        )
        .join(AlertRow, _in_current_round())
        .where(col(AlertTellingRow.state) == TellingState.TOLD, col(AlertRow.acknowledged_at).is_(None))
        .group_by(col(AlertTellingRow.alert_id), col(AlertTellingRow.channel))
    )
    return {
        (alert_id, channel): ToldSoFar(step=step, told_at=told_at)
        for alert_id, channel, step, told_at in session.exec(query)
        if told_at is not None
    }


def is_still_owed(session: Session, alert_id: int, *, round_: int) -> bool:
    """Whether nobody has taken the alert meanwhile, and its ladder has not begun anew."""
    row = session.get(AlertRow, alert_id)
    return row is not None and row.acknowledged_at is None and row.round == round_


def reference(session: Session, alert_id: int, *, round_: int, step: int | None = None) -> str:
    """What a message is known by outside, the same after a restart: says nothing without this store."""
    return str(uuid5(deployment_of(session), f"alert|{alert_id}|{round_}|{'' if step is None else step}"))


def mark_told(
    session: Session, alert_id: int, *, round_: int, channel: str, step: int, receipt: str, now: datetime
) -> None:
    """A channel took a step. Earlier ones that it never took are overtaken."""
    telling = _telling(session, alert_id, round_=round_, channel=channel, step=step, now=now)
    if telling.state == TellingState.TOLD:
        return
    telling.state, telling.told_at, telling.receipt, telling.fault = TellingState.TOLD, now, receipt, None
    telling.attempts += 1
    session.add(telling)
    for earlier in session.exec(
        select(AlertTellingRow).where(
            col(AlertTellingRow.alert_id) == alert_id,
            col(AlertTellingRow.round) == round_,
            col(AlertTellingRow.channel) == channel,
            col(AlertTellingRow.step) < step,
            col(AlertTellingRow.state) == TellingState.FAILING,
        )
    ):
        earlier.state = TellingState.OVERTAKEN
        session.add(earlier)
    alert = alert_row(session, alert_id)
    if alert.round == round_:
        alert.notices, alert.notified_at = max(alert.notices, step), now
        session.add(alert)
    mark_working(session, channel, now=now)
    detail = (("channel", channel), ("round", str(round_)), ("step", str(step)))
    audit_alert(session, alert, "alert.notified", actor="service", now=now, detail=detail)


def mark_failed(
    session: Session,
    steps: Iterable[tuple[int, int, int]],
    *,
    channel: str,
    fault: str,
    now: datetime,
) -> None:
    """A channel did not take these steps (alert, round, step); after a few tries the operator is told."""
    tried = []
    for alert_id, round_, step in steps:
        telling = _telling(session, alert_id, round_=round_, channel=channel, step=step, now=now)
        if telling.state == TellingState.TOLD:
            continue
        telling.state, telling.fault, telling.attempts = TellingState.FAILING, fault, telling.attempts + 1
        session.add(telling)
        tried.append(telling)
    session.flush()
    if any(telling.attempts >= _TRIES_BEFORE_A_NOTICE for telling in tried):
        mark_broken(session, channel, fault=fault, now=now)


def mark_broken(session: Session, channel: str, *, fault: str, now: datetime) -> None:
    """Tell the operator once that a channel takes nothing."""
    notices.leave(
        session,
        CHANNEL_DOWN,
        channel,
        f"The alert channel “{channel}” takes no critical answers ({fault}). They reach people over the other "
        "channels only, if there are any.",
        now=now,
    )


def mark_working(session: Session, channel: str, *, now: datetime) -> None:
    """A channel took something: what the operator was told of it is over."""
    notices.resolve(session, CHANNEL_DOWN, channel, now=now)


def note_refused(session: Session, channel: str, *, count: int, now: datetime) -> None:
    """A mail server took a message for some recipients and refused others: they hear nothing until it is mended."""
    if count == 0:
        notices.resolve(session, RECIPIENT_REFUSED, channel, now=now)
        return
    sentence = f"The mail server refuses {count} of the recipients of the channel “{channel}”: correct the address."
    notices.leave(session, RECIPIENT_REFUSED, channel, sentence, now=now)


def of_alert(session: Session, alert_id: int) -> list[AlertTelling]:
    """What every channel was told of an alert, or has not taken, oldest first."""
    query = select(AlertTellingRow).where(col(AlertTellingRow.alert_id) == alert_id)
    order = (col(AlertTellingRow.round), col(AlertTellingRow.step), col(AlertTellingRow.channel))
    return [_value(row) for row in session.exec(query.order_by(*order))]


def failing(session: Session) -> list[AlertTelling]:
    """Steps of open alerts that a channel does not take, oldest alert first."""
    query = (
        select(AlertTellingRow)
        .join(AlertRow, _in_current_round())
        .where(col(AlertTellingRow.state) == TellingState.FAILING, col(AlertRow.acknowledged_at).is_(None))
        .order_by(col(AlertTellingRow.alert_id), col(AlertTellingRow.channel), col(AlertTellingRow.step))
    )
    return [_value(row) for row in session.exec(query)]


def _in_current_round() -> ColumnElement[bool]:
    return and_(col(AlertRow.id) == col(AlertTellingRow.alert_id), col(AlertRow.round) == col(AlertTellingRow.round))


def _telling(
    session: Session, alert_id: int, *, round_: int, channel: str, step: int, now: datetime
) -> AlertTellingRow:
    row = session.get(AlertTellingRow, (alert_id, round_, channel, step))
    if row is not None:
        return row
    return AlertTellingRow(
        alert_id=alert_id, round=round_, channel=channel, step=step, state=TellingState.FAILING, first_tried_at=now
    )


def _value(row: AlertTellingRow) -> AlertTelling:
    return AlertTelling(
        alert_id=row.alert_id,
        round=row.round,
        channel=row.channel,
        step=row.step,
        attempts=row.attempts,
        first_tried_at=row.first_tried_at,
        told_at=row.told_at,
        receipt=row.receipt,
        fault=row.fault,
    )
