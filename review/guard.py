"""What holds for every request and every answer, whatever the page: the outermost layer."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from review.api.wire import PREFIX, refused_request
from review.routing import MOST_FORM_BYTES
from review.settings import WebSettings

_log = structlog.get_logger("review")

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_READING: Final = ("GET", "HEAD")


class Guard:
    """Refuses foreign and oversized requests, puts the protecting headers on every answer, and keeps faults quiet."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: WebSettings,
        file_bytes: Mapping[str, int],
        api_file_bytes: Callable[[str], int],
    ) -> None:
        """Guard an application.

        Args:
            file_bytes: The addresses of pages that take forms with files, and how long such a form may be.
            api_file_bytes: The same of an address of the API; 0 for one that takes none.
        """
        self._app = app
        self._settings = settings
        self._file_bytes = file_bytes
        self._api_file_bytes = api_file_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        started = False

        async def send_protected(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._protect(MutableHeaders(scope=message))
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._foreign_host(headers) or (
            refused_request(scope["method"], scope["path"], headers, file_bytes=self._api_file_bytes(scope["path"]))
            if scope["path"].startswith(f"{PREFIX}/")
            else self._refusal(scope["method"], scope["path"], headers)
        )
        if refusal is not None:
            await refusal(scope, receive, send_protected)
            return
        try:
            await self._app(scope, receive, send_protected)
        except Exception as fault:  # noqa: BLE001 - the one place where a page's fault ends
            # Neither the message nor the address is logged: both may name a patient.
            _log.error("web.page-failed", fault=type(fault).__name__, at=_place(fault))
            if not started:
                text = "Something went wrong here. Nothing was saved. Go back and try again."
                await PlainTextResponse(text, status_code=500)(scope, receive, send_protected)

    def _protect(self, headers: MutableHeaders) -> None:
        for name, value in _HEADERS.items():
            headers[name] = value
        # Deny by default: only files without patient data say otherwise.
        headers.setdefault("Cache-Control", "no-store")
        if self._settings.has_tls:
            headers["Strict-Transport-Security"] = "max-age=31536000"

    def _foreign_host(self, headers: Headers) -> PlainTextResponse | None:
        if self._settings.answers_to(_host_name(headers.get("host", ""))):
            return None
        return PlainTextResponse("These pages are not reached by this name.", status_code=400)

    def _refusal(self, method: str, path: str, headers: Headers) -> PlainTextResponse | None:
        if method in _READING:
            return None
        if not _is_same_origin(headers, tls=self._settings.has_tls):
            return PlainTextResponse("This form did not come from these pages. Nothing was saved.", status_code=403)
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return PlainTextResponse("The length of the form is missing.", status_code=411)
        if int(length) > self._file_bytes.get(path, MOST_FORM_BYTES):
            return PlainTextResponse("The form is too large. Nothing was saved.", status_code=413)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != ("multipart/form-data" if path in self._file_bytes else "application/x-www-form-urlencoded"):
            return PlainTextResponse("Only forms are read here.", status_code=415)
        return None


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_same_origin(headers: Headers, *, tls: bool) -> bool:
    """Whether a browser says that the form is on one of our own pages; silence is a no.

    Browsers send "Origin: null" under our referrer policy (Fetch standard, 3.2), so the newer header comes first.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return headers.get("origin") == f"{'https' if tls else 'http'}://{headers.get('host', '')}"


def _place(fault: BaseException) -> str:
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
