"""In which order one person meets the cases that wait.

Answers about self-harm first, then the oldest; what the person put behind comes last; what somebody else has open, and
what waits for a second person's word after their own, is passed over. Nothing of a record is read for that: with ten
thousand waiting, each step is a look into an index.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select, text
from sqlmodel import Session

from records.case import CaseState
from store.queue_tables import CaseLockRow, CaseVisitRow, CaseWordRow
from store.tables import CaseRow, table_of

_CASE: Final = table_of(CaseRow)
_LOCK: Final = table_of(CaseLockRow).c
_VISIT: Final = table_of(CaseVisitRow).c
_WORD: Final = table_of(CaseWordRow).c
# As the partial index says it, word for word: SQLite compares the texts, and a parameter would hide them.
WAITING: Final = (text("review_case.state = 'open'"), text("NOT review_case.parked"))


class _Group(NamedTuple):
    """Cases that come one after the other by age alone."""

    skipped: bool
    critical: bool


_GROUPS: Final = (_Group(False, True), _Group(False, False), _Group(True, True), _Group(True, False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a case stands among those that wait.

    Attributes:
        place: 1 for the first, or None if it does not wait (any more).
        waiting: How many wait.
    """

    place: int | None
    waiting: int


class _Place(NamedTuple):
    group: _Group
    opened_at: datetime
    case_id: int


def next_case(
    session: Session, *, actor: str, sites: Collection[str] | None, after: int | None, now: datetime
) -> int | None:
    """The case that this person meets next; past the last one it begins again, without `after` itself.

    Args:
        sites: Whose cases the person sees; None for all.
        after: The case they come from, decided or not; None for the first of all.
    """
    start = None if after is None else _place(session, after, actor=actor, now=now)
    found = _first(session, actor=actor, sites=sites, beyond=start, now=now)
    if found is None and start is not None:
        found = _first(session, actor=actor, sites=sites, beyond=None, now=now)
    return None if found == after else found


def previous_case(
    session: Session, *, actor: str, sites: Collection[str] | None, before: int, now: datetime
) -> int | None:
    """The case that this person met before this one, or None at the beginning."""
    start = _place(session, before, actor=actor, now=now)
    if start is None:
        return None
    for group in reversed(_GROUPS[: _GROUPS.index(start.group) + 1]):
        query = _of_group(group, actor=actor, sites=sites, now=now)
        if group == start.group:
            query = query.where(_is_older(start))
        latest = query.order_by(_CASE.c.opened_at.desc(), _CASE.c.id.desc()).limit(1)
        found = _one(session, latest)
        if found is not None:
            return found
    return None


def position(session: Session, case_id: int, *, actor: str, sites: Collection[str] | None, now: datetime) -> Position:
    """Where a case stands for this person. Cases that others have open count: they wait too."""
    waiting = count_waiting(session, sites=sites)
    place = _place(session, case_id, actor=actor, now=now)
    if place is None or not _waits(session, case_id, sites=sites):
        return Position(place=None, waiting=waiting)
    skipped = sorted(_skipped(session, actor=actor, sites=sites, now=now), key=_in_order)
    if place.group.skipped:
        return Position(place=waiting - len(skipped) + skipped.index(place) + 1, waiting=waiting)
    older = _count(session, sites, _CASE.c.critical == place.group.critical, _is_older(place))
    if not place.group.critical:
        older += _count(session, sites, _CASE.c.critical)
    passed = sum((not one.group.critical, *one[1:]) < (not place.group.critical, *place[1:]) for one in skipped)
    return Position(place=older - passed + 1, waiting=waiting)


def count_waiting(session: Session, *, sites: Collection[str] | None) -> int:
    """How many cases wait for a decision; parked ones do not."""
    return _count(session, sites)


def waiting_ids(session: Session, *, sites: Collection[str] | None, limit: int, offset: int) -> list[int]:
    """Cases that wait, answers about self-harm first, then the oldest, whoever asks."""
    urgent = _ids(session, sites, critical=True, limit=limit, offset=offset)
    if len(urgent) == limit:
        return urgent
    passed = 0 if offset == 0 or urgent else _count(session, sites, _CASE.c.critical)
    rest = max(0, offset - passed) if not urgent else 0
    return urgent + _ids(session, sites, critical=False, limit=limit - len(urgent), offset=rest)


def skip(session: Session, case_id: int, *, actor: str, until: datetime) -> datetime | None:
    """Put a case behind all others for one person; return until when it was before, if it was."""
    visit = session.get(CaseVisitRow, (case_id, actor)) or CaseVisitRow(case_id=case_id, actor=actor)
    before, visit.skipped_until = visit.skipped_until, until
    session.add(visit)
    session.flush()
    return before


def unskip(session: Session, case_id: int, *, actor: str) -> None:
    """Let a case have its old place again."""
    visit = session.get(CaseVisitRow, (case_id, actor))
    if visit is not None:
        visit.skipped_until = None
        session.add(visit)
        session.flush()


def _first(
    session: Session, *, actor: str, sites: Collection[str] | None, beyond: _Place | None, now: datetime
) -> int | None:
    groups = _GROUPS if beyond is None else _GROUPS[_GROUPS.index(beyond.group) :]
    for group in groups:
        query = _of_group(group, actor=actor, sites=sites, now=now)
        if beyond is not None and group == beyond.group:
            query = query.where(_is_newer(beyond))
        oldest = query.order_by(_CASE.c.opened_at, _CASE.c.id).limit(1)
        found = _one(session, oldest)
        if found is not None:
            return found
    return None


def _of_group(group: _Group, *, actor: str, sites: Collection[str] | None, now: datetime) -> Select[int]:
    is_skipped = exists().where(_VISIT.case_id == _CASE.c.id, _VISIT.actor == actor, _VISIT.skipped_until > now)
    taken = exists().where(_LOCK.case_id == _CASE.c.id, _LOCK.holder != actor, _LOCK.expires_at > now)
    return _within(select(_CASE.c.id), sites).where(
        _CASE.c.critical == group.critical,
        is_skipped if group.skipped else not_(is_skipped),
        not_(taken),
        not_(_has_spoken(actor)),
    )


def _has_spoken(actor: str) -> ColumnElement[bool]:
    """The person has said what it is and nobody has contradicted: it is for somebody else now."""
    mine, other = table_of(CaseWordRow).alias().c, table_of(CaseWordRow).alias().c
    contradicted = exists().where(
        other.case_id == mine.case_id, other.actor != actor, other.patient_id.is_distinct_from(mine.patient_id)
    )
    return exists().where(mine.case_id == _CASE.c.id, mine.actor == actor, not_(contradicted))


def _within(query: Select[int], sites: Collection[str] | None) -> Select[int]:
    query = query.where(*WAITING)
    return query if sites is None else query.where(_CASE.c.site.in_(sorted(sites)))


def _is_newer(place: _Place) -> ColumnElement[bool]:
    c = _CASE.c
    later = or_(c.opened_at > place.opened_at, c.id > place.case_id)
    return and_(c.opened_at >= place.opened_at, later)


def _is_older(place: _Place) -> ColumnElement[bool]:
    c = _CASE.c
    earlier = or_(c.opened_at < place.opened_at, c.id < place.case_id)
    return and_(c.opened_at <= place.opened_at, earlier)


def _place(session: Session, case_id: int, *, actor: str, now: datetime) -> _Place | None:
    case = session.get(CaseRow, case_id)
    if case is None:
        return None
    visit = session.get(CaseVisitRow, (case_id, actor))
    skipped = visit is not None and visit.skipped_until is not None and visit.skipped_until > now
    return _Place(_Group(skipped, case.critical), case.opened_at, case_id)


def _waits(session: Session, case_id: int, *, sites: Collection[str] | None) -> bool:
    case = session.get(CaseRow, case_id)
    waits = case is not None and case.state == CaseState.OPEN and not case.parked
    return waits and case is not None and (sites is None or case.site in sites)


def _skipped(session: Session, *, actor: str, sites: Collection[str] | None, now: datetime) -> Iterator[_Place]:
    c = _CASE.c
    query = (
        select(c.id, c.critical, c.opened_at)
        .join(table_of(CaseVisitRow), _VISIT.case_id == c.id)
        .where(_VISIT.actor == actor, _VISIT.skipped_until > now, *WAITING)
    )
    if sites is not None:
        query = query.where(c.site.in_(sorted(sites)))
    for row in session.connection().execute(query):
        yield _Place(_Group(True, row.critical), row.opened_at, row.id)


def _in_order(place: _Place) -> tuple[bool, datetime, int]:
    return not place.group.critical, place.opened_at, place.case_id


def _count(session: Session, sites: Collection[str] | None, *wanted: ColumnElement[bool]) -> int:
    query = _within(select(func.count()).select_from(_CASE), sites).where(*wanted)
    return _one(session, query) or 0


def _ids(session: Session, sites: Collection[str] | None, *, critical: bool, limit: int, offset: int) -> list[int]:
    query = _within(select(_CASE.c.id), sites).where(_CASE.c.critical == critical)
    oldest = query.order_by(_CASE.c.opened_at, _CASE.c.id).limit(limit).offset(offset)
    return [row[0] for row in session.connection().execute(oldest)]


def _one(session: Session, query: Select[int]) -> int | None:
    row = session.connection().execute(query).first()
    return None if row is None else row[0]
