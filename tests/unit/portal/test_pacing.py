"""Waits after failures, the breaker, the portal's rate."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.pacing import Breaker, RateLimit, backoff
from store.breakers import BreakerState

NOW = datetime(2026, 3, 3, 6, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@given(st.integers(0, 10_000), st.none() | st.floats(0, 3600), st.integers())
def test_a_wait_is_never_shorter_than_asked_and_otherwise_fifteen_minutes_at_most(
    attempts: int, asked: float | None, seed: int
) -> None:
    wait = backoff(attempts=attempts, chance=random.Random(seed), asked=asked).total_seconds()
    assert wait >= 0.1
    assert wait >= (asked or 0) - 1e-6
    assert wait <= max(900.0, asked or 0) + 1e-6


def test_waits_spread_over_their_whole_range() -> None:
    chance = random.Random(1)
    waits = [backoff(attempts=6, chance=chance).total_seconds() for _ in range(1000)]
    assert min(waits) < 2
    assert max(waits) > 62
    assert all(wait <= 64 for wait in waits)


def failed(breaker: Breaker, state: BreakerState, times: int, *, now: datetime = NOW) -> BreakerState:
    for _ in range(times):
        state = breaker.failed(state, now=now)
    return state


def test_five_failures_in_a_row_open_the_breaker_and_one_delivery_probes() -> None:
    breaker = Breaker(first_pause=2 * SECOND)
    assert failed(breaker, BreakerState(), 4).open_until is None
    state = failed(breaker, BreakerState(), 5)
    assert breaker.admits(state, wanted=4, now=NOW + SECOND) == 0
    assert breaker.admits(state, wanted=4, now=NOW + 2 * SECOND) == 1
    state = breaker.started(state, count=1, now=NOW + 2 * SECOND)
    assert breaker.admits(state, wanted=4, now=NOW + 2 * SECOND) == 0
    state = breaker.failed(state, now=NOW + 2 * SECOND)
    assert breaker.admits(state, wanted=4, now=NOW + 5 * SECOND) == 0
    assert breaker.admits(state, wanted=4, now=NOW + 6 * SECOND) == 1


def test_what_was_under_way_when_the_breaker_opened_does_not_make_the_pause_longer() -> None:
    breaker = Breaker()
    state = failed(breaker, BreakerState(), 5)
    assert failed(breaker, state, 3, now=NOW + SECOND).open_until == state.open_until


def test_a_probe_that_finds_no_work_does_not_block_the_next() -> None:
    breaker = Breaker(limit=1, first_pause=SECOND)
    state = breaker.started(breaker.failed(BreakerState(), now=NOW), count=0, now=NOW + SECOND)
    assert breaker.admits(state, wanted=4, now=NOW + SECOND) == 1
    state = breaker.given_back(breaker.started(state, count=1, now=NOW + SECOND))
    assert breaker.admits(state, wanted=4, now=NOW + SECOND) == 1


def test_a_probe_whose_worker_died_does_not_block_the_next_for_ever() -> None:
    breaker = Breaker(limit=1, first_pause=SECOND)
    state = breaker.started(breaker.failed(BreakerState(), now=NOW), count=1, now=NOW + SECOND)
    assert breaker.admits(state, wanted=4, now=NOW + SECOND) == 0
    assert breaker.admits(state, wanted=4, now=NOW + SECOND + breaker.probe_within) == 1


@given(st.lists(st.sampled_from(["failed", "settled", "admit", "given_back"]), max_size=60))
def test_whatever_happens_the_breaker_lets_something_through_in_the_end(events: list[str]) -> None:
    breaker, state, now = Breaker(longest_pause=60 * SECOND), BreakerState(), NOW
    for event in events:
        now += SECOND
        match event:
            case "failed":
                state = breaker.failed(state, now=now)
            case "settled":
                state = BreakerState()
            case "given_back":
                state = breaker.given_back(state)
            case _:
                state = breaker.started(state, count=breaker.admits(state, wanted=4, now=now), now=now)
    assert breaker.admits(state, wanted=4, now=now + breaker.probe_within + 61 * SECOND) >= 1


def test_threads_together_keep_to_the_rate() -> None:
    limit, began = RateLimit(50), time.monotonic()
    threads = [threading.Thread(target=lambda: [limit.wait() for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 0.95  # 100 requests, the first 50 of them at once
