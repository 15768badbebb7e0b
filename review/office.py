"""What the pages need from the program around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import BoundedSemaphore
from zoneinfo import ZoneInfo

from fastapi import Request

from review.day_surroundings import DaySurroundings
from review.page_images import PageImages
from review.patient_search import PatientIndex
from review.provider import Provider
from review.rematching import Rosters
from review.settings import WebSettings
from review.setup import Setup
from review.slowdown import Slowdown
from store import cases, roster
from store.database import Database, Session
from store.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The pages' surroundings, the same for every request.

    Attributes:
        sites: Site id to its time zone, in the order they are shown.
        destinations_of: Site id to the ids of the destinations its records go to.
        metrics: Text of `/metrics`, or None if there are none.
        health: Content of `/health` without patient data, or None for "it answers".
        matching: Who can be matched anew; None where nothing can, such as in a page's test.
        day: What the day's page needs from the settings.
        provider: The identity provider people may sign in with, or None.
        setup: What the settings decide around the pages.
        uploads: Few forms with files are read at once, since they are held in memory.
        sign_ins: Few passwords are checked at once, since each check takes much memory on purpose.
        slowdown: Machines from which many wrong passwords came.
    """

    database: Database
    settings: WebSettings
    sites: Mapping[str, ZoneInfo]
    images: PageImages
    destinations_of: Callable[[str], tuple[str, ...]]
    now: Callable[[], datetime]
    metrics: Callable[[], bytes] | None
    health: Callable[[], Mapping[str, object]] | None
    matching: Rosters | None = None
    day: DaySurroundings = field(default_factory=DaySurroundings)
    provider: Provider | None = None
    slowdown: Slowdown = field(default_factory=Slowdown)
    setup: Setup = field(default_factory=Setup)
    sign_ins: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(2))
    uploads: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(3))
    rosters: RosterShelf = field(default_factory=lambda: RosterShelf())

    def today(self, site: str) -> date:
        """Today at a site."""
        return self.local(self.now(), site).date()

    def day_began(self, site: str | None) -> datetime:
        """When today began at a site; at the first one where none is meant."""
        return self.local(self.now(), site).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    def day_ends(self, site: str | None) -> datetime:
        """When today ends at a site; at the first one where none is meant."""
        noon = self.local(self.now(), site).replace(hour=12) + timedelta(days=1)  # safe where the clocks change
        return noon.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    def sites_seen(self, user: User) -> tuple[str, ...]:
        """The sites a person may know about, in the order they are shown."""
        return tuple(site for site in self.sites if user.sees(site))

    def waiting(self, user: User) -> int:
        """How many cases wait for review at the sites of a user."""
        with self.database.reading() as session:
            return cases.count_open(session, sites=self.sites_seen(user))

    def local(self, moment: datetime, site: str | None) -> datetime:
        """A moment on the clocks of a site; of the first site where none is meant."""
        zone = self.sites.get(site) if site else next(iter(self.sites.values()), None)
        return moment.astimezone(zone or UTC)


class RosterShelf:
    """Rosters made ready for searching, as long as the store holds no newer version."""

    def __init__(self) -> None:
        self._ready: dict[str, tuple[int, PatientIndex]] = {}

    def index(self, session: Session, site: str) -> PatientIndex | None:
        """The site's patients, or None if it has no roster."""
        version = roster.version(session, site)
        held = self._ready.get(site)
        if held is not None and held[0] == version:
            return held[1]
        patients = roster.current(session, site)
        if patients is None:
            return None
        index = PatientIndex(patients)
        self._ready[site] = (version, index)
        return index


def office_of(request: Request) -> Office:
    """The office of the application that serves this request."""
    office = request.app.state.office
    if not isinstance(office, Office):
        raise TypeError("the application was not made by create_app")
    return office
