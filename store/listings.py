"""Lists in the order of their keys, for programs that take one part after another.

Each part begins after the last key of the part before, so that nothing is skipped or told twice while rows are added.
`sites` limits a list to what somebody sees; None is everything. Cases and records are listed without their patients.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from records.alert import CriticalAlert
from records.case import CaseState
from records.submission import DeliveryState
from store.alerts import alert_of
from store.context import stored_id
from store.kept_records import RecordState
from store.outbox_entries import OutboxEntry, entry_of
from store.reports import ReportState, StoredReport, stored_report
from store.tables import AlertRow, CaseRow, RecordRow, ReportRow, SubmissionRow

_Row = TypeVar("_Row", AlertRow, CaseRow, RecordRow, ReportRow, SubmissionRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCase:
    """A case without what it is about.

    Attributes:
        critical: It holds an answer about self-harm above 0.
        closed_by: Who decided it, or None while it is open.
    """

    case_id: int
    record_id: int
    site: str
    version: int
    state: CaseState
    critical: bool
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRecord:
    """A record without whom and what it is about; see `store.kept_records.StoredRecord`."""

    record_id: int
    report_id: int
    site: str
    day: date
    position: int
    state: RecordState
    external_id: str | None
    occurrence: int
    revision: int
    duplicate_of: int | None
    corrects: int | None
    confirmed_by: str | None
    confirmed_at: datetime | None


def cases_after(
    session: Session, *, sites: Collection[str] | None, after: int, limit: int, state: CaseState | None = None
) -> list[ListedCase]:
    """Cases with a higher id than `after`."""
    query = select(CaseRow)
    if state is not None:
        query = query.where(col(CaseRow.state) == state)
    return [_listed_case(row) for row in _part(session, query, CaseRow, sites=sites, after=after, limit=limit)]


def records_after(
    session: Session,
    *,
    sites: Collection[str] | None,
    after: int,
    limit: int,
    state: RecordState | None = None,
    report_id: int | None = None,
    day: date | None = None,
) -> list[ListedRecord]:
    """Records with a higher id than `after`."""
    query = select(RecordRow)
    if state is not None:
        query = query.where(col(RecordRow.state) == state)
    if report_id is not None:
        query = query.where(col(RecordRow.report_id) == report_id)
    if day is not None:
        query = query.where(col(RecordRow.day) == day)
    return [_listed_record(row) for row in _part(session, query, RecordRow, sites=sites, after=after, limit=limit)]


def reports_after(
    session: Session,
    *,
    sites: Collection[str] | None,
    after: int,
    limit: int,
    state: ReportState | None = None,
    day: date | None = None,
    attention: bool | None = None,
) -> list[StoredReport]:
    """Reports with a higher id than `after`."""
    query = select(ReportRow)
    if state is not None:
        query = query.where(col(ReportRow.state) == state)
    if day is not None:
        query = query.where(col(ReportRow.day) == day)
    if attention is not None:
        query = query.where(col(ReportRow.attention).is_(attention))
    return [stored_report(row) for row in _part(session, query, ReportRow, sites=sites, after=after, limit=limit)]


def alerts_after(
    session: Session, *, sites: Collection[str] | None, after: int, limit: int, is_open: bool | None = None
) -> list[CriticalAlert]:
    """Alerts with a higher id than `after`; those that nobody has taken, those that somebody has, or both."""
    query = select(AlertRow)
    if is_open is not None:
        taken = col(AlertRow.acknowledged_at)
        query = query.where(taken.is_(None) if is_open else taken.is_not(None))
    return [alert_of(row) for row in _part(session, query, AlertRow, sites=sites, after=after, limit=limit)]


def submissions_after(
    session: Session,
    *,
    sites: Collection[str] | None,
    after: int,
    limit: int,
    state: DeliveryState | None = None,
    destination: str | None = None,
    record_id: int | None = None,
) -> list[OutboxEntry]:
    """Submissions with a higher id than `after`."""
    query = select(SubmissionRow)
    for column, wanted in (
        (SubmissionRow.state, state),
        (SubmissionRow.destination, destination),
        (SubmissionRow.record_id, record_id),
    ):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    return [
        entry_of(session, row) for row in _part(session, query, SubmissionRow, sites=sites, after=after, limit=limit)
    ]


def _part(
    session: Session,
    query: SelectOfScalar[_Row],
    kind: type[_Row],
    *,
    sites: Collection[str] | None,
    after: int,
    limit: int,
) -> list[_Row]:
    if sites is not None:
        query = query.where(col(kind.site).in_(sorted(sites)))
    return list(session.exec(query.where(col(kind.id) > after).order_by(col(kind.id)).limit(limit)))


def _listed_case(row: CaseRow) -> ListedCase:
    return ListedCase(
        case_id=stored_id(row.id),
        record_id=row.record_id,
        site=row.site,
        version=row.version,
        state=CaseState(row.state),
        critical=row.critical,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
    )


def _listed_record(row: RecordRow) -> ListedRecord:
    return ListedRecord(
        record_id=stored_id(row.id),
        report_id=row.report_id,
        site=row.site,
        day=row.day,
        position=row.position,
        state=RecordState(row.state),
        external_id=row.external_id,
        occurrence=row.occurrence,
        revision=row.revision,
        duplicate_of=row.duplicate_of,
        corrects=row.corrects,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
    )
