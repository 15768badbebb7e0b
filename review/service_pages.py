"""What machines ask for: health, metrics, style sheet and icon. No patient data."""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from review import policies
from review.office import office_of
from review.rendering import STATIC_KINDS, static_file, static_names
from review.routing import Route

_KEPT: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def health(request: Request) -> Response:
    """How the service is; 503 when its "ok" is false, so that a monitor needs to read nothing."""
    ask = office_of(request).health
    answer = dict(ask()) if ask else {"ok": True}
    return JSONResponse(answer, status_code=200 if answer.get("ok", True) is True else 503)


def metrics(request: Request) -> Response:
    """Figures for Prometheus, to programs on this machine."""
    ask = office_of(request).metrics
    if ask is None:
        return Response(status_code=404)
    return Response(ask(), media_type="text/plain; version=0.0.4; charset=utf-8")


def static(name: str) -> Response:
    """A file that pages are made of, under an address that changes with its content."""
    kind = STATIC_KINDS.get(name.rpartition(".")[2])
    if kind is None or name not in static_names():
        return Response(status_code=404)
    return Response(static_file(name), media_type=kind, headers=_KEPT)


ROUTES: Final = (
    Route("GET", "/health", health, policies.OPEN),
    Route("GET", "/metrics", metrics, policies.THIS_MACHINE),
    Route("GET", "/static/{name}", static, policies.OPEN),
)
