"""A portal that is down stops nobody at the review queue, and everybody is told what has not arrived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from store import outbox
from tests.browser.served import Watch, read, serving, sign_in
from tests.unit.review.review_clinic import Clinic

pytestmark = pytest.mark.browser


@pytest.fixture
def down(clinic: Clinic) -> Iterator[str]:
    """The clinic's pages after the portal has refused the credential."""
    with clinic.database.session() as session:
        outbox.pause(session, "portal", reason="token-refused", now=clinic.clock())
    with serving(clinic.app) as address:
        yield address


def test_records_are_approved_and_wait_for_the_portal_in_plain_sight(
    browser: Browser, clinic: Clinic, down: str
) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch = Watch(page)
    sign_in(page, down, name="ada")
    expect(page.get_by_text("Nothing is sent to portal")).to_be_visible()
    page.goto(f"{down}/cases/{clinic.case_ids[0]}")
    read(page)
    page.keyboard.press("a")
    expect(page.get_by_role("main")).to_contain_text("Approved. The record is on its way.")
    clinic.clock.advance(timedelta(minutes=5))
    page.goto(down)
    expect(page.get_by_role("main")).to_contain_text("3 records = 0 automatic + 1 decided by a person + 2 waiting")
    page.goto(f"{down}/submissions")
    expect(page.get_by_role("main")).to_contain_text("portal")
    with clinic.database.reading() as session:
        counts = outbox.counts(session)
    assert {state: number for state, number in counts.items() if number} == {"pending": 1}
    page.goto(f"{down}/destinations/portal")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("main")).to_contain_text("It is sent to again.")
    assert watch.complaints == []
    assert watch.hosts == {"127.0.0.1"}
    page.close()
