"""The bench of matching counts what it says, and runs."""

from __future__ import annotations

import json
import os
from datetime import date
from importlib.util import find_spec

import pytest

from bench import matching
from bench.matching_answers import Answer, calibration_error, coverage_at, figures_of, refusals, wrong_kinds
from bench.matching_baselines import fuzzy_names, fuzzy_names_and_birth_dates, scorebridge
from bench.matching_people import SITE, PeopleSet, TruePrint, name_cell
from records.patient import PatientIdentity, RosterPatient

needs_bench = pytest.mark.skipif(
    os.environ.get("SCOREBRIDGE_NO_SKIP") != "1" and not all(map(find_spec, ("names", "recordlinkage", "splink"))),
    reason="needs the packages of requirements-bench.lock",
)
BORN = date(1980, 3, 14)
PATIENTS = tuple(
    RosterPatient(patient_id=number, site=SITE, family=family, given=given, birth_date=born)
    for number, family, given, born in (
        ("1", "Castell", "Maria", BORN),
        ("2", "Oyelaran", "Benjamin", date(1955, 11, 2)),
        ("3", "Lindqvist", "Charlotte", date(2001, 7, 29)),
    )
)


def printed(patient_id: str | None, *, family: str = "Castell", given: str = "Maria", born: date = BORN) -> TruePrint:
    identity = PatientIdentity(family=family, given=given, birth_date=born)
    return TruePrint(
        identity=PatientIdentity(name=name_cell(identity), family=family, given=given, birth_date=born),
        patient_id=patient_id,
        kind="clean",
    )


def answer(score: float, *, best: str | None = "1", truth: str | None = "1", automatic: bool = True) -> Answer:
    return Answer(printed=printed(truth), best=best, score=score, probability=score, automatic=automatic)


def test_a_match_of_somebody_not_on_the_roster_is_wrong() -> None:
    figures = figures_of([answer(0.9, truth=None), answer(0.9)])
    assert (figures.wrong, figures.automatic, figures.coverage) == (1, 2, 1.0)
    assert wrong_kinds([answer(0.9, truth=None), answer(0.9)]) == {"clean": 1}


def test_coverage_counts_listed_people_who_need_no_person() -> None:
    figures = figures_of([answer(0.9), answer(0.5, automatic=False), answer(0.4, truth=None, automatic=False)])
    assert figures.coverage == 0.5
    assert figures.best_recall == 1.0


def test_coverage_at_a_share_takes_the_lowest_cut_that_keeps_it() -> None:
    answers = [*[answer(0.9)] * 6, answer(0.8, truth=None), *[answer(0.7)] * 3, answer(0.6, best="2"), answer(0.5)]
    assert coverage_at(answers, 0.1, listed=10) == 0.9
    assert coverage_at(answers, 0.05, listed=10) == 0.6
    assert coverage_at(answers, 0.5, listed=10) == 1.0


def test_answers_of_equal_score_fall_on_the_same_side_of_a_cut() -> None:
    assert coverage_at([answer(0.9), answer(0.9), answer(0.9, truth=None)], 0.1, listed=2) == 0


def test_calibration_error_is_the_gap_between_probability_and_truth() -> None:
    fair = [*[answer(0.75)] * 3, answer(0.75, truth=None)]
    assert calibration_error(fair) == pytest.approx(0)
    assert calibration_error([answer(0.75)] * 4) == pytest.approx(0.25)
    assert calibration_error([answer(0.95), answer(0.15, truth=None)]) == pytest.approx(0.1)


def test_refusals_are_counted_for_listed_people_only() -> None:
    reasons, kinds = refusals([answer(0.5, automatic=False), answer(0.5, truth=None, automatic=False), answer(0.9)])
    assert (reasons.total(), kinds.total()) == (1, 1)


@pytest.mark.parametrize("method", [scorebridge, fuzzy_names, fuzzy_names_and_birth_dates])
def test_every_way_of_matching_answers_every_print_and_finds_whom_the_roster_has(method) -> None:
    people = PeopleSet(name="three", patients=PATIENTS, prints=tuple(_print_of(row) for row in PATIENTS))
    answers = list(method(people))
    assert [found.best for found in answers] == ["1", "2", "3"]
    assert all(found.right for found in answers)


def _print_of(row: RosterPatient) -> TruePrint:
    return printed(row.patient_id, family=row.family, given=row.given, born=row.birth_date or BORN)


def test_names_alone_match_a_namesake_that_the_birth_date_tells_apart() -> None:
    stranger = printed(None, born=date(1940, 1, 9))
    people = PeopleSet(name="namesake", patients=PATIENTS, prints=(stranger,))
    assert [found.automatic for found in fuzzy_names(people)] == [True]
    assert [found.automatic for found in fuzzy_names_and_birth_dates(people)] == [False]


@needs_bench
def test_the_bench_prints_one_object_of_figures_and_goals_last(capsys) -> None:
    status = matching.main(["--sets", "t1", "--seeds", "1", "--no-baselines", "--json"])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["bench"], set(last["goals"]) <= set(last["figures"])) == ("matching", True)
    assert last["figures"]["t1_prints"] == 5_000
    assert last["goals"]["t1_wrong"] == 0
    assert status == (last["figures"]["t1_wrong"] > 0)


@needs_bench
def test_splink_is_trained_and_asked_in_the_same_words() -> None:
    from bench.matching_prints import household_set
    from bench.matching_splink import splink

    people = household_set(1, size=800).printing(name="small")
    figures = figures_of(list(splink(people)))
    assert figures.prints == len(people.prints)
    assert figures.best_recall > 0.95
    assert figures.coverage > 0.5
