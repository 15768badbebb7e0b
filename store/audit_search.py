"""Finding events of the audit trail, newest first, a page at a time by key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import tuple_
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from records.errors import DecisionRefusedError
from store.audit import ChainedEvent, chained, line_of, stamp
from store.audit_sites import sites_of
from store.audit_tables import AuditRow
from store.learning_tables import BlindAuditRow
from store.tables import AlertRow, CaseRow, SubmissionRow

PAGE: Final = 100
_CHUNK: Final = 500
# Whoever may see one site only, of many, gets a page that says how far back it looked rather than one that is late.
_LOOKED_AT_MOST: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events.

    Attributes:
        actor: User name, or None for anybody.
        action: "case.approved", or None for any.
        objects: Kind and id of the objects that are meant, or empty for any.
        first: Not before this instant, or None.
        until: Before this instant, or None.
    """

    actor: str | None = None
    action: str | None = None
    objects: tuple[tuple[str, str], ...] = ()
    first: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, order=True)
class EventKey:
    """Where an event stands in the order of the pages: instant as it is chained, then number."""

    at: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Some events, newest first.

    Attributes:
        older: Where the next page goes on, or None at the end.
        is_full: Whether a whole page was found; with `older`, false means that only so far was looked.
    """

    events: tuple[ChainedEvent, ...]
    older: EventKey | None
    is_full: bool


def find(
    session: Session,
    wanted: Wanted,
    *,
    sites: Collection[str] | None,
    before: EventKey | None = None,
    limit: int = PAGE,
) -> EventPage:
    """A page of events.

    Args:
        sites: Events about other sites are left out; None for all. Events about no one site are always there.
        before: Older than this only, from the page before.
    """
    found: list[ChainedEvent] = []
    looked = 0
    while True:
        size = limit + 1 - len(found) if sites is None else _CHUNK
        rows = _rows(session, wanted, before=before, limit=size)
        links = [chained(row) for row in rows]
        found += links if sites is None else _visible(session, links, sites)
        looked += len(rows)
        if len(found) > limit:
            return EventPage(events=tuple(found[:limit]), older=key_of(found[limit - 1]), is_full=True)
        if len(rows) < size:
            return EventPage(events=tuple(found), older=None, is_full=len(found) == limit)
        before = EventKey(rows[-1].at, rows[-1].seq)
        if looked >= _LOOKED_AT_MOST:
            return EventPage(events=tuple(found), older=before, is_full=False)


def every(session: Session, wanted: Wanted, *, sites: Collection[str] | None) -> Iterator[tuple[ChainedEvent, str]]:
    """All events that are wanted, newest first, each with its line of JSON, a chunk in memory at a time."""
    before = None
    while True:
        rows = _rows(session, wanted, before=before, limit=_CHUNK)
        links = [chained(row) for row in rows]
        seen = links if sites is None else _visible(session, links, sites)
        lines = {row.seq: line_of(row) for row in rows}
        yield from ((link, lines[link.seq]) for link in seen)
        if len(rows) < _CHUNK:
            return
        before = EventKey(rows[-1].at, rows[-1].seq)
        for row in rows:
            session.expunge(row)


def event(session: Session, seq: int, *, sites: Collection[str] | None) -> tuple[ChainedEvent, str]:
    """One event and its line of JSON.

    Raises:
        DecisionRefusedError: There is none with this number, or it is about another site.
    """
    row = session.get(AuditRow, seq)
    link = None if row is None else chained(row)
    if row is None or link is None or (sites is not None and not _visible(session, [link], sites)):
        raise DecisionRefusedError(f"There is no event {seq}.", next_step="Look at the list of events.")
    return link, line_of(row)


def actors(session: Session) -> list[str]:
    """Everybody who is named as the actor of an event, by name."""
    return _distinct(session, AuditRow.actor)


def actions(session: Session) -> list[str]:
    """Every action there is an event of."""
    return _distinct(session, AuditRow.action)


def about_record(session: Session, record_id: int) -> tuple[tuple[str, str], ...]:
    """A record and what belongs to it alone: its case, messages, alerts and checks."""
    found = [("record", str(record_id))]
    for kind, column, owner in (
        ("case", CaseRow.id, CaseRow.record_id),
        ("submission", SubmissionRow.id, SubmissionRow.record_id),
        ("alert", AlertRow.id, AlertRow.record_id),
        ("blind-audit", BlindAuditRow.id, BlindAuditRow.record_id),
    ):
        found += [(kind, str(number)) for number in session.exec(select(column).where(col(owner) == record_id))]
    return tuple(found)


def key_of(link: ChainedEvent) -> EventKey:
    """Where an event stands in the order of the pages."""
    return EventKey(stamp(link.at), link.seq)


def _visible(session: Session, links: Sequence[ChainedEvent], sites: Collection[str]) -> list[ChainedEvent]:
    about = sites_of(session, links)
    return [link for link in links if link.seq not in about or about[link.seq] in sites]


def _rows(session: Session, wanted: Wanted, *, before: EventKey | None, limit: int) -> list[AuditRow]:
    if not wanted.objects:
        return list(session.exec(_newest(select(AuditRow), wanted, before=before, limit=limit)))
    rows: list[AuditRow] = []
    for kind, numbers in _by_kind(wanted.objects):
        for start in range(0, len(numbers), _CHUNK):
            query = select(AuditRow).where(
                col(AuditRow.object_kind) == kind, col(AuditRow.object_id).in_(numbers[start : start + _CHUNK])
            )
            rows += session.exec(_newest(query, wanted, before=before, limit=limit))
    return sorted(rows, key=lambda row: (row.at, row.seq), reverse=True)[:limit]


def _by_kind(objects: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    kinds = dict.fromkeys(kind for kind, _ in objects)
    return [(kind, [number for other, number in objects if other == kind]) for kind in kinds]


def _newest(
    query: SelectOfScalar[AuditRow], wanted: Wanted, *, before: EventKey | None, limit: int
) -> SelectOfScalar[AuditRow]:
    if wanted.actor is not None:
        query = query.where(col(AuditRow.actor) == wanted.actor)
    if wanted.action is not None:
        query = query.where(col(AuditRow.action) == wanted.action)
    if wanted.first is not None:
        query = query.where(col(AuditRow.at) >= stamp(wanted.first))
    if wanted.until is not None:
        query = query.where(col(AuditRow.at) < stamp(wanted.until))
    if before is not None:
        query = query.where(tuple_(col(AuditRow.at), col(AuditRow.seq)) < (before.at, before.seq))
    return query.order_by(col(AuditRow.at).desc(), col(AuditRow.seq).desc()).limit(limit)


def _distinct(session: Session, column: str) -> list[str]:
    # One look at the index for each value: counting through millions of events would take seconds.
    found: list[str] = []
    query = select(func.min(col(column)))
    value = session.exec(query).one()
    while value is not None:
        found.append(value)
        value = session.exec(query.where(col(column) > value)).one()
    return found
