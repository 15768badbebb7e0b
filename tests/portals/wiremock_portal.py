"""WireMock as a portal that fails in every way, as `tests/portals/wiremock/faults/*.json` tell it to.

Its journal says what was really sent, whatever the program believes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.portals.server_process import PORTALS, free_port, need, running

_FAULTS = PORTALS / "wiremock" / "faults"
_JARS = PORTALS / "wiremock" / "node_modules" / "wiremock" / "build"


@dataclass(frozen=True)
class Request:
    """One request of the journal."""

    method: str
    path: str
    headers: dict[str, str]
    body: str
    status: int


@dataclass(frozen=True)
class WireMock:
    """A running WireMock."""

    url: str

    def plays(self, scenario: str) -> None:
        """Forget everything and play a scenario from its beginning."""
        httpx.post(f"{self.url}/__admin/reset").raise_for_status()
        mappings = {"mappings": json.loads((_FAULTS / f"{scenario}.json").read_text("utf-8"))}
        httpx.post(f"{self.url}/__admin/mappings/import", json=mappings).raise_for_status()

    def journal(self, method: str | None = None, *, path: str = "") -> list[Request]:
        """What was sent since the scenario began, oldest first."""
        entries: list[dict[str, Any]] = httpx.get(f"{self.url}/__admin/requests").json()["requests"]
        found = [
            Request(
                method=entry["request"]["method"],
                path=entry["request"]["url"],
                headers={name.lower(): str(value) for name, value in entry["request"]["headers"].items()},
                body=entry["request"]["body"],
                status=entry["responseDefinition"].get("status", 0),
            )
            for entry in reversed(entries)
        ]
        return [one for one in found if method in (None, one.method) and one.path.startswith(path)]


@contextmanager
def wiremock(*, log: Path) -> Iterator[WireMock]:
    """WireMock on this machine."""
    need("java", folder="wiremock")
    url = f"http://127.0.0.1:{(port := free_port())}"
    (jar,) = _JARS.glob("wiremock-standalone-*.jar")
    command = ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-jar", str(jar)]
    options = ["--port", str(port), "--bind-address", "127.0.0.1", "--root-dir", str(log.parent), "--disable-banner"]
    options += ["--global-response-templating", "--container-threads", "16"]
    with running([*command, *options], log=log, ready=lambda: httpx.get(f"{url}/__admin/health")):
        yield WireMock(url)
