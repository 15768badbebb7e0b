"""The pages measured under work: the dashboard, the queue, a case, a decision, over a full store.

    python -m bench.web [--records 100000] [--waiting 10000] [--seconds 60] [--reviewers 5] [--look 3]
                        [--home DIR] [--json]

A store on the encrypted engine is filled with fifty days of records, a tenth of them waiting; with `--home` it is kept
there and found again. The real server runs in this process; reviewers, each a process of its own, open the dashboard,
the queue and cases with their pictures, and approve over HTTP, while reports go on arriving through the pipeline's own
hand-over. Milliseconds are the server's: from the request's first byte to the answer's last, measured in the server.
A reviewer looks at each case for three seconds before deciding, sometimes half and sometimes twice as long: ten times
as fast as the seven cases in four minutes that the pages are made for. With `--look 0` nobody ever looks: five machines
that only press keys, all at once.

"CPU ms" is the processor time of one request with nobody else at work, which a machine that does other things too
changes little. A page's weight is its text, with the pictures it shows.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from bench import full_store
from ingest.settings import ReadingSettings
from ingest.workers import DRAWS, ReaderPool
from review.page_images import Render
from review.server import server_config
from review.settings import WebSettings
from store.database import Database, open_existing
from store.settings import StoreSettings
from tests.unit.review.day_clinic import LISTING, automatic, over_store, print_report, waits
from tests.unit.review.review_clinic import PASSWORD

_ASKED: Final = 20
_WARM_UP: Final = 8.0  # signing in costs seconds of hashing on purpose, and caches fill
_GOALS: Final = {"dashboard p95 ms": 100.0, "queue p95 ms": 100.0, "page weight KB": 400.0}
_KINDS: Final = (
    ("dashboard", re.compile(r"^/(day/part)?$")),
    ("queue", re.compile(r"^/queue$")),
    ("decision", re.compile(r"^/cases/\d+/approve$")),
    ("case", re.compile(r"^/cases/\d+$")),
)
_PICTURE: Final = re.compile(r'src="((?:/reports/\d+/pages/\d+|/cases/\d+/row)\.png[^"]*)"')
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
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--reviewers", type=int, default=5)
    parser.add_argument("--look", type=float, default=3.0)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or Path(folder, "home")
        if not home.exists():
            full_store.fill(
                home, records=given.records, waiting=given.waiting, reviewers=given.reviewers, now=datetime.now(UTC)
            )
        with open_existing(StoreSettings(home=home)) as database, drawing() as render:
            app = over_store(database, now=lambda: datetime.now(UTC), render=render)
            figures = _alone(app) | _measure(
                app, database, seconds=given.seconds, reviewers=given.reviewers, look=given.look
            )
    for name, value in figures.items():
        goal = f"   goal {_GOALS[name]:g}" if name in _GOALS else ""
        print(f"{name:32}{value:12}{goal}")
    if given.json:
        print(json.dumps({"bench": "web", "figures": figures, "goals": _GOALS}))


@contextmanager
def drawing() -> Iterator[Render]:
    """Pages drawn as the service has them drawn: in a process of its own, which is ready."""
    pool = ReaderPool(ReadingSettings(workers=1), loads=DRAWS)
    pool.warm()
    try:
        yield lambda content, page, parts: pool.draw(content, page, parts)
    finally:
        pool.close()


def _alone(app: FastAPI) -> dict[str, float]:
    """CPU of one request after another, with nobody else at work: what a busy machine changes little."""
    client = TestClient(app, base_url="http://127.0.0.1:8765", follow_redirects=False)
    form = _form(client.get("/sign-in").text, "/sign-in") | {"name": "reviewer0", "password": PASSWORD}
    client.post("/sign-in", data=form, headers=_ORIGIN)
    cases = re.findall(r'href="(/cases/\d+)', client.get("/queue").text)[:_ASKED]
    figures = {
        "dashboard CPU ms": _cpu(["/"] * _ASKED, lambda path: client.get(path).status_code == 200),
        "queue CPU ms": _cpu(["/queue"] * _ASKED, lambda path: client.get(path).status_code == 200),
        "case CPU ms": _cpu(cases, lambda path: client.get(path).status_code == 200),
    }
    forms = {case: _choice(client.get(case).text, case) for case in cases}

    def approve(case: str) -> bool:
        return client.post(f"{case}/approve", data=forms[case], headers=_ORIGIN).status_code == 303

    return figures | {"decision CPU ms": _cpu(cases, approve)}


def _cpu(asked: list[str], ask: Callable[[str], bool]) -> float:
    """The median of what was answered as it should be, which most of it must be."""
    spent = []
    for one in asked:
        before = time.process_time()
        if ask(one):
            spent.append(1000 * (time.process_time() - before))
    if len(spent) <= len(asked) // 2:
        raise SystemExit(f"{len(asked) - len(spent)} of {len(asked)} were refused, such as {asked[-1]}")
    return round(statistics.median(spent), 1)


def _measure(app: FastAPI, database: Database, *, seconds: float, reviewers: int, look: float) -> dict[str, float]:
    watch = _Stopwatch(app)
    server = uvicorn.Server(_config(watch))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    over = threading.Event()
    writer = threading.Thread(target=_arrive, args=(database, over), daemon=True)
    # Their own processes: what the clients do must not hold up the server's threads.
    with ProcessPoolExecutor(reviewers, mp_context=multiprocessing.get_context("spawn")) as pool:
        people = [pool.submit(_review, address, number, _WARM_UP + seconds, look) for number in range(reviewers)]
        while len(watch.spent["queue"]) < reviewers:  # starting them takes a while too
            time.sleep(0.1)
            for one in people:
                if one.done():
                    one.result()  # what went wrong with a reviewer is said, not waited for
        time.sleep(_WARM_UP)
        watch.spent.clear()
        writer.start()
        before = time.process_time()
        done = [one.result() for one in people]
        busy = time.process_time() - before
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
    return figures | {
        "server's share of a processor": round(busy / seconds, 2),
        "decisions taken": sum(taken for _, taken in done),
        "page weight KB": round(max(weight for weight, _ in done) / 1024, 1),
    }


def _config(watch: _Stopwatch) -> uvicorn.Config:
    """The server's own configuration around the stopwatch."""
    config = server_config(watch.app, WebSettings(port=0))
    config.app = watch
    return config


def _arrive(database: Database, over: threading.Event) -> None:
    """A report of twenty records every two seconds."""
    number = int(time.time()) * 10
    while not over.wait(2.0):
        start = number % 90_000  # patients' birth dates are made of their numbers
        rows = [automatic(start + one) for one in range(18)] + [waits(start + 18), waits(start + 19)]
        number += 20
        print_report(database, rows, source=LISTING, seen_at=datetime.now(UTC), content=str(number))


def _review(address: str, number: int, seconds: float, look: float) -> tuple[int, int]:
    """One reviewer at work: the dashboard now and then, the queue, a case, a decision.

    Returns the heaviest page in bytes, and how many decisions were taken.
    """
    heaviest = decided = 0
    chance = Random(number)  # people do not act in step
    time.sleep(chance.uniform(0, look))
    with httpx.Client(base_url=address, timeout=60, follow_redirects=False) as client:
        page = client.get("/sign-in").text
        signed = client.post(
            "/sign-in",
            data=_form(page, "/sign-in") | {"name": f"reviewer{number}", "password": PASSWORD},
            headers=_ORIGIN,
        )
        if signed.status_code != 303:
            raise SystemExit(f"reviewer {number} could not sign in: {signed.status_code}")
        turn, until = number, time.monotonic() + seconds
        while time.monotonic() < until:
            for path in ("/", "/queue") if turn % 3 == 0 else ("/queue",):
                answer = client.get(path)
                if answer.status_code != 200:
                    raise SystemExit(f"{path} answers {answer.status_code}")
                heaviest = max(heaviest, len(answer.content))
            cases = re.findall(r'href="(/cases/\d+)', answer.text)
            if cases:
                # Reviewers start apart from each other, as the program's own order of cases would have them.
                weight, taken = _decide(
                    client, cases[(turn * 7 + number * 11) % len(cases)], look=look * 2 ** chance.uniform(-1, 1)
                )
                heaviest, decided = max(heaviest, weight), decided + taken
            turn += 1
            time.sleep(look / 6 * 2 ** chance.uniform(-1, 1))
    return heaviest, decided


def _decide(client: httpx.Client, case: str, *, look: float) -> tuple[int, bool]:
    """Look at a case so many seconds and approve it for the first patient.

    Returns the page's bytes with pictures, and whether the decision was taken.
    """
    page = client.get(case)
    pictures = [client.get(path).content for path in dict.fromkeys(_PICTURE.findall(page.text))]
    form = _choice(page.text, case)
    time.sleep(look)
    taken = form and client.post(f"{case}/approve", data=form, headers=_ORIGIN).status_code == 303
    return len(page.content) + sum(len(picture) for picture in pictures), bool(taken)


def _choice(page: str, case: str) -> dict[str, str]:
    """The form that approves the first patient, a second look included; empty where it cannot be decided."""
    form, patient = _form(page, f"{case}/approve"), re.search(r'name="patient_id"[^>]*value="([^"]+)"', page)
    patient = patient or re.search(r'value="([^"]+)"[^>]*name="patient_id"', page)
    return form | {"patient_id": patient[1], "confirmed": patient[1]} if form and patient else {}


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
