"""One channel's way to its people: what it owes, and what it took. Nothing else can hold a lane up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import structlog

from portal.alert_channels import REFUSED, Channel
from portal.alert_messages import ChannelReceipt, Message
from records.errors import DeliveryError, StoreError

_POLL_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 10.0

_Key = tuple[str, tuple[int, ...]]

_log = structlog.get_logger("portal.alerting")


class Owed(NamedTuple):
    """A message that a channel owes.

    Attributes:
        kind: "alert", "task" or "notices"; they are told in this order.
        number: Of the alert, and of its round for a task; () for notices.
        mark: What tells this message from others of the same kind and number.
    """

    kind: str
    number: tuple[int, ...]
    mark: tuple[object, ...]
    message: Message


class Ledger(Protocol):
    """Where a lane writes down what became of a message."""

    def is_owed(self, owed: Owed) -> bool:
        """Whether it is still to be told; asked right before."""

    def told(self, channel: str, owed: Owed, receipt: ChannelReceipt, *, now: datetime) -> None:
        """The channel took it."""

    def failed(self, channel: str, owed: Sequence[Owed], fault: str, *, now: datetime) -> None:
        """The channel did not take these."""


class Lane:
    """One channel, what it still owes, and what it told last."""

    def __init__(self, channel: Channel, ledger: Ledger) -> None:
        self.channel = channel
        self._ledger = ledger
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._owed: dict[_Key, Owed] = {}
        self._last: dict[_Key, tuple[object, ...]] = {}
        self._unwritten: list[tuple[Owed, ChannelReceipt, datetime]] = []

    def owe(self, owed: Owed) -> None:
        """Take on a message unless this channel has told just that; a later one takes the place of an earlier."""
        key = (owed.kind, owed.number)
        with self._lock:
            if self._last.get(key) != owed.mark:
                self._owed[key] = owed
                self._work.set()

    def keep_only(self, kind: str, numbers: Collection[tuple[int, ...]]) -> None:
        """Forget every other message of this kind: nobody needs to be told of it any more."""
        with self._lock:
            for known in (self._owed, self._last):
                for key in [key for key in known if key[0] == kind and key[1] not in numbers]:
                    del known[key]

    def drain(self, clock: Callable[[], datetime]) -> int:
        """Send what is owed; how many were taken. What fails stays owed.

        A channel that cannot be reached is left alone until the next round; a message it refuses only by itself.
        """
        self._write_down()
        with self._lock:
            waiting = sorted(self._owed.values(), key=lambda owed: (owed.kind, owed.number))
        taken = 0
        for place, owed in enumerate(waiting):
            if not self._ledger.is_owed(owed):
                self._drop(owed)
                continue
            try:
                receipt = self.channel.send(owed.message)
            except DeliveryError as error:
                refused = error.code == REFUSED
                self._fail([owed] if refused else waiting[place:], error.code or "failed", now=clock())
                if refused:
                    continue
                break
            with self._lock:
                self._last[owed.kind, owed.number] = owed.mark
            self._drop(owed)
            self._unwritten.append((owed, receipt, clock()))
            self._write_down()
            taken += 1
        return taken

    def run(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        """Send as soon as something is owed; after a failure wait, longer each time, 10 s at most."""
        pause = 0.0
        while not stop.is_set():
            self._work.wait(_POLL_SECONDS)
            self._work.clear()
            try:
                self.drain(clock)
            except Exception as error:  # noqa: BLE001  # the loop outlives every fault of one round
                _log.error("alerts.round-failed", fault=type(error).__name__)
            with self._lock:
                stuck = bool(self._owed)
            pause = min(max(pause * 2, 0.5), _LONGEST_PAUSE_SECONDS) if stuck else 0.0
            if pause:
                stop.wait(pause)

    def _drop(self, owed: Owed) -> None:
        key = (owed.kind, owed.number)
        with self._lock:
            if key in self._owed and self._owed[key].mark == owed.mark:
                del self._owed[key]

    def _write_down(self) -> None:
        """What was told is written down late rather than told twice: a store that fails is asked again."""
        while self._unwritten:
            owed, receipt, now = self._unwritten[0]
            try:
                self._ledger.told(self.channel.name, owed, receipt, now=now)
            except StoreError as error:
                _log.error("alerts.not-written-down", channel=self.channel.name, fault=type(error).__name__)
                return
            del self._unwritten[0]

    def _fail(self, owed: Sequence[Owed], fault: str, *, now: datetime) -> None:
        _log.error("alerts.channel-failed", channel=self.channel.name, fault=fault, owed=len(owed))
        try:
            self._ledger.failed(self.channel.name, owed, fault, now=now)
        except StoreError as error:
            _log.error("alerts.not-written-down", channel=self.channel.name, fault=type(error).__name__)
