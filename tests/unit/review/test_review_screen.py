"""What the review screen adds to a decision: live checks, locks, skips, undo, filters, deciding together."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from records.case import CaseState
from records.geometry import Region
from records.layout import Landmark, LandmarkKind, LayoutSignature
from store import cases, kept_records, signatures
from tests.unit.review.review_browser import SAME_ORIGIN, Browser
from tests.unit.review.review_clinic import KOWALSKI, ROWS, SITE, START, Clinic, Row, hand_in, identity, match_of


def _text(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def sam(clinic: Clinic) -> Browser:
    """A second reviewer."""
    return Browser(clinic.app).signed_in("sam")


def test_values_are_checked_while_they_are_typed_and_nothing_is_saved(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[1]
    rosa.open(f"/cases/{case_id}")
    form = rosa.forms()[f"/cases/{case_id}/correct"]
    answer = rosa.http.post(f"/cases/{case_id}/check", data=form | {"total": "8"}, headers=SAME_ORIGIN)
    assert answer.status_code == 200
    assert "The answers add up to the total. The values can be saved." in _text(answer.text)
    wrong = rosa.http.post(f"/cases/{case_id}/check", data=form | {"total": "99"}, headers=SAME_ORIGIN)
    assert 'data-field="total"' in wrong.text
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).assessment.total == 9


def test_a_corrected_record_is_approved_in_the_same_step(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[1]
    rosa.open(f"/cases/{case_id}")
    answer = rosa.submit(f"/cases/{case_id}/correct", total="8", then="approve", chosen="D6")
    assert answer.headers["location"] == f"/cases/{clinic.case_ids[2]}?said=approved"
    with clinic.database.reading() as session:
        record = kept_records.of_report(session, clinic.report_id)[1]
    assert (record.patient_id, record.assessment.total) == ("D6", 8)


def test_a_correction_that_is_refused_keeps_what_was_typed_and_chosen(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[1]
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/correct", total="99", then="approve", chosen="D7")
    assert rosa.forms()[f"/cases/{case_id}/correct"]["total"] == "99"
    assert rosa.forms()[f"/cases/{case_id}/approve"]["patient_id"] == "D7"


def test_a_record_that_somebody_has_open_shows_who_and_can_be_taken_over(
    clinic: Clinic, rosa: Browser, sam: Browser
) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    clinic.clock.advance(timedelta(minutes=2))
    assert "rosa opened this 2 minutes ago." in sam.open(f"/cases/{case_id}").text
    assert f"/cases/{case_id}/approve" not in _actions_with_buttons(sam)
    assert sam.submit(f"/cases/{case_id}/take-over").status_code == 303
    refused = rosa.submit(f"/cases/{case_id}/approve")
    assert refused.status_code == 409
    assert "sam has case" in refused.text
    told = rosa.http.post(
        f"/cases/{case_id}/renew", data={"form_token": rosa.forms()["/sign-out"]["form_token"]}, headers=SAME_ORIGIN
    )
    assert "sam has taken this over." in told.text


def _actions_with_buttons(browser: Browser) -> str:
    assert browser.page is not None
    return "".join(re.findall(r"<button[^>]*form=\"(\w+)\"", browser.page.text))


def test_a_skipped_record_comes_after_the_others_and_skipping_can_be_taken_back(clinic: Clinic, rosa: Browser) -> None:
    first, second, third = clinic.case_ids
    rosa.open(f"/cases/{first}")
    assert rosa.submit(f"/cases/{first}/skip").headers["location"] == f"/cases/{second}?said=skipped"
    assert "3 of 3" in rosa.open(f"/cases/{first}").text
    assert rosa.submit("/queue/undo").headers["location"] == f"/cases/{first}?said=undone"
    assert "1 of 3" in rosa.open(f"/cases/{first}").text
    assert third


def test_the_last_decision_is_taken_back_and_a_delivered_one_is_not_to_be(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/approve")
    assert "KOWALSKI, Tomasz" in rosa.open(f"/cases/{clinic.case_ids[1]}?said=approved").text
    assert rosa.submit("/queue/undo").status_code == 303
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).state is CaseState.OPEN
    rosa.open(f"/cases/{case_id}")
    nothing = rosa.submit("/queue/undo")
    assert nothing.status_code == 409
    assert "There is nothing to undo." in nothing.text


def test_a_patient_who_is_on_no_list_goes_to_the_front_desk_and_comes_back(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[2]
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/not-registered")
    assert "1 to be registered" in _text(rosa.open("/registrations").text)
    assert rosa.submit(f"/registrations/{case_id}").headers["location"] == f"/cases/{case_id}?said=reopened"
    assert "0 to be registered" in _text(rosa.open("/registrations").text)


def test_all_rows_of_a_wrong_report_are_rejected_together_but_for_urgent_ones(clinic: Clinic, rosa: Browser) -> None:
    address = f"/queue/groups?site={SITE}&cause=report-{clinic.report_id}"
    page = rosa.open(address).text
    assert "It holds an answer about self-harm." in page
    ticked = dict(re.findall(r'name="(case-\d+)" value="(\d+:\w*)"', page))
    assert len(ticked) == 2
    answer = rosa.http.post(
        address,
        data={"form_token": rosa.forms()["/sign-out"]["form_token"], "what": "wrong-report"} | ticked,
        headers=SAME_ORIGIN,
    )
    assert answer.headers["location"] == "/queue?said=decided-together"
    with clinic.database.reading() as session:
        assert [cases.get(session, one).state for one in clinic.case_ids] == ["open", "rejected", "rejected"]


def test_next_stays_within_the_cause_that_was_chosen(clinic: Clinic, rosa: Browser) -> None:
    row = Row(who=identity("Reyes, Marco", date(2001, 12, 1), None), match=match_of(), reasons=("patient-not-found",))
    clinic.clock.advance(timedelta(seconds=1))
    hand_in(clinic.database, (row, replace(row, total=3)), now=clinic.clock())
    cause = f"?site={SITE}&cause=patient-not-found"
    listed = rosa.open(f"/queue{cause}").text
    assert "3 records wait" in listed
    assert "Kowalsky" not in _text(listed)
    assert "1 of 3" in rosa.open(f"/cases/{clinic.case_ids[2]}{cause}").text
    answer = rosa.submit(f"/cases/{clinic.case_ids[2]}/skip{cause}")
    assert answer.headers["location"] == f"/cases/{clinic.case_ids[2] + 1}{cause}&said=skipped"


def test_the_row_is_shown_enlarged_below_its_headers_with_the_doubtful_cells_marked(
    clinic: Clinic, rosa: Browser
) -> None:
    words = ("Client", "DOB", "Account", "Completed", "PHQ-9", "Q9")
    marks = tuple(Landmark(name=w, kind=LandmarkKind.COLUMN, printed=w, page=1, x0=1, x1=2) for w in words)
    look = LayoutSignature(template="list@1", pages=1, sheet=(612, 792), landmarks=marks)
    case_id = clinic.case_ids[0]
    plain = rosa.open(f"/cases/{case_id}/row.png").content
    with clinic.database.session() as session:
        signatures.keep(session, clinic.report_id, look, site=SITE, changes=(), now=START)
    page = rosa.open(f"/cases/{case_id}").text
    assert page.count('class="amber"') == 4  # name and record number, in the row and on the page
    assert "from 11/18/2026" in page
    headed = rosa.open(f"/cases/{case_id}/row.png")
    assert headed.headers["content-type"] == "image/png"
    assert _height(headed.content) > _height(plain)


def _height(png: bytes) -> int:
    return int.from_bytes(png[20:24], "big")


def test_the_words_of_a_page_are_given_with_their_boxes(clinic: Clinic, rosa: Browser) -> None:
    words = rosa.open(f"/reports/{clinic.report_id}/pages/1/words").json()
    by_text = {text: box for text, *box in words}
    assert "BH-4O771" in by_text
    assert by_text["BH-4O771"][0] == pytest.approx(290, abs=2)


def test_a_report_that_no_template_recognises_is_not_said_to_be_read(clinic: Clinic, rosa: Browser) -> None:
    row = Row(who=identity("Nowak, Ewa", date(1980, 2, 1), "BH-1", "F"), match=match_of(), reasons=())
    report_id = hand_in(clinic.database, (row,), now=clinic.clock(), template=None)
    text = rosa.open(f"/reports/{report_id}").text
    assert "Layout not recognised" in text
    assert "Nothing on this page was read." in text
    assert "Every word belongs to something." not in text


def test_single_keys_are_turned_off_for_one_person_only(clinic: Clinic, rosa: Browser, sam: Browser) -> None:
    case_id = clinic.case_ids[0]
    assert 'data-keys="on"' in rosa.open(f"/cases/{case_id}").text
    form = rosa.forms()["/account/keys"]
    form.pop("on")
    rosa.http.post("/account/keys", data=form, headers=SAME_ORIGIN)
    assert 'data-keys="off"' in rosa.open(f"/cases/{case_id}").text
    clinic.clock.advance(timedelta(minutes=6))
    assert 'data-keys="on"' in sam.open(f"/cases/{case_id}").text


def test_an_old_patient_list_is_told_of(clinic: Clinic, rosa: Browser) -> None:
    clinic.clock.advance(timedelta(hours=40))
    rosa = Browser(clinic.app).signed_in("rosa")
    assert "The patient list of RBH is of 20-Nov" in rosa.open(f"/cases/{clinic.case_ids[0]}").text


def test_an_urgent_record_with_an_unlikely_patient_says_that_two_must_choose(clinic: Clinic, rosa: Browser) -> None:
    doubtful = replace(ROWS[0], match=match_of(*[replace(one, probability=0.4) for one in KOWALSKI.candidates[:1]]))
    clinic.clock.advance(timedelta(seconds=1))
    hand_in(clinic.database, (replace(doubtful, authored_on=date(2026, 11, 10)),), now=clinic.clock())
    case_id = max(clinic.case_ids) + 1
    assert "two people must choose the same one" in rosa.open(f"/cases/{case_id}").text
    rosa.submit(f"/cases/{case_id}/approve", patient_id="D1", confirmed="D1")
    sam = Browser(clinic.app).signed_in("sam")
    assert "rosa has chosen KOWALSKI, Tomasz." in sam.open(f"/cases/{case_id}").text


def test_taking_back_while_looking_at_one_site_stays_there_and_names_nobody_else(clinic: Clinic, rosa: Browser) -> None:
    first, second = clinic.case_ids[:2]
    for case_id in (first, second):
        rosa.open(f"/cases/{case_id}?site={SITE}")
        rosa.submit(f"/cases/{case_id}/skip?site={SITE}")
    rosa.open(f"/cases/{clinic.case_ids[2]}?site={SITE}")
    back = rosa.submit(f"/queue/undo?site={SITE}").headers["location"]
    assert back == f"/cases/{second}?site={SITE}&said=undone"
    told = re.search(r'<div class="toast".*?</span>\s*<form', rosa.open(back).text, re.DOTALL)
    assert told is not None
    assert "Taken back." in told[0]
    assert "Kowalsky" not in told[0]  # the decision before it, which still stands


def test_no_row_is_fetched_ahead_for_a_record_that_is_a_whole_form(clinic: Clinic, rosa: Browser) -> None:
    block = replace(ROWS[1], row=Region(1, 54, 130, 558, 500))
    report_id = hand_in(clinic.database, (block,), now=clinic.clock(), file_name="form.pdf")
    page = rosa.open(f"/cases/{clinic.case_ids[2]}").text
    ahead = re.search(r'id="ahead"[^>]*data-images="([^"]*)"', page)
    assert ahead is not None
    assert ahead[1] == f"/reports/{report_id}/pages/1.png"


def test_the_queue_says_where_a_second_reviewer_is_needed(clinic: Clinic, rosa: Browser, sam: Browser) -> None:
    case_id = clinic.case_ids[0]
    assert "a second reviewer is needed" not in sam.open("/queue").text
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/approve", patient_id="D2", confirmed="D2")
    assert "rosa has decided; a second reviewer is needed" in _text(sam.open("/queue").text)
