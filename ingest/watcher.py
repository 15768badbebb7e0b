"""Watches one folder. Events are a hint; the truth is a scan."""

from __future__ import annotations

import fnmatch
import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import structlog

from ingest.folder_events import FolderEvents
from ingest.intake import FoundFile, Intake, IntakeResult, Taken, change_mark
from ingest.logs import fault_place
from ingest.metrics import Metrics
from ingest.settings import SiteSettings, SourceSettings
from records.errors import ScorebridgeError
from store import notices, reports, sightings
from store.database import Database
from store.sightings import SightingState

_log = structlog.get_logger()

_BEYOND = datetime(9000, 1, 1, tzinfo=UTC)
_FINAL = (reports.ReportState.HANDED_OVER, reports.ReportState.DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What the watcher knows of one path."""

    file: FoundFile
    state: SightingState
    since: float  # monotonic seconds of the last change seen
    report_id: int | None = None
    reason: str | None = None


class FolderWatcher:
    """One source: finds its files, waits until they are whole, and takes them."""

    def __init__(
        self,
        database: Database,
        source: SourceSettings,
        site: SiteSettings,
        *,
        max_bytes: int,
        start_from: date | None,
        metrics: Metrics,
        taken: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._source = source
        self._site = site
        self._intake = Intake(database=database, source=source, max_bytes=max_bytes)
        self._start_from = start_from
        self._metrics = metrics
        self._taken = taken
        self._monotonic = monotonic
        self._wake = threading.Event()
        self._events = FolderEvents(source, self._wake, monotonic=monotonic)
        self._sights: dict[str, _Sight] | None = None
        self._away = False
        self.last_good_scan: datetime | None = None
        self.scans = 0

    def run(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        """Scan until told to stop; whatever goes wrong is logged and tried again."""
        while not stop.is_set():
            self._wake.clear()
            try:
                self.scan(clock())
            except Exception as error:  # noqa: BLE001 - the one loop of this worker: it never dies
                _log.error("watcher.failed", source=self._label, error=type(error).__name__, place=fault_place(error))
            self._events.keep(away=self._away)
            self._wake.wait(self._pause())
        self._events.stop()

    @property
    def source_name(self) -> str:
        """What the store calls the folder."""
        return self._source.name

    def wake(self) -> None:
        """Scan now."""
        self._wake.set()

    def scan(self, now: datetime) -> None:
        """One pass over the folder: the only way a file is ever found."""
        try:
            found = self._found(now)
        except OSError as error:
            self._unreachable(now, error)
            return
        self._reachable(now)
        if self._sights is None:
            self._sights = self._remembered()
        self._take_up_released()
        self._notice_vanished(found, now)
        self._look_at_all(found, now)
        self._finish_originals(found)
        self.last_good_scan = now
        self.scans += 1
        pending = sum(sight.state is SightingState.PENDING for sight in self._sights.values())
        self._metrics.last_scan.labels(self._source.site, self._label).set(now.timestamp())
        self._metrics.pending_files.labels(self._source.site, self._label).set(pending)

    @property
    def _label(self) -> str:
        return self._source.name

    # --- finding

    def _found(self, now: datetime) -> dict[str, FoundFile]:
        found: dict[str, FoundFile] = {}
        with os.scandir(self._source.folder) as entries:
            for entry in entries:
                if not self._matches(entry.name):
                    continue
                try:
                    seen = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                file = FoundFile(
                    path=Path(entry.path),
                    shown=entry.path,
                    size=seen.st_size,
                    change_mark=change_mark(seen),
                    modified_at=_instant(seen.st_mtime),
                )
                if stat.S_ISREG(seen.st_mode):
                    found[file.shown] = file
                elif not stat.S_ISDIR(seen.st_mode):
                    # Links lead out of the folder, pipes never end: neither is a printed report.
                    self._ignore(file, now)
        return found

    def _matches(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name.casefold(), p.casefold()) for p in self._source.patterns)

    def _ignore(self, file: FoundFile, now: datetime) -> None:
        if self._sights is None or file.shown in self._sights:
            return
        self._store(_Sight(file=file, state=SightingState.IGNORED, since=0.0, reason="unsafe-path"), now)
        _log.warning("file.ignored", source=self._label, reason="unsafe-path")
        self._metrics.files.labels(self._source.site, "ignored").inc()

    def _remembered(self) -> dict[str, _Sight]:
        with self._database.reading() as session:
            known = sightings.known(session, self._source.name)
        return {
            path: _Sight(
                file=FoundFile(
                    path=Path(path), shown=path, size=s.size, change_mark=s.mtime_ns, modified_at=s.changed_at
                ),
                state=s.state,
                since=self._monotonic(),
                report_id=s.report_id,
                reason=s.reason,
            )
            for path, s in known.items()
        }

    def _take_up_released(self) -> None:
        """Files of the backlog that a person has released since the last scan."""
        assert self._sights is not None
        if not any(sight.state is SightingState.BACKLOG for sight in self._sights.values()):
            return
        with self._database.reading() as session:
            known = sightings.known(session, self._source.name)
        for shown, sight in self._sights.items():
            now_known = known.get(shown)
            released = now_known is not None and now_known.state is SightingState.PENDING
            if sight.state is SightingState.BACKLOG and released:
                self._sights[shown] = replace(sight, state=SightingState.PENDING, since=self._monotonic(), reason=None)

    # --- deciding what to do with a file

    def _look_at_all(self, found: dict[str, FoundFile], now: datetime) -> None:
        fault: Exception | None = None
        for file in found.values():
            try:
                self._look_at(file, now)
            except Exception as error:  # noqa: BLE001 - one file must never keep its neighbours waiting
                fault = fault or error
        if fault is not None:
            raise fault

    def _look_at(self, file: FoundFile, now: datetime) -> None:
        assert self._sights is not None
        sight = self._sights.get(file.shown)
        if sight is None or (sight.file.size, sight.file.change_mark) != (file.size, file.change_mark):
            if sight is None and self._is_backlog(file):
                self._store(_Sight(file=file, state=SightingState.BACKLOG, since=0.0, reason="backlog"), now)
                return
            since = self._monotonic()
            report_id = sight.report_id if sight else None
            sight = _Sight(file=file, state=SightingState.PENDING, since=since, report_id=report_id)
            self._sights[file.shown] = sight
            if self._source.quiet_seconds > 0:
                return
        sight = replace(sight, file=file)
        waited = self._monotonic() - sight.since
        locked = sight.state is SightingState.QUARANTINED and sight.reason == "file-locked"
        if locked and os.access(file.path, os.R_OK):
            # Nothing about the file changes when a lock or a right on it does.
            self._take(sight, now, waited=0.0)
        elif sight.state is SightingState.PENDING and waited >= self._source.quiet_seconds:
            self._take(sight, now, waited=waited)

    def _is_backlog(self, file: FoundFile) -> bool:
        written = file.modified_at.astimezone(self._site.zone).date()
        return self._start_from is not None and written < self._start_from

    def _take(self, sight: _Sight, now: datetime, *, waited: float) -> None:
        assert self._sights is not None
        last_try = waited >= self._source.incomplete_after_minutes * 60
        try:
            result = self._intake.take(sight.file, earlier_report=sight.report_id, last_try=last_try, now=now)
        except ScorebridgeError as error:
            # The store is full or away: the file stays, the next scan tries again.
            _log.error("intake.failed", source=self._label, error=type(error).__name__, code=error.code)
            return
        if result.outcome is Taken.WAITS:
            self._sights[sight.file.shown] = replace(sight, reason=result.reason)
            return
        if result.outcome is Taken.VANISHED:
            return  # the next scan notices
        self._settle(sight, result, now)

    def _settle(self, sight: _Sight, result: IntakeResult, now: datetime) -> None:
        assert self._sights is not None
        state = SightingState.QUARANTINED if result.outcome is Taken.QUARANTINED else SightingState.TAKEN
        settled = replace(sight, state=state, report_id=result.report_id, reason=result.reason)
        self._sights[sight.file.shown] = settled
        if result.outcome is Taken.UNCHANGED:
            self._store(settled, now)
        self._metrics.files.labels(self._source.site, result.outcome.value).inc()
        _log.info(
            "file.taken", source=self._label, report_id=result.report_id, state=result.outcome.value,
            reason=result.reason,
        )  # fmt: skip
        if result.outcome is Taken.NEW:
            self._taken()

    def _store(self, sight: _Sight, now: datetime) -> None:
        if self._sights is not None:
            self._sights[sight.file.shown] = sight
        with self._database.session() as session:
            sightings.remember(
                session,
                self._source.name,
                sight.file.shown,
                size=sight.file.size,
                mtime_ns=sight.file.change_mark,
                state=sight.state,
                report_id=sight.report_id,
                reason=sight.reason,
                now=now,
            )

    # --- files that go

    def _notice_vanished(self, found: dict[str, FoundFile], now: datetime) -> None:
        assert self._sights is not None
        gone = [shown for shown in self._sights if shown not in found]
        gone = [s for s in gone if self._sights[s].state is not SightingState.IGNORED]
        lost = [shown for shown in gone if self._sights[shown].state is SightingState.PENDING]
        for shown in gone:
            del self._sights[shown]
        if not gone:
            return
        with self._database.session() as session:
            sightings.forget(session, self._source.name, gone)
            if lost:
                sentence = (
                    "A file went away before it was whole and could be taken. Check whether it was printed again."
                )
                notices.leave(session, "file-vanished", self._label, sentence, now=now)
        if lost:
            self._metrics.files.labels(self._source.site, "vanished").inc(len(lost))
            _log.warning("file.vanished", source=self._label, count=len(lost))

    def _finish_originals(self, found: dict[str, FoundFile]) -> None:
        """Move or delete what is safely kept and settled; a file that cannot be moved stays and is tried again."""
        assert self._sights is not None
        if self._source.after == "leave":
            return
        due = [s for s in self._sights.values() if s.state is SightingState.TAKEN and s.file.shown in found]
        with self._database.reading() as session:
            settled = [s for s in due if s.report_id is not None and reports.get(session, s.report_id).state in _FINAL]
        finished = [s.file.shown for s in settled if self._intake.finish(found[s.file.shown])]
        if len(finished) < len(settled):
            _log.warning("original.stays", source=self._label, count=len(settled) - len(finished))
        if not finished:
            return
        for shown in finished:
            del self._sights[shown]
        with self._database.session() as session:
            sightings.forget(session, self._source.name, finished)

    # --- the folder itself

    def _unreachable(self, now: datetime, error: OSError) -> None:
        if not self._away:
            self._away = True
            _log.error("source.unreachable", source=self._label, error=type(error).__name__)
            with self._database.session() as session:
                sentence = "A watched folder cannot be read. Check the share and the rights of the service on it."
                notices.leave(session, "source-unreachable", self._label, sentence, now=now)

    def _reachable(self, now: datetime) -> None:
        if self._away:
            self._away = False
            _log.info("source.reachable", source=self._label)
            with self._database.session() as session:
                notices.resolve(session, "source-unreachable", self._label, now=now)

    # --- waking up

    def _pause(self) -> float:
        """Seconds until the next scan: soon while a file is becoming whole, else the poll interval."""
        sights = self._sights or {}
        waiting = [s for s in sights.values() if s.state is SightingState.PENDING]
        if not waiting:
            return self._source.poll_seconds
        quiet = self._source.quiet_seconds
        rest = min(quiet - (self._monotonic() - s.since) for s in waiting)
        # A file that stays incomplete is looked at again now and then, not in a busy loop.
        return min(self._source.poll_seconds, max(rest, 0.05) if rest > 0 else max(quiet, 0.5))


def _instant(seconds: float) -> datetime:
    """A file's time; of one that no calendar holds, a day long after any backlog, so that the file is taken."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return _BEYOND
