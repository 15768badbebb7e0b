"""Handing a report over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from store_cases import (
    NOW,
    PORTAL,
    SITE,
    assessment,
    handed,
    outcome,
    printed_file,
    record,
    taken,
    with_roster,
)

from records.balance import Balance
from records.decision import Decision
from records.errors import StoreError
from records.finding import Finding
from records.geometry import Region
from records.submission import ResultStatus
from store import alerts, audit, balance, cases, kept_records, known, outbox, reports
from store.database import Database
from store.handover import hand_over
from store.kept_records import RecordState
from store.reports import ReportState


def test_every_record_ends_in_its_own_place(database: Database) -> None:
    with database.session() as session:
        done = handed(
            session,
            record(),
            record(Decision.REVIEW, made=assessment(total=4), patient_id="D2"),
            record(Decision.REJECTED, made=assessment(total=5), patient_id="D3"),
            record(Decision.DUPLICATE),
        )
        report_id = kept_records.get(session, done.records[0]).report_id
        states = [one.state for one in kept_records.of_report(session, report_id)]
        assert states == [RecordState.CONFIRMED, RecordState.REVIEW, RecordState.REJECTED, RecordState.DUPLICATE]
        assert (done.submissions, done.cases, done.duplicates) == (1, 1, 1)
        assert balance.of_report(session, report_id) == Balance(waiting=2, rejected=1, duplicate=1)
        assert balance.mismatches(session) == []


def test_a_confirmed_record_goes_to_every_destination(database: Database) -> None:
    with database.session() as session:
        done = handed(session, record(), destinations=("portal", "registry"))
        queued = [one.submission for one in outbox.list_submissions(session, record_id=done.records[0])]
    assert [one.destination for one in queued] == ["portal", "registry"]
    assert {one.status for one in queued} == {ResultStatus.FINAL}
    assert len({one.idempotency_key for one in queued}) == 2
    assert len({one.external_id for one in queued}) == 1


def test_handing_over_twice_changes_nothing(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
        first = hand_over(session, report.report_id, outcome(record()), now=NOW)
    with database.session() as session:
        before = len(audit.events(session, limit=1000))
        again = hand_over(session, report.report_id, outcome(record(), record(patient_id="D9")), now=NOW)
        assert again == first
        assert len(audit.events(session, limit=1000)) == before


def test_a_hand_over_that_fails_leaves_nothing(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
    nowhere = replace(assessment(), region=Region(1, 0.0, 0.0, float("inf"), 1.0))
    with pytest.raises(StoreError), database.session() as session:
        hand_over(session, report.report_id, outcome(record(), record(made=nowhere, patient_id="D2")), now=NOW)
    with database.reading() as session:
        assert kept_records.of_report(session, report.report_id) == []
        assert outbox.list_submissions(session) == []
        assert reports.get(session, report.report_id).state is ReportState.WAITING


def test_a_hand_over_killed_before_its_commit_leaves_nothing(database: Database) -> None:
    with database.session() as session:
        report = taken(session)

    def hand_over_and_die() -> None:
        records = outcome(record(), record(Decision.REVIEW, patient_id="D2"))
        with database.session() as session:
            hand_over(session, report.report_id, records, now=NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hand_over_and_die()
    with database.reading() as session:
        assert kept_records.of_report(session, report.report_id) == []
        assert outbox.list_submissions(session) == []
        assert cases.count_open(session) == 0
        assert [one.event.action for one in audit.events(session)] == ["report.taken"]


def test_the_same_assessment_with_the_same_values_is_sent_once(database: Database) -> None:
    with database.session() as session:
        first = handed(session, record())
        second = handed(session, record(fingerprint="printed otherwise"))
        repeat = kept_records.get(session, second.records[0])
        assert (repeat.state, repeat.duplicate_of) == (RecordState.DUPLICATE, first.records[0])
        assert len(outbox.list_submissions(session)) == 1


def test_the_same_assessment_with_other_values_waits_for_a_person(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        done = handed(session, record(made=assessment(total=12)))
        assert kept_records.get(session, done.records[0]).reasons == ("correction",)
        assert [case.reasons for case in cases.list_open(session)] == [("correction",)]


def test_two_readings_of_one_assessment_that_race_make_one_submission(database: Database) -> None:
    with database.session() as session:
        reports_read = [taken(session).report_id for _ in range(2)]
    for report_id in reports_read:  # both decided "confirmed" before either was handed over
        with database.session() as session:
            hand_over(session, report_id, outcome(record()), now=NOW)
    with database.reading() as session:
        assert len(outbox.list_submissions(session)) == 1


def test_a_printed_time_tells_two_administrations_of_a_day_apart(database: Database) -> None:
    with database.session() as session:
        handed(session, record(), record(made=assessment(authored_time="14:30", total=12)))
        external = {one.submission.external_id for one in outbox.list_submissions(session)}
    assert len(external) == 2


def test_a_duplicate_of_nothing_goes_to_a_person(database: Database) -> None:
    with database.session() as session:
        done = handed(session, record(Decision.DUPLICATE))
        assert kept_records.get(session, done.records[0]).state is RecordState.REVIEW


def test_a_duplicate_of_a_rejected_record_goes_to_a_person(database: Database) -> None:
    with database.session() as session:
        rejected = handed(session, record(Decision.REJECTED)).records[0]
        done = handed(session, record(Decision.DUPLICATE, repeats=rejected))
        assert kept_records.get(session, done.records[0]).state is RecordState.REVIEW


def test_a_duplicate_named_with_other_values_goes_to_a_person(database: Database) -> None:
    with database.session() as session:
        first = handed(session, record()).records[0]
        done = handed(session, record(Decision.DUPLICATE, made=assessment(total=1), repeats=first))
        assert kept_records.get(session, done.records[0]).state is RecordState.REVIEW


def test_what_was_withdrawn_is_not_sent_again_by_itself(database: Database) -> None:
    with database.session() as session:
        first = handed(session, record()).records[0]
        outbox.enqueue_withdrawal(session, first, reason="wrong patient", actor="ida", now=NOW, reopen=False)
        done = handed(session, record())
        assert kept_records.get(session, done.records[0]).reasons == ("rejected-before",)


def test_a_report_without_records_asks_for_attention(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
        hand_over(session, report.report_id, outcome(findings=(Finding(code="no-template"),), template=None), now=NOW)
        waiting = reports.needing_attention(session, site=SITE)
        assert [(one.report_id, one.reasons) for one in waiting] == [(report.report_id, ("no-template",))]
        assert waiting[0].findings == (Finding(code="no-template"),)
        reports.settle(session, report.report_id, actor="ida", note="A cover page.", now=NOW)
        assert reports.needing_attention(session) == []


def test_a_report_of_rows_without_scores_needs_nobody(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
        hand_over(session, report.report_id, outcome(no_score=3), now=NOW)
        assert reports.needing_attention(session) == []
        assert balance.of_report(session, report.report_id) == Balance(no_score=3)


def test_a_finding_shown_on_a_case_asks_for_no_second_look(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
        hand_over(
            session,
            report.report_id,
            outcome(record(Decision.REVIEW), findings=(Finding(code="unclaimed-word"),)),
            now=NOW,
        )
        assert reports.needing_attention(session) == []


def test_a_finding_on_a_page_without_a_case_asks_for_a_look_whatever_waits_elsewhere(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
        waiting = record(Decision.REVIEW)
        page = waiting.decided.assessment.page or 1
        scan = Finding(code="scanned-page", region=Region(page + 1, 0, 0, 612, 792))
        hand_over(session, report.report_id, outcome(waiting, findings=(scan,)), now=NOW)
        assert [one.reasons for one in reports.needing_attention(session)] == [("scanned-page",)]


def test_a_report_in_quarantine_takes_no_records(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
        reports.quarantine(session, report.report_id, reason="reader-died", now=NOW)
    with pytest.raises(StoreError), database.session() as session:
        hand_over(session, report.report_id, outcome(record()), now=NOW)


def test_an_alert_raised_before_the_records_were_kept_finds_its_record(database: Database) -> None:
    with database.session() as session:
        report = taken(session)
        raised = alerts.raise_alert(
            session,
            alert_key="k",
            site=SITE,
            report_id=report.report_id,
            position=1,
            instrument="phq-9",
            link_id="9",
            points=2,
            unverified=False,
            now=NOW,
        )
        assert raised is not None
        assert raised.record_id is None
        done = hand_over(
            session, report.report_id, outcome(record(), record(made=assessment(total=1), patient_id="D2")), now=NOW
        )
        assert [one.record_id for one in alerts.list_alerts(session, open_only=True)] == [done.records[1]]


def test_known_assessments_are_found_by_what_is_printed_and_by_patient(database: Database) -> None:
    with database.session() as session:
        done = handed(session, record())
        digest = known.values_digest(database.keys, assessment())
        printed = known.printed_key(database.keys, SITE, assessment(), fingerprint="print-of-D1")
        confirmed = known.assessment_key(
            database.keys,
            site=SITE,
            patient_id="D1",
            instrument="gad-7",
            authored_on=assessment().authored_on or NOW.date(),
            time=None,
        )
        found = known.find_known(session, SITE, [printed, confirmed, "unknown"])
        assert found.keys() == {printed, confirmed}
        assert {one.record_id for one in found.values()} == {done.records[0]}
        assert all(one.holds(digest) for one in found.values())
        assert found[printed].state is RecordState.CONFIRMED
        assert known.find_known(session, "ELSE", [printed, confirmed]) == {}


def test_a_reprint_of_a_row_that_a_person_corrected_brings_nothing_new(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        handed(session, record(Decision.REVIEW))
        case = cases.list_open(session)[0]
        cases.approve(
            session,
            case.case_id,
            version=case.version,
            patient_id="D1",
            actor="ida",
            now=NOW,
            destinations=(PORTAL,),
            corrected=assessment(total=10),
        )
        done = handed(session, record())
        assert kept_records.get(session, done.records[0]).state is RecordState.DUPLICATE


def test_the_record_keeps_what_was_read_beside_what_a_person_made_of_it(database: Database) -> None:
    with database.session() as session:
        handed(session, record(Decision.REVIEW))
        case = cases.list_open(session)[0]
        corrected = assessment(total=10)
        changed = cases.correct(session, case.case_id, version=case.version, assessment=corrected, actor="ida", now=NOW)
        kept = kept_records.of_report(session, case.report_id)[0]
    assert (kept.as_read, kept.assessment, changed.version) == (assessment(), corrected, case.version + 1)


def test_reading_can_be_claimed_given_back_and_taken_over(database: Database) -> None:
    lease = timedelta(minutes=1)
    with database.session() as session:
        taken(session)
        (claimed,) = reports.claim_unread(session, now=NOW, lease=lease, limit=5)
        assert (claimed.state, claimed.attempts) == (ReportState.READING, 1)
        assert reports.claim_unread(session, now=NOW, lease=lease, limit=5) == []
        reports.release(session, claimed.report_id)
        (again,) = reports.claim_unread(session, now=NOW, lease=lease, limit=5)
        assert again.attempts == 1
        (late,) = reports.claim_unread(session, now=NOW + lease, lease=lease, limit=5)
        assert late.attempts == 2


def test_the_same_bytes_are_taken_once_per_site(database: Database) -> None:
    with database.session() as session:
        content = b"the same bytes"
        first = reports.take(session, printed_file(content), source="a", file_name="a.pdf", archived=None)
        second = reports.take(session, printed_file(content), source="b", file_name="b.pdf", archived=None)
        elsewhere = reports.take(
            session, printed_file(content, site="EAST"), source="c", file_name="a.pdf", archived=None
        )
    assert (second.state, second.duplicate_of) == (ReportState.DUPLICATE, first.report_id)
    assert second.reasons == ("duplicate-file",)
    assert elsewhere.state is ReportState.WAITING


def test_bytes_set_aside_as_incomplete_may_still_come_whole(database: Database) -> None:
    with database.session() as session:
        content = b"%PDF-1.7 half"
        reports.quarantine_file(
            session, printed_file(content), source="a", file_name="a.pdf", reason="incomplete", now=NOW
        )
        later = reports.take(session, printed_file(content), source="a", file_name="a.pdf", archived=None)
    assert later.state is ReportState.WAITING


def test_a_quarantined_report_can_be_processed_again_if_there_is_a_copy(database: Database) -> None:
    with database.session() as session:
        report = taken(session, database)
        reports.quarantine(session, report.report_id, reason="reader-timeout", now=NOW)
        again = reports.process_again(session, report.report_id, actor="ida", now=NOW)
        assert (again.state, again.attempts, again.reasons) == (ReportState.WAITING, 0, ())
        document = reports.document_of(session, report.report_id)
        assert document is not None
        assert database.archive.get(*document).startswith(b"%PDF-")


def test_a_report_whose_document_was_forgotten_cannot_be_opened_by_anybody(database: Database) -> None:
    with database.session() as session:
        report = taken(session, database)
        document_id = reports.forget_document(session, report.report_id, actor="ida", now=NOW)
        assert document_id == report.document_id
        assert reports.document_of(session, report.report_id) is None
        assert reports.document_ids(session) == frozenset()
