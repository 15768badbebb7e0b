"""Changing, moving, taking back and undoing what was confirmed, message by message."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from store_cases import NOW, PORTAL, SITE, assessment, handed, outcome, receipt, record, taken, with_roster

from records.decision import Decision
from records.errors import DecisionRefusedError
from records.submission import DeliveryState, ResultStatus, Submission
from store import aliases, amendments, balance, cases, corrections, kept_records, outbox, reassigning, undoing
from store.alias_states import AliasState
from store.amendments import AmendmentKind
from store.cases import ApprovedAs
from store.database import Database, Session
from store.handover import hand_over
from store.kept_records import RecordState
from store.patient_trail import patient_trail
from store.undoing import Undone

LEASE = timedelta(minutes=2)
ME = "sender-1"
REGISTRY = "registry"


def claim(session: Session, place: str = PORTAL) -> Submission:
    (claimed,) = outbox.claim_due(session, now=NOW, lease=LEASE, limit=1, owner=ME, destinations=(place,))
    return claimed


def deliver(session: Session, place: str = PORTAL, *, remote_id: str = "r-1") -> Submission:
    claimed = claim(session, place)
    assert outbox.mark_delivered(session, claimed.submission_id, receipt(remote_id), owner=ME, now=NOW)
    return claimed


def correct(session: Session, number: int, *, total: int = 11, places: tuple[str, ...] = (PORTAL,)) -> int:
    return corrections.enqueue_correction(
        session, number, assessment=assessment(total=total), actor="ida", now=NOW, destinations=places
    )


def withdraw(session: Session, number: int, *, reopen: bool = False, wrong_patient: bool = True) -> int:
    return corrections.enqueue_withdrawal(
        session, number, reason="x", actor="ida", now=NOW, reopen=reopen, wrong_patient=wrong_patient
    )


def approve(session: Session, number: int, patient_id: str, as_: ApprovedAs = ApprovedAs.CONFIRMATION) -> None:
    case = cases.of_record(session, number)
    assert case is not None
    cases.approve(
        session, case.case_id, version=case.version, patient_id=patient_id, actor="ida", now=NOW,
        destinations=(PORTAL,), as_=as_,
    )  # fmt: skip


def states(session: Session, place: str = PORTAL) -> list[tuple[str, str]]:
    return [
        (one.submission.status.value, one.state.value) for one in outbox.list_submissions(session, destination=place)
    ]


def test_undoing_a_confirmation_cancels_its_messages_and_the_record_waits_again(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        assert undoing.undo(session, number, actor="ida", now=NOW) is Undone.CONFIRMATION
        assert states(session) == [("final", "cancelled")]
        (case,) = cases.list_open(session)
        assert case.reasons == ("taken-back",)
        assert kept_records.get(session, number).patient_id is None


def test_undoing_a_confirmation_does_not_rule_its_patient_out(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (number,) = handed(session, record()).records
        undoing.undo(session, number, actor="ida", now=NOW)
        approve(session, number, "D1")
        told = claim(session)
        assert (told.status, told.patient_id, told.revision) == (ResultStatus.FINAL, "D1", 2)


def test_undoing_what_a_person_said_of_a_patient_revokes_what_was_learnt_of_it(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (number,) = handed(session, record(Decision.REVIEW)).records
        approve(session, number, "D1")
        undoing.undo(session, number, actor="ida", now=NOW)
        assert {alias.state for alias in aliases.list_aliases(session)} == {AliasState.REVOKED}


def test_undoing_a_correction_brings_the_earlier_values_back_and_another_undo_the_confirmation(
    database: Database,
) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        correct(session, number)
        assert undoing.undo(session, number, actor="ida", now=NOW) is Undone.CORRECTION
        kept = kept_records.get(session, number)
        assert (kept.assessment.total, kept.revision, kept.confirmed_by) == (9, 1, "service")
        assert states(session) == [("final", "pending"), ("corrected", "cancelled")]
        assert undoing.undo(session, number, actor="ida", now=NOW) is Undone.CONFIRMATION


def test_undoing_a_correction_after_its_first_message_was_given_up_tells_the_earlier_values(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        first = claim(session)
        outbox.mark_held(session, first.submission_id, reason="http-404", owner=ME, now=NOW)
        correct(session, number)
        outbox.cancel(session, first.submission_id, actor="ida", now=NOW)
        undoing.undo(session, number, actor="ida", now=NOW)
        again = claim(session)
        told = outbox.told_by(session, [again.submission_id])[again.submission_id]
        assert (again.status, told.assessment.total) == (ResultStatus.FINAL, 9)


def test_undoing_a_corrected_print_lets_the_earlier_record_stand_again(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (first,) = handed(session, record()).records
        deliver(session)
        (second,) = handed(session, record(Decision.REVIEW, made=assessment(total=12))).records
        approve(session, second, "D1", ApprovedAs.CORRECTION)
        undoing.undo(session, second, actor="ida", now=NOW)
        assert correct(session, first) == 1
        assert states(session) == [("final", "delivered"), ("corrected", "cancelled"), ("corrected", "pending")]


@pytest.mark.parametrize("state", ["sending", "unknown", "delivered"])
def test_what_a_portal_may_have_heard_cannot_be_undone(database: Database, state: str) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        claimed = claim(session)
        if state == "unknown":
            outbox.mark_unknown(session, claimed.submission_id, reason="cut", due_at=NOW, owner=ME, now=NOW)
        elif state == "delivered":
            outbox.mark_delivered(session, claimed.submission_id, receipt(), owner=ME, now=NOW)
        with pytest.raises(DecisionRefusedError):
            undoing.undo(session, number, actor="ida", now=NOW)
        assert kept_records.get(session, number).state is RecordState.CONFIRMED


@pytest.mark.parametrize("how", ["dead", "deferred"])
def test_what_may_be_there_after_a_failure_is_withdrawn_and_not_only_cancelled(database: Database, how: str) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        claimed = claim(session).submission_id
        if how == "dead":
            outbox.mark_dead(session, claimed, reason="portal-differs", owner=ME, now=NOW, may_be_there=True)
        else:
            outbox.mark_deferred(session, claimed, reason="http-504", due_at=NOW, owner=ME, now=NOW, may_be_there=True)
        with pytest.raises(DecisionRefusedError):
            outbox.cancel(session, claimed, actor="ida", now=NOW)
        assert withdraw(session, number) == 1


@pytest.mark.parametrize("end", ["held", "dead", "deferred"])
def test_a_value_withdrawn_under_way_that_did_not_arrive_is_not_tried_again(database: Database, end: str) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        claimed = claim(session).submission_id
        assert withdraw(session, number) == 1
        if end == "held":
            outbox.mark_held(session, claimed, reason="http-404", owner=ME, now=NOW)
        elif end == "dead":
            outbox.mark_dead(session, claimed, reason="http-422", owner=ME, now=NOW)
        else:
            outbox.mark_deferred(session, claimed, reason="http-503", due_at=NOW, owner=ME, now=NOW)
        assert states(session)[0] == ("final", "cancelled")
        assert claim(session).status is ResultStatus.ENTERED_IN_ERROR


def test_a_withdrawal_cannot_be_cancelled_unless_the_portal_was_put_right_by_hand(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        deliver(session)
        withdraw(session, number)
        taking_back = outbox.list_submissions(session)[-1].submission.submission_id
        with pytest.raises(DecisionRefusedError):
            outbox.cancel(session, taking_back, actor="ida", now=NOW)
        entry = outbox.cancel(session, taking_back, actor="ida", now=NOW, done_by_hand=True)
        assert entry.state is DeliveryState.CANCELLED


def test_a_correction_whose_first_value_stands_cannot_be_cancelled_alone(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        deliver(session)
        correct(session, number)
        with pytest.raises(DecisionRefusedError):
            outbox.cancel(session, outbox.list_submissions(session)[-1].submission.submission_id, actor="i", now=NOW)


def test_a_dead_message_that_a_waiting_one_replaces_is_not_sent_again(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        dead = claim(session).submission_id
        outbox.mark_dead(session, dead, reason="http-422", owner=ME, now=NOW)
        correct(session, number)
        with pytest.raises(DecisionRefusedError):
            outbox.resend(session, dead, actor="ida", now=NOW)


def test_a_dead_message_sent_again_tells_what_stands_now(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        dead = claim(session).submission_id
        outbox.mark_dead(session, dead, reason="http-422", owner=ME, now=NOW)
        correct(session, number)
        outbox.cancel(session, outbox.list_submissions(session)[-1].submission.submission_id, actor="ida", now=NOW)
        outbox.resend(session, dead, actor="ida", now=NOW)
        again = claim(session)
        assert again.status is ResultStatus.FINAL
        assert outbox.told_by(session, [dead])[dead].assessment.total == 11


def test_a_dead_message_that_may_be_there_is_sent_again_with_other_values_as_a_correction(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        first = claim(session)
        outbox.mark_dead(session, first.submission_id, reason="portal-differs", owner=ME, now=NOW, may_be_there=True)
        correct(session, number)
        later = outbox.list_submissions(session)[-1].submission.submission_id
        outbox.cancel(session, later, actor="ida", now=NOW, done_by_hand=True)
        outbox.resend(session, first.submission_id, actor="ida", now=NOW)
        again = claim(session)
        assert (again.status, again.was_unknown, again.payload) == (ResultStatus.CORRECTED, True, None)
        assert again.idempotency_key != first.idempotency_key


def test_a_dead_message_of_what_was_taken_back_is_not_sent_again(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        deliver(session)
        correct(session, number)
        dead = claim(session).submission_id
        outbox.mark_dead(session, dead, reason="http-422", owner=ME, now=NOW, may_be_there=True)
        withdraw(session, number)
        with pytest.raises(DecisionRefusedError):
            outbox.resend(session, dead, actor="ida", now=NOW)


def test_a_correction_reaches_a_portal_that_is_no_longer_in_the_settings_once_it_is_back(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record(), destinations=(PORTAL, REGISTRY)).records
        deliver(session)
        deliver(session, REGISTRY)
        assert correct(session, number, places=(PORTAL,)) == 2
        assert claim(session, REGISTRY).status is ResultStatus.CORRECTED


def test_a_record_that_comes_back_to_its_first_patient_is_corrected_there_under_a_new_revision(
    database: Database,
) -> None:
    with database.session() as session:
        with_roster(session, "D1", "D2")
        (number,) = handed(session, record()).records
        first = deliver(session, remote_id="r-1")
        for patient_id in ("D2", "D1"):
            withdraw(session, number, reopen=True)
            approve(session, number, patient_id)
        taking_back = deliver(session, remote_id="r-1")
        again = claim(session)
        assert (taking_back.status, again.status) == (ResultStatus.ENTERED_IN_ERROR, ResultStatus.CORRECTED)
        assert (again.external_id, again.revision, again.patient_id) == (first.external_id, 3, "D1")
        # What was withdrawn may be hidden or gone: only a look tells whether there is something to overwrite.
        assert again.remote_id is None


def test_a_refused_withdrawal_does_not_block_its_own_patient_from_being_right_after_all(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (number,) = handed(session, record()).records
        deliver(session)
        withdraw(session, number, reopen=True)
        outbox.mark_dead(session, claim(session).submission_id, reason="http-422", owner=ME, now=NOW)
        approve(session, number, "D1")
        assert deliver(session).status is ResultStatus.CORRECTED
        assert states(session)[1] == ("entered-in-error", "cancelled")


def test_a_withdrawal_does_not_wait_for_another_held_record_of_its_patient(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        deliver(session)
        handed(session, record(made=assessment(instrument="phq-9")))
        outbox.mark_held(session, claim(session).submission_id, reason="missing-total", owner=ME, now=NOW)
        withdraw(session, number)
        assert claim(session).status is ResultStatus.ENTERED_IN_ERROR


def test_another_day_is_withdrawn_first_and_then_sent_as_another_assessment(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        first = deliver(session)
        done = reassigning.reassign(
            session, number, assessment=assessment(authored_on=date(2026, 2, 1)), reason="x", actor="ida", now=NOW,
            destinations=(PORTAL,),
        )  # fmt: skip
        assert (done.withdrawals, done.duplicate_of) == (1, None)
        taking_back = deliver(session)
        new = claim(session)
        assert (taking_back.external_id, taking_back.status) == (first.external_id, ResultStatus.ENTERED_IN_ERROR)
        assert (new.status, new.patient_id) == (ResultStatus.FINAL, "D1")
        assert new.external_id != first.external_id


def test_another_day_that_is_known_with_the_same_values_makes_a_duplicate(database: Database) -> None:
    with database.session() as session:
        (known,) = handed(session, record(made=assessment(authored_on=date(2026, 2, 1)))).records
        deliver(session)
        (number,) = handed(session, record()).records
        deliver(session)
        done = reassigning.reassign(
            session, number, assessment=assessment(authored_on=date(2026, 2, 1)), reason="x", actor="ida", now=NOW,
            destinations=(PORTAL,),
        )  # fmt: skip
        assert done.duplicate_of == known
        kept = kept_records.get(session, number)
        assert kept.state is RecordState.DUPLICATE
        assert balance.of_report(session, kept.report_id).waiting == 1
        deliver(session)
        assert balance.of_report(session, kept.report_id).duplicate == 1


def test_the_same_day_is_no_reassignment(database: Database) -> None:
    with database.session() as session:
        (number,) = handed(session, record()).records
        with pytest.raises(DecisionRefusedError):
            reassigning.reassign(
                session, number, assessment=assessment(total=3), reason="x", actor="ida", now=NOW,
                destinations=(PORTAL,),
            )  # fmt: skip


def test_a_record_whose_message_was_given_up_counts_as_kept_from_the_portal_after_a_move(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1", "D2")
        (number,) = handed(session, record()).records
        deliver(session)
        withdraw(session, number, reopen=True)
        deliver(session)
        approve(session, number, "D2")
        outbox.cancel(session, outbox.list_submissions(session)[-1].submission.submission_id, actor="ida", now=NOW)
        report_id = kept_records.get(session, number).report_id
        assert (balance.of_report(session, report_id).sent, balance.of_report(session, report_id).rejected) == (0, 1)


def test_a_correction_that_could_mean_two_administrations_is_refused(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        handed(session, record())
        for total, as_ in ((12, ApprovedAs.SECOND_ADMINISTRATION), (13, ApprovedAs.CORRECTION)):
            (number,) = handed(session, record(Decision.REVIEW, made=assessment(total=total))).records
            if as_ is ApprovedAs.CORRECTION:
                with pytest.raises(DecisionRefusedError):
                    approve(session, number, "D1", as_)
            else:
                approve(session, number, "D1", as_)


def test_the_version_of_a_record_changes_with_every_decision(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (number,) = handed(session, record()).records
        seen = [amendments.version_of(session, number)]
        correct(session, number)
        seen.append(amendments.version_of(session, number))
        withdraw(session, number, reopen=True)
        seen.append(amendments.version_of(session, number))
        approve(session, number, "D1")
        seen.append(amendments.version_of(session, number))
        undoing.undo(session, number, actor="ida", now=NOW)
        seen.append(amendments.version_of(session, number))
        assert seen == sorted(set(seen))


def test_a_move_is_on_the_trails_of_both_patients(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1", "D2")
        (number,) = handed(session, record()).records
        deliver(session)
        corrections.enqueue_withdrawal(
            session, number, reason="mixed up", actor="ida", now=NOW, reopen=True, to_patient_id="D2"
        )
        approve(session, number, "D2")
        wrong, right = (patient_trail(session, site=SITE, patient_id=one) for one in ("D1", "D2"))
    assert [(one.status.value, one.state.value, one.other_patients) for one in wrong.told] == [
        ("final", "delivered", ("D2",)),
        ("entered-in-error", "pending", ("D2",)),
    ]
    assert [(one.status.value, one.other_patients) for one in right.told] == [("final", ("D1",))]
    for trail in (wrong, right):
        (moved,) = trail.amended
        assert (moved.kind, moved.patient_id, moved.to_patient_id, moved.actor, moved.reason) == (
            AmendmentKind.MOVED, "D1", "D2", "ida", "mixed up",
        )  # fmt: skip
    assert wrong.told[0].receipt is not None
    assert len(wrong.told[0].document_sha256) == 64


def test_a_trail_tells_of_one_patient_of_one_site_only(database: Database) -> None:
    with database.session() as session:
        handed(session, record(), record(patient_id="D2"))
        told = patient_trail(session, site=SITE, patient_id="D1").told
        assert len(told) == 1
        assert patient_trail(session, site="other", patient_id="D1").entries() == []


def test_two_clinics_day_of_one_portal_patient_are_two_assessments(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        other = taken(session, site="OTHER").report_id
        hand_over(session, other, outcome(record(made=assessment(total=4))), now=NOW)
        first, second = (one.submission for one in outbox.list_submissions(session))
        assert first.external_id != second.external_id
        assert second.status is ResultStatus.FINAL
