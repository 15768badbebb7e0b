"""A pytest plugin that puts httpx2 in the place of httpx: `PYTHONPATH=. pytest -p tests.portals.httpx2_in_place …`."""

from __future__ import annotations

import sys

import httpx2

sys.modules["httpx"] = httpx2


def pytest_sessionfinish() -> None:
    """Nobody may be proud of tests that ran on the old library after all."""
    from portal import http

    assert http.Client is httpx2.Client
