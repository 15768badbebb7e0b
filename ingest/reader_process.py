"""What happens inside a reading process. It is kept lean: each process loads this anew before it reads."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Final, TypeVar

from parsers.template import Kind, Template
from records.assessment import ReportReading
from records.errors import ScorebridgeError, UnreadableDocumentError
from records.geometry import Region
from records.picture import DrawnPage

READS: Final = "parsers.reading"
DRAWS: Final = "parsers.readers.pdfium_picture"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToRead:
    """What a reading process is given besides the bytes."""

    kind: Kind
    templates: tuple[Template, ...]
    site: str
    today: date


def begin(memory_bytes: int, loads: str) -> None:
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
    import_module(loads)  # now, so that the first file does not pay for it


def ready() -> None:
    """Nothing: a process that answers has been started and has loaded its libraries."""


def read(content: bytes, file: FileToRead, max_pages: int, ocr_pages: int) -> ReportReading:
    """Everything printed in a file."""
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
    return guarded(read_report, (content, request), {})


def guarded(work: Callable[..., T], args: tuple[object, ...], kwargs: Mapping[str, object]) -> T:
    """Whatever is asked about a file; an unforeseen fault tells its kind and place, and nothing of the page.

    Raises:
        UnreadableDocumentError: Something failed that no reader foresaw.
    """
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


def render(content: bytes, page: int, dots_per_inch: int) -> bytes:
    """A page as PNG."""
    from parsers.readers.pdfium import render_page

    return render_page(content, page=page, dots_per_inch=dots_per_inch)


def draw(content: bytes, page: int, parts: tuple[Region, ...]) -> DrawnPage:
    """A page for a person's eyes, or enlarged parts of it."""
    from parsers.readers import pdfium_picture

    return pdfium_picture.draw(content, page=page, parts=parts)
