"""Starts the FHIR portal of `tests/portals/fhir` (Medplum's router on node), and asks it what it has.

with running_fhir_portal(tmp_path, patients=[patient("P1")]) as portal:
    portal.url, portal.resources("Observation"), portal.misbehave(commit_then_cut=0.1, seed=3)
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

SERVER = Path(__file__).parent / "fhir" / "server.mjs"
RECORD_NUMBERS = "urn:oid:2.16.840.1.113883.19.5"  # HL7's example root: nobody's record numbers


def patient(patient_id: str, *, birth_date: str = "1980-01-02", **changed: object) -> dict[str, object]:
    """A synthetic Patient whose id and record number are `patient_id`."""
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "identifier": [{"system": RECORD_NUMBERS, "value": patient_id}],
        "active": True,
        "birthDate": birth_date,
    } | changed


@dataclass
class RunningFhirPortal:
    """The portal as a process; `kill` and `start` are a restart with everything it had stored."""

    folder: Path
    environment: dict[str, str]
    port: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The FHIR base URL."""
        return f"http://127.0.0.1:{self.port}/fhir"

    @property
    def token_url(self) -> str:
        """Where client credentials become tokens."""
        return f"http://127.0.0.1:{self.port}/_token"

    def start(self) -> None:
        environment = os.environ | self.environment | {"PORT": str(self.port)}
        process = subprocess.Popen(["node", SERVER], env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = process.stdout.readline().split()
        assert said[:1] == ["listening"], "the FHIR portal did not start"
        self.process, self.port = process, int(said[1])

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def misbehave(self, **faults: object) -> None:
        """Shares of `too_many`, `unavailable`, `cut_before_commit`, `commit_then_cut`; `seed`; `retry_after` seconds;
        `next=["too_many", None]` for the next requests; `token_seconds`; `revoke_tokens`."""
        self._asked("_faults", json=faults)

    def counts(self) -> dict[str, Any]:
        """Requests to the portal (looks at it by tests not counted), versions written, tokens, faults by kind."""
        return self._asked("_counts")

    def resources(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Everything stored, as it is now."""
        return [one for one in self._asked("_resources")["resources"] if kind in (None, one["resourceType"])]

    def history(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Every version ever stored."""
        return [one for one in self._asked("_resources")["history"] if kind in (None, one["resourceType"])]

    def put(self, resource: dict[str, Any]) -> None:
        """Store a resource past the sender, as somebody at the portal does."""
        httpx.put(f"{self.url}/{resource['resourceType']}/{resource['id']}", json=resource).raise_for_status()

    def _asked(self, what: str, **sent: Any) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/{what}"
        answer = httpx.post(url, **sent) if sent else httpx.get(url)
        content: dict[str, Any] = answer.raise_for_status().json()
        return content


@contextmanager
def running_fhir_portal(
    folder: Path,
    *,
    patients: Sequence[dict[str, object]] = (),
    client_secret: str | None = None,
    token_seconds: float = 3600,
) -> Iterator[RunningFhirPortal]:
    """A portal with these patients; with `client_secret` it wants tokens of `token_url`."""
    need_node()
    seeds = folder / "fhir-patients.jsonl"
    seeds.write_text("".join(json.dumps(one) + "\n" for one in patients), "utf-8")
    environment = {"STATE": str(folder / "fhir-portal.jsonl"), "PATIENTS": str(seeds)}
    environment |= {"CLIENT_SECRET": client_secret or "", "TOKEN_SECONDS": str(token_seconds)}
    portal = RunningFhirPortal(folder=folder, environment=environment)
    portal.start()
    try:
        yield portal
    finally:
        portal.kill()


def need_node() -> None:
    """Skip where node or the portal's packages are missing; where nothing may be skipped, fail."""
    missing = None
    if shutil.which("node") is None:
        missing = "node is not installed"
    elif not (SERVER.parent / "node_modules").is_dir():
        missing = "run: npm ci --prefix tests/portals/fhir"
    if missing and os.environ.get("SCOREBRIDGE_NO_SKIP"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
