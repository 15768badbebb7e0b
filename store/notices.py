"""Short messages for the operator, without patient data: a file in quarantine, no report came, a destination paused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from store.context import stored_id
from store.tables import NoticeRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message.

    Attributes:
        kind: What sort of thing happened ("file-quarantined").
        subject: About what ("report 12", a source, a destination); with the kind, it is said once while open.
        sentence: For people; no patient data, for it leaves the house.
        sent_at: When it went out, or None.
        resolved_at: When it stopped being true, or None while open.
    """

    notice_id: int
    kind: str
    subject: str
    sentence: str
    left_at: datetime
    sent_at: datetime | None
    resolved_at: datetime | None


def leave(session: Session, kind: str, subject: str, sentence: str, *, now: datetime) -> Notice:
    """Leave a message, unless the same is open already; return the open one."""
    row = _open_row(session, kind, subject)
    if row is None:
        row = NoticeRow(kind=kind, subject=subject, sentence=sentence, left_at=now)
        session.add(row)
        session.flush()
    return _notice(row)


def unsent(session: Session) -> list[Notice]:
    """Open messages that have not gone out, oldest first."""
    query = select(NoticeRow).where(col(NoticeRow.resolved_at).is_(None), col(NoticeRow.sent_at).is_(None))
    return [_notice(row) for row in session.exec(query.order_by(col(NoticeRow.id)))]


def mark_sent(session: Session, notice_id: int, *, now: datetime) -> None:
    """The message went out. A second time changes nothing."""
    row = session.get(NoticeRow, notice_id)
    if row is not None and row.sent_at is None:
        row.sent_at = now
        session.add(row)
        session.flush()


def resolve(session: Session, kind: str, subject: str, *, now: datetime) -> bool:
    """What the message told of is over; the next time it is news again. False if none was open."""
    row = _open_row(session, kind, subject)
    if row is None:
        return False
    row.resolved_at = now
    session.add(row)
    session.flush()
    return True


def list_open(session: Session) -> list[Notice]:
    """Messages whose cause is not over, oldest first."""
    query = select(NoticeRow).where(col(NoticeRow.resolved_at).is_(None))
    return [_notice(row) for row in session.exec(query.order_by(col(NoticeRow.id)))]


def _open_row(session: Session, kind: str, subject: str) -> NoticeRow | None:
    query = select(NoticeRow).where(
        col(NoticeRow.kind) == kind, col(NoticeRow.subject) == subject, col(NoticeRow.resolved_at).is_(None)
    )
    return session.exec(query).first()


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        notice_id=stored_id(row.id),
        kind=row.kind,
        subject=row.subject,
        sentence=row.sentence,
        left_at=row.left_at,
        sent_at=row.sent_at,
        resolved_at=row.resolved_at,
    )
