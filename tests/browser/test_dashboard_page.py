"""The day's page in a real browser: it renews itself, says when it cannot, and tells of a new urgent answer once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from store import alerts
from tests.browser.served import Watch, serving, sign_in
from tests.unit.review.day_clinic import busy, empty, over_store
from tests.unit.review.review_clinic import SITE, Clinic

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("dashboard")]

_WIDTHS = ((1440, 900), (1280, 720), (720, 900))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    clinic = busy(tmp_path_factory.mktemp("busy") / "home")
    yield clinic
    clinic.database.close()


@pytest.fixture(scope="module")
def where(day: Clinic) -> Iterator[str]:
    with serving(day.app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, where: str) -> Iterator[Page]:
    """The day's page of an administrator; its clock stands still until a test lets it run."""
    shown = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    shown.clock.install()
    sign_in(shown, where, name="ada")
    shown.goto(where)
    expect(shown.locator("#day")).to_be_visible()
    yield shown
    shown.close()


def raise_another(clinic: Clinic, key: str) -> None:
    with clinic.database.session() as session:
        alerts.raise_alert(
            session, alert_key=key, site=SITE, report_id=clinic.report_id, position=0, instrument="phq-9",
            link_id="9", points=1, unverified=False, now=clinic.clock(),
        )  # fmt: skip


def renew(page: Page, *, seconds: int = 61) -> None:
    with page.expect_response("**/day/part?*"):
        page.clock.run_for(seconds * 1000)


def test_a_busy_day_is_shown_at_every_width_without_complaint_or_sideways_scrolling(
    browser: Browser, where: str, tmp_path: Path
) -> None:
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    for width, height in _WIDTHS:
        shown = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
        watch = Watch(shown)
        sign_in(shown, where, name="ada")
        shown.goto(where)
        shown.screenshot(path=pictures / f"day-{width}.png", full_page=True)
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for button in shown.get_by_role("button", name="Acknowledge").all():
            box = button.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= width
        assert watch.complaints == []
        assert watch.hosts == {"127.0.0.1"}
        shown.close()


def test_a_new_urgent_answer_is_announced_once_and_counted_in_the_title(day: Clinic, page: Page) -> None:
    count = int(page.locator("#day").get_attribute("data-flags") or "")
    expect(page).to_have_title(f"({count}) Dashboard – Scorebridge")
    announced = page.locator("#announced")
    renew(page)
    expect(announced).to_have_text("")
    raise_another(day, "announced")
    renew(page)
    expect(page).to_have_title(f"({count + 1}) Dashboard – Scorebridge")
    expect(announced).to_have_text("A new urgent answer is waiting.")
    assert announced.get_attribute("role") == "alert"
    page.evaluate("document.getElementById('announced').textContent = ''")
    renew(page)
    expect(announced).to_have_text("")


def test_the_page_renews_every_minute_and_keeps_what_is_open_and_where_the_focus_is(day: Clinic, page: Page) -> None:
    page.locator("#day details[id] > summary").first.click()
    take = page.locator("#day button[id^=take-]").first
    take.focus()
    focused = take.get_attribute("id")
    before = page.locator("#day").get_attribute("data-updated")
    day.clock.moment += timedelta(minutes=1)
    renew(page)
    expect(page.locator("#day")).not_to_have_attribute("data-updated", before or "")
    expect(page.locator("#updated")).to_have_text(
        f"Updated {page.locator('#day').get_attribute('data-updated')} · refreshes every minute"
    )
    expect(page.locator("#day details[id]").first).to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.id") == focused


def test_a_hidden_page_asks_for_nothing_and_renews_when_it_is_seen_again(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/day/part" in request.url else None)
    page.evaluate("""() => { Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
        document.dispatchEvent(new Event("visibilitychange")); }""")
    page.clock.run_for(150_000)
    assert asked == []
    with page.expect_response("**/day/part?*"):
        page.evaluate("""() => { delete document.hidden; document.dispatchEvent(new Event("visibilitychange")); }""")
    assert len(asked) == 1


def test_a_page_that_cannot_be_renewed_says_since_when(page: Page) -> None:
    updated = page.locator("#updated")
    moment = page.locator("#day").get_attribute("data-updated")
    page.route("**/day/part?*", lambda route: route.abort())
    page.clock.run_for(150_000)
    expect(updated).to_contain_text(f"Updated {moment}")
    page.clock.run_for(60_000)
    expect(updated).to_have_text(f"Not updated since {moment}")
    expect(updated).to_have_class("muted late")
    page.unroute_all(behavior="wait")
    renew(page, seconds=125)  # two turns: one may come while the last refusal is still on its way
    expect(updated).to_contain_text("refreshes every minute")
    expect(updated).not_to_have_class("muted late")


def test_a_session_that_has_ended_covers_the_day_and_leads_to_the_sign_in_page(page: Page) -> None:
    page.context.clear_cookies()
    page.clock.run_for(61_000)
    expect(page.get_by_role("alertdialog", name="You are signed out")).to_be_visible()
    expect(page.locator("#day")).to_be_hidden()
    expect(page.get_by_role("link", name="Sign in in a new tab")).to_have_attribute("href", "/sign-in")


def test_a_day_without_reports_says_when_the_first_usually_comes(browser: Browser, tmp_path: Path) -> None:
    clinic = empty(tmp_path / "home")
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    with serving(clinic.app) as address:
        shown = browser.new_page(viewport={"width": 1440, "height": 900})
        sign_in(shown, address, name="ada")
        shown.goto(address)
        expect(shown.get_by_text("No reports yet today")).to_be_visible()
        expect(shown.get_by_text("The first usually arrives about 07:")).to_be_visible()
        expect(shown.locator(".empty").get_by_role("link", name="Upload reports")).to_have_attribute("href", "/sources")
        shown.screenshot(path=pictures / "day-empty.png", full_page=True)
        shown.close()
    clinic.database.close()


def test_a_reader_that_has_stopped_is_said_at_the_top(browser: Browser, day: Clinic, tmp_path: Path) -> None:
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    stopped = over_store(day.database, now=day.clock, health={"stopped_threads": ["pipeline-1"]})
    with serving(stopped) as address:
        shown = browser.new_page(viewport={"width": 1280, "height": 720})
        sign_in(shown, address, name="vera")
        shown.goto(address)
        expect(shown.get_by_text("Reading stopped.")).to_be_visible()
        expect(shown.get_by_role("link", name="See status")).to_have_attribute("href", "/health")
        shown.screenshot(path=pictures / "day-stopped.png")
        shown.close()
