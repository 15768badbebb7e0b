"""How fast one record is matched, and what an index costs; beside `rapidfuzz` and Splink on the same roster.

A first process makes the people and leaves them in a temporary file, so that the measuring processes start clean.
Seconds are CPU time of the measuring thread (`time.thread_time`); for Splink, whose database works with several
threads, of its process. Memory is the resident size after building the index and a full collection, less that
before it, while the roster's own objects are alive in both; they are gone when records are timed.
"""

from __future__ import annotations

import gc
import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, quantiles
from typing import Final

import psutil
from rapidfuzz import fuzz, process

from bench.matching_baselines import plain_name
from bench.matching_people import PeopleSet
from bench.matching_prints import speed_set
from bench.matching_splink import SplinkModel
from matching.decision import decide
from matching.roster_index import RosterIndex
from records.patient import LinkPolicy

SIZES: Final = (100_000, 1_000_000)
SPEED_GOALS: Final = {
    "speed_100000_ms": 0.3,
    "speed_1000000_ms": 0.6,
    "speed_100000_p99_ms": 2.0,
    "speed_1000000_p99_ms": 2.0,
    "speed_1000000_build_s": 5.0,
    "speed_1000000_mb": 250.0,
}
_ROOT: Final = Path(__file__).parents[1]
_PRINTS: Final = 3_000
_WARM_UP: Final = 200
_SEED: Final = 101


def measured(sizes: list[int], *, baselines: bool) -> dict[str, float]:
    """The figures of every size, each part in a process of its own; prints the table."""
    figures: dict[str, float] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "people.pickle")
            _child("make", path, str(size))
            for part in ("ours", *(("rapidfuzz", "splink") if baselines else ())):
                for name, value in _child(part, path).items():
                    figures[f"speed_{size}_{name}"] = value
                    print(f"{size:10,}  {name:28}{value:14.4f}", flush=True)
    return figures


def _child(part: str, *arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.matching_speed", part, *arguments]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{part} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def make(path: str, size: str) -> dict[str, float]:
    gc.disable()  # millions of people who all stay
    people = speed_set(_SEED, size=int(size), prints=_PRINTS)
    with Path(path).open("wb") as file:
        pickle.dump(people, file, protocol=pickle.HIGHEST_PROTOCOL)
    return {}


def ours(path: str) -> dict[str, float]:
    """Building and asking this program's index, by name and birth date, then with the number."""
    people = _people(path)
    gc.collect()
    before = psutil.Process().memory_info().rss
    began = time.thread_time()
    index = RosterIndex.build(people.roster)
    seconds = time.thread_time() - began
    gc.collect()
    memory = (psutil.Process().memory_info().rss - before) / 1e6
    figures = {"build_s": seconds, "mb": memory}
    plain, numbered = people.printing(name="speed"), people.printing("mrn", name="speed+mrn")
    identities = {"": [p.identity for p in plain.prints], "mrn_": [p.identity for p in numbered.prints]}
    del people, plain, numbered
    gc.collect()
    policy = LinkPolicy()
    for key, printed in identities.items():
        times = [_milliseconds(lambda who=who: decide(who, index, policy)) for who in printed][_WARM_UP:]
        figures |= {
            f"{key}ms": mean(times),
            f"{key}p50_ms": quantiles(times, n=100)[49],
            f"{key}p99_ms": quantiles(times, n=100)[98],
        }
    return figures


def rapidfuzz(path: str) -> dict[str, float]:
    """`process.extractOne` with `WRatio` over all names, on a sample of the prints."""
    people = _people(path)
    names = [plain_name(patient) for patient in people.patients]
    sample = [plain_name(printed.identity) for printed in people.prints[: 4_000_000 // len(names)]]
    times = [_milliseconds(lambda name=name: process.extractOne(name, names, scorer=fuzz.WRatio)) for name in sample]
    return {"extractone_ms": mean(times)}


def splink(path: str) -> dict[str, float]:
    """Training, a batch of all prints and single prints, the model trained once."""
    people = _people(path).printing(name="speed")
    began = time.process_time()
    model = SplinkModel(people, numbers=False)
    model.ready()
    trained = time.process_time()
    model.search(people.prints, name="b_batch")
    batch = time.process_time()
    for number, printed in enumerate(people.prints[:10]):
        model.search([printed], name=f"b_single_{number}")
    return {
        "splink_train_s": trained - began,
        "splink_batch_ms": (batch - trained) / len(people.prints) * 1_000,
        "splink_single_ms": (time.process_time() - batch) / 10 * 1_000,
    }


def _people(path: str) -> PeopleSet:
    gc.disable()
    with Path(path).open("rb") as file:
        people: PeopleSet = pickle.load(file)  # made by `make`
    gc.enable()
    return people


def _milliseconds(call: Callable[[], object]) -> float:
    began = time.thread_time_ns()
    call()
    return (time.thread_time_ns() - began) / 1e6


if __name__ == "__main__":
    parts = {"make": make, "ours": ours, "rapidfuzz": rapidfuzz, "splink": splink}
    print(json.dumps(parts[sys.argv[1]](*sys.argv[2:])))
