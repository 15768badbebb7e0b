"""Single keys outside the review pages: G and a letter, and the list of keys, in Debian's Chromium."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from records.case import CaseState
from store import cases
from tests.browser.served import sign_in
from tests.unit.review.review_clinic import Clinic

pytestmark = pytest.mark.browser

_SIGNED_IN = ("/", "/queue", "/alerts", "/blind-audit", "/templates", "/audit", "/settings", "/users", "/account")


def _open(browser: Browser, address: str, *, name: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    sign_in(page, address, name=name)
    return page


@pytest.mark.parametrize("start", _SIGNED_IN)
def test_g_and_a_letter_go_to_a_place_from_every_page(browser: Browser, address: str, start: str) -> None:
    page = _open(browser, address, name="ada")
    places = (("a", "/audit"), ("t", "/templates"), ("r", "/queue"), ("d", "/"))
    for letter, place in (one for one in places if one[1] != start):
        page.goto(f"{address}{start}")
        page.locator("h1").first.click()
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url(f"{address}{place}")
    page.close()


def test_on_a_case_g_and_a_go_to_the_audit_log_and_approve_nobody(
    browser: Browser, clinic: Clinic, address: str
) -> None:
    page = _open(browser, address, name="ada")
    page.goto(f"{address}/cases/{clinic.case_ids[0]}")
    expect(page.get_by_role("radio", name="Patient 1")).to_be_checked()
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url(f"{address}/audit")
    with clinic.database.reading() as session:
        assert cases.get(session, clinic.case_ids[0]).state is CaseState.OPEN
    page.close()


def test_in_a_field_letters_are_letters(browser: Browser, address: str) -> None:
    page = _open(browser, address, name="ada")
    page.goto(f"{address}/users")
    field = page.locator("input[name=name]")
    field.press_sequentially("gr?d")
    expect(field).to_have_value("gr?d")
    page.wait_for_timeout(300)
    assert page.url == f"{address}/users"
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.close()


def test_a_place_that_one_may_not_go_to_is_not_gone_to(browser: Browser, address: str) -> None:
    page = _open(browser, address, name="rosa")
    page.goto(f"{address}/queue")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert page.url == f"{address}/queue"
    page.close()


def test_the_list_of_keys_is_on_every_page_and_turns_them_off(browser: Browser, address: str, tmp_path: Path) -> None:
    page = _open(browser, address, name="odo")
    page.goto(f"{address}/audit")
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    page.screenshot(path=pictures / "keys-header.png", caret="initial")
    page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(listed).to_contain_text("Dashboard, review, templates, audit log")
    page.screenshot(path=pictures / "keys-list.png", caret="initial")
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    page.get_by_role("button", name="Shortcuts").click()
    listed.get_by_label("Single-key shortcuts on").uncheck()
    listed.get_by_role("button", name="Save").click()
    page.wait_for_url(f"{address}/audit?said=keys-set")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_timeout(300)
    assert page.url == f"{address}/audit?said=keys-set"
    page.close()
