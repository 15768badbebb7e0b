"""What went wrong, as programs read it: problem documents (RFC 9457) that never repeat what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from records.errors import CaseTakenError, ScorebridgeError, StaleCaseError, StoreError
from review.access import NotAllowedError
from review.api.admission import NoTokenError, ReadOnlyTokenError, TooManyGuessesError
from review.site_scope import NotThereError
from review.sources import UploadRefusedError
from review.uploads import NoUploadError

MEDIA_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """Why a request was not answered as it was meant.

    Attributes:
        type: "about:blank": the status says what kind of problem it is.
        title: The status in words.
        status: The HTTP status once more.
        detail: What happened, in a plain sentence without patient data.
        next_step: The next thing to try, or empty.
        code: A word for programs, or empty: "stale", "taken", "read-only-token", or a reason code.
        fields: Fields of the request that were not understood, without what they held.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    next_step: str = ""
    code: str = ""
    fields: tuple[str, ...] = Field(default=())


def _described(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status.value: {"description": status.phrase, "content": content} for status in statuses}


PROBLEM_RESPONSES: Final = _described(
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    next_step: str = "",
    code: str = "",
    fields: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document."""
    said = Problem(
        title=status.phrase, status=status.value, detail=detail, next_step=next_step, code=code, fields=fields
    )
    return Response(
        said.model_dump_json(), status_code=status.value, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def add_to(app: FastAPI) -> None:
    """Have every fault of the API answered by a problem document."""
    app.add_exception_handler(NoTokenError, _no_token)
    app.add_exception_handler(TooManyGuessesError, _too_many)
    app.add_exception_handler(NotAllowedError, _not_allowed)
    app.add_exception_handler(ReadOnlyTokenError, _read_only)
    app.add_exception_handler(NotThereError, _not_there)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(NoUploadError, _not_understood)
    app.add_exception_handler(UploadRefusedError, _not_taken)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(StoreError, _store_failed)
    app.add_exception_handler(ScorebridgeError, _refused)
    app.add_exception_handler(Exception, _failed)


def _no_token(_: Request, __: Exception) -> Response:
    return problem(
        HTTPStatus.UNAUTHORIZED,
        "No token was shown that is good for anything.",
        next_step="Send the header Authorization: Bearer TOKEN. An administrator makes tokens.",
        headers={"WWW-Authenticate": 'Bearer realm="scorebridge"'},
    )


def _too_many(_: Request, __: Exception) -> Response:
    return problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many tokens that are none came from this address.",
        next_step="Check the token, and try again in a minute.",
        headers={"Retry-After": "60"},
    )


def _not_allowed(_: Request, __: Exception) -> Response:
    return problem(
        HTTPStatus.FORBIDDEN,
        "The role of this token does not include this.",
        next_step="Ask an administrator for a token with the right role.",
    )


def _read_only(_: Request, __: Exception) -> Response:
    return problem(
        HTTPStatus.FORBIDDEN,
        "This token may read, and not change anything.",
        next_step="Ask an administrator for a token that may.",
        code="read-only-token",
    )


def _not_there(_: Request, __: Exception) -> Response:
    return problem(HTTPStatus.NOT_FOUND, "There is nothing here for this token.")


def _not_understood(request: Request, fault: Exception) -> Response:
    # Names of fields only where they are ours: a field or a key that was made up may hold anything.
    known: frozenset[str] = request.app.state.field_names
    errors = fault.errors() if isinstance(fault, RequestValidationError) else ()
    places = [".".join(str(part) for part in one["loc"] if str(part) in known) for one in errors]
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The request could not be understood. Nothing was changed.",
        next_step="Compare it with the description at /api/v1/openapi.json.",
        fields=tuple(dict.fromkeys(place for place in places if place)),
    )


def _not_taken(_: Request, fault: Exception) -> Response:
    if not isinstance(fault, UploadRefusedError):
        raise TypeError(type(fault).__name__)
    # Files are told by their numbers: a name may be a patient's.
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, fault.message, next_step=fault.next_step, fields=("files",))


def _plain(_: Request, fault: Exception) -> Response:
    status = HTTPStatus(fault.status_code if isinstance(fault, HTTPException) else 500)
    headers = fault.headers if isinstance(fault, HTTPException) else None
    return problem(status, f"{status.description or status.phrase}.".replace("..", "."), headers=headers)


def _refused(_: Request, fault: Exception) -> Response:
    if not isinstance(fault, ScorebridgeError):
        raise TypeError(type(fault).__name__)
    code = (
        "stale" if isinstance(fault, StaleCaseError) else "taken" if isinstance(fault, CaseTakenError) else fault.code
    )
    return problem(HTTPStatus.CONFLICT, fault.message, next_step=fault.next_step, code=code)


def _store_failed(_: Request, fault: Exception) -> Response:
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{fault} Nothing was changed.",
        headers={"Retry-After": "10"},
    )


def _failed(_: Request, __: Exception) -> Response:
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here. Nothing was changed.")
