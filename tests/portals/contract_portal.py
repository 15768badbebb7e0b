"""Prism between the program and the sandbox: it lets pass only what the portal's OpenAPI contract allows, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.portals.server_process import PORTALS, free_port, need, running

_PRISM = PORTALS / "contract" / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"


@contextmanager
def contract_portal(upstream: str, *, log: Path) -> Iterator[str]:
    """URL of a portal that breaks off with 422 or 500 where a request or an answer breaks the contract."""
    need("node", folder="contract")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    contract = PORTALS / "contract" / "openapi.json"
    command = ["node", str(_PRISM), "proxy", str(contract), upstream, "--port", str(port), "--errors", "-v", "warn"]
    with running(command, log=log, ready=lambda: httpx.get(url)):
        yield url
