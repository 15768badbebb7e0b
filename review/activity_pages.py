"""The weekly review of what people did: figures without patients, looked through and signed by a person."""

from __future__ import annotations

from datetime import UTC, date, tzinfo
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from records.errors import DecisionRefusedError
from review import audit_words, policies
from review.access import Form, SignedIn, Visitor
from review.audit_actions import of_all_sites, week_signers
from review.office import Office, office_of
from review.rendering import go_to, page
from review.routing import Route
from store import activity, activity_signing


def show_weeks(request: Request, visitor: SignedIn) -> Response:
    """Which weeks nobody has reviewed, and which are signed."""
    office, zone = _office(request, visitor), _zone(request)
    with office.database.reading() as session:
        unsigned = activity_signing.unsigned_weeks(session, zone=zone, now=office.now())
        signed = activity_signing.reviews(session)
    this_week = activity.week_of(office.now(), zone)
    return page(request, "audit_weeks.html", visitor=visitor, unsigned=unsigned, reviews=signed, this_week=this_week)


def show_week(request: Request, week: date, visitor: SignedIn) -> Response:
    """One week, as it was signed or as it stands."""
    return _week_page(request, visitor, week)


def sign(request: Request, week: date, visitor: SignedIn, form: Form) -> Response:
    """Sign a week as reviewed."""
    office, note = _office(request, visitor), form.get("note", "")
    try:
        with office.database.session() as session:
            activity_signing.sign(
                session, week, zone=_zone(request), note=note, sha256_seen=form.get("seen", ""),
                signers=week_signers(session), actor=visitor.user.name, now=office.now(),
            )  # fmt: skip
    except DecisionRefusedError as refusal:
        return _week_page(request, visitor, week, problem=str(refusal), note=note, status=409)
    return go_to(f"/audit/weeks/{week.isoformat()}", said="week-signed")


def _week_page(
    request: Request, visitor: Visitor, week: date, *, problem: str = "", note: str = "", status: int = 200
) -> HTMLResponse:
    office, zone = _office(request, visitor), _zone(request)
    this_week = activity.week_of(office.now(), zone)
    if week.weekday() or week > this_week:
        return page(
            request, "message.html", visitor=visitor, status=404, heading="No such week",
            sentence="A week begins on a Monday, and not in the future.", link="/audit/weeks",
            link_words="Go to the weeks",
        )  # fmt: skip
    with office.database.reading() as session:
        review = activity_signing.review_of(session, week)
        told = review.activity if review else activity.activity(session, week, zone=zone)
        is_own = told.is_in(visitor.user.name)
        others = activity_signing.uninvolved(told, week_signers(session)) if is_own else ()
    return page(
        request, "audit_week.html", visitor=visitor, status=status, told=told, review=review, problem=problem,
        note=note, is_over=week < this_week, words=audit_words, begins=activity.DAY_BEGINS, ends=activity.DAY_ENDS,
        is_own=is_own, others=others,
    )  # fmt: skip


def _office(request: Request, visitor: Visitor) -> Office:
    of_all_sites(visitor)
    return office_of(request)


def _zone(request: Request) -> tzinfo:
    return next(iter(office_of(request).sites.values()), UTC)


ROUTES: Final = (
    Route("GET", "/audit/weeks", show_weeks, policies.READS_AUDIT),
    Route("GET", "/audit/weeks/{week}", show_week, policies.READS_AUDIT),
    Route("POST", "/audit/weeks/{week}", sign, policies.READS_AUDIT),
)
