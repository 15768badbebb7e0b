"""Servers of other people's making as processes: what they need, where they listen, how they end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

PORTALS = Path(__file__).parent
_SECONDS_TO_START = 90


def need(*commands: str, folder: str) -> None:
    """Skip where a command or the packages of a folder are missing; where nothing may be skipped, fail."""
    absent = [command for command in commands if shutil.which(command) is None]
    missing = f"{', '.join(absent)} not installed" if absent else None
    if missing is None and not (PORTALS / folder / "node_modules").is_dir():
        missing = "run: make portals"
    if missing and os.environ.get("SCOREBRIDGE_NO_SKIP"):
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], *, log: Path, ready: Callable[[], httpx.Response]) -> Iterator[None]:
    """A server that answers `ready` with anything; what it prints goes to `log`."""
    with log.open("wb") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
        try:
            _wait(process, ready, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], httpx.Response], log: Path) -> None:
    ends = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            ready()
            return
        except httpx.TransportError:
            assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
            assert time.monotonic() < ends, f"it did not start: {log.read_text('utf-8', 'replace')[-2000:]}"
            time.sleep(0.1)
