"""Which typed value belongs to which record, and what differs, whichever side was wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shadow_cases import DAY, as_typed, read, two_weeks, typed

from records.comparison import ComparedValue, RecordPlace, Standing, Verdict
from store.shadow_linkage import link

D = Standing.DIFFERS


def only(compared: tuple[ComparedValue, ...]) -> ComparedValue:
    (one,) = compared
    return one


def standings(compared: tuple[ComparedValue, ...]) -> list[Standing]:
    return sorted(one.standing for one in compared)


def test_the_same_values_agree_in_every_field() -> None:
    found = only(link([read(1)], [typed(1)], days=7))
    assert found.standing is Standing.AGREES
    assert [one.field for one in found.fields][:4] == ["patient", "instrument", "date", "total"]
    assert len(found.fields) == 13
    assert found.differences == ()


@pytest.mark.parametrize(
    ("mistake", "differing"),
    [
        ({"total": 19}, ("total",)),
        ({"items": (1, 1, 1, 3, 1, 1, 1, 1, 1)}, ("item-4",)),
        ({"patient_id": "D7"}, ("patient",)),
        ({"administered_on": DAY + timedelta(days=1)}, ("date",)),
        ({"instrument": "phq-8", "items": None}, ("instrument",)),
    ],
)
@pytest.mark.parametrize("by_staff", [True, False])
def test_a_slip_of_either_side_is_found_in_its_field_and_nowhere_else(
    mistake: dict[str, object], differing: tuple[str, ...], by_staff: bool
) -> None:
    left = read(1) if by_staff else replace(read(1), **mistake)  # type: ignore[arg-type]
    right = typed(1, **mistake) if by_staff else typed(1)
    found = only(link([left], [right], days=7))
    assert (found.standing, found.differences) == (D, differing)


def test_an_omitted_value_is_missing_with_staff() -> None:
    assert standings(link([read(1), read(2, patient_id="D2")], [typed(1)], days=7)) == [
        Standing.AGREES,
        Standing.ONLY_READ,
    ]


def test_a_doubled_value_says_which_one_it_repeats() -> None:
    compared = link([read(1)], [typed(1), typed(2)], days=7)
    doubled = next(one for one in compared if one.standing is Standing.TYPED_AGAIN)
    assert (doubled.like, doubled.differences) == (1, ("presence",))


def test_a_record_that_scorebridge_has_twice_says_which_one_it_repeats() -> None:
    compared = link([read(1), read(2)], [typed(1)], days=7)
    assert [one.like for one in compared if one.standing is Standing.READ_AGAIN] == [1]


def test_a_record_that_scorebridge_lacks_is_only_typed() -> None:
    assert only(link([], [typed(1)], days=7)).standing is Standing.ONLY_TYPED


@pytest.mark.parametrize(
    ("place", "standing"),
    [
        (RecordPlace.IN_REVIEW, Standing.IN_REVIEW),
        (RecordPlace.REJECTED, Standing.REJECTED),
        (RecordPlace.WITHDRAWN, Standing.WITHDRAWN),
    ],
)
def test_a_typed_value_that_scorebridge_does_not_send_says_where_it_is(place: RecordPlace, standing: Standing) -> None:
    assert only(link([read(1, place=place)], [typed(1)], days=7)).standing is standing


def test_a_record_in_review_without_a_patient_is_found_by_what_else_it_says() -> None:
    found = only(link([read(1, place=RecordPlace.IN_REVIEW, patient_id=None)], [typed(1)], days=7))
    assert found.standing is Standing.IN_REVIEW


def test_what_would_be_sent_comes_before_what_waits() -> None:
    waiting = read(1, place=RecordPlace.IN_REVIEW)
    compared = link([waiting, read(2)], [typed(5)], days=7)
    assert [one.key for one in compared] == [(2, 5)]


def test_of_two_administrations_of_a_day_the_equal_scores_find_each_other() -> None:
    first, second = read(1, total=9, items=None), read(2, total=14, items=None)
    compared = link([first, second], [typed(1, total=14, items=None), typed(2, total=9, items=None)], days=7)
    assert {one.key for one in compared} == {(1, 2), (2, 1)}
    assert standings(compared) == [Standing.AGREES, Standing.AGREES]


def test_a_weekly_value_is_not_taken_for_that_of_another_week() -> None:
    first, second = read(1, total=9, items=None), read(2, total=14, administered_on=DAY + timedelta(days=7), items=None)
    compared = link([first, second], [typed(9, total=14, administered_on=second.administered_on, items=None)], days=7)
    assert {(one.key, one.standing) for one in compared} == {
        ((1, 0), Standing.ONLY_READ),
        ((2, 9), Standing.AGREES),
    }


def test_days_further_apart_than_asked_are_two_values() -> None:
    late = typed(1, administered_on=DAY + timedelta(days=8))
    assert standings(link([read(1)], [late], days=7)) == [Standing.ONLY_READ, Standing.ONLY_TYPED]
    assert only(link([read(1)], [late], days=8)).differences == ("date",)


def test_a_wrong_patient_is_not_guessed_where_it_could_be_two_records() -> None:
    alike = [read(1, patient_id="D1"), read(2, patient_id="D2")]
    compared = link(alike, [typed(1, patient_id="D3")], days=7)
    assert standings(compared) == [Standing.ONLY_READ, Standing.ONLY_READ, Standing.ONLY_TYPED]


def test_what_a_person_called_two_values_stands_alone_on_both_sides() -> None:
    left, right = read(1), typed(3, patient_id="D7")
    found = only(link([left], [right], days=7))
    assert Verdict.TWO_VALUES in found.verdicts
    assert standings(link([left], [right], days=7, no_pairs={(1, 3)})) == [Standing.ONLY_READ, Standing.ONLY_TYPED]


def test_that_two_values_are_no_pair_is_no_answer_to_a_wrong_digit() -> None:
    assert Verdict.TWO_VALUES not in only(link([read(1)], [typed(1, total=19)], days=7)).verdicts


def test_a_result_word_is_compared_whatever_its_letter_case() -> None:
    left = read(1, instrument="c-ssrs", total=None, result="Moderate risk", items=None)
    assert only(link([left], [typed(1, instrument="c-ssrs", total=None, result="MODERATE  RISK", items=None)], days=7))
    high = typed(1, instrument="c-ssrs", total=None, result="high risk", items=None)
    assert only(link([left], [high], days=7)).differences == ("total",)


def test_a_blank_answer_is_not_a_zero() -> None:
    found = only(link([read(1, items=(0, None))], [typed(1, items=(0, 0))], days=7))
    assert found.differences == ("item-2",)


@given(st.integers(0, 10_000))
def test_nothing_is_lost_or_linked_twice_and_the_order_of_the_files_does_not_matter(seed: int) -> None:
    chance = Random(seed)
    places = list(RecordPlace)
    left = [
        read(n, patient_id=f"D{chance.randrange(4)}", administered_on=DAY + timedelta(days=chance.randrange(4)),
             total=chance.randrange(3), items=None, place=chance.choice(places), instrument=chance.choice(["a", "b"]))
        for n in range(1, 9)
    ]  # fmt: skip
    right = [
        typed(n, patient_id=f"D{chance.randrange(4)}", administered_on=DAY + timedelta(days=chance.randrange(4)),
              total=chance.randrange(3), items=None, instrument=chance.choice(["a", "b"]))
        for n in range(1, 9)
    ]  # fmt: skip
    compared = link(left, right, days=2)
    assert sorted(one.typed.typed_id for one in compared if one.typed) == list(range(1, 9))
    reads = [one.read.record_id for one in compared if one.read]
    assert len(reads) == len(set(reads))
    assert set(reads) >= {one.record_id for one in left if one.place is RecordPlace.WOULD_BE_SENT}
    chance.shuffle(left)
    chance.shuffle(right)
    assert link(left, right, days=2) == compared


def test_every_planted_slip_among_many_values_is_found_and_nothing_else() -> None:
    left = two_weeks(400)
    planted = {
        5: {"total": (left[4].total or 0) + 10},
        50: {"patient_id": "D9999"},
        90: {"administered_on": (left[89].administered_on or DAY) + timedelta(days=1)},
    }
    right = [as_typed(one, **planted.get(one.record_id, {})) for one in left if one.record_id != 200]
    right.append(replace(as_typed(left[299]), typed_id=9000))
    found = {
        one.key: (one.standing, one.differences) for one in link(left, right, days=7) if one.standing != Standing.AGREES
    }
    assert found == {
        (5, 5): (D, ("total",)),
        (50, 50): (D, ("patient",)),
        (90, 90): (D, ("date",)),
        (200, 0): (Standing.ONLY_READ, ("presence",)),
        (0, 9000): (Standing.TYPED_AGAIN, ("presence",)),
    }
