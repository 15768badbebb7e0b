"""How wrong a share may be that was seen in a sample. Pure."""

from __future__ import annotations

from math import exp, fsum, lgamma, log, log1p
from typing import Final

_HALVINGS: Final = 60  # more than a float can tell apart between 0 and 1


def upper_bound(errors: int, checked: int, *, confidence: float = 0.95) -> float:
    """The exact one-sided upper bound of an error rate after `errors` in `checked` independent checks, 0..1.

    Clopper and Pearson 1934, Biometrika 26:404: the rate at which so few errors or fewer would be seen with probability
    1 - `confidence`; for no error 1 - (1 - confidence)^(1/checked), near 3/checked. 1 without a check.
    """
    if not 0 <= errors <= checked:
        raise ValueError("errors lie between 0 and the number of checks")
    if not 0 < confidence < 1:
        raise ValueError("a confidence lies between 0 and 1")
    if errors == checked:
        return 1.0
    low, high = errors / checked, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _at_most(errors, checked, rate=middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def interval(errors: int, checked: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """The exact two-sided interval of an error rate (Clopper and Pearson), 0..1; 0 to 1 without a check.

    Each side leaves out half of 1 - `confidence`: quantiles of the beta distribution, as R's `binom.test` gives them.
    """
    tail = (1 - confidence) / 2
    high = upper_bound(errors, checked, confidence=1 - tail)
    if errors == 0:
        return 0.0, high
    low, seen = 0.0, errors / checked
    for _ in range(_HALVINGS):
        middle = (low + seen) / 2
        if _at_most(errors - 1, checked, rate=middle) > 1 - tail:
            low = middle
        else:
            seen = middle
    return low, high


def _at_most(errors: int, checked: int, *, rate: float) -> float:
    """The binomial probability of at most so many errors; `rate` lies strictly between 0 and 1 but for its ends."""
    if rate <= 0:
        return 1.0
    if rate >= 1:
        return 0.0
    ways = lgamma(checked + 1)
    return fsum(
        exp(
            ways - lgamma(count + 1) - lgamma(checked - count + 1)
            + count * log(rate) + (checked - count) * log1p(-rate)
        )
        for count in range(errors + 1)
    )  # fmt: skip
