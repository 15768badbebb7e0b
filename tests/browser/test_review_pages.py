"""The review pages in a real browser, served by a real server over a real store."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from records.case import CaseState
from review.server import server_config
from review.settings import WebSettings
from store import cases, kept_records
from tests.unit.review.review_clinic import PASSWORD, Clinic, furnish, open_clinic
from tests.unit.review.shadow_clinic import open_difference, signed_day, with_typed_values

pytestmark = pytest.mark.browser

_CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    if not _CHROMIUM.exists():
        if os.environ.get("SCOREBRIDGE_NO_SKIP") == "1":
            pytest.fail(f"there is no Chromium at {_CHROMIUM}")
        pytest.skip(f"there is no Chromium at {_CHROMIUM}")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    launched = playwright.chromium.launch(
        executable_path=_CHROMIUM,
        args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    )
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
    server = uvicorn.Server(server_config(clinic.app, WebSettings(port=0)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


class _Watch:
    """What the browser complained about, and whom it asked."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str | None] = set()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).hostname))


def _sign_in(page: Page, address: str, *, name: str = "rosa") -> None:
    page.goto(address)
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Today", exact=True)).to_be_visible()


def test_a_reviewer_signs_in_looks_at_a_case_and_approves_it(
    browser: Browser, clinic: Clinic, address: str, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch = _Watch(page)
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    page.goto(f"{address}/sign-in")
    page.screenshot(path=pictures / "sign-in.png")
    _sign_in(page, address)
    page.screenshot(path=pictures / "dashboard.png", full_page=True)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Review").click()
    page.screenshot(path=pictures / "queue.png", full_page=True)
    page.get_by_role("link", name="KOWALSKY, Thomas").click()
    expect(page.get_by_role("radio", name="Patient 1")).to_be_checked()
    assert page.evaluate("document.querySelector('svg.sheet image').getBBox().width") == 612
    page.screenshot(path=pictures / "case.png")
    page.screenshot(path=pictures / "case-whole.png", full_page=True)
    page.get_by_role("button", name="Approve: KOWALSKI, Tomasz").click()
    expect(page.get_by_role("status")).to_contain_text("Approved.")
    page.screenshot(path=pictures / "case-next.png", full_page=True)
    page.goto(f"{address}/reports/{clinic.report_id}")
    page.screenshot(path=pictures / "report.png", full_page=True)
    page.goto(f"{address}/alerts")
    page.screenshot(path=pictures / "alerts.png", full_page=True)
    with clinic.database.reading() as session:
        assert cases.get(session, clinic.case_ids[0]).state is CaseState.APPROVED
        assert kept_records.of_report(session, clinic.report_id)[0].confirmed_by == "rosa"
    assert watch.complaints == []
    assert watch.hosts == {"127.0.0.1"}
    page.close()


def test_a_case_is_decided_with_the_keyboard_alone(browser: Browser, clinic: Clinic, address: str) -> None:
    page = browser.new_page()
    _sign_in(page, address)
    page.goto(f"{address}/cases/{clinic.case_ids[0]}")
    page.get_by_role("radio", name="Patient 1").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Patient 2")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Born differs.")
    page.get_by_role("button", name="Approve anyway").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Approved.")
    page.close()


def test_differences_are_settled_and_the_comparison_is_signed(
    browser: Browser, clinic: Clinic, address: str, tmp_path: Path
) -> None:
    with_typed_values(clinic)
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch = _Watch(page)
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    _sign_in(page, address, name="ada")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Shadow").click()
    page.screenshot(path=pictures / "shadow.png", full_page=True)
    expect(page.get_by_role("button", name="Sign", exact=True)).to_have_count(0)
    page.get_by_role("row", name="Both sides differ Total").get_by_role("link").click()
    for number in range(6):
        expect(page.get_by_role("button", name="Settle")).to_be_in_viewport()
        page.screenshot(path=pictures / f"shadow-difference-{number}.png", full_page=True)
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Settle").click()
        expect(page.get_by_role("status")).to_contain_text("Settled.")
    page.get_by_label("Your name, as you sign").fill("Ada Synthetic")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Signed.")
    expect(page.get_by_text("SHA-256")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    page.screenshot(path=pictures / "shadow-signed.png", full_page=True)
    assert watch.complaints == []
    page.close()


@pytest.mark.parametrize("width", [1440, 720])
def test_no_page_scrolls_sideways(browser: Browser, clinic: Clinic, address: str, width: int) -> None:
    with_typed_values(clinic)
    difference = "/shadow/{}/{}".format(*open_difference(clinic))
    signed = f"/shadow/signed/{signed_day(clinic)}"
    page = browser.new_page(viewport={"width": width, "height": 900})
    _sign_in(page, address)
    paths = ["/", "/queue", f"/cases/{clinic.case_ids[0]}", f"/reports/{clinic.report_id}", "/alerts"]
    for path in [*paths, "/shadow", difference, signed]:
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.close()
