"""What the settings say of the day: which sources are watched, and who is told of alerts when."""

from __future__ import annotations

from ingest.settings import WEEKDAYS, Settings
from portal.alert_settings import AlertSettings
from review.day_surroundings import CallRung, DaySurroundings
from store.day_sources import WatchedSource


def watched_sources(settings: Settings) -> tuple[WatchedSource, ...]:
    """Every source, in the order of the settings."""
    return tuple(
        WatchedSource(
            name=source.name,
            site=source.site,
            folder=source.folder.name or str(source.folder),
            zone=settings.site_settings(source.site).zone,
            expected_by=source.expected_by,
            expected_days=frozenset(WEEKDAYS.index(day) for day in source.expected_days),
            closed_on=frozenset(settings.site_settings(source.site).closed_on),
        )
        for source in settings.source
    )


def day_surroundings(settings: Settings) -> DaySurroundings:
    """What the day's page needs of the settings."""
    rungs: tuple[CallRung, ...] = ()
    if isinstance(settings.alerts, AlertSettings):
        ladder = settings.alerts.ladder
        rungs = tuple(CallRung(after=rung.after, channels=tuple(sorted(rung.channels))) for rung in ladder.rungs)
    return DaySurroundings(sources=watched_sources(settings), rungs=rungs)
