"""A SMART token server on loopback that checks everything, and a small portal that takes its tokens only.

Signatures are verified with `cryptography`, not with the library that signs. Everything it refuses is written down.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

LONGEST_ASSERTION_SECONDS = 300
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class RefusedError(Exception):
    """Why a request for a token is refused, as RFC 6749 has it, and in words for the test."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(why)
        self.error = error


@dataclass
class StrictTokenServer:
    """What it knows and what it saw.

    Attributes:
        keys: Registered public keys.
        skew: Seconds its clock is ahead.
        failing: Statuses of its next answers.
    """

    url: str = ""
    client_id: str = "scorebridge"
    scope: str = "system/Observation.crus"
    keys: Sequence[Mapping[str, Any]] = ()
    lifetime: float = 300
    skew: float = 0
    slow: float = 0
    failing: list[int] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    unauthorised: int = 0
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    forms: list[bytes] = field(default_factory=list)
    _ends: dict[str, float] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def token_url(self) -> str:
        return f"{self.url}/auth/token"

    def revoke(self) -> None:
        """End every token."""
        self._ends.clear()

    def accepts(self, authorization: str) -> bool:
        """Whether a bearer token is good now."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._ends.get(token, 0) > time.monotonic()

    def answer(self, body: bytes, content_type: str) -> tuple[int, dict[str, Any]]:
        """One request for a token."""
        time.sleep(self.slow)
        with self._lock:
            self.forms.append(body)
            if self.failing:
                return self.failing.pop(0), {}
            try:
                self._check(body, content_type)
            except RefusedError as refused:
                self.refusals.append(str(refused))
                return 400, {"error": refused.error, "error_description": "no"}
            token = secrets.token_urlsafe(16)
            self.given.append(token)
            self._ends[token] = time.monotonic() + self.lifetime
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": self.lifetime, "scope": self.scope}

    def _check(self, body: bytes, content_type: str) -> None:
        form = parse_qs(body.decode("ascii"), strict_parsing=True)
        if content_type != "application/x-www-form-urlencoded" or any(len(values) != 1 for values in form.values()):
            raise RefusedError("invalid_request", "form")
        if set(form) != {"grant_type", "scope", "client_assertion_type", "client_assertion"}:
            raise RefusedError("invalid_request", "fields")
        if form["grant_type"] != ["client_credentials"] or form["client_assertion_type"] != [_ASSERTION]:
            raise RefusedError("unsupported_grant_type", "grant")
        self._check_assertion(form["client_assertion"][0])
        if form["scope"] != [self.scope]:
            raise RefusedError("invalid_scope", "scope")

    def _check_assertion(self, assertion: str) -> None:
        head, claimed, signature = assertion.split(".")
        header, claims = json.loads(_bytes(head)), json.loads(_bytes(claimed))
        key = next((key for key in self.keys if key["kid"] == header.get("kid")), None)
        if key is None:
            raise RefusedError("invalid_client", "kid")
        if header.get("alg") != key["alg"] or header.get("typ") != "JWT" or key.get("use") != "sig":
            raise RefusedError("invalid_client", "alg")
        try:
            verify(key, _bytes(signature), f"{head}.{claimed}".encode())
        except InvalidSignature:
            raise RefusedError("invalid_client", "signature") from None
        now = time.time() + self.skew
        if claims.get("iss") != self.client_id or claims.get("sub") != self.client_id:
            raise RefusedError("invalid_client", "client")
        if claims.get("aud") != self.token_url:
            raise RefusedError("invalid_client", "audience")
        if not isinstance(claims.get("exp"), int) or not now < claims["exp"] <= now + LONGEST_ASSERTION_SECONDS:
            raise RefusedError("invalid_client", "expiry")
        if not claims.get("jti") or claims["jti"] in self._seen:
            raise RefusedError("invalid_client", "replay")
        self._seen.add(claims["jti"])


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def verify(key: Mapping[str, Any], signature: bytes, signed: bytes) -> None:
    """Check a signature by a public JWK; raises InvalidSignature."""
    if key["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA384())
        return
    if len(signature) != 96:
        raise InvalidSignature
    curve = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP384R1()).public_key()
    parts = (int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big"))
    curve.verify(utils.encode_dss_signature(*parts), signed, ec.ECDSA(hashes.SHA384()))


@contextmanager
def strict_token_server() -> Iterator[StrictTokenServer]:
    """A running server."""
    told = StrictTokenServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/auth/token":
                status, content = told.answer(body, self.headers.get("Content-Type", ""))
            elif not told.accepts(self.headers.get("Authorization", "")):
                told.unauthorised += 1
                status, content = 401, {}
            elif self.command == "POST":
                measure = json.loads(body)
                key = measure["externalId"]
                told.stored[key] = {**measure, "id": f"om-{len(told.stored) + 1}", "version": "1"}
                status, content = 201, told.stored[key]
            else:
                asked = parse_qs(urlsplit(self.path).query).get("externalId", [""])[0]
                status, content = 200, [told.stored[asked]] if asked in told.stored else []
            written = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815  # names the library looks for

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()
