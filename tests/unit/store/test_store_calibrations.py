"""Calibrations are versions; they learn from people only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alias_cases import ADA, EVE, ZOE, approve, arrive, by_alias, candidate, case_of, listed, match_of, say
from store_cases import NOW, with_roster
from test_store_blind_audit import answer, confirmed, draw

from matching.calibration import Label
from records.decision import Evidence
from records.errors import DecisionRefusedError
from store import audit, blind_audit, calibrations, cases, match_labels
from store.blind_audit import Settled, Verdict
from store.database import Database, Session

POINTS = ((-3.0, -4.0), (8.5, 6.25))


def apply(session: Session) -> int:
    return calibrations.apply(
        session, POINTS, labels=250, error_before=0.05, error_after=0.01, actor="ida", now=NOW
    )  # fmt: skip


def test_without_a_calibration_the_odds_are_as_computed(database: Database) -> None:
    with database.reading() as session:
        assert calibrations.current(session) == ()
        assert calibrations.model_version(session).endswith("calibration 0")


def test_the_latest_calibration_is_in_use_and_an_earlier_one_comes_back_as_a_new_version(database: Database) -> None:
    with database.session() as session:
        assert apply(session) == 1
        assert calibrations.current(session) == POINTS
        assert calibrations.revert(session, 0, actor="ida", now=NOW) == 2
        assert calibrations.current(session) == ()
        assert calibrations.revert(session, 1, actor="ida", now=NOW) == 3
        assert calibrations.current(session) == POINTS
        assert [one.reverts_to for one in calibrations.list_calibrations(session)] == [1, 0, None]
        assert [one.event.action for one in audit.events(session, actor="ida")] == [
            "calibration.applied",
            "calibration.reverted",
            "calibration.reverted",
        ]
        with pytest.raises(DecisionRefusedError):
            calibrations.revert(session, 9, actor="ida", now=NOW)


def test_reviewed_matches_say_whether_the_best_candidate_was_right(database: Database) -> None:
    with database.session() as session:
        listed(session, ADA, EVE, ZOE)
        say(session, "D1")
        say(session, "D2", day=2)
        arrive(session, day=3)
        assert match_labels.labels(session) == [Label(score=6.0, right=True), Label(score=6.0, right=False)]


def test_a_candidate_that_was_ruled_out_was_wrong_even_before_anybody_is_chosen(database: Database) -> None:
    with database.session() as session:
        listed(session, ADA, EVE, ZOE)
        case = case_of(session, arrive(session))
        seen = cases.not_this_patient(session, case.case_id, "D1", actor="ida", now=NOW)
        assert match_labels.labels(session) == [Label(score=6.0, right=False)]
        approve(session, seen, "D2")
        assert match_labels.labels(session) == [Label(score=6.0, right=False)]


def test_automatic_results_teach_nothing_until_a_person_has_checked_them(database: Database) -> None:
    with database.session() as session:
        with_roster(session, "D1", "D2", "D3", "D4")
        confirmed(session, 4)
        assert match_labels.labels(session) == []
        draw(session, per_week=3, later=True)
        tasks = blind_audit.list_tasks(session)
        assert len(tasks) == 3
        chosen = {task.task_id: task.candidates[0] for task in tasks}
        answer(session, tasks[0], chosen[tasks[0].task_id])
        answer(session, tasks[1], Verdict.NONE_OF_THESE)
        answer(session, tasks[2], Verdict.CANNOT_TELL)
        weight = pytest.approx(4 / 3)
        assert [(one.right, one.weight) for one in match_labels.labels(session)] == [(True, weight), (False, weight)]
        blind_audit.settle(session, tasks[1].task_id, Settled.MATCH_WAS_RIGHT, actor="rosa", now=NOW)
        assert [one.right for one in match_labels.labels(session)] == [True, True]


def test_what_an_alias_confirmed_says_nothing_of_the_odds(database: Database) -> None:
    with database.session() as session:
        listed(session, ADA, EVE, ZOE)
        say(session)
        by_alias(session, day=2)
        draw(session, share=1.0)
        answer(session, blind_audit.list_tasks(session)[0], "D1")
        assert len(match_labels.labels(session)) == 1


def test_the_computed_score_leaves_out_what_was_added_later() -> None:
    bars = (
        Evidence(identifier="name", level="exact", weight=9.0),
        Evidence(identifier="calibration", level="lowered", weight=-2.0),
    )
    best = match_of(candidate("D1", 7.0)).candidates[0]
    assert match_labels.computed_score(replace(best, evidence=bars)) == 9.0
    vetoed = (Evidence(identifier="prior", level="vetoed", weight=-1000.0),)
    assert match_labels.computed_score(replace(best, evidence=vetoed)) is None
