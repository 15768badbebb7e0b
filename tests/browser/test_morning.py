"""A whole morning in the review queue with the keyboard alone, in a real browser over a real store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from records.case import CaseState, RejectReason
from records.layout import Landmark, LandmarkKind, LayoutSignature
from store import cases, kept_records, outbox, registrations, signatures
from tests.browser.served import Watch, read, serving, sign_in
from tests.unit.review.review_clinic import (
    KOWALSKI,
    SITE,
    START,
    TWINS,
    Clinic,
    Row,
    answers,
    candidate,
    furnish,
    hand_in,
    identity,
    match_of,
    open_clinic,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("morning")]

_EARLIER = date(2026, 11, 11)
_WRONG = RejectReason.WRONG_REPORT
_HEADERS = ("Client", "DOB", "Account", "Completed", "PHQ-9", "Q9")
_OSEI = match_of(candidate("D4", 0.9, ("name", "exact", 9.0), ("birth_date", "exact", 8.0), ("mrn", "missing", 0.0)))
_UNLIKELY = match_of(candidate("D4", 0.5, ("name", "exact", 9.0)), candidate("D5", 0.4, ("name", "exact", 9.0)))


def _osei(day: int) -> Row:
    who = identity("Osei, Hannah", date(1991, 6, 9), None)
    return Row(who=who, match=_OSEI, reasons=("one-identifier",), total=day, authored_on=date(2026, 11, day))


def _rows() -> tuple[Row, ...]:
    """Seventeen more to the clinic's three, which come first."""
    nobody = Row(
        who=identity("Newly, Come", date(1990, 1, 2), "X-1"), match=match_of(), reasons=("patient-not-found",), total=4
    )
    urgent = Row(
        who=identity("Osei, Hannah", date(1991, 6, 9), None), match=_UNLIKELY, reasons=("patient-below-threshold",),
        items=answers(2, 3, 2, 2, 2, 2, 2, 1, 1), critical=True, total=17, authored_on=date(2026, 11, 17),
    )  # fmt: skip
    twins = Row(
        who=identity("Reyes, Marco", date(2001, 12, 1), None),
        match=TWINS,
        reasons=("twin",),
        total=5,
        authored_on=_EARLIER,
    )
    misread = Row(
        who=identity("Kowalsky, Thomas", date(1987, 3, 14), "BH-4O771"), match=KOWALSKI, reasons=("sum-differs",),
        items=answers(1, 1, 1, 1, 1, 1, 1, 1, 0), total=9, findings=("sum-differs",), authored_on=date(2026, 11, 12),
    )  # fmt: skip
    return (urgent, nobody, twins, misread, *(_osei(day) for day in range(1, 14)))


@dataclass(frozen=True)
class Morning:
    """The clinic, where it is served, and what its browser complains of."""

    clinic: Clinic
    address: str


@pytest.fixture
def morning(tmp_path: Path) -> Iterator[Morning]:
    furnish(tmp_path / "home")
    clinic = open_clinic(tmp_path / "home")
    clinic.clock.advance(timedelta(seconds=1))
    report_id = hand_in(clinic.database, _rows(), now=clinic.clock(), file_name="second.pdf")
    marks = tuple(Landmark(name=word, kind=LandmarkKind.COLUMN, printed=word, page=1, x0=1, x1=2) for word in _HEADERS)
    look = LayoutSignature(template="riverside@3", pages=1, sheet=(612, 792), landmarks=marks)
    with clinic.database.session() as session:
        for one in (clinic.report_id, report_id):
            signatures.keep(session, one, look, site=SITE, changes=(), now=START)
    with serving(clinic.app) as address:
        yield Morning(clinic, address)
    clinic.database.close()


def _open(browser: Browser, morning: Morning, name: str) -> tuple[Page, Watch]:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    watch = Watch(page)
    sign_in(page, morning.address, name=name)
    page.goto(f"{morning.address}/queue")
    page.wait_for_load_state("networkidle")
    return page, watch


def _press(page: Page, key: str, *, then: str) -> None:
    """Press a key and wait for the words that it leads to."""
    page.keyboard.press(key)
    expect(page.get_by_role("main")).to_contain_text(then)
    expect(page.get_by_role("main")).not_to_have_attribute("aria-busy", "true")
    read(page)


def _osei_cases(morning: Morning) -> list[int]:
    """Cases whose patient is chosen already, one behind the other."""
    with morning.clinic.database.reading() as session:
        waiting = sorted(cases.list_open(session), key=lambda one: one.case_id)
    return [case.case_id for case in waiting if case.assessment.patient.family == "Osei" and not case.critical]


def _state(morning: Morning, case_id: int) -> CaseState:
    with morning.clinic.database.reading() as session:
        return cases.get(session, case_id).state


def _heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_twenty_records_are_settled_by_keyboard_from_the_first_to_an_empty_queue(
    browser: Browser, morning: Morning, tmp_path: Path
) -> None:
    page, watch = _open(browser, morning, "rosa")
    pictures = Path(os.environ.get("SCOREBRIDGE_SCREENSHOTS", str(tmp_path)))
    _press(page, "j", then="1 of 20")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_role("radio", name="Patient 1")).to_be_checked()
    page.screenshot(path=pictures / "morning-case.png", caret="initial")
    # The second patient differs, so A asks once more, and Esc goes back without a decision.
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Approve: KOWALSKY, Thomas")).to_be_visible()
    _press(page, "a", then="Press A again to approve")
    expect(page.get_by_role("button", name="Approve anyway")).to_be_focused()
    _press(page, "Escape", then="Correct a value")
    _press(page, "a", then="Approved. The record is on its way. KOWALSKI, Tomasz")
    # An urgent record without a likely patient: the first word of two.
    _heading(page, "1 of 19")
    expect(page.get_by_role("main")).to_contain_text("two people must choose the same")
    page.keyboard.press("1")
    _press(page, "a", then="Another person must choose the same patient")
    # Twins are never preselected; the total is corrected where it stands.
    expect(page.get_by_role("button", name="Approve the chosen patient")).to_be_disabled()
    page.keyboard.press("e")
    expect(page.get_by_label("Total")).to_be_focused()
    page.keyboard.type("9")
    expect(page.locator("#checked")).to_contain_text("do not add up")
    page.screenshot(path=pictures / "morning-correct.png", caret="initial")
    page.keyboard.press("Control+a")
    page.keyboard.type("8")
    expect(page.locator("#checked")).to_contain_text("The answers add up to the total.")
    _press(page, "Escape", then="Choose a patient first")
    page.keyboard.press("1")
    page.keyboard.press("e")
    page.keyboard.type("8")
    _press(page, "Control+Enter", then="Approved.")
    # Whom the matching missed is found by name.
    page.keyboard.press("n")
    page.keyboard.type("moreau 1958-02-28")
    _press(page, "Enter", then="1 found")
    page.keyboard.press("1")
    _press(page, "a", then="Press A again to approve")
    _press(page, "a", then="Approved. The record is on its way. MOREAU, Sofia")
    # Taken back, and rejected instead.
    _press(page, "u", then="Taken back. The record waits again.")
    page.keyboard.press("r")
    _press(page, "1", then="Rejected. The record is kept")
    # Nobody of that name: the front desk registers them.
    expect(page.get_by_role("main")).to_contain_text("Newly, Come")
    page.keyboard.press("n")
    page.get_by_role("button", name="No such patient").press("Enter")
    expect(page.get_by_role("main")).to_contain_text("Sent to the front desk.")
    read(page)
    # Skipped records come after the others.
    _press(page, "s", then="Skipped.")
    page.screenshot(path=pictures / "morning-late.png", caret="initial")
    _finish(page)
    # The urgent one waits for somebody else.
    expect(page.get_by_role("heading", name="Nothing left for you to review")).to_be_focused()
    expect(page.get_by_role("main")).to_contain_text("items today")
    page.screenshot(path=pictures / "morning-empty.png", caret="initial")
    assert watch.complaints == []
    assert watch.hosts == {"127.0.0.1"}
    _adds_up(morning.clinic)
    page.close()


def _finish(page: Page) -> None:
    """Choose the first patient of whatever is left, and correct the total that does not add up."""
    for _ in range(24):
        if page.get_by_role("heading", name="Nothing left").is_visible():
            return
        read(page)
        before = page.url
        page.keyboard.press("1")
        if page.locator(".filed .doubtful").count():
            page.keyboard.press("e")
            page.keyboard.type("8")
            page.keyboard.press("Control+Enter")
        else:
            page.keyboard.press("a")
        page.wait_for_function("before => location.href !== before", arg=before)
        page.wait_for_load_state("networkidle")


def _adds_up(clinic: Clinic) -> None:
    with clinic.database.reading() as session:
        records = kept_records.of_report(session, clinic.report_id) + kept_records.of_report(
            session, clinic.report_id + 1
        )
        states = [str(record.state) for record in records]
        assert len(states) == 20
        assert states.count("confirmed") == 17
        assert states.count("rejected") == 1
        assert registrations.count(session, sites=None) == 1
        assert outbox.counts(session)
        waiting = [case for case in cases.list_open(session) if case.state is CaseState.OPEN]
        assert len(waiting) == 1  # the urgent one, for a second person


def test_two_reviewers_at_one_record_know_of_each_other_and_only_one_decides(
    browser: Browser, morning: Morning
) -> None:
    first, _ = _open(browser, morning, "rosa")
    case = morning.clinic.case_ids[0]
    first.goto(f"{morning.address}/cases/{case}")
    context = browser.new_context()
    second = context.new_page()
    watch = Watch(second)
    sign_in(second, morning.address, name="sam")
    second.goto(f"{morning.address}/cases/{case}")
    expect(second.get_by_role("main")).to_contain_text("rosa opened this less than a minute ago.")
    expect(second.get_by_role("button", name="Approve")).to_have_count(0)
    second.get_by_role("button", name="Take over").click()
    expect(second.get_by_role("button", name="Approve: KOWALSKI, Tomasz")).to_be_visible()
    first.keyboard.press("a")
    expect(first.get_by_role("alert").first).to_contain_text("sam has case")
    read(second)
    second.keyboard.press("a")
    expect(second.get_by_role("main")).to_contain_text("Approved.")
    with morning.clinic.database.reading() as session:
        assert kept_records.of_report(session, morning.clinic.report_id)[0].confirmed_by == "sam"
    assert watch.complaints == []
    context.close()
    first.close()


def test_single_keys_can_be_turned_off_and_stay_off_for_that_person(browser: Browser, morning: Morning) -> None:
    page, _ = _open(browser, morning, "rosa")
    page.goto(f"{morning.address}/cases/{morning.clinic.case_ids[0]}")
    page.keyboard.press("?")
    page.get_by_label("Single-key shortcuts on").uncheck()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text("Your choice about keys is kept.")
    page.keyboard.press("a")
    page.keyboard.press("j")
    page.wait_for_timeout(300)
    assert page.url.endswith(f"/cases/{morning.clinic.case_ids[0]}?said=keys-set")
    with morning.clinic.database.reading() as session:
        assert cases.get(session, morning.clinic.case_ids[0]).state is CaseState.OPEN
    page.close()


def test_what_could_not_be_saved_stays_on_the_page_and_is_sent_again(browser: Browser, morning: Morning) -> None:
    page, _ = _open(browser, morning, "rosa")
    page.goto(f"{morning.address}/cases/{morning.clinic.case_ids[0]}")
    page.wait_for_load_state("networkidle")
    page.route("**/approve", lambda route: route.abort())
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("Not saved. Your choice is kept here.")
    expect(page.get_by_role("radio", name="Patient 1")).to_be_checked()
    page.unroute("**/approve")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("main")).to_contain_text("Approved.")
    page.close()


_TAP_AGAIN = """document.addEventListener("htmx:afterSwap", () => setTimeout(() => {
  document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "a", bubbles: true, cancelable: true}));
  window.tapped = (window.tapped ?? 0) + 1;
}, 80), {once: true})"""


def test_the_second_tap_of_a_double_press_approves_nobody(browser: Browser, morning: Morning) -> None:
    first, second, *_ = _osei_cases(morning)
    page, watch = _open(browser, morning, "rosa")
    page.goto(f"{morning.address}/cases/{first}")
    page.wait_for_load_state("networkidle")
    page.evaluate(_TAP_AGAIN)
    page.keyboard.press("a")
    page.wait_for_function("() => window.tapped === 1")
    page.wait_for_timeout(500)
    assert (_state(morning, first), _state(morning, second)) == (CaseState.APPROVED, CaseState.OPEN)
    assert page.url.endswith(f"/cases/{second}")
    _press(page, "a", then="Approved.")
    assert _state(morning, second) is CaseState.APPROVED
    assert watch.complaints == []
    page.close()


def test_a_record_is_not_approved_over_values_that_were_typed_and_not_saved(browser: Browser, morning: Morning) -> None:
    case_id = _osei_cases(morning)[-1]
    page, _ = _open(browser, morning, "rosa")
    page.goto(f"{morning.address}/cases/{case_id}")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("e")
    page.get_by_label("Total").fill("21")
    page.get_by_role("button", name="Approve: OSEI, Hannah").click()
    expect(page.get_by_role("alert")).to_contain_text("The values you typed are not saved, so nothing was approved.")
    assert _state(morning, case_id) is CaseState.OPEN
    expect(page.get_by_label("Total")).to_have_value("21")
    page.get_by_role("button", name="Save and approve").click()
    expect(page.get_by_role("main")).to_contain_text("Approved.")
    with morning.clinic.database.reading() as session:
        assert cases.get(session, case_id).assessment.total == 21
    page.close()


def test_an_empty_day_says_so(browser: Browser, morning: Morning) -> None:
    with morning.clinic.database.session() as session:
        for case in cases.list_open(session):
            cases.reject(
                session,
                case.case_id,
                version=case.version,
                reason=RejectReason.WRONG_REPORT,
                note="",
                actor="setup",
                now=START,
            )
    page, watch = _open(browser, morning, "sam")
    _heading(page, "Nothing left to review")
    assert watch.complaints == []
    page.close()
