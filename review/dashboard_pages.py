"""The day on one page. It names no patient, so everybody who is signed in may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from fastapi import Request, Response

from records.balance import Balance
from review import policies
from review.access import SignedIn
from review.office import Office, office_of
from review.rendering import SPLIT_WORDS, page
from review.routing import Route
from store import alerts, balance, blind_audit, cases, notices, outbox, reports, roster
from store.database import Session

_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDay:
    """Where the records of one site's day are.

    Attributes:
        day: Today at the site.
        waiting_split: Kinds of waiting that are not empty, with their number; they add up to `balance.waiting`.
        adds_up: Whether they really do.
    """

    site: str
    day: date
    balance: Balance
    waiting_split: tuple[tuple[str, int], ...]
    adds_up: bool


def dashboard(request: Request, visitor: SignedIn) -> Response:
    """Today's sum per site, what is urgent, and what needs somebody."""
    office = office_of(request)
    with office.database.reading() as session:
        days = [_site_day(session, site, office) for site in office.sites]
        return page(
            request, "dashboard.html", visitor=visitor, days=days,
            alerts=alerts.list_alerts(session, open_only=True), notices=notices.list_open(session),
            quarantined=reports.quarantined(session, limit=_LISTED),
            attention=reports.needing_attention(session)[:_LISTED],
            deliveries=outbox.counts(session), paused=outbox.paused(session), waiting=cases.count_open(session),
            rosters=roster.status(session, now=office.now()), unbalanced=balance.mismatches(session)[:_LISTED],
            audit=blind_audit.figures(session), now=office.now(),
        )  # fmt: skip


def _site_day(session: Session, site: str, office: Office) -> SiteDay:
    today = office.today(site)
    where = balance.of_day(session, site=site, day=today)
    split = balance.split_of_day(session, site=site, day=today)
    named = tuple((SPLIT_WORDS.get(kind, kind), count) for kind, count in split.items() if count)
    return SiteDay(
        site=site, day=today, balance=where, waiting_split=named, adds_up=sum(split.values()) == where.waiting
    )


ROUTES: Final = (Route("GET", "/", dashboard, policies.EVERYBODY),)
