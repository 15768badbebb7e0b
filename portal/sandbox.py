"""A small portal to try everything against: the generic interface, with faults on request. For synthetic data only.

    python -m portal.sandbox --port 8090 --state values.jsonl

The interface describes itself at /openapi.json. `POST /_sandbox/faults` makes it misbehave, `GET /_sandbox/values`
lists what it has. It keeps no second copy out: two deliveries under two idempotency keys become two results, as they
would in a portal, so that a sender's mistake shows.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import parse_qs, quote

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from portal.sandbox_values import (
    BatchEntry,
    BatchResult,
    BatchResults,
    Fault,
    FaultPlan,
    Faults,
    KeyInUseError,
    MeasureBatch,
    OtherBodyError,
    OutcomeMeasure,
    StoredMeasure,
    Values,
)

_MEASURES: Final = "/v1/patients/{patient_id}/outcome-measures"
_Scope = MutableMapping[str, object]
_Message = MutableMapping[str, object]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


class Connections:
    """Open connections by the client's address, so that one can be cut."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """uvicorn's protocol, which tells us of its connections."""
        transports = self._transports

        class Listed(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return Listed

    async def cut(self, client: object) -> None:
        """Cut a connection at once, without an answer."""
        transport = next((kept for address, kept in self._transports.items() if address == client), None)
        if transport is not None:
            transport.abort()
            while not transport.is_closing() or client in self._transports:
                await asyncio.sleep(0.001)  # uvicorn must see it gone, or it would answer 500 for us


class Misbehaviour:
    """ASGI layer that lets the planned fault befall each request of the interface."""

    def __init__(self, app: _App, *, plan: FaultPlan, connections: Connections) -> None:
        self._app = app
        self._plan = plan
        self._connections = connections

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer one request, or do not."""
        if scope["type"] != "http" or not str(scope["path"]).startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        fault, faults = self._plan.draw(str(scope["method"])), self._plan.faults
        if fault is Fault.UNAVAILABLE:
            await _answer(send, 503, {"title": "unavailable"})
        elif fault is Fault.TOO_MANY:
            await _answer(send, 429, {"title": "too many requests"}, retry_after=faults.retry_after)
        elif fault is Fault.UNAUTHORIZED:
            await _answer(send, 401, {"title": "unauthorized"})
        elif fault is Fault.CUT_BEFORE_COMMIT:
            await self._connections.cut(scope["client"])
        elif fault is Fault.COMMIT_THEN_CUT:
            await self._app(scope, receive, _swallow)
            await self._connections.cut(scope["client"])
        elif fault is Fault.HANG:
            scope["sandbox.hang_seconds"] = faults.hang_seconds
            await self._app(scope, receive, send)
        elif fault is Fault.SLOW:
            await self._app(scope, receive, _after(faults.slow_seconds, send))
        elif fault is Fault.WRONG_ECHO:
            await self._app(scope, receive, _falsified(send))
        else:
            await self._app(scope, receive, send)


async def _answer(send: _Send, status: int, content: dict[str, str], *, retry_after: float | None = None) -> None:
    headers = [(b"content-type", b"application/problem+json")]
    if retry_after is not None:
        headers.append((b"retry-after", f"{retry_after:g}".encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(content).encode()})


async def _swallow(message: _Message) -> None:
    """Let an answer go nowhere."""


def _after(seconds: float, send: _Send) -> _Send:
    async def late(message: _Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return late


def _falsified(send: _Send) -> _Send:
    start: list[_Message] = []

    async def wrong(message: _Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        body = message.get("body", b"")
        content = json.loads(body) if isinstance(body, bytes) and body else None
        for entry in content if isinstance(content, list) else [content]:
            if isinstance(entry, dict) and "id" in entry:
                entry["score"] = -1
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": start[0]["status"], "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(content).encode()})

    return wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """How a sandbox portal is set up.

    Attributes:
        state: JSON-lines file that keeps the values over restarts; None for memory.
        token: The one bearer token; None takes any.
        client_secret: Secret of every OAuth 2 client at /oauth/token.
        token_seconds: Lifetime of tokens given out there.
        patients: Patients the portal knows; None for all.
    """

    state: Path | None = None
    token: str | None = None
    client_secret: str | None = None
    token_seconds: float = 300
    patients: frozenset[str] | None = None


_Key = Annotated[str, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


class SandboxPortal:
    """The portal: its interface and what it stores.

    Attributes:
        app: As an ASGI application, faults included.
        values: What is stored.
        describe: The interface as OpenAPI, as it stands at /openapi.json.
    """

    def __init__(self, options: SandboxOptions, *, connections: Connections) -> None:
        self.values = Values(state=options.state)
        self._options = options
        self._plan = FaultPlan()
        self._issued: str | None = None
        self._issued_until = 0.0
        app = FastAPI(title="Sandbox portal", version="1", docs_url=None, redoc_url=None)
        measures = APIRouter(prefix=_MEASURES, dependencies=[Depends(self._authorised), Depends(self._known_patient)])
        measures.add_api_route("", self._create, methods=["POST"], status_code=201)
        measures.add_api_route("", self._search, methods=["GET"])
        measures.add_api_route("/{measure_id}", self._replace, methods=["PUT"])
        measures.add_api_route("/{measure_id}", self._read, methods=["GET"])
        app.include_router(measures)
        app.add_api_route(
            "/v1/outcome-measures/batch", self._create_many, methods=["POST"], dependencies=[Depends(self._authorised)]
        )
        app.add_api_route("/oauth/token", self._give_token, methods=["POST"], response_model=None)
        app.add_api_route("/_sandbox/faults", self._misbehave, methods=["POST"])
        app.add_api_route("/_sandbox/requests", self._requests, methods=["GET"])
        app.add_api_route("/_sandbox/values", self._everything, methods=["GET"])
        self.app: _App = Misbehaviour(app, plan=self._plan, connections=connections)
        self.describe = app.openapi

    async def _authorised(self, authorization: Annotated[str, Header()] = "") -> None:
        scheme, _, token = authorization.partition(" ")
        any_will_do = self._options.token is None and self._options.client_secret is None
        good = self._issued if time.monotonic() < self._issued_until else None
        accepted = any_will_do or token in (self._options.token, good)
        if scheme.lower() != "bearer" or not token or not accepted:
            raise HTTPException(401, "a bearer token is needed")

    async def _known_patient(self, patient_id: str) -> None:
        if self._options.patients is not None and patient_id not in self._options.patients:
            raise HTTPException(404, "no such patient")

    async def _create(self, request: Request, patient_id: str, measure: OutcomeMeasure, key: _Key) -> StoredMeasure:
        """Store a result; the same key and body again give the same answer."""
        return await self._carry_out(request, measure, patient_id, None, key)

    async def _create_many(self, request: Request, batch: MeasureBatch) -> BatchResults:
        """Store several results, each by itself: each has a status of its own, in the order they came."""
        raw = json.loads(await request.body())["measures"]
        return BatchResults(
            results=[self._store_one(e, r["measure"]) for e, r in zip(batch.measures, raw, strict=True)]
        )

    def _store_one(self, entry: BatchEntry, raw: object) -> BatchResult:
        known = self._options.patients
        if known is not None and entry.patientId not in known:
            return BatchResult(status=404)
        # The digest of the same request sent singly, so that its key is good for both.
        place = _MEASURES.format(patient_id=quote(entry.patientId, safe=""))
        body = json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode()
        digest = hashlib.sha256(f"POST {place}\n".encode() + body).hexdigest()
        key = entry.idempotencyKey
        try:
            stored = self.values.begin(key, digest) or self.values.put(
                entry.measure, patient_id=entry.patientId, measure_id=None, key=key, request=digest
            )
        except (KeyInUseError, OtherBodyError) as error:
            return BatchResult(status=409 if isinstance(error, KeyInUseError) else 422)
        return BatchResult(status=201, measure=stored)

    async def _replace(
        self, request: Request, patient_id: str, measure_id: str, measure: OutcomeMeasure, key: _Key
    ) -> StoredMeasure:
        """Correct or withdraw a result."""
        before = self.values.get(patient_id, measure_id)
        if before is None or before.externalId != measure.externalId:
            raise HTTPException(404, "no such result of this patient")
        return await self._carry_out(request, measure, patient_id, measure_id, key)

    async def _carry_out(
        self, request: Request, measure: OutcomeMeasure, patient_id: str, measure_id: str | None, key: str
    ) -> StoredMeasure:
        digest = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body()).hexdigest()
        try:
            repeated = self.values.begin(key, digest)
        except KeyInUseError:
            raise HTTPException(409, "the first request with this key has not ended") from None
        except OtherBodyError:
            raise HTTPException(422, "this key was used for another request") from None
        if repeated is not None:
            return repeated
        try:
            await asyncio.sleep(float(str(request.scope.get("sandbox.hang_seconds", 0))))
            return self.values.put(measure, patient_id=patient_id, measure_id=measure_id, key=key, request=digest)
        finally:
            self.values.end(key)

    async def _search(
        self, patient_id: str, external_id: Annotated[str | None, Query(alias="externalId")] = None
    ) -> list[StoredMeasure]:
        """Results of a patient, all or by the sender's id."""
        return self.values.of_patient(patient_id, external_id)

    async def _read(self, patient_id: str, measure_id: str) -> StoredMeasure:
        """One result."""
        measure = self.values.get(patient_id, measure_id)
        if measure is None:
            raise HTTPException(404, "no such result of this patient")
        return measure

    async def _give_token(self, request: Request) -> JSONResponse:
        """OAuth 2 client credentials; one token is good at a time, so that tests see what becomes of an old one."""
        form = parse_qs((await request.body()).decode())
        if self._options.client_secret is None or form.get("client_secret") != [self._options.client_secret]:
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        self._issued = secrets.token_urlsafe(24)
        lifetime = self._options.token_seconds
        self._issued_until = time.monotonic() + lifetime
        return JSONResponse({"access_token": self._issued, "token_type": "Bearer", "expires_in": lifetime})

    async def _misbehave(self, faults: Faults) -> Faults:
        """Misbehave like this from now on; an empty object ends it."""
        self._plan.plan(faults)
        return faults

    async def _requests(self) -> dict[str, int]:
        """How many requests there were, by method and by fault."""
        return dict(self._plan.requests)

    async def _everything(self) -> list[StoredMeasure]:
        """Everything stored, oldest first."""
        return self.values.all()


def _server(options: SandboxOptions) -> tuple[uvicorn.Server, Values]:
    connections = Connections()
    portal = SandboxPortal(options, connections=connections)
    config = uvicorn.Config(
        portal.app, http=connections.protocol(), access_log=False, log_level="error", timeout_graceful_shutdown=1
    )
    return uvicorn.Server(config), portal.values


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSandbox:
    """A sandbox that answers.

    Attributes:
        url: Its base URL.
    """

    url: str
    values: Values


def _listener(port: int) -> socket.socket:
    listener = socket.create_server(("127.0.0.1", port))
    # asyncio sets this only on sockets that name TCP; without it each answer waits 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


@contextmanager
def running_sandbox(options: SandboxOptions | None = None, *, port: int = 0) -> Iterator[RunningSandbox]:
    """A sandbox on this machine in a thread of its own; port 0 takes a free one."""
    listener = _listener(port)
    server, values = _server(options or SandboxOptions())
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox-portal", daemon=True)
    thread.start()
    try:
        yield RunningSandbox(url=f"http://127.0.0.1:{listener.getsockname()[1]}", values=values)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
        values.close()


def main(arguments: list[str] | None = None) -> int:
    """Run a sandbox until it is stopped; its URL is the first line on standard output."""
    parser = argparse.ArgumentParser(prog="python -m portal.sandbox", description="A small portal to try things with.")
    parser.add_argument("--port", type=int, default=0, help="port on this machine; else a free one, which is printed")
    parser.add_argument("--state", type=Path, help="JSON-lines file that keeps values over restarts")
    parser.add_argument("--token", help="accept this bearer token only")
    parser.add_argument("--client-secret", help="give OAuth 2 tokens at /oauth/token to whoever knows this")
    parser.add_argument("--token-seconds", type=float, default=300, help="how long such a token is good")
    parser.add_argument("--patients", type=Path, help="file of patient ids, one a line; others are answered 404")
    given = parser.parse_args(arguments)
    known = None if given.patients is None else frozenset(given.patients.read_text("utf-8").split())
    server, _ = _server(
        SandboxOptions(
            state=given.state,
            token=given.token,
            client_secret=given.client_secret,
            token_seconds=given.token_seconds,
            patients=known,
        )
    )
    with _listener(given.port) as listener:
        sys.stdout.write(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}) + "\n")
        sys.stdout.flush()
        server.run([listener])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
