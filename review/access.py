"""Who may do what on the pages. A route without a policy of this module is refused by the tests."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response

from review.office import Office, office_of
from review.settings import is_loopback
from store import emergency_access, users, web_sessions
from store.emergency_access import EmergencyAccess
from store.users import Role, User
from store.web_sessions import WebSession

PROOF_LASTS: Final = timedelta(minutes=15)
_MAX_FIELDS: Final = 200
# A page that asks again by itself (hx-headers) says so: that nobody is at the keyboard must still be noticed.
_BACKGROUND: Final = "x-background"


class SignInNeededError(Exception):
    """Nobody is signed in, or the session has ended."""


class NotAllowedError(Exception):
    """The visitor may not do this."""


class ProofNeededError(Exception):
    """The visitor may do this after showing once more who they are."""


class ForgedFormError(Exception):
    """A form did not come from a page of this program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The person behind a request.

    Attributes:
        user: The named user with the rights of this moment: under emergency access a clinician of all sites.
        form_token: What every form of this session carries.
        session: The signed-in browser; its user has the rights of the account itself. None for a program's token.
        emergency: The emergency access that is on, or None.
    """

    user: User
    form_token: str
    session: WebSession | None = None
    emergency: EmergencyAccess | None = None

    def may(self, policy: Policy) -> bool:
        """Whether a policy lets this person in, so that a page can leave out what it would refuse."""
        return self.user.role in policy.roles

    def sees(self, site: str) -> bool:
        """Whether this person may know anything about a site's patients."""
        return self.user.sees(site)

    @property
    def web_session(self) -> WebSession:
        """The signed-in browser.

        Raises:
            SignInNeededError: It is a program that asks, with a token.
        """
        if self.session is None:
            raise SignInNeededError
        return self.session

    def has_proved(self, now: datetime) -> bool:
        """Whether a code or password was shown within `PROOF_LASTS`."""
        return self.session is not None and now - self.session.proved_at < PROOF_LASTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may take a route.

    Attributes:
        roles: Roles that may; nobody if empty, unless the route is open.
        is_open: No sign-in is needed; such a route shows no patient data.
        only_here: The request must come from this machine.
        fresh: A code or password must have been shown within `PROOF_LASTS`.
        counts: The request is activity that keeps the session alive.
    """

    roles: frozenset[Role] = frozenset()
    is_open: bool = False
    only_here: bool = False
    fresh: bool = False
    counts: bool = True

    def __call__(self, request: Request) -> None:
        """Let the request pass.

        Raises:
            SignInNeededError: Nobody is signed in.
            NotAllowedError: The role is not among `roles`, or the request comes from another machine.
            ProofNeededError: The role may, but the last code or password is too long ago.
        """
        if self.only_here and not (request.client and is_loopback(request.client.host)):
            raise NotAllowedError
        if self.is_open:
            return
        office = office_of(request)
        visitor = _visitor(request, office)
        if self.counts and _BACKGROUND not in request.headers:
            _note_activity(request, visitor, office)
        if visitor.user.role not in self.roles:
            raise NotAllowedError
        request.state.visitor = visitor
        if self.fresh and not visitor.has_proved(office.now()):
            raise ProofNeededError


def freshly_proved(policy: Policy) -> Policy:
    """The same people, who must have shown a code or password within `PROOF_LASTS`: for sensitive acts."""
    return replace(policy, fresh=True)


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
    visitor = getattr(request.state, "visitor", None)
    token = visitor.form_token if isinstance(visitor, Visitor) else _token_for(request.cookies.get(VISIT, ""))
    return await read_fields(request, token)


async def read_fields(request: Request, token: str) -> Mapping[str, str]:
    """The fields of a form that carries this token.

    Raises:
        ForgedFormError: It carries none, or another one.
    """
    body = await request.body()
    try:
        fields = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise ForgedFormError from None
    given = fields.pop("form_token", "")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise ForgedFormError
    return fields


SignedIn = Annotated[Visitor, Depends(signed_in)]
Form = Annotated[Mapping[str, str], Depends(read_form)]

VISIT: Final = "scorebridge_visit"
HALFWAY: Final = "scorebridge_halfway"
KNOWN_BROWSER: Final = "scorebridge_browser"


def _session_cookie(office: Office) -> str:
    # The prefix makes browsers refuse the cookie from anything but this very host, over TLS.
    return "__Host-scorebridge" if office.settings.has_tls else "scorebridge"


def session_token(request: Request, office: Office) -> str:
    """The token of this browser's session, "" if it has none."""
    return request.cookies.get(_session_cookie(office), "")


def _visitor(request: Request, office: Office) -> Visitor:
    token, now = session_token(request, office), office.now()
    if not token:
        raise SignInNeededError
    with office.database.reading() as session:
        found = web_sessions.find(session, token, now=now)
        emergency = emergency_access.current(session, found.user, now=now) if found else None
    if found is None:
        raise SignInNeededError
    return Visitor(
        user=_in_emergency(found.user) if emergency else found.user,
        form_token=_token_for(found.form_secret),
        session=found,
        emergency=emergency,
    )


def _in_emergency(user: User) -> User:
    # In place of the account's own rights, not on top of them: nobody looks after users or decides in this state.
    return replace(user, role=Role.CLINICIAN, sites=None, names_granted=True)


def _note_activity(request: Request, visitor: Visitor, office: Office) -> None:
    now = office.now()
    if visitor.web_session.is_touch_due(now):
        with office.database.session() as session:
            web_sessions.touch(session, session_token(request, office), now=now)


def late_visitor(request: Request, office: Office) -> tuple[User, str] | None:
    """Whose session ended a short while ago in this browser, and the token its forms carry; None if nobody's."""
    token = session_token(request, office)
    if not token:
        return None
    with office.database.reading() as session:
        found = web_sessions.ended(session, token, now=office.now())
    return None if found is None else (found.user, _token_for(found.form_secret))


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
    if not request.cookies.get(VISIT):
        set_cookie(response, VISIT, visit_secret(request), office)


def visit_token(request: Request) -> str:
    """The form token of a browser in which nobody is signed in."""
    return _token_for(visit_secret(request))


def visit_secret(request: Request) -> str:
    """The secret of this browser's visit: the cookie's, or a new one, the same throughout the request."""
    secret = request.cookies.get(VISIT) or getattr(request.state, "visit", None)
    if not isinstance(secret, str) or not secret:
        secret = secrets.token_urlsafe(32)
        request.state.visit = secret
    return secret


def begin_session(response: Response, token: str, office: Office) -> None:
    """Give the browser its session; it ends with the browser, and earlier on the server."""
    set_cookie(response, _session_cookie(office), token, office)
    for name in (VISIT, HALFWAY):
        clear_cookie(response, name, office)


def close_session(request: Request, office: Office) -> None:
    """End this browser's session on the server, if it has one."""
    token = session_token(request, office)
    if token:
        with office.database.session() as session:
            web_sessions.close_session(session, token)


def end_session(request: Request, response: Response, office: Office) -> None:
    """End the session on the server and in the browser."""
    close_session(request, office)
    clear_cookie(response, _session_cookie(office), office)


def remember_browser(response: Response, secret: str, office: Office) -> None:
    """Let the browser be known at the next sign-in, so that strangers cannot lock this person out of it."""
    longest = int(users.BROWSER_KNOWN_FOR.total_seconds())
    set_cookie(response, KNOWN_BROWSER, secret, office, longest=longest)


def set_cookie(response: Response, name: str, value: str, office: Office, *, longest: int | None = None) -> None:
    """Set one of our cookies, out of reach of scripts and foreign sites, for so many seconds or for this browsing."""
    response.set_cookie(
        name, value, path="/", max_age=longest, httponly=True, samesite="strict", secure=office.settings.has_tls
    )


def clear_cookie(response: Response, name: str, office: Office) -> None:
    """Take one of our cookies away."""
    response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=office.settings.has_tls)
