"""Rosters ready for matching: imported when their file changes, indexed once per version."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from ingest.roster_file import read_roster
from ingest.settings import Settings, SiteSettings
from matching.roster_index import RosterIndex
from records.decision import MatchDecision, MatchGrade
from records.errors import RosterError
from records.patient import LinkPolicy
from store import aliases, calibrations, notices, roster
from store.database import Database

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRoster:
    """What matching needs for one site.

    Attributes:
        index: None where the site has no roster.
        reasons: Codes that keep every record of the site with a person: no roster, or too old a one.
    """

    index: RosterIndex | None
    policy: LinkPolicy
    reasons: tuple[str, ...]

    @property
    def no_match(self) -> MatchDecision:
        """The answer where there is no roster."""
        return MatchDecision(
            grade=MatchGrade.CERTAINLY_NOT,
            patient_id=None,
            probability=0.0,
            runner_up=0.0,
            candidates=(),
            reasons=("roster-missing",),
        )


class Rosters:
    """The rosters of all sites."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._lock = threading.Lock()
        self._indexes: dict[str, tuple[int, RosterIndex, datetime]] = {}
        self._tried: dict[str, tuple[int, int]] = {}

    def of(self, site: str, *, now: datetime, source: str | None = None) -> SiteRoster:
        """The site's roster as it is now, with what people have said of prints; of aliases, those of `source` only."""
        with self._database.reading() as session:
            version = roster.version(session, site)
            policy = LinkPolicy(
                threshold=self._settings.threshold_of(site, source),
                vetoes=roster.vetoes(session, site),
                aliases=aliases.standing(session, site=site, source=source) if source else {},
                calibration=calibrations.current(session),
            )
        if version == 0:
            return SiteRoster(index=None, policy=policy, reasons=())
        index, as_of = self._index(site, version)
        limit = timedelta(hours=self._settings.site_settings(site).roster_max_age_hours)
        stale = now - as_of > limit
        return SiteRoster(index=index, policy=policy, reasons=("roster-stale",) if stale else ())

    def _index(self, site: str, version: int) -> tuple[RosterIndex, datetime]:
        with self._lock:
            kept = self._indexes.get(site)
            if kept is not None and kept[0] == version:
                return kept[1], kept[2]
            with self._database.reading() as session:
                current = roster.current(session, site)
            assert current is not None
            index = RosterIndex.build(current)
            self._indexes[site] = (version, index, current.as_of)
            return index, current.as_of

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
            mark = (seen.st_mtime_ns, seen.st_size)
            if self._tried.get(site.id) == mark:
                continue
            self._tried[site.id] = mark
            self._import(site, now)

    def _import(self, site: SiteSettings, now: datetime) -> None:
        assert site.roster is not None
        try:
            change = import_roster(
                self._database, site, actor="service", now=now, max_removed_share=site.roster_max_removed_share
            )
        except RosterError as error:
            self._refused(site, "; ".join(error.message.splitlines())[:300], now)
            return
        with self._database.session() as session:
            notices.resolve(session, "roster-refused", site.id, now=now)
        _log.info("roster.imported", site=site.id, added=change[0], changed=change[1], removed=change[2])

    def _refused(self, site: SiteSettings, why: str, now: datetime) -> None:
        with self._database.session() as session:
            sentence = f"The roster of site {site.id} was not imported; the earlier one stays in use. {why}"
            notices.leave(session, "roster-refused", site.id, sentence, now=now)
        _log.warning("roster.refused", site=site.id)


def import_roster(
    database: Database,
    site: SiteSettings,
    *,
    actor: str,
    now: datetime,
    max_removed_share: float,
    warn: Callable[[str], None] = lambda _: None,
) -> tuple[int, int, int]:
    """Replace a site's roster by its file; the numbers of added, changed and removed patients.

    Raises:
        RosterError: The file is wrong, or lacks more of the present patients than allowed.
    """
    if site.roster is None:
        raise RosterError(f"Site {site.id} names no roster file.", next_step="Set roster in its [[site]] section.")
    file = read_roster(site.roster, site=site.id)
    for warning in file.warnings:
        warn(f"{site.roster}: {warning}")
    with database.session() as session:
        change = roster.replace(
            session,
            site.id,
            file.roster.patients,
            as_of=file.roster.as_of,
            imported_from=site.roster.name,
            actor=actor,
            now=now,
            max_removed_share=max_removed_share,
        )
    return change.added, change.changed, change.removed
