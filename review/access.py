"""Who may do what on the pages. A route without a policy of this module is refused by the tests."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response

from review.office import Office, office_of
from review.settings import is_loopback
from store import users
from store.users import Role, User

_MAX_FIELDS: Final = 200


class SignInNeededError(Exception):
    """Nobody is signed in, or the session has ended."""


class NotAllowedError(Exception):
    """The visitor may not do this."""


class ForgedFormError(Exception):
    """A form did not come from a page of this program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The person behind a request.

    Attributes:
        user: The named user.
        form_token: What every form of this session carries.
    """

    user: User
    form_token: str

    def may(self, policy: Policy) -> bool:
        """Whether a policy lets this person in, so that a page can leave out what it would refuse."""
        return self.user.role in policy.roles

    def sees(self, site: str) -> bool:
        """Whether this person may know anything about a site's patients."""
        return self.user.sees(site)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may take a route.

    Attributes:
        roles: Roles that may; nobody if empty, unless the route is open.
        is_open: No sign-in is needed; such a route shows no patient data.
        only_here: The request must come from this machine.
    """

    roles: frozenset[Role] = frozenset()
    is_open: bool = False
    only_here: bool = False

    def __call__(self, request: Request) -> None:
        """Let the request pass.

        Raises:
            SignInNeededError: Nobody is signed in.
            NotAllowedError: The role is not among `roles`, or the request comes from another machine.
        """
        if self.only_here and not (request.client and is_loopback(request.client.host)):
            raise NotAllowedError
        if self.is_open:
            return
        visitor = _visitor(request, office_of(request))
        if visitor.user.role not in self.roles:
            raise NotAllowedError
        request.state.visitor = visitor


def signed_in(request: Request) -> Visitor:
    """The person whom the route's policy let in.

    Raises:
        SignInNeededError: The policy let somebody in without a sign-in.
    """
    visitor = getattr(request.state, "visitor", None)
    if not isinstance(visitor, Visitor):
        raise SignInNeededError
    return visitor


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form that one of our own pages sent; of a field given twice, the last.

    Runs after the route's policy, so that nobody who is not signed in has a body read, but for the sign-in itself.

    Raises:
        ForgedFormError: The token is missing or belongs to another session.
    """
    body = await request.body()
    try:
        fields = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise ForgedFormError from None
    check_token(request, fields.pop("form_token", ""))
    return fields


def check_token(request: Request, given: str) -> None:
    """Refuse a form that none of our own pages sent.

    Raises:
        ForgedFormError: The token is missing or belongs to another session.
    """
    visitor = getattr(request.state, "visitor", None)
    expected = visitor.form_token if isinstance(visitor, Visitor) else _token_for(request.cookies.get(_VISIT, ""))
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise ForgedFormError


SignedIn = Annotated[Visitor, Depends(signed_in)]
Form = Annotated[Mapping[str, str], Depends(read_form)]

_VISIT: Final = "scorebridge_visit"


def _session_cookie(office: Office) -> str:
    # The prefix makes browsers refuse the cookie from anything but this very host, over TLS.
    return "__Host-scorebridge" if office.settings.has_tls else "scorebridge"


def _visitor(request: Request, office: Office) -> Visitor:
    token = request.cookies.get(_session_cookie(office))
    if not token:
        raise SignInNeededError
    with office.database.session() as session:
        user = users.session_user(session, token, now=office.now())
    if user is None:
        raise SignInNeededError
    return Visitor(user=user, form_token=_token_for(token))


def _token_for(secret: str) -> str:
    return hmac.digest(secret.encode(), b"form", sha256).hex() if secret else ""


def current_visitor(request: Request, office: Office) -> Visitor | None:
    """Who is signed in, or None."""
    try:
        return _visitor(request, office)
    except SignInNeededError:
        return None


def begin_visit(request: Request, response: Response, office: Office) -> None:
    """Remember a browser before anybody has signed in, so that the sign-in form has a token too."""
    if not request.cookies.get(_VISIT):
        _set(response, _VISIT, visit_secret(request), office)


def visit_token(request: Request) -> str:
    """The form token of a browser in which nobody is signed in."""
    return _token_for(visit_secret(request))


def visit_secret(request: Request) -> str:
    """The secret of this browser's visit: the cookie's, or a new one, the same throughout the request."""
    secret = request.cookies.get(_VISIT) or getattr(request.state, "visit", None)
    if not isinstance(secret, str) or not secret:
        secret = secrets.token_urlsafe(32)
        request.state.visit = secret
    return secret


def begin_session(response: Response, token: str, office: Office) -> None:
    """Give the browser its session; it ends with the browser, and earlier on the server."""
    _set(response, _session_cookie(office), token, office)
    _clear(response, _VISIT, office)


def close_session(request: Request, office: Office) -> None:
    """End this browser's session on the server, if it has one."""
    token = request.cookies.get(_session_cookie(office))
    if token:
        with office.database.session() as session:
            users.close_session(session, token)


def end_session(request: Request, response: Response, office: Office) -> None:
    """End the session on the server and in the browser."""
    close_session(request, office)
    _clear(response, _session_cookie(office), office)


def _set(response: Response, name: str, value: str, office: Office) -> None:
    response.set_cookie(name, value, path="/", httponly=True, samesite="strict", secure=office.settings.has_tls)


def _clear(response: Response, name: str, office: Office) -> None:
    response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=office.settings.has_tls)
