"""A random part of the automatic matches is checked by people who do not know them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from alias_cases import ADA, EVE, ZOE, by_alias, listed, only, say
from store_cases import NOW, PORTAL, SITE, handed, match, outcome, patients, record, taken, with_roster

from matching.error_bound import upper_bound
from records.decision import Decision
from records.errors import DecisionRefusedError
from store import aliases, audit, automatic_matches, blind_audit, corrections, kept_records, notices, outbox, roster
from store.alias_states import AliasReason, AliasState
from store.blind_audit import AuditFigures, BlindAudit, Settled, Verdict
from store.database import Database, Session
from store.handover import hand_over
from store.kept_records import RecordState

LATER = NOW + timedelta(days=8)


def confirmed(session: Session, count: int, *, first: int = 1) -> list[int]:
    """So many records that went out without a person, each about a patient of its own."""
    records = [record(patient_id=f"D{number}") for number in range(first, first + count)]
    return list(hand_over(session, taken(session).report_id, outcome(*records), now=NOW).records)


def draw(session: Session, *, share: float = 0.0, per_week: int = 0, later: bool = False) -> int:
    return blind_audit.draw_due(session, share=share, per_week=per_week, now=LATER if later else NOW)


def one_task(session: Session) -> BlindAudit:
    """A check of a record of D1, on a roster with D2."""
    with_roster(session, "D1", "D2")
    confirmed(session, 1)
    draw(session, share=1.0)
    (task,) = blind_audit.list_tasks(session)
    return task


def answer(session: Session, task: BlindAudit, said: str | Verdict, *, actor: str = "ida") -> BlindAudit:
    verdict = said if isinstance(said, Verdict) else Verdict.PATIENT
    patient_id = None if isinstance(said, Verdict) else said
    return blind_audit.answer(session, task.task_id, verdict, patient_id=patient_id, actor=actor, now=NOW)


def test_the_share_is_drawn_at_once_and_each_record_only_once(database: Database) -> None:
    with database.session() as session:
        confirmed(session, 200)
        drawn = draw(session, share=0.1)
        assert 5 <= drawn <= 40
        assert draw(session, share=0.1) == 0
        assert len(blind_audit.list_tasks(session)) == drawn


def test_which_are_drawn_depends_on_the_records_alone(database: Database) -> None:
    with database.session() as session:
        confirmed(session, 100)
        draw(session, share=0.05)
        few = {task.record_id for task in blind_audit.list_tasks(session)}
        draw(session, share=0.2)
        assert few < {task.record_id for task in blind_audit.list_tasks(session)}


def test_what_a_person_confirmed_is_not_drawn(database: Database) -> None:
    with database.session() as session:
        handed(session, record(Decision.REVIEW, reasons=("twin",)))
        assert draw(session, share=1.0) == 0


def test_a_week_that_is_over_is_filled_up_to_the_least_number(database: Database) -> None:
    with database.session() as session:
        confirmed(session, 40)
        assert draw(session, per_week=30) == 0
        assert draw(session, per_week=30, later=True) == 30
        assert draw(session, share=1.0, per_week=40, later=True) == 0, "a week is closed for good"


def test_a_week_with_few_matches_is_checked_whole(database: Database) -> None:
    with database.session() as session:
        confirmed(session, 4)
        assert draw(session, per_week=30, later=True) == 4


def test_a_match_that_was_taken_back_meanwhile_can_still_be_drawn(database: Database) -> None:
    with database.session() as session:
        (number,) = confirmed(session, 1)
        corrections.enqueue_withdrawal(session, number, reason="wrong", actor="ida", now=NOW, reopen=True)
        assert draw(session, per_week=30, later=True) == 1


def test_the_week_begins_on_monday() -> None:
    assert automatic_matches.week_of(NOW) == date(2026, 3, 2)
    assert automatic_matches.week_of(NOW - timedelta(days=1)) == date(2026, 2, 23)


def test_drawing_holds_nothing_up(database: Database) -> None:
    with database.session() as session:
        one_task(session)
        assert [entry.submission.patient_id for entry in outbox.list_submissions(session)] == ["D1"]


def test_the_same_patient_agrees_and_nothing_is_said(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        assert answer(session, task, "D1").agrees is True
        assert notices.list_open(session) == []
        assert [one.event.action for one in audit.events(session, actor="ida")][-1] == "blind-audit.answered"


@pytest.mark.parametrize("said", ["D2", Verdict.NONE_OF_THESE])
def test_another_answer_is_told_and_changes_nothing_by_itself(database: Database, said: str | Verdict) -> None:
    with database.session() as session:
        task = one_task(session)
        assert answer(session, task, said).needs_second_look
        (told,) = notices.list_open(session)
        assert told.kind == "blind-audit-disagrees"
        assert "D1" not in told.sentence
        assert kept_records.get(session, task.record_id).state is RecordState.CONFIRMED
        assert blind_audit.list_tasks(session, unsettled=True)[0].task_id == task.task_id


def test_cannot_tell_is_neither_right_nor_wrong(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        assert answer(session, task, Verdict.CANNOT_TELL).agrees is None
        found = blind_audit.figures(session)
        assert (found.checked, found.cannot_tell, found.bound) == (0, 1, 1.0)
        assert blind_audit.list_tasks(session, unsettled=True) == []


def test_an_answer_is_given_once(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        answer(session, task, "D1")
        with pytest.raises(DecisionRefusedError):
            answer(session, task, "D2")


def test_an_answer_names_a_patient_of_the_site(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        with pytest.raises(DecisionRefusedError):
            answer(session, task, "D99")
        assert blind_audit.get(session, task.task_id).state is blind_audit.AuditState.OPEN


def test_nothing_tells_the_choice_before_the_answer(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        with pytest.raises(DecisionRefusedError):
            blind_audit.choices(session, task.task_id)
        answer(session, task, "D2")
        assert blind_audit.choices(session, task.task_id) == ("D1", "D2")


def test_candidates_stand_in_an_order_of_each_check(database: Database) -> None:
    with database.session() as session:
        ids = [f"D{number}" for number in range(6)]
        orders = {blind_audit.in_its_order(session, task, ids) for task in range(20)}
        assert len(orders) > 10
        assert blind_audit.in_its_order(session, 1, reversed(ids)) == blind_audit.in_its_order(session, 1, ids)


def test_the_patient_the_choice_was_merged_into_agrees(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        first, second = patients("D1", "D2")
        merged = replace(first, merged_into="D2")
        roster.replace(
            session, SITE, [merged, second], as_of=NOW, imported_from="r.csv", actor="ida", now=NOW,
            max_removed_share=1.0,
        )  # fmt: skip
        assert answer(session, task, "D2").agrees is True


def test_a_wrong_match_is_withdrawn_and_waits_for_review(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        answer(session, task, "D2")
        settled = blind_audit.settle(session, task.task_id, Settled.MATCH_WAS_WRONG, actor="ida", now=NOW)
        assert not settled.needs_second_look
        assert kept_records.get(session, task.record_id).state is RecordState.REVIEW
        assert notices.list_open(session) == []
        assert blind_audit.figures(session).wrong == 1
        with pytest.raises(DecisionRefusedError):
            blind_audit.settle(session, task.task_id, Settled.MATCH_WAS_RIGHT, actor="rosa", now=NOW)


def test_a_wrong_match_that_was_taken_back_already_can_be_settled(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        answer(session, task, "D2")
        corrections.enqueue_withdrawal(session, task.record_id, reason="wrong", actor="ida", now=NOW, reopen=True)
        blind_audit.settle(session, task.task_id, Settled.MATCH_WAS_WRONG, actor="ida", now=NOW)
        assert blind_audit.figures(session).unsettled == 0


def test_only_another_person_can_say_that_the_match_was_right(database: Database) -> None:
    with database.session() as session:
        task = one_task(session)
        answer(session, task, "D2")
        with pytest.raises(DecisionRefusedError):
            blind_audit.settle(session, task.task_id, Settled.MATCH_WAS_RIGHT, actor="ida", now=NOW)
        blind_audit.settle(session, task.task_id, Settled.MATCH_WAS_RIGHT, actor="rosa", now=NOW)
        assert kept_records.get(session, task.record_id).state is RecordState.CONFIRMED
        found = blind_audit.figures(session)
        assert (found.agreed, found.wrong) == (1, 0)


def test_an_answer_that_differs_suspends_the_alias_behind_the_match(database: Database) -> None:
    with database.session() as session:
        listed(session, ADA, EVE, ZOE)
        say(session)
        by_alias(session, day=2)
        draw(session, share=1.0)
        answer(session, blind_audit.list_tasks(session)[0], "D2")
        alias = only(session)
        assert (alias.state, alias.events[-1].reason) == (AliasState.SUSPENDED, AliasReason.BLIND_AUDIT)
        assert {one.kind for one in notices.list_open(session)} == {"alias-doubted", "blind-audit-disagrees"}
        say(session, day=3)
        assert aliases.list_aliases(session)[0].state is AliasState.AWAITING_SECOND


def test_the_figures_are_those_of_the_answers(database: Database) -> None:
    with database.session() as session:
        with_roster(session, *(f"D{number}" for number in range(1, 41)))
        confirmed(session, 40)
        draw(session, share=1.0)
        for number, task in enumerate(blind_audit.list_tasks(session)[:32]):
            chosen = kept_records.get(session, task.record_id).patient_id
            assert chosen is not None
            said: tuple[str | Verdict, ...] = (Verdict.CANNOT_TELL, Verdict.NONE_OF_THESE)
            answer(session, task, said[number] if number < 2 else chosen)
        found = blind_audit.figures(session)
        assert found == AuditFigures(
            automatic=40, drawn=40, waiting=8, agreed=30, wrong=1, unsettled=1, cannot_tell=1
        )  # fmt: skip
        assert (found.error_rate, found.bound) == (1 / 31, upper_bound(1, 31))
        assert blind_audit.figures(session, sites=("EAST",)).drawn == 0


def test_a_record_handed_over_by_the_gates_keeps_its_match_for_the_audit(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        number = handed(session, record(), destinations=(PORTAL,)).records[0]
        draw(session, share=1.0)
        (task,) = blind_audit.list_tasks(session)
    assert task.record_id == number
    assert task.candidates == tuple(one.patient_id for one in match("D1").candidates)
