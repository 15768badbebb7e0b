"""Sites and their days: the sum that must add up. No patient is named."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from fastapi import Request

from review import policies
from review.api.reports import BalanceShown
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Shape
from review.office import office_of
from store import balance, cases, roster


class SiteShown(Shape):
    """A site that the token sees."""

    site: str
    time_zone: str
    today: date
    waiting: int
    """Cases that wait for a person."""


class Sites(Shape):
    """All sites that the token sees."""

    items: tuple[SiteShown, ...]


class DayShown(Shape):
    """Where the records of a site's local day are."""

    site: str
    day: date
    balance: BalanceShown
    waiting_split: dict[str, int]
    """What waiting is made of: review, pending, sending, held, unknown, dead, shadow."""
    adds_up: bool


class RosterShown(Shape):
    """The roster in use at a site."""

    site: str
    patients: int
    active: int
    merged: int
    as_of: datetime
    imported_from: str
    imported_at: datetime
    imported_by: str
    version: int
    held_by: str | None


class Rosters(Shape):
    """The rosters of all sites that the token sees and that have one."""

    items: tuple[RosterShown, ...]


def list_sites(request: Request, caller: Caller) -> Sites:
    """The sites that the token sees."""
    office = office_of(request)
    with office.database.reading() as session:
        return Sites(
            items=tuple(
                SiteShown(
                    site=site,
                    time_zone=str(office.sites[site]),
                    today=office.today(site),
                    waiting=cases.count_open(session, site=site),
                )
                for site in office.sites
                if caller.sees(site)
            )
        )


def get_day(request: Request, site: str, caller: Caller, day: date | None = None) -> DayShown:
    """The balance of a site's day; of today where no day is given."""
    del caller
    office = office_of(request)
    wanted = day or office.today(site)
    with office.database.reading() as session:
        where = balance.of_day(session, site=site, day=wanted)
        split = balance.split_of_day(session, site=site, day=wanted)
    return DayShown(
        site=site,
        day=wanted,
        balance=BalanceShown.model_validate(where),
        waiting_split=split,
        adds_up=sum(split.values()) == where.waiting,
    )


def list_rosters(request: Request, caller: Caller) -> Rosters:
    """How old each site's roster is, and whether it is held."""
    office = office_of(request)
    with office.database.reading() as session:
        found = roster.status(session, now=office.now())
    return Rosters(items=tuple(RosterShown.model_validate(one) for one in found if caller.sees(one.site)))


ROUTES: Final = (
    ApiRoute("GET", "/sites", list_sites, policies.EVERYBODY),
    ApiRoute("GET", "/sites/{site}/day", get_day, policies.EVERYBODY),
    ApiRoute("GET", "/rosters", list_rosters, policies.EVERYBODY),
)
