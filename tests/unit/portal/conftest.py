"""Sandbox portals and scripted ones, on loopback; submissions with synthetic values."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from portal.client import PortalClient
from portal.connections import ConfiguredDestination, configure, connected
from portal.sandbox import RunningSandbox, SandboxOptions, running_sandbox
from portal.settings import DestinationSettings
from records.submission import ResultStatus, Submission


@dataclass
class ScriptedPortal:
    """A server that gives the next scripted answer to each request: status, headers, body; None cuts the connection."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes] | None] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def will_answer(self, status: int, body: object = None, **headers: str) -> None:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, content))

    def will_cut(self) -> None:
        self.answers.append(None)


@pytest.fixture
def scripted() -> Iterator[ScriptedPortal]:
    portal = ScriptedPortal()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            portal.requests.append((self.command, self.path, headers, self.rfile.read(length)))
            answer = portal.answers.pop(0) if portal.answers else (599, {}, b"")
            if answer is None:
                self.close_connection = True
                self.connection.close()
                return
            status, given, body = answer
            self.send_response(status)
            for name, value in given.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  # names the library looks for

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    portal.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield portal
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def start_sandbox() -> Iterator[Callable[..., RunningSandbox]]:
    with ExitStack() as stack:

        def start(options: SandboxOptions | None = None, *, port: int = 0) -> RunningSandbox:
            return stack.enter_context(running_sandbox(options, port=port))

        yield start


@pytest.fixture
def sandbox(start_sandbox: Callable[..., RunningSandbox]) -> RunningSandbox:
    return start_sandbox()


@pytest.fixture
def configured(tmp_path: Path) -> Callable[..., ConfiguredDestination]:
    def configure_one(url: str, **settings: object) -> ConfiguredDestination:
        token = tmp_path / "token"
        if not token.exists():
            token.write_text("secret-token-of-the-test")
        given = {"id": "portal", "file": "generic-json.yaml", "base_url": url, "mode": "live", "rate_per_second": 1000}
        if not settings.keys() & {"basic", "oauth2", "smart"}:
            given["token"] = f"file:{token}"
        return configure([DestinationSettings.model_validate(given | settings)], folder=tmp_path)[0]

    return configure_one


@pytest.fixture
def client_of(configured: Callable[..., ConfiguredDestination]) -> Iterator[Callable[..., PortalClient]]:
    with ExitStack() as stack:

        def client(url: str, *, read_seconds: float = 5.0, **settings: object) -> PortalClient:
            destination = configured(url, **settings)
            return stack.enter_context(
                connected(destination, clock=lambda: datetime.now(UTC), read_seconds=read_seconds)
            )

        yield client


@pytest.fixture
def submission() -> Callable[..., Submission]:
    def make(
        *,
        number: int = 1,
        patient_id: str = "P100",
        score: int = 14,
        status: ResultStatus = ResultStatus.FINAL,
        revision: int = 1,
        attempts: int = 1,
        remote_id: str | None = None,
        was_unknown: bool = False,
    ) -> Submission:
        body = {
            "externalId": f"EXT{number}",
            "instrument": "phq-9",
            "loinc": "44261-6",
            "score": score,
            "administeredOn": "2026-03-02",
            "status": status.value,
            "items": [{"linkId": "1", "value": 3}, {"linkId": "2", "value": None}],
        }
        return Submission(
            submission_id=number,
            record_id=number,
            destination="portal",
            patient_id=patient_id,
            sequence=1,
            external_id=f"EXT{number}",
            revision=revision,
            status=status,
            payload=json.dumps(body).encode(),
            idempotency_key=f"key-{number}-{revision}",
            attempts=attempts,
            remote_id=remote_id,
            remote_version=None,
            was_unknown=was_unknown,
            created_at=datetime(2026, 3, 3, 6, 0, tzinfo=UTC),
        )

    return make
