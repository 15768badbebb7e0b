"""The users of the program: who they are, what they may do, and letting them in and out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from fastapi import HTTPException, Request, Response

from records.errors import DecisionRefusedError
from review import policies
from review.access import Form, SignedIn, Visitor
from review.office import Office, office_of
from review.rendering import go_to, page
from review.routing import Route
from store import provider_links, users, web_sessions
from store.database import Session
from store.users import Role, User

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
ROLE_WORDS: Final = {
    Role.VIEWER: "sees the dashboard, without patients’ names",
    Role.REVIEWER: "decides what waits for review",
    Role.TEMPLATE_AUTHOR: "writes and tests templates, sees no patients",
    Role.CLINICIAN: "sees records and takes alerts",
    Role.ADMINISTRATOR: "all of this, users and settings",
    Role.AUDITOR: "reads the audit log",
}


def show_users(request: Request, visitor: SignedIn) -> Response:
    """Everybody this administrator looks after, and the form to add somebody."""
    return _list(request, visitor)


def add(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Add a user with a temporary password, shown this once."""
    office, password = office_of(request), temporary_password()
    try:
        role, sites = Role(form.get("role", "")), _chosen_sites(form, visitor, office)
        with office.sign_ins, office.database.session() as session:
            user = users.add(
                session, form.get("name", ""), password, role, sites=sites, names_granted="names" in form,
                must_change_password=True, actor=visitor.user.name, now=office.now(),
            )  # fmt: skip
    except DecisionRefusedError as refused:
        return _list(request, visitor, problem=str(refused), form=form)
    except ValueError:
        return _list(request, visitor, problem="Choose a role.", form=form)
    return _password(request, visitor, user, password, new=True)


def show_user(request: Request, visitor: SignedIn, user_id: int) -> Response:
    """One user, and what can be changed."""
    office = office_of(request)
    with office.database.reading() as session:
        user = _managed(session, visitor, user_id)
        return page(
            request, "user.html", visitor=visitor, shown=user, roles=ROLE_WORDS, sites=office.sites_seen(visitor.user),
            all_sites=visitor.user.sites is None, now=office.now(), required=office.settings.needs_second_factor,
            linked=provider_links.is_linked(session, user),
            sessions=web_sessions.list_sessions(session, user, now=office.now()),
        )  # fmt: skip


def set_role(request: Request, visitor: SignedIn, user_id: int, form: Form) -> Response:
    """Give a user another role."""
    try:
        role = Role(form.get("role", ""))
    except ValueError:
        raise DecisionRefusedError("There is no such role.", next_step="Choose one of the list.") from None
    return _change(request, visitor, user_id, "user-changed", lambda session, user, now: users.set_role(
        session, user.name, role, actor=visitor.user.name, now=now
    ))  # fmt: skip


def set_sites(request: Request, visitor: SignedIn, user_id: int, form: Form) -> Response:
    """Give a user other sites, and show or hide patients' names."""
    office = office_of(request)
    sites, granted = _chosen_sites(form, visitor, office), "names" in form

    def change(session: Session, user: User, now: datetime) -> None:
        if sites != user.sites:
            users.set_sites(session, user.name, sites, actor=visitor.user.name, now=now)
        if granted != user.names_granted:
            users.grant_names(session, user.name, granted=granted, actor=visitor.user.name, now=now)

    return _change(request, visitor, user_id, "user-changed", change)


def disable(request: Request, visitor: SignedIn, user_id: int, form: Form) -> Response:
    """Keep a user out from now on."""
    del form
    return _change(request, visitor, user_id, "user-disabled", lambda session, user, now: users.disable(
        session, user.name, actor=visitor.user.name, now=now
    ))  # fmt: skip


def enable(request: Request, visitor: SignedIn, user_id: int, form: Form) -> Response:
    """Let a user in again."""
    del form
    return _change(request, visitor, user_id, "user-enabled", lambda session, user, now: users.enable(
        session, user.name, actor=visitor.user.name, now=now
    ))  # fmt: skip


def unlock(request: Request, visitor: SignedIn, user_id: int, form: Form) -> Response:
    """Lift a lock after wrong passwords."""
    del form
    return _change(request, visitor, user_id, "user-unlocked", lambda session, user, now: users.unlock(
        session, user.name, actor=visitor.user.name, now=now
    ))  # fmt: skip


def reset_second_factor(request: Request, visitor: SignedIn, user_id: int, form: Form) -> Response:
    """Forget a lost authenticator app."""
    del form
    return _change(request, visitor, user_id, "factor-reset", lambda session, user, now: users.reset_second_factor(
        session, user.name, actor=visitor.user.name, now=now
    ))  # fmt: skip


def reset_password(request: Request, visitor: SignedIn, user_id: int, form: Form) -> Response:
    """Give a user a temporary password, shown this once."""
    del form
    office, password = office_of(request), temporary_password()
    with office.sign_ins, office.database.session() as session:
        user = _managed(session, visitor, user_id)
        users.set_password(session, user.name, password, must_change=True, actor=visitor.user.name, now=office.now())
    return _password(request, visitor, user, password, new=False)


def temporary_password() -> str:
    """Twenty letters in groups, easy to read out; the user must change it (99 bits)."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(20))
    return "-".join(letters[at : at + 5] for at in range(0, 20, 5))


def manages(visitor: Visitor, user: User) -> bool:
    """Whether an administrator looks after this user: nobody beyond their own sites."""
    own = visitor.user.sites
    return own is None or (user.sites is not None and user.sites <= own)


def _managed(session: Session, visitor: Visitor, user_id: int) -> User:
    user = users.get(session, user_id)
    if user is None or not manages(visitor, user):
        raise HTTPException(404)
    return user


def _change(
    request: Request, visitor: Visitor, user_id: int, said: str, change: Callable[[Session, User, datetime], object]
) -> Response:
    office = office_of(request)
    with office.database.session() as session:
        change(session, _managed(session, visitor, user_id), office.now())
    return go_to(f"/users/{user_id}", said=said)


def _chosen_sites(form: Mapping[str, str], visitor: Visitor, office: Office) -> frozenset[str] | None:
    if form.get("sites") == "all":
        if visitor.user.sites is not None:
            raise DecisionRefusedError("You look after some sites only.", next_step="Choose among your sites.")
        return None
    chosen = frozenset(site for site in office.sites_seen(visitor.user) if f"site-{site}" in form)
    if not chosen:
        raise DecisionRefusedError("No site is chosen.", next_step="Choose at least one, or all of them.")
    return chosen


def _list(request: Request, visitor: Visitor, *, problem: str = "", form: Mapping[str, str] | None = None) -> Response:
    office = office_of(request)
    with office.database.reading() as session:
        everybody = [user for user in users.list_users(session) if manages(visitor, user)]
    return page(
        request, "users.html", visitor=visitor, status=409 if problem else 200, problem=problem, users=everybody,
        roles=ROLE_WORDS, sites=office.sites_seen(visitor.user), all_sites=visitor.user.sites is None, form=form or {},
        now=office.now(),
    )  # fmt: skip


def _password(request: Request, visitor: Visitor, user: User, password: str, *, new: bool) -> Response:
    return page(request, "temporary_password.html", visitor=visitor, shown=user, password=password, new=new)


ROUTES: Final = (
    Route("GET", "/users", show_users, policies.MANAGES_USERS),
    Route("POST", "/users", add, policies.CHANGES_USERS),
    Route("GET", "/users/{user_id}", show_user, policies.MANAGES_USERS),
    Route("POST", "/users/{user_id}/role", set_role, policies.CHANGES_USERS),
    Route("POST", "/users/{user_id}/sites", set_sites, policies.CHANGES_USERS),
    Route("POST", "/users/{user_id}/disable", disable, policies.CHANGES_USERS),
    Route("POST", "/users/{user_id}/enable", enable, policies.CHANGES_USERS),
    Route("POST", "/users/{user_id}/unlock", unlock, policies.CHANGES_USERS),
    Route("POST", "/users/{user_id}/second-factor", reset_second_factor, policies.CHANGES_USERS),
    Route("POST", "/users/{user_id}/password", reset_password, policies.CHANGES_USERS),
)
