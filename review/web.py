"""The review application: every page, its policy, and what happens when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends as DependsParam
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from records.errors import DecisionRefusedError, StoreError
from review import (
    account_pages,
    activity_pages,
    alert_pages,
    audit_pages,
    blind_audit_pages,
    case_pages,
    correction_pages,
    dashboard_pages,
    day_pages,
    destination_pages,
    emergency_pages,
    group_pages,
    kept_pages,
    list_column_pages,
    patient_list_pages,
    provider_pages,
    queue_pages,
    record_pages,
    report_pages,
    service_pages,
    session_pages,
    settings_pages,
    shadow_pages,
    sign_in_pages,
    source_pages,
    submission_pages,
    template_pages,
    token_pages,
    trail_pages,
    user_pages,
    work_pages,
)
from review.access import (
    ForgedFormError,
    NotAllowedError,
    ProofNeededError,
    SignInNeededError,
    current_visitor,
    read_form,
)
from review.api.application import create_api, file_bytes
from review.api.wire import PREFIX
from review.day_surroundings import DaySurroundings
from review.guard import Guard
from review.office import Office, office_of
from review.page_images import PageImages, Render
from review.provider import Provider
from review.rematching import Rosters
from review.rendering import page
from review.routing import Route
from review.session_ends import to_proof, to_sign_in
from review.settings import WebSettings
from review.setup import Setup
from review.site_scope import NotThereError, within_sites
from review.uploads import read_upload
from store.database import Database

# Every page of the program. A page that is not here cannot be reached.
_PAGES: Final = (
    sign_in_pages,
    provider_pages,
    session_pages,
    kept_pages,
    account_pages,
    emergency_pages,
    user_pages,
    dashboard_pages,
    day_pages,
    queue_pages,
    group_pages,
    case_pages,
    correction_pages,
    blind_audit_pages,
    shadow_pages,
    report_pages,
    record_pages,
    submission_pages,
    trail_pages,
    alert_pages,
    activity_pages,
    audit_pages,
    token_pages,
    service_pages,
    settings_pages,
    source_pages,
    destination_pages,
    list_column_pages,
    patient_list_pages,
    template_pages,
    work_pages,
)
ROUTES: Final[tuple[Route, ...]] = tuple(route for pages in _PAGES for route in pages.ROUTES)


def create_app(
    *,
    database: Database,
    settings: WebSettings,
    render: Render,
    sites: Mapping[str, ZoneInfo],
    destinations_of: Callable[[str], tuple[str, ...]],
    now: Callable[[], datetime],
    metrics: Callable[[], bytes] | None,
    health: Callable[[], Mapping[str, object]] | None,
    matching: Rosters | None = None,
    day: DaySurroundings | None = None,
    provider: Provider | None = None,
    setup: Setup | None = None,
) -> FastAPI:
    """The application.

    Args:
        database: The open store.
        settings: Where it is served.
        render: Draws a page or parts of it: `(file, page from 1, boxes)`, in another process. Raises a
            `ScorebridgeError` or an `OSError` when it cannot.
        sites: Site id to its time zone.
        destinations_of: Site id to the ids of the destinations its records go to.
        now: The time in UTC.
        metrics: Text of `/metrics`, or None.
        health: Content of `/health`, or None; a false "ok" answers 503. No patient data in it.
        matching: Rosters to match a corrected identity with; without them, identities cannot be corrected.
        day: Sources and the ladder of alerts, as the settings have them; None for neither.
        provider: The identity provider people may sign in with, or None.
        setup: What the settings decide around the pages, or None for pages over a store alone.
    """
    app = FastAPI(title="Scorebridge", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.office = Office(
        database=database,
        settings=settings,
        sites=dict(sites),
        images=PageImages(database, render),
        destinations_of=destinations_of,
        now=now,
        metrics=metrics,
        health=health,
        matching=matching,
        day=day or DaySurroundings(),
        provider=provider,
        setup=setup or Setup(),
    )
    app.state.pages = {route.path: route.policy for route in ROUTES if route.method == "GET"}
    app.router.routes.extend(_served())
    app.mount(PREFIX, create_api(app.state.office))
    app.add_exception_handler(SignInNeededError, to_sign_in)
    app.add_exception_handler(ProofNeededError, to_proof)
    app.add_exception_handler(NotAllowedError, _not_allowed)
    app.add_exception_handler(ForgedFormError, _forged)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _no_such_page)
    app.add_exception_handler(NotThereError, _no_such_page)
    app.add_exception_handler(DecisionRefusedError, _nothing_changed)
    app.add_exception_handler(StoreError, _store_failed)
    app.add_middleware(
        Guard,
        settings=settings,
        file_bytes={one.path: one.file_bytes for one in ROUTES if one.file_bytes},
        api_file_bytes=file_bytes,
    )
    return app


@cache
def _served() -> tuple[APIRoute, ...]:
    """The routes as they are served. They know no application, so they are taken apart once for all of them."""
    return tuple(
        APIRoute(
            route.path,
            route.answer,
            methods=[route.method],
            # The policy comes first: nothing is read of a form before it is known who sends it.
            dependencies=[Depends(route.policy), Depends(within_sites), *_body(route)],
            response_model=None,
        )
        for route in ROUTES
    )


def _body(route: Route) -> list[DependsParam]:
    if route.method == "GET":
        return []
    return [Depends(read_upload if route.file_bytes else read_form)]


def _not_allowed(request: Request, _: Exception) -> Response:
    return _message(request, 403, "Not allowed", "Your role does not include this. An administrator can change that.")


def _forged(request: Request, _: Exception) -> Response:
    return _message(
        request, 403, "Form not accepted",
        "This form is too old or did not come from these pages. Nothing was saved. Open the page again and repeat it.",
    )  # fmt: skip


def _not_understood(request: Request, _: Exception) -> Response:
    # What was sent is not repeated: it may hold anything.
    return _message(request, 422, "Not understood", "The address or the form could not be read. Nothing was saved.")


def _no_such_page(request: Request, fault: Exception) -> Response:
    status = fault.status_code if isinstance(fault, HTTPException) else 404
    return _message(request, status, "No such page", "There is nothing at this address.")


def _nothing_changed(request: Request, fault: Exception) -> Response:
    return _message(request, 409, "Nothing was changed", str(fault))


def _store_failed(request: Request, fault: Exception) -> Response:
    return _message(request, 503, "The records cannot be reached", f"{fault} Nothing was saved.")


def _message(request: Request, status: int, heading: str, sentence: str) -> Response:
    try:
        visitor = current_visitor(request, office_of(request))
    except StoreError:
        visitor = None
    return page(
        request, "message.html", visitor=visitor, status=status, heading=heading, sentence=sentence, link="/",
        link_words="Go to the dashboard" if visitor else "Sign in",
    )  # fmt: skip
