"""Write the letter about a site's day when it is due: a row for whoever sends it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from ingest.day_sources import watched_sources
from ingest.settings import Settings
from portal.letter_settings import LetterSettings
from store import day_drift, day_figures, day_letter_words, day_letters, day_signing, day_sources, day_urgent, outbox
from store.database import Database, Session
from store.day_figures import SiteDay
from store.day_sources import SourceDay, SourceState
from store.reports import ReportState

_UNREAD = (ReportState.WAITING, ReportState.READING)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLetter:
    """A letter as it would be now."""

    subject: str
    body: str
    is_complete: bool
    is_wanted: bool


def write_due(database: Database, settings: Settings, *, now: datetime) -> list[str]:
    """Write the letters that are due; the sites they are about."""
    if settings.letter is None:
        return []
    return [site.id for site in settings.site if _write(database, settings, settings.letter, site.id, now=now)]


def compose(session: Session, settings: Settings, site: str, day: date, *, now: datetime) -> WrittenLetter:
    """The letter about a site's day as it stands.

    It is wanted on each day on which something came or should have come; where no source has an hour, on every day.
    """
    zone = settings.site_settings(site).zone
    watched = [one for one in watched_sources(settings) if one.site == site]
    told = day_figures.of_day(session, site=site, day=day, zone=zone)
    held = day_drift.held_names(session)
    sources = [day_sources.of_day(told, one, held=held, now=now) for one in watched]
    alerts = day_urgent.count_open(session, sites=(site,))
    shown = day_signing.snapshot(session, told, sources, alerts=alerts)
    address = settings.letter.address if settings.letter else None
    return WrittenLetter(
        subject=day_letter_words.subject_of(shown, sources),
        body=day_letter_words.body_of(
            shown, sources, paused=outbox.paused(session), address=address, now=now.astimezone(zone)
        ),
        is_complete=_is_complete(told, sources),
        is_wanted=bool(told.reports)
        or any(one.is_expected_on(day) for one in watched)
        or all(one.expected_by is None for one in watched),
    )


def _write(database: Database, settings: Settings, letter: LetterSettings, site: str, *, now: datetime) -> bool:
    local = now.astimezone(settings.site_settings(site).zone)
    is_time = local.time() >= _hour(settings, letter, site)
    if not is_time and letter.when != "complete":
        return False
    with database.reading() as session:
        if day_letters.is_written(session, site=site, day=local.date()):
            return False
        made = compose(session, settings, site, local.date(), now=now)
    if not made.is_wanted or not (is_time or made.is_complete):
        return False
    with database.session() as session:
        return day_letters.write(session, site=site, day=local.date(), subject=made.subject, body=made.body, now=now)


def _hour(settings: Settings, letter: LetterSettings, site: str) -> time:
    return settings.site_settings(site).letter_at or letter.at


def _is_complete(told: SiteDay, sources: list[SourceDay]) -> bool:
    """Whether every expected report came, and all that came is read."""
    due = [one for one in sources if one.source.is_expected_on(told.day)]
    unread = any(report.state in _UNREAD for report in told.reports)
    return bool(due) and all(one.state not in (SourceState.MISSING, SourceState.EXPECTED) for one in due) and not unread
