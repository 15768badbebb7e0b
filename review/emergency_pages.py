"""Emergency access: taken with a reason, for an hour, seen by everybody, looked at afterwards."""

from __future__ import annotations

from typing import Final

from fastapi import HTTPException, Request, Response

from records.errors import DecisionRefusedError
from review import policies
from review.access import Form, SignedIn, Visitor, begin_session, session_token
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.user_pages import manages
from store import emergency_access, web_sessions
from store.database import Session
from store.emergency_access import EmergencyAccess


def show_emergency(request: Request, visitor: SignedIn) -> Response:
    """The form to take it; for those who review, also what was taken."""
    return _page(request, visitor)


def take(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Begin emergency access, under a new session token."""
    office, now = office_of(request), office_of(request).now()
    try:
        with office.database.session() as session:
            emergency_access.take(session, visitor.web_session.user, form.get("reason", ""), now=now)
            token = web_sessions.renew(session, session_token(request, office), now=now)
    except DecisionRefusedError as refused:
        return _page(request, visitor, problem=str(refused), reason=form.get("reason", ""))
    response = go_to("/")
    if token is not None:
        begin_session(response, token, office)
    return response


def end(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Go back to one's own rights."""
    del form
    office = office_of(request)
    with office.database.session() as session:
        emergency_access.end(session, visitor.user, actor=visitor.user.name, now=office.now())
    return go_to("/", said="emergency-ended")


def review(request: Request, visitor: SignedIn, access_id: int, form: Form) -> Response:
    """Somebody else has looked at what was done."""
    del form
    office = office_of(request)
    with office.database.session() as session:
        if access_id not in {one.access_id for one in _seen(session, visitor)}:
            raise HTTPException(404)
        emergency_access.review(session, access_id, actor=visitor.user.name, now=office.now())
    return go_to("/emergency-access", said="emergency-reviewed")


def _seen(session: Session, visitor: Visitor) -> list[EmergencyAccess]:
    """What people of the visitor's own sites took: a reason may name a patient."""
    return [one for one in emergency_access.list_accesses(session) if manages(visitor, one.user)]


def _page(request: Request, visitor: SignedIn, *, problem: str = "", reason: str = "") -> Response:
    office, now = office_of(request), office_of(request).now()
    reviews = visitor.may(policies.REVIEWS_EMERGENCY_ACCESS)
    with office.database.reading() as session:
        taken = _seen(session, visitor) if reviews else []
    return page(
        request, "emergency_access.html", visitor=visitor, status=409 if problem else 200, problem=problem,
        reason=reason, taken=taken, reviews=reviews, now=now, account=visitor.web_session.user,
        minutes=int(emergency_access.LASTS.total_seconds() // 60),
    )  # fmt: skip


ROUTES: Final = (
    Route("GET", "/emergency-access", show_emergency, policies.EVERYBODY),
    Route("POST", "/emergency-access", take, policies.TAKES_EMERGENCY_ACCESS),
    Route("POST", "/emergency-access/end", end, policies.EVERYBODY),
    Route("POST", "/emergency-access/{access_id}/review", review, policies.REVIEWS_EMERGENCY_ACCESS),
)
