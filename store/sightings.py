"""What the watcher knows of the paths in its folders, so that a restart forgets nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, delete, func, insert, update
from sqlmodel import Session, col, select

from store.columns import PathBytes
from store.tables import SightingRow

_CHUNK = 400


class SightingState(StrEnum):
    """What was made of a path."""

    PENDING = "pending"  # seen, not yet quiet or not yet whole
    TAKEN = "taken"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    BACKLOG = "backlog"  # older than the first day of its source: waits to be asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One path as a scan saw it.

    Attributes:
        size: Bytes.
        mtime_ns: Modification time in nanoseconds, as the file system gives it.
        report_id: The report it became, or None.
        reason: Reason code of why it is ignored or quarantined, or None.
    """

    path: str
    size: int
    mtime_ns: int
    state: SightingState
    report_id: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What is known of one path.

    Attributes:
        first_seen: When the path was first seen.
        changed_at: When its size, modification time or state last changed.
    """

    path: str
    size: int
    mtime_ns: int
    state: SightingState
    first_seen: datetime
    changed_at: datetime
    report_id: int | None
    reason: str | None


def known(session: Session, source: str) -> dict[str, Sighting]:
    """Everything known of a source, by path."""
    query = select(SightingRow).where(col(SightingRow.source) == source)
    return {row.path: _sighting(row) for row in session.exec(query)}


def remember(
    session: Session,
    source: str,
    path: str,
    *,
    size: int,
    mtime_ns: int,
    state: SightingState,
    report_id: int | None = None,
    reason: str | None = None,
    now: datetime,
) -> None:
    """Note what was seen at one path."""
    seen = Seen(path=path, size=size, mtime_ns=mtime_ns, state=state, report_id=report_id, reason=reason)
    remember_all(session, source, (seen,), now=now)


def remember_all(session: Session, source: str, seen: Iterable[Seen], *, now: datetime) -> None:
    """Note what was seen at many paths; the last word on a path counts."""
    latest = {one.path: one for one in seen}
    session.flush()
    before = _present(session, source, list(latest))
    new = [one for path, one in latest.items() if path not in before]
    changed = [one for path, one in latest.items() if path in before and before[path] != one]
    if new:
        rows = [{"source": source, "first_seen": now, "changed_at": now, **_columns(one)} for one in new]
        session.connection().execute(insert(SightingRow), rows)
    if changed:
        statement = (
            update(SightingRow)
            .where(col(SightingRow.source) == source, col(SightingRow.path) == bindparam("at", type_=PathBytes))
            .values(changed_at=now)
        )
        session.connection().execute(statement, [{"at": one.path, **_columns(one, path=False)} for one in changed])
    session.expire_all()


def forget(session: Session, source: str, paths: Iterable[str]) -> None:
    """Drop paths that are no longer there."""
    listed = sorted(set(paths))
    for start in range(0, len(listed), _CHUNK):
        chunk = listed[start : start + _CHUNK]
        session.connection().execute(
            delete(SightingRow).where(col(SightingRow.source) == source, col(SightingRow.path).in_(chunk))
        )
    session.expire_all()


def counts(session: Session, source: str) -> dict[SightingState, int]:
    """How many paths are in each state; every state is listed."""
    query = (
        select(SightingRow.state, func.count())
        .where(col(SightingRow.source) == source)
        .group_by(col(SightingRow.state))
    )
    found = Counter(dict(session.exec(query).all()))
    return {state: found[state] for state in SightingState}


def _present(session: Session, source: str, paths: list[str]) -> dict[str, Seen]:
    present: dict[str, Seen] = {}
    for start in range(0, len(paths), _CHUNK):
        query = select(SightingRow).where(
            col(SightingRow.source) == source, col(SightingRow.path).in_(paths[start : start + _CHUNK])
        )
        for row in session.exec(query):
            present[row.path] = Seen(
                path=row.path,
                size=row.size,
                mtime_ns=row.mtime_ns,
                state=SightingState(row.state),
                report_id=row.report_id,
                reason=row.reason,
            )
    return present


def _columns(seen: Seen, *, path: bool = True) -> dict[str, str | int | None]:
    columns: dict[str, str | int | None] = {
        "size": seen.size,
        "mtime_ns": seen.mtime_ns,
        "state": str(seen.state),
        "report_id": seen.report_id,
        "reason": seen.reason,
    }
    return {"path": seen.path, **columns} if path else columns


def _sighting(row: SightingRow) -> Sighting:
    return Sighting(
        path=row.path,
        size=row.size,
        mtime_ns=row.mtime_ns,
        state=SightingState(row.state),
        first_seen=row.first_seen,
        changed_at=row.changed_at,
        report_id=row.report_id,
        reason=row.reason,
    )
