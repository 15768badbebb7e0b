"""Tokens of the JSON API: which there are, making one, and making one good for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from fastapi import HTTPException, Request, Response

from records.errors import DecisionRefusedError
from review import policies
from review.access import Form, SignedIn, Visitor
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.user_pages import manages
from store import tokens, users
from store.database import Session
from store.tokens import ApiToken, includes
from store.users import Role

_DAYS: Final = (30, 90, 180, 365)
_USUAL_DAYS: Final = 90
_PATH: Final = "/settings/tokens"


def show_tokens(request: Request, visitor: SignedIn) -> Response:
    """Every token, good ones first, and the form for a new one."""
    return _tokens_page(request, visitor)


def make_token(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Make a token that acts for the person who makes it; its secret is on this page and never again."""
    office = office_of(request)
    roles = {role.value: role for role in _roles(visitor)}
    role = roles.get(form.get("role", ""))
    days = form.get("days", "")
    if role is None or days not in {str(known) for known in _DAYS}:
        return _tokens_page(request, visitor, entered=form, problem="Choose a role and how long it is good for.")
    try:
        with office.database.session() as session:
            made, secret = tokens.make(
                session,
                name=form.get("name", ""),
                user=visitor.user.name,
                role=role,
                sites=_sites(office.sites_seen(visitor.user), form),
                read_only="read_only" in form,
                expires_at=office.now() + timedelta(days=int(days)),
                actor=visitor.user.name,
                now=office.now(),
            )
    except DecisionRefusedError as refusal:
        return _tokens_page(request, visitor, entered=form, problem=str(refusal))
    return _tokens_page(request, visitor, made=made, secret=secret)


def revoke_token(request: Request, token_id: int, visitor: SignedIn) -> Response:
    """Make a token good for nothing."""
    office = office_of(request)
    with office.database.session() as session:
        if token_id not in {token.token_id for token in _managed(session, visitor)}:
            raise HTTPException(404)
        tokens.revoke(session, token_id, actor=visitor.user.name, now=office.now())
    return go_to(_PATH, said="token-revoked")


def _tokens_page(
    request: Request,
    visitor: Visitor,
    *,
    entered: Mapping[str, str] | None = None,
    problem: str = "",
    made: ApiToken | None = None,
    secret: str = "",
) -> Response:
    office = office_of(request)
    now = office.now()
    with office.database.reading() as session:
        listed = _managed(session, visitor)
    return page(
        request, "tokens.html", visitor=visitor, status=409 if problem else 200,
        good=[token for token in listed if token.is_good(now)],
        ended=[token for token in listed if not token.is_good(now)],
        sites=office.sites_seen(visitor.user), roles=_roles(visitor), days=_DAYS,
        entered=entered or {"days": str(_USUAL_DAYS), "role": Role.VIEWER.value, "read_only": "on"}, problem=problem,
        made=made, secret=secret,
    )  # fmt: skip


def _managed(session: Session, visitor: Visitor) -> list[ApiToken]:
    """The tokens of the users whom this administrator looks after, the newest first."""
    looked_after = {user.name for user in users.list_users(session) if manages(visitor, user)}
    return [token for token in tokens.list_tokens(session) if token.user in looked_after]


def _roles(visitor: Visitor) -> tuple[Role, ...]:
    return tuple(role for role in Role if includes(visitor.user.role, role))


def _sites(seen: tuple[str, ...], form: Mapping[str, str]) -> frozenset[str] | None:
    """The sites that were ticked; None, which is all of the user's, where all were."""
    ticked = frozenset(site for site in seen if f"site-{site}" in form)
    return None if ticked == frozenset(seen) else ticked


ROUTES: Final = (
    Route("GET", _PATH, show_tokens, policies.MANAGES_TOKENS),
    Route("POST", _PATH, make_token, policies.MAKES_TOKENS),
    Route("POST", _PATH + "/{token_id}/revoke", revoke_token, policies.MANAGES_TOKENS),
)
