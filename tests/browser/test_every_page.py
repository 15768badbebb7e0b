"""Every page can be used by everybody: WCAG 2.2 AA, the keyboard alone, small windows, high contrast."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from records.decision import Decision
from review.web import ROUTES
from store import kept_records
from tests.browser.served import Watch, serving, sign_in
from tests.unit.review.review_clinic import (
    AUDITED,
    SITE,
    SURE,
    Row,
    answers,
    blind_check,
    furnish,
    hand_in,
    open_clinic,
)
from tests.unit.review.shadow_clinic import open_difference, signed_day, with_typed_values

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("every-page")]

_CHECKED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Parts of a page, pictures and files are looked at within the pages that hold them.
_NO_PAGES = re.compile(r"\.png$|^/static/|^/health$|^/metrics$|/part$|/words$|/state$|^/session|^/sign-in/provider")
PATHS = tuple(sorted({r.path for r in ROUTES if r.method == "GET" and not _NO_PAGES.search(r.path)}))


@dataclass(frozen=True)
class Place:
    """A furnished clinic as it is served, the values of its addresses, and a signed-in administrator's page."""

    address: str
    values: dict[str, object]
    page: Page
    watch: Watch

    def open(self, path: str) -> Page:
        self.page.wait_for_load_state("networkidle")
        self.watch.complaints.clear()
        self.page.goto(self.address + path.format(**self.values))
        return self.page


@pytest.fixture(scope="module")
def place(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("pages") / "home"
    furnish(home)
    clinic = open_clinic(home)
    task_id = blind_check(clinic)
    with_typed_values(clinic)
    compared, typed_id = open_difference(clinic)
    row = Row(who=AUDITED, match=SURE, reasons=(), total=8, items=answers(1, 1, 1, 1, 1, 1, 1, 1, 0), critical=False)
    sent = hand_in(clinic.database, (row,), now=clinic.clock(), decision=Decision.CONFIRMED, file_name="sent.pdf")
    with clinic.database.reading() as session:
        confirmed = kept_records.of_report(session, sent)[0].record_id
    values: dict[str, object] = {
        "case_id": clinic.case_ids[0], "report_id": clinic.report_id, "alert_id": clinic.alert_id, "number": 1,
        "task_id": task_id, "typed_id": typed_id, "sign_off_id": signed_day(clinic), "seq": 5, "week": "2026-11-16",
        "kind": "waiting", "record_id": confirmed, "compared": compared, "day_sign_off_id": 1,
        "key": clinic.app.state.office.setup.sources[0].key, "destination_id": "portal", "site": SITE, "user_id": 1,
        "request_id": clinic.preview_id, "work_id": clinic.scan_id, "draft_id": clinic.draft_id,
        "template_id": "riverside", "revision": 3,
    }  # fmt: skip
    with serving(clinic.app) as address:
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        watch = Watch(page)
        sign_in(page, address, name="ada")
        _sign_the_day(page, address)
        yield Place(address, values, page, watch)
        page.close()
    clinic.database.close()


def _sign_the_day(page: Page, address: str) -> None:
    page.goto(f"{address}/day/sign?site={SITE}")
    page.get_by_label("Your name").fill("Ada Synthetic")
    page.get_by_label("Why you sign").fill("Three cases are left for tomorrow.")
    page.get_by_role("button", name="Sign", exact=False).first.click()


def _address(path: str) -> str:
    return path.replace("/shadow/{record_id}", "/shadow/{compared}")


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_fault_that_axe_finds_asks_nobody_else_and_fits_a_small_window(place: Place, path: str) -> None:
    page = place.open(_address(path))
    assert page.locator("h1").count() == 1
    found = Axe().run(page, options=_CHECKED).response["violations"]
    faults = [f"{one['id']}: {node['html'][:160]} {node['failureSummary']}" for one in found for node in one["nodes"]]
    assert faults == []
    assert place.watch.hosts == {"127.0.0.1"}
    for width in (1280, 720, 640):  # the last is 1280 at 200 % (WCAG 2.2, 1.4.4)
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
    page.set_viewport_size({"width": 1440, "height": 900})
    assert place.watch.complaints == []


@pytest.mark.parametrize("path", PATHS)
def test_everything_on_a_page_is_reached_with_the_tab_key_and_is_seen_to_be(place: Place, path: str) -> None:
    page = place.open(_address(path))
    unreached = page.evaluate(_TAB_STOPS)
    for _ in range(2 * unreached + 5):
        page.keyboard.press("Tab")
        unreached = page.evaluate(_HERE)
        if unreached == 0:
            break
    assert unreached == 0
    assert page.evaluate("window.unseen") == []


_TAB_STOPS = """() => {
  const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
    .filter(e => !e.disabled && e.type !== 'hidden' && e.checkVisibility({visibilityProperty: true}));
  const groups = new Set();
  window.stops = new Set(stops.filter(e => {
    if (e.type !== 'radio') return true;
    const first = !groups.has(e.name); groups.add(e.name); return first;  // arrow keys move within a group
  }).map(e => e.type === 'radio' ? 'radio ' + e.name : e));
  window.unseen = [];
  return window.stops.size;
}"""
_HERE = """() => {
  const e = document.activeElement;
  if (e && e !== document.body) {
    const look = getComputedStyle(e), box = e.getBoundingClientRect();
    if (look.outlineStyle === 'none' || !parseFloat(look.outlineWidth) || box.bottom <= 0 || box.top >= innerHeight)
      window.unseen.push(e.outerHTML.slice(0, 120));
  }
  window.stops.delete(e.type === 'radio' ? 'radio ' + e.name : e);
  return window.stops.size;
}"""
