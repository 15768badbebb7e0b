"""The steps of a sign-in: what is asked next, and what happens when nothing more is."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import urlencode

from fastapi import Request, Response

from review.access import (
    HALFWAY,
    KNOWN_BROWSER,
    Policy,
    begin_session,
    clear_cookie,
    close_session,
    remember_browser,
    set_cookie,
)
from review.browser_words import browser_words
from review.office import office_of
from review.rendering import go_to
from store import kept_entries, second_factors, users, web_sessions
from store.users import User
from store.web_sessions import SignIn

# What stands for a parameter in an address of ours: numbers, ids of sites and templates.
_PARAMETER: Final = re.compile(r"\{\w+\}")
_VALUE: Final = r"[A-Za-z0-9_.-]{1,80}"


class Step(StrEnum):
    """What is asked after the name; its value is the page that asks."""

    CODE = "/sign-in/code"
    APP = "/sign-in/app"
    PASSWORD = "/sign-in/password"  # noqa: S105 - an address


class Halfway(NamedTuple):
    """A browser halfway through signing in."""

    token: str
    sign_in: SignIn


def next_step(sign_in: SignIn, *, required: bool) -> Step | None:
    """What is asked next, or None when everything was shown.

    Args:
        required: Whether everybody must have a second factor.
    """
    if not sign_in.second_factor_done:
        if sign_in.user.second_factor_since is not None:
            return Step.CODE
        if required:
            return Step.APP
    if sign_in.user.must_change_password and not sign_in.by_provider:
        return Step.PASSWORD
    return None


def begin(
    request: Request, user: User, *, by_provider: bool, second_factor_done: bool, next_path: str,
    leave: Callable[[str], Response] = go_to,
) -> Response:  # fmt: skip
    """Go on after the name and password, or after the provider.

    Args:
        second_factor_done: The provider has asked for one.
        next_path: Where the person wanted to be.
        leave: Sends the browser to a page.
    """
    office = office_of(request)
    sign_in = SignIn(user=user, by_provider=by_provider, second_factor_done=second_factor_done)
    step = next_step(sign_in, required=office.settings.needs_second_factor)
    if step is None:
        return _finish(request, sign_in, token="", next_path=next_path, leave=leave)
    with office.database.session() as session:
        token = web_sessions.begin_sign_in(
            session, user, by_provider=by_provider, second_factor_done=second_factor_done, now=office.now()
        )
        if step is Step.APP:
            # Anew for each sign-in: nobody else with the password may have seen the secret before.
            second_factors.begin(session, user, now=office.now())
    response = leave(_with_next(step, next_path))
    set_cookie(response, HALFWAY, token, office)
    return response


def halfway(request: Request) -> Halfway | None:
    """The half-done sign-in of this browser, or None."""
    office, token = office_of(request), request.cookies.get(HALFWAY, "")
    if not token:
        return None
    with office.database.reading() as session:
        sign_in = web_sessions.find_sign_in(session, token, now=office.now())
    return None if sign_in is None else Halfway(token, sign_in)


def is_at(request: Request, step: Step) -> Halfway | None:
    """The half-done sign-in, if this step is what it needs now."""
    found, office = halfway(request), office_of(request)
    if found is None or next_step(found.sign_in, required=office.settings.needs_second_factor) is not step:
        return None
    return found


def go_on(request: Request, next_path: str) -> Response:
    """The next step of this browser's sign-in, or its end."""
    found, office = halfway(request), office_of(request)
    if found is None:
        return go_to("/sign-in", said="sign-in-again")
    step = next_step(found.sign_in, required=office.settings.needs_second_factor)
    if step is None:
        return _finish(request, found.sign_in, token=found.token, next_path=next_path, leave=go_to)
    return go_to(_with_next(step, next_path))


def within(request: Request, path: str) -> str:
    """The path if it is one of our pages, else the dashboard: no link leads out of the program through the sign-in."""
    pages: dict[str, Policy] = request.app.state.pages
    shown = (address for address, policy in pages.items() if not policy.is_open and policy.counts)
    return path if any(_pattern(address).fullmatch(path) for address in shown) else "/"


def _pattern(address: str) -> re.Pattern[str]:
    fixed = (re.escape(part) for part in _PARAMETER.split(address))
    return re.compile(_VALUE.join(fixed), re.ASCII)


def _with_next(step: Step, next_path: str) -> str:
    return step.value if next_path == "/" else f"{step.value}?{urlencode({'next': next_path}, safe='/')}"


def _finish(
    request: Request, sign_in: SignIn, *, token: str, next_path: str, leave: Callable[[str], Response]
) -> Response:
    office, now = office_of(request), office_of(request).now()
    user, browser = sign_in.user, request.cookies.get(KNOWN_BROWSER, "")
    close_session(request, office)
    with office.database.session() as session:
        web_sessions.end_sign_in(session, token)
        browser = users.signed_in(session, user, by=_said(sign_in), now=now, browser=browser)
        opened = web_sessions.open_session(
            session, user, now=now, browser=browser_words(request.headers.get("user-agent", "")),
            address=request.client.host if request.client else "",
        )  # fmt: skip
        kept = kept_entries.has_entries(session, user, now=now)
    response = leave("/kept" if kept else within(request, next_path))
    begin_session(response, opened, office)
    remember_browser(response, browser, office)
    return response


def _said(sign_in: SignIn) -> str:
    first = "provider" if sign_in.by_provider else "password"
    return f"{first} and code" if sign_in.second_factor_done else first


def give_up(request: Request, response: Response) -> None:
    """Forget the half-done sign-in in the browser."""
    clear_cookie(response, HALFWAY, office_of(request))
