"""The lists behind the figures of a day, and its signature. None of them names a patient."""

from __future__ import annotations

from datetime import date
from typing import Final

from fastapi import HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from records.errors import DecisionRefusedError
from review import day_actions, policies
from review.access import Form, SignedIn, Visitor
from review.dashboard_pages import WORDS
from review.day_view import AskedDay, asked_day, count_site
from review.office import Office, office_of
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import day_list, day_signing
from store.day_list import Kind

_PAGE: Final = 100
_TITLES: Final = {
    Kind.RECORDS: "Records",
    Kind.AUTOMATIC: "Records that needed no person",
    Kind.REVIEWED: "Records decided by a person",
    Kind.WAITING: "Records that wait for review",
    Kind.DELIVERED: "Records delivered to the chart",
    Kind.FAILED: "Records that a portal refused",
}


def show_reports(request: Request, visitor: SignedIn, site: str = "", day: str = "") -> Response:
    """The files of a day."""
    office = office_of(request)
    asked = asked_day(office, visitor, site=site, day=day)
    with office.database.reading() as session:
        days = [count_site(session, office, one, asked.day or office.today(one)) for one in asked.sites]
    return page(
        request, "day_reports.html", visitor=visitor, asked=asked, shown=_shown(office, asked), days=days, words=WORDS
    )


def show_records(
    request: Request, kind: str, visitor: SignedIn, site: str = "", day: str = "", after: int = 0
) -> Response:
    """The records of one kind, a hundred a page."""
    office = office_of(request)
    asked = asked_day(office, visitor, site=site, day=day)
    if kind not in set(Kind):
        raise HTTPException(404)
    chosen = Kind(kind)
    with office.database.reading() as session:
        listed = [
            record
            for one in asked.sites
            for record in day_list.records(session, site=one, day=asked.day or office.today(one), kind=chosen)
        ]
        listed.sort(key=lambda record: record.record_id)
        rest = [record for record in listed if record.record_id > after]
        shown = day_list.with_reasons(session, rest[:_PAGE])
    return page(
        request, "day_records.html", visitor=visitor, asked=asked, shown=_shown(office, asked), kind=chosen,
        title=_TITLES[chosen], records=shown, count=len(listed), more=len(rest) > _PAGE, words=WORDS,
    )  # fmt: skip


def sign_form(request: Request, visitor: SignedIn, site: str = "", day: str = "") -> Response:
    """What would be signed of a site's day."""
    return _sign_page(request, visitor, site=site, day=day)


def sign(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Take the signature."""
    office = office_of(request)
    site, chosen = _one_site(office, visitor, site=form.get("site", ""), day=form.get("day", ""))
    try:
        signed = day_actions.sign_day(
            office.database, site=site, day=chosen, zone=office.sites[site], watched=office.day.sources,
            name=form.get("name", ""), note=form.get("note", ""), sha256_seen=form.get("seen", ""),
            actor=visitor.user.name, now=office.now(),
        )  # fmt: skip
    except DecisionRefusedError as refusal:
        return _sign_page(
            request, visitor, site=site, day=chosen.isoformat(), problem=str(refusal), status=409,
            name=form.get("name", ""), note=form.get("note", ""),
        )  # fmt: skip
    return go_to(f"/day/signed/{signed.sign_off_id}", said="signed")


def show_signed(request: Request, day_sign_off_id: int, visitor: SignedIn) -> Response:
    """A day as it was signed, and what has changed since."""
    office = office_of(request)
    with office.database.session() as session:
        try:
            signed = day_signing.sign_off(session, day_sign_off_id, sites=office.sites_seen(visitor.user))
        except DecisionRefusedError:
            raise HTTPException(404) from None
        changes = day_signing.changes_since(session, signed)
        note_view(session, visitor, "day.viewed", "day-sign-off", str(day_sign_off_id), now=office.now())
    return page(
        request, "day_signed.html", visitor=visitor, signed=signed, told=signed.snapshot, changes=changes, words=WORDS
    )


def list_signed(request: Request, visitor: SignedIn) -> Response:
    """The latest signatures."""
    office = office_of(request)
    with office.database.reading() as session:
        signed = day_signing.sign_offs(session, sites=office.sites_seen(visitor.user))
    return page(request, "day_signed_list.html", visitor=visitor, signed=signed)


def _sign_page(
    request: Request, visitor: Visitor, *, site: str, day: str, problem: str = "", status: int = 200, name: str = "",
    note: str = "",
) -> HTMLResponse:  # fmt: skip
    office = office_of(request)
    site, chosen = _one_site(office, visitor, site=site, day=day)
    zone, now = office.sites[site], office.now()
    with office.database.reading() as session:
        told = day_signing.present(session, site=site, day=chosen, zone=zone, watched=office.day.sources, now=now)
        before = day_signing.sign_offs(session, sites=(site,), day=chosen)
    return page(
        request, "day_sign.html", visitor=visitor, status=status, problem=problem, told=told, before=before,
        note=note, signature=name, is_over=chosen < office.today(site), words=WORDS,
    )  # fmt: skip


def _one_site(office: Office, visitor: Visitor, *, site: str, day: str) -> tuple[str, date]:
    """One site's day; the first site, and today, where none is asked for."""
    asked = asked_day(office, visitor, site=site, day=day)
    if not asked.sites:
        raise HTTPException(404)
    return asked.sites[0], asked.day or office.today(asked.sites[0])


def _shown(office: Office, asked: AskedDay) -> date:
    return asked.day or (office.today(asked.sites[0]) if asked.sites else office.now().date())


ROUTES: Final = (
    Route("GET", "/day/list/reports", show_reports, policies.EVERYBODY),
    Route("GET", "/day/list/{kind}", show_records, policies.EVERYBODY),
    Route("GET", "/day/sign", sign_form, policies.SIGNS),
    Route("POST", "/day/sign", sign, policies.SIGNS),
    Route("GET", "/day/signed", list_signed, policies.EVERYBODY),
    Route("GET", "/day/signed/{day_sign_off_id}", show_signed, policies.EVERYBODY),
)
