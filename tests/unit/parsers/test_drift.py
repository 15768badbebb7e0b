"""What counts as drift, and what is only the way of a layout, a week or a small day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.drift import MOVED, PLACES_FROM, RATES_FROM, TOGETHER, changes
from records.geometry import Region
from records.layout import ChangeKind, Landmark, LandmarkKind, LayoutChange, LayoutSignature, Rate, ScoreSums, Stranger

NAMES = ("Name", "Born", "Score", "Date")


def landmark(name: str, x0: float, *, width: float = 30, kind: LandmarkKind = LandmarkKind.COLUMN) -> Landmark:
    return Landmark(name=name, kind=kind, printed=name, page=1, x0=x0, x1=x0 + width, top=90, bottom=100)


def look(
    *shifts: float,
    rates: Sequence[Rate] = (),
    scores: Sequence[ScoreSums] = (),
    strangers: Sequence[Stranger] = (),
    missing: Sequence[str] = (),
) -> LayoutSignature:
    by = shifts or (0.0,) * len(NAMES)
    return LayoutSignature(
        template="listing@1",
        pages=2,
        sheet=(612, 792),
        landmarks=tuple(landmark(name, 100.0 * n + off) for n, (name, off) in enumerate(zip(NAMES, by, strict=True))),
        missing=tuple(missing),
        strangers=tuple(strangers),
        rates=tuple(rates),
        scores=tuple(scores),
    )


def holds(found: Sequence[LayoutChange]) -> list[str]:
    return [change.sentence for change in found if change.holds]


# --- nothing to say


@given(st.integers(0, 50), st.floats(-1.9, 1.9))
def test_a_reading_like_all_others_changes_nothing(days: int, shake: float) -> None:
    assert changes(look(shake, 0, 0, shake), [look()] * days) == ()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40)), min_size=0, max_size=30), st.integers(0, 4))
def test_less_than_five_hits_are_never_an_alarm(history: list[tuple[int, int]], hits: int) -> None:
    usual = [look(rates=[Rate(name="unmatched", hits=min(k, n), of=n)]) for k, n in history]
    today = look(rates=[Rate(name="unmatched", hits=hits, of=max(hits, 1))])
    assert changes(today, usual) == ()


@given(st.integers(0, RATES_FROM - 1), st.integers(1, 500))
def test_before_there_are_enough_readings_no_rate_says_anything(days: int, of: int) -> None:
    usual = [look(rates=[Rate(name="blank:mrn", hits=0, of=100)])] * days
    assert changes(look(rates=[Rate(name="blank:mrn", hits=of, of=of)]), usual) == ()


def test_days_around_one_rate_raise_no_more_than_one_alarm_in_ten_thousand() -> None:
    rng = Random(3)
    alarms = 0
    for _ in range(40):
        share, unrest = rng.uniform(0, 0.6), rng.uniform(0, 0.05)
        usual: list[LayoutSignature] = []
        for _ in range(250):
            of = rng.choice([1, 3, 8, 20, 60])
            that_day = min(1.0, max(0.0, rng.gauss(share, unrest)))
            today = look(rates=[Rate(name="unmatched", hits=sum(rng.random() < that_day for _ in range(of)), of=of)])
            alarms += bool(holds(changes(today, usual[-40:])))
            usual.append(today)
    assert alarms <= 1


# --- rates


@pytest.mark.parametrize("name", ["unmatched", "blank:mrn", "finding:readers-differ", "no-score", "long-ago"])
def test_a_rate_far_beyond_usual_is_drift(name: str) -> None:
    usual = [look(rates=[Rate(name=name, hits=1, of=20)])] * RATES_FROM
    found = changes(look(rates=[Rate(name=name, hits=14, of=20)]), usual)
    assert len(holds(found)) == 1
    assert "14 of 20 (70%), usually 5%" in found[0].sentence


def test_blanks_that_are_all_filled_at_once_are_drift_but_patients_all_found_are_good_news() -> None:
    usual = [
        look(rates=[Rate(name="blank:severity", hits=12, of=20), Rate(name="unmatched", hits=12, of=20)])
    ] * RATES_FROM
    today = look(rates=[Rate(name="blank:severity", hits=0, of=40), Rate(name="unmatched", hits=0, of=40)])
    assert [sentence.partition(":")[0] for sentence in holds(changes(today, usual))] == ["Blank in severity"]


def test_a_busy_day_that_one_earlier_day_was_like_is_usual() -> None:
    quiet = [look(rates=[Rate(name="unmatched", hits=0, of=30)])] * 10
    odd = look(rates=[Rate(name="unmatched", hits=20, of=30)])
    assert holds(changes(odd, quiet)) != []
    assert holds(changes(odd, [*quiet, odd])) == []


@given(st.integers(RATES_FROM, 40), st.integers(10, 200))
def test_a_finding_nobody_had_seen_counts_against_all_records_before(days: int, of: int) -> None:
    usual = [look(rates=[Rate(name="finding:any", hits=0, of=10)])] * days
    today = look(rates=[Rate(name="finding:any", hits=of, of=of), Rate(name="finding:column-boundary", hits=of, of=of)])
    assert any("column-boundary" in sentence for sentence in holds(changes(today, usual)))


def test_dates_that_are_dates_only_with_day_and_month_exchanged_need_no_history() -> None:
    (found,) = changes(look(rates=[Rate(name="order-other:birth_date", hits=5, of=9)]), [])
    assert (found.kind, found.holds) == (ChangeKind.DATE_ORDER, True)
    assert changes(look(rates=[Rate(name="order-other:birth_date", hits=1, of=9)]), []) == ()


def test_a_mean_that_leaps_is_drift_and_one_that_wanders_is_not() -> None:
    usual = [look(scores=[ScoreSums(instrument="phq-9", count=20, total=180, squares=2120)])] * RATES_FROM
    wandered = look(scores=[ScoreSums(instrument="phq-9", count=20, total=210, squares=2800)])
    leapt = look(scores=[ScoreSums(instrument="phq-9", count=20, total=500, squares=12600)])
    assert changes(wandered, usual) == ()
    assert "mean of phq-9 is 25.0" in holds(changes(leapt, usual))[0]


# --- places


@given(st.integers(0, 3), st.floats(MOVED + 1.6, 80), st.sampled_from([-1, 1]))
def test_one_column_that_moved_is_named_with_its_way(which: int, by: float, side: int) -> None:
    shifts = [0.0] * 4
    shifts[which] = by * side
    (found,) = changes(look(*shifts), [look()] * PLACES_FROM)
    assert found.holds
    assert found.kind is ChangeKind.MOVED
    way = f"“{NAMES[which]}” moved {'right' if side > 0 else 'left'} by {round(by)} points"
    assert way in found.sentence


@given(st.floats(2.6, TOGETHER - 0.1), st.sampled_from([-1, 1]))
def test_everything_moved_together_within_a_printers_margin_is_only_noted(by: float, side: int) -> None:
    (found,) = changes(look(*[by * side] * 4), [look()] * PLACES_FROM)
    assert not found.holds
    assert "together" in found.sentence


@given(st.floats(TOGETHER + 0.1, 200))
def test_everything_moved_farther_is_drift(by: float) -> None:
    (found,) = changes(look(*[by] * 4), [look()] * PLACES_FROM)
    assert found.holds


def test_a_layout_that_sets_its_columns_anew_every_day_hardly_ever_alarms() -> None:
    rng = Random(1)

    def anew() -> LayoutSignature:
        return look(*(rng.uniform(-40, 40) for _ in NAMES))

    alarms = 0
    for _ in range(50):
        usual = [anew() for _ in range(10)]
        alarms += sum(bool(holds(changes(anew(), usual))) for _ in range(40))
    assert alarms <= 0.005 * 50 * 40


def test_a_place_accepted_once_is_usual_and_the_layout_as_firm_as_before() -> None:
    usual = [look()] * 10 + [look(0, 0, 14, 0)]
    assert changes(look(0, 0, 14, 0), usual) == ()
    assert holds(changes(look(0, 0, 28, 0), usual)) != []


def test_another_sheet_is_drift() -> None:
    (found,) = changes(replace(look(), sheet=(595.3, 841.9)), [look()])
    assert found.holds
    assert "595.3 by 841.9" in found.sentence


def test_a_label_printed_once_more_within_a_value_has_not_moved() -> None:
    own = landmark("Person", 50, kind=LandmarkKind.LABEL)
    usual = [replace(look(), landmarks=(own,))] * PLACES_FROM
    today = replace(look(), landmarks=(own, landmark("Person", 333, kind=LandmarkKind.LABEL)))
    assert changes(today, usual) == ()


# --- headers


def test_a_new_header_is_named_with_its_neighbours() -> None:
    stranger = Stranger(printed="Result", after="Score", before="Date", region=Region(1, 240, 90, 270, 100))
    (found,) = changes(look(strangers=[stranger]), [])
    assert found.sentence == "“Result” is new between “Score” and “Date”."
    assert (found.holds, found.region) == (True, stranger.region)


def test_a_new_header_that_a_person_accepted_is_only_noted() -> None:
    stranger = Stranger(printed="Result", after="Score", before="Date", region=Region(1, 240, 90, 270, 100))
    moved = replace(stranger, region=Region(1, 241, 90, 271, 100))
    (found,) = changes(look(strangers=[moved]), [look(strangers=[stranger])])
    assert not found.holds


def test_what_may_be_a_patients_is_never_quoted() -> None:
    stranger = Stranger(printed="", after="Score", before=None, region=Region(1, 240, 90, 270, 100))
    (found,) = changes(look(strangers=[stranger]), [])
    assert found.sentence == "Something that is not quoted here is new right of “Score”."


def test_a_header_where_another_stands_now_was_renamed() -> None:
    stranger = Stranger(printed="Total score", after="Born", before="Date", region=Region(1, 195, 90, 240, 100))
    today = replace(look(strangers=[stranger], missing=["Score"]), headless=True)
    assert [change.sentence for change in changes(today, [look()])] == ["“Score” is now called “Total score”."]


def test_a_missing_header_is_shown_where_it_stood() -> None:
    today = replace(look(missing=["Score"]), headless=True)
    (found,) = changes(today, [look()])
    assert found.sentence == "“Score” is not printed any more. It stood on page 1: 200,90 to 230,100."


def test_a_stray_word_on_one_page_of_many_is_that_pages_matter() -> None:
    stray = Rate(name="stray-pages", hits=1, of=200)
    assert [change.holds for change in changes(look(rates=[stray]), [])] == [False]
    assert [change.holds for change in changes(look(rates=[replace(stray, of=3)]), [])] == [True]


def test_columns_that_may_come_and_go_are_noted() -> None:
    without = replace(look(), landmarks=look().landmarks[:3])
    (gone,) = changes(without, [look()] * PLACES_FROM)
    (come,) = changes(look(), [without] * PLACES_FROM)
    assert (gone.holds, come.holds) == (False, False)
    assert "as the template allows" in gone.sentence
