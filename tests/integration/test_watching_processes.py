"""The service as a process: it finds what came while it could not look, and ends when it is told to."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.settings import load_settings
from portal.sandbox import SandboxOptions, running_sandbox
from store import database as databases
from store import reports
from tests.acceptance.clinic import FULL, Clinic, Person, people, wait_for

PRINTED, MOVED_IN = (5000, 1000) if FULL else (500, 100)
TEMPLATE = """
id: tiny-export
revision: 1
kind: csv
anchors: [Tiny export, Chart]
furniture: [{pattern: 'Tiny export \\d+'}]
dates: ['%Y-%m-%d']
table:
  columns:
    - {header: Chart, field: mrn}
    - {header: Last, field: family}
    - {header: First, field: given}
    - {header: Born, field: birth_date}
    - {header: Form, field: instrument}
    - {header: Points, field: total}
    - {header: Day, field: authored_on}
"""


def _tiny(number: int, person: Person) -> bytes:
    day = f"2026-09-{1 + number % 28:02d}"
    rows = f"{person.mrn};{person.family};{person.given};{person.born};PHQ-9;{number % 28};{day}"
    return f"Tiny export {number}\nChart;Last;First;Born;Form;Points;Day\n{rows}\n".encode()


def _taken(clinic: Clinic) -> int:
    with databases.open_existing(load_settings(clinic.config).store) as database, database.reading() as session:
        return len({report.sha256 for report in reports.recent(session, limit=100_000)})


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    token = tmp_path / "token"
    token.write_text("sandbox-token")
    token.chmod(0o600)
    roster = people(200, seed=3)
    options = SandboxOptions(token="sandbox-token", patients=frozenset(p.patient_id for p in roster))
    with running_sandbox(options) as portal:
        made = Clinic(folder=tmp_path, portal_url=portal.url, token_file=token)
        made.set_up(roster, template=TEMPLATE)
        yield made
        if made.process is not None and made.process.poll() is None:
            made.process.send_signal(signal.SIGCONT)
            made.kill()


def _is_up(clinic: Clinic) -> bool:
    return clinic.log.exists() and b"service.started" in clinic.log.read_bytes()


@pytest.mark.timeout(900)
def test_every_file_that_came_while_the_service_was_stopped_is_taken(clinic: Clinic, tmp_path: Path) -> None:
    roster = people(200, seed=3)
    outside = tmp_path / "outside"
    outside.mkdir()
    clinic.start()
    assert wait_for(lambda: _is_up(clinic), seconds=60)
    assert clinic.process is not None
    clinic.process.send_signal(signal.SIGSTOP)
    for number in range(PRINTED):
        clinic.drop(f"{number:05d}.csv", _tiny(number, roster[number % 200]))
    for number in range(PRINTED, PRINTED + MOVED_IN):
        place = outside / f"{number:05d}.csv"
        place.write_bytes(_tiny(number, roster[number % 200]))
        place.rename(clinic.prints / place.name)
    clinic.process.send_signal(signal.SIGCONT)
    began = time.monotonic()
    every = PRINTED + MOVED_IN
    assert wait_for(lambda: _taken(clinic) >= every, seconds=600), f"{_taken(clinic)} of {every} were taken"
    seconds = time.monotonic() - began
    print(f"{every} files taken in {seconds:.1f} s: {every / seconds:.0f} a second")
    began = time.monotonic()
    assert clinic.stop(within=15) == 0
    print(f"stopped amid reading after {time.monotonic() - began:.1f} s")


def test_the_service_ends_cleanly_when_it_is_told_to_and_takes_up_where_it_was(clinic: Clinic) -> None:
    roster = people(200, seed=3)
    for number in range(30):
        clinic.drop(f"{number}.csv", _tiny(number, roster[number]))
    clinic.start()
    assert wait_for(lambda: _taken(clinic) >= 30, seconds=60)
    assert clinic.stop(within=15) == 0
    clinic.start()
    settings = load_settings(clinic.config)
    with databases.open_existing(settings.store) as database:

        def all_read() -> bool:
            with database.reading() as session:
                found = reports.recent(session, limit=1000)
            return len(found) == 30 and all(r.state is reports.ReportState.HANDED_OVER for r in found)

        assert wait_for(all_read, seconds=60)
    assert clinic.stop(within=15) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_service_ends_with_status_0(clinic: Clinic, number: signal.Signals) -> None:
    clinic.start()
    assert wait_for(lambda: _is_up(clinic), seconds=60)
    assert clinic.process is not None
    clinic.process.send_signal(number)
    assert clinic.process.wait(timeout=15) == 0
