"""A route of the API: who may take it is settled before a byte of the body is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from review.access import Policy
from review.api.admission import Admission, admit
from review.api.problems import PROBLEM_RESPONSES


class ApiRoute(NamedTuple):
    """One operation.

    Attributes:
        method: "GET" or "POST".
        path: Behind `/api/v1`, with its parameters in braces.
        answer: What answers it; its docstring describes the operation, its name is the operation's id.
        policy: Who may take it.
        changes: Whether it changes anything: a token that only reads is refused then.
        gives: Media types of the answer where it is not JSON.
        takes: Schema of the form with files (multipart/form-data) that it reads instead of JSON, or None.
        file_bytes: Most bytes of such a form.
    """

    method: str
    path: str
    answer: Callable[..., object]
    policy: Policy
    changes: bool = False
    gives: tuple[str, ...] = ()
    takes: Mapping[str, Any] | None = None
    file_bytes: int = 0


class GuardedRoute(APIRoute):
    """A route that asks for a token, its role, its sites and its right to change things, in this order, and first."""

    def __init__(self, route: ApiRoute, *, tag: str) -> None:
        # Set before the parent makes the handler, which is asked for requests later only.
        self.admission = Admission(policy=route.policy, changes=route.changes, operation=route.answer.__name__)
        self.file_bytes = route.file_bytes
        body = {"required": True, "content": {"multipart/form-data": {"schema": route.takes}}}
        content: dict[int | str, dict[str, Any]] = {}
        if route.gives:
            binary = {"schema": {"type": "string", "format": "binary"}}
            content[200] = {"content": dict.fromkeys(route.gives, binary)}
        super().__init__(
            route.path,
            route.answer,
            methods=[route.method],
            tags=[tag],
            operation_id=route.answer.__name__,
            summary=route.answer.__name__.replace("_", " ").capitalize(),
            responses=content | PROBLEM_RESPONSES,
            response_class=Response if route.gives else JSONResponse,
            openapi_extra={"requestBody": body} if route.takes else None,
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the admission."""
        answer: Callable[[Request], Awaitable[Response]] = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await run_in_threadpool(admit, request, self.admission)
            return await answer(request)

        return guarded
