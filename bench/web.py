"""The pages measured under work: the dashboard, the queue, a case, a decision, over a full store.

    python -m bench.web [--records 100000] [--waiting 10000] [--seconds 30] [--reviewers 5] [--json]

A store on the encrypted engine is filled with fifty days of records, a tenth of them waiting. The real server runs in
this process; reviewers in processes of their own open the dashboard, the queue and cases, and approve over HTTP, while
reports go on arriving through the pipeline's own hand-over. Milliseconds are the server's: from the request's first
byte to the answer's last, measured in the server, so that five clients on the same two cores do not count as its time
twice.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import insert
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from records.audit import AuditEvent
from records.submission import DeliveryState
from review.server import server_config
from review.settings import WebSettings
from store import audit, balance, roster, users
from store.database import Database, Session, create
from store.serialised import assessment_text, codes_text, match_text
from store.settings import StoreSettings
from store.tables import CaseRow, RecordRow, ReportRow, SubmissionRow, table_of
from store.users import Role
from tests.unit.review.day_clinic import LISTING, automatic, over_store, print_report, waits
from tests.unit.review.review_clinic import PASSWORD, SITE, ZONE, patient

_DAYS: Final = 50
_ASKED: Final = 20
_PER_REPORT: Final = 100
_GOALS: Final = {"dashboard p95 ms": 100.0, "queue p95 ms": 100.0, "page weight KB": 400.0}
_KINDS: Final = (
    ("dashboard", re.compile(r"^/(day/part)?$")),
    ("queue", re.compile(r"^/queue$")),
    ("decision", re.compile(r"^/cases/\d+/approve$")),
    ("case", re.compile(r"^/cases/\d+$")),
)
_ORIGIN: Final = {"sec-fetch-site": "same-origin"}


class _Stopwatch:
    """Times every answer by kind of page."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.spent: dict[str, list[float]] = defaultdict(list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        await self.app(scope, receive, send)
        kind = next((name for name, path in _KINDS if path.match(scope["path"])), None)
        if kind is not None:
            self.spent[kind].append(1000 * (time.perf_counter() - started))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--reviewers", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        now = datetime.now(UTC)
        with create(StoreSettings(home=Path(folder, "home")), now=now) as database:
            filled = _fill(database, records=given.records, waiting=given.waiting, reviewers=given.reviewers, now=now)
            figures = _alone(database) | _measure(database, seconds=given.seconds, reviewers=given.reviewers)
    figures = {"filling, seconds": filled, **figures}
    for name, value in figures.items():
        goal = f"   goal {_GOALS[name]:g}" if name in _GOALS else ""
        print(f"{name:32}{value:12}{goal}")
    if given.json:
        print(json.dumps({"bench": "web", "figures": figures, "goals": _GOALS}))


def _fill(database: Database, *, records: int, waiting: int, reviewers: int, now: datetime) -> float:
    """Rows as the pipeline leaves them, many at once; seconds it took."""
    started = time.perf_counter()
    today, every = now.astimezone(ZONE).date(), max(records // waiting, 1)
    per_day = -(-records // _DAYS)
    with database.session() as session:
        for number in range(reviewers):
            users.add(session, f"reviewer{number}", PASSWORD, Role.REVIEWER, actor="bench", now=now)
        people = [
            patient(
                f"D{number}", f"Family{number}", "Ada", date(1950, 1, 1) + timedelta(days=number), f"M-{number}", "F"
            )
            for number in range(1, 2001)
        ]
        roster.replace(
            session, SITE, people, as_of=now, imported_from="bench.csv", actor="bench", now=now, max_removed_share=1.0
        )
    for back in range(_DAYS):
        with database.session() as session:
            _fill_day(session, today - timedelta(days=back), first=back * per_day, count=per_day, every=every, now=now)
            events = [
                AuditEvent(actor="service", action="record.confirmed", object_kind="record", object_id=str(number))
                for number in range(back * per_day, (back + 1) * per_day)
            ]
            audit.append_many(session, tuple(events), now=now)
    with database.session() as session:
        wrong, count = balance.look_at_all(session)
        balance.keep_check(session, wrong=wrong, reports=count, now=now)
    return round(time.perf_counter() - started, 1)


def _fill_day(session: Session, day: date, *, first: int, count: int, every: int, now: datetime) -> None:
    came = min(datetime(day.year, day.month, day.day, 7, tzinfo=ZONE).astimezone(UTC), now - timedelta(minutes=9))
    assessed = assessment_text(automatic(1).assessment(0))
    certain, unsure = match_text(automatic(1).match), match_text(waits(1).match)
    reports, kept, cases, messages = [], [], [], []
    for number in range(first + 1, first + count + 1):
        report_id, position = (number - 1) // _PER_REPORT + 1, (number - 1) % _PER_REPORT
        seen = came + timedelta(minutes=(report_id * 37) % 480)
        if position == 0:
            reports.append({
                "id": report_id, "site": SITE, "source": LISTING, "file_name": "s.pdf", "path": "/print/s.pdf",
                "sha256": f"{report_id:064}", "identity": f"{report_id:064}", "size_bytes": 9, "seen_at": seen,
                "state": "handed-over", "template": "riverside-summary@3", "pages": 4, "no_score": 0,
                "printed": min(_PER_REPORT, first + count - number + 1), "reasons": "[]", "findings": "[]",
                "attempts": 1, "day": day, "attention": False,
            })  # fmt: skip
        review = number % every == 0
        kept.append({
            "id": number, "report_id": report_id, "site": SITE, "position": position, "day": day,
            "state": "review" if review else "confirmed", "fingerprint": f"f{number}", "printed_key": f"k{number}",
            "assessment_key": None if review else f"a{number}", "occurrence": 1, "revision": 1,
            "external_id": None if review else f"e{number}", "values_digest": f"v{number}", "read_digest": f"v{number}",
            "patient_id": None if review else f"D{number % 2000 + 1}", "assessment": assessed, "as_read": assessed,
            "match": unsure if review else certain,
            "reasons": codes_text(("patient-below-threshold",) if review else ()),
            "confirmed_by": None if review else "service", "confirmed_at": None if review else seen,
        })  # fmt: skip
        if review:
            cases.append({
                "record_id": number, "site": SITE, "version": 1, "state": "open",
                "critical": number % (every * 100) == 0, "opened_at": seen,
            })  # fmt: skip
            continue
        messages.append({
            "record_id": number, "site": SITE, "destination": "portal", "patient_id": f"D{number % 2000 + 1}",
            "sequence": number, "external_id": f"e{number}", "revision": 1, "status": "final", "assessment": assessed,
            "confirmed_by": "service", "payload": b"{}" * 300, "idempotency_key": f"i{number}",
            "state": DeliveryState.DELIVERED, "attempts": 1, "due_at": seen, "was_unknown": False, "created_at": seen,
            "remote_id": f"r{number}", "received_at": seen + timedelta(seconds=30 + number % 90), "found": False,
        })  # fmt: skip
    connection = session.connection()
    for kind, rows in ((ReportRow, reports), (RecordRow, kept), (CaseRow, cases), (SubmissionRow, messages)):
        if rows:
            connection.execute(insert(table_of(kind)), rows)


def _alone(database: Database) -> dict[str, float]:
    """CPU of one request after another, with nobody else at work: what a busy machine does not change."""
    app = over_store(database, now=lambda: datetime.now(UTC))
    figures: dict[str, float] = {}
    client = TestClient(app, base_url="http://127.0.0.1:8765", follow_redirects=False)
    page = client.get("/sign-in").text
    form = _form(page, "/sign-in") | {"name": "reviewer0", "password": PASSWORD}
    client.post("/sign-in", data=form, headers=_ORIGIN)
    for kind, path in (("dashboard", "/"), ("queue", "/queue")):
        spent = []
        for _ in range(_ASKED):
            before = time.process_time()
            if client.get(path).status_code != 200:
                raise SystemExit(f"{path} does not answer")
            spent.append(1000 * (time.process_time() - before))
        figures[f"{kind} CPU ms, alone"] = round(statistics.median(spent), 1)
    return figures


def _measure(database: Database, *, seconds: float, reviewers: int) -> dict[str, float]:
    watch = _Stopwatch(over_store(database, now=lambda: datetime.now(UTC)))
    server = uvicorn.Server(_config(watch))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    until = time.monotonic() + seconds + 5
    over = threading.Event()
    writer = threading.Thread(target=_arrive, args=(database, over), daemon=True)
    with ThreadPoolExecutor(reviewers) as pool:
        people = [pool.submit(_review, address, number, until) for number in range(reviewers)]
        time.sleep(5)  # signing in costs seconds of hashing on purpose, and caches warm up
        watch.spent.clear()
        writer.start()
        weights = [one.result() for one in people]
    over.set()
    writer.join()
    server.should_exit = True
    thread.join(timeout=10)
    figures: dict[str, float] = {}
    for kind, _ in _KINDS:
        spent = sorted(watch.spent.get(kind, []))
        if spent:
            figures[f"{kind} p50 ms"] = round(statistics.median(spent), 1)
            figures[f"{kind} p95 ms"] = round(spent[max(0, -(-len(spent) * 95 // 100) - 1)], 1)
            figures[f"{kind} answers"] = len(spent)
    figures["page weight KB"] = round(max(weights) / 1024, 1)
    return figures


def _config(watch: _Stopwatch) -> uvicorn.Config:
    """The server's own configuration around the stopwatch."""
    config = server_config(watch.app, WebSettings(port=0))
    config.app = watch
    return config


def _arrive(database: Database, over: threading.Event) -> None:
    """A report of twenty records every two seconds."""
    number = 1_000_000
    while not over.wait(2.0):
        rows = [automatic(number + one) for one in range(18)] + [waits(number + 18), waits(number + 19)]
        number += 20
        moment = datetime.now(UTC)
        print_report(database, rows, source=LISTING, seen_at=moment)


def _review(address: str, number: int, until: float) -> int:
    """One reviewer at work: the dashboard now and then, the queue, a case, a decision; the heaviest page in bytes."""
    heaviest = 0
    with httpx.Client(base_url=address, timeout=60, follow_redirects=False) as client:
        page = client.get("/sign-in").text
        signed = client.post(
            "/sign-in",
            data=_form(page, "/sign-in") | {"name": f"reviewer{number}", "password": PASSWORD},
            headers=_ORIGIN,
        )
        if signed.status_code != 303:
            raise SystemExit(f"reviewer {number} could not sign in: {signed.status_code}")
        turn = number
        while time.monotonic() < until:
            for path in ("/", "/queue") if turn % 3 == 0 else ("/queue",):
                answer = client.get(path)
                if answer.status_code != 200:
                    raise SystemExit(f"{path} answers {answer.status_code}")
                heaviest = max(heaviest, len(answer.content))
            cases = re.findall(r'href="(/cases/\d+)', answer.text)
            if cases:
                heaviest = max(heaviest, _decide(client, cases[(turn * 7) % len(cases)]))
            turn += 1
            time.sleep(0.5)
    return heaviest


def _decide(client: httpx.Client, case: str) -> int:
    page = client.get(case)
    form = _form(page.text, f"{case}/approve")
    if form:
        client.post(f"{case}/approve", data=form | {"patient_id": "D1"}, headers=_ORIGIN)
    return len(page.content)


def _form(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page, re.DOTALL)
    if found is None:
        return {}
    inputs = re.findall(r'<input[^>]*type="hidden"[^>]*>', found[1])
    named = [(re.search(r'name="([^"]*)"', one), re.search(r'value="([^"]*)"', one)) for one in inputs]
    return {name[1]: value[1] for name, value in named if name and value}


if __name__ == "__main__":
    main()
