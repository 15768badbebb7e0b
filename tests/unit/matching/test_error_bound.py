"""The exact bound of an error rate."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.error_bound import interval, upper_bound


@given(st.integers(1, 50_000))
def test_without_an_error_it_is_the_closed_form(checked: int) -> None:
    assert upper_bound(0, checked) == pytest.approx(1 - 0.05 ** (1 / checked), rel=1e-9)


# The upper limits of two-sided 90 % intervals, as in tables of the beta quantile: qbeta(0.95, x + 1, n - x).
@pytest.mark.parametrize(
    ("errors", "checked", "bound"),
    [(0, 30, 0.0950339), (1, 10, 0.3941633), (1, 100, 0.0465598), (2, 30, 0.1953262), (3, 10, 0.6066242)],
)
def test_it_is_the_quantile_of_the_beta_distribution(errors: int, checked: int, bound: float) -> None:
    assert upper_bound(errors, checked) == pytest.approx(bound, abs=5e-7)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_at_the_bound_so_few_errors_have_one_chance_in_twenty(sample: tuple[int, int]) -> None:
    errors, checked = sample
    rate = upper_bound(errors, checked)
    tail = sum(comb(checked, k) * rate**k * (1 - rate) ** (checked - k) for k in range(errors + 1))
    assert tail == pytest.approx(0.05, rel=1e-6)
    assert rate > errors / checked


def test_nothing_checked_says_nothing() -> None:
    assert upper_bound(0, 0) == 1.0
    assert upper_bound(7, 7) == 1.0


@pytest.mark.parametrize(("errors", "checked", "confidence"), [(2, 1, 0.95), (-1, 1, 0.95), (0, 1, 1.0)])
def test_a_sample_that_cannot_be_is_refused(errors: int, checked: int, confidence: float) -> None:
    with pytest.raises(ValueError):
        upper_bound(errors, checked, confidence=confidence)


# qbeta(0.025, x, n - x + 1) and qbeta(0.975, x + 1, n - x).
@pytest.mark.parametrize(
    ("errors", "checked", "low", "high"),
    [(0, 30, 0.0, 0.1157033), (1, 10, 0.0025286, 0.4450161), (3, 10, 0.0667395, 0.6524529), (10, 10, 0.6915029, 1.0)],
)
def test_the_interval_is_the_two_quantiles_of_the_beta_distribution(
    errors: int, checked: int, low: float, high: float
) -> None:
    assert interval(errors, checked) == pytest.approx((low, high), abs=5e-7)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_errors_and_successes_have_the_same_interval_mirrored(sample: tuple[int, int]) -> None:
    errors, checked = sample
    low, high = interval(errors, checked)
    assert interval(checked - errors, checked) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert low <= errors / checked <= high


def test_an_interval_of_nothing_checked_is_all_there_is() -> None:
    assert interval(0, 0) == (0.0, 1.0)
