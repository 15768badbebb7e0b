"""A folder looked at now, a portal asked whether it does what its file says, a test message sent: on request."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from ingest.requested_work import Outcome
from ingest.settings import Settings
from ingest.watcher import FolderWatcher
from parsers.instrument_library import load_instruments
from portal.alert_settings import AlertSettings
from portal.alerting import send_test
from portal.connections import configure
from portal.probing import ProbeCheck, Verdict, probe
from records.errors import SettingsError
from store import alert_tellings, sightings
from store.database import Database
from store.sightings import SightingState
from store.work_requests import WorkRequest

_LONGEST_SCAN_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1


class RequestedScans:
    """Wakes the watcher of a source and waits for its scan."""

    def __init__(self, database: Database, watchers: Sequence[FolderWatcher]) -> None:
        self._database = database
        self._watchers = {watcher.source_name: watcher for watcher in watchers}

    def scan(self, request: WorkRequest, _now: datetime) -> Outcome:
        """Have a folder read at once; what it found is in the sightings."""
        watcher = self._watchers.get(request.subject)
        if watcher is None:
            return Outcome(sentence="This folder is not in the settings any more.", went_well=False)
        scans = watcher.scans
        watcher.wake()
        until = time.monotonic() + _LONGEST_SCAN_SECONDS
        while watcher.scans == scans and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        if watcher.scans == scans:
            return Outcome(sentence="The folder could not be read. Check the share and its rights.", went_well=False)
        with self._database.reading() as session:
            found = sightings.counts(session, request.subject)
        waiting, backlog = found[SightingState.PENDING], found[SightingState.BACKLOG]
        said = f"The folder was read. {waiting} files wait until they are whole, {backlog} are backlog."
        return Outcome(sentence=said)


class RequestedProbes:
    """Asks portals and alert channels on request."""

    def __init__(self, database: Database, settings: Settings, *, folder: Path, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._settings = settings
        self._folder = folder
        self._clock = clock

    def probe(self, request: WorkRequest, _now: datetime) -> Outcome:
        """Ask a portal without changing anything there."""
        chosen = [one for one in self._settings.destination if one.destination_id == request.subject]
        if not chosen:
            raise SettingsError(f"There is no destination {request.subject} in the settings any more.")
        (configured,) = configure(chosen, folder=self._folder)
        instrument = load_instruments()["phq-9"]
        checks = list(probe(configured, instrument, write=False, clock=self._clock))
        faults = sum(check.verdict is Verdict.FAULT for check in checks)
        warnings = sum(check.verdict is Verdict.WARNING for check in checks)
        said = f"{len(checks)} checks: {faults} faults, {warnings} warnings."
        return Outcome(
            sentence=said, went_well=not faults, found={"checks": "\n".join(_line(check) for check in checks)}
        )

    def send_test(self, _request: WorkRequest, now: datetime) -> Outcome:
        """Send a test message over every channel."""
        settings = self._settings.alerts
        if not isinstance(settings, AlertSettings):
            raise SettingsError("No channel for alerts is set.")
        faults = send_test(settings, now=now, folder=self._folder)
        with self._database.session() as session:
            for name in [name for name, fault in faults.items() if fault is None]:
                alert_tellings.mark_working(session, name, now=now)
        lines = [f"{'fault' if fault else 'ok'}\t{name}\t{fault or 'Sent.'}" for name, fault in faults.items()]
        wrong = sum(fault is not None for fault in faults.values())
        said = f"Sent over {len(faults) - wrong} of {len(faults)} channels. Ask whether it arrived."
        return Outcome(sentence=said, went_well=not wrong, found={"checks": "\n".join(lines)})


def _line(check: ProbeCheck) -> str:
    words = " ".join(f"{check.message} {check.next_step}".split())
    return f"{check.verdict.value}\t{check.name}\t{words}"
