"""One record on one page: its story from the print to the portal, and what a person can still do about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from records.decision import Decision
from records.submission import DeliveryReceipt
from review.amendments import AfterWithdrawal, record_version, withdraw
from store import audit_search, kept_records, outbox
from store.audit_search import Wanted
from store.kept_records import RecordState, StoredRecord
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import AUDITED, SURE, Clinic, Row, answers, hand_in

PHQ = Row(who=AUDITED, match=SURE, reasons=(), total=8, items=answers(1, 1, 1, 1, 1, 1, 1, 1, 0), critical=False)


@pytest.fixture
def record(clinic: Clinic) -> int:
    """A record that goes out to D4 without a person."""
    report_id = hand_in(clinic.database, (PHQ,), now=clinic.clock(), decision=Decision.CONFIRMED)
    with clinic.database.reading() as session:
        return kept_records.of_report(session, report_id)[0].record_id


def kept(clinic: Clinic, record: int) -> StoredRecord:
    with clinic.database.reading() as session:
        return kept_records.get(session, record)


def deliver(clinic: Clinic) -> None:
    """The portal takes everything that is due."""
    now = clinic.clock()
    receipt = DeliveryReceipt(remote_id="obs-7", version="1", http_status=201, received_at=now)
    with clinic.database.session() as session:
        due = outbox.claim_due(
            session, owner="w", now=now, lease=timedelta(minutes=1), limit=20, destinations=["portal"]
        )
        for one in due:
            assert outbox.mark_delivered(session, one.submission_id, receipt, owner="w", now=now)


def test_the_story_runs_from_the_file_to_the_receipt(clinic: Clinic, rosa: Browser, record: int) -> None:
    deliver(clinic)
    text = rosa.open(f"/records/{record}").text
    with clinic.database.reading() as session:
        entry = outbox.list_submissions(session, record_id=record)[0]
    told = ["scores.pdf", "riverside@3", "PHQ-9 8", "Confirmed without a person", "OSEI, Hannah", "obs-7", "Delivered"]
    told += [entry.submission.idempotency_key, entry.submission.external_id]
    places = [text.index(one) for one in ("1 · Printed", "2 · Read", "3 · Matched", "4 · Decided", "5 · Sent")]
    assert [one for one in told if one not in text] == []
    assert places == sorted(places)


def test_looking_is_an_event(clinic: Clinic, rosa: Browser, record: int) -> None:
    rosa.open(f"/records/{record}")
    with clinic.database.reading() as session:
        newest = audit_search.find(session, Wanted(), sites=None, limit=1).events[0]
    assert (newest.event.actor, newest.event.action, newest.event.object_id) == ("rosa", "record.viewed", str(record))


def test_values_are_corrected_and_a_wrong_one_keeps_what_was_entered(
    clinic: Clinic, rosa: Browser, record: int
) -> None:
    rosa.open(f"/records/{record}")
    answer = rosa.submit(f"/records/{record}/correct", total="99")
    assert answer.status_code == 409
    assert 'value="99"' in answer.text
    assert rosa.submit(f"/records/{record}/correct", total="9", item_8="2").status_code == 303
    assert kept(clinic, record).assessment.total == 9
    text = rosa.open(f"/records/{record}").text
    assert "Values corrected by rosa" in text
    assert "PHQ-9 8" in text


def test_a_change_that_reaches_a_chart_is_asked_about_once_more(clinic: Clinic, rosa: Browser, record: int) -> None:
    deliver(clinic)
    rosa.open(f"/records/{record}")
    asked = rosa.submit(f"/records/{record}/withdraw", after="close", reason="printed twice")
    assert asked.status_code == 200
    assert "what stands in a patient" in asked.text
    assert kept(clinic, record).state is RecordState.CONFIRMED
    assert rosa.submit(f"/records/{record}/withdraw").status_code == 303
    assert kept(clinic, record).state is RecordState.WITHDRAWN


def test_a_stale_form_loses_nothing(clinic: Clinic, rosa: Browser, record: int) -> None:
    rosa.open(f"/records/{record}")
    after = AfterWithdrawal(reopen=False, wrong_patient=False)
    version = record_version(clinic.database, record)
    withdraw(clinic.database, record, version=version, reason="x", after=after, actor="sam", now=clinic.clock())
    answer = rosa.submit(f"/records/{record}/correct", total="9", item_8="2")
    assert answer.status_code == 409
    assert "This record changed since you opened it" in answer.text
    assert "total 9" in answer.text


def test_a_record_is_moved_to_a_patient_who_is_found(clinic: Clinic, rosa: Browser, record: int) -> None:
    rosa.open(f"/records/{record}")
    found = rosa.submit(f"/records/{record}/find", query="Moreau Sofia")
    assert "MOREAU, Sofia Luz" in found.text
    assert rosa.submit(f"/records/{record}/move", patient_id="D5", reason="mixed up").status_code == 303
    assert kept(clinic, record).patient_id == "D5"


def test_a_record_gets_another_day(clinic: Clinic, rosa: Browser, record: int) -> None:
    rosa.open(f"/records/{record}")
    assert rosa.submit(f"/records/{record}/reassign").status_code == 422
    assert rosa.submit(f"/records/{record}/reassign", authored_on="2026-11-17").status_code == 303
    assert str(kept(clinic, record).assessment.authored_on) == "2026-11-17"


def test_what_nobody_has_heard_of_is_undone(clinic: Clinic, rosa: Browser, record: int) -> None:
    rosa.open(f"/records/{record}")
    assert rosa.submit(f"/records/{record}/undo").status_code == 303
    assert kept(clinic, record).state is RecordState.REVIEW
    assert "Put it right" not in rosa.open(f"/records/{record}").text


def test_a_delivered_record_offers_no_undo(clinic: Clinic, rosa: Browser, record: int) -> None:
    deliver(clinic)
    assert f"/records/{record}/undo" not in rosa.open(f"/records/{record}").text


def test_a_clinician_reads_the_story_and_changes_nothing(clinic: Clinic, record: int) -> None:
    text = Browser(clinic.app).signed_in("carla").open(f"/records/{record}").text
    assert "1 · Printed" in text
    assert "Put it right" not in text


def test_a_record_that_is_not_there_says_so(rosa: Browser) -> None:
    assert rosa.open("/records/9999").status_code == 404


def test_submissions_are_listed_by_state_and_given_up(clinic: Clinic, rosa: Browser, record: int) -> None:
    page = rosa.open("/submissions")
    assert f"record {record}" in page.text
    assert "Hannah" not in page.text
    with clinic.database.reading() as session:
        number = outbox.list_submissions(session, record_id=record)[0].submission.submission_id
    assert rosa.submit(f"/submissions/{number}/cancel").status_code == 303
    assert f"record {record}" in rosa.open("/submissions?state=cancelled").text
    assert "Nothing here" in rosa.open("/submissions?state=dead").text
    rosa.open("/submissions")


def test_the_trail_of_a_patient_is_found_by_a_form(clinic: Clinic, rosa: Browser, record: int) -> None:
    rosa.open("/patients")
    assert "OSEI, Hannah" in rosa.submit("/patients", query="Osei").text
    text = rosa.submit("/patients/trail", patient_id="D4").text
    assert f"/records/{record}" in text
    assert "PHQ-9 8" in text
    with clinic.database.reading() as session:
        assert (
            audit_search.find(session, Wanted(), sites=None, limit=1).events[0].event.action == "patient.trail-viewed"
        )
