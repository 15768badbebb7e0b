"""How fresh the roster of each site is, in words for an operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ingest.settings import SiteSettings
from store import roster
from store.database import Session
from store.roster import RosterStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFreshness:
    """One site's roster against what is allowed.

    Attributes:
        state: "stale" confirms nobody by itself; "held" waits for a person after a roll back.
    """

    site: str
    state: Literal["missing", "stale", "held", "fresh"]
    status: RosterStatus | None
    limit: timedelta

    @property
    def is_worrying(self) -> bool:
        """Whether an operator has something to do."""
        return self.state != "fresh"

    @property
    def sentence(self) -> str:
        """Everything about it in a line."""
        if self.status is None:
            return "there is none: every record of this site waits for a person"
        about = f"{counted(self.status)}, version {self.status.version} from {self.status.imported_from}"
        age = f"{span(self.status.age)} old, limit {span(self.limit)}"
        if self.state == "stale":
            return f"{about}; {age}: too old, every record of this site waits for a person"
        if self.state == "held":
            return f"{about}; {age}; rolled back by {self.status.held_by}: new lists wait for an import by hand"
        return f"{about}; {age}"


def freshness(session: Session, sites: Sequence[SiteSettings], *, now: datetime) -> tuple[RosterFreshness, ...]:
    """The rosters of the sites that are set."""
    found = {status.site: status for status in roster.status(session, now=now)}
    return tuple(_freshness(site, found.get(site.id)) for site in sites)


def counted(status: RosterStatus) -> str:
    """How many patients: "1,204 patients (1,180 active, 3 merged)"."""
    merged = f", {status.merged:,} merged" if status.merged else ""
    return f"{status.patients:,} patients ({status.active:,} active{merged})"


def span(time: timedelta) -> str:
    """A time in the unit a person would use: "40 minutes", "5 hours", "9 days"."""
    minutes = max(time.total_seconds(), 0) / 60
    number, unit = (
        (minutes, "minute")
        if minutes < 120
        else (minutes / 60, "hour")
        if minutes < 48 * 60
        else (minutes / 1440, "day")
    )
    return f"{number:.0f} {unit}{'' if round(number) == 1 else 's'}"


def _freshness(site: SiteSettings, status: RosterStatus | None) -> RosterFreshness:
    limit = timedelta(hours=site.roster_max_age_hours)
    if status is None:
        return RosterFreshness(site=site.id, state="missing", status=None, limit=limit)
    state: Literal["stale", "held", "fresh"] = "stale" if status.age > limit else "held" if status.held_by else "fresh"
    return RosterFreshness(site=site.id, state=state, status=status, limit=limit)
