"""Requests whose session has ended, or whose person must show a code again: where they go, and what is kept of them."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode, urlsplit

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from records.errors import StoreError
from review.access import ForgedFormError, Visitor, late_visitor, read_fields
from review.office import office_of
from review.rendering import go_to
from review.sign_in_flow import within
from store import kept_entries
from store.users import User

# Entries of these pages are not kept: they hold passwords and codes, or mean nothing an hour later.
_NOT_KEPT: Final = ("/sign-", "/account", "/prove", "/session", "/kept", "/api")
# Nor are those that a page sends by itself.
_SENT_BY_PAGES: Final = ("/renew", "/check")


async def to_sign_in(request: Request, _: Exception) -> Response:
    """Send the browser to the sign-in; a form that came just too late is kept for the person whose session it was."""
    if request.url.path.endswith(".png"):
        return Response(status_code=401)
    office = office_of(request)
    if request.method != "GET":
        late = await run_in_threadpool(late_visitor, request, office)
        kept = late is not None and await _keep(request, *late)
        return _away(request, go_to("/sign-in", said="kept" if kept else "idle"))
    path = within(request, _shown(request))
    return _away(request, go_to("/sign-in" if path == "/" else f"/sign-in?{urlencode({'next': path}, safe='/')}"))


async def to_proof(request: Request, _: Exception) -> Response:
    """Ask for a code before a sensitive act; a form that was sent is kept and offered again afterwards."""
    visitor = getattr(request.state, "visitor", None)
    kept = False
    if request.method != "GET" and isinstance(visitor, Visitor):
        kept = await _keep(request, visitor.web_session.user, visitor.form_token)
    path = "/kept" if kept else within(request, _shown(request))
    return _away(request, go_to(f"/prove?{urlencode({'next': path}, safe='/')}"))


async def _keep(request: Request, user: User, token: str) -> bool:
    """Keep a form whose sender is known; forms that are not ours are not kept."""
    if request.url.path.startswith(_NOT_KEPT) or request.url.path.endswith(_SENT_BY_PAGES):
        return False
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return False
    try:
        fields = await read_fields(request, token)
    except ForgedFormError:
        return False
    office = office_of(request)

    def keep() -> bool:
        with office.database.session() as session:
            return kept_entries.keep(session, user, request.url.path, fields, now=office.now())

    try:
        return await run_in_threadpool(keep)
    except StoreError:
        return False


def _shown(request: Request) -> str:
    """The page the person looks at: of a part that a page asked for by itself, that page."""
    if "hx-request" in request.headers:
        return urlsplit(request.headers.get("hx-current-url", "")).path
    return request.url.path


def _away(request: Request, response: Response) -> Response:
    """The same, for a part of a page: the whole page goes there, or the sign-in would stand in the middle of it."""
    if "hx-request" not in request.headers:
        return response
    return Response(status_code=401, headers={"HX-Redirect": response.headers["location"]})
