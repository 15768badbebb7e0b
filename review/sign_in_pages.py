"""Signing in and out."""

from __future__ import annotations

import re
from typing import Final

from fastapi import Request, Response

from review import policies
from review.access import Form, begin_session, begin_visit, close_session, current_visitor, end_session
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from store import users

# The pages one may return to after a sign-in. Anything else would let a link lead out of the program.
_WITHIN: Final = re.compile(r"/(?:queue|alerts|cases/\d{1,12}|reports/\d{1,12})?")
# One sentence for a wrong name, a wrong password and a locked account: none of them is given away.
_REFUSED: Final = (
    "That name and password do not match, or the account is locked. "
    "After several wrong passwords it stays locked for 15 minutes; an administrator can help."
)


def sign_in_form(request: Request) -> Response:
    """The form; whoever is signed in goes on to the dashboard."""
    office = office_of(request)
    if current_visitor(request, office) is not None:
        return go_to("/")
    return _form(request, next_path=request.query_params.get("next", "/"))


def sign_in(request: Request, form: Form) -> Response:
    """Open a session for a named user."""
    office = office_of(request)
    with office.sign_ins, office.database.session() as session:
        now = office.now()
        user = users.verify(session, form.get("name", "").strip(), form.get("password", ""), now=now)
        token = users.open_session(session, user, now=now) if user else None
    if token is None:
        return _form(request, next_path=form.get("next", "/"), problem=_REFUSED, status=403)
    next_path = form.get("next", "/")
    response = go_to(next_path if _WITHIN.fullmatch(next_path) else "/")
    close_session(request, office)
    begin_session(response, token, office)
    return response


def sign_out(request: Request) -> Response:
    """End the session here and on the server, and have the browser forget what it kept."""
    response = go_to("/sign-in", said="signed-out")
    end_session(request, response, office_of(request))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _form(request: Request, *, next_path: str, problem: str = "", status: int = 200) -> Response:
    response = page(
        request, "sign_in.html", visitor=None, status=status, problem=problem,
        next_path=next_path if _WITHIN.fullmatch(next_path) else "/",
    )  # fmt: skip
    begin_visit(request, response, office_of(request))
    return response


ROUTES: Final = (
    Route("GET", "/sign-in", sign_in_form, policies.OPEN),
    Route("POST", "/sign-in", sign_in, policies.OPEN),
    Route("POST", "/sign-out", sign_out, policies.EVERYBODY),
)
