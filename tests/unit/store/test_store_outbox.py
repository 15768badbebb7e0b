"""The outbox: each value once and in order."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from store_cases import NOW, PORTAL, SITE, assessment, handed, receipt, record, with_roster

from records.decision import Decision
from records.errors import DecisionRefusedError, StoreError
from records.submission import DeliveryState, ResultStatus, Submission
from store import audit, balance, cases, kept_records, outbox
from store.database import Database, Session
from store.kept_records import RecordState

LEASE = timedelta(minutes=2)
ME = "sender-1"


def claim(session: Session, *, at: timedelta = timedelta(), owner: str = ME, limit: int = 10) -> list[Submission]:
    return outbox.claim_due(session, now=NOW + at, lease=LEASE, limit=limit, owner=owner, destinations=(PORTAL,))


def deliver(session: Session, *, remote_id: str = "r-1") -> Submission:
    (claimed,) = claim(session)
    assert outbox.mark_delivered(session, claimed.submission_id, receipt(remote_id), owner=ME, now=NOW)
    return claimed


def state_of(session: Session, submission_id: int) -> DeliveryState:
    return outbox.entry(session, submission_id).state


def test_a_claimed_submission_is_nobody_elses(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        (claimed,) = claim(session)
        assert (claimed.attempts, claimed.was_unknown, claimed.payload) == (1, False, None)
        assert claim(session, owner="sender-2") == []


def test_other_destinations_and_paused_ones_are_left_alone(database: Database) -> None:
    with database.session() as session:
        handed(session, record(), destinations=("registry",))
        handed(session, record(patient_id="D2"))
        outbox.pause(session, PORTAL, reason="credentials", now=NOW)
        assert outbox.paused(session) == {PORTAL: "credentials"}
        assert claim(session) == []
        outbox.resume(session, PORTAL, actor="ida", now=NOW)
        assert [one.patient_id for one in claim(session)] == ["D2"]


def test_a_lease_that_ran_out_gives_the_submission_back_as_unknown(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        (first,) = claim(session)
        (second,) = claim(session, at=LEASE, owner="sender-2")
        assert (second.submission_id, second.was_unknown, second.attempts) == (first.submission_id, True, 2)
        assert second.idempotency_key == first.idempotency_key


def test_a_sender_that_lost_its_lease_changes_nothing(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        (claimed,) = claim(session)
        claim(session, at=LEASE, owner="sender-2")
        number = claimed.submission_id
        assert not outbox.mark_delivered(session, number, receipt(), owner=ME, now=NOW)
        assert not outbox.mark_dead(session, number, reason="400", owner=ME, now=NOW)
        assert not outbox.mark_held(session, number, reason="404", owner=ME, now=NOW)
        assert not outbox.mark_deferred(session, number, reason="503", due_at=NOW, owner=ME, now=NOW)
        assert not outbox.mark_unknown(session, number, reason="cut", due_at=NOW, owner=ME, now=NOW)
        assert not outbox.freeze(session, number, b"{}", "m1", owner=ME)
        assert state_of(session, number) is DeliveryState.SENDING


def test_a_payload_is_frozen_once(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        (claimed,) = claim(session)
        assert outbox.freeze(session, claimed.submission_id, b"first", "m1", owner=ME)
        assert outbox.freeze(session, claimed.submission_id, b"second", "m2", owner=ME)
        assert outbox.entry(session, claimed.submission_id).submission.payload == b"first"


def test_a_lost_answer_stays_lost_through_later_failures(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        (claimed,) = claim(session)
        later = NOW + timedelta(minutes=5)
        outbox.mark_unknown(session, claimed.submission_id, reason="cut", due_at=later, owner=ME, now=NOW)
        assert claim(session) == []
        (again,) = claim(session, at=timedelta(minutes=5))
        assert again.was_unknown
        outbox.mark_deferred(session, claimed.submission_id, reason="503", due_at=NOW, owner=ME, now=NOW)
        (third,) = claim(session)
        assert third.was_unknown


@pytest.mark.parametrize("end", ["deferred", "unknown", "held"])
def test_what_is_not_at_its_end_blocks_its_own_patient_only(database: Database, end: str) -> None:
    with database.session() as session:
        handed(session, record(), record(made=assessment(instrument="phq-9"), patient_id="D1"))
        handed(session, record(patient_id="D2"))
        first, other = claim(session)
        assert (first.patient_id, other.patient_id) == ("D1", "D2")
        later = NOW + timedelta(hours=1)
        number = first.submission_id
        if end == "deferred":
            outbox.mark_deferred(session, number, reason="503", due_at=later, owner=ME, now=NOW)
        elif end == "unknown":
            outbox.mark_unknown(session, number, reason="cut", due_at=later, owner=ME, now=NOW)
        else:
            outbox.mark_held(session, number, reason="404", owner=ME, now=NOW)
        assert claim(session) == []


@pytest.mark.parametrize("end", ["dead", "cancelled", "delivered"])
def test_what_is_at_its_end_lets_the_next_pass(database: Database, end: str) -> None:
    with database.session() as session:
        handed(session, record(), record(made=assessment(instrument="phq-9"), patient_id="D1"))
        if end == "cancelled":
            number = outbox.list_submissions(session)[0].submission.submission_id
            outbox.cancel(session, number, actor="ida", now=NOW)
        elif end == "dead":
            (first,) = claim(session)
            outbox.mark_dead(session, first.submission_id, reason="422", owner=ME, now=NOW)
        else:
            deliver(session)
        assert [one.sequence for one in claim(session)] == [2]


def test_submissions_of_a_patient_go_one_at_a_time_in_their_order(database: Database) -> None:
    with database.session() as session:
        days = [assessment(authored_time=f"{hour}:00") for hour in range(8, 13)]
        handed(session, *(record(made=made) for made in days))
        sent = [deliver(session).sequence for _ in days]
    assert sent == [1, 2, 3, 4, 5]


def test_several_senders_never_hold_the_same_submission(database: Database) -> None:
    with database.session() as session:
        handed(session, *(record(patient_id=f"D{number}") for number in range(60)))
    held: list[int] = []
    lock = threading.Lock()

    def work(owner: str) -> None:
        while True:
            with database.session() as session:
                claimed = claim(session, owner=owner, limit=3)
            if not claimed:
                return
            with lock:
                held.extend(one.submission_id for one in claimed)
            with database.session() as session:
                for one in claimed:
                    assert outbox.mark_delivered(session, one.submission_id, receipt(), owner=owner, now=NOW)

    threads = [threading.Thread(target=work, args=(f"sender-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == len(set(held)) == 60
    with database.reading() as session:
        assert outbox.counts(session)["delivered"] == 60


def test_the_idempotency_key_outlives_a_restart_and_differs_between_installations(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        first = outbox.list_submissions(session)[0].submission
    with database.reading() as session:
        assert outbox.list_submissions(session)[0].submission.idempotency_key == first.idempotency_key
    assert first.external_id.isalnum()
    assert len(first.external_id) == 32
    assert "D1" not in first.external_id


def test_a_corrected_record_updates_what_the_portal_has(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record()).records[0]
        first = deliver(session, remote_id="remote-7")
        outbox.enqueue_correction(
            session, number, assessment=assessment(total=11), actor="ida", now=NOW, destinations=(PORTAL,)
        )
        (second,) = claim(session)
        assert (second.status, second.revision, second.remote_id) == (ResultStatus.CORRECTED, 2, "remote-7")
        assert second.external_id == first.external_id
        assert second.idempotency_key != first.idempotency_key
        told = outbox.told_by(session, [second.submission_id])[second.submission_id]
        assert told.assessment.total == 11


def test_a_message_keeps_the_values_it_was_confirmed_with(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record()).records[0]
        first = outbox.list_submissions(session)[0].submission
        outbox.enqueue_correction(
            session, number, assessment=assessment(total=11), actor="ida", now=NOW, destinations=(PORTAL,)
        )
        told = outbox.told_by(session, [first.submission_id])[first.submission_id]
        assert told.assessment.total == 9
        assert outbox.confirmed_record(session, number).assessment.total == 11


@pytest.mark.parametrize(
    "change", [{"instrument": "phq-9"}, {"authored_time": "9:00"}, {"total": None}, {"severity": "other word"}]
)
def test_a_correction_of_anything_but_values_is_refused(database: Database, change: dict[str, object]) -> None:
    with database.session() as session:
        number = handed(session, record()).records[0]
    with pytest.raises(DecisionRefusedError), database.session() as session:
        outbox.enqueue_correction(
            session, number, assessment=assessment(**change), actor="ida", now=NOW, destinations=(PORTAL,)
        )


def test_a_withdrawal_cancels_what_never_left(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record()).records[0]
        assert outbox.enqueue_withdrawal(session, number, reason="x", actor="ida", now=NOW, reopen=False) == 0
        (only,) = outbox.list_submissions(session)
        assert only.state is DeliveryState.CANCELLED
        kept = kept_records.get(session, number)
        assert kept.state is RecordState.WITHDRAWN
        assert balance.of_report(session, kept.report_id).rejected == 1


def test_a_withdrawal_of_what_may_have_arrived_is_sent(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record()).records[0]
        (claimed,) = claim(session)
        outbox.mark_unknown(session, claimed.submission_id, reason="cut", due_at=NOW, owner=ME, now=NOW)
        assert outbox.enqueue_withdrawal(session, number, reason="x", actor="ida", now=NOW, reopen=False) == 1
        assert deliver(session).submission_id == claimed.submission_id
        (withdrawal,) = claim(session)
        assert (withdrawal.status, withdrawal.remote_id) == (ResultStatus.ENTERED_IN_ERROR, "r-1")
        report_id = kept_records.get(session, number).report_id
        assert balance.of_report(session, report_id).waiting == 1
        outbox.mark_delivered(session, withdrawal.submission_id, receipt(), owner=ME, now=NOW)
        assert balance.of_report(session, report_id).rejected == 1


def test_the_right_patient_gets_the_value_only_after_the_wrong_one_has_lost_it(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1", "D2")
        number = handed(session, record()).records[0]
        deliver(session)
        outbox.enqueue_withdrawal(session, number, reason="wrong patient", actor="ida", now=NOW, reopen=True)
        (case,) = cases.list_open(session)
        assert case.reasons == ("vetoed",)
        cases.approve(
            session,
            case.case_id,
            version=case.version,
            patient_id="D2",
            actor="ida",
            now=NOW,
            destinations=(PORTAL,),
        )
        (withdrawal,) = claim(session)
        assert (withdrawal.patient_id, withdrawal.status) == ("D1", ResultStatus.ENTERED_IN_ERROR)
        told = outbox.told_by(session, [withdrawal.submission_id])[withdrawal.submission_id]
        assert told.patient_id == "D1"
        outbox.mark_delivered(session, withdrawal.submission_id, receipt(), owner=ME, now=NOW)
        (right,) = claim(session)
        assert (right.patient_id, right.status, right.remote_id) == ("D2", ResultStatus.FINAL, None)
        assert right.external_id != withdrawal.external_id


def test_a_later_value_replaces_one_that_was_refused_for_good(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record()).records[0]
        (first,) = claim(session)
        outbox.mark_dead(session, first.submission_id, reason="422", owner=ME, now=NOW)
        outbox.enqueue_correction(
            session, number, assessment=assessment(total=11), actor="ida", now=NOW, destinations=(PORTAL,)
        )
        later = deliver(session)
        assert later.status is ResultStatus.FINAL
        assert state_of(session, first.submission_id) is DeliveryState.CANCELLED


def test_a_dead_submission_is_resent_under_a_new_key_with_a_new_payload(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        (first,) = claim(session)
        outbox.freeze(session, first.submission_id, b"bad mapping", "m1", owner=ME)
        outbox.mark_dead(session, first.submission_id, reason="422", owner=ME, now=NOW)
        outbox.resend(session, first.submission_id, actor="ida", now=NOW)
        (again,) = claim(session)
        assert again.payload is None
        assert again.idempotency_key != first.idempotency_key
        assert again.external_id == first.external_id


def test_an_old_value_is_not_resent_over_a_later_one(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record()).records[0]
        (first,) = claim(session)
        outbox.mark_dead(session, first.submission_id, reason="422", owner=ME, now=NOW)
        outbox.enqueue_correction(
            session, number, assessment=assessment(total=11), actor="ida", now=NOW, destinations=(PORTAL,)
        )
        claim(session)
        with pytest.raises(DecisionRefusedError):
            outbox.resend(session, first.submission_id, actor="ida", now=NOW)


def test_what_may_be_at_the_portal_cannot_be_cancelled(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        (claimed,) = claim(session)
        with pytest.raises(DecisionRefusedError):
            outbox.cancel(session, claimed.submission_id, actor="ida", now=NOW)
        outbox.mark_unknown(session, claimed.submission_id, reason="cut", due_at=NOW, owner=ME, now=NOW)
        with pytest.raises(DecisionRefusedError):
            outbox.cancel(session, claimed.submission_id, actor="ida", now=NOW)


def test_held_submissions_are_released_by_reason(database: Database) -> None:
    with database.session() as session:
        handed(session, record(), record(patient_id="D2"))
        first, second = claim(session)
        outbox.mark_held(session, first.submission_id, reason="shadow", owner=ME, now=NOW)
        outbox.mark_held(session, second.submission_id, reason="404", owner=ME, now=NOW)
        day = kept_records.get(session, first.record_id).day
        split = balance.split_of_day(session, site=SITE, day=day)
        assert (split["shadow"], split["held"]) == (1, 1)
        assert outbox.release_held(session, PORTAL, "shadow", actor="dana", now=NOW) == 1
        assert outbox.release_held(session, PORTAL, "shadow", actor="dana", now=NOW) == 0
        last = audit.events(session, limit=1000)[-1].event
        assert (last.actor, last.action, last.object_id) == ("dana", "destination.released", PORTAL)
        assert [one.submission_id for one in claim(session)] == [first.submission_id]


def test_a_record_is_sent_when_every_destination_has_it(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record(), destinations=("registry", PORTAL)).records[0]
        report_id = kept_records.get(session, number).report_id
        deliver(session)
        assert balance.of_report(session, report_id).waiting == 1
        (second,) = outbox.claim_due(session, now=NOW, lease=LEASE, limit=1, owner=ME, destinations=("registry",))
        outbox.mark_delivered(session, second.submission_id, receipt(), owner=ME, now=NOW)
        assert balance.of_report(session, report_id).sent == 1


def test_delivery_is_audited_without_patient_data(database: Database) -> None:
    with database.session() as session:
        handed(session, record())
        deliver(session)
        trail = audit.events(session, object_kind="submission")
    assert [one.event.action for one in trail] == ["submission.delivered"]
    assert dict(trail[0].event.detail) == {"destination": PORTAL, "http": "201", "found": "False"}


def test_a_record_that_nobody_confirmed_has_no_payload(database: Database) -> None:
    with database.session() as session:
        number = handed(session, record(Decision.REVIEW)).records[0]
        with pytest.raises(StoreError):
            outbox.confirmed_record(session, number)
        assert outbox.oldest_waiting(session) is None


def test_a_long_blocked_queue_of_one_patient_hides_nobody_elses(database: Database) -> None:
    with database.session() as session:
        hours = (record(made=assessment(authored_time=str(number))) for number in range(450))
        handed(session, *hours)
        handed(session, record(patient_id="D2"))
        first, other = claim(session)
        assert (first.sequence, other.patient_id) == (1, "D2")
        outbox.mark_held(session, first.submission_id, reason="404", owner=ME, now=NOW)
        outbox.mark_delivered(session, other.submission_id, receipt(), owner=ME, now=NOW)
        assert claim(session) == []


def held_although_it_may_be_there(session: Session) -> tuple[int, Submission]:
    """A record whose first answer was lost, and whose second attempt the portal did not let in."""
    number = handed(session, record()).records[0]
    (claimed,) = claim(session)
    outbox.mark_unknown(session, claimed.submission_id, reason="cut", due_at=NOW, owner=ME, now=NOW)
    (again,) = claim(session)
    outbox.mark_held(session, again.submission_id, reason="http-403", owner=ME, now=NOW)
    return number, again


def test_a_withdrawal_does_not_wait_for_the_held_value_that_it_takes_back(database: Database) -> None:
    with database.session() as session:
        number, held = held_although_it_may_be_there(session)
        assert outbox.enqueue_withdrawal(session, number, reason="x", actor="ida", now=NOW, reopen=False) == 1
        withdrawal = deliver(session)
        assert withdrawal.status is ResultStatus.ENTERED_IN_ERROR
        assert state_of(session, held.submission_id) is DeliveryState.CANCELLED
        assert claim(session, at=LEASE * 2) == []


def test_a_value_let_go_while_it_is_withdrawn_does_not_come_back(database: Database) -> None:
    with database.session() as session:
        number, held = held_although_it_may_be_there(session)
        outbox.enqueue_withdrawal(session, number, reason="x", actor="ida", now=NOW, reopen=False)
        (withdrawal,) = claim(session)
        outbox.release_held(session, PORTAL, actor="ida", now=NOW)
        assert claim(session) == []
        outbox.mark_delivered(session, withdrawal.submission_id, receipt(""), owner=ME, now=NOW)
        assert state_of(session, held.submission_id) is DeliveryState.CANCELLED
        assert claim(session, at=LEASE * 2) == []
