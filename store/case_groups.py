"""Cases that wait for one cause: by their reasons, or by the report they are on. Counted without reading records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import case as sql_case
from sqlmodel import Session

from store.columns import UtcDateTime
from store.decisions import case_and_record
from store.queue_order import WAITING
from store.reports import report_row
from store.serialised import codes_of, codes_text
from store.tables import CaseRow, ReportRow, TemplateRow, table_of
from store.templates import TemplateState

_CASE: Final = table_of(CaseRow).c
_MOST: Final = 50
_Shared = TypeVar("_Shared")


class Cause(StrEnum):
    """What the cases of a group have in common."""

    REASONS = "reasons"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseGroup:
    """Cases that wait for one cause.

    Attributes:
        reasons: Codes that all of them wait for; empty for a report.
        report_id: The report they are all on, or None.
        file_name: Its name for people, or empty.
        number: How many wait.
        critical: How many of them hold an answer about self-harm, and are decided one by one.
        oldest: Since when the oldest waits.
        is_safe: Whether they may be decided together at all; each is looked at again before.
        why_not: Why not, as a sentence; empty if they may.
    """

    cause: Cause
    site: str
    reasons: tuple[str, ...]
    report_id: int | None
    file_name: str
    number: int
    critical: int
    oldest: datetime
    is_safe: bool
    why_not: str


def list_groups(session: Session, *, sites: Collection[str] | None, settled: Collection[str]) -> tuple[CaseGroup, ...]:
    """Groups of two cases or more, the largest first, at most fifty of each cause.

    Args:
        settled: Reason codes that can be settled for many records at once.
    """
    counted = _counted(session, sites)
    found = [*_by_reasons(counted, settled), *_by_report(session, counted)]
    return tuple(sorted(found, key=lambda one: (-one.number, one.cause, one.oldest)))


def case_ids(session: Session, group: CaseGroup, *, limit: int) -> tuple[int, ...]:
    """The cases of a group that wait now, oldest first."""
    query = select(_CASE.id).where(*WAITING, _CASE.site == group.site, _is_of(group))
    oldest = query.order_by(_CASE.opened_at, _CASE.id).limit(limit)
    return tuple(row[0] for row in session.connection().execute(oldest))


def is_released(session: Session, case_id: int) -> bool:
    """Whether the template that read this case is live, and became so after the case was opened."""
    case, record = case_and_record(session, case_id)
    name, _, revision = (report_row(session, record.report_id).template or "").rpartition("@")
    if not revision.isdecimal():
        return False
    row = session.get(TemplateRow, (name, int(revision)))
    return row is not None and row.state == TemplateState.LIVE and row.changed_at > case.opened_at


def _by_reasons(counted: Iterable[_Count], settled: Collection[str]) -> list[CaseGroup]:
    found = []
    for (site, shared), one in _largest(counted, lambda one: (one.site, one.reasons)):
        reasons = codes_of(shared)
        is_safe = bool(reasons) and set(reasons) <= set(settled)
        found.append(
            CaseGroup(
                cause=Cause.REASONS,
                site=site,
                reasons=reasons,
                report_id=None,
                file_name="",
                number=one.number,
                critical=one.critical,
                oldest=one.oldest,
                is_safe=is_safe,
                why_not="" if is_safe else "These are decided one by one: something about each record is in doubt.",
            )
        )
    return found


def _by_report(session: Session, counted: Iterable[_Count]) -> list[CaseGroup]:
    largest = _largest(counted, lambda one: (one.site, one.report_id))
    names = _file_names(session, [report_id for (_, report_id), _ in largest])
    return [
        CaseGroup(
            cause=Cause.REPORT,
            site=site,
            reasons=(),
            report_id=report_id,
            file_name=names[report_id],
            number=one.number,
            critical=one.critical,
            oldest=one.oldest,
            is_safe=one.critical < one.number,
            why_not="" if one.critical < one.number else "Each holds an answer about self-harm.",
        )
        for (site, report_id), one in largest
    ]


class _Count(NamedTuple):
    """How many cases of one site, on one report, wait for the same reasons, as their column holds them."""

    site: str
    reasons: str
    report_id: int
    number: int
    critical: int
    oldest: datetime

    def with_(self, other: _Count) -> _Count:
        return self._replace(
            number=self.number + other.number,
            critical=self.critical + other.critical,
            oldest=min(self.oldest, other.oldest),
        )


def _largest(counted: Iterable[_Count], key: Callable[[_Count], _Shared]) -> list[tuple[_Shared, _Count]]:
    """The counts added up by what they share, the largest sums first; single cases are no group."""
    sums: dict[_Shared, _Count] = {}
    for one in counted:
        shared = key(one)
        sums[shared] = sums[shared].with_(one) if shared in sums else one
    found = [(shared, one) for shared, one in sums.items() if one.number > 1]
    return sorted(found, key=lambda pair: -pair[1].number)[:_MOST]


def _counted(session: Session, sites: Collection[str] | None) -> list[_Count]:
    """One look at all that waits: with ten thousand cases it is what the page of the queue costs."""
    query = (
        select(
            _CASE.site,
            _CASE.reasons,
            _CASE.report_id,
            func.count(),
            func.sum(sql_case((_CASE.critical, 1), else_=0)),
            func.min(_CASE.opened_at, type_=UtcDateTime()),
        )
        .where(*WAITING)
        .group_by(_CASE.site, _CASE.reasons, _CASE.report_id)
    )
    if sites is not None:
        query = query.where(_CASE.site.in_(sorted(sites)))
    return [
        _Count(site, reasons, report_id, number, int(critical), oldest)
        for site, reasons, report_id, number, critical, oldest in session.connection().execute(query)
    ]


def _file_names(session: Session, report_ids: Collection[int]) -> dict[int, str]:
    report = table_of(ReportRow).c
    query = select(report.id, report.file_name).where(report.id.in_(report_ids))
    return {row.id: row.file_name for row in session.connection().execute(query)}


def _is_of(group: CaseGroup) -> ColumnElement[bool]:
    if group.cause is Cause.REPORT:
        return _CASE.report_id == group.report_id
    return _CASE.reasons == codes_text(group.reasons)
