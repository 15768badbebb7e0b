"""The record, report and audit pages in a real browser, at both widths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from records.decision import Decision
from store import kept_records
from tests.browser.served import Watch, sign_in
from tests.unit.review.review_clinic import AUDITED, SURE, Clinic, Row, answers, hand_in

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1440, 720])
def test_the_audit_log_the_story_of_a_record_and_a_report_are_read_without_a_complaint(
    browser: Browser,
    clinic: Clinic,
    address: str,
    tmp_path: Path,
    width: int,
) -> None:
    row = Row(who=AUDITED, match=SURE, reasons=(), total=8, items=answers(1, 1, 1, 1, 1, 1, 1, 1, 0), critical=False)
    report_id = hand_in(clinic.database, (row,), now=clinic.clock(), decision=Decision.CONFIRMED)
    with clinic.database.reading() as session:
        record_id = kept_records.of_report(session, report_id)[0].record_id
    page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    watch = Watch(page)
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    sign_in(page, address, name="ada")
    paths = {
        "record": f"/records/{record_id}",
        "report": f"/reports/{clinic.report_id}",
        "submissions": "/submissions",
        "patients": "/patients",
        "audit": "/audit",
        "audit-event": "/audit/7",
        "audit-weeks": "/audit/weeks",
        "audit-week": "/audit/weeks/2026-11-16",
    }
    for name, path in paths.items():
        page.goto(address + path)
        page.screenshot(path=pictures / f"{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{address}/audit")
    page.get_by_label("Record, person or report").fill("Osei")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("button", name="Who saw this patient OSEI, Hannah").click()
    expect(page.get_by_role("heading", name="Who saw OSEI, Hannah")).to_be_visible()
    page.screenshot(path=pictures / f"audit-patient-{width}.png", full_page=True)
    assert watch.complaints == []
    assert watch.hosts == {"127.0.0.1"}
    page.close()
