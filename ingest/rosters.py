"""Rosters ready for matching: indexed once, then brought up to every version by what it changed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ingest.settings import Settings
from matching.roster_index import RosterIndex
from records.decision import MatchDecision, MatchGrade
from records.patient import LinkPolicy
from store import aliases, calibrations, roster
from store.database import Database, Session

# An index of which more than this was replaced is built anew, so that what is gone leaves the memory.
_REBUILD_SHARE: Final = 0.25


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """An index in memory.

    Attributes:
        touched: Patients changed in it since it was built: their old rows still take room.
    """

    version: int
    index: RosterIndex
    touched: int


class Rosters:
    """The rosters of all sites."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def of(self, site: str, *, now: datetime, source: str | None = None) -> SiteRoster:
        """The site's roster as it is now, with what people have said of prints; of aliases, those of `source` only."""
        with self._database.reading() as session:
            in_use = roster.in_use(session, site)
            policy = LinkPolicy(
                threshold=self._settings.threshold_of(site, source),
                vetoes=roster.vetoes(session, site),
                aliases=aliases.standing(session, site=site, source=source) if source else {},
                calibration=calibrations.current(session),
            )
        if in_use is None:
            return SiteRoster(index=None, policy=policy, reasons=())
        version, as_of = in_use
        limit = timedelta(hours=self._settings.site_settings(site).roster_max_age_hours)
        reasons = ("roster-stale",) if now - as_of > limit else ()
        return SiteRoster(index=self._index(site, version), policy=policy, reasons=reasons)

    def _index(self, site: str, version: int) -> RosterIndex:
        with self._lock:
            kept = self._kept.get(site)
            if kept is None or kept.version != version:
                with self._database.reading() as session:
                    kept = (kept and _brought_up(session, site, kept)) or _built(session, site)
                self._kept[site] = kept
            return kept.index


def _brought_up(session: Session, site: str, kept: _Kept) -> _Kept | None:
    """The index with what was changed since, or None where building it anew is better."""
    update = roster.changes_since(session, site, kept.version)
    if update is None:
        return None
    touched = kept.touched + len(update.changed) + len(update.removed)
    if touched > _REBUILD_SHARE * len(kept.index):
        return None
    return _Kept(version=update.version, index=kept.index.updated(update.changed, update.removed), touched=touched)


def _built(session: Session, site: str) -> _Kept:
    in_use, current = roster.in_use(session, site), roster.current(session, site)
    assert in_use is not None
    assert current is not None
    return _Kept(version=in_use[0], index=RosterIndex.build(current), touched=0)
