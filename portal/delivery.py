"""Brings what is in the outbox to the portals, each value once, whatever crashes or times out in between.

Each destination has a lane of its own with a few threads, so that a portal that hangs delays no other. The outbox sees
to it that one patient's submissions go one after the other. Logs hold ids, codes and counts only.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

import structlog

from portal.claims import new_name, own_names
from portal.connections import ConfiguredDestination
from portal.lane import DeliverySettings, Lane
from portal.offered_record import Sender, software_version
from records.errors import ScorebridgeError
from records.instrument import Instrument
from records.submission import DestinationMode
from store import destination_modes
from store.database import Database

__all__ = ["DeliverySettings", "DeliveryWorker"]

_log = structlog.get_logger("portal.delivery")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class DeliveryWorker:
    """Delivers until it is told to stop.

    Attributes:
        wake: Set it after leaving work in the outbox, to have it seen at once.
    """

    def __init__(
        self,
        *,
        database: Database,
        destinations: Sequence[ConfiguredDestination],
        instruments: Mapping[str, Instrument],
        settings: DeliverySettings | None = None,
        clock: Callable[[], datetime] = _utc_now,
        chance: random.Random | None = None,
        zone: tzinfo = UTC,
        wake: threading.Event | None = None,
    ) -> None:
        self.wake = wake or threading.Event()
        self._database = database
        self._clock = clock
        self._modes = {one.destination_id: one.settings.mode for one in destinations}
        sender = Sender(deployment=database.deployment, version=software_version(), instruments=instruments)
        self._lanes = [
            Lane(
                database=database,
                destination=destination,
                sender=sender,
                settings=settings or DeliverySettings(),
                clock=clock,
                chance=chance or random.Random(),  # noqa: S311  # jitter, not a secret
                wake=self.wake,
                owner=f"{new_name()}-{destination.destination_id}",
                zone=zone,
            )
            for destination in destinations
            if destination.settings.mode is not DestinationMode.OFF
        ]

    def step(self, now: datetime) -> int:
        """Deliver everything that is due at `now`, in this thread; how many submissions were tried."""
        self.take_up_modes(now)
        return sum(lane.step(now) for lane in self._lanes)

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; what is under way then is finished, what is only claimed is given back."""
        with own_names(self._database.settings.home) as known_as:
            for lane in self._lanes:
                if known_as is not None:
                    lane.owner = f"{known_as}-{lane.destination_id}"
                self._survive(lane.take_back)
            self._survive(lambda: self.take_up_modes(self._clock()))
            threads = [
                threading.Thread(target=lane.run, args=(stop,), name=f"lane-{lane.destination_id}")
                for lane in self._lanes
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            stop.wait()  # without destinations there is nothing to do but to wait

    def take_up_modes(self, now: datetime) -> None:
        """Let go of what an earlier mode held, or tell the operator that it waits; remember since when modes are so."""
        with self._database.session() as session:
            for name, mode in self._modes.items():
                destination_modes.note(session, name, mode, now=now)
        for lane in self._lanes:
            lane.take_up_mode(now)

    def _survive(self, work: Callable[[], None]) -> None:
        try:
            work()
        except ScorebridgeError as error:
            _log.error("delivery.start-failed", fault=type(error).__name__)
