"""Every watched folder on one day: what it brought, and whether it is what should have come.

A report that did not come is as visible as an error.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from enum import StrEnum
from typing import Final

from store.day_figures import Figures, SiteDay
from store.reports import ReportState

EVERY_DAY: Final = frozenset(range(7))
_UNREAD: Final = (ReportState.WAITING, ReportState.READING)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSource:
    """A watched folder as the settings have it.

    Attributes:
        name: What the store calls it.
        folder: For people; the last part of its path.
        zone: Of its site.
        expected_by: Local time by which a report of the day should have come; None if nobody expects one.
        expected_days: Weekdays on which one is expected, 0 for Monday.
        closed_on: Days on which none is.
    """

    name: str
    site: str
    folder: str
    zone: tzinfo
    expected_by: time | None = None
    expected_days: frozenset[int] = EVERY_DAY
    closed_on: frozenset[date] = frozenset()

    def is_expected_on(self, day: date) -> bool:
        """Whether a report should come on this day."""
        return self.expected_by is not None and day.weekday() in self.expected_days and day not in self.closed_on

    def is_late(self, day: date, *, now: datetime) -> bool:
        """Whether a report of this day should have come by now."""
        if self.expected_by is None or not self.is_expected_on(day):
            return False
        return now >= datetime.combine(day, self.expected_by, tzinfo=self.zone)


class SourceState(StrEnum):
    """How a source is on one day; the first that is true counts."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    LAYOUT_HELD = "layout-held"
    NEEDS_A_LOOK = "needs-a-look"
    READING = "reading"
    HEALTHY = "healthy"
    EXPECTED = "expected"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDay:
    """One source on one day.

    Attributes:
        templates: "id@revision" of what read its reports, newest first.
        reports: Files that came.
        last_report: When the latest of them came, or None.
        unreadable: How many are in quarantine.
    """

    source: WatchedSource
    templates: tuple[str, ...]
    reports: int
    pages: int
    figures: Figures
    last_report: datetime | None
    unreadable: int
    state: SourceState

    @property
    def has_arrived(self) -> bool:
        """Whether at least one report came."""
        return self.reports > 0


def of_day(day: SiteDay, source: WatchedSource, *, held: Collection[str], now: datetime) -> SourceDay:
    """What one source brought on a day.

    Args:
        held: Templates on hold, "id@revision".
    """
    reports = [report for report in day.reports if report.source == source.name]
    templates = tuple(dict.fromkeys(report.template for report in reversed(reports) if report.template))
    unreadable = sum(report.state is ReportState.QUARANTINED for report in reports)
    if not reports:
        late, due = source.is_late(day.day, now=now), source.is_expected_on(day.day)
        state = SourceState.MISSING if late else SourceState.EXPECTED if due else SourceState.NOTHING
    elif unreadable:
        state = SourceState.UNREADABLE
    elif any(name in held for name in templates):
        state = SourceState.LAYOUT_HELD
    elif any(report.attention for report in reports):
        state = SourceState.NEEDS_A_LOOK
    else:
        unread = any(report.state in _UNREAD for report in reports)
        state = SourceState.READING if unread else SourceState.HEALTHY
    return SourceDay(
        source=source,
        templates=templates,
        reports=len(reports),
        pages=sum(report.pages for report in reports),
        figures=day.of_source(source.name),
        last_report=max((report.seen_at for report in reports), default=None),
        unreadable=unreadable,
        state=state,
    )
