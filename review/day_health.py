"""What has stopped, in sentences for the top of the day's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from review.office import Office
from store.day_reading import Unread

# A file is read in seconds; one that waits so long waits for a program that does not run.
STALLED_AFTER: Final = timedelta(minutes=10)
_WORKERS: Final = {
    "delivery": "Delivery has stopped. Nothing is sent.",
    "alerts": "Nobody is told of urgent answers: the program that does so has stopped.",
    "housekeeping": "Patient lists are not taken over and missing reports are not noticed.",
    "letters": "The letters about the day are not sent.",
    "rosters": "Patient lists are not asked for any more.",
}


def troubles(office: Office, *, sites: tuple[str, ...], unread: Unread | None, now: datetime) -> list[str]:
    """What stands still, worst first; empty while everything runs.

    Args:
        sites: Whose folders to tell of.
        unread: Files that wait to be read; None if there are none.
    """
    health = office.health() if office.health else {}
    stopped = _names(health.get("stopped_threads"))
    return [
        *_reading(office, stopped, unread, now=now),
        *(sentence for name, sentence in _WORKERS.items() if name in stopped),
        *_folders(office, health.get("sources"), sites),
    ]


def _reading(office: Office, stopped: list[str], unread: Unread | None, *, now: datetime) -> Iterator[str]:
    stalled = unread is not None and now - unread.since >= STALLED_AFTER
    if not stalled and not any(name.startswith("pipeline") for name in stopped):
        return
    waiting = "" if unread is None else f" {unread.count} {'report' if unread.count == 1 else 'reports'} waiting."
    since = f" at {office.local(unread.since, unread.site):%H:%M}" if stalled and unread else ""
    yield f"Reading stopped{since}.{waiting}"


def _folders(office: Office, sources: object, sites: tuple[str, ...]) -> Iterator[str]:
    for source in sources if isinstance(sources, list) else ():
        if not isinstance(source, Mapping) or not source.get("deaf") or source.get("site") not in sites:
            continue
        site, last = str(source["site"]), source.get("last_good_scan")
        since = ""
        if isinstance(last, str):
            since = f" since {office.local(datetime.fromisoformat(last), site):%H:%M}"
        yield f"A folder of {site} has not been looked at{since}: the share may be gone."


def _names(stopped: object) -> list[str]:
    return [str(name) for name in stopped] if isinstance(stopped, list) else []
