"""The letter about each site's day: written once, sent once, tried again until the mail server takes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import uuid5

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from store import audit, notices
from store.context import deployment_of
from store.day_tables import DayLetterRow

FAILED: Final = "letter-not-sent"
"""Kind of the notice that the mail server takes no letters."""
_PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLetter:
    """A letter, without patient data.

    Attributes:
        reference: What it is known by outside, the same at every attempt.
        sent_at: When a mail server took it, or None.
    """

    site: str
    day: date
    subject: str
    body: str
    reference: str
    written_at: datetime
    attempts: int
    sent_at: datetime | None


def is_written(session: Session, *, site: str, day: date) -> bool:
    """Whether the letter about this day is written, sent or not."""
    return session.get(DayLetterRow, (site, day)) is not None


def write(session: Session, *, site: str, day: date, subject: str, body: str, now: datetime) -> bool:
    """Leave the letter for whoever sends it; False, and nothing is changed, if there is one about this day."""
    if is_written(session, site=site, day=day):
        return False
    session.add(DayLetterRow(site=site, day=day, subject=subject, body=body, written_at=now, due_at=now))
    session.flush()
    return True


def due(session: Session, *, now: datetime) -> list[DayLetter]:
    """Letters that are to be tried now, oldest first."""
    query = select(DayLetterRow).where(col(DayLetterRow.sent_at).is_(None), col(DayLetterRow.due_at) <= now)
    return [_letter(session, row) for row in session.exec(query.order_by(col(DayLetterRow.written_at)))]


def latest(session: Session, *, site: str) -> DayLetter | None:
    """The newest letter about a site, or None."""
    query = select(DayLetterRow).where(col(DayLetterRow.site) == site).order_by(col(DayLetterRow.day).desc())
    row = session.exec(query.limit(1)).first()
    return None if row is None else _letter(session, row)


def mark_sent(session: Session, letter: DayLetter, *, refused: int, now: datetime) -> None:
    """A mail server took the letter, for all recipients but `refused` of them."""
    row = session.get_one(DayLetterRow, (letter.site, letter.day))
    row.sent_at, row.attempts, row.fault = now, row.attempts + 1, None
    session.add(row)
    if refused:
        _tell(session, letter.site, f"the mail server refuses {refused} of the recipients", now=now)
    else:
        notices.resolve(session, FAILED, letter.site, now=now)
    event = AuditEvent(
        actor="service",
        action="letter.sent",
        object_kind="day-letter",
        object_id=f"{letter.site} {letter.day.isoformat()}",
        detail=(("attempts", str(row.attempts)), ("refused", str(refused))),
    )
    audit.append(session, event, now=now)


def mark_failed(session: Session, letter: DayLetter, *, fault: str, now: datetime) -> None:
    """The mail server did not take it: the operator is told, and it is tried again."""
    row = session.get_one(DayLetterRow, (letter.site, letter.day))
    row.due_at = now + _PAUSES[min(row.attempts, len(_PAUSES) - 1)]
    row.attempts, row.fault = row.attempts + 1, fault
    session.add(row)
    _tell(session, letter.site, f"the mail server does not take it ({fault}); it is tried again", now=now)


def _tell(session: Session, site: str, why: str, *, now: datetime) -> None:
    notices.leave(
        session, FAILED, site, f"The letter about the day of {site} did not go out to everybody: {why}.", now=now
    )


def _letter(session: Session, row: DayLetterRow) -> DayLetter:
    return DayLetter(
        site=row.site,
        day=row.day,
        subject=row.subject,
        body=row.body,
        reference=str(uuid5(deployment_of(session), f"letter|{row.site}|{row.day.isoformat()}")),
        written_at=row.written_at,
        attempts=row.attempts,
        sent_at=row.sent_at,
    )
