"""Signing in with an authenticator app, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from review.settings import WebSettings
from tests.browser.served import Watch, serving
from tests.unit.review.review_clinic import PASSWORD, Clinic, furnish, open_clinic

pytestmark = pytest.mark.browser


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[tuple[Clinic, str]]:
    """A clinic in which everybody has a second factor, and where it is served."""
    furnish(tmp_path / "home")
    clinic = open_clinic(tmp_path / "home", settings=WebSettings(second_factor="required"))
    with serving(clinic.app) as address:
        yield clinic, address
    clinic.database.close()


def _sign_out(page: Page) -> None:
    """Sign out and wait for the page that says so: leaving it while it loads would be a failed request."""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_visible()
    page.wait_for_load_state("networkidle")


def _name_and_password(page: Page, address: str) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("User name").fill("rosa")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_an_app_is_set_up_once_and_its_code_or_a_recovery_code_lets_in(
    browser: Browser, strict: tuple[Clinic, str], tmp_path: Path
) -> None:
    clinic, address = strict
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch = Watch(page)
    _name_and_password(page, address)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    app = pyotp.TOTP("".join((page.locator("code").first.text_content() or "").split()))
    page.get_by_text("Type a key instead").click()
    page.screenshot(path=pictures / "sign-in-app.png", full_page=True)
    page.locator("input[name=code]").fill(app.at(clinic.clock()))
    page.keyboard.press("Enter")
    expect(page.locator("li code")).to_have_count(10)
    recovery = page.locator("li code").first.inner_text()
    page.screenshot(path=pictures / "sign-in-recovery-codes.png", full_page=True)
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
    _sign_out(page)

    clinic.clock.advance(timedelta(minutes=2))
    _name_and_password(page, address)
    field = page.locator("input[name=code]")
    expect(field).to_be_focused()
    assert (field.get_attribute("autocomplete"), field.get_attribute("inputmode")) == ("one-time-code", "numeric")
    right = app.at(clinic.clock())
    watch.complaints.clear()
    field.fill("000000" if right != "000000" else "000001")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Enter the newest code from your app")
    page.screenshot(path=pictures / "sign-in-code.png", full_page=True)
    page.locator("input[name=code]").fill(right)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
    _sign_out(page)

    _name_and_password(page, address)
    page.get_by_role("link", name="recovery code").click()
    page.locator("input[name=code]").fill(recovery)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
    # Chromium itself notes the refusal of the wrong code; nothing else is on its console.
    assert [one for one in watch.complaints if "status of 4" not in one and "Clear-Site-Data" not in one] == []
    assert watch.hosts == {"127.0.0.1"}
    page.close()
