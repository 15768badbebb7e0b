"""Delivery in the modes of the moment: when somebody chooses another one, it ends cleanly and begins anew."""

from __future__ import annotations

import threading
from datetime import UTC
from pathlib import Path
from typing import Final

import structlog

from ingest.modes_in_force import with_chosen_modes
from ingest.settings import Settings
from parsers.instrument_library import load_instruments
from portal.connections import configure
from portal.delivery import DeliveryWorker
from records.errors import ScorebridgeError
from store import chosen_modes
from store.database import Database

_log = structlog.get_logger()
_LOOK_SECONDS: Final = 1.0


class Deliveries:
    """Runs a delivery worker, and another one as soon as a mode has changed. Two never run at the same time.

    Attributes:
        wake: Set it after leaving work in the outbox, to have it seen at once.
    """

    def __init__(self, database: Database, settings: Settings, *, folder: Path) -> None:
        """Make everything ready.

        Raises:
            SettingsError: Something is wrong; every fault of every destination is listed.
        """
        self.wake = threading.Event()
        self._database = database
        self._settings = settings
        self._folder = folder
        self._worker, self._taken_up = self._made()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set.

        Raises:
            RuntimeError: A worker has ended by itself.
        """
        while not stop.is_set():
            over = threading.Event()
            thread = threading.Thread(target=self._worker.run, args=(over,), name="delivery-lanes", daemon=True)
            thread.start()
            following = self._wait_for_change(stop, thread)
            if following is None and not stop.is_set():
                raise RuntimeError("delivery has ended by itself")
            over.set()
            self.wake.set()
            thread.join()
            if following is not None:
                self._worker, self._taken_up = following
                _log.info("delivery.modes-taken-up")

    def _wait_for_change(self, stop: threading.Event, thread: threading.Thread) -> tuple[DeliveryWorker, int] | None:
        """The worker for the modes that somebody has chosen; None once there is nothing to wait for."""
        refused = 0
        while thread.is_alive() and not stop.wait(_LOOK_SECONDS):
            try:
                latest = self._latest()
                if latest not in (self._taken_up, refused):
                    refused = latest
                    return self._made()
            except ScorebridgeError as error:
                # Whoever chose was told what is missing; what has gone since leaves the earlier modes in force.
                _log.error("delivery.modes-refused", fault=type(error).__name__)
        return None

    def _latest(self) -> int:
        with self._database.reading() as session:
            return chosen_modes.latest_id(session)

    def _made(self) -> tuple[DeliveryWorker, int]:
        with self._database.reading() as session:
            latest = chosen_modes.latest_id(session)
            settings = with_chosen_modes(session, self._settings)
        worker = DeliveryWorker(
            database=self._database,
            destinations=configure(settings.destination, folder=self._folder),
            instruments=load_instruments(),
            zone=settings.site[0].zone if settings.site else UTC,
            wake=self.wake,
        )
        return worker, latest
