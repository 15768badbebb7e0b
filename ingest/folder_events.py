"""Wakes a watcher when the system says that something happened in its folder; what it says is only a hint."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ingest.settings import SourceSettings

_log = structlog.get_logger()

# File systems whose changes by other machines no kernel event tells of.
_NETWORK = ("nfs", "cifs", "smb", "9p", "fuse", "afs", "ncp", "webdav", "davfs")
_TRY_AGAIN_SECONDS = 10


class FolderEvents:
    """The system's events of one folder, where it gives any."""

    def __init__(self, source: SourceSettings, wake: threading.Event, *, monotonic: Callable[[], float]) -> None:
        self._source = source
        self._wake = wake
        self._monotonic = monotonic
        self._observer: BaseObserver | None = None
        self._tried: float | None = None

    def keep(self, *, away: bool) -> None:
        """See to it that events arrive, unless the folder is away or its file system gives none.

        A folder that was away may have come back as another one of the same name, which the old observer would not
        hear: it is observed anew.
        """
        if away:
            self.stop()
            self._tried = None
            return
        if self._source.watch == "poll" or (self._source.watch == "auto" and _on_network(self._source.folder)):
            return
        alive = self._observer is not None and self._observer.is_alive()
        lately = self._tried is not None and self._monotonic() - self._tried < _TRY_AGAIN_SECONDS
        if alive or lately:
            return
        self._tried = self._monotonic()
        self.stop()
        observer = Observer()
        try:
            observer.schedule(_Hint(self._wake), str(self._source.folder), recursive=False)
            observer.start()
        except OSError as error:
            _log.warning("observer.failed", source=self._source.name, error=type(error).__name__)
            return
        self._observer = observer

    def stop(self) -> None:
        """No more events."""
        if self._observer is not None:
            self._observer.stop()
            if self._observer.is_alive():
                self._observer.join(timeout=5)
            self._observer = None


class _Hint(FileSystemEventHandler):
    """Any event wakes the scan; what it says is not believed."""

    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Something happened; opening and reading by the service itself does not count."""
        if event.event_type not in ("opened", "closed_no_write"):
            self._wake.set()


def _on_network(folder: Path) -> bool:
    """Whether the folder lies on a network share, as far as the system can tell."""
    try:
        mounts = sorted(psutil.disk_partitions(all=True), key=lambda m: -len(m.mountpoint))
        place = str(folder.resolve())
    except OSError:
        return True
    if place.startswith("\\\\"):
        return True
    for mount in mounts:
        root = mount.mountpoint.rstrip("/") + "/"
        if (place + "/").startswith(root):
            return mount.fstype.casefold().startswith(_NETWORK)
    return False
