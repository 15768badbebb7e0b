"""What the threads of a destination share: claims, receipts written together, a breaker, the hold time."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from delivery_cases import MORNING, assessment, confirm, destination, new_store, states, wait_until

from parsers.instrument_library import load_instruments
from portal.connections import ConfiguredDestination
from portal.delivery import DeliverySettings, DeliveryWorker
from portal.lane import Lane
from portal.sandbox import RunningSandbox, running_sandbox
from records.errors import StoreError
from records.submission import DeliveryReceipt
from records.submission import DeliveryState as D
from store import audit, breakers, outbox
from store.database import Database
from store.outbox import Settlement

LEASE = timedelta(minutes=2)


@pytest.fixture
def database(tmp_path: Path):
    with new_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def sandbox():
    with running_sandbox() as running:
        yield running


def worker(database: Database, *destinations: ConfiguredDestination, **settings: object) -> DeliveryWorker:
    return DeliveryWorker(
        database=database,
        destinations=destinations,
        instruments=load_instruments(),
        settings=DeliverySettings(**settings),
        clock=lambda: MORNING,
    )


def misbehave(sandbox: RunningSandbox, **faults: object) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json=faults).raise_for_status()


def receipt() -> DeliveryReceipt:
    return DeliveryReceipt(remote_id="r-1", version="1", http_status=201, received_at=MORNING)


def test_a_breaker_opened_by_one_worker_holds_the_next_one_back_too(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [(f"P{number}", assessment(f"P{number}")) for number in range(20)])
    misbehave(sandbox, unavailable=1, retry_after=0)
    down = destination(tmp_path, sandbox.url)
    assert worker(database, down, first_pause=timedelta(minutes=1)).step(MORNING) >= 5
    with database.reading() as session:
        assert breakers.open_ones(session).keys() == {"portal"}
    restarted = worker(database, down, first_pause=timedelta(minutes=1))
    assert restarted.step(MORNING + timedelta(seconds=30)) == 0
    misbehave(sandbox)
    now = MORNING
    while states(database) != {D.DELIVERED: 20}:
        now += timedelta(minutes=5)
        assert now < MORNING + timedelta(days=1)
        restarted.step(now)
    with database.reading() as session:
        assert breakers.open_ones(session) == {}


def test_a_value_waits_out_the_hold_time_and_a_withdrawal_does_not(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    holding = worker(database, destination(tmp_path, sandbox.url, hold_minutes=10))
    assert holding.step(MORNING + timedelta(minutes=9)) == 0
    assert sandbox.values.all() == []
    assert holding.step(MORNING + timedelta(minutes=10)) == 1
    later = MORNING + timedelta(minutes=11)
    with database.session() as session:
        outbox.enqueue_withdrawal(session, record_id, reason="wrong", actor="anna", now=later, reopen=False)
    assert holding.step(later) == 1
    assert [measure.status for measure in sandbox.values.all()] == ["entered-in-error"]


def test_an_attempt_that_outlived_its_lease_does_not_speak_for_the_next_one(database: Database) -> None:
    confirm(database, [("P1", assessment("P1"))])
    with database.session() as session:
        claim = {"lease": LEASE, "limit": 1, "owner": "me", "destinations": ["portal"]}
        (first,) = outbox.claim_due(session, now=MORNING, **claim)
        (second,) = outbox.claim_due(session, now=MORNING + LEASE, **claim)
        ended = Settlement(
            submission_id=first.submission_id, state=D.DELIVERED, receipt=receipt(), attempt=first.attempts
        )
        assert outbox.settle(session, [ended], owner="me", now=MORNING) == frozenset()
        assert outbox.entry(session, first.submission_id).state is D.SENDING
        ended = Settlement(
            submission_id=first.submission_id, state=D.DELIVERED, receipt=receipt(), attempt=second.attempts
        )
        assert outbox.settle(session, [ended], owner="me", now=MORNING) == {first.submission_id}


def test_what_was_given_back_untried_counts_as_no_attempt_and_is_not_audited(database: Database) -> None:
    confirm(database, [("P1", assessment("P1"))])
    with database.session() as session:
        (claimed,) = outbox.claim_due(session, now=MORNING, lease=LEASE, limit=1, owner="me", destinations=["portal"])
        before = len(audit.events(session, limit=1000))
        back = Settlement(
            submission_id=claimed.submission_id, state=D.PENDING, reason="given-back", due_at=MORNING, attempted=False
        )
        outbox.settle(session, [back], owner="me", now=MORNING)
        assert len(audit.events(session, limit=1000)) == before
        (again,) = outbox.claim_due(session, now=MORNING, lease=LEASE, limit=1, owner="me", destinations=["portal"])
        assert (again.attempts, again.was_unknown) == (1, False)


def test_receipts_that_cannot_be_written_are_written_later(
    database: Database, sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm(database, [(f"P{number}", assessment(f"P{number}")) for number in range(30)])
    failing, tries = threading.Event(), []
    failing.set()
    really = Lane._write

    def write(lane: Lane, *args: object) -> int:
        if failing.is_set() and lane._ended:
            tries.append(1)
            if len(tries) >= 3:
                failing.clear()
            raise StoreError("The disk is full.")
        return really(lane, *args)

    monkeypatch.setattr(Lane, "_write", write)
    delivering = DeliveryWorker(
        database=database, destinations=[destination(tmp_path, sandbox.url)], instruments=load_instruments()
    )
    stop = threading.Event()
    running = threading.Thread(target=delivering.run, args=(stop,))
    running.start()
    wait_until(lambda: states(database) == {D.DELIVERED: 30})
    stop.set()
    delivering.wake.set()
    running.join()
    assert len(tries) == 3
    assert states(database) == {D.DELIVERED: 30}
    assert sorted(measure.patientId for measure in sandbox.values.all()) == sorted(f"P{number}" for number in range(30))


def test_many_receipts_need_few_transactions(database: Database, sandbox: RunningSandbox, tmp_path: Path) -> None:
    confirm(database, [(f"P{number}", assessment(f"P{number}", day=date(2026, 3, 2))) for number in range(200)])
    began: list[int] = []
    really = database.session

    def counted():
        began.append(1)
        return really()

    database.session = counted  # type: ignore[method-assign]
    worker(database, destination(tmp_path, sandbox.url)).step(MORNING)
    assert states(database) == {D.DELIVERED: 200}
    assert len(began) <= 20


def test_new_values_go_together_where_the_settings_say_so_and_each_is_settled_by_itself(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [(f"P{number}", assessment(f"P{number}", day=date(2026, 3, 1))) for number in range(60)])
    confirm(database, [(f"P{number}", assessment(f"P{number}", day=date(2026, 3, 2))) for number in range(60)])
    to = destination(tmp_path, sandbox.url, batch_size=25, read_back=False)
    misbehave(sandbox, next=["commit_then_cut"])
    delivering = worker(database, to)
    now = MORNING
    while states(database) != {D.DELIVERED: 120}:
        delivering.step(now)
        now += timedelta(minutes=1)
        assert now < MORNING + timedelta(hours=1)
    for number in range(60):
        days = [measure.administeredOn.day for measure in sandbox.values.of_patient(f"P{number}", None)]
        assert days == [1, 2]
