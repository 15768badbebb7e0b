"""The delivery worker with the real outbox and real portals on loopback."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
import structlog
from delivery_cases import MORNING, assessment, confirm, destination, new_store, reasons, states, wait_until

from parsers.instrument_library import load_instruments
from portal.connections import ConfiguredDestination
from portal.delivery import DeliverySettings, DeliveryWorker
from portal.sandbox import RunningSandbox, SandboxOptions, running_sandbox
from records.submission import DeliveryState
from store import notices, outbox
from store.database import Database

D = DeliveryState


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with new_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


def worker(database: Database, *destinations: ConfiguredDestination, **settings: object) -> DeliveryWorker:
    return DeliveryWorker(
        database=database,
        destinations=destinations,
        instruments=load_instruments(),
        settings=DeliverySettings(**{"first_pause": timedelta(milliseconds=50), **settings}),  # type: ignore[arg-type]
        chance=random.Random(7),
    )


@contextmanager
def at_work(delivering: DeliveryWorker) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=delivering.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=60)
        assert not thread.is_alive()


def misbehave(sandbox: RunningSandbox, **faults: object) -> None:
    httpx.post(f"{sandbox.url}/_sandbox/faults", json=faults).raise_for_status()


def test_a_confirmed_record_arrives_as_it_was_printed(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1", total=7))])
    assert worker(database, destination(tmp_path, sandbox.url)).step(MORNING) == 1
    (measure,) = sandbox.values.all()
    assert (measure.patientId, measure.instrument, measure.score, measure.status) == ("P1", "phq-9", 7, "final")
    assert measure.administeredOn == date(2026, 3, 2)
    assert [item.value for item in measure.items] == [1] * 7 + [0] * 2
    with database.reading() as session:
        (entry,) = outbox.list_submissions(session, record_id=record_id)
    assert entry.state is D.DELIVERED
    assert entry.receipt is not None
    assert entry.receipt.remote_id == measure.id


def test_a_result_word_is_held_because_the_portal_takes_numbers(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1", total=None, instrument="c-ssrs", result="high"))])
    worker(database, destination(tmp_path, sandbox.url)).step(MORNING)
    assert (states(database), reasons(database)) == ({D.HELD: 1}, {"missing-total"})
    assert sandbox.values.all() == []


def test_shadow_freezes_what_it_would_send_and_sends_nothing(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [(f"P{number}", assessment(f"P{number}")) for number in range(30)])
    worker(database, destination(tmp_path, sandbox.url, mode="shadow")).step(MORNING)
    assert (states(database), reasons(database)) == ({D.HELD: 30}, {"shadow"})
    with database.reading() as session:
        payloads = [entry.submission.payload for entry in outbox.list_submissions(session)]
    assert all(payload is not None and json.loads(payload)["score"] == 5 for payload in payloads)
    assert sandbox.values.all() == []


def test_going_live_tells_of_the_shadow_backlog_and_sends_it_only_when_told_to(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1"))])
    worker(database, destination(tmp_path, sandbox.url, mode="shadow")).step(MORNING)
    worker(database, destination(tmp_path, sandbox.url)).step(MORNING)
    assert sandbox.values.all() == []
    with database.reading() as session:
        assert [notice.kind for notice in notices.unsent(session)] == ["held-from-trial"]
    worker(database, destination(tmp_path, sandbox.url, send_shadow_backlog=True)).step(MORNING)
    assert [measure.patientId for measure in sandbox.values.all()] == ["P1"]


def test_staging_sends_patients_of_the_allow_list_only(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1")), ("P2", assessment("P2"))])
    worker(database, destination(tmp_path, sandbox.url, mode="staging", allow_list="P2")).step(MORNING)
    assert [measure.patientId for measure in sandbox.values.all()] == ["P2"]
    assert "not-on-allow-list" in reasons(database)
    worker(database, destination(tmp_path, sandbox.url, mode="staging", allow_list=["P1", "P2"])).step(MORNING)
    assert {measure.patientId for measure in sandbox.values.all()} == {"P1", "P2"}


def test_off_claims_nothing(database: Database, sandbox: RunningSandbox, tmp_path: Path) -> None:
    confirm(database, [("P1", assessment("P1"))])
    assert worker(database, destination(tmp_path, sandbox.url, mode="off")).step(MORNING) == 0
    assert states(database) == {D.PENDING: 1}


def test_one_patients_results_arrive_in_their_order(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    misbehave(sandbox, unavailable=0.2, commit_then_cut=0.1, cut_before_commit=0.1, seed=3)
    days = [date(2026, 2, day) for day in range(1, 13)]
    for day in days:
        confirm(database, [(patient, assessment(patient, day=day)) for patient in ("P1", "P2")])
    with at_work(worker(database, destination(tmp_path, sandbox.url))):
        wait_until(lambda: states(database) == {D.DELIVERED: 24})
    for patient in ("P1", "P2"):
        assert [measure.administeredOn for measure in sandbox.values.of_patient(patient, None)] == days


def test_a_correction_and_a_withdrawal_follow_the_first_value(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    (record_id,) = confirm(database, [("P1", assessment("P1"))])
    delivering = worker(database, destination(tmp_path, sandbox.url))
    with database.session() as session:
        outbox.enqueue_correction(
            session,
            record_id,
            assessment=assessment("P1", total=6),
            actor="anna",
            now=MORNING,
            destinations=["portal"],
        )
    delivering.step(MORNING)
    assert [(measure.score, measure.status) for measure in sandbox.values.all()] == [(6, "corrected")]
    with database.session() as session:
        outbox.enqueue_withdrawal(session, record_id, reason="wrong-patient", actor="anna", now=MORNING, reopen=False)
    delivering.step(MORNING)
    (measure,) = sandbox.values.all()
    assert (measure.status, measure.version) == ("entered-in-error", "3")


def test_a_401_pauses_the_destination_and_says_so_once(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [(f"P{number}", assessment(f"P{number}")) for number in range(10)])
    misbehave(sandbox, unauthorized=1)
    delivering = worker(database, destination(tmp_path, sandbox.url))
    delivering.step(MORNING)
    delivering.step(MORNING + timedelta(hours=1))
    with database.session() as session:
        assert outbox.paused(session) == {"portal": "http-401"}
        (notice,) = notices.unsent(session)
        assert (notice.kind, notice.subject) == ("destination-paused", "portal")
        assert states(database) == {D.PENDING: 10}
        outbox.resume(session, "portal", actor="anna", now=MORNING)
    misbehave(sandbox)
    delivering.step(MORNING + timedelta(hours=2))
    assert states(database) == {D.DELIVERED: 10}


def test_a_patient_the_portal_does_not_know_blocks_nobody_else(database: Database, tmp_path: Path) -> None:
    confirm(database, [("P1", assessment("P1")), ("P2", assessment("P2"))])
    with running_sandbox(SandboxOptions(patients=frozenset({"P2"}))) as sandbox:
        worker(database, destination(tmp_path, sandbox.url)).step(MORNING)
    assert states(database) == {D.DELIVERED: 1, D.HELD: 1}
    assert "http-404" in reasons(database)


def test_a_portal_that_lies_is_for_a_person_and_the_operator_hears_of_it(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [("P1", assessment("P1"))])
    misbehave(sandbox, wrong_echo=1)
    worker(database, destination(tmp_path, sandbox.url)).step(MORNING)
    assert (states(database), reasons(database)) == ({D.DEAD: 1}, {"portal-differs"})
    with database.reading() as session:
        assert [notice.kind for notice in notices.unsent(session)] == ["delivery-refused"]


def test_after_three_days_of_failure_a_person_decides(database: Database, tmp_path: Path) -> None:
    confirm(database, [("P1", assessment("P1"))])
    delivering = worker(database, destination(tmp_path, "http://127.0.0.1:1"))
    now = MORNING
    while now < MORNING + timedelta(hours=71):
        delivering.step(now)
        now += timedelta(hours=6)
    assert states(database) == {D.PENDING: 1}
    delivering.step(MORNING + timedelta(hours=73))
    assert (states(database), reasons(database)) == ({D.DEAD: 1}, {"gave-up-not-reached"})


def test_a_portal_that_is_down_is_left_alone_and_found_again(
    database: Database, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    confirm(database, [(f"P{number}", assessment(f"P{number}")) for number in range(40)])
    misbehave(sandbox, unavailable=1, retry_after=0)
    delivering = worker(database, destination(tmp_path, sandbox.url), first_pause=timedelta(minutes=1))
    tried = delivering.step(MORNING)
    assert 5 <= tried <= 8
    assert delivering.step(MORNING + timedelta(seconds=30)) == 0
    assert delivering.step(MORNING + timedelta(seconds=61)) == 1
    misbehave(sandbox)
    now = MORNING + timedelta(seconds=61)
    while states(database) != {D.DELIVERED: 40}:
        now += timedelta(minutes=5)
        delivering.step(now)
        assert now < MORNING + timedelta(days=1)


def test_a_hanging_portal_delays_no_other(database: Database, sandbox: RunningSandbox, tmp_path: Path) -> None:
    with running_sandbox() as hanging:
        misbehave(hanging, hang=1, hang_seconds=2)
        confirm(
            database,
            [(f"P{number}", assessment(f"P{number}")) for number in range(20)],
            destinations=["hanging", "portal"],
        )
        both = [destination(tmp_path, hanging.url, id="hanging"), destination(tmp_path, sandbox.url)]
        with at_work(worker(database, *both, read_seconds=1)):
            wait_until(lambda: len(sandbox.values.all()) == 20)
            assert len(hanging.values.all()) < 20


def test_new_work_is_seen_at_once(database: Database, sandbox: RunningSandbox, tmp_path: Path) -> None:
    delivering = worker(database, destination(tmp_path, sandbox.url), poll_seconds=30)
    with at_work(delivering):
        confirm(database, [("P1", assessment("P1"))])
        delivering.wake.set()
        wait_until(lambda: states(database) == {D.DELIVERED: 1}, seconds=10)
        confirm(database, [("P2", assessment("P2"))])  # by now the threads wait for their poll
        delivering.wake.set()
        wait_until(lambda: states(database) == {D.DELIVERED: 2}, seconds=10)
        delivering.wake.set()  # or the threads would sit out their poll


def test_no_log_line_tells_of_a_patient(database: Database, sandbox: RunningSandbox, tmp_path: Path) -> None:
    confirm(database, [("SECRETPATIENT", assessment("SECRETPATIENT"))])
    misbehave(sandbox, next=["cut_before_commit", "none", "unavailable", "unavailable", "unavailable"])
    delivering = worker(database, destination(tmp_path, sandbox.url))
    with structlog.testing.capture_logs() as lines:
        for minutes in range(0, 300, 20):
            delivering.step(MORNING + timedelta(minutes=minutes))
    assert states(database) == {D.DELIVERED: 1}
    assert len(lines) >= 3
    assert "SECRETPATIENT" not in repr(lines)
