"""A program that calls the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient


class Caller:
    """One program with one token, or none."""

    def __init__(self, app: FastAPI, token: str | None, *, client: str = "127.0.0.1") -> None:
        self.http = TestClient(app, base_url="http://127.0.0.1:8765", follow_redirects=False, client=(client, 50000))
        self.headers = {} if token is None else {"authorization": f"Bearer {token}"}

    def get(self, path: str, **params: str | int) -> Response:
        return self.http.get(f"/api/v1{path}", params=params or None, headers=self.headers)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Response:
        return self.http.post(f"/api/v1{path}", json=body, headers=self.headers)

    def send(self, path: str, files: Iterable[tuple[str, str, bytes]] = (), **fields: str) -> Response:
        """Send a form with files: field, file name and content of each."""
        parts = [(field, (name, content, "application/octet-stream")) for field, name, content in files]
        return self.http.post(f"/api/v1{path}", data=fields, files=parts or None, headers=self.headers)
