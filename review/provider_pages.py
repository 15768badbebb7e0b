"""Signing in by the identity provider, and proving there who one is: there and back again."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import structlog
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from records.errors import DecisionRefusedError, ScorebridgeError
from review import policies
from review.access import SignedIn, begin_session
from review.office import Office, office_of
from review.provider import RETURNS_WITHIN, Departure, Person, Provider, ProviderError, SignedInBrowser
from review.rendering import go_to, page
from review.routing import Route
from review.sign_in_flow import begin, within
from store import provider_links, users, web_sessions
from store.sealing import seal, unseal
from store.users import User

_log = structlog.get_logger("review")

_COOKIE: Final = "scorebridge_provider"
_PURPOSE: Final = "provider-departure"
_DOWN: Final = "The sign-in service cannot be reached. Try again, or sign in with a password."
_REFUSED: Final = "The sign-in service did not confirm who you are. Try again."
_DOWN_TO_PROVE: Final = "The sign-in service cannot be reached. Try again in a moment."
_NOT_ASKED: Final = "The sign-in service did not confirm that you signed in there just now. Nothing was changed."
_SOMEBODY_ELSE: Final = "Somebody else signed in at the sign-in service. Nothing was changed."
_NO_CODE: Final = "The sign-in service did not ask you for a second factor. Nothing was changed."
_UNKNOWN: Final = "Nobody of that name may sign in here. An administrator can add you."


def depart(request: Request) -> Response:
    """Send the browser to the provider for a sign-in."""
    return _depart(request, proves=None)


def depart_to_prove(request: Request, visitor: SignedIn) -> Response:
    """Send somebody who is signed in to the provider once more, who asks them whatever it remembers of them."""
    session = visitor.web_session
    if office_of(request).provider is None:
        return go_to("/prove")
    return _depart(request, proves=SignedInBrowser(session.user.user_id, session.mark))


def _depart(request: Request, *, proves: SignedInBrowser | None) -> Response:
    """Send the browser to the provider; what must come back is remembered in the browser, sealed."""
    office, now = office_of(request), office_of(request).now()
    provider = office.provider
    next_path = within(request, request.query_params.get("next", "/"))
    if provider is None:
        return _problem(request, "There is no sign-in service here.", status=404)
    try:
        address, departure = provider.depart(next_path=next_path, proves=proves, now=now)
    except ProviderError as fault:
        _log.warning("provider.unreachable", fault=str(fault))
        return _not_proved(request, _DOWN_TO_PROVE, next_path) if proves else _problem(request, _DOWN, status=503)
    sealed = seal(office.database.keys, departure.to_json(), purpose=_PURPOSE)
    response = RedirectResponse(address, status_code=303)
    # Lax, not strict: the browser comes back by a link of another site, and must bring this one along.
    response.set_cookie(
        _COOKIE, sealed.hex(), path="/sign-in/provider", max_age=int(RETURNS_WITHIN.total_seconds()), httponly=True,
        samesite="lax", secure=office.settings.has_tls,
    )  # fmt: skip
    return response


def arrive(request: Request) -> Response:
    """Take the provider's answer, find the user it is about, and go on with the sign-in."""
    office, now = office_of(request), office_of(request).now()
    departure, provider = _departure(request, office), office.provider
    if departure is None or provider is None:
        return _problem(request, _REFUSED, status=403)
    try:
        person = provider.arrive(request.query_params, departure, now=now)
    except ProviderError as fault:
        _log.warning("provider.not-believed", fault=str(fault))
        refused = departure.proves is not None
        return (
            _not_proved(request, _NOT_ASKED, departure.next_path)
            if refused
            else _problem(request, _REFUSED, status=403)
        )
    user = _user(office, provider, person)
    if departure.proves is not None:
        return _prove(request, departure, departure.proves, person, user)
    if user is None:
        return _problem(request, _UNKNOWN, status=403)
    response = begin(
        request, user, by_provider=True, second_factor_done=person.second_factor, next_path=departure.next_path,
        leave=lambda path: _onward(request, path, heading="Signing in"),
    )  # fmt: skip
    response.delete_cookie(_COOKIE, path="/sign-in/provider")
    return response


def _prove(
    request: Request, departure: Departure, proves: SignedInBrowser, person: Person, user: User | None
) -> Response:
    """Let the session go on under a new token, if it is that of whom the provider has recognised."""
    office, now = office_of(request), office_of(request).now()
    if user is None or user.user_id != proves.user_id:
        return _not_proved(request, _SOMEBODY_ELSE, departure.next_path)
    if office.settings.needs_second_factor and not person.second_factor:
        return _not_proved(request, _NO_CODE, departure.next_path)
    with office.database.session() as session:
        token = web_sessions.prove_marked(session, user, proves.mark, now=now)
        if token is not None:
            users.proved(session, user, by="provider", browser="", now=now)
    if token is None:
        return _problem(request, "Your session has ended meanwhile. Sign in again.", status=403)
    response = _onward(request, within(request, departure.next_path), heading="Confirmed")
    begin_session(response, token, office)
    response.delete_cookie(_COOKIE, path="/sign-in/provider")
    return response


def _not_proved(request: Request, sentence: str, next_path: str) -> Response:
    link = f"/prove?{urlencode({'next': next_path}, safe='/')}"
    return page(
        request, "message.html", visitor=None, status=403, heading="Not confirmed", sentence=sentence, link=link,
        link_words="Try again",
    )  # fmt: skip


def _departure(request: Request, office: Office) -> Departure | None:
    try:
        sealed = bytes.fromhex(request.cookies.get(_COOKIE, ""))
        departure = Departure.from_json(unseal(office.database.keys, sealed, purpose=_PURPOSE))
    except (ValueError, ScorebridgeError):
        return None
    return departure if office.now() - departure.left_at < RETURNS_WITHIN else None


def _user(office: Office, provider: Provider, person: Person) -> User | None:
    """The enabled user whom the provider has recognised, with the role that its groups give."""
    settings, now = provider.settings, office.now()
    role = next((role for group, role in settings.roles.items() if group in person.groups), None)
    if settings.role_claim is not None and role is None:
        return None
    with office.database.session() as session:
        user = provider_links.linked(session, settings.issuer, person.subject)
        if user is None and person.name is not None and settings.match_claim != "none":
            user = provider_links.link_first(session, settings.issuer, person.subject, person.name, now=now)
        if user is None or not user.enabled:
            return None
        if role is None or role is user.role:
            return user
        try:
            return users.set_role(session, user.name, role, actor="provider", now=now)
        except DecisionRefusedError:  # the last administrator stays one
            return user


def _onward(request: Request, path: str, *, heading: str) -> Response:
    # A page of our own in between: a redirect out of another site's link would not carry our strict cookies.
    response = page(request, "onward.html", visitor=None, onward=path, heading=heading)
    response.headers["Refresh"] = f"0; url={path}"
    return response


def _problem(request: Request, sentence: str, *, status: int) -> Response:
    return page(
        request, "message.html", visitor=None, status=status, heading="Not signed in", sentence=sentence,
        link="/sign-in", link_words="Go to the sign-in",
    )  # fmt: skip


ROUTES: Final = (
    Route("GET", "/sign-in/provider", depart, policies.OPEN),
    Route("GET", "/sign-in/provider/callback", arrive, policies.OPEN),
    Route("GET", "/prove/provider", depart_to_prove, policies.EVERYBODY),
)
