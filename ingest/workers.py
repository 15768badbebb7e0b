"""Untrusted files are read in processes of their own: one that hangs, dies or grows takes nobody with it."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from ingest import reader_process
from ingest.reader_process import DRAWS, READS, FileToRead
from ingest.settings import ReadingSettings
from records.assessment import ReportReading
from records.errors import UnreadableDocumentError
from records.geometry import Region
from records.picture import DrawnPage

# A process is replaced after this many files, so that what a library leaks never adds up.
_FILES_PER_PROCESS = 200
_MEGABYTE = 1024 * 1024

__all__ = ["DRAWS", "READS", "FileToRead", "ReaderPool", "ReadingStoppedError"]

P = ParamSpec("P")
T = TypeVar("T")


class ReadingStoppedError(Exception):
    """The service is stopping; the file was not read and nothing is known about it."""


class ReaderPool:
    """Reading processes with a time and a memory limit. Safe to call from several threads."""

    def __init__(self, settings: ReadingSettings, *, loads: str = READS) -> None:
        """`loads` names what a new process loads before it is asked for anything: `READS`, or `DRAWS` for pages."""
        self._settings, self._loads = settings, loads
        self._lock = threading.Lock()
        self._closed = False
        self._under_way: set[Callable[[], bool]] = set()
        self._pool = self._started()

    def read(self, content: bytes, file: FileToRead) -> ReportReading:
        """Everything printed in a file.

        Raises:
            DocumentError: As `parsers.reading.read_report`; or reading took too long, too much memory, or the
                process died.
            ReadingStoppedError: The pool was closed meanwhile.
        """
        return self._call(reader_process.read, content, file, self._settings.max_pages, self._settings.ocr_pages)

    def render(self, content: bytes, page: int, dots_per_inch: int) -> bytes:
        """A page as PNG.

        Raises:
            DocumentError: As for `read`.
        """
        return self._call(reader_process.render, content, page, dots_per_inch)

    def draw(self, content: bytes, page: int, parts: tuple[Region, ...] = ()) -> DrawnPage:
        """A page for a person's eyes, or enlarged parts of it.

        Raises:
            DocumentError: As for `read`.
        """
        return self._call(reader_process.draw, content, page, parts)

    def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Whatever else is asked about an untrusted file; `work` and what it is given must pickle.

        Raises:
            DocumentError: As for `read`.
        """
        return self._call(reader_process.guarded, work, args, kwargs)

    def warm(self) -> None:
        """Start the processes and load the libraries, so that the first report does not wait for them."""
        for _ in range(self._settings.workers):
            self._alive().schedule(reader_process.ready)

    @property
    def under_way(self) -> int:
        """How many calls have been given to the processes and not answered."""
        with self._lock:
            return len(self._under_way)

    def close(self) -> None:
        """Stop all processes; what they were reading is given up."""
        with self._lock:
            self._closed = True
            given_up = tuple(self._under_way)
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        for cancel in given_up:
            # A file whose process was still starting would be waited for without end.
            cancel()

    def _started(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._settings.workers,
            max_tasks=_FILES_PER_PROCESS,
            context=multiprocessing.get_context("spawn"),
            initializer=reader_process.begin,
            initargs=[self._settings.memory_mb * _MEGABYTE, self._loads],
        )

    def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        limit = self._settings.timeout_seconds
        try:
            result: T = self._answer(self._alive().schedule(work, args=list(args), kwargs=kwargs, timeout=limit))
        except FutureTimeout:
            raise UnreadableDocumentError(
                f"Reading took longer than {limit:g} s and was stopped.",
                code="reader-timeout",
                next_step="Check what this file is; if it is a report, raise reading.timeout_seconds.",
            ) from None
        except MemoryError:
            raise UnreadableDocumentError(
                f"Reading needed more than {self._settings.memory_mb} MB and was stopped.",
                code="reader-memory",
                next_step="Check what this file is; if it is a report, raise reading.memory_mb.",
            ) from None
        except (BrokenProcessPool, CancelledError, RuntimeError):
            if self._closed:
                raise ReadingStoppedError from None
            raise
        except ProcessExpired:
            if self._closed:
                raise ReadingStoppedError from None
            raise UnreadableDocumentError(
                "The reading process died on this file.",
                code="reader-died",
                next_step="Check what this file is, then process it again.",
            ) from None
        return result

    def _answer(self, future: Future[T]) -> T:
        with self._lock:
            self._under_way.add(future.cancel)
        try:
            if self._closed:
                future.cancel()
            return future.result()
        finally:
            with self._lock:
                self._under_way.discard(future.cancel)

    def _alive(self) -> ProcessPool:
        with self._lock:
            if self._closed:
                raise ReadingStoppedError
            if not self._pool.active:
                # A pool that cannot start processes (no memory left on the machine) gives up; a new one may not.
                self._pool = self._started()
            return self._pool
