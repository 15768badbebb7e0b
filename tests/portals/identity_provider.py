"""Starts the identity provider of `identity_server.py` as a process, and tells it how to misbehave."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.portals.server_process import PORTALS, free_port, running

_SERVER = PORTALS / "identity_server.py"


@dataclass(frozen=True)
class IdentityProvider:
    """A provider that runs; `localhost` in its name makes it another site than 127.0.0.1 for browsers."""

    issuer: str

    def behave(self, **behaviour: object) -> None:
        """What it says from now on, in place of all it was told before."""
        httpx.post(f"{self.issuer}/behave", json=behaviour).raise_for_status()

    def recognise(self, address: str) -> str:
        """Where the provider sends a browser that was sent to it."""
        answer = httpx.get(address)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@contextmanager
def identity_provider(*, log: Path) -> Iterator[IdentityProvider]:
    """A provider as long as this lasts."""
    port = free_port()
    issuer = f"http://localhost:{port}"
    command = [sys.executable, str(_SERVER), str(port)]
    with running(command, log=log, ready=lambda: httpx.get(f"{issuer}/.well-known/openid-configuration")):
        yield IdentityProvider(issuer)
