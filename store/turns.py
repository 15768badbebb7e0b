"""Writers of one process take turns in the order they came.

SQLite lets one connection write at a time, and the others try again after a pause of their choice: with several busy
threads one of them may find the door closed for many seconds. Here each waits for its turn instead; what other
processes do is still SQLite's to settle. Who is urgent waits for nobody but the one whose turn it is.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from records.errors import StoreError


class Turns:
    """A lock that is first come, first served, the urgent ones before the others."""

    def __init__(self) -> None:
        self._door = threading.Lock()
        self._urgent: deque[threading.Event] = deque()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False
        self._holder: int | None = None

    @contextmanager
    def turn(self, *, within: float, urgent: bool = False) -> Iterator[None]:
        """Wait for the turn, and give it up at the end.

        Raises:
            StoreError: The turn did not come within so many seconds, or this very thread has it: it would wait for
                itself.
        """
        me = threading.get_ident()
        if self._holder == me:
            raise StoreError("A transaction was begun inside another one.", next_step="Report this fault.")
        self._take(within, self._urgent if urgent else self._waiting)
        self._holder = me
        try:
            yield
        finally:
            self._holder = None
            self._pass_on()

    def _take(self, within: float, line: deque[threading.Event]) -> None:
        with self._door:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Event()
            line.append(mine)
        if mine.wait(within):
            return
        with self._door:
            if mine in line:
                line.remove(mine)
                raise StoreError(
                    "The database is busy.", next_step="It is tried again; if it lasts, restart the service."
                )
        # The turn came in the very moment of giving up: it is ours, and is used.

    def _pass_on(self) -> None:
        with self._door:
            if line := self._urgent or self._waiting:
                line.popleft().set()
            else:
                self._taken = False
