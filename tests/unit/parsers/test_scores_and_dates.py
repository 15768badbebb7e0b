"""Cells read as scores and dates: blank, zero and unreadable are three different things, and nothing else happens."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.dates import UnreadableDateError, read_date
from parsers.scores import PrintedScore, UnreadableScoreError, read_answer, read_score

_ANSWERS = {"Not at all": 0, "Several days": 1, "More than half the days": 2, "Nearly every day": 3}
_FORMATS = ("%m/%d/%Y", "%m/%d/%y", "%d-%b-%Y", "%Y-%m-%d", "%B %d, %Y", "%b %d %Y %I:%M %p")


@given(st.text(max_size=20), st.one_of(st.none(), st.integers(1, 100)))
def test_any_text_is_a_score_blank_or_unreadable(text: str, maximum: int | None) -> None:
    with contextlib.suppress(UnreadableScoreError):
        score = read_score(text, maximum=maximum)
        assert score is None or text.strip().lstrip("0").startswith(str(score.points).lstrip("0"))


def test_what_cannot_be_read_is_not_quoted() -> None:
    for text in ("Doe, Ann", "14 77"):
        with pytest.raises(UnreadableScoreError) as refusal:
            read_score(text, maximum=27)
        assert text not in str(refusal.value)
        with pytest.raises(UnreadableDateError) as late:
            read_date(text, ["%m/%d/%Y"])
        assert text not in str(late.value)


@given(st.integers(0, 999))
def test_a_whole_number_is_itself_however_it_is_dressed(points: int) -> None:
    for text in (f"{points}", f" {points} ", f"{points:03d}", f"{points} / 999", f"{points}/999"):
        assert read_score(text, maximum=999) == PrintedScore(points=points)
    for text in (f"{points} (Moderate)", f"{points} - Moderate", f"{points} Moderate", f"{points}: Moderate"):
        assert read_score(text, maximum=999) == PrintedScore(points=points, words="Moderate")


@pytest.mark.parametrize("blank", ["", " ", "-", "--", "—", "___", ".", "\u00a0"])
def test_a_blank_cell_is_no_zero(blank: str) -> None:
    assert read_score(blank, maximum=27) is None
    assert read_answer(blank, answers=_ANSWERS) is None
    assert read_score("0", maximum=27) == PrintedScore(points=0)


@pytest.mark.parametrize(
    "text",
    [
        "14*", "l4", "1 4", "14.0", "14,5", "-3", "+5", "(14)", "<14", "~14", "14?", "1O", "O", "1 O", "1 l", "14 x",
        "14 H", "14-", "1-4", "5%", "½", "1½", "3¹", "٣", "１４", "IV", "fourteen", "14 15", "1400", "N/A", "14/",
        "/27", "14 (2)", "9 See note 2", "14 / 27 / 30", "1\u200b4", "1\u00ad4", "0x1", "1e1",
    ],
)  # fmt: skip
def test_what_may_be_another_number_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableScoreError):
        read_score(text, maximum=27)


@given(st.integers(0, 27), st.integers(1, 99).filter(lambda n: n != 27))
def test_a_score_out_of_another_maximum_is_unreadable(points: int, maximum: int) -> None:
    with pytest.raises(UnreadableScoreError):
        read_score(f"{points}/{maximum}", maximum=27)


@given(st.text(max_size=20))
def test_words_are_one_of_the_layouts_answers_blank_or_unreadable(text: str) -> None:
    try:
        points = read_answer(text, answers=_ANSWERS)
    except UnreadableScoreError:
        return
    assert points is None or points in _ANSWERS.values()


def test_answers_are_compared_without_case_and_spacing() -> None:
    assert [read_answer(words.upper().replace(" ", "  "), answers=_ANSWERS) for words in _ANSWERS] == [0, 1, 2, 3]


@given(st.text(max_size=24), st.lists(st.sampled_from(_FORMATS), max_size=3), st.booleans())
def test_any_text_is_a_date_blank_or_unreadable(text: str, formats: list[str], limited: bool) -> None:
    with contextlib.suppress(UnreadableDateError):
        printed = read_date(text, formats, not_after=date(2026, 3, 10) if limited else None)
        assert (printed is None) == (not any(character.isalnum() for character in text))


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["%m/%d/%Y", "%d-%b-%Y", "%Y-%m-%d", "%B %d, %Y"])
)
def test_a_date_printed_in_a_format_of_the_template_is_read_back(day: date, form: str) -> None:
    printed = read_date(day.strftime(form), [form])
    assert printed is not None
    assert (printed.day, printed.other, printed.time) == (day, None, None)


@given(st.dates(date(2026, 3, 10) - timedelta(days=36_000), date(2026, 3, 10)))
def test_a_birth_date_with_a_two_digit_year_is_never_in_the_future(day: date) -> None:
    try:
        printed = read_date(day.strftime("%m/%d/%y"), ["%m/%d/%y"], not_after=date(2026, 3, 10))
    except UnreadableDateError:
        assert (day.month, day.day) == (2, 29)
        return
    assert printed is not None
    assert printed.day <= date(2026, 3, 10)
    assert (printed.day.month, printed.day.day, printed.day.year % 100) == (day.month, day.day, day.year % 100)


@pytest.mark.parametrize("blank", ["", "  ", "-", "__/__/____", "/ /", "—"])
def test_a_blank_date_is_none(blank: str) -> None:
    assert read_date(blank, ["%m/%d/%Y"]) is None


@pytest.mark.parametrize(
    "text", ["02/30/2026", "13/01/2026", "0", "00/00/0000", "03/02/26", "03-02-2026", "03/02/2026 *", "today"]
)
def test_a_day_that_does_not_exist_or_is_written_otherwise_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableDateError):
        read_date(text, ["%m/%d/%Y"])


def test_two_formats_that_read_two_days_give_both() -> None:
    printed = read_date("03/02/2026", ["%m/%d/%Y", "%d/%m/%Y"])
    assert printed is not None
    assert (printed.day, printed.other) == (date(2026, 3, 2), date(2026, 2, 3))


def test_a_printed_time_is_kept_beside_the_day() -> None:
    printed = read_date("Mar 02 2026 02:05 PM", ["%b %d %Y %I:%M %p"])
    assert printed is not None
    assert printed.time == "14:05"
