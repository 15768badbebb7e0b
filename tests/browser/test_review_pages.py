"""The review pages in a real browser, served by a real server over a real store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from records.case import CaseState
from store import cases, kept_records
from tests.browser.served import Watch, read, sign_in
from tests.unit.review.review_clinic import Clinic
from tests.unit.review.shadow_clinic import with_typed_values

pytestmark = pytest.mark.browser

_CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


def test_a_reviewer_signs_in_looks_at_a_case_and_approves_it(
    browser: Browser, clinic: Clinic, address: str, tmp_path: Path
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch = Watch(page)
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    page.goto(f"{address}/sign-in")
    page.screenshot(caret="initial", path=pictures / "sign-in.png")
    sign_in(page, address)
    page.screenshot(caret="initial", path=pictures / "dashboard.png", full_page=True)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Review").click()
    page.screenshot(caret="initial", path=pictures / "queue.png", full_page=True)
    page.get_by_role("link", name="KOWALSKY, Thomas").click()
    expect(page.get_by_role("radio", name="Patient 1")).to_be_checked()
    page.wait_for_function("() => document.querySelector('.sheet img').naturalWidth > 800")
    page.screenshot(caret="initial", path=pictures / "case.png")
    page.screenshot(caret="initial", path=pictures / "case-whole.png", full_page=True)
    page.get_by_role("button", name="Approve: KOWALSKI, Tomasz").click()
    expect(page.get_by_role("status")).to_contain_text("Approved.")
    page.screenshot(caret="initial", path=pictures / "case-next.png", full_page=True)
    page.goto(f"{address}/reports/{clinic.report_id}")
    page.screenshot(caret="initial", path=pictures / "report.png", full_page=True)
    page.goto(f"{address}/alerts")
    page.screenshot(caret="initial", path=pictures / "alerts.png", full_page=True)
    with clinic.database.reading() as session:
        assert cases.get(session, clinic.case_ids[0]).state is CaseState.APPROVED
        assert kept_records.of_report(session, clinic.report_id)[0].confirmed_by == "rosa"
    assert watch.complaints == []
    assert watch.hosts == {"127.0.0.1"}
    page.close()


def test_a_case_is_decided_with_the_keyboard_alone(browser: Browser, clinic: Clinic, address: str) -> None:
    page = browser.new_page()
    sign_in(page, address)
    page.goto(f"{address}/cases/{clinic.case_ids[0]}")
    page.get_by_role("radio", name="Patient 1").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Patient 2")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Born differs.")
    read(page)
    page.get_by_role("button", name="Approve anyway").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Another person must choose the same patient")
    page.close()


def test_differences_are_settled_and_the_comparison_is_signed(
    browser: Browser, clinic: Clinic, address: str, tmp_path: Path
) -> None:
    with_typed_values(clinic)
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch = Watch(page)
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    sign_in(page, address, name="ada")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Shadow").click()
    page.screenshot(caret="initial", path=pictures / "shadow.png", full_page=True)
    expect(page.get_by_role("button", name="Sign", exact=True)).to_have_count(0)
    page.get_by_role("row", name="Both sides differ Total").get_by_role("link").click()
    for number in range(6):
        expect(page.get_by_role("button", name="Settle")).to_be_in_viewport()
        page.screenshot(caret="initial", path=pictures / f"shadow-difference-{number}.png", full_page=True)
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Settle").click()
        expect(page.get_by_role("status")).to_contain_text("Settled.")
    page.get_by_label("Your name, as you sign").fill("Ada Synthetic")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Signed.")
    expect(page.get_by_text("SHA-256")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    page.screenshot(caret="initial", path=pictures / "shadow-signed.png", full_page=True)
    assert watch.complaints == []
    page.close()
