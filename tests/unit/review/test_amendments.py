"""What a person can do about a record that was confirmed: one function each, whole or not at all."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from records.decision import Decision
from records.errors import DecisionRefusedError, StaleCaseError
from review import actions, amendments, patient_trails
from review.amendments import AfterWithdrawal, Amended, Undone
from store import alerts, audit, cases, kept_records, outbox
from store.kept_records import RecordState, StoredRecord
from tests.unit.review.review_clinic import AUDITED, DESTINATIONS, SITE, SURE, TODAY, Clinic, Row, answers, hand_in

NINE = answers(1, 1, 1, 1, 1, 1, 1, 1, 0)
PHQ = Row(who=AUDITED, match=SURE, reasons=(), total=8, items=NINE, critical=False)


@pytest.fixture
def record(clinic: Clinic) -> int:
    """A record that went out to D4 without a person."""
    return confirmed(clinic, PHQ)


def confirmed(clinic: Clinic, row: Row) -> int:
    report_id = hand_in(clinic.database, (row,), now=clinic.clock(), decision=Decision.CONFIRMED)
    with clinic.database.reading() as session:
        (kept,) = kept_records.of_report(session, report_id)
    return kept.record_id


def kept(clinic: Clinic, number: int) -> StoredRecord:
    with clinic.database.reading() as session:
        return kept_records.get(session, number)


def correct(clinic: Clinic, number: int, version: int | None = None, **changes: str) -> Amended:
    return amendments.correct(
        clinic.database,
        number,
        version=amendments.record_version(clinic.database, number) if version is None else version,
        changes={field.replace("item_", "item-"): text for field, text in changes.items()},
        actor="rita",
        now=clinic.clock(),
        today=TODAY,
        destinations=DESTINATIONS,
    )


def move(clinic: Clinic, number: int, patient_id: str, version: int | None = None) -> Amended:
    return amendments.move(
        clinic.database,
        number,
        version=amendments.record_version(clinic.database, number) if version is None else version,
        patient_id=patient_id,
        reason="mixed up",
        actor="rita",
        now=clinic.clock(),
        today=TODAY,
        destinations=DESTINATIONS,
    )


def test_a_correction_is_held_against_the_clinical_rules(clinic: Clinic, record: int) -> None:
    with pytest.raises(DecisionRefusedError):
        correct(clinic, record, total="28")
    with pytest.raises(DecisionRefusedError):
        correct(clinic, record, total="9")  # the answers add up to 8
    done = correct(clinic, record, total="9", item_8="2")
    assert (done.state, done.told) == (RecordState.CONFIRMED, len(DESTINATIONS))
    assert kept(clinic, record).assessment.total == 9


def test_an_answer_about_self_harm_that_was_read_too_low_alerts_with_its_correction(
    clinic: Clinic, record: int
) -> None:
    correct(clinic, record, total="10", item_9="2")
    with clinic.database.reading() as session:
        assert [alert.points for alert in alerts.of_record(session, record)] == [2]


def test_a_refused_correction_alerts_nobody(clinic: Clinic, record: int) -> None:
    with pytest.raises(DecisionRefusedError):
        correct(clinic, record, total="28", item_9="2")
    with clinic.database.reading() as session:
        assert alerts.of_record(session, record) == []


@pytest.mark.parametrize("field", ["authored_on", "authored_time", "instrument"])
def test_another_day_or_questionnaire_is_no_correction(clinic: Clinic, record: int, field: str) -> None:
    with pytest.raises(DecisionRefusedError, match="reassign"):
        correct(clinic, record, **{field: "2026-11-17"})


def test_of_two_clicks_at_once_the_second_is_refused(clinic: Clinic, record: int) -> None:
    seen = amendments.record_version(clinic.database, record)
    move(clinic, record, "D1", version=seen)
    with pytest.raises(StaleCaseError):
        move(clinic, record, "D2", version=seen)
    assert kept(clinic, record).patient_id == "D1"


def test_a_move_says_who_it_is_not_and_who_it_is(clinic: Clinic, record: int) -> None:
    done = move(clinic, record, "D1")
    assert (done.state, done.duplicate_of) == (RecordState.CONFIRMED, None)
    now = kept(clinic, record)
    assert (now.patient_id, now.confirmed_by) == ("D1", "rita")
    with clinic.database.reading() as session:
        actions_of_record = [one.event.action for one in audit.events(session, object_kind="record", limit=1000)]
        assert cases.of_record(session, record) is not None
        assert "record.withdrawn" in actions_of_record


def test_a_move_to_somebody_unknown_or_to_the_same_patient_changes_nothing(clinic: Clinic, record: int) -> None:
    for patient_id in ("D4", "nobody"):
        with pytest.raises(DecisionRefusedError):
            move(clinic, record, patient_id)
    assert kept(clinic, record).patient_id == "D4"


def test_a_move_to_a_patient_who_has_these_values_makes_a_duplicate_and_says_of_what(
    clinic: Clinic, record: int
) -> None:
    move(clinic, record, "D1")
    other = confirmed_for_d4_again(clinic)
    done = move(clinic, other, "D1")
    assert (done.state, done.duplicate_of) == (RecordState.DUPLICATE, record)


def test_a_move_to_a_patient_with_other_values_is_refused_whole_and_says_what_to_do(
    clinic: Clinic, record: int
) -> None:
    move(clinic, record, "D1")
    other = confirmed_for_d4_again(clinic, total=9, items=answers(2, 1, 1, 1, 1, 1, 1, 1, 0))
    with pytest.raises(DecisionRefusedError, match="correction or a second administration"):
        move(clinic, other, "D1")
    assert kept(clinic, other).patient_id == "D4"


def confirmed_for_d4_again(clinic: Clinic, **values: object) -> int:
    """Another print about D4; the veto that the move left sends it to a person, who says D4 after all."""
    row = replace(PHQ, **values) if values else PHQ
    report_id = hand_in(clinic.database, (replace(row, who=replace(AUDITED, mrn="BH-50022")),), now=clinic.clock())
    with clinic.database.reading() as session:
        (waiting,) = kept_records.of_report(session, report_id)
        case = cases.of_record(session, waiting.record_id)
    assert case is not None
    return actions.approve(
        clinic.database,
        case.case_id,
        version=case.version,
        patient_id="D4",
        actor="rita",
        now=clinic.clock(),
        today=TODAY,
        destinations=DESTINATIONS,
    ).record_id


def test_a_record_can_be_given_another_day_but_none_in_the_future(clinic: Clinic, record: int) -> None:
    def redate(day: str) -> Amended:
        return amendments.reassign(
            clinic.database,
            record,
            version=amendments.record_version(clinic.database, record),
            changes={"authored_on": day},
            reason="read wrongly",
            actor="rita",
            now=clinic.clock(),
            today=TODAY,
            destinations=DESTINATIONS,
        )

    with pytest.raises(DecisionRefusedError):
        redate("2999-01-01")
    redate("2026-11-10")
    now = kept(clinic, record)
    assert (now.assessment.authored_on, now.patient_id, now.state) == (date(2026, 11, 10), "D4", RecordState.CONFIRMED)


@pytest.mark.parametrize(
    ("reopen", "wrong_patient", "reasons"), [(True, True, ("vetoed",)), (True, False, ("taken-back",))]
)
def test_a_withdrawn_record_waits_for_review_and_its_patient_is_ruled_out_only_if_said_so(
    clinic: Clinic, record: int, reopen: bool, wrong_patient: bool, reasons: tuple[str, ...]
) -> None:
    withdraw(clinic, record, AfterWithdrawal(reopen=reopen, wrong_patient=wrong_patient))
    with clinic.database.reading() as session:
        case = cases.of_record(session, record)
    assert case is not None
    assert case.reasons == reasons


def withdraw(clinic: Clinic, number: int, after: AfterWithdrawal, reason: str = "looked again") -> Amended:
    return amendments.withdraw(
        clinic.database,
        number,
        version=amendments.record_version(clinic.database, number),
        reason=reason,
        after=after,
        actor="rita",
        now=clinic.clock(),
    )


def test_a_withdrawal_without_a_reason_and_a_second_one_are_refused(clinic: Clinic, record: int) -> None:
    closed = AfterWithdrawal(reopen=False, wrong_patient=False)
    with pytest.raises(DecisionRefusedError):
        withdraw(clinic, record, closed, reason=" ")
    withdraw(clinic, record, closed)
    with pytest.raises(DecisionRefusedError):
        withdraw(clinic, record, closed)
    with clinic.database.reading() as session:
        assert {one.state.value for one in outbox.list_submissions(session, record_id=record)} == {"cancelled"}


def test_an_undone_correction_leaves_the_earlier_values(clinic: Clinic, record: int) -> None:
    correct(clinic, record, total="9", item_8="2")
    version = amendments.record_version(clinic.database, record)
    undone = amendments.undo(clinic.database, record, version=version, actor="rita", now=clinic.clock())
    assert (undone, kept(clinic, record).assessment.total) == (Undone.CORRECTION, 8)


def test_looking_at_a_trail_is_audited_and_the_event_names_no_patient(clinic: Clinic, record: int) -> None:
    move(clinic, record, "D1")
    trail = patient_trails.look(clinic.database, site=SITE, patient_id="D1", actor="rita", now=clinic.clock())
    assert {entry.record_id for entry in trail.entries()} == {record}
    with clinic.database.reading() as session:
        viewed = [one.event for one in audit.events(session, limit=1000) if one.event.action == "patient.trail-viewed"]
    (event,) = viewed
    detail = dict(event.detail)
    assert (event.actor, event.object_id, detail.pop("records")) == ("rita", SITE, str(record))
    # Whom it showed is kept beside the chain; the event carries a code of that, not the patient.
    assert set(detail) == {"named"}
    assert re.fullmatch(r"[0-9a-f]{32,64}", detail["named"])


URGENT = replace(PHQ, total=9, items=answers(1, 1, 1, 1, 1, 1, 1, 1, 1), critical=True)


def test_one_person_cannot_take_an_answer_about_self_harm_out_of_a_confirmed_record(clinic: Clinic) -> None:
    number = confirmed(clinic, URGENT)
    with pytest.raises(DecisionRefusedError, match="Two people"):
        correct(clinic, number, total="8", item_9="0")
    for reopen in (False, True):
        version = amendments.record_version(clinic.database, number)
        after = AfterWithdrawal(reopen=reopen, wrong_patient=False)
        if not reopen:
            with pytest.raises(DecisionRefusedError, match="Two people"):
                amendments.withdraw(
                    clinic.database, number, version=version, reason="wrong", after=after, actor="rita",
                    now=clinic.clock(),
                )  # fmt: skip
            assert kept(clinic, number).state is RecordState.CONFIRMED
        else:
            amendments.withdraw(
                clinic.database, number, version=version, reason="wrong", after=after, actor="rita", now=clinic.clock()
            )
    with clinic.database.reading() as session:
        case = cases.of_record(session, number)
    assert case is not None
    assert case.critical


def test_one_person_cannot_take_back_that_an_answer_was_about_self_harm(clinic: Clinic, record: int) -> None:
    correct(clinic, record, total="9", item_9="1")
    version = amendments.record_version(clinic.database, record)
    with pytest.raises(DecisionRefusedError, match="Two people"):
        amendments.undo(clinic.database, record, version=version, actor="rita", now=clinic.clock())
    assert kept(clinic, record).assessment.critical


def test_one_person_moves_no_answer_about_self_harm_to_a_patient_who_is_not_likely(clinic: Clinic) -> None:
    number = confirmed(clinic, URGENT)
    with pytest.raises(DecisionRefusedError, match="Two people must say whose"):
        move(clinic, number, "D1")
    now = kept(clinic, number)
    assert (now.state, now.patient_id) == (RecordState.CONFIRMED, "D4")
