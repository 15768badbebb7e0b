"""What a reviewer waits for: from the key A to the next case on the screen, in Debian's Chromium.

    python -m bench.review_keys [--cases 40] [--waiting 10000] [--records 100000] [--home DIR] [--json]

Over the store of `bench.web`, served as in a clinic, one reviewer decides case after case by keyboard. The time is the
browser's own: from the stamp of the key's event to the first frame after the swap in which the next case stands, its
printed row loaded included. Where a case asks once more, that is not counted: it shows no next case.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from playwright.sync_api import Page, sync_playwright

from bench import full_store
from bench.web import drawing
from store.database import open_existing
from store.settings import StoreSettings
from tests.browser.served import serving, sign_in
from tests.unit.review.day_clinic import over_store

_GOALS: Final = {"key to next case p95 ms": 200.0}
_WARM_UP: Final = 5
_CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Two frames: the first runs before what changed is painted, the second after.
_LISTEN: Final = """() => {
  window.keyAt = 0; window.shownAt = 0; window.rowAt = 0;
  document.addEventListener("keydown", (event) => { window.keyAt = event.timeStamp; }, true);
  document.addEventListener("htmx:afterSwap", () => {
    requestAnimationFrame(() => requestAnimationFrame(() => { window.shownAt = performance.now(); }));
    const row = document.querySelector(".strip img");
    const seen = () => requestAnimationFrame(() => requestAnimationFrame(() => { window.rowAt = performance.now(); }));
    if (!row || row.complete) seen(); else for (const end of ["load", "error"]) row.addEventListener(end, seen);
  });
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or Path(folder, "home")
        if not home.exists():
            full_store.fill(home, records=given.records, waiting=given.waiting, reviewers=1, now=datetime.now(UTC))
        with open_existing(StoreSettings(home=home)) as database, drawing() as render:
            figures = _measure(over_store(database, now=lambda: datetime.now(UTC), render=render), cases=given.cases)
    for name, value in figures.items():
        goal = f"   goal {_GOALS[name]:g}" if name in _GOALS else ""
        print(f"{name:32}{value:12}{goal}")
    if given.json:
        print(json.dumps({"bench": "review-keys", "figures": figures, "goals": _GOALS}))


def _measure(app: FastAPI, *, cases: int) -> dict[str, float]:
    with serving(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        sign_in(page, address, name="reviewer0")
        page.goto(f"{address}/queue")
        page.wait_for_load_state("networkidle")
        page.evaluate(_LISTEN)
        page.keyboard.press("j")
        page.wait_for_function("() => location.pathname.startsWith('/cases/')")
        busy = time.process_time()
        waited = [_decide(page) for _ in range(cases + _WARM_UP)][_WARM_UP:]
        busy = time.process_time() - busy
        browser.close()
    shown, with_row = sorted(one[0] for one in waited), sorted(one[1] for one in waited)
    return {
        "key to next case p50 ms": round(statistics.median(shown), 1),
        "key to next case p95 ms": round(_most(shown), 1),
        "with its printed row p95 ms": round(_most(with_row), 1),
        "server CPU ms, a decision": round(1000 * busy / (cases + _WARM_UP), 1),
        "decisions": len(waited),
    }


def _decide(page: Page) -> tuple[float, float]:
    """Approve the case on the screen; milliseconds until the next one stands there, without and with its row."""
    page.wait_for_timeout(1500)  # a person looks, and the next pictures are fetched meanwhile
    if page.get_by_role("radio", name="Patient 1").count():
        page.keyboard.press("1")
    for _ in range(2):
        before = page.url
        if page.locator("input[name=approved_as]").count():  # patients of the bench are printed more than once
            page.locator("input[name=approved_as]").last.check()
        page.evaluate("() => { window.shownAt = 0; window.rowAt = 0; }")
        page.keyboard.press("a")
        page.wait_for_function("() => window.shownAt > 0 && window.rowAt > 0", timeout=20_000)
        if page.url != before:
            spent = page.evaluate("() => [window.shownAt - window.keyAt, window.rowAt - window.keyAt]")
            return float(spent[0]), float(spent[1])
        page.wait_for_timeout(400)  # a question is read before it is answered; a faster press counts as none
    raise SystemExit(f"the case was not decided: {page.get_by_role('alert').first.inner_text()}")


def _most(ordered: list[float]) -> float:
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]


if __name__ == "__main__":
    main()
