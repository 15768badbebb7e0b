"""What a person sees of a case and decides about it, in the pages over a real store."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from records.case import CaseState
from records.errors import UnreadableDocumentError
from records.geometry import Region
from records.layout import ChangeKind, LayoutChange, LayoutSignature
from records.picture import DrawnPage
from records.printed_file import PrintedFile
from records.submission import DeliveryState
from review import actions
from review.page_images import Render
from store import alerts, audit, cases, kept_records, outbox, reports, roster, signatures
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import (
    DESTINATIONS,
    KOWALSKI,
    ROWS,
    SITE,
    START,
    TODAY,
    Clinic,
    Row,
    answers,
    hand_in,
    identity,
    open_clinic,
)


def _text(page: str) -> str:
    """The words of a page as a person reads them."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_a_reviewer_finds_what_waits_with_the_urgent_record_first(clinic: Clinic, rosa: Browser) -> None:
    said = _text(rosa.open("/queue").text)
    assert "3 records wait for review" in said
    assert said.index("KOWALSKY, Thomas ▲ urgent") < said.index("REYES, Marco")
    assert "The best patient is not certain enough." in said


def test_a_case_shows_its_reasons_the_print_and_the_candidates_with_evidence_in_words(
    clinic: Clinic, rosa: Browser
) -> None:
    said = _text(rosa.open(f"/cases/{clinic.case_ids[0]}").text)
    assert "Why you're seeing this: Name is close (given name short form, family name one character differs)" in said
    assert "record number is close (O read as 0)." in said
    assert "KOWALSK I , T omas z ≈ Given name short form, family name one character differs" in said
    assert "14-Mar-1987 ✓ Same" in said
    assert "03-Nov-1978 ✕ Different" in said
    assert "BH-4 0 771 ≈ O read as 0" in said
    assert "Likely 93%" in said
    assert "Urgent: PHQ-9 item 9 scored 1. Raised 20-Nov 12:00, not yet acknowledged." in said


def test_the_row_is_outlined_on_the_page_in_points(clinic: Clinic, rosa: Browser) -> None:
    page = rosa.open(f"/cases/{clinic.case_ids[0]}").text
    assert 'viewBox="0 0 612 792"' in page
    assert '<rect class="row" x="52" y="134" width="508" height="24" rx="2"/>' in page
    picture = rosa.open(f"/reports/{clinic.report_id}/pages/1.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.headers["cache-control"] == "no-store"
    assert picture.content.startswith(b"\x89PNG")


def test_what_changed_in_a_layout_is_told_and_outlined_on_its_report(clinic: Clinic, rosa: Browser) -> None:
    moved = LayoutChange(
        kind=ChangeKind.MOVED, sentence="Column “Total” moved.", holds=True, region=Region(1, 400, 90, 430, 102)
    )
    with clinic.database.session() as session:
        look = LayoutSignature(template="list@1", pages=1, sheet=(612, 792), landmarks=())
        signatures.keep(session, clinic.report_id, look, site=SITE, changes=(moved,), now=START)
    page = rosa.open(f"/reports/{clinic.report_id}").text
    assert "The layout has changed: Column “Total” moved." in _text(page)
    assert re.search(r'<rect class="doubt" x="39\d', page)


def test_approving_confirms_the_record_queues_it_and_goes_on_to_the_next(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    answer = rosa.submit(f"/cases/{case_id}/approve")
    assert answer.headers["location"] == f"/cases/{clinic.case_ids[1]}?said=approved"
    with clinic.database.reading() as session:
        case = cases.get(session, case_id)
        record = kept_records.of_report(session, clinic.report_id)[0]
        assert case.state is CaseState.APPROVED
        assert (record.patient_id, record.confirmed_by) == ("D1", "rosa")
        assert outbox.counts(session)[DeliveryState.PENDING] == 1
    assert "Approved. The record is on its way." in rosa.open(answer.headers["location"]).text


def test_the_last_decision_leads_to_an_empty_queue(clinic: Clinic, rosa: Browser) -> None:
    sam = Browser(clinic.app).signed_in("sam")
    sam.open(f"/cases/{clinic.case_ids[0]}")
    sam.submit(f"/cases/{clinic.case_ids[0]}/reject", reason="unreadable")
    for case_id in clinic.case_ids:
        rosa.open(f"/cases/{case_id}")
        answer = rosa.submit(f"/cases/{case_id}/reject", reason="unreadable")
    assert answer.headers["location"] == "/queue?said=rejected"
    assert "Nothing left to review" in rosa.open("/queue").text


def test_the_second_of_two_reviewers_is_told_that_nothing_was_saved(clinic: Clinic, rosa: Browser) -> None:
    sam = Browser(clinic.app).signed_in("sam")
    case_id = clinic.case_ids[0]
    sam.open(f"/cases/{case_id}")
    clinic.clock.advance(timedelta(minutes=6))
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/approve")
    answer = sam.submit(f"/cases/{case_id}/reject", reason="duplicate")
    assert answer.status_code == 409
    assert "This record changed since you opened it. Nothing was saved." in answer.text
    assert f'href="/cases/{case_id}"' in answer.text
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).state is CaseState.APPROVED


def test_a_version_that_was_never_shown_is_stale(clinic: Clinic, rosa: Browser) -> None:
    rosa.open(f"/cases/{clinic.case_ids[0]}")
    for forged in ("0", "-1", "99", "x", "9" * 40, ""):
        assert rosa.submit(f"/cases/{clinic.case_ids[0]}/approve", version=forged).status_code == 409
        rosa.open(f"/cases/{clinic.case_ids[0]}")


def test_twins_are_never_preselected_and_the_page_says_why(clinic: Clinic, rosa: Browser) -> None:
    page = rosa.open(f"/cases/{clinic.case_ids[1]}")
    assert "patient_id" not in rosa.forms()[f"/cases/{clinic.case_ids[1]}/approve"]
    assert "Two patients share this name or date of birth." in page.text
    answer = rosa.submit(f"/cases/{clinic.case_ids[1]}/approve")
    assert "Choose a patient first." in answer.text


def test_a_patient_who_differs_is_approved_only_after_a_second_look(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    asked = rosa.submit(f"/cases/{case_id}/approve", patient_id="D2")
    assert "Born differs. Record number differs. Approve for KOWALSKY, Thomas only if you are sure" in _text(asked.text)
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).state is CaseState.OPEN
    assert rosa.submit(f"/cases/{case_id}/approve").status_code == 303
    sam = Browser(clinic.app).signed_in("sam")
    sam.open(f"/cases/{case_id}")
    assert sam.submit(f"/cases/{case_id}/approve", patient_id="D2", confirmed="D2").status_code == 303
    with clinic.database.reading() as session:
        assert kept_records.of_report(session, clinic.report_id)[0].patient_id == "D2", "two people said so"


def test_a_second_look_at_one_patient_does_not_count_for_another(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/approve", patient_id="D2")
    assert "Approve anyway" in rosa.submit(f"/cases/{case_id}/approve", patient_id="D3").text


def test_a_record_whose_answers_do_not_add_up_cannot_be_approved_before_it_is_corrected(
    clinic: Clinic, rosa: Browser
) -> None:
    case_id = clinic.case_ids[1]
    rosa.open(f"/cases/{case_id}")
    answer = rosa.submit(f"/cases/{case_id}/approve", patient_id="D6")
    assert answer.status_code == 409
    assert "The answers do not add up to the printed total. Nothing was saved." in answer.text
    rosa.open(f"/cases/{case_id}")
    assert rosa.submit(f"/cases/{case_id}/correct", total="8").status_code == 303
    said = _text(rosa.open(f"/cases/{case_id}?said=corrected").text)
    assert "The values are corrected. The record still waits" in said
    assert "do not add up" not in said
    assert rosa.submit(f"/cases/{case_id}/approve", patient_id="D6").status_code == 303


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"total": "18"}, "The answers do not add up to the printed total."),
        ({"total": "28"}, "The total score is outside the questionnaire's range. It goes from 0 to 27."),
        ({"total": "-3"}, "The total score cannot be read as a whole number."),
        ({"total": "１7"}, "The total score cannot be read as a whole number."),
        ({"total": ""}, "The total score cannot be read as a whole number."),
        ({"item_3": "4"}, "Answer 3 is outside the range of its question. It goes from 0 to 3."),
        ({"item_3": "two"}, "Answer 3 cannot be read."),
        ({"authored_on": "11/18/2026"}, "The date must be written as year-month-day, for instance 2026-03-04."),
        ({"authored_on": "2026-11-21"}, "The date of the questionnaire lies in the future."),
        ({"authored_on": "1986-01-01"}, "The date of the questionnaire lies before the date of birth."),
        ({"instrument": "phq-99"}, "This is not the id of a questionnaire in the library."),
        ({"instrument": "gad-7", "total": "22"}, "It goes from 0 to 21."),
    ],
)
def test_a_correction_that_breaks_a_clinical_rule_is_refused_in_a_plain_sentence(
    clinic: Clinic, rosa: Browser, fields: dict[str, str], sentence: str
) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    answer = rosa.submit(f"/cases/{case_id}/correct", **fields)
    assert answer.status_code == 409
    assert sentence in html.unescape(answer.text)
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).version == 1


def test_what_was_entered_is_still_there_after_a_refusal(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    rosa.submit(f"/cases/{case_id}/correct", total="18", item_2="1")
    entered = rosa.forms()[f"/cases/{case_id}/correct"]
    assert (entered["total"], entered["item-2"]) == ("18", "1")


def test_a_corrected_answer_about_self_harm_raises_an_alert_once(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[1]
    for points, total in (("1", "9"), ("1", "9"), ("0", "8"), ("3", "11")):
        rosa.open(f"/cases/{case_id}")
        rosa.submit(f"/cases/{case_id}/correct", item_9=points, total=total)
    with clinic.database.reading() as session:
        raised = [a for a in alerts.list_alerts(session, open_only=True) if a.alert_id != clinic.alert_id]
        assert sorted(a.points or 0 for a in raised) == [1, 3]
        assert {a.link_id for a in raised} == {"9"}
        assert cases.get(session, case_id).assessment.critical is True


def test_ruling_a_patient_out_keeps_the_case_open_and_unselects_the_patient(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    assert rosa.submit(f"/cases/{case_id}/not-this-patient", patient_id="D1").status_code == 303
    page = rosa.open(f"/cases/{case_id}")
    assert "patient_id" not in rosa.forms()[f"/cases/{case_id}/approve"]
    assert "ruled out" in page.text
    assert "A person has said before" in rosa.submit(f"/cases/{case_id}/approve", patient_id="D1").text
    with clinic.database.reading() as session:
        assert {veto.patient_id for veto in roster.vetoes(session, SITE)} == {"D1"}


def test_a_rejected_row_can_be_put_back_into_the_queue(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[2]
    rosa.open(f"/cases/{case_id}")
    assert "The reason is missing." in rosa.submit(f"/cases/{case_id}/reject", reason="other", note=" ").text
    rosa.open(f"/cases/{case_id}")
    assert "Choose why" in rosa.submit(f"/cases/{case_id}/reject", reason="because").text
    assert rosa.submit(f"/cases/{case_id}/reject", reason="other", note="a heading").status_code == 303
    rosa.open(f"/cases/{case_id}")
    assert rosa.submit(f"/cases/{case_id}/reopen").status_code == 303
    with clinic.database.reading() as session:
        assert cases.get(session, case_id).state is CaseState.OPEN


def test_a_patient_whom_the_match_missed_can_be_found_and_approved(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[2]
    rosa.open(f"/cases/{case_id}")
    found = rosa.submit(f"/cases/{case_id}/find", query="moreau 02/28/1958")
    said = _text(found.text)
    assert "1 found for what you typed." in said
    assert "MOREAU , Sofia Luz ✕ Different" in said  # the letters that differ are marked apart
    asked = rosa.submit(f"/cases/{case_id}/approve", patient_id="D5")
    assert "Approve anyway" in asked.text
    assert rosa.submit(f"/cases/{case_id}/approve", patient_id="D5").status_code == 303


def test_a_search_that_finds_nobody_says_so(clinic: Clinic, rosa: Browser) -> None:
    rosa.open(f"/cases/{clinic.case_ids[2]}")
    answer = rosa.submit(f"/cases/{clinic.case_ids[2]}/find", query="Zebedee")
    assert "No such patient on the list of RBH." in answer.text


def test_nobody_outside_the_roster_can_be_approved(clinic: Clinic, rosa: Browser) -> None:
    case_id = clinic.case_ids[0]
    rosa.open(f"/cases/{case_id}")
    answer = rosa.submit(f"/cases/{case_id}/approve", patient_id="D999")
    assert answer.status_code == 409
    assert "This patient is not on the roster of the site." in answer.text


def test_what_is_printed_stays_text_whatever_it_looks_like(clinic: Clinic, rosa: Browser) -> None:
    for path in (f"/cases/{clinic.case_ids[2]}", "/queue", f"/reports/{clinic.report_id}"):
        page = rosa.open(path).text
        assert "<script>" not in page.lower()
        assert "&lt;script&gt;" in page.lower()


def test_a_correction_of_a_known_assessment_asks_what_it_is(clinic: Clinic, rosa: Browser) -> None:
    rosa.open(f"/cases/{clinic.case_ids[0]}")
    rosa.submit(f"/cases/{clinic.case_ids[0]}/approve")
    again = replace(ROWS[0], total=16, items=answers(1, 3, 2, 2, 2, 2, 2, 1, 1), reasons=("correction",))
    hand_in(clinic.database, (again,), now=clinic.clock())
    with clinic.database.reading() as session:
        case_id = max(case.case_id for case in cases.list_open(session))
    rosa.open(f"/cases/{case_id}")
    unsaid = rosa.submit(f"/cases/{case_id}/approve")
    assert "Say whether this is a correction or a second administration." in unsaid.text
    rosa.open(f"/cases/{case_id}")
    assert rosa.submit(f"/cases/{case_id}/approve", approved_as="correction").status_code == 303
    with clinic.database.reading() as session:
        record = kept_records.of_report(session, cases.get(session, case_id).report_id)[0]
        assert record.corrects is not None


def test_values_that_became_known_meanwhile_are_not_sent_twice(clinic: Clinic, rosa: Browser) -> None:
    rosa.open(f"/cases/{clinic.case_ids[0]}")
    rosa.submit(f"/cases/{clinic.case_ids[0]}/approve")
    hand_in(clinic.database, (ROWS[0], replace(ROWS[2], total=5)), now=clinic.clock())
    with clinic.database.reading() as session:
        case_id = next(c.case_id for c in cases.list_open(session) if c.assessment.patient.family == "Kowalsky")
    rosa.open(f"/cases/{case_id}")
    answer = rosa.submit(f"/cases/{case_id}/approve")
    assert answer.headers["location"].endswith("?said=known")


def _is_refused(content: bytes, page: int, parts: tuple[Region, ...]) -> DrawnPage:
    raise UnreadableDocumentError("The file is damaged and cannot be opened.", code="damaged")


def _takes_too_long(content: bytes, page: int, parts: tuple[Region, ...]) -> DrawnPage:
    raise TimeoutError


def _is_no_picture(content: bytes, page: int, parts: tuple[Region, ...]) -> DrawnPage:
    return DrawnPage(picture=b"no picture", media_type="image/png", width=612, height=792)


@pytest.mark.parametrize("render", [_is_refused, _takes_too_long, _is_no_picture])
def test_a_page_that_cannot_be_drawn_leaves_values_and_candidates(home: Path, render: Render) -> None:
    clinic = open_clinic(home, render=render)
    rosa = Browser(clinic.app).signed_in("rosa")
    page = rosa.open(f"/cases/{clinic.case_ids[0]}")
    assert page.status_code == 200
    assert "Page image could not be drawn." in page.text
    assert "KOWALSKI, Tomasz" in page.text
    assert rosa.open(f"/reports/{clinic.report_id}").status_code == 200
    assert rosa.open(f"/reports/{clinic.report_id}/pages/1.png").status_code == 404
    clinic.database.close()


def test_a_page_the_report_does_not_have_is_no_page(clinic: Clinic, rosa: Browser) -> None:
    assert rosa.open(f"/reports/{clinic.report_id}/pages/2.png").status_code == 404
    assert rosa.open(f"/reports/{clinic.report_id}/pages/0.png").status_code == 404
    assert rosa.open("/reports/77").status_code == 404
    assert rosa.open("/cases/77").status_code == 404


def test_every_look_at_patient_data_is_on_record(clinic: Clinic, rosa: Browser) -> None:
    rosa.open("/queue")
    rosa.open(f"/cases/{clinic.case_ids[0]}")
    rosa.submit(f"/cases/{clinic.case_ids[0]}/find", query="Moreau")
    rosa.open(f"/reports/{clinic.report_id}/pages/1.png")
    rosa.open(f"/reports/{clinic.report_id}")
    rosa.open("/alerts")
    with clinic.database.reading() as session:
        seen = audit.events(session, actor="rosa", limit=1000)
        looks = [one.event.action for one in seen]
        everything = "".join(audit.export(session))
    for action in ("case.listed", "case.viewed", "patient.searched", "page.viewed", "report.viewed", "alert.listed"):
        assert action in looks
    assert "Moreau" not in everything
    assert "Kowalsky" not in everything


def test_the_day_adds_up_on_the_dashboard_and_names_patients_only_to_those_who_may_see_them(
    clinic: Clinic, rosa: Browser
) -> None:
    rosa.open(f"/cases/{clinic.case_ids[0]}")
    rosa.submit(f"/cases/{clinic.case_ids[0]}/approve")
    rosa.open(f"/cases/{clinic.case_ids[2]}")
    rosa.submit(f"/cases/{clinic.case_ids[2]}/reject", reason="not-a-patient-row")
    page = rosa.open("/").text
    said = _text(page)
    assert "RBH 20-Nov-2026 3 = 0 + 2 + 1 + 0 1 in review 1 to be sent" in said
    assert "1 urgent answer nobody has taken yet" in said
    assert "Delivered to chart 0 1 sending" in said
    assert "KOWALSKI, Tomasz Born 14-Mar-1987" in said
    seen_by_a_viewer = Browser(clinic.app).signed_in("vera").open("/").text
    assert "1 urgent answer nobody has taken yet" in _text(seen_by_a_viewer)
    for patient in ("Kowalsk", "KOWALSK", "BH-4", "Reyes", "1987"):
        assert patient not in seen_by_a_viewer


def test_the_dashboard_shows_notices_quarantine_pauses_and_reports_that_need_a_look(
    clinic: Clinic, rosa: Browser
) -> None:
    taken = _taken(clinic)
    with clinic.database.session() as session:
        reports.quarantine(session, taken, reason="damaged", now=clinic.clock())
        outbox.pause(session, "portal", reason="The token has expired.", now=clinic.clock())
    said = _text(rosa.open("/").text)
    assert "Reports in quarantine 1" in said
    assert "The file is damaged and cannot be opened." in said
    assert "Nothing is sent to portal: The token has expired." in said


def _taken(clinic: Clinic) -> int:
    printed = PrintedFile(
        path="/print/odd.pdf", sha256="f" * 64, size_bytes=3, seen_at=clinic.clock() + timedelta(1), site=SITE
    )
    archived = clinic.database.archive.put(b"odd")
    with clinic.database.session() as session:
        report = reports.take(session, printed, source="print", file_name="odd.pdf", archived=archived)
    return report.report_id


def test_a_quarantined_report_can_be_read_again(clinic: Clinic, rosa: Browser) -> None:
    report_id = _taken(clinic)
    with clinic.database.session() as session:
        reports.quarantine(session, report_id, reason="reader-timeout", now=clinic.clock())
    rosa.open(f"/reports/{report_id}")
    assert rosa.submit(f"/reports/{report_id}/process-again").status_code == 303
    rosa.open("/")
    with clinic.database.reading() as session:
        assert reports.get(session, report_id).state == "waiting"


@pytest.mark.parametrize(("reason", "shown"), [("no-text", True), ("too-complex", False)])
def test_a_scan_in_quarantine_is_shown_and_a_hostile_file_is_not_drawn(
    clinic: Clinic, rosa: Browser, reason: str, shown: bool
) -> None:
    content = (Path(__file__).parents[3] / "fixtures/broken/scan.pdf").read_bytes()
    printed = PrintedFile(
        path="/print/scan.pdf",
        sha256="e" * 64,
        size_bytes=len(content),
        seen_at=clinic.clock() + timedelta(1),
        site=SITE,
    )
    archived = clinic.database.archive.put(content)
    with clinic.database.session() as session:
        report = reports.take(session, printed, source="print", file_name="scan.pdf", archived=archived)
        reports.quarantine(session, report.report_id, reason=reason, now=clinic.clock())
    page = rosa.open(f"/reports/{report.report_id}").text
    assert (f"/reports/{report.report_id}/pages/1.png" in page) is shown


def test_a_clinician_takes_an_alert_and_the_next_one_sees_who_was_first(clinic: Clinic) -> None:
    carla, ada = (Browser(clinic.app).signed_in(name) for name in ("carla", "ada"))
    assert "Patient not confirmed" in carla.open("/alerts").text
    ada.open("/alerts")
    action = f"/alerts/{clinic.alert_id}/acknowledge"
    assert carla.submit(action).headers["location"] == "/alerts?said=acknowledged"
    assert ada.submit(action).headers["location"] == "/alerts?said=taken"
    assert "carla" in _text(ada.open("/alerts").text)
    with clinic.database.reading() as session:
        assert alerts.list_alerts(session, open_only=True) == []


def test_an_alert_that_does_not_exist_cannot_be_taken(clinic: Clinic) -> None:
    carla = Browser(clinic.app).signed_in("carla")
    carla.open("/alerts")
    token = carla.forms()["/sign-out"]["form_token"]
    answer = carla.http.post(
        "/alerts/999/acknowledge", data={"form_token": token}, headers={"sec-fetch-site": "same-origin"}
    )
    # As for an alert of a site that she does not see.
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text


def test_a_record_without_a_printed_date_waits_until_a_person_gives_one(clinic: Clinic, rosa: Browser) -> None:
    undated = Row(
        who=identity("Osei, Hannah", date(1991, 6, 9), "BH-50021"), match=KOWALSKI, reasons=("date-missing",),
        authored_on=None, findings=("date-missing",), total=None, result=None, instrument="c-ssrs",
    )  # fmt: skip
    hand_in(clinic.database, (undated,), now=clinic.clock())
    with clinic.database.reading() as session:
        case = max(cases.list_open(session), key=lambda one: one.case_id)
    rosa.open(f"/cases/{case.case_id}")
    refused = rosa.submit(f"/cases/{case.case_id}/approve", patient_id="D1", confirmed="D1")
    assert "The date of the questionnaire is missing. The result cannot be read." in refused.text
    actions.correct(
        clinic.database, case.case_id, version=case.version,
        changes={"authored_on": "2026-11-18", "result": "High risk"}, actor="rosa", now=clinic.clock(), today=TODAY,
    )  # fmt: skip
    with clinic.database.reading() as session:
        changed = cases.get(session, case.case_id)
        assert (changed.assessment.result, changed.assessment.critical) == ("high", True)
        assert any(a.points is None for a in alerts.list_alerts(session, open_only=True))
    said = _text(rosa.open(f"/cases/{case.case_id}").text)
    assert "The date of the questionnaire is missing." not in said


def test_destinations_of_the_site_are_those_it_is_sent_to(clinic: Clinic, rosa: Browser) -> None:
    rosa.open(f"/cases/{clinic.case_ids[0]}")
    rosa.submit(f"/cases/{clinic.case_ids[0]}/approve")
    with clinic.database.reading() as session:
        assert {entry.submission.destination for entry in outbox.list_submissions(session)} == set(DESTINATIONS)


def test_a_clinician_says_what_was_done_and_the_words_stay_on_the_page(clinic: Clinic) -> None:
    carla, ada = (Browser(clinic.app).signed_in(name) for name in ("carla", "ada"))
    carla.open("/alerts")
    ada.open("/alerts")
    action = f"/alerts/{clinic.alert_id}/acknowledge"
    carla.submit(action, note="Called her, she is safe <b>")
    assert ada.submit(action, note="Called too").headers["location"] == "/alerts?said=taken"
    shown = ada.open("/alerts").text
    assert "she is safe &lt;b&gt;" in shown
    assert "Called too" in shown
    with clinic.database.reading() as session:
        assert not any("she is safe" in str(one.event) for one in audit.events(session, object_kind="alert"))


def test_an_alert_about_the_wrong_patient_is_ruled_out_on_its_page_and_open_again(clinic: Clinic) -> None:
    carla, ada = (Browser(clinic.app).signed_in(name) for name in ("carla", "ada"))
    assert "Perhaps KOWALSKI" in _text(carla.open("/alerts").text)
    ada.open("/alerts")
    carla.submit(f"/alerts/{clinic.alert_id}/acknowledge")
    action = f"/alerts/{clinic.alert_id}/not-this-patient"
    assert carla.submit(action).headers["location"] == "/alerts?said=alert-ruled-out"
    late = ada.submit(action)
    assert late.status_code == 409
    assert "Nothing was changed" in late.text
    shown = _text(carla.open("/alerts").text)
    assert "A patient was ruled out" in shown
    assert "not this patient" in shown
    with clinic.database.reading() as session:
        (alert,) = alerts.list_alerts(session, open_only=True)
        assert (alert.round, alert.acknowledged_by) == (2, None)


def test_a_reviewer_neither_takes_an_alert_nor_rules_its_patient_out(clinic: Clinic, rosa: Browser) -> None:
    rosa.open("/alerts")
    assert f"/alerts/{clinic.alert_id}/not-this-patient" not in rosa.forms()
    token = rosa.forms()["/sign-out"]["form_token"]
    for action in ("acknowledge", "not-this-patient"):
        answer = rosa.http.post(
            f"/alerts/{clinic.alert_id}/{action}",
            data={"form_token": token, "patient_id": "D1"},
            headers={"sec-fetch-site": "same-origin"},
        )
        assert answer.status_code == 403
