"""How the computed odds compare with what people found: fitted from their decisions, never from automatic results.

Weighted isotonic regression by pool-adjacent-violators (Ayer, Brunk, Ewing, Reid and Silverman 1955, Annals of
Mathematical Statistics 26:641) of right and wrong against log2 odds. The steps of the fitted line are drawn back to
what was computed by pseudo-counts, so that a few decisions change little.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import exp2, fsum, isfinite, log, log1p, log2
from typing import Final

Points = tuple[tuple[float, float], ...]

LEAST_LABELS: Final = 200
PSEUDO_COUNTS: Final = 200.0
_BINS: Final = 10
_LN2: Final = log(2)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Label:
    """What a person found of the best candidate of one match.

    Attributes:
        score: log2 odds of the candidate as computed.
        right: Whether the person chose this very patient.
        weight: How many matches the label stands for: 1 for a reviewed one, 1/share for one drawn at random.
    """

    score: float
    right: bool
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (isfinite(self.score) and isfinite(self.weight) and self.weight > 0):
            raise ValueError("a label has a finite score and a positive weight")


@dataclass(frozen=True, slots=True)
class _Step:
    """Neighbouring labels that are taken together; all but `weight` are means weighted by it."""

    weight: float
    score: float
    computed: float
    right: float


def fit(labels: Iterable[Label], *, prior: float = PSEUDO_COUNTS) -> Points:
    """Points (log2 odds as computed, log2 odds as they proved), ascending in both; () for fewer than 200 labels.

    The order of the labels plays no part.

    Args:
        labels: What people found, of reviewed matches and of blind audits.
        prior: Pseudo-counts above 0, spread evenly over the steps of the line, that hold it to the computed odds.
    """
    if prior <= 0:
        raise ValueError("the prior is above 0")
    ordered = sorted(labels)
    if len(ordered) < LEAST_LABELS:
        return ()
    observed = _pooled([_merged([_step(one) for one in same]) for _, same in groupby(ordered, lambda one: one.score)])
    # Equal parts of the prior hold a step of few labels more firmly; that can turn two steps round, hence pooled again.
    part = prior / len(observed)
    held = [_Step(step.weight + part, step.score, step.computed, _drawn_back(step, prior=part)) for step in observed]
    return tuple((step.score, _log2_odds(step.right)) for step in _pooled(held))


def calibrated(score: float, points: Points) -> float:
    """The log2 odds `score` as they proved by the points of `fit`; the score itself without points.

    Between points the line is straight, beyond them it keeps its distance. It lowers as far as the points say. It
    raises to even odds at most: since every threshold lies above them, no match becomes certain by it. A higher score
    never comes out lower.
    """
    if not points:
        return score
    place = bisect_right(points, score, key=lambda point: point[0])
    if place == 0:
        proved = score + points[0][1] - points[0][0]
    elif place == len(points):
        proved = score + points[-1][1] - points[-1][0]
    else:
        (low, low_proved), (high, high_proved) = points[place - 1], points[place]
        part = (score - low) / (high - low)
        proved = min(low_proved + part * (high_proved - low_proved), high_proved)
    return min(proved, max(score, 0.0))


def calibration_error(labels: Sequence[Label], points: Points = ()) -> float:
    """Expected calibration error, 0..1: the weighted mean of |probability - share right| over ten bins of probability.

    Naeini, Cooper and Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning". Without
    labels it is 0.
    """
    bins: dict[int, list[tuple[float, Label]]] = {}
    for label in sorted(labels):
        probability = probability_of(calibrated(label.score, points))
        bins.setdefault(min(int(probability * _BINS), _BINS - 1), []).append((probability, label))
    whole = fsum(label.weight for label in labels)
    gaps = [
        abs(fsum(label.weight * (probability - label.right) for probability, label in inside))
        for inside in bins.values()
    ]
    return fsum(gaps) / whole if whole else 0.0


def probability_of(score: float) -> float:
    """The probability of log2 odds, 0..1."""
    return 1 / (1 + exp2(-score)) if score > -1000 else 0.0


def _step(label: Label) -> _Step:
    return _Step(label.weight, label.score, probability_of(label.score), float(label.right))


def _pooled(steps: Iterable[_Step]) -> list[_Step]:
    """Steps whose share right ascends: whoever falls below its left neighbour is merged with it."""
    rising: list[_Step] = []
    for step in steps:
        last = step
        while rising and rising[-1].right >= last.right:
            last = _merged([rising.pop(), last])
        rising.append(last)
    return rising


def _merged(steps: Sequence[_Step]) -> _Step:
    if len(steps) == 1:
        return steps[0]
    whole = fsum(step.weight for step in steps)
    return _Step(
        whole,
        fsum(step.weight * step.score for step in steps) / whole,
        fsum(step.weight * step.computed for step in steps) / whole,
        fsum(step.weight * step.right for step in steps) / whole,
    )


def _drawn_back(step: _Step, *, prior: float) -> float:
    return (step.weight * step.right + prior * step.computed) / (step.weight + prior)


def _log2_odds(share: float) -> float:
    # Scores above 53 bits are a probability of exactly 1 to a float; 60 bits is further than any decision needs.
    if share <= 0:
        return -60.0
    if share >= 1:
        return 60.0
    return log2(share) - log1p(-share) / _LN2
