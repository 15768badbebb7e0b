"""The first days after going live: so many values a day, the rest the next day by itself."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from delivery_cases import MORNING, assessment, confirm, destination, new_store, states

from parsers.instrument_library import load_instruments
from portal.connections import ConfiguredDestination
from portal.delivery import DeliverySettings, DeliveryWorker
from portal.sandbox import RunningSandbox, running_sandbox
from records.submission import DeliveryState, DestinationMode
from store import audit, destination_modes, notices, outbox
from store.database import Database

D = DeliveryState
DAY = timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@dataclass
class Service:
    """A delivery worker on a clock that the test sets."""

    database: Database
    portal: ConfiguredDestination
    moment: datetime = MORNING

    def __post_init__(self) -> None:
        self.worker = DeliveryWorker(
            database=self.database,
            destinations=[self.portal],
            instruments=load_instruments(),
            settings=DeliverySettings(),
            clock=lambda: self.moment,
            chance=random.Random(7),
        )

    def step(self, now: datetime) -> None:
        self.moment = now
        self.worker.step(now)


def worker(database: Database, portal: ConfiguredDestination) -> Service:
    return Service(database, portal)


def some(database: Database, count: int, *, first: int = 1) -> tuple[int, ...]:
    return confirm(database, [(f"P{n}", assessment(f"P{n}")) for n in range(first, first + count)])


def said(database: Database) -> list[str]:
    with database.reading() as session:
        return [one.sentence for one in notices.list_open(session) if one.kind == "daily-limit"]


def test_values_beyond_the_limit_wait_for_the_next_day_and_then_go_by_themselves(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    some(database, 10)
    at_work = worker(database, destination(tmp_path, sandbox.url, daily_limit=4, daily_limit_days=2))
    at_work.step(MORNING)
    assert states(database) == {D.DELIVERED: 4, D.HELD: 6}
    assert len(said(database)) == 1
    assert "4 values" in said(database)[0]
    at_work.step(MORNING + timedelta(hours=5))
    assert states(database) == {D.DELIVERED: 4, D.HELD: 6}
    at_work.step(MORNING + DAY)
    assert states(database) == {D.DELIVERED: 8, D.HELD: 2}
    at_work.step(MORNING + 2 * DAY)
    assert states(database) == {D.DELIVERED: 10}, "the limit has ended"
    assert said(database) == []
    assert [one.patientId for one in sandbox.values.all()] == [f"P{n}" for n in range(1, 11)], "oldest first"


def test_a_restart_does_not_begin_the_day_anew(database: Database, sandbox: RunningSandbox, tmp_path: Path) -> None:
    some(database, 6)
    limited = destination(tmp_path, sandbox.url, daily_limit=4)
    worker(database, limited).step(MORNING)
    worker(database, limited).step(MORNING + timedelta(hours=1))
    assert states(database) == {D.DELIVERED: 4, D.HELD: 2}


def test_a_larger_limit_lets_go_at_the_next_start(database: Database, sandbox: RunningSandbox, tmp_path: Path) -> None:
    some(database, 6)
    worker(database, destination(tmp_path, sandbox.url, daily_limit=1)).step(MORNING)
    worker(database, destination(tmp_path, sandbox.url, daily_limit=5)).step(MORNING + timedelta(hours=1))
    assert states(database) == {D.DELIVERED: 5, D.HELD: 1}
    worker(database, destination(tmp_path, sandbox.url)).step(MORNING + timedelta(hours=2))
    assert states(database) == {D.DELIVERED: 6}


def test_corrections_and_withdrawals_go_whatever_the_limit(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    first, second = some(database, 2)
    at_work = worker(database, destination(tmp_path, sandbox.url, daily_limit=2))
    at_work.step(MORNING)
    with database.session() as session:
        outbox.enqueue_correction(
            session, first, assessment=assessment("P1", total=9), actor="ida", now=MORNING, destinations=("portal",)
        )
        outbox.enqueue_withdrawal(session, second, reason="wrong", actor="ida", now=MORNING, reopen=False)
    some(database, 1, first=3)
    at_work.step(MORNING + timedelta(hours=1))
    assert states(database) == {D.DELIVERED: 4, D.HELD: 1}
    assert {one.patientId: (one.status, one.score) for one in sandbox.values.all()} == {
        "P1": ("corrected", 9),
        "P2": ("entered-in-error", 5),
    }


def test_several_threads_keep_to_one_limit(database: Database, sandbox: RunningSandbox, tmp_path: Path) -> None:
    some(database, 30)
    stop = threading.Event()
    at_work = worker(database, destination(tmp_path, sandbox.url, daily_limit=7))
    thread = threading.Thread(target=at_work.worker.run, args=(stop,))
    thread.start()
    ends = time.monotonic() + 60
    while states(database) != {D.DELIVERED: 7, D.HELD: 23}:
        assert time.monotonic() < ends, states(database)
        time.sleep(0.05)
    stop.set()
    thread.join(timeout=60)
    assert len(sandbox.values.all()) == 7


def test_the_mode_is_remembered_with_its_day_and_every_change_is_audited(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    for days, mode in enumerate(("shadow", "shadow", "off", "live", "live")):
        worker(database, destination(tmp_path, sandbox.url, mode=mode)).step(MORNING + days * DAY)
    with database.reading() as session:
        found = destination_modes.current(session, "portal")
        events = [one.event for one in audit.events(session, object_kind="destination")]
    assert found == destination_modes.ModeSince(mode=DestinationMode.LIVE, since=MORNING + 3 * DAY)
    assert [dict(one.detail)["mode"] for one in events] == ["shadow", "off", "live"]
