"""Portals as processes that fail, lose answers, restart and let tokens expire; and a sender to be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

from tests.portals.fhir_portal import RunningFhirPortal, patient, running_fhir_portal

ROOT = Path(__file__).parents[2]
CLIENT_SECRET = "synthetic-client-secret"
TOKEN_SECONDS = 4.0
FAULTS = {"too_many": 0.08, "retry_after": 1, "unavailable": 0.05, "cut_before_commit": 0.03, "commit_then_cut": 0.1}

SENDER = """
import json, sys, threading
from datetime import timedelta
from pathlib import Path
from parsers.instrument_library import load_instruments
from portal.connections import configure
from portal.delivery import DeliverySettings, DeliveryWorker
from portal.settings import DestinationSettings
from store.database import open_existing
from store.settings import StoreSettings

home, settings = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
worker = DeliveryWorker(
    database=open_existing(StoreSettings(home=home)),
    destinations=configure([DestinationSettings.model_validate(settings)], folder=home),
    instruments=load_instruments(),
    settings=DeliverySettings(first_pause=timedelta(milliseconds=200), read_seconds=10),
)
worker.run(threading.Event())
"""


def start_sender(home: Path, settings: Path, log: Path) -> subprocess.Popen[bytes]:
    """The delivery of the service alone, as a process."""
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, "-c", SENDER, str(home), str(settings)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=file,
            stderr=file,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """One value as a portal shows it."""

    patient_id: str
    day: str
    score: int | None
    status: str


class FaultyPortal(Protocol):
    """What the fault run asks of a portal.

    Attributes:
        settings: Of the destination, for the sender.
    """

    settings: dict[str, object]

    def misbehave(self, seed: int) -> None:
        """Fail from now on."""

    def restart(self) -> None:
        """Die and come back with everything stored."""

    def shown(self) -> list[Shown]:
        """Every value, oldest first."""

    def requests(self) -> Counter[str]:
        """Requests since the start, by kind."""

    def companions(self) -> list[str]:
        """What is wrong with what a portal keeps beside the values; empty where nothing is."""


def _settings(file: str, base_url: str, token_url: str, folder: Path, **more: object) -> dict[str, object]:
    secret = folder / "client-secret"
    secret.write_text(CLIENT_SECRET)
    secret.chmod(0o600)
    oauth2 = {"token_url": token_url, "client_id": "scorebridge", "client_secret": f"file:{secret}", "send_as": "post"}
    given = {"id": "portal", "file": file, "base_url": base_url, "mode": "live", "rate_per_second": 1000}
    return given | {"oauth2": oauth2} | more


@dataclass
class JsonPortal:
    """The sandbox portal as a process."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)
    seed: int = 0
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, object]:
        """Of the destination."""
        return _settings("generic-json.yaml", self.url, f"{self.url}/oauth/token", self.folder)

    def start(self) -> None:
        command = [sys.executable, "-m", "portal.sandbox", "--port", str(self.port), "--state"]
        command += [str(self.folder / "portal.jsonl"), "--client-secret", CLIENT_SECRET]
        command += ["--token-seconds", str(TOKEN_SECONDS)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(json.loads(self.process.stdout.readline())["url"].rpartition(":")[2])

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def misbehave(self, seed: int) -> None:
        self.seed = seed
        httpx.post(f"{self.url}/_sandbox/faults", json=FAULTS | {"seed": seed}).raise_for_status()

    def restart(self) -> None:
        self.counted += Counter(self._asked("requests"))
        self.kill()
        time.sleep(0.5)
        self.start()
        self.misbehave(self.seed + 1)

    def shown(self) -> list[Shown]:
        return [Shown(v["patientId"], v["administeredOn"], v["score"], v["status"]) for v in self._asked("values")]

    def requests(self) -> Counter[str]:
        return self.counted + Counter(self._asked("requests"))

    def companions(self) -> list[str]:
        return []

    def _asked(self, what: str) -> Any:
        return httpx.get(f"{self.url}/_sandbox/{what}").raise_for_status().json()


@dataclass
class FhirPortal:
    """Medplum's FHIR router as a process."""

    running: RunningFhirPortal
    seed: int = 0
    counted: Counter[str] = field(default_factory=Counter)

    @property
    def settings(self) -> dict[str, object]:
        """Of the destination."""
        running = self.running
        return _settings("fhir-r4.yaml", running.url, running.token_url, running.folder)

    def misbehave(self, seed: int) -> None:
        self.seed = seed
        self.running.misbehave(**FAULTS, seed=seed)

    def restart(self) -> None:
        self.counted += self._counts()
        self.running.kill()
        time.sleep(0.5)
        self.running.start()
        self.misbehave(self.seed + 1)

    def shown(self) -> list[Shown]:
        first = {}
        for version in self.running.history("Observation"):
            came = version["meta"]["lastUpdated"]
            first[version["id"]] = min(first.get(version["id"], came), came)
        found = sorted(self.running.resources("Observation"), key=lambda one: first[one["id"]])
        return [
            Shown(
                one["subject"]["reference"].removeprefix("Patient/"),
                one["effectiveDateTime"],
                one.get("valueQuantity", {}).get("value"),
                one["status"],
            )
            for one in found
        ]

    def requests(self) -> Counter[str]:
        return self.counted + self._counts()

    def companions(self) -> list[str]:
        """Each value has one questionnaire response, one document reference and the provenance of each revision."""
        identifiers: Counter[tuple[str, str, str]] = Counter()
        for one in self.running.resources():
            # A print is one file for many patients: what is one value's own is the master identifier.
            given = one.get("masterIdentifier") or one.get("identifier", [])
            for name in given if isinstance(given, list) else [given]:
                identifiers[one["resourceType"], name["system"], name["value"]] += 1
        return [f"{kind} twice" for (kind, _, _), count in identifiers.items() if count > 1]

    def _counts(self) -> Counter[str]:
        counts = self.running.counts()
        counted = {name: counts[name] for name in ("requests", "writes", "tokens")}
        return Counter(counted) + Counter(counts["faults"])


@contextmanager
def json_portal(folder: Path, patients: list[str]) -> Iterator[FaultyPortal]:
    """The generic interface."""
    del patients
    portal = JsonPortal(folder=folder)
    portal.start()
    try:
        yield portal
    finally:
        portal.kill()


@contextmanager
def fhir_portal(folder: Path, patients: list[str]) -> Iterator[FaultyPortal]:
    """FHIR R4."""
    known = [patient(one) for one in patients]
    with running_fhir_portal(
        folder, patients=known, client_secret=CLIENT_SECRET, token_seconds=TOKEN_SECONDS
    ) as running:
        yield FhirPortal(running=running)
