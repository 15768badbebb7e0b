"""The day on one page: what is urgent, the sum that adds up, what did not come, what reads otherwise than usual.

Whoever may not read patients sees the same figures and no names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from records.submission import delivery_sentence
from review import day_words, policies
from review.access import SignedIn, Visitor
from review.day_view import DayView, asked_day, day_view
from review.office import Office, office_of
from review.rendering import page
from review.routing import Route
from review.viewing import note_view
from store import blind_audit, outbox, reports, roster
from store.blind_audit import AuditFigures
from store.database import Session
from store.reports import StoredReport
from store.roster import RosterStatus

_LISTED: Final = 20
WORDS: Final = {
    "state": day_words.state_words,
    "span": day_words.span,
    "age": day_words.age,
    "share": day_words.share,
    "place": day_words.PLACE_WORDS,
    "long_day": day_words.long_day,
    "day_before": day_words.day_before,
    "reason": delivery_sentence,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Below:
    """What stands below the day: reports for a person, delivery, checks, patient lists."""

    quarantined: Sequence[StoredReport]
    attention: Sequence[StoredReport]
    paused: Mapping[str, str]
    rosters: Sequence[RosterStatus]
    audit: AuditFigures


def dashboard(request: Request, visitor: SignedIn, site: str = "", day: str = "") -> Response:
    """A day of all the visitor's sites, or of one."""
    return _day_page(request, visitor, "dashboard.html", site=site, day=day)


def dashboard_part(request: Request, visitor: SignedIn, site: str = "", day: str = "") -> Response:
    """The same without its frame, for the page to renew itself."""
    return _day_page(request, visitor, "dashboard_day.html", site=site, day=day)


def _day_page(request: Request, visitor: Visitor, name: str, *, site: str, day: str) -> HTMLResponse:
    office = office_of(request)
    asked = asked_day(office, visitor, site=site, day=day)
    with office.database.reading() as session:
        view = day_view(session, office, visitor, asked)
        below = _below(session, office, asked.sites)
    _note_names(office, visitor, view)
    return page(
        request, name, visitor=visitor, view=view, sites=office.sites_seen(visitor.user), words=WORDS,
        target=office.day.target, below=below,
    )  # fmt: skip


def _note_names(office: Office, visitor: Visitor, view: DayView) -> None:
    """Patients named here are looked at like any others: once for each that was not just shown to this session."""
    shown = view.shown_patients
    if shown and office.day.shown.is_news(visitor.form_token, shown):
        with office.database.session() as session:
            note_view(session, visitor, "alert.listed", "alert", "day", now=office.now(), shown=len(shown))


def _below(session: Session, office: Office, sites: tuple[str, ...]) -> _Below:
    quarantined = [one for site in sites for one in reports.quarantined(session, site=site, limit=_LISTED)]
    attention = [one for site in sites for one in reports.needing_attention(session, site=site)]
    served = {name for site in sites for name in office.destinations_of(site)}
    return _Below(
        quarantined=quarantined[:_LISTED],
        attention=attention[:_LISTED],
        paused={name: reason for name, reason in outbox.paused(session).items() if name in served},
        rosters=[one for one in roster.status(session, now=office.now()) if one.site in sites],
        audit=blind_audit.figures(session, sites=sites),
    )


# The page renews itself: that keeps nobody signed in.
_UNASKED: Final = replace(policies.EVERYBODY, counts=False)
ROUTES: Final = (
    Route("GET", "/", dashboard, policies.EVERYBODY),
    Route("GET", "/day/part", dashboard_part, _UNASKED),
)
