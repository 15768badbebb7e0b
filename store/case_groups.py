"""Cases that wait for one cause: by their reasons, or by the report they are on. Counted without reading records."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import case as sql_case
from sqlmodel import Session

from store.columns import UtcDateTime
from store.decisions import case_and_record
from store.queue_order import WAITING
from store.reports import report_row
from store.serialised import codes_of, codes_text
from store.tables import CaseRow, RecordRow, TemplateRow, table_of
from store.templates import TemplateState

_CASE: Final = table_of(CaseRow).c
_RECORD: Final = table_of(RecordRow).c
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
    found = [*_by_reasons(session, sites, settled), *_by_report(session, sites)]
    return tuple(sorted(found, key=lambda one: (-one.number, one.cause, one.oldest)))


def case_ids(session: Session, group: CaseGroup, *, limit: int) -> tuple[int, ...]:
    """The cases of a group that wait now, oldest first."""
    query = select(_CASE.id).join(table_of(RecordRow), _RECORD.id == _CASE.record_id)
    query = query.where(*WAITING, _CASE.site == group.site, _is_of(group))
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


def _by_reasons(session: Session, sites: Collection[str] | None, settled: Collection[str]) -> list[CaseGroup]:
    found = []
    for row in _counted(session, sites, _RECORD.reasons):
        reasons = codes_of(str(row.cause))
        is_safe = bool(reasons) and set(reasons) <= set(settled)
        found.append(
            CaseGroup(
                cause=Cause.REASONS,
                site=row.site,
                reasons=reasons,
                report_id=None,
                file_name="",
                number=row.number,
                critical=row.critical,
                oldest=row.oldest,
                is_safe=is_safe,
                why_not="" if is_safe else "These are decided one by one: something about each record is in doubt.",
            )
        )
    return found


def _by_report(session: Session, sites: Collection[str] | None) -> list[CaseGroup]:
    return [
        CaseGroup(
            cause=Cause.REPORT,
            site=row.site,
            reasons=(),
            report_id=int(row.cause),
            file_name=report_row(session, int(row.cause)).file_name,
            number=row.number,
            critical=row.critical,
            oldest=row.oldest,
            is_safe=row.critical < row.number,
            why_not="" if row.critical < row.number else "Each holds an answer about self-harm.",
        )
        for row in _counted(session, sites, _RECORD.report_id)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Count:
    """How many cases of one site share one cause: the reasons as their column holds them, or a report's id."""

    site: str
    cause: str | int
    number: int
    critical: int
    oldest: datetime


def _counted(
    session: Session, sites: Collection[str] | None, cause: ColumnElement[str] | ColumnElement[int]
) -> list[_Count]:
    number = func.count()
    query = (
        select(
            _CASE.site,
            cause,
            number,
            func.sum(sql_case((_CASE.critical, 1), else_=0)),
            func.min(_CASE.opened_at, type_=UtcDateTime()),
        )
        .join(table_of(RecordRow), _RECORD.id == _CASE.record_id)
        .where(*WAITING)
        .group_by(_CASE.site, cause)
        .having(number > 1)
        .order_by(number.desc())
        .limit(_MOST)
    )
    if sites is not None:
        query = query.where(_CASE.site.in_(sorted(sites)))
    rows = session.connection().execute(query)
    return [
        _Count(site=site, cause=shared, number=many, critical=int(critical), oldest=oldest)
        for site, shared, many, critical, oldest in rows
    ]


def _is_of(group: CaseGroup) -> ColumnElement[bool]:
    if group.cause is Cause.REPORT:
        return _RECORD.report_id == group.report_id
    return _RECORD.reasons == codes_text(group.reasons)
