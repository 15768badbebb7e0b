"""What a way of matching answers for every print of a set, and the figures that come of it.

Terms: *automatic* is a print matched without a person; *wrong* is an automatic match to another patient than the true
one, or of somebody who is not on the roster; *coverage* is the share of prints whose person is on the roster that are
matched automatically and right. *Coverage at x* takes, by hindsight, the lowest cut of the score at which at most x of
the matches above it are wrong; answers of equal score fall on the same side. *Best-candidate recall* is the share of
prints of listed people whose best candidate is the true one, whatever its score. *Calibration error* is the mean gap
between the probability of the best candidate and the share that is right, over 20 bins of equal width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from bench.matching_people import PeopleSet, TruePrint

_BINS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer for one print.

    Attributes:
        best: `patient_id` of the best candidate, None if there is none.
        score: What the answers are ranked by; the higher the surer.
        probability: That the best candidate is right, 0..1.
        automatic: Whether it needs no person.
        reasons: Why it is not automatic.
    """

    printed: TruePrint
    best: str | None
    score: float
    probability: float
    automatic: bool
    reasons: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        return self.best is not None and self.best == self.printed.patient_id

    @property
    def listed(self) -> bool:
        return self.printed.patient_id is not None


Method = Callable[[PeopleSet], Iterable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one way of matching on one set, all seeds together; see the head of the module for the terms."""

    prints: int
    wrong: int
    automatic: int
    coverage: float
    gated_at_thousandth: float
    gated_at_ten_thousandth: float
    ranked_at_thousandth: float
    ranked_at_ten_thousandth: float
    calibration_error: float
    best_recall: float


def figures_of(answers: Sequence[Answer]) -> Figures:
    automatic = [answer for answer in answers if answer.automatic]
    listed = max(1, sum(answer.listed for answer in answers))
    return Figures(
        prints=len(answers),
        wrong=sum(not answer.right for answer in automatic),
        automatic=len(automatic),
        coverage=sum(answer.right for answer in automatic) / listed,
        gated_at_thousandth=coverage_at(automatic, 0.001, listed=listed),
        gated_at_ten_thousandth=coverage_at(automatic, 0.0001, listed=listed),
        ranked_at_thousandth=coverage_at(answers, 0.001, listed=listed),
        ranked_at_ten_thousandth=coverage_at(answers, 0.0001, listed=listed),
        calibration_error=calibration_error(answers),
        best_recall=sum(answer.right for answer in answers) / listed,
    )


def coverage_at(answers: Iterable[Answer], share: float, *, listed: int) -> float:
    """Right matches, of `listed`, above the lowest cut of the score that leaves at most `share` of them wrong."""
    found = sorted((answer for answer in answers if answer.best is not None), key=_score, reverse=True)
    right = above = most = 0
    for _, equal in groupby(found, key=_score):
        group = list(equal)
        above += len(group)
        right += sum(answer.right for answer in group)
        if above - right <= share * above:
            most = right
    return most / max(1, listed)


def _score(answer: Answer) -> float:
    return answer.score


def calibration_error(answers: Sequence[Answer]) -> float:
    """Mean gap between probability and share of right ones, weighted by the answers of each bin."""
    gaps: Counter[int] = Counter()
    for answer in answers:
        gaps[min(int(answer.probability * _BINS), _BINS - 1)] += answer.probability - answer.right
    return sum(map(abs, gaps.values())) / max(1, len(answers))


def wrong_kinds(answers: Iterable[Answer]) -> Counter[str]:
    """What kind of prints were matched wrongly."""
    return Counter(answer.printed.kind for answer in answers if answer.automatic and not answer.right)


def refusals(answers: Iterable[Answer]) -> tuple[Counter[str], Counter[str]]:
    """Why prints of listed people went to a person, by reason code, and what had befallen those prints."""
    refused = [answer for answer in answers if answer.listed and not answer.automatic]
    reasons = Counter(reason for answer in refused for reason in answer.reasons or ("none",))
    return reasons, Counter(answer.printed.kind for answer in refused)
