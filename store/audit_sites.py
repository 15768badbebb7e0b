"""Which site an event of the audit trail is about, through the object it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy
from sqlmodel import Session

from store.audit import ChainedEvent
from store.learning_tables import AliasRow, BlindAuditRow
from store.tables import AlertRow, CaseRow, RecordRow, ReportRow, StoreTable, SubmissionRow, table_of

_TABLES: Final[dict[str, type[StoreTable]]] = {
    "alert": AlertRow,
    "alias": AliasRow,
    "blind-audit": BlindAuditRow,
    "case": CaseRow,
    "record": RecordRow,
    "report": ReportRow,
    "submission": SubmissionRow,
}
_NAMED_BY_SITE: Final = frozenset({"roster", "site"})
_CHUNK: Final = 400


def sites_of(session: Session, events: Sequence[ChainedEvent]) -> dict[int, str]:
    """Number of an event to the site it is about; events about no one site, such as a sign-in, are not there."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for link in events:
        if link.event.object_kind in _TABLES and link.event.object_id.isdecimal():
            wanted[link.event.object_kind].add(int(link.event.object_id))
    known = {kind: _sites(session, _TABLES[kind], numbers) for kind, numbers in wanted.items()}
    found = {}
    for link in events:
        site = _site(link, known.get(link.event.object_kind, {}))
        if site is not None:
            found[link.seq] = site
    return found


def _site(link: ChainedEvent, known: dict[str, str]) -> str | None:
    if link.event.object_kind in _NAMED_BY_SITE:
        return link.event.object_id
    return known.get(link.event.object_id) or dict(link.event.detail).get("site")


def _sites(session: Session, kind: type[StoreTable], numbers: Iterable[int]) -> dict[str, str]:
    table, listed = table_of(kind), sorted(numbers)
    found: dict[str, str] = {}
    for start in range(0, len(listed), _CHUNK):
        query = sqlalchemy.select(table.c.id, table.c.site).where(table.c.id.in_(listed[start : start + _CHUNK]))
        found |= {str(number): str(site) for number, site in session.connection().execute(query)}
    return found
