"""The end of a session in a real browser: a warning, a covered page, and nothing of what was entered lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from records.case import CaseState
from store import cases, kept_entries, users, web_sessions
from tests.browser.served import Watch, sign_in
from tests.unit.review.review_clinic import PASSWORD, Clinic

pytestmark = pytest.mark.browser

_NOTE = "Printed twice by the front desk"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Rosa's browser; it never complains."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    watch = Watch(page)
    sign_in(page, address)
    yield page
    context.close()
    # Chromium itself writes down every answer 401, which is how a form that comes too late is told from others.
    late = "Failed to load resource: the server responded with a status of 401 (Unauthorized)"
    assert [said for said in watch.complaints if said != late and not said.startswith("failed: ")] == []
    assert watch.hosts == {"127.0.0.1"}


def _look(page: Page) -> None:
    """Have the module ask now, as it does when its tab is looked at again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def _picture(page: Page, name: str, tmp_path: Path) -> None:
    page.screenshot(
        path=Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path))) / f"{name}.png", caret="initial"
    )


def _start_rejecting(page: Page, clinic: Clinic, address: str) -> None:
    page.goto(f"{address}/cases/{clinic.case_ids[2]}")
    page.keyboard.press("r")
    page.get_by_label("Other: say why").fill(_NOTE)
    # The key has renewed the lock of the case, which is activity too: it must not come after the clock was put on.
    page.wait_for_load_state("networkidle")


def test_a_minute_before_the_end_one_is_asked_and_stays(
    page: Page, clinic: Clinic, address: str, tmp_path: Path
) -> None:
    _start_rejecting(page, clinic, address)
    clinic.clock.advance(timedelta(minutes=13))
    _look(page)
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    clinic.clock.advance(timedelta(minutes=1, seconds=5))
    _look(page)
    warning = page.get_by_role("alertdialog")
    expect(warning).to_contain_text("You’ll be signed out in 5")
    expect(page.get_by_role("button", name="Stay signed in")).to_be_focused()
    _picture(page, "session-warning", tmp_path)
    page.keyboard.press("Escape")
    expect(warning).to_be_visible()
    page.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_have_count(0)
    clinic.clock.advance(timedelta(minutes=10))
    _look(page)
    expect(page.get_by_label("Other: say why")).to_have_value(_NOTE)
    page.goto(f"{address}/queue")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url == f"{address}/queue"


def test_the_end_covers_the_page_and_signing_in_elsewhere_uncovers_it(
    page: Page, clinic: Clinic, address: str, tmp_path: Path
) -> None:
    _start_rejecting(page, clinic, address)
    clinic.clock.advance(timedelta(minutes=16))
    _look(page)
    over = page.get_by_role("alertdialog")
    expect(over).to_contain_text("You are signed out")
    expect(page.locator("main")).to_be_hidden()
    page.mouse.move(300, 300)  # which renews the lock of a case, while there is a session
    page.mouse.move(500, 500)
    page.wait_for_timeout(300)
    expect(over).to_be_visible()
    _picture(page, "session-over", tmp_path)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in a new tab").click()
    other = opened.value
    other.get_by_label("User name").fill("rosa")
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("link", name="Dashboard")).to_be_visible()
    expect(over).to_have_count(0)
    expect(page.locator("main")).to_be_visible()
    expect(page.get_by_label("Other: say why")).to_have_value(_NOTE)
    page.keyboard.press("r")  # the warning closes what hovers over the page; what is in it stays
    page.get_by_label("Other: say why").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Rejected")
    with clinic.database.reading() as session:
        assert cases.get(session, clinic.case_ids[2]).state is CaseState.REJECTED


def test_a_page_that_wakes_late_keeps_what_was_entered(page: Page, clinic: Clinic, address: str) -> None:
    """The first thing that it does is renew the lock of its case, before the module has asked for the time."""
    _start_rejecting(page, clinic, address)
    clinic.clock.advance(timedelta(minutes=16))
    page.evaluate("htmx.trigger(document.querySelector('form[action$=\"/renew\"]'), 'pointermove')")
    page.mouse.move(500, 500)
    page.evaluate("htmx.ajax('POST', document.querySelector('form[action$=\"/renew\"]').action, '#bar-alert')")
    expect(page.get_by_role("alertdialog")).to_contain_text("You are signed out")
    assert page.get_by_label("Other: say why").input_value() == _NOTE
    with clinic.database.reading() as session:
        rosa = users.named(session, "rosa")
        assert rosa is not None
        assert not kept_entries.has_entries(session, rosa, now=clinic.clock())


def test_somebody_else_who_signs_in_gets_none_of_it(page: Page, clinic: Clinic, address: str) -> None:
    _start_rejecting(page, clinic, address)
    clinic.clock.advance(timedelta(minutes=16))
    _look(page)
    other = page.context.new_page()
    sign_in(other, address, name="sam")
    expect(page.get_by_text(_NOTE)).to_have_count(0)
    expect(page).to_have_url(f"{address}/")
    expect(page.locator("header form.who")).to_contain_text("sam")


@pytest.mark.parametrize("choice", ["Send it now", "Discard"])
def test_a_form_sent_after_the_end_is_kept_and_offered(
    page: Page, clinic: Clinic, address: str, tmp_path: Path, choice: str
) -> None:
    _start_rejecting(page, clinic, address)
    clinic.clock.advance(timedelta(minutes=16))
    page.get_by_label("Other: say why").press("Enter")
    page.wait_for_url(f"{address}/sign-in?said=kept")
    _picture(page, "sign-in-kept", tmp_path)
    page.get_by_label("User name").fill("rosa")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your entry was kept")
    _picture(page, "kept", tmp_path)
    page.get_by_role("button", name=choice).click()
    sent = choice == "Send it now"
    expect(page.get_by_role("status").first).to_contain_text("Rejected" if sent else "Discarded.")
    with clinic.database.reading() as session:
        state = cases.get(session, clinic.case_ids[2]).state
    assert state is (CaseState.REJECTED if sent else CaseState.OPEN)


def test_signing_out_in_one_tab_empties_the_others(page: Page, clinic: Clinic, address: str) -> None:
    page.goto(f"{address}/cases/{clinic.case_ids[2]}")
    other = page.context.new_page()
    other.goto(f"{address}/queue")
    other.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{address}/sign-in?said=signed-out")


def test_a_session_that_the_server_ended_covers_the_page(page: Page, clinic: Clinic, address: str) -> None:
    page.goto(f"{address}/queue")
    (token,) = [one["value"] for one in page.context.cookies() if one["name"] == "scorebridge"]
    with clinic.database.session() as session:
        web_sessions.close_session(session, token)
    _look(page)
    expect(page.get_by_role("alertdialog")).to_contain_text("You are signed out")
