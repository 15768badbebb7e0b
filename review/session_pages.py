"""How long a session still lasts, for the small module that warns before it ends."""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from review import policies
from review.access import SignedIn, session_token
from review.office import office_of
from review.rendering import go_to
from review.routing import Route
from store import web_sessions

WARN_SECONDS: Final = 60


def remaining(request: Request, visitor: SignedIn) -> Response:
    """Seconds until the session ends; asking is no activity."""
    left = visitor.web_session.ends_at - office_of(request).now()
    return JSONResponse(
        {
            "seconds": max(int(left.total_seconds()), 0),
            "warn_seconds": WARN_SECONDS,
            "user": visitor.user.name,
            "form_token": visitor.form_token,
        }
    )


def stay(request: Request, visitor: SignedIn) -> Response:
    """The person is still there: the idle time begins anew, though never beyond the longest session."""
    office = office_of(request)
    token = session_token(request, office)
    with office.database.session() as session:
        web_sessions.touch(session, token, now=office.now())
        found = web_sessions.find(session, token, now=office.now())
    if "application/json" not in request.headers.get("accept", ""):
        return go_to("/")
    left = (found or visitor.web_session).ends_at - office.now()
    return JSONResponse({"seconds": max(int(left.total_seconds()), 0)})


ROUTES: Final = (
    Route("GET", "/session", remaining, policies.ASKS_FOR_THE_TIME),
    Route("POST", "/session", stay, policies.EVERYBODY),
)
