"""What each template has read lately, in numbers and without patients."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.handover import SERVICE
from store.kept_records import RecordState
from store.tables import RecordRow, ReportRow, TemplateRow
from store.templates import TemplateState


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateReading:
    """What one revision has read since a moment.

    Attributes:
        records: Printed records.
        automatic: Of them, those that went out or were known without a person.
        last_report: When the latest report was seen.
    """

    reports: int
    records: int
    automatic: int
    last_report: datetime | None

    @property
    def automatic_share(self) -> float | None:
        """0..1, or None where nothing was read."""
        return self.automatic / self.records if self.records else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedRevision:
    """A published revision as it is booked."""

    template_id: str
    revision: int
    sha256: str
    state: TemplateState
    changed_at: datetime
    changed_by: str

    @property
    def name(self) -> str:
        """ "id@revision", as reports and notices name it."""
        return f"{self.template_id}@{self.revision}"


NOTHING_READ = TemplateReading(reports=0, records=0, automatic=0, last_report=None)


def booked(session: Session) -> list[BookedRevision]:
    """Every published revision, by id and with the newest first."""
    query = select(TemplateRow).order_by(col(TemplateRow.template_id), col(TemplateRow.revision).desc())
    return [
        BookedRevision(
            template_id=row.template_id,
            revision=row.revision,
            sha256=row.sha256,
            state=TemplateState(row.state),
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )
        for row in session.exec(query)
    ]


def read_since(session: Session, since: datetime, *, sites: Collection[str] | None) -> dict[str, TemplateReading]:
    """What each revision ("id@revision") has read since a moment.

    Args:
        sites: Whose reports count; None for all.
    """
    mine = [col(ReportRow.seen_at) >= since, col(ReportRow.template).is_not(None)]
    if sites is not None:
        mine.append(col(ReportRow.site).in_(list(sites)))
    by_report = select(ReportRow.template, func.count(), func.max(col(ReportRow.seen_at))).where(*mine)
    by_record = (
        select(ReportRow.template, func.count(), func.count().filter(col(RecordRow.confirmed_by) == SERVICE))
        .join(RecordRow, col(RecordRow.report_id) == col(ReportRow.id))
        .where(*mine)
    )
    duplicates = (
        select(ReportRow.template, func.count())
        .join(RecordRow, col(RecordRow.report_id) == col(ReportRow.id))
        .where(*mine, col(RecordRow.state) == RecordState.DUPLICATE)
    )
    grouped = col(ReportRow.template)
    records = {name: (count, sure) for name, count, sure in session.exec(by_record.group_by(grouped))}
    known = dict(session.exec(duplicates.group_by(grouped)).all())
    return {
        str(name): TemplateReading(
            reports=count,
            records=records.get(name, (0, 0))[0],
            automatic=records.get(name, (0, 0))[1] + known.get(name, 0),
            last_report=last,
        )
        for name, count, last in session.exec(by_report.group_by(grouped))
    }
