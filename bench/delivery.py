"""Delivery beside a bare loop of the HTTP library on the same server: what order, receipts and the audit trail cost.

    python -m bench.delivery [--records 10000] [--json]

The server is the sandbox portal in a process of its own. The bare loop posts the same bodies with the same headers, one
after the other, and keeps nothing. Delivery claims, makes the payload, sends, compares the answer, writes receipt and
audit event into the encrypted database, without read-back (a second request for each record, which the bare loop does
not make) and once more with it. CPU is that of this process: what the server spends is not counted.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import structlog

from parsers.instrument_library import load_instruments
from portal.connections import ConfiguredDestination
from portal.delivery import DeliveryWorker
from records.submission import DeliveryState
from store import outbox
from store.database import Database
from tests.integration.delivery_cases import assessment, confirm, destination, new_store

_PER_REPORT = 40
_GOAL_RATIO = 2.0
_GOAL_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One run: wall and CPU seconds for so many records."""

    records: int
    seconds: float
    cpu: float

    @property
    def per_second(self) -> float:
        """Records a second."""
        return self.records / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU of this process for one record, in microseconds."""
        return 1e6 * self.cpu / self.records


@contextmanager
def _measured() -> Iterator[Callable[[int], Spent]]:
    wall, cpu = time.perf_counter(), time.process_time()

    def spent(records: int) -> Spent:
        return Spent(records=records, seconds=time.perf_counter() - wall, cpu=time.process_time() - cpu)

    yield spent


@contextmanager
def _sandbox() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-m", "portal.sandbox"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.wait()


def _filled(folder: Path, records: int) -> Database:
    database = new_store(folder)
    for first in range(0, records, _PER_REPORT):
        people = [f"P{number}" for number in range(first, min(first + _PER_REPORT, records))]
        confirm(database, [(one, assessment(one, day=date(2026, 3, 2), total=5)) for one in people])
    return database


def _bare(url: str, records: int) -> Spent:
    """The same requests by hand."""
    with _client() as client, _measured() as spent:
        for number in range(records):
            answer = client.post(
                f"{url}/v1/patients/P{number}/outcome-measures",
                content=json.dumps(_body(f"EXT{number:029d}")).encode(),
                headers={"Idempotency-Key": f"bare-{number}"},
            )
            answer.raise_for_status()
            assert answer.json()["id"]
        return spent(records)


def _bare_batches(url: str, records: int) -> Spent:
    with _client() as client, _measured() as spent:
        for first in range(0, records, 50):
            entries = [
                {"patientId": f"P{number}", "idempotencyKey": f"bb-{number}", "measure": _body(f"BB{number:030d}")}
                for number in range(first, min(first + 50, records))
            ]
            answer = client.post(f"{url}/v1/outcome-measures/batch", content=json.dumps({"measures": entries}).encode())
            answer.raise_for_status()
            assert answer.json()
        return spent(records)


def _client() -> httpx.Client:
    return httpx.Client(headers={"Authorization": "Bearer t", "Content-Type": "application/json"})


def _body(external_id: str) -> dict[str, object]:
    return {
        "externalId": external_id,
        "instrument": "phq-9",
        "loinc": "44261-6",
        "score": 5,
        "administeredOn": "2026-03-02",
        "status": "final",
        "items": [{"linkId": str(item), "value": 1 if item <= 5 else 0} for item in range(1, 10)],
    }


def _delivered(folder: Path, url: str, records: int, **settings: object) -> Spent:
    with _filled(folder, records) as database:
        return _drained(database, destination(folder, url, **settings), records)


def _drained(database: Database, to: ConfiguredDestination, records: int) -> Spent:
    stop = threading.Event()
    worker = DeliveryWorker(database=database, destinations=[to], instruments=load_instruments())
    running = threading.Thread(target=worker.run, args=(stop,))
    with _measured() as spent:
        running.start()
        while True:
            with database.reading() as session:
                waiting = records - outbox.counts(session)[DeliveryState.DELIVERED]
            if not waiting:
                break
            time.sleep(0.05 if waiting < 100 else 0.5)
        taken = spent(records)
    stop.set()
    worker.wake.set()
    running.join()
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    small = max(given.records // 5, 200)
    runs: dict[str, Spent] = {}
    with tempfile.TemporaryDirectory() as home, _sandbox() as url:
        folders = iter(range(100))

        def folder() -> Path:
            path = Path(home, str(next(folders)))
            path.mkdir()
            return path

        runs["bare loop"] = _bare(url, small)
        runs["delivery, one by one"] = _delivered(folder(), url, small, read_back=False, rate_per_second=1000)
        runs["bare loop, batches of 50"] = _bare_batches(url, small)
        runs["delivery, batches of 50"] = _delivered(
            folder(), url, small, read_back=False, rate_per_second=1000, batch_size=50
        )
    with tempfile.TemporaryDirectory() as home, _sandbox() as url:
        runs["delivery with read-back, all"] = _delivered(Path(home), url, given.records, rate_per_second=1000)
    print(f"{datetime.now(UTC):%Y-%m-%d}  {'':30}{'records':>9}{'records/s':>11}{'CPU us/record':>15}{'to bare':>9}")
    bare = runs["bare loop"]
    for name, run in runs.items():
        print(f"{name:42}{run.records:9}{run.per_second:11.0f}{run.cpu_us:15.0f}{run.cpu_us / bare.cpu_us:9.2f}")
    if given.json:
        figures = {
            "cpu ratio to the bare loop, one by one": round(runs["delivery, one by one"].cpu_us / bare.cpu_us, 2),
            "seconds for all with read-back": round(runs["delivery with read-back, all"].seconds, 1),
        }
        goals = {
            "cpu ratio to the bare loop, one by one": _GOAL_RATIO,
            "seconds for all with read-back": _GOAL_SECONDS,
        }
        print(json.dumps({"bench": "delivery", "figures": figures, "goals": goals}))


if __name__ == "__main__":
    main()
