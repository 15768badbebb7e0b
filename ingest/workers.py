"""Untrusted files are read in processes of their own: one that hangs, dies or grows takes nobody with it."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

from ingest.settings import ReadingSettings
from parsers.template import Kind, Template
from records.assessment import ReportReading
from records.errors import ScorebridgeError, UnreadableDocumentError
from records.geometry import Region
from records.picture import DrawnPage

# A process is replaced after this many files, so that what a library leaks never adds up.
_FILES_PER_PROCESS = 200
_MEGABYTE = 1024 * 1024

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToRead:
    """What a reading process is given besides the bytes."""

    kind: Kind
    templates: tuple[Template, ...]
    site: str
    today: date


class ReadingStoppedError(Exception):
    """The service is stopping; the file was not read and nothing is known about it."""


class ReaderPool:
    """Reading processes with a time and a memory limit. Safe to call from several threads."""

    def __init__(self, settings: ReadingSettings) -> None:
        self._settings = settings
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
        return self._call(_read, content, file, self._settings.max_pages, self._settings.ocr_pages)

    def render(self, content: bytes, page: int, dots_per_inch: int) -> bytes:
        """A page as PNG.

        Raises:
            DocumentError: As for `read`.
        """
        return self._call(_render, content, page, dots_per_inch)

    def draw(self, content: bytes, page: int, parts: tuple[Region, ...] = ()) -> DrawnPage:
        """A page for a person's eyes, or enlarged parts of it.

        Raises:
            DocumentError: As for `read`.
        """
        return self._call(_draw, content, page, parts)

    def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Whatever else is asked about an untrusted file; `work` and what it is given must pickle.

        Raises:
            DocumentError: As for `read`.
        """
        return self._call(_guarded, work, args, kwargs)

    def warm(self) -> None:
        """Start the processes and load the libraries, so that the first report does not wait for them."""
        for _ in range(self._settings.workers):
            self._alive().schedule(_ready)

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
            initializer=_limit,
            initargs=[self._settings.memory_mb * _MEGABYTE],
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


def _limit(memory_bytes: int) -> None:
    """What a reading process may use. Each library thread reserves memory, so they get one."""
    # What libraries say about a file may quote it, and standard error is a log.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ[name] = "1"
    # Ctrl-C reaches the whole process group; the service decides when a reader stops.
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import parsers.reading  # noqa: F401 - loaded now, so that the first file does not pay for it


def _ready() -> None:
    """Nothing: a process that answers has been started and has loaded its libraries."""


def _read(content: bytes, file: FileToRead, max_pages: int, ocr_pages: int) -> ReportReading:
    from parsers.instrument_library import load_instruments
    from parsers.readers.limits import ReadingLimits
    from parsers.reading import ReadingRequest, read_report

    request = ReadingRequest(
        kind=file.kind,
        templates=file.templates,
        instruments=load_instruments(),
        site=file.site,
        today=file.today,
        ocr_pages=ocr_pages,
        limits=ReadingLimits(pages=max_pages),
    )
    return _guarded(read_report, (content, request), {})


def _guarded(work: Callable[..., T], args: tuple[object, ...], kwargs: Mapping[str, object]) -> T:
    try:
        return work(*args, **kwargs)
    except (ScorebridgeError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - the one place where an unforeseen fault of a reader becomes a case
        # The message may quote the page; its kind and place are enough to find the fault.
        raise UnreadableDocumentError(
            f"A reader failed on this file ({_place(error)}).",
            code="reader-died",
            next_step="Report this place; the file can be processed again after an update.",
        ) from None


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def _render(content: bytes, page: int, dots_per_inch: int) -> bytes:
    from parsers.readers.pdfium import render_page

    return render_page(content, page=page, dots_per_inch=dots_per_inch)


def _draw(content: bytes, page: int, parts: tuple[Region, ...]) -> DrawnPage:
    from parsers.readers.pdfium_picture import draw

    return draw(content, page=page, parts=parts)
