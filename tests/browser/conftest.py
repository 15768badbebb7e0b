"""One Chromium for all tests, and servers over invented clinics."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.browser.served import serving
from tests.unit.review.review_clinic import Clinic, furnish, open_clinic

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if not CHROMIUM.exists():
        if os.environ.get("SCOREBRIDGE_NO_SKIP") == "1":
            pytest.fail(f"there is no Chromium at {CHROMIUM}")
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--no-first-run", "--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb",
        ],
    )  # fmt: skip
    yield launched
    launched.close()


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    furnish(tmp_path / "home")
    opened = open_clinic(tmp_path / "home")
    yield opened
    opened.database.close()


@pytest.fixture
def address(clinic: Clinic) -> Iterator[str]:
    """Where the pages are served."""
    with serving(clinic.app) as where:
        yield where
