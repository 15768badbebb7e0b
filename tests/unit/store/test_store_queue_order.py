"""Who meets which case next, and who has it open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from records.case import RejectReason
from records.decision import Decision
from records.errors import CaseTakenError
from store import case_locks, cases, queue_order, registrations, second_words
from store.database import Database, Session
from store.handover import hand_over
from tests.unit.store.store_cases import NOW, SITE, assessment, outcome, record, taken, with_roster

LATER = NOW + timedelta(hours=12)


def waiting(session: Session, number: int, *, critical: bool = False, site: str = SITE) -> list[int]:
    """This many cases, each a minute younger than the one before."""
    made = []
    for at in range(number):
        report = taken(session, site=site)
        one = record(
            Decision.REVIEW, made=replace(assessment(), critical=critical), fingerprint=f"{site}{critical}{at}"
        )
        done = hand_over(session, report.report_id, outcome(one), now=NOW + timedelta(minutes=at))
        case = cases.of_record(session, done.records[0])
        assert case is not None
        made.append(case.case_id)
    return made


def walk(session: Session, *, actor: str = "ida", sites: tuple[str, ...] | None = None) -> list[int]:
    """All cases as this person meets them with “next”, until it begins again."""
    met: list[int] = []
    at = queue_order.next_case(session, actor=actor, sites=sites, after=None, now=LATER)
    while at is not None and at not in met:
        met.append(at)
        at = queue_order.next_case(session, actor=actor, sites=sites, after=at, now=LATER)
    return met


def test_answers_about_self_harm_come_first_then_the_oldest_then_what_was_skipped(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        plain, urgent = waiting(session, 3), waiting(session, 2, critical=True)
        assert walk(session) == [*urgent, *plain]
        queue_order.skip(session, urgent[0], actor="ida", until=LATER + timedelta(hours=1))
        queue_order.skip(session, plain[0], actor="ida", until=LATER + timedelta(hours=1))
        assert walk(session) == [urgent[1], plain[1], plain[2], urgent[0], plain[0]]
        assert walk(session, actor="ben") == [*urgent, *plain]
        queue_order.skip(session, plain[0], actor="ida", until=LATER)
        assert walk(session) == [urgent[1], *plain, urgent[0]], "the day is over"


def test_going_back_meets_the_same_cases_the_other_way_round(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        plain, urgent = waiting(session, 3), waiting(session, 2, critical=True)
        queue_order.skip(session, plain[1], actor="ida", until=LATER + timedelta(hours=1))
        order = walk(session)
        assert order[-1] == plain[1]
        assert len(order) == len(plain) + len(urgent)
        for at, case_id in enumerate(order):
            before = queue_order.previous_case(session, actor="ida", sites=None, before=case_id, now=LATER)
            assert before == (order[at - 1] if at else None)
            place = queue_order.position(session, case_id, actor="ida", sites=None, now=LATER)
            assert (place.place, place.waiting) == (at + 1, 5)


def test_a_person_meets_only_cases_of_the_sites_they_see(database: Database) -> None:
    with database.session() as session:
        for site in (SITE, "EAST"):
            with_roster(session, "D1" if site == SITE else "E1", site=site)
        here, there = waiting(session, 2), waiting(session, 2, site="EAST")
        assert walk(session, sites=(SITE,)) == here
        assert walk(session, sites=("EAST",)) == there
        assert walk(session, sites=()) == []
        assert queue_order.position(session, there[0], actor="ida", sites=(SITE,), now=LATER).place is None
        assert cases.count_open(session, sites=("EAST",)) == 2
        assert [one.case_id for one in cases.list_open(session, site="EAST", sites=(SITE,))] == []


def test_a_list_in_parts_is_the_whole_list(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        plain, urgent = waiting(session, 4), waiting(session, 3, critical=True)
        for size in range(1, 9):
            parts = [
                one.case_id for start in range(0, 9, size) for one in cases.list_open(session, limit=size, offset=start)
            ]
            assert parts == [*urgent, *plain]


def test_what_somebody_else_has_open_is_passed_over_until_five_minutes_without_a_sign_of_life(
    database: Database,
) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        first, second = waiting(session, 2)
        case_locks.open_case(session, first, actor="ben", now=LATER)
        assert walk(session) == [second]
        assert walk(session, actor="ben") == [first, second]
        shown = case_locks.open_case(session, first, actor="ida", now=LATER + timedelta(minutes=2))
        assert (shown.holder, shown.is_mine, shown.since) == ("ben", False, LATER)
        case_locks.renew(session, first, actor="ben", now=LATER + timedelta(minutes=4))
        assert not case_locks.open_case(session, first, actor="ida", now=LATER + timedelta(minutes=8)).is_mine
        assert case_locks.open_case(session, first, actor="ida", now=LATER + timedelta(minutes=9)).is_mine
        lost = case_locks.renew(session, first, actor="ben", now=LATER + timedelta(minutes=9))
        assert (lost.holder, lost.is_mine) == ("ida", False)


def test_a_case_can_be_taken_over_and_given_back(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (case_id,) = waiting(session, 1)
        case_locks.open_case(session, case_id, actor="ben", now=LATER)
        case_locks.release(session, case_id, actor="ida")
        with pytest.raises(CaseTakenError) as refused:
            case_locks.hold(session, case_id, actor="ida", now=LATER)
        assert (refused.value.holder, refused.value.since) == ("ben", LATER)
        assert case_locks.take_over(session, case_id, actor="ida", now=LATER).is_mine
        with pytest.raises(CaseTakenError):
            case_locks.hold(session, case_id, actor="ben", now=LATER)
        case_locks.release(session, case_id, actor="ida")
        case_locks.hold(session, case_id, actor="ben", now=LATER)
        assert case_locks.current(session, case_id, actor="ben", now=LATER).is_mine


def test_a_decided_case_is_held_by_nobody(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        (case_id,) = waiting(session, 1)
        version = cases.get(session, case_id).version
        case_locks.open_case(session, case_id, actor="ben", now=LATER)
        cases.reject(session, case_id, version=version, reason=RejectReason.UNREADABLE, note="", actor="ben", now=LATER)
        for lock in (
            case_locks.open_case(session, case_id, actor="ida", now=LATER),
            case_locks.take_over(session, case_id, actor="ida", now=LATER),
            case_locks.current(session, case_id, actor="ben", now=LATER),
        ):
            assert (lock.holder, lock.is_mine) == (None, False)


def test_whoever_has_said_who_it_is_meets_the_case_again_only_when_contradicted(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1", "D2")
        first, second = waiting(session, 2, critical=True)
        second_words.say(session, first, patient_id="D1", actor="ida", now=NOW)
        assert walk(session) == [second]
        assert walk(session, actor="ben") == [first, second]
        second_words.say(session, first, patient_id="D2", actor="ben", now=NOW)
        assert walk(session) == walk(session, actor="ben") == [first, second]
        second_words.say(session, first, patient_id="D1", actor="ben", now=NOW)
        assert second_words.is_seconded(session, first, patient_id="D1", actor="ida")


def test_a_parked_case_waits_but_is_offered_to_nobody_until_it_is_brought_back(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1")
        first, second = waiting(session, 2)
        registrations.park(session, first, version=cases.get(session, first).version, actor="ida", now=LATER)
        assert walk(session) == [second]
        assert cases.count_open(session) == 1
        (parked,) = registrations.list_parked(session, sites=(SITE,))
        assert (parked.case_id, parked.parked_by) == (first, "ida")
        assert registrations.list_parked(session, sites=("EAST",)) == ()
        assert registrations.overtaken(session) == ()
        with_roster(session, "D1", "D2")
        assert registrations.overtaken(session) == (first,)
        registrations.bring_back(session, first, actor="service", now=LATER)
        assert walk(session) == [first, second]
        assert registrations.count(session, sites=None) == 0
