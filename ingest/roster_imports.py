"""Lists of patients imported: when a site's file changes, when its server is due, or by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from ingest.logs import fault_place
from ingest.roster_layouts import in_force
from ingest.roster_list import RosterListing
from ingest.roster_sources import read_listing
from ingest.settings import Settings, SiteSettings
from records.errors import RosterError
from store import notices, roster, roster_history, roster_layouts
from store.database import Database
from store.roster import RosterChange
from store.roster_diff import RosterLimits

_log = structlog.get_logger()
_LOOK_SECONDS: Final = 5.0
_QUIET_SECONDS: Final = 10.0
# After a failure a server is asked again sooner than usual, so that a restart at night costs minutes, not an hour.
_AGAIN: Final = timedelta(minutes=5)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)

REFUSED: Final = "roster-refused"
"""Kind of the notice that a list was not imported; its subject is the site."""

HELD: Final = "roster-held"
"""Kind of the notice that lists wait for a person after a roll back; its subject is the site."""


class RosterImports:
    """Keeps the rosters of all sites as their sources list them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._tried: dict[str, tuple[int, int, int]] = {}
        self._due: dict[str, datetime] = {}
        self._told: dict[str, str] = {}

    def import_changed(self, *, now: datetime) -> None:
        """Import every roster file that has changed since it was last looked at; a refused one leaves a notice."""
        for site in self._settings.site:
            if site.roster is None:
                continue
            try:
                seen = site.roster.stat()
            except OSError:
                self._refused(site, "Its file cannot be found.", now)
                continue
            mark = (seen.st_mtime_ns, seen.st_size, self._choice_id(site))
            if self._tried.get(site.id) == mark or self._is_being_written(site, seen.st_mtime, now):
                continue
            if not self._waits(site, now):
                self._tried[site.id] = mark
                self._import(site, now)

    def import_due(self, *, now: datetime) -> None:
        """Ask every FHIR server whose time has come; a failure leaves a notice, and the earlier roster stays."""
        for site in self._settings.site:
            if site.roster_fhir is None or now < self._due_at(site) or self._waits(site, now):
                continue
            every = timedelta(minutes=site.roster_every_minutes)
            self._due[site.id] = now + (every if self._import(site, now) else min(every, _AGAIN))

    def follow_servers(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        """Ask the FHIR servers in time until told to stop; whatever goes wrong is logged and tried again."""
        while not stop.is_set():
            try:
                self.import_due(now=clock())
            except Exception as error:  # noqa: BLE001 - the one loop of this worker: it never dies
                _log.error("rosters.failed", error=type(error).__name__, place=fault_place(error))
            stop.wait(_LOOK_SECONDS)

    def _choice_id(self, site: SiteSettings) -> int:
        """Changes when somebody chooses the columns of the site's lists: a file that was refused may be read now."""
        with self._database.reading() as session:
            return roster_layouts.latest_id(session, site.id)

    def _is_being_written(self, site: SiteSettings, written: float, now: datetime) -> bool:
        """Whether a file is so new that it may not be whole; without any roster, half a list is better than none."""
        if not 0 <= now.timestamp() - written < _QUIET_SECONDS:
            return False
        with self._database.reading() as session:
            return roster.in_use(session, site.id) is not None

    def _due_at(self, site: SiteSettings) -> datetime:
        """When a server is to be asked next; after a restart that counts from the last import."""
        if site.id not in self._due:
            with self._database.reading() as session:
                status = next((s for s in roster.status(session, now=_EPOCH) if s.site == site.id), None)
            every = timedelta(minutes=site.roster_every_minutes)
            self._due[site.id] = _EPOCH if status is None else status.imported_at + every
        return self._due[site.id]

    def _waits(self, site: SiteSettings, now: datetime) -> bool:
        """Whether somebody rolled the roster back, so that the next list is imported by a person."""
        with self._database.reading() as session:
            if not roster.is_held(session, site.id):
                return False
        sentence = (
            f"The roster of site {site.id} was rolled back; new lists wait. When the list is right again: "
            f"scorebridge roster import --site {site.id}"
        )
        with self._database.session() as session:
            notices.leave(session, HELD, site.id, sentence, now=now)
        return True

    def _import(self, site: SiteSettings, now: datetime) -> bool:
        try:
            with self._database.reading() as session:
                chosen = in_force(session, site)
            listing = read_listing(chosen, now=now)
            change = import_listing(self._database, site, listing, actor="service", now=now, limits=site.roster_limits)
        except RosterError as error:
            self._refused(site, "; ".join(error.message.splitlines())[:300], now)
            return False
        self._told.pop(site.id, None)
        _log.info(
            "roster.imported",
            site=site.id,
            added=change.added,
            changed=change.changed,
            removed=change.removed,
            warnings=len(listing.warnings),
        )
        return True

    def _refused(self, site: SiteSettings, why: str, now: datetime) -> None:
        sentence = f"The roster of site {site.id} was not imported; the earlier one stays in use. {why}"
        if self._told.get(site.id) == sentence:
            return
        with self._database.session() as session:
            # Another reason is news, even if the first one was never settled.
            if site.id in self._told:
                notices.resolve(session, REFUSED, site.id, now=now)
            notices.leave(session, REFUSED, site.id, sentence, now=now)
        self._told[site.id] = sentence
        _log.warning("roster.refused", site=site.id)


def import_listing(
    database: Database,
    site: SiteSettings,
    listing: RosterListing,
    *,
    actor: str,
    now: datetime,
    limits: RosterLimits,
    by_hand: bool = False,
) -> RosterChange:
    """Make a list the site's roster, settle the notices about it, and forget history that is older than set.

    Args:
        by_hand: A person imports it: automatic imports go on after a roll back.

    Raises:
        RosterError: It changes more than `limits` allow; the roster in use stays.
    """
    with database.session() as session:
        change = roster.replace(
            session,
            site.id,
            listing.roster.patients,
            as_of=listing.roster.as_of,
            imported_from=listing.source,
            actor=actor,
            now=now,
            max_removed_share=limits.removed_share,
            max_identity_share=limits.identity_share,
            warnings=listing.warnings,
        )
        roster_history.forget(session, site.id, before=now - timedelta(days=site.roster_history_days))
        notices.resolve(session, REFUSED, site.id, now=now)
        if by_hand:
            roster.release(session, site.id)
            notices.resolve(session, HELD, site.id, now=now)
    return change
