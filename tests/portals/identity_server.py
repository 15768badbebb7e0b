"""A small OpenID Connect provider: it recognises everybody at once, and misbehaves as it is told to by `POST /behave`.

python identity_server.py PORT
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID: Final = "scorebridge"
CLIENT_SECRET: Final = "only-for-tests"
_KEY: Final = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
_OTHER_KEY: Final = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Provider(BaseHTTPRequestHandler):
    """One request."""

    behaviour: dict[str, Any] = {}  # noqa: RUF012 - the one state of the process
    codes: dict[str, dict[str, str]] = {}  # noqa: RUF012
    issuer = ""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/authorize":
            self._authorize(dict(parse_qsl(address.query)))
        elif address.path in self.behaviour.get("raw", {}):
            self._send(200, self.behaviour["raw"][address.path])
        elif address.path == "/.well-known/openid-configuration":
            self._send(200, json.dumps(self._discovery()))
        elif address.path == "/jwks":
            self._send(200, json.dumps({"keys": [_KEY.as_dict(private=False)]}))
        else:
            self._send(404, "{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
        if self.path == "/behave":
            type(self).behaviour = json.loads(body)
            self._send(200, "{}")
        elif self.path in self.behaviour.get("raw", {}):
            self._send(200, self.behaviour["raw"][self.path])
        else:
            self._token({name: values[-1] for name, values in parse_qs(body).items()})

    def _discovery(self) -> dict[str, object]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "authorization_response_iss_parameter_supported": True,
        } | self.behaviour.get("discovery", {})

    def _authorize(self, asked: dict[str, str]) -> None:
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.issuer} | self.behaviour.get("answer", {})
        shown = {name: value for name, value in answer.items() if value is not None}
        self.send_response(302)
        self.send_header("Location", f"{asked['redirect_uri']}?{urlencode(shown)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self, sent: dict[str, str]) -> None:
        asked = self.codes.get(sent.get("code", "")) if self.behaviour.get("forgets_used_codes") else None
        asked = asked or self.codes.pop(sent.get("code", ""), None)
        if asked is None or not self._is_client() or not _is_verified(asked, sent):
            self._send(400, json.dumps({"error": "invalid_grant"}))
            return
        answer = {"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": self._id_token(asked)}
        self._send(200, json.dumps(answer | self.behaviour.get("token", {})))

    def _is_client(self) -> bool:
        said = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        return self.headers.get("authorization") == f"Basic {said}"

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(self.behaviour.get("now", time.time()))
        claims: dict[str, Any] = {
            "iss": self.issuer, "sub": "s-1", "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "email": "rosa", "email_verified": True, "auth_time": self._asked_at(asked, now),
        } | self.behaviour.get("claims", {})  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return _signed(claims, self.behaviour.get("signed", "RS256"))

    def _asked_at(self, asked: dict[str, str], now: int) -> int:
        """It remembers people for an hour, but for who is to be asked again."""
        again = asked.get("prompt") == "login" or asked.get("max_age") == "0"
        return now if again else now - 3600

    def _send(self, status: int, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _is_verified(asked: dict[str, str], sent: dict[str, str]) -> bool:
    """PKCE with S256: whoever fetches the token is who asked for the code."""
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    wanted = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return asked.get("code_challenge_method") == "S256" and asked.get("code_challenge") == wanted


def _signed(claims: dict[str, Any], how: str) -> str:
    if how == "none":
        parts = (json.dumps({"alg": "none", "kid": "one"}), json.dumps(claims))
        return ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts) + "."
    if how == "HS256":  # with the public key as if it were a shared secret
        shared = OctKey.import_key(_KEY.as_pem(private=False), {"kid": "one"})
        return jwt.encode({"alg": "HS256", "kid": "one"}, claims, shared, algorithms=["HS256"])
    if how == "HS256-secret":
        shared = OctKey.import_key(CLIENT_SECRET, {"kid": "one"})
        return jwt.encode({"alg": "HS256", "kid": "one"}, claims, shared, algorithms=["HS256"])
    if how == "other-key":
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, _OTHER_KEY)
    if how == "unknown-key":
        return jwt.encode({"alg": "RS256", "kid": "two"}, claims, _OTHER_KEY)
    return jwt.encode({"alg": how, "kid": "one"}, claims, _KEY)


if __name__ == "__main__":
    port = int(sys.argv[1])
    Provider.issuer = f"http://localhost:{port}"
    ThreadingHTTPServer(("127.0.0.1", port), Provider).serve_forever()
