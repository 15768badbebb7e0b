"""How fast and how soon again: the portal's rate, the wait after a failure, and the pause of a portal that is down."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from store.breakers import BreakerState

LONGEST_BACKOFF_SECONDS: Final = 900.0
_LEAST_BACKOFF_SECONDS: Final = 0.1


def backoff(*, attempts: int, chance: random.Random, asked: float | None = None) -> timedelta:
    """How long to wait after the `attempts`-th failure: full jitter up to 2^attempts s, 15 min at most.

    Never shorter than what the portal `asked` for, in seconds. Jitter keeps a clinic's morning from coming back all
    at once: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    ceiling = min(2.0 ** min(attempts, 20), LONGEST_BACKOFF_SECONDS)
    return timedelta(seconds=max(chance.uniform(_LEAST_BACKOFF_SECONDS, ceiling), asked or 0.0))


class RateLimit:
    """At most `per_second` requests a second, all threads together, with bursts of one second's worth."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._room = max(per_second, 1.0)
        self._tokens = self._room
        self._counted_at = time.monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return when the next request may go."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._room, self._tokens + (now - self._counted_at) * self._per_second)
            self._counted_at = now
            self._tokens -= 1
            # Going below nothing books the next free moment, so that waiting happens outside the lock and in turn.
            delay = -self._tokens / self._per_second
        if delay > 0:
            time.sleep(delay)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Pauses a portal that fails time after time, then lets a single delivery try. Pure: its memory is handed in.

    Attributes:
        limit: Failures in a row that open it.
        first_pause: Doubled with every failed try, up to `longest_pause`.
        probe_within: A try that has not ended by then no longer counts as under way.
    """

    limit: int = 5
    first_pause: timedelta = timedelta(seconds=2)
    longest_pause: timedelta = timedelta(seconds=60)
    probe_within: timedelta = timedelta(minutes=2)

    def admits(self, state: BreakerState, *, wanted: int, now: datetime) -> int:
        """How many deliveries may start now: `wanted`, a single probe, or none."""
        if state.open_until is None:
            return wanted
        return 0 if now < state.open_until or self.is_probing(state, now=now) else min(wanted, 1)

    def is_probing(self, state: BreakerState, *, now: datetime) -> bool:
        """Whether the single delivery that tries an open portal is under way."""
        return state.probe_until is not None and now < state.probe_until

    def started(self, state: BreakerState, *, count: int, now: datetime) -> BreakerState:
        """That many deliveries were started after `admits`."""
        if count == 0 or state.open_until is None:
            return state
        return replace(state, probe_until=now + self.probe_within)

    def failed(self, state: BreakerState, *, now: datetime) -> BreakerState:
        """No clear answer."""
        state = replace(state, failures=state.failures + 1)
        probing = self.is_probing(state, now=now)
        if state.open_until is not None and not probing:
            return state  # was under way when the breaker opened
        if not probing and state.failures < self.limit:
            return state
        pause = min(self.first_pause * 2**state.pauses, self.longest_pause)
        return BreakerState(failures=state.failures, pauses=min(state.pauses + 1, 20), open_until=now + pause)

    def given_back(self, state: BreakerState) -> BreakerState:
        """A started delivery did not happen after all."""
        return replace(state, probe_until=None)
