"""The API as an application of its own below `/api/v1`, with its description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from review import policies
from review.api import (
    alerts,
    audit_reviews,
    audit_trail,
    blind_audits,
    cases,
    day_ledger,
    days,
    destinations,
    groups,
    list_columns,
    patient_lists,
    patients,
    queue,
    record_operations,
    reports,
    shadow,
    submissions,
    templates,
    uploads,
    work,
)
from review.api.admission import Guesses
from review.api.problems import Problem, add_to
from review.api.routing import ApiRoute, GuardedRoute
from review.api.wire import PREFIX
from review.office import Office
from review.site_scope import NAMED

_VERSION: Final = "1"
_ABOUT: Final = (
    "What the pages of Scorebridge do, for programs. Every request carries a token in `Authorization: Bearer`; what it "
    "shows and changes is limited to the token's role and sites. Lists come in parts: `next` of one part is `after` of "
    "the following one. A decision names the `version` of what was looked at, so that a request which is sent twice "
    "changes nothing the second time. What people must prove again who they are for is done by tokens of "
    "administrators only, and by none that only reads. Files are sent as a form (`multipart/form-data`). Left to "
    "people on purpose: users, their roles and second factors, tokens, and emergency access. Every refusal is a "
    "problem document (RFC 9457). Times are UTC; dates are as printed, or local to the site."
)
# Parameters of addresses that name nothing a site owns, or whose operation looks for itself at which site it is.
_FREE: Final = frozenset(
    {
        "number", "seq", "revision", "week", "key", "work_id", "alias_id", "draft_id", "template_id", "destination_id",
        "sign_off_id",
    }
)  # fmt: skip


def _modules() -> Mapping[str, ModuleType]:
    # "/cases/next" comes before "/cases/{case_id}".
    return {
        "queue": queue,
        "cases": cases,
        "groups": groups,
        "records": record_operations,
        "reports": reports,
        "alerts": alerts,
        "submissions": submissions,
        "patients": patients,
        "days": days,
        "signed days": day_ledger,
        "service": work,
        "uploads": uploads,
        "templates": templates,
        "destinations": destinations,
        "patient lists": patient_lists,
        "columns of patient lists": list_columns,
        "blind audit": blind_audits,
        "shadow": shadow,
        "audit trail": audit_trail,
        "audit reviews": audit_reviews,
    }


def create_api(office: Office) -> FastAPI:
    """The application that answers below `/api/v1`."""
    app = FastAPI(title="Scorebridge", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.office = office
    app.state.guesses = Guesses()
    app.state.field_names = _field_names(description())
    add_to(app)
    app.router.routes.extend(guarded_routes())
    return app


@cache
def guarded_routes() -> tuple[GuardedRoute, ...]:
    """Every operation. They know no application, so they are taken apart once for all of them.

    Raises:
        ValueError: An address has a parameter of which nobody knows at which site it is.
    """
    own = ApiRoute("GET", "/openapi.json", openapi_description, policies.EVERYBODY)
    routes = [GuardedRoute(own, tag="description")]
    for tag, module in _modules().items():
        routes += [GuardedRoute(route, tag=tag) for route in module.ROUTES]
    for route in routes:
        unknown = set(route.param_convertors) - set(NAMED) - _FREE - {"site"}
        if unknown:
            raise ValueError(f"{route.path}: nobody says at which site {', '.join(sorted(unknown))} is")
    return tuple(routes)


def file_bytes(path: str) -> int:
    """Most bytes of a form with files at an address, `/api/v1` included; 0 where none is read."""
    below = path.removeprefix(PREFIX)
    return next((route.file_bytes for route in _file_routes() if route.path_regex.match(below)), 0)


@cache
def _file_routes() -> tuple[GuardedRoute, ...]:
    return tuple(route for route in guarded_routes() if route.file_bytes)


def openapi_description() -> dict[str, Any]:
    """This description, as OpenAPI 3.1. It holds no patient data; any token may have it."""
    return description()


@cache
def description() -> dict[str, Any]:
    """The description of the API (OpenAPI 3.1)."""
    made = get_openapi(
        title="Scorebridge",
        version=_VERSION,
        description=_ABOUT,
        routes=guarded_routes(),
        servers=[{"url": PREFIX}],
    )
    components = made.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    components["schemas"].pop("HTTPValidationError", None)
    components["schemas"].pop("ValidationError", None)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    return made


def _field_names(described: object) -> frozenset[str]:
    """Every name of a property or a parameter in a description: what a problem document may name."""
    return frozenset(_names(described)) | {"body", "query", "path"}


def _names(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        properties = part.get("properties")
        if isinstance(properties, dict):
            yield from properties
        if "in" in part and isinstance(part.get("name"), str):
            yield part["name"]
        for inner in part.values():
            yield from _names(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _names(inner)
