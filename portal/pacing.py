"""How fast and how soon again: the portal's rate, the wait after a failure, and the pause of a portal that is down."""

from __future__ import annotations

import random
import threading
import time
from datetime import datetime, timedelta
from typing import Final

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


class Breaker:
    """Pauses a portal that fails time after time, then lets a single delivery try.

    Args:
        limit: Failures in a row that open it.
        first_pause: Doubled with every failed try, up to `longest_pause`.
    """

    def __init__(
        self,
        *,
        limit: int = 5,
        first_pause: timedelta = timedelta(seconds=2),
        longest_pause: timedelta = timedelta(seconds=60),
    ) -> None:
        self._limit = limit
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._lock = threading.Lock()
        self._failures = 0
        self._pauses = 0
        self._open_until: datetime | None = None
        self._probing = False

    def admit(self, *, wanted: int, now: datetime) -> int:
        """How many deliveries may start now: `wanted`, a single probe, or none."""
        with self._lock:
            if self._open_until is None:
                return wanted
            if self._probing or now < self._open_until:
                return 0
            return min(wanted, 1)

    def started(self, count: int) -> None:
        """That many deliveries were started after `admit`."""
        with self._lock:
            self._probing = self._probing or (count > 0 and self._open_until is not None)

    def settled(self) -> None:
        """The portal gave a clear answer, yes or no."""
        with self._lock:
            self._failures, self._pauses, self._open_until, self._probing = 0, 0, None, False

    def given_back(self) -> None:
        """A started delivery did not happen after all."""
        with self._lock:
            self._probing = False

    def failed(self, *, now: datetime) -> bool:
        """No clear answer; True if this opened the breaker."""
        with self._lock:
            self._failures += 1
            if self._open_until is not None and not self._probing:
                return False  # was under way when the breaker opened
            if not self._probing and self._failures < self._limit:
                return False
            self._open_until = now + min(self._first_pause * 2**self._pauses, self._longest_pause)
            self._pauses = min(self._pauses + 1, 20)
            self._probing = False
            return True
