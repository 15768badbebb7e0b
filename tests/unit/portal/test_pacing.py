"""Waits after failures, the breaker, the portal's rate."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.pacing import Breaker, RateLimit, backoff

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


def test_five_failures_in_a_row_open_the_breaker_and_one_delivery_probes() -> None:
    breaker = Breaker(first_pause=2 * SECOND)
    for _ in range(4):
        assert not breaker.failed(now=NOW)
    breaker.settled()
    assert [breaker.failed(now=NOW) for _ in range(5)] == [False] * 4 + [True]
    assert breaker.admit(wanted=4, now=NOW + SECOND) == 0
    assert breaker.admit(wanted=4, now=NOW + 2 * SECOND) == 1
    breaker.started(1)
    assert breaker.admit(wanted=4, now=NOW + 2 * SECOND) == 0
    assert breaker.failed(now=NOW + 2 * SECOND)
    assert breaker.admit(wanted=4, now=NOW + 5 * SECOND) == 0
    assert breaker.admit(wanted=4, now=NOW + 6 * SECOND) == 1
    breaker.started(1)
    breaker.settled()
    assert breaker.admit(wanted=4, now=NOW + 6 * SECOND) == 4


def test_a_probe_that_finds_no_work_does_not_block_the_next() -> None:
    breaker = Breaker(limit=1, first_pause=SECOND)
    breaker.failed(now=NOW)
    breaker.started(0)
    assert breaker.admit(wanted=4, now=NOW + SECOND) == 1
    breaker.started(1)
    breaker.given_back()
    assert breaker.admit(wanted=4, now=NOW + SECOND) == 1


@given(st.lists(st.sampled_from(["failed", "settled", "admit", "given_back"]), max_size=60))
def test_whatever_happens_the_breaker_lets_something_through_in_the_end(events: list[str]) -> None:
    breaker, now = Breaker(longest_pause=60 * SECOND), NOW
    for event in events:
        now += SECOND
        match event:
            case "failed":
                breaker.failed(now=now)
            case "settled":
                breaker.settled()
            case "given_back":
                breaker.given_back()
            case _:
                breaker.started(breaker.admit(wanted=4, now=now))
    breaker.given_back()
    assert breaker.admit(wanted=4, now=now + 61 * SECOND) >= 1


def test_threads_together_keep_to_the_rate() -> None:
    limit, began = RateLimit(50), time.monotonic()
    threads = [threading.Thread(target=lambda: [limit.wait() for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 0.95  # 100 requests, the first 50 of them at once
