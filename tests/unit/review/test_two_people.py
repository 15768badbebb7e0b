"""Two people at one queue, and two people who must say the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from records.case import CaseState, RejectReason
from records.errors import CaseTakenError, StaleCaseError
from review import actions, locks, undo
from review.actions import ApprovalOutcome, RejectionOutcome
from store import alerts, audit, cases, kept_records, second_words
from tests.unit.review.review_browser import Browser
from tests.unit.review.review_clinic import Clinic
from tests.unit.review.test_undo import approve, case_of, correct, reject, rule_out


def outcome(clinic: Clinic, patient_id: str, actor: str) -> ApprovalOutcome:
    return approve(clinic, 0, patient_id, actor=actor).outcome


def following(clinic: Clinic, actor: str) -> int | None:
    return actions.next_case(clinic.database, actor=actor, sites=None, now=clinic.clock())


def test_a_decision_on_a_case_that_somebody_else_has_open_is_refused_with_their_name(clinic: Clinic) -> None:
    lock = locks.open_case(clinic.database, clinic.case_ids[0], actor="sam", now=clinic.clock())
    assert lock.is_mine
    for decide in (
        lambda: approve(clinic, 0, "D1"),
        lambda: reject(clinic, 0),
        lambda: correct(clinic, 0, total="16"),
        lambda: rule_out(clinic, 0, "D2"),
    ):
        with pytest.raises(CaseTakenError) as refused:
            decide()
        assert (refused.value.holder, refused.value.since) == ("sam", clinic.clock())
    locks.take_over(clinic.database, clinic.case_ids[0], actor="rosa", now=clinic.clock())
    approve(clinic, 0, "D1")
    with clinic.database.reading() as session:
        acted = [one.event.actor for one in audit.events(session, limit=1000) if one.event.action == "case.taken-over"]
    assert acted == ["rosa"]


def test_whoever_lost_the_lock_and_acts_first_again_is_still_held_to_the_version(clinic: Clinic) -> None:
    case = case_of(clinic, 1)
    locks.open_case(clinic.database, case.case_id, actor="sam", now=clinic.clock())
    clinic.clock.advance(timedelta(minutes=6))
    correct(clinic, 1, total="8")
    clinic.clock.advance(timedelta(minutes=6))
    with pytest.raises(StaleCaseError):
        actions.not_this_patient(
            clinic.database, case.case_id, "D7", version=case.version, actor="sam", now=clinic.clock()
        )


def test_an_answer_about_self_harm_goes_to_an_unlikely_patient_only_when_two_people_say_so(clinic: Clinic) -> None:
    before = case_of(clinic, 0)
    assert outcome(clinic, "D2", "rosa") is ApprovalOutcome.AWAITS_SECOND
    waiting = case_of(clinic, 0)
    assert (waiting.state, waiting.version) == (CaseState.OPEN, before.version + 1)
    assert following(clinic, "rosa") != before.case_id
    assert following(clinic, "sam") == before.case_id
    assert outcome(clinic, "D2", "rosa") is ApprovalOutcome.AWAITS_SECOND, "one person twice is one person"
    with clinic.database.reading() as session:
        (word,) = second_words.of_case(session, before.case_id)
        assert (word.actor, word.patient_id) == ("rosa", "D2")
        (alert,) = alerts.list_alerts(session, open_only=True)
        assert alert.raised_at < clinic.clock() + timedelta(seconds=1)
    assert outcome(clinic, "D2", "sam") is ApprovalOutcome.CONFIRMED
    with clinic.database.reading() as session:
        kept = kept_records.of_report(session, clinic.report_id)[0]
        assert (kept.patient_id, kept.confirmed_by) == ("D2", "sam")
        (event,) = [e.event for e in audit.events(session, limit=1000) if e.event.action == "case.approved"]
        assert ("first-said-by", "rosa") in event.detail


def test_two_people_who_name_different_patients_leave_both_words_until_two_agree(clinic: Clinic) -> None:
    outcome(clinic, "D2", "rosa")
    assert outcome(clinic, "D3", "sam") is ApprovalOutcome.AWAITS_SECOND
    with clinic.database.reading() as session:
        words = {word.actor: word.patient_id for word in second_words.of_case(session, clinic.case_ids[0])}
    assert words == {"rosa": "D2", "sam": "D3"}
    assert following(clinic, "rosa") == following(clinic, "sam") == clinic.case_ids[0]
    assert outcome(clinic, "D3", "ada") is ApprovalOutcome.CONFIRMED


def test_a_likely_patient_needs_one_person_unless_the_identity_was_typed(clinic: Clinic) -> None:
    assert outcome(clinic, "D1", "rosa") is ApprovalOutcome.CONFIRMED
    undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    case = case_of(clinic, 0)
    typed = replace(case.assessment, patient=replace(case.assessment.patient, mrn="BH-40771"))
    with clinic.database.session() as session:
        cases.correct(
            session, case.case_id, version=case.version, assessment=typed, actor="rosa", now=clinic.clock(),
            match=case.match,
        )  # fmt: skip
    assert case_of(clinic, 0).is_identity_typed
    assert outcome(clinic, "D1", "rosa") is ApprovalOutcome.AWAITS_SECOND


def test_a_record_that_a_person_corrects_to_self_harm_needs_two_people_as_well(clinic: Clinic) -> None:
    correct(clinic, 1, **{"item-9": "1"})
    assert approve(clinic, 1, "D7").outcome is ApprovalOutcome.AWAITS_SECOND


def test_a_word_can_be_taken_back_and_falls_with_a_no(clinic: Clinic) -> None:
    outcome(clinic, "D2", "rosa")
    undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert outcome(clinic, "D2", "sam") is ApprovalOutcome.AWAITS_SECOND
    clinic.clock.advance(timedelta(minutes=6))
    rule_out(clinic, 0, "D2", actor="rosa")
    clinic.clock.advance(timedelta(minutes=6))
    assert outcome(clinic, "D2", "ada") is ApprovalOutcome.AWAITS_SECOND


def test_the_word_of_the_first_stands_again_when_the_second_takes_theirs_back(clinic: Clinic) -> None:
    outcome(clinic, "D2", "rosa")
    outcome(clinic, "D2", "sam")
    undo.undo_last(clinic.database, actor="sam", now=clinic.clock())
    with clinic.database.reading() as session:
        assert [word.actor for word in second_words.of_case(session, clinic.case_ids[0])] == ["rosa"]
    assert outcome(clinic, "D2", "ada") is ApprovalOutcome.CONFIRMED


@pytest.mark.parametrize("gone", ["0", "-"])
def test_an_answer_about_self_harm_is_corrected_away_by_two_people_or_not_at_all(clinic: Clinic, gone: str) -> None:
    correct(clinic, 0, **{"item-9": gone} if gone == "-" else {"item-9": "0", "total": "16"})
    case = case_of(clinic, 0)
    assert not case.assessment.critical
    assert case.critical
    assert outcome(clinic, "D1", "rosa") is ApprovalOutcome.AWAITS_SECOND, "D1 is likely, and the answer is gone"
    assert outcome(clinic, "D1", "rosa") is ApprovalOutcome.AWAITS_SECOND
    assert outcome(clinic, "D1", "sam") is ApprovalOutcome.CONFIRMED


def test_who_has_named_a_patient_has_not_agreed_to_values_that_were_changed_since(clinic: Clinic) -> None:
    outcome(clinic, "D2", "rosa")
    correct(clinic, 0, actor="sam", **{"item-9": "0", "total": "16"})
    assert outcome(clinic, "D2", "sam") is ApprovalOutcome.AWAITS_SECOND


def test_an_answer_that_only_a_person_read_as_self_harm_is_taken_away_by_two_as_well(clinic: Clinic) -> None:
    correct(clinic, 1, **{"item-9": "1"})
    correct(clinic, 1, actor="rosa", **{"item-9": "0", "total": "8"})
    assert case_of(clinic, 1).critical
    assert approve(clinic, 1, "D6").outcome is ApprovalOutcome.AWAITS_SECOND


def test_a_record_with_an_answer_about_self_harm_is_rejected_by_two_people_or_not_at_all(clinic: Clinic) -> None:
    first = clinic.case_ids[0]
    assert reject(clinic, 0) is RejectionOutcome.AWAITS_SECOND
    assert case_of(clinic, 0).state is CaseState.OPEN
    assert reject(clinic, 0) is RejectionOutcome.AWAITS_SECOND, "one person twice is one person"
    assert following(clinic, "rosa") != first
    assert following(clinic, "sam") == first
    assert reject(clinic, 0, actor="sam") is RejectionOutcome.REJECTED
    assert case_of(clinic, 0).state is CaseState.REJECTED
    with clinic.database.reading() as session:
        (event,) = [e.event for e in audit.events(session, limit=1000) if e.event.action == "case.rejected"]
    assert ("first-said-by", "rosa") in event.detail


def test_a_rejection_and_a_patient_are_not_the_same_word(clinic: Clinic) -> None:
    reject(clinic, 0)
    assert outcome(clinic, "D2", "sam") is ApprovalOutcome.AWAITS_SECOND
    assert following(clinic, "rosa") == following(clinic, "sam") == clinic.case_ids[0]
    assert reject(clinic, 0, actor="ada") is RejectionOutcome.REJECTED


def test_a_record_corrected_to_zero_is_still_rejected_by_two(clinic: Clinic) -> None:
    correct(clinic, 0, **{"item-9": "0", "total": "16"})
    assert reject(clinic, 0) is RejectionOutcome.AWAITS_SECOND


def test_a_word_of_rejection_can_be_taken_back_and_stands_again_with_its_reason(clinic: Clinic) -> None:
    reject(clinic, 0)
    undo.undo_last(clinic.database, actor="rosa", now=clinic.clock())
    assert reject(clinic, 0, actor="sam") is RejectionOutcome.AWAITS_SECOND
    reject(clinic, 0, actor="ada")
    undo.undo_last(clinic.database, actor="ada", now=clinic.clock())
    with clinic.database.reading() as session:
        (word,) = second_words.of_case(session, clinic.case_ids[0])
    assert (word.actor, word.patient_id, word.reject_reason) == ("sam", None, RejectReason.UNREADABLE)


def test_the_page_says_what_was_corrected_away_and_who_wants_the_row_rejected(clinic: Clinic, rosa: Browser) -> None:
    first = clinic.case_ids[0]
    correct(clinic, 0, **{"item-9": "0", "total": "16"})
    shown = rosa.open(f"/cases/{first}").text
    assert "An answer about self-harm was read here, and a person has corrected it away." in shown
    rosa.submit(f"/cases/{first}/reject", reason="duplicate")
    sam = Browser(clinic.app).signed_in("sam")
    assert "rosa wants this row rejected (" in sam.open(f"/cases/{first}").text
    assert "rosa has decided; a second reviewer is needed" in " ".join(sam.open("/queue").text.split())
