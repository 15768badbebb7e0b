"""Logs hold event names, ids and counts; a log that cannot be written stops nobody."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator

import pytest
import structlog

from ingest.logs import configure_logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    made = io.StringIO()
    configure_logs(made)
    yield made
    structlog.reset_defaults()
    threading.excepthook = threading.__excepthook__


def test_a_field_that_is_not_allowed_is_left_out(stream: io.StringIO) -> None:
    structlog.get_logger().info("report.confirmed", report_id=7, patient="Celia Brandtner", file="Brandtner.pdf")
    written = json.loads(stream.getvalue())
    assert (written["event"], written["report_id"]) == ("report.confirmed", 7)
    assert "Brandtner" not in stream.getvalue()


def test_a_fault_is_told_by_its_kind_and_place_and_never_by_its_message(stream: io.StringIO) -> None:
    try:
        int("Celia Brandtner")
    except ValueError as error:
        structlog.get_logger().error("reader.failed", exc_info=error)
    written = json.loads(stream.getvalue())
    assert written["error"] == "ValueError"
    assert written["place"].startswith("test_logs.py:")
    assert "Brandtner" not in stream.getvalue()


def test_a_thread_that_dies_is_told_without_its_message(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    def die() -> None:
        raise ValueError("Celia Brandtner")

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    assert json.loads(stream.getvalue())["event"] == "thread.died"
    assert "Brandtner" not in stream.getvalue() + "".join(capsys.readouterr())


def test_what_libraries_log_is_dropped(stream: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    for name in ("pdfminer.psparser", "camelot", "httpx", "some.other"):
        logging.getLogger(name).error("Celia Brandtner")
    assert stream.getvalue() + "".join(capsys.readouterr()) == ""


def test_a_log_whose_reader_went_away_stops_nobody(stream: io.StringIO) -> None:
    stream.close()
    structlog.get_logger().error("pipeline.failed")
