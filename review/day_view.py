"""The day's page put together: every figure for the sites that the visitor may see, from one look at the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fastapi import HTTPException

from records.alert import CriticalAlert
from review import day_charts
from review.access import Visitor
from review.day_charts import HourChart, RateChart
from review.day_health import troubles
from review.office import Office
from review.rendering import SPLIT_WORDS, format_day
from review.urgent_flags import UrgentFlag, urgent_flags
from store import balance, day_drift, day_figures, day_reading, day_signing, day_sources, day_urgent, notices
from store.balance import BalanceCheck
from store.database import Session
from store.day_drift import HeldLayout
from store.day_figures import Figures, SiteDay, middle_and_most
from store.day_signing import DaySignOff
from store.day_sources import SourceDay, SourceState
from store.notices import Notice
from store.reports import ReportState

_FLAGS = 20
_CHECK_IS_OLD = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedDay:
    """What the address asks for.

    Attributes:
        site: One site, or empty for all the visitor sees.
        day: A day, or None for today on the clocks of each site.
    """

    site: str
    day: date | None
    sites: tuple[str, ...]

    @property
    def query(self) -> str:
        """The same for an address."""
        return f"site={self.site}&day={self.day.isoformat() if self.day else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfSite:
    """One site's line: its sum, what waiting is made of, and who has signed it."""

    told: SiteDay
    waiting_split: tuple[tuple[str, int], ...]
    signed: DaySignOff | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCard:
    """A template that reads otherwise than usual, with its two weeks."""

    layout: HeldLayout
    chart: RateChart | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """Everything on the page. Sums are over the sites shown.

    Attributes:
        shown: The day in the heading, of the first site.
        waiting_before: Records of other days that wait for a person.
        chart_seconds: Median and 95 % of the time from file to receipt; None while nothing is delivered.
        usual_arrival: About when the first file comes, on a day without any.
        last_alert: The latest alert, where none is open.
        sees_all: Whether these are all sites there are.
        check_is_old: The kept look at all reports is missing or older than it should be.
    """

    asked: AskedDay
    now: datetime
    shown: date
    is_today: bool
    days: tuple[DayOfSite, ...]
    figures: Figures
    reports: int
    pages: int
    unreadable: int
    attention: int
    oldest_waiting: datetime | None
    waiting_before: int
    chart_seconds: tuple[float, float] | None
    adds_up: bool
    check: BalanceCheck | None
    check_is_old: bool
    sees_all: bool
    flags: tuple[UrgentFlag, ...]
    flag_count: int
    last_alert: CriticalAlert | None
    hours: HourChart | None
    drift: tuple[DriftCard, ...]
    sources: tuple[SourceDay, ...]
    usual_arrival: time | None
    troubles: tuple[str, ...]
    notices: tuple[Notice, ...]

    @property
    def missing(self) -> tuple[SourceDay, ...]:
        """Sources whose report should have come and did not."""
        return tuple(one for one in self.sources if one.state is SourceState.MISSING)

    @property
    def shown_patients(self) -> frozenset[str]:
        """Marks of the flags that name a patient."""
        return frozenset(flag.mark for flag in self.flags if flag.patient or flag.completed)


def asked_day(office: Office, visitor: Visitor, *, site: str, day: str) -> AskedDay:
    """What an address asks for.

    Raises:
        HTTPException: 404 for a day that is none, and for a site that is not set or not this visitor's.
    """
    seen = office.sites_seen(visitor.user)
    if site and site not in seen:
        raise HTTPException(404)
    try:
        chosen = date.fromisoformat(day) if day else None
    except ValueError:
        raise HTTPException(404) from None
    return AskedDay(site=site, day=chosen, sites=(site,) if site else seen)


def count_site(session: Session, office: Office, site: str, day: date) -> SiteDay:
    """One site's day, on its own clocks."""
    return day_figures.of_day(session, site=site, day=day, zone=office.sites[site])


def sources_of(session: Session, office: Office, days: tuple[SiteDay, ...], *, now: datetime) -> tuple[SourceDay, ...]:
    """The sources of these sites' days, in the order of the settings."""
    held, told = day_drift.held_names(session), {day.site: day for day in days}
    watched = office.day.of_sites(tuple(told))
    return tuple(day_sources.of_day(told[one.site], one, held=held, now=now) for one in watched)


def day_view(session: Session, office: Office, visitor: Visitor, asked: AskedDay) -> DayView:
    """The page's contents."""
    now, sites = office.now(), asked.sites
    days = tuple(count_site(session, office, site, asked.day or office.today(site)) for site in sites)
    shown = asked.day or (days[0].day if days else now.date())
    count = day_urgent.count_open(session, sites=sites)
    check = balance.last_check(session, sites=sites)
    reports = sum(len(day.reports) for day in days)
    unread = day_reading.unread(session, sites=sites)
    return DayView(
        asked=asked,
        now=now,
        shown=shown,
        is_today=all(day.day == office.today(day.site) for day in days),
        days=tuple(_line(session, day) for day in days),
        figures=sum((day.figures for day in days), Figures()),
        reports=reports,
        pages=sum(report.pages for day in days for report in day.reports),
        unreadable=sum(report.state is ReportState.QUARANTINED for day in days for report in day.reports),
        attention=sum(report.attention for day in days for report in day.reports),
        oldest_waiting=min((day.oldest_waiting for day in days if day.oldest_waiting), default=None),
        waiting_before=sum(day.waiting_before for day in days),
        chart_seconds=middle_and_most([one for day in days for one in day.seconds_to_chart]),
        adds_up=all(day.adds_up for day in days),
        check=check,
        sees_all=_sees_all(office, sites),
        check_is_old=check is None or now - check.checked_at > _CHECK_IS_OLD,
        flags=tuple(urgent_flags(session, visitor, office.day, sites=sites, limit=_FLAGS, now=now)) if count else (),
        flag_count=count,
        last_alert=None if count else day_urgent.last_raised(session, sites=sites),
        hours=day_charts.hour_chart(_hours(days)),
        drift=tuple(_drift(one) for one in _layouts(session, office, sites, shown)),
        sources=sources_of(session, office, days, now=now),
        usual_arrival=None if reports or not days else _usual_arrival(session, days[0]),
        troubles=tuple(troubles(office, sites=sites, unread=unread, now=now)),
        notices=tuple(notices_of(session, office, sites)),
    )


def _line(session: Session, day: SiteDay) -> DayOfSite:
    named = tuple((SPLIT_WORDS.get(kind, kind), count) for kind, count in day.split.items() if count)
    signed = day_signing.latest(session, site=day.site, day=day.day)
    return DayOfSite(told=day, waiting_split=named, signed=signed)


def _hours(days: tuple[SiteDay, ...]) -> Mapping[int, Figures]:
    hours: dict[int, Figures] = {}
    for day in days:
        for hour, figures in day.by_hour.items():
            hours[hour] = hours.get(hour, Figures()) + figures
    return hours


def _layouts(session: Session, office: Office, sites: tuple[str, ...], day: date) -> list[HeldLayout]:
    """Layouts on hold; whoever does not see every site gets those that have read something of theirs."""
    found = day_drift.held_layouts(session, sites=sites, day=day)
    return [one for one in found if one.rates or one.waiting or _sees_all(office, sites)]


def _drift(layout: HeldLayout) -> DriftCard:
    newest = format_day(layout.rates[-1].day)[:6] if layout.rates else ""
    return DriftCard(layout=layout, chart=day_charts.rate_chart(layout.rates, layout.limit, day_words=newest))


def _usual_arrival(session: Session, day: SiteDay) -> time | None:
    return day_figures.usual_first_arrival(session, site=day.site, day=day.day, zone=day.zone)


def notices_of(session: Session, office: Office, sites: tuple[str, ...]) -> list[Notice]:
    """Open notices; whoever does not see every site gets those about these sites and their sources."""
    found = notices.list_open(session)
    if _sees_all(office, sites):
        return found
    return [one for one in found if any(one.subject == site or one.subject.startswith(f"{site}:") for site in sites)]


def _sees_all(office: Office, sites: tuple[str, ...]) -> bool:
    return set(office.sites) <= set(sites)
