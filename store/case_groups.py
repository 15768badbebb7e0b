"""Cases that wait for one cause: by their reasons, or by the report they are on. Counted without reading records."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import CTE, ColumnElement, Select, cast, func, null, select, union_all
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
    names = _file_names(session, [one.report_id for one in counted if one.report_id is not None])
    found = [_by_reasons(one, settled) if one.report_id is None else _by_report(one, names) for one in counted]
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


class _Count(NamedTuple):
    """How many cases of one site wait for the same reasons, as their column holds them, or are on the same report."""

    site: str
    reasons: str | None
    report_id: int | None
    number: int
    critical: int
    oldest: datetime


def _by_reasons(one: _Count, settled: Collection[str]) -> CaseGroup:
    reasons = codes_of(one.reasons or "[]")
    is_safe = bool(reasons) and set(reasons) <= set(settled)
    return CaseGroup(
        cause=Cause.REASONS,
        site=one.site,
        reasons=reasons,
        report_id=None,
        file_name="",
        number=one.number,
        critical=one.critical,
        oldest=one.oldest,
        is_safe=is_safe,
        why_not="" if is_safe else "These are decided one by one: something about each record is in doubt.",
    )


def _by_report(one: _Count, names: Mapping[int, str]) -> CaseGroup:
    return CaseGroup(
        cause=Cause.REPORT,
        site=one.site,
        reasons=(),
        report_id=one.report_id,
        file_name=names.get(one.report_id or 0, ""),
        number=one.number,
        critical=one.critical,
        oldest=one.oldest,
        is_safe=one.critical < one.number,
        why_not="" if one.critical < one.number else "Each holds an answer about self-harm.",
    )


def _counted(session: Session, sites: Collection[str] | None) -> list[_Count]:
    """The largest groups of either cause: with ten thousand cases, this is what the page of the queue costs.

    The cases are looked through once, in the order of their index; both causes are added up from that.
    """
    query = (
        select(
            _CASE.site,
            _CASE.reasons,
            _CASE.report_id,
            func.count().label("number"),
            func.sum(sql_case((_CASE.critical, 1), else_=0)).label("critical"),
            func.min(_CASE.opened_at, type_=UtcDateTime()).label("oldest"),
        )
        .where(*WAITING)
        .group_by(_CASE.site, _CASE.reasons, _CASE.report_id)
    )
    if sites is not None:
        query = query.where(_CASE.site.in_(sorted(sites)))
    both = query.cte("both")
    summed = union_all(_largest(both, both.c.reasons), _largest(both, both.c.report_id))
    return [_Count(*row) for row in session.connection().execute(summed)]


def _largest(both: CTE, shared: ColumnElement[str] | ColumnElement[int]) -> Select[Any]:
    """The counts added up by what they share, the largest sums first; single cases are no group."""
    number = func.sum(both.c.number)
    query = select(
        both.c.site,
        *(
            one if one is shared else cast(null(), one.type).label(one.name)
            for one in (both.c.reasons, both.c.report_id)
        ),
        number.label("number"),
        func.sum(both.c.critical).label("critical"),
        func.min(both.c.oldest, type_=UtcDateTime()).label("oldest"),
    )
    largest = query.group_by(both.c.site, shared).having(number > 1).order_by(number.desc()).limit(_MOST)
    return select(largest.subquery())


def _file_names(session: Session, report_ids: Collection[int]) -> dict[int, str]:
    report = table_of(ReportRow).c
    query = select(report.id, report.file_name).where(report.id.in_(report_ids))
    return {row.id: row.file_name for row in session.connection().execute(query)}


def _is_of(group: CaseGroup) -> ColumnElement[bool]:
    if group.cause is Cause.REPORT:
        return _CASE.report_id == group.report_id
    return _CASE.reasons == codes_text(group.reasons)
