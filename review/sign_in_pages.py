"""Signing in, step by step, and signing out."""

from __future__ import annotations

from math import ceil
from typing import Final

from fastapi import Request, Response

from records.errors import DecisionRefusedError
from review import policies
from review.access import KNOWN_BROWSER, Form, begin_visit, current_visitor, end_session
from review.office import office_of
from review.qr_code import qr_code
from review.rendering import go_to, page
from review.routing import Route
from review.sign_in_flow import Step, begin, give_up, go_on, halfway, is_at, within
from store import second_factors, users, web_sessions

# One sentence for a wrong name, a wrong password and a locked account: none of them is given away.
_REFUSED: Final = (
    "That name and password do not match, or the account is locked. "
    "After several wrong passwords it stays locked for 15 minutes; an administrator can help."
)
_WRONG_CODE: Final = "That code didn’t work. Enter the newest code from your app."
_WRONG_RECOVERY: Final = "That recovery code didn’t work. Each one works once."


def sign_in_form(request: Request) -> Response:
    """The form; whoever is signed in goes on to the dashboard."""
    office = office_of(request)
    if current_visitor(request, office) is not None:
        return go_to("/")
    return _form(request, next_path=request.query_params.get("next", "/"))


def sign_in(request: Request, form: Form) -> Response:
    """Take a name and password, and ask for what else is needed."""
    office, next_path = office_of(request), form.get("next", "/")
    if (problem := _too_many(request)) is not None:
        return _form(request, next_path=next_path, problem=problem, status=429)
    with office.sign_ins, office.database.session() as session:
        user = users.verify(
            session, form.get("name", ""), form.get("password", ""), now=office.now(),
            browser=request.cookies.get(KNOWN_BROWSER, ""),
        )  # fmt: skip
    if user is None:
        _count_failure(request)
        return _form(request, next_path=next_path, problem=_REFUSED, status=403)
    return begin(request, user, by_provider=False, second_factor_done=False, next_path=within(request, next_path))


def code_form(request: Request) -> Response:
    """Ask for a code of the authenticator app, or for a recovery code."""
    if is_at(request, Step.CODE) is None:
        return go_on(request, _next(request))
    return _code_form(request, recovery="recovery" in request.query_params, next_path=_next(request))


def take_code(request: Request, form: Form) -> Response:
    """Take the code; a wrong one counts like a wrong password."""
    office, next_path, found = office_of(request), within(request, form.get("next", "/")), is_at(request, Step.CODE)
    if found is None:
        return go_on(request, next_path)
    recovery = form.get("kind") == "recovery"
    if (problem := _too_many(request)) is not None:
        return _code_form(request, recovery=recovery, next_path=next_path, problem=problem, status=429)
    with office.database.session() as session:
        right = second_factors.accept(
            session, found.sign_in.user, form.get("code", ""), now=office.now(),
            browser=request.cookies.get(KNOWN_BROWSER, ""),
        )  # fmt: skip
        if right:
            web_sessions.note_second_factor(session, found.token)
    if right:
        return go_on(request, next_path)
    _count_failure(request)
    problem = _WRONG_RECOVERY if recovery else _WRONG_CODE
    return _code_form(request, recovery=recovery, next_path=next_path, problem=problem, status=403)


def app_form(request: Request) -> Response:
    """Show what an authenticator app needs, at the first sign-in."""
    found = is_at(request, Step.APP)
    return go_on(request, _next(request)) if found is None else _app_form(request, next_path=_next(request))


def take_app(request: Request, form: Form) -> Response:
    """Take the app into use, and show the recovery codes this once."""
    office, next_path, found = office_of(request), within(request, form.get("next", "/")), is_at(request, Step.APP)
    if found is None:
        return go_on(request, next_path)
    with office.database.session() as session:
        codes = second_factors.confirm(session, found.sign_in.user, form.get("code", ""), now=office.now())
        if codes is not None:
            web_sessions.note_second_factor(session, found.token)
    if codes is None:
        return _app_form(request, next_path=next_path, problem=_WRONG_CODE, status=403)
    return page(
        request, "recovery_codes.html", visitor=None, codes=codes, action="/sign-in/continue", next_path=next_path
    )


def carry_on(request: Request, form: Form) -> Response:
    """Go on after the recovery codes were shown."""
    return go_on(request, within(request, form.get("next", "/")))


def password_form(request: Request) -> Response:
    """Ask for a password that nobody else knows."""
    found = is_at(request, Step.PASSWORD)
    return go_on(request, _next(request)) if found is None else _password_form(request, next_path=_next(request))


def take_password(request: Request, form: Form) -> Response:
    """Take the password in place of the one that somebody else has given."""
    office, next_path, found = office_of(request), within(request, form.get("next", "/")), is_at(request, Step.PASSWORD)
    if found is None:
        return go_on(request, next_path)
    user, password = found.sign_in.user, form.get("password", "")
    if password != form.get("again", ""):
        return _password_form(request, next_path=next_path, problem="The two passwords differ.", status=403)
    with office.sign_ins, office.database.session() as session:
        if users.is_password(session, user, password):
            problem = "This is the password you were given. Choose another one."
            return _password_form(request, next_path=next_path, problem=problem, status=403)
        try:
            users.set_password(session, user.name, password, actor=user.name, now=office.now())
        except DecisionRefusedError as refused:
            return _password_form(request, next_path=next_path, problem=str(refused), status=403)
        changed = users.get(session, user.user_id)
    # Changing it has ended every half-done sign-in, this one too: what it had shown goes on with the new one.
    done = found.sign_in.second_factor_done
    return begin(request, changed or user, by_provider=False, second_factor_done=done, next_path=next_path)


def sign_out(request: Request) -> Response:
    """End the session here and on the server, and have the browser forget what it kept."""
    response = go_to("/sign-in", said="signed-out")
    end_session(request, response, office_of(request))
    give_up(request, response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _next(request: Request) -> str:
    return within(request, request.query_params.get("next", "/"))


def _too_many(request: Request) -> str | None:
    office = office_of(request)
    wait = office.slowdown.wait(_address(request), now=office.now())
    seconds = ceil(wait.total_seconds())
    if not seconds:
        return None
    span = f"{seconds} seconds" if seconds < 120 else f"{ceil(seconds / 60)} minutes"
    return f"Too many wrong sign-ins came from this machine. Wait {span}, then try again."


def _count_failure(request: Request) -> None:
    office = office_of(request)
    office.slowdown.failed(_address(request), now=office.now())


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _form(request: Request, *, next_path: str, problem: str = "", status: int = 200) -> Response:
    office = office_of(request)
    response = page(
        request, "sign_in.html", visitor=None, status=status, problem=problem, next_path=within(request, next_path),
        provider=office.provider.words if office.provider else None,
    )  # fmt: skip
    begin_visit(request, response, office)
    return response


def _code_form(request: Request, *, recovery: bool, next_path: str, problem: str = "", status: int = 200) -> Response:
    found = halfway(request)
    name = found.sign_in.user.name if found else ""
    return page(
        request, "code.html", visitor=None, status=status, problem=problem, recovery=recovery, user_name=name,
        next_path=next_path, action="/sign-in/code", heading="Confirm it’s you",
    )  # fmt: skip


def _app_form(request: Request, *, next_path: str, problem: str = "", status: int = 200) -> Response:
    found, office = halfway(request), office_of(request)
    if found is None:
        return go_to("/sign-in", said="sign-in-again")
    with office.database.session() as session:
        enrolment = second_factors.pending(session, found.sign_in.user)
        if enrolment is None:
            enrolment = second_factors.begin(session, found.sign_in.user, now=office.now())
    return page(
        request, "app.html", visitor=None, status=status, problem=problem, user_name=found.sign_in.user.name,
        qr_code=qr_code(enrolment.address), secret=enrolment.secret, next_path=next_path, action="/sign-in/app",
    )  # fmt: skip


def _password_form(request: Request, *, next_path: str, problem: str = "", status: int = 200) -> Response:
    return page(
        request, "new_password.html", visitor=None, status=status, problem=problem, next_path=next_path,
        least=users.MINIMUM_PASSWORD,
    )  # fmt: skip


ROUTES: Final = (
    Route("GET", "/sign-in", sign_in_form, policies.OPEN),
    Route("POST", "/sign-in", sign_in, policies.OPEN),
    Route("GET", "/sign-in/code", code_form, policies.OPEN),
    Route("POST", "/sign-in/code", take_code, policies.OPEN),
    Route("GET", "/sign-in/app", app_form, policies.OPEN),
    Route("POST", "/sign-in/app", take_app, policies.OPEN),
    Route("POST", "/sign-in/continue", carry_on, policies.OPEN),
    Route("GET", "/sign-in/password", password_form, policies.OPEN),
    Route("POST", "/sign-in/password", take_password, policies.OPEN),
    Route("POST", "/sign-out", sign_out, policies.EVERYBODY),
)
