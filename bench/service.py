"""The service measured as a clinic would see it: from the closed file to the portal's receipt.

    python -m bench.service [--json]

Real processes: the service, its readers, a sandbox portal. Prints seconds beyond the quiet time for one-page reports
(median, worst of 20), CPU milliseconds per record of a 50-page report from arrival to receipt beside the CPU that
pdfplumber alone takes to find the words of the same pages, and the peak memory of the service with its readers.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path

import pdfplumber
import psutil

from portal.sandbox import RunningSandbox, SandboxOptions, running_sandbox
from tests.acceptance.clinic import Clinic, Score, people, report_pdf, scores, wait_for

_QUIET_SECONDS = 0.5
_ONE_PAGERS = 20
_PAGES, _ROWS = 50, 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    roster = people(240, seed=5)
    printed = scores(roster, (_ONE_PAGERS + 1) * 10 + _PAGES * _ROWS, seed=6)
    with tempfile.TemporaryDirectory() as folder:
        token = Path(folder, "token")
        token.write_text("t")
        token.chmod(0o600)
        with running_sandbox(SandboxOptions(token="t")) as portal:
            clinic = Clinic(folder=Path(folder), portal_url=portal.url, token_file=token)
            clinic.set_up(roster, quiet_seconds=_QUIET_SECONDS)
            clinic.start()
            try:
                figures = _measure(clinic, portal, printed)
            finally:
                clinic.stop()
    for name, value in figures.items():
        print(f"{name:52}{value:12}")
    if given.json:
        print(json.dumps({"bench": "service", "figures": figures, "goals": {}}))


def _measure(clinic: Clinic, portal: RunningSandbox, printed: list[Score]) -> dict[str, float]:
    assert clinic.process is not None
    service = psutil.Process(clinic.process.pid)
    memory = _Peak(service)
    memory.start()
    _latency(clinic, portal, printed[:10], 0)  # not counted: it waits for the readers to start, once a day
    printed = printed[10:]
    latencies = [_latency(clinic, portal, printed[10 * n : 10 * n + 10], n + 1) for n in range(_ONE_PAGERS)]
    rest = printed[_ONE_PAGERS * 10 :]
    content = report_pdf(rest, number=999, rows_per_page=_ROWS)
    before, started = _cpu(service), time.monotonic()
    arrived = len(portal.values.all()) + len(rest)
    clinic.drop("large.pdf", content)
    if not wait_for(lambda: len(portal.values.all()) >= arrived, seconds=600, step=0.1):
        raise SystemExit("the large report did not arrive")
    seconds, spent = time.monotonic() - started, _cpu(service) - before
    alone = time.process_time()
    with pdfplumber.open(io.BytesIO(content)) as pdf:
        for page in pdf.pages:
            page.extract_words()
    alone = time.process_time() - alone
    memory.over.set()
    memory.join()
    return {
        "one page: median seconds beyond the quiet time": round(statistics.median(latencies), 2),
        "one page: worst seconds beyond the quiet time": round(max(latencies), 2),
        "50 pages: records": len(rest),
        "50 pages: seconds from close to the last receipt": round(seconds, 1),
        "50 pages: CPU ms per record": round(1000 * spent / len(rest), 1),
        "50 pages: pdfplumber words alone, CPU ms per record": round(1000 * alone / len(rest), 1),
        "50 pages: ratio to pdfplumber alone": round(spent / alone, 2),
        "peak memory of service and readers, MB": round(memory.peak / 1024**2),
        "peak memory of the service process alone, MB": round(memory.own / 1024**2),
    }


def _latency(clinic: Clinic, portal: RunningSandbox, rows: list[Score], number: int) -> float:
    """Seconds from the close of a one-page report until its last record is in the portal, less the quiet time."""
    wanted = len(portal.values.all()) + len(rows)
    clinic.drop(f"small_{number}.pdf", report_pdf(rows, number=number))
    closed = time.monotonic()
    if not wait_for(lambda: len(portal.values.all()) >= wanted, seconds=60, step=0.01):
        raise SystemExit(f"report {number} did not arrive")
    return time.monotonic() - closed - _QUIET_SECONDS


def _cpu(service: psutil.Process) -> float:
    """CPU seconds of the service and its readers, those that have ended included."""
    own = service.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in service.children(recursive=True):
        spent = child.cpu_times()
        total += spent.user + spent.system
    return total


class _Peak(threading.Thread):
    """Watches resident memory, twenty times a second."""

    def __init__(self, service: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.peak = self.own = 0
        self._service = service

    def run(self) -> None:
        while not self.over.wait(0.05):
            try:
                own = self._service.memory_info().rss
                readers = sum(child.memory_info().rss for child in self._service.children(recursive=True))
            except psutil.NoSuchProcess:
                continue
            self.own, self.peak = max(self.own, own), max(self.peak, own + readers)


if __name__ == "__main__":
    main()
