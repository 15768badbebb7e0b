"""Odds held against what people found."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.calibration import LEAST_LABELS, Label, calibrated, calibration_error, fit, probability_of

SCORES = st.floats(-25, 60, allow_nan=False)
LABELS = st.lists(
    st.builds(Label, score=SCORES, right=st.booleans(), weight=st.sampled_from((1.0, 1.0, 20.0, 100.0))),
    min_size=LEAST_LABELS,
    max_size=LEAST_LABELS + 60,
)


def honest(count: int, *, seed: int = 1) -> list[Label]:
    """Labels that prove right exactly as often as computed."""
    chance = random.Random(seed)
    scores = [chance.uniform(-8, 12) for _ in range(count)]
    return [Label(score=score, right=chance.random() < probability_of(score)) for score in scores]


def boastful(count: int, *, bits: float) -> list[Label]:
    """Labels whose scores are too high by so many bits."""
    return [replace(label, score=label.score + bits) for label in honest(count)]


@given(LABELS)
def test_points_ascend_in_both(labels: list[Label]) -> None:
    points = fit(labels)
    assert points
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(points))


@given(LABELS, SCORES, SCORES)
def test_a_higher_score_is_never_calibrated_lower(labels: list[Label], one: float, other: float) -> None:
    points = fit(labels)
    assert calibrated(min(one, other), points) <= calibrated(max(one, other), points)


@given(LABELS, st.randoms(use_true_random=False))
def test_the_order_of_the_labels_plays_no_part(labels: list[Label], chance: random.Random) -> None:
    shuffled = list(labels)
    chance.shuffle(shuffled)
    assert fit(shuffled) == fit(labels)


@given(LABELS, SCORES, st.floats(0.501, 0.99999))
def test_no_match_becomes_certain_by_it_whatever_the_threshold(
    labels: list[Label], score: float, threshold: float
) -> None:
    points = fit(labels)
    if probability_of(score) < threshold:
        assert probability_of(calibrated(score, points)) < threshold


@given(st.lists(st.builds(Label, score=SCORES, right=st.booleans()), max_size=LEAST_LABELS - 1))
def test_fewer_than_200_labels_change_nothing(labels: list[Label]) -> None:
    assert fit(labels) == ()


@given(SCORES)
def test_without_points_the_score_stays(score: float) -> None:
    assert calibrated(score, ()) == score


def test_scores_that_are_too_high_come_down() -> None:
    labels = boastful(5_000, bits=4)
    points = fit(labels)
    assert calibration_error(labels) > 0.08
    assert calibration_error(labels, points) < 0.02
    assert calibrated(10.0, points) < 8


def test_scores_that_prove_right_stay_nearly_as_they_are() -> None:
    labels = honest(5_000)
    points = fit(labels)
    assert calibration_error(labels, points) <= calibration_error(labels) + 0.01
    assert calibrated(0.0, points) == pytest.approx(0.0, abs=0.6)


def test_few_labels_are_held_to_the_computed_odds_by_the_pseudo_counts() -> None:
    labels = [Label(score=10.0, right=False)] + [Label(score=10.0, right=True)] * (LEAST_LABELS - 1)
    free, held = fit(labels, prior=1e-9), fit(labels)
    assert free[0][1] < held[0][1] < 10.0


def test_a_blind_audit_stands_for_the_matches_it_was_drawn_from() -> None:
    reviewed = [Label(score=12.0, right=False)] * 10 + [Label(score=12.0, right=True)] * 190
    audited = [Label(score=12.0, right=True, weight=100.0)] * 200
    assert fit(reviewed + audited)[0][1] > fit(reviewed)[0][1]


def test_a_label_without_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Label(score=float("nan"), right=True)
    with pytest.raises(ValueError, match="positive"):
        Label(score=1.0, right=True, weight=0.0)
    with pytest.raises(ValueError, match="prior"):
        fit([], prior=0)
