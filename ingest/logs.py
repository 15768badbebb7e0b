"""Logs without patient data: only event names, ids and counts get through."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import MutableMapping
from typing import TextIO

import structlog

# Whatever is not on this list is dropped, so that a careless line cannot leak a name.
_ALLOWED = frozenset({
    "event", "level", "timestamp", "site", "source", "report_id", "record_id", "case_id", "submission_id", "alert_id",
    "destination", "reason", "code", "state", "records", "submissions", "cases", "duplicates", "files", "pending",
    "count", "attempt", "attempts", "seconds", "status", "kind", "error", "place", "pages", "template", "version",
    "step", "worker", "address", "patients", "added", "changed", "removed", "mode", "channel", "due_in",
    "http_status", "owner", "notice_id", "threads",
})  # fmt: skip


def _allow_listed(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["error"], event["place"] = type(error).__name__, fault_place(error)
    return {name: value for name, value in event.items() if name in _ALLOWED}


def fault_place(error: BaseException) -> str:
    """File and line where an error arose; never its message, which may quote what was being read."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    name = trace.tb_frame.f_code.co_filename.rsplit("/", 1)[-1]
    return f"{name}:{trace.tb_lineno}"


def _told_of_thread(fault: threading.ExceptHookArgs) -> None:
    """A thread that dies is told of without its message, which Python would print to standard error."""
    error = fault.exc_value
    if error is not None and not isinstance(error, SystemExit):
        structlog.get_logger().error("thread.died", error=type(error).__name__, place=fault_place(error))


class _Lines:
    """Writes a line each. A log that cannot be written (its reader went away, its disk is full) stops nobody."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class _Silent(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Libraries log what they read; nothing of it is kept."""


def configure_logs(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """JSON lines to a stream (standard error unless given); what libraries log is dropped."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allow_listed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    threading.excepthook = _told_of_thread
    root = logging.getLogger()
    root.handlers[:] = [_Silent()]
    for name in (
        "uvicorn",
        "uvicorn.access",
        "uvicorn.error",
        "httpx",
        "httpx2",
        "httpcore",
        "httpcore2",
        "pdfminer",
        "camelot",
    ):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
