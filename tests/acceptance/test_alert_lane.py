"""An answer about self-harm is told within 2 s of its page being read, whatever delivery is busy with."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from statistics import median

import pytest
from reportlab.lib.pagesizes import letter
from reportlab.pdfgen import canvas

from ingest.settings import load_settings
from records.submission import DeliveryState
from store import alert_tellings, outbox
from store import database as databases
from tests.acceptance.clinic import FULL, Clinic, Person, people, wait_for
from tests.integration.delivery_cases import assessment, confirm

QUEUED, ANSWERS = (10_000, 12) if FULL else (1_000, 4)
WITHIN_SECONDS = 2.0
TEMPLATE = """
id: nightly-answers
revision: 1
anchors: [Nightly answers, Answers]
furniture: [{pattern: 'Nightly answers .+'}]
dates: ['%m/%d/%Y']
names: family-first
table:
  columns:
    - {header: Chart, field: mrn}
    - {header: Person, field: name}
    - {header: Born, field: birth_date}
    - {header: Form, field: instrument}
    - {header: Points, field: total}
    - {header: Answers, field: answers}
    - {header: Given on, field: authored_on}
"""


@dataclass
class Pager:
    """A webhook and when it got what. Broken, it answers 503; with `kill`, it ends that service and says nothing."""

    url: str = ""
    broken: bool = False
    kill: Clinic | None = None
    got: list[tuple[float, dict[str, object]]] = field(default_factory=list)

    def told(self) -> list[dict[str, object]]:
        """Critical alerts it took."""
        return [body for _, body in self.got if body["kind"] == "critical-alert"]


@pytest.fixture
def pager() -> Iterator[Pager]:
    inbox = Pager()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not inbox.broken:
                inbox.got.append((time.time(), body))
            if inbox.kill is not None and body["kind"] == "critical-alert":
                inbox.kill, clinic = None, inbox.kill
                clinic.kill()
            self.send_response(503 if inbox.broken else 204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield inbox
        server.shutdown()


class DeadPortal:
    """A portal that refuses connections and, once told to, takes them and never answers."""

    def __init__(self) -> None:
        self._door = socket.socket()
        self._door.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"

    def hang(self) -> None:
        """From now on take every connection and say nothing."""
        self._door.listen(128)

    def close(self) -> None:
        """Let go of the port."""
        self._door.close()


def answers_pdf(person: Person, *, number: int) -> bytes:
    """A page with one PHQ-9 whose ninth answer is 2."""
    out = BytesIO()
    page = canvas.Canvas(out, pagesize=letter, invariant=True)
    page.setFont("Helvetica", 10)
    page.drawString(50, 740, f"Nightly answers {number}")
    columns = (50, 110, 230, 300, 350, 400, 490)
    for x, word in zip(columns, ("Chart", "Person", "Born", "Form", "Points", "Answers", "Given on"), strict=True):
        page.drawString(x, 710, word)
    born = f"{person.born:%m/%d/%Y}"
    cells = (person.mrn, f"{person.family}, {person.given}", born, "PHQ-9", "9", "1-1-1-1-1-1-1-0-2", "09/03/2026")
    for x, text in zip(columns, cells, strict=True):
        page.drawString(x, 690, text)
    page.showPage()
    page.save()
    return out.getvalue()


def furnished(folder: Path, portal_url: str, pager: Pager, *, roster: list[Person]) -> Clinic:
    token = folder / "token"
    token.write_text("a-token")
    alerts_section = f'[alerts]\nwebhook = "{pager.url}"\n[reading]\nworkers = 1\n'
    clinic = Clinic(folder=folder, portal_url=portal_url, token_file=token, alerts=alerts_section)
    clinic.set_up(roster, template=TEMPLATE)
    return clinic


def fill_outbox(clinic: Clinic, count: int) -> None:
    settings = load_settings(clinic.config)
    with databases.open_existing(settings.store) as database:
        for start in range(0, count, 500):
            prints = [(f"Q{n:05}", assessment(f"Q{n:05}")) for n in range(start, min(start + 500, count))]
            confirm(database, prints)


def read_at(clinic: Clinic) -> list[float]:
    """When each report was read to its end, by the service's own log, in seconds since 1970."""
    lines = [json.loads(line) for line in clinic.log.read_text("utf-8").splitlines() if line.startswith("{")]
    moments = [line["timestamp"] for line in lines if line["event"] == "report.read"]
    return [datetime.fromisoformat(moment).timestamp() for moment in moments]


@pytest.mark.acceptance
@pytest.mark.timeout(1800)
def test_an_alert_leaves_within_two_seconds_while_thousands_wait_for_a_dead_portal(
    tmp_path: Path, pager: Pager
) -> None:
    roster = people(ANSWERS, seed=3)
    portal = DeadPortal()
    clinic = furnished(tmp_path, portal.url, pager, roster=roster)
    fill_outbox(clinic, QUEUED)
    clinic.start()
    took = []
    for number, person in enumerate(roster, start=1):
        if number == ANSWERS // 2 + 1:
            portal.hang()
            time.sleep(3)  # long enough for every thread of delivery to be caught
        clinic.drop(f"answers_{number}.pdf", answers_pdf(person, number=number))
        assert wait_for(lambda count=number: len(pager.told()) == count, seconds=180, step=0.05)
        took.append(pager.got[-1][0] - read_at(clinic)[-1])
    with databases.open_existing(load_settings(clinic.config).store) as database, database.reading() as session:
        counts = outbox.counts(session)
    assert clinic.stop() == 0
    portal.close()
    for words, part in (("refuses", took[: ANSWERS // 2]), ("hangs", took[ANSWERS // 2 :])):
        print(
            f"{QUEUED} queued, portal {words}: {len(part)} alerts, median {median(part):.2f} s, most {max(part):.2f} s"
        )
    assert counts.get(DeliveryState.DELIVERED, 0) == 0
    assert sum(counts.values()) == QUEUED + ANSWERS
    assert min(took) >= 0
    assert max(took) < WITHIN_SECONDS


@pytest.mark.acceptance
@pytest.mark.timeout(600)
def test_an_alert_that_was_being_told_when_the_power_went_is_told_after_the_restart(
    tmp_path: Path, pager: Pager
) -> None:
    roster = people(3, seed=4)
    portal = DeadPortal()
    clinic = furnished(tmp_path, portal.url, pager, roster=roster)
    pager.broken = True
    clinic.start()
    clinic.drop("answers_1.pdf", answers_pdf(roster[0], number=1))
    assert wait_for(lambda: _failing(clinic) == 1, seconds=180, step=0.2)
    clinic.kill()
    pager.broken = False
    clinic.start()
    assert wait_for(lambda: len(pager.told()) == 1, seconds=180, step=0.05)
    # Killed in the very moment of telling: once more at most, and then never again.
    pager.kill = clinic
    clinic.drop("answers_2.pdf", answers_pdf(roster[1], number=2))
    assert wait_for(lambda: pager.kill is None, seconds=180, step=0.05)
    clinic.start()
    assert wait_for(lambda: _failing(clinic) == 0 and len(pager.told()) >= 2, seconds=180, step=0.2)
    clinic.drop("answers_3.pdf", answers_pdf(roster[2], number=3))
    assert wait_for(lambda: 3 in {body["alert"] for body in pager.told()}, seconds=180, step=0.05)
    assert clinic.stop() == 0
    portal.close()
    told = Counter((body["alert"], body["step"]) for body in pager.told())
    assert set(told) == {(1, 1), (2, 1), (3, 1)}
    assert told[1, 1] == told[3, 1] == 1
    assert told[2, 1] <= 2


def _failing(clinic: Clinic) -> int:
    with databases.open_existing(load_settings(clinic.config).store) as database, database.reading() as session:
        return len(alert_tellings.failing(session))
