"""One site's day in figures, all from one count of the records: whatever is shown beside each other adds up.

records = automatic + reviewed + waiting + failed, and
automatic + reviewed = delivered + sending + held + shadow + rejected + duplicate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from statistics import median
from typing import Final

import sqlalchemy
from sqlalchemy import func
from sqlmodel import Session, and_, col, or_, select

from records.balance import Balance
from records.case import CaseState
from records.submission import DeliveryState
from store import balance
from store.context import stored_id
from store.places import Place, Spot, spots
from store.reports import ReportState
from store.serialised import codes_of
from store.tables import CaseRow, RecordRow, ReportRow, SubmissionRow

_OF_A_REPORT: Final = (
    col(ReportRow.id),
    col(ReportRow.source),
    col(ReportRow.state),
    col(ReportRow.template),
    col(ReportRow.pages),
    col(ReportRow.printed),
    col(ReportRow.no_score),
    col(ReportRow.seen_at),
    col(ReportRow.attention),
    col(ReportRow.reasons),
)
_SENDING: Final = frozenset({Place.PENDING, Place.SENDING, Place.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What became of records, counted two ways that agree.

    Attributes:
        automatic: Needed no person, and did not fail.
        reviewed: A person has decided, and it did not fail.
        waiting: A person is to decide.
        failed: A portal refused it for good; a person must act.
        delivered: Every destination has it.
        sending: To be sent, being sent, or its answer is being looked up.
        held: Waits for a setting, a permission or a patient at the portal.
        shadow: Confirmed, and not sent because its destination is in shadow mode or there is none.
        rejected: Not sent, because a person said so or it was taken back.
        duplicate: Known already.
    """

    automatic: int = 0
    reviewed: int = 0
    waiting: int = 0
    failed: int = 0
    delivered: int = 0
    sending: int = 0
    held: int = 0
    shadow: int = 0
    rejected: int = 0
    duplicate: int = 0

    def __post_init__(self) -> None:
        decided = self.delivered + self.sending + self.held + self.shadow + self.rejected + self.duplicate
        if self.automatic + self.reviewed != decided:
            raise ValueError(f"{self.automatic} + {self.reviewed} decided records are in {decided} places")

    def __add__(self, other: Figures) -> Figures:
        return Figures(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    @property
    def records(self) -> int:
        """All of them."""
        return self.automatic + self.reviewed + self.waiting + self.failed

    @property
    def automatic_share(self) -> float | None:
        """Part of the records that needed no person, 0..1; None without records."""
        return self.automatic / self.records if self.records else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """One printed file of a day, without its findings.

    Attributes:
        source: The watched folder's id.
        printed: Records found in it.
    """

    report_id: int
    source: str
    state: ReportState
    template: str | None
    pages: int
    printed: int
    no_score: int
    seen_at: datetime
    attention: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDay:
    """Everything counted of one site's day.

    Attributes:
        reports: Files that belong to the day, oldest first: read on it or, unread, taken on it.
        counted: How many records of each kind, report by report.
        seconds_to_chart: From the file's arrival to the portal's receipt, of each delivered record, shortest first.
        oldest_waiting: Since when the oldest record of this day waits for a person; None if none does.
        waiting_before: Records of other days that wait for a person.
    """

    site: str
    day: date
    zone: tzinfo
    reports: tuple[DayReport, ...]
    counted: Mapping[Spot, int]
    seconds_to_chart: tuple[float, ...]
    oldest_waiting: datetime | None
    waiting_before: int

    @property
    def figures(self) -> Figures:
        """The day as a whole."""
        return figures_of(self.counted)

    @property
    def balance(self) -> Balance:
        """The sum of the day."""
        return balance.balance_of(self.counted, no_score=sum(report.no_score for report in self.reports))

    @property
    def split(self) -> dict[str, int]:
        """What "waiting" of the balance is made of."""
        return balance.split_of(self.counted)

    @property
    def printed(self) -> int:
        """Records as the reports count them: not from the records' own rows."""
        return sum(report.printed for report in self.reports)

    @property
    def adds_up(self) -> bool:
        """Whether every report has as many records as were printed in it. False means that something was lost."""
        kept: Counter[int] = Counter()
        for spot, number in self.counted.items():
            kept[spot.report_id] += number
        return kept == Counter({one.report_id: one.printed for one in self.reports if one.printed})

    @property
    def by_hour(self) -> dict[int, Figures]:
        """Hour of the site's clock to the records of the files that came in it; hours without any are left out."""
        hours = {report.report_id: self._hour(report) for report in self.reports}
        sums: dict[int, Counter[Spot]] = {}
        for spot, number in self.counted.items():
            sums.setdefault(hours.get(spot.report_id, 0), Counter())[spot] += number
        return {hour: figures_of(sums[hour]) for hour in sorted(sums)}

    def of_source(self, source: str) -> Figures:
        """The records of one source."""
        return figures_of(_only(self.counted, {one.report_id for one in self.reports if one.source == source}))

    def _hour(self, report: DayReport) -> int:
        # A file of the evening before that is read after midnight belongs to the first hour of its day.
        local = report.seen_at.astimezone(self.zone)
        return local.hour if local.date() == self.day else 0


def figures_of(counted: Mapping[Spot, int]) -> Figures:
    """The figures of counted records."""
    sums: Counter[str] = Counter()
    for spot, number in counted.items():
        for name in _names(spot):
            sums[name] += number
    return Figures(**sums)


def of_day(session: Session, *, site: str, day: date, zone: tzinfo) -> SiteDay:
    """Count one site's day, on the clocks of the site."""
    reports = reports_of_day(session, site=site, day=day, zone=zone)
    records = balance.records_of_day(site, day)
    counted = spots(session, records)
    waiting = sum(number for spot, number in counted.items() if spot.place is Place.REVIEW)
    return SiteDay(
        site=site,
        day=day,
        zone=zone,
        reports=reports,
        counted=counted,
        seconds_to_chart=_seconds_to_chart(session, site, day, reports),
        oldest_waiting=_oldest_waiting(session, site, day) if waiting else None,
        waiting_before=_open_cases(session, site) - waiting,
    )


def reports_of_day(session: Session, *, site: str, day: date, zone: tzinfo) -> tuple[DayReport, ...]:
    """Files that were read on a day or, unread, came on it, oldest first."""
    first, end = hours_of_day(day, zone)
    came = and_(col(ReportRow.seen_at) >= first, col(ReportRow.seen_at) < end, col(ReportRow.day).is_(None))
    query = (
        sqlalchemy.select(*_OF_A_REPORT)
        .where(col(ReportRow.site) == site, or_(col(ReportRow.day) == day, came))
        .order_by(col(ReportRow.id))
    )
    session.flush()  # statements of the connection do not
    return tuple(
        DayReport(
            report_id=stored_id(number),
            source=source,
            state=ReportState(state),
            template=template,
            pages=pages or 0,
            printed=printed,
            no_score=no_score,
            seen_at=seen_at,
            attention=attention,
            reasons=codes_of(reasons),
        )
        for number, source, state, template, pages, printed, no_score, seen_at, attention, reasons in (
            session.connection().execute(query)
        )
    )


def hours_of_day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The first moment of a local day, and that of the next one, in UTC."""
    ends = (datetime.combine(one, time(), tzinfo=zone) for one in (day, day + timedelta(days=1)))
    first, end = (moment.astimezone(UTC) for moment in ends)
    return first, end


def usual_first_arrival(session: Session, *, site: str, day: date, zone: tzinfo, days: int = 14) -> time | None:
    """About when the first file of a day has come in the two weeks before; None if none came."""
    query = (
        select(func.min(col(ReportRow.seen_at)))
        .where(
            col(ReportRow.site) == site,
            col(ReportRow.day) >= day - timedelta(days=days),
            col(ReportRow.day) < day,
        )
        .group_by(col(ReportRow.day))
    )
    arrivals = [moment.astimezone(zone) for moment in session.exec(query) if moment is not None]
    if not arrivals:
        return None
    minutes = round(median(moment.hour * 60 + moment.minute for moment in arrivals))
    return time(minutes // 60, minutes % 60)


def middle_and_most(seconds: Sequence[float]) -> tuple[float, float] | None:
    """The median, and what 95 % need at most (nearest rank); None without any."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return median(ordered), ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]


def _names(spot: Spot) -> Iterable[str]:
    if spot.place is Place.REVIEW:
        return ("waiting",)
    if spot.place is Place.DEAD:
        return ("failed",)
    decided = "reviewed" if spot.by_person else "automatic"
    if spot.place in _SENDING:
        return decided, "sending"
    return decided, "delivered" if spot.place is Place.SENT else spot.place.value


def _only(counted: Mapping[Spot, int], reports: set[int]) -> dict[Spot, int]:
    return {spot: number for spot, number in counted.items() if spot.report_id in reports}


def _seconds_to_chart(session: Session, site: str, day: date, reports: Sequence[DayReport]) -> tuple[float, ...]:
    """The first delivery of each record counts: a correction of weeks later says nothing about the way."""
    seen = {report.report_id: report.seen_at for report in reports}
    # No condition on the state: without statistics, SQLite would look through all that was ever delivered for it.
    received_at = sqlalchemy.case((col(SubmissionRow.state) == DeliveryState.DELIVERED, col(SubmissionRow.received_at)))
    query = (
        sqlalchemy.select(col(RecordRow.report_id), func.min(received_at))
        .join(SubmissionRow, col(SubmissionRow.record_id) == col(RecordRow.id))
        .where(balance.records_of_day(site, day))
        .group_by(col(RecordRow.id), col(RecordRow.report_id))
    )
    session.flush()  # statements of the connection do not
    found = session.connection().execute(query).all()
    return tuple(
        sorted(
            (received - seen[report_id]).total_seconds()
            for report_id, received in found
            if received is not None and report_id in seen
        )
    )


def _oldest_waiting(session: Session, site: str, day: date) -> datetime | None:
    query = (
        select(func.min(col(CaseRow.opened_at)))
        .join(RecordRow, col(RecordRow.id) == col(CaseRow.record_id))
        .where(balance.records_of_day(site, day), col(CaseRow.state) == CaseState.OPEN)
    )
    return session.exec(query).one()


def _open_cases(session: Session, site: str) -> int:
    query = select(func.count()).select_from(CaseRow)
    return session.exec(query.where(col(CaseRow.site) == site, col(CaseRow.state) == CaseState.OPEN)).one()
