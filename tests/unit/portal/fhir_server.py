"""A small FHIR server on loopback that lists invented patients page by page, and can be told to misbehave."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class FhirServer:
    """What it lists and how it misbehaves.

    Attributes:
        total: What it says it lists; None for nothing said.
        next_links: Page number to the link given instead of the right one; None for no link.
        statuses: Page number to the statuses of its first answers.
        token: The bearer token it asks for, or None.
    """

    url: str = ""
    patients: list[dict[str, Any]] = field(default_factory=list)
    page_size: int = 2
    total: int | None = -1
    next_links: dict[int, str | None] = field(default_factory=dict)
    statuses: dict[int, list[int]] = field(default_factory=dict)
    bodies: dict[int, bytes] = field(default_factory=dict)
    extra: list[dict[str, Any]] = field(default_factory=list)
    token: str | None = None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answer(self, page: int) -> tuple[int, bytes]:
        if self.statuses.get(page):
            return self.statuses[page].pop(0), b"{}"
        if page in self.bodies:
            return 200, self.bodies[page]
        shown = self.patients[page * self.page_size :][: self.page_size]
        entries = [{"resource": patient, "search": {"mode": "match"}} for patient in shown] + self.extra
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        if self.total is not None:
            bundle["total"] = len(self.patients) if self.total < 0 else self.total
        more = (page + 1) * self.page_size < len(self.patients)
        link = self.next_links.get(page, f"{self.url}/Patient?page={page + 1}" if more else None)
        if link is not None:
            bundle["link"] = [{"relation": "self", "url": "x"}, {"relation": "next", "url": link}]
        return 200, json.dumps(bundle).encode()


@contextmanager
def fhir_server() -> Iterator[FhirServer]:
    """A running server."""
    told = FhirServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            if told.token is not None and self.headers.get("Authorization") != f"Bearer {told.token}":
                status, body = 401, b"{}"
            else:
                status, body = told.answer(int(parse_qs(urlsplit(self.path).query).get("page", ["0"])[0]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_address[1]}/fhir"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def person(number: int, **changes: Any) -> dict[str, Any]:
    """An invented Patient resource."""
    made: dict[str, Any] = {
        "resourceType": "Patient",
        "id": f"r{number}",
        "identifier": [{"system": "urn:mrn", "value": f"{number:05}"}],
        "name": [{"use": "official", "family": "Avery", "given": [f"Ana{number}", "M"]}],
        "birthDate": "1984-06-30",
        "gender": "female",
    }
    return made | changes
