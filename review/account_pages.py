"""One's own account: password, authenticator app, recovery codes, signed-in browsers; and proving who one is."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response

from records.errors import DecisionRefusedError
from review import policies
from review.access import (
    KNOWN_BROWSER,
    Form,
    SignedIn,
    Visitor,
    begin_session,
    end_session,
    freshly_proved,
    session_token,
)
from review.browser_words import browser_words
from review.case_walk import Walk
from review.office import office_of
from review.qr_code import qr_code
from review.rendering import go_to, page
from review.routing import Route
from review.sign_in_flow import within
from store import preferences, provider_links, second_factors, users, web_sessions
from store.users import User

_WRONG_CODE: Final = "That code didn’t work. Enter the newest code from your app."
_WRONG_PASSWORD: Final = "That is not your present password."  # noqa: S105 - a sentence
_FRESH: Final = freshly_proved(policies.EVERYBODY)


def show_account(request: Request, visitor: SignedIn) -> Response:
    """What one can change oneself, and where one is signed in."""
    return _account(request, visitor)


def change_password(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Take another password; every other browser of this person is signed out."""
    office, user, now = office_of(request), visitor.user, office_of(request).now()
    browser = request.cookies.get(KNOWN_BROWSER, "")
    if form.get("password", "") != form.get("again", ""):
        return _account(request, visitor, problem="The two passwords differ.")
    with office.sign_ins, office.database.session() as session:
        present = users.verify(session, user.name, form.get("present", ""), now=now, browser=browser)
    if present is None:
        return _account(request, visitor, problem=_WRONG_PASSWORD)
    try:
        with office.sign_ins, office.database.session() as session:
            users.set_password(session, user.name, form["password"], actor=user.name, now=now)
            token = web_sessions.open_session(
                session, user, now=now, browser=browser_words(request.headers.get("user-agent", "")),
                address=request.client.host if request.client else "",
            )  # fmt: skip
    except (DecisionRefusedError, KeyError) as refused:
        return _account(request, visitor, problem=str(refused))
    response = go_to("/account", said="password-changed")
    begin_session(response, token, office)
    return response


def app_form(request: Request, visitor: SignedIn) -> Response:
    """Show what a new authenticator app needs."""
    return _app_form(request, visitor)


def take_app(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Take the new app into use, and show the recovery codes this once."""
    office = office_of(request)
    with office.database.session() as session:
        codes = second_factors.confirm(session, visitor.user, form.get("code", ""), now=office.now())
    if codes is None:
        return _app_form(request, visitor, problem=_WRONG_CODE, status=403)
    return _codes(request, visitor, codes)


def remove_app(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Go on without a second factor, where that is allowed."""
    del form
    office = office_of(request)
    if office.settings.needs_second_factor:
        raise DecisionRefusedError("Everybody has a second factor here.", next_step="Set up another app instead.")
    with office.database.session() as session:
        users.reset_second_factor(session, visitor.user.name, actor=visitor.user.name, now=office.now())
    response = go_to("/sign-in", said="app-removed")
    end_session(request, response, office)
    return response


def renew_codes(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Make ten new recovery codes, and show them this once."""
    del form
    office = office_of(request)
    if visitor.web_session.user.second_factor_since is None:
        raise DecisionRefusedError("There is no authenticator app yet.", next_step="Set one up first.")
    with office.database.session() as session:
        codes = second_factors.renew_recovery_codes(session, visitor.user, now=office.now())
    return _codes(request, visitor, codes)


def carry_on(request: Request, form: Form) -> Response:
    """Go on after the recovery codes were shown."""
    return go_to(within(request, form.get("next", "/account")))


def close_one(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Sign another of one's browsers out."""
    with office_of(request).database.session() as session:
        web_sessions.close_marked(session, visitor.user, form.get("mark", ""))
    return go_to("/account", said="session-closed")


def close_all(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Sign out everywhere, here too."""
    del form
    office = office_of(request)
    with office.database.session() as session:
        users.sign_out_all(session, visitor.user.name, actor=visitor.user.name, now=office.now())
    response = go_to("/sign-in", said="everywhere")
    end_session(request, response, office)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def set_keys(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Turn single keys on or off for this person, and go back to the page, with what it was narrowed to."""
    with office_of(request).database.session() as session:
        preferences.set_single_keys(session, visitor.user.name, on=form.get("on") == "yes")
    return go_to(f"{within(request, form.get('back', '/'))}{Walk.of(request, visitor).query}", said="keys-set")


def proof_form(request: Request, visitor: SignedIn) -> Response:
    """Ask for a code, or without an app for a sign-in at the provider or a password, before a sensitive act."""
    return _proof(request, visitor, next_path=within(request, request.query_params.get("next", "/")))


def prove(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Take the code or password; the session goes on under a new token."""
    office, now, next_path = office_of(request), office_of(request).now(), within(request, form.get("next", "/"))
    user, browser = visitor.web_session.user, request.cookies.get(KNOWN_BROWSER, "")
    by = "password" if user.second_factor_since is None else "code"
    with office.sign_ins, office.database.session() as session:
        if by == "code":
            right = second_factors.accept(session, user, form.get("code", ""), now=now, browser=browser)
        else:
            right = users.verify(session, user.name, form.get("password", ""), now=now, browser=browser) is not None
        token = web_sessions.prove(session, session_token(request, office), now=now) if right else None
        if token is not None:
            users.proved(session, user, by=by, browser=browser, now=now)
    if token is None:
        return _proof(request, visitor, next_path=next_path, recovery=form.get("kind") == "recovery", wrong=True)
    response = go_to(next_path)
    begin_session(response, token, office)
    return response


def _account(request: Request, visitor: Visitor, *, problem: str = "") -> Response:
    office, user = office_of(request), visitor.web_session.user
    with office.database.reading() as session:
        return page(
            request, "account.html", visitor=visitor, status=403 if problem else 200, problem=problem, account=user,
            required=office.settings.needs_second_factor,
            codes_left=second_factors.recovery_codes_left(session, user),
            linked=provider_links.is_linked(session, user), least=users.MINIMUM_PASSWORD,
            sessions=web_sessions.list_sessions(session, user, now=office.now()), here=visitor.web_session.mark,
        )  # fmt: skip


def _app_form(request: Request, visitor: Visitor, *, problem: str = "", status: int = 200) -> Response:
    office, user = office_of(request), visitor.web_session.user
    with office.database.session() as session:
        enrolment = second_factors.pending(session, user) if problem else None
        if enrolment is None:
            enrolment = second_factors.begin(session, user, now=office.now())
    return page(
        request, "app.html", visitor=visitor, status=status, problem=problem, user_name=user.name,
        qr_code=qr_code(enrolment.address), secret=enrolment.secret, next_path="/account", action="/account/app",
    )  # fmt: skip


def _codes(request: Request, visitor: Visitor, codes: tuple[str, ...]) -> Response:
    return page(
        request, "recovery_codes.html", visitor=visitor, codes=codes, action="/account/continue", next_path="/account"
    )


def _proof(
    request: Request, visitor: Visitor, *, next_path: str, recovery: bool = False, wrong: bool = False
) -> Response:
    user, status = visitor.web_session.user, 403 if wrong else 200
    if user.second_factor_since is None:
        problem = "That password is not right, or the account is locked for 15 minutes." if wrong else ""
        return page(
            request, "proof.html", visitor=visitor, status=status, problem=problem, user_name=user.name,
            next_path=next_path, provider=_provider_of(request, user),
            by_provider=urlencode({"next": next_path}, safe="/"),
        )  # fmt: skip
    return page(
        request, "code.html", visitor=visitor, status=status, problem=_WRONG_CODE if wrong else "",
        recovery=recovery or "recovery" in request.query_params, user_name=user.name, next_path=next_path,
        action="/prove", heading="Confirm it’s you",
    )  # fmt: skip


def _provider_of(request: Request, user: User) -> str | None:
    """What the sign-in service is called by which this person is known to sign in, or None."""
    office = office_of(request)
    with office.database.reading() as session:
        is_linked = provider_links.is_linked(session, user)
    return office.provider.words if office.provider and is_linked else None


ROUTES: Final = (
    Route("GET", "/account", show_account, policies.EVERYBODY),
    Route("POST", "/account/password", change_password, policies.EVERYBODY),
    Route("GET", "/account/app", app_form, _FRESH),
    Route("POST", "/account/app", take_app, _FRESH),
    Route("POST", "/account/app/remove", remove_app, _FRESH),
    Route("POST", "/account/recovery-codes", renew_codes, _FRESH),
    Route("POST", "/account/continue", carry_on, policies.EVERYBODY),
    Route("POST", "/account/sessions/close", close_one, policies.EVERYBODY),
    Route("POST", "/account/sessions/close-all", close_all, policies.EVERYBODY),
    Route("POST", "/account/keys", set_keys, policies.EVERYBODY),
    Route("GET", "/prove", proof_form, policies.EVERYBODY),
    Route("POST", "/prove", prove, policies.EVERYBODY),
)
