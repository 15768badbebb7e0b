"""How often each side was wrong, field by field."""

from __future__ import annotations

import pytest
from shadow_cases import as_typed, read, settled, two_weeks, typed

from matching.error_bound import interval
from records.comparison import ComparedValue, RecordPlace, Standing, Verdict
from store.shadow_figures import ErrorRate, Findings, Side, figures
from store.shadow_linkage import link

STAFF, OURS = Side.STAFF, Side.SCOREBRIDGE


def found(compared: tuple[ComparedValue, ...], *said: tuple[int, str, Verdict]) -> Findings:
    """Findings about the compared values at these places."""
    made = [settled(compared[at].key, field, verdict) for at, field, verdict in said]
    return {(one.record_id, one.typed_id, one.field): one for one in made}


def test_a_difference_counts_as_perhaps_wrong_on_both_sides_until_it_is_settled() -> None:
    compared = link([read(1)], [typed(1, total=19)], days=7)
    told = figures(compared, {})
    assert told.unsettled == 1
    assert told.rates["total", STAFF] == told.rates["total", OURS] == ErrorRate(wrong=0, unsettled=1, of=1)
    assert (told.rates["total", STAFF].low, told.rates["total", STAFF].high) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("verdict", "staff", "ours"),
    [
        (Verdict.SCOREBRIDGE_RIGHT, 1, 0),
        (Verdict.STAFF_RIGHT, 0, 1),
        (Verdict.BOTH_WRONG, 1, 1),
        (Verdict.NEITHER_WRONG, 0, 0),
    ],
)
def test_each_verdict_blames_whom_it_names(verdict: Verdict, staff: int, ours: int) -> None:
    compared = link([read(1)], [typed(1, total=19)], days=7)
    told = figures(compared, found(compared, (0, "total", verdict)))
    assert told.unsettled == 0
    for name in ("total", "overall"):
        assert (told.rates[name, STAFF].wrong, told.rates[name, OURS].wrong) == (staff, ours)
    assert told.rates["date", STAFF] == ErrorRate(wrong=0, unsettled=0, of=1)


def test_three_of_812_have_the_interval_of_the_tables() -> None:
    left = two_weeks(812)
    right = [as_typed(one, **({"total": 60} if one.record_id <= 3 else {})) for one in left]
    compared = link(left, right, days=7)
    said = {
        (one.key[0], one.key[1], "total"): settled(one.key, "total", Verdict.SCOREBRIDGE_RIGHT)
        for one in compared
        if one.differences
    }
    rate = figures(compared, said).rates["overall", STAFF]
    assert (rate.wrong, rate.of) == (3, 812)
    assert (round(rate.low, 4), round(rate.high, 4)) == (0.0008, 0.0108)
    assert figures(compared, said).rates["overall", OURS].high == interval(0, 812)[1]


def test_a_value_that_staff_omitted_is_theirs_and_one_of_nobody_leaves_the_count() -> None:
    compared = link([read(1), read(2, patient_id="D2")], [typed(1)], days=7)
    at = next(n for n, one in enumerate(compared) if one.standing is Standing.ONLY_READ)
    missed = figures(compared, found(compared, (at, "presence", Verdict.SCOREBRIDGE_RIGHT)))
    assert missed.rates["missing", STAFF] == ErrorRate(wrong=1, unsettled=0, of=2)
    assert missed.rates["missing", OURS] == ErrorRate(wrong=0, unsettled=0, of=1)
    later = figures(compared, found(compared, (at, "presence", Verdict.NEITHER_WRONG)))
    assert later.rates["missing", STAFF] == ErrorRate(wrong=0, unsettled=0, of=1)
    assert later.rates["overall", STAFF].of == 1


def test_a_doubled_value_is_one_too_many_of_staff() -> None:
    compared = link([read(1)], [typed(1), typed(2)], days=7)
    at = next(n for n, one in enumerate(compared) if one.standing is Standing.TYPED_AGAIN)
    told = figures(compared, found(compared, (at, "presence", Verdict.SCOREBRIDGE_RIGHT)))
    assert told.rates["one-too-many", STAFF] == ErrorRate(wrong=1, unsettled=0, of=2)


def test_a_value_that_scorebridge_missed_is_its_error() -> None:
    compared = link([], [typed(1)], days=7)
    told = figures(compared, found(compared, (0, "presence", Verdict.STAFF_RIGHT)))
    assert told.rates["missing", OURS] == ErrorRate(wrong=1, unsettled=0, of=1)


def test_what_waits_in_review_is_nobodys_error_and_is_told_apart() -> None:
    told = figures(link([read(1, place=RecordPlace.IN_REVIEW)], [typed(1, total=3)], days=7), {})
    assert told.standings[Standing.IN_REVIEW] == 1
    assert (told.unsettled, told.rates["overall", OURS].of) == (0, 0)


def test_what_went_without_a_person_has_a_rate_of_its_own() -> None:
    left = [read(1, by_person=True), read(2, patient_id="D2")]
    told = figures(link(left, [as_typed(one) for one in left], days=7), {})
    assert told.rates["overall", OURS].of == 2
    assert told.rates["overall-unattended", OURS].of == 1


def test_each_single_answer_counts() -> None:
    told = figures(link([read(1)], [typed(1, items=(1, 1, 1, 1, 1, 1, 1, 1, 0))], days=7), {})
    assert told.rates["answers", STAFF] == ErrorRate(wrong=0, unsettled=1, of=9)


def test_values_are_counted_by_the_day_of_their_administration() -> None:
    left = two_weeks(60)
    days = figures(link(left, [as_typed(one) for one in left[:-1]], days=7), {}).days
    assert (sum(one.read for one in days), sum(one.typed for one in days), sum(one.agree for one in days)) == (
        60,
        59,
        59,
    )
    assert [one.day for one in days] == sorted({one.administered_on for one in left if one.administered_on})
