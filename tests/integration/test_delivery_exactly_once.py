"""Each value once, whatever is lost on the way and however often the sender is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx
from delivery_cases import assessment, confirm, new_store, states

from portal.sandbox import RunningSandbox, SandboxOptions, running_sandbox
from records.submission import DeliveryState

ROOT = Path(__file__).parents[2]
WORKER = """
import sys, threading
from datetime import timedelta
from pathlib import Path
from delivery_cases import destination
from parsers.instrument_library import load_instruments
from portal.delivery import DeliverySettings, DeliveryWorker
from store.database import open_existing
from store.settings import StoreSettings

folder, url = Path(sys.argv[1]), sys.argv[2]
database = open_existing(StoreSettings(home=folder / "home"))
settings = DeliverySettings(first_pause=timedelta(milliseconds=100), read_seconds=5)
worker = DeliveryWorker(
    database=database, destinations=[destination(folder, url)], instruments=load_instruments(), settings=settings
)
worker.run(threading.Event())
"""
FAULTS = {"too_many": 0.08, "retry_after": 0, "unavailable": 0.05, "cut_before_commit": 0.03, "commit_then_cut": 0.1}


def start_worker(folder: Path, url: str) -> subprocess.Popen[bytes]:
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(folder), url],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(portal: RunningSandbox, count: int, worker: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 90
    while len(portal.values.all()) < count:
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < ends, f"only {len(portal.values.all())} of {count} arrived"
        time.sleep(0.005)


def test_a_hundred_values_arrive_once_each_though_answers_are_lost_and_the_sender_is_killed(tmp_path: Path) -> None:
    database = new_store(tmp_path)
    scores = {f"P{number}": number % 10 for number in range(100)}
    confirm(database, [(patient, assessment(patient, total=score)) for patient, score in scores.items()])
    with running_sandbox(SandboxOptions(state=tmp_path / "portal.jsonl")) as portal:
        httpx.post(f"{portal.url}/_sandbox/faults", json=FAULTS | {"seed": 11}).raise_for_status()
        left_under_way = 0
        for killed_after in (15, 40, 65):
            worker = start_worker(tmp_path, portal.url)
            wait_for(portal, killed_after, worker)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            left_under_way += states(database).get(DeliveryState.SENDING, 0)
        assert left_under_way > 0, "nothing was under way whenever it was killed"
        worker = start_worker(tmp_path, portal.url)
        try:
            wait_for(portal, 100, worker)
            ends = time.monotonic() + 90
            while states(database) != {DeliveryState.DELIVERED: 100}:
                assert time.monotonic() < ends, states(database)
                time.sleep(0.05)
        finally:
            worker.kill()
            worker.wait()
        measures = portal.values.all()
    assert Counter(measure.externalId for measure in measures).most_common(1)[0][1] == 1
    assert {measure.patientId: measure.score for measure in measures} == scores
    database.close()


def test_a_second_worker_by_mistake_sends_nothing_twice(tmp_path: Path) -> None:
    database = new_store(tmp_path)
    confirm(database, [(f"P{number}", assessment(f"P{number}")) for number in range(60)])
    with running_sandbox() as portal:
        httpx.post(f"{portal.url}/_sandbox/faults", json=FAULTS | {"seed": 5}).raise_for_status()
        workers = [start_worker(tmp_path, portal.url) for _ in range(2)]
        try:
            ends = time.monotonic() + 120
            while states(database) != {DeliveryState.DELIVERED: 60}:
                assert time.monotonic() < ends, states(database)
                time.sleep(0.05)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        assert sorted(measure.patientId for measure in portal.values.all()) == sorted(f"P{n}" for n in range(60))
    database.close()
