"""Gate "label beside value": an answer counts only beside its own question. A shift keeps the sum and moves item 9."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from printing import Mark, blocking, line, pdf, read, sendable

from parsers.template_file import parse_template
from records.assessment import ReportReading, SymptomAssessment

_TEMPLATE = """
id: answer-sheet
revision: 1
anchors: [Answer sheet]
furniture: [{text: Answer sheet}]
dates: ['%m/%d/%Y']
fields:
  - {label: Patient, field: name}
  - {label: Born, field: birth_date}
  - {label: MRN, field: mrn}
  - {label: Filled in, field: authored_on}
items:
  instrument: phq-9
  columns:
    - {header: Question, field: label}
    - {header: Answer, field: answer}
    - {header: Points, field: points}
  wording: [Interest, Mood, Sleep, Energy, Appetite, Failure, Focus, Slowness, Self-harm]
  answers: {Not at all: 0, Several days: 1, More than half the days: 2, Nearly every day: 3}
  summary:
    - {label: Total, cells: {answer: severity, points: total}}
"""
SHEET = parse_template(_TEMPLATE, source="answer-sheet.yaml")
WORDS_ONLY = parse_template(
    _TEMPLATE.replace("    - {header: Points, field: points}\n", "").replace(
        "{answer: severity, points: total}", "{answer: total}"
    ),
    source="answer-sheet.yaml",
)
QUESTIONS = ("Interest", "Mood", "Sleep", "Energy", "Appetite", "Failure", "Focus", "Slowness", "Self-harm")
WORDS = ("Not at all", "Several days", "More than half the days", "Nearly every day")
WITH_RISK = (1, 2, 0, 1, 1, 0, 0, 0, 1)
WITHOUT = (1, 2, 1, 1, 1, 0, 0, 0, 0)
XS = (40.0, 250.0, 420.0)
Row = tuple[str, str, str]

_BANDS = ((20, "Severe"), (15, "Moderately severe"), (10, "Moderate"), (5, "Mild"), (0, "Minimal"))


def _severity(total: int) -> str:
    return next(word for least, word in _BANDS if total >= least)


def _head(y: float = 60) -> list[Mark]:
    values = (("Patient:", "Doe, Ann"), ("Born:", "04/05/1980"), ("MRN:", "A100"), ("Filled in:", "03/02/2026"))
    marks = [Mark(40, y, "Answer sheet", 14)]
    for number, (label, value) in enumerate(values):
        marks += [Mark(40, y + 30 + 15 * number, label), Mark(120, y + 30 + 15 * number, value)]
    return marks


def _rows(points: Sequence[int], questions: Sequence[str] = QUESTIONS) -> list[Row]:
    return [(question, WORDS[value], str(value)) for question, value in zip(questions, points, strict=True)]


def _table(rows: Sequence[Row], *, total: int | None, y: float = 180, step: float = 18) -> list[Mark]:
    marks = line(y, ("Question", "Answer", "Points"), XS)
    for number, row in enumerate(rows, start=1):
        marks += line(y + step * number, row, XS)
    if total is not None:
        marks += line(y + step * (len(rows) + 1), ("Total", _severity(total), str(total)), XS)
    return marks


def _read(*marks: Mark) -> ReportReading:
    return read(pdf(marks), SHEET)


def _codes(reading: ReportReading) -> set[str]:
    return set[str]().union(*(blocking(reading, record) for record in reading.assessments))


def _only(reading: ReportReading) -> SymptomAssessment:
    (record,) = reading.assessments
    return record


def _without_risk_but(answer: str, points: str) -> ReportReading:
    rows = _rows(WITHOUT)
    rows[8] = (QUESTIONS[8], answer, points)
    return _read(*_head(), *_table(rows, total=6))


@pytest.mark.parametrize(("points", "critical"), [(WITH_RISK, True), (WITHOUT, False)])
def test_answers_beside_their_questions_are_read_and_could_be_sent(points: tuple[int, ...], critical: bool) -> None:
    (record,) = sendable(_read(*_head(), *_table(_rows(points), total=6)))
    assert (record.total, record.item_points, record.critical) == (6, points, critical)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(points=st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_any_answers_are_read_as_printed(points: list[int]) -> None:
    (record,) = sendable(_read(*_head(), *_table(_rows(points), total=sum(points))))
    assert record.item_points == tuple(points)
    assert record.critical is (points[8] > 0)


@pytest.mark.parametrize("by", range(1, 9))
def test_questions_shifted_against_their_answers_are_out_of_order_and_critical(by: int) -> None:
    questions = QUESTIONS[by:] + QUESTIONS[:by]
    reading = _read(*_head(), *_table(_rows(WITHOUT, questions), total=6))
    assert "item-order" in _codes(reading)
    assert _only(reading).critical is True


def test_two_questions_that_changed_places_are_out_of_order_and_critical() -> None:
    questions = (*QUESTIONS[:7], QUESTIONS[8], QUESTIONS[7])
    reading = _read(*_head(), *_table(_rows(WITHOUT, questions), total=6))
    assert "item-order" in _codes(reading)
    assert _only(reading).critical is True


@pytest.mark.parametrize("shift", [-14, -12, -9, -6, 6, 9, 12, 14])
def test_answers_printed_between_the_questions_are_kept_back_and_critical(shift: float) -> None:
    marks = _head() + line(180, ("Question", "Answer", "Points"), XS)
    for number, (question, words, points) in enumerate(_rows(WITHOUT), start=1):
        y = 180 + 18.0 * number
        marks += [Mark(40, y, question), Mark(250, y + shift, words), Mark(420, y + shift, points)]
    reading = _read(*marks, *line(390, ("Total", "Mild", "6"), XS))
    assert {"item-count", "item-label"} & _codes(reading)
    assert _only(reading).critical is True


def test_a_row_shifted_answer_column_that_keeps_the_sum_is_kept_back_and_critical() -> None:
    marks = _head() + line(180, ("Question", "Answer", "Points"), XS)
    for number, (question, words, points) in enumerate(_rows((1, 2, 1, 1, 0, 0, 0, 0, 1)), start=1):
        y = 180 + 18.0 * number
        marks += [Mark(40, y, question), Mark(250, y + 18, words), Mark(420, y + 18, points)]
    reading = _read(*marks, *line(400, ("Total", "Mild", "6"), XS))
    assert {"item-count", "item-label"} & _codes(reading)
    assert _only(reading).critical is True


@pytest.mark.parametrize("missing", range(9))
def test_a_missing_question_is_noticed_and_critical_if_it_is_the_ninth(missing: int) -> None:
    rows = [row for number, row in enumerate(_rows(WITHOUT)) if number != missing]
    reading = _read(*_head(), *_table(rows, total=6))
    assert "item-count" in _codes(reading)
    assert _only(reading).critical is True


@pytest.mark.parametrize("at", range(9))
def test_a_question_printed_twice_is_noticed(at: int) -> None:
    rows = _rows(WITH_RISK)
    reading = _read(*_head(), *_table([*rows[: at + 1], *rows[at:]], total=6))
    assert "item-count" in _codes(reading)


def test_of_two_answers_to_the_ninth_question_the_graver_raises_the_alert() -> None:
    for last in (("1", "0"), ("0", "1")):
        rows = [*_rows(WITHOUT)[:8], *((QUESTIONS[8], WORDS[int(points)], points) for points in last)]
        assert _only(_read(*_head(), *_table(rows, total=6))).critical is True


@pytest.mark.parametrize("place", [0, 4, 9])
def test_a_question_the_template_does_not_know_is_noticed(place: int) -> None:
    rows: list[Row] = list(_rows(WITHOUT))
    rows.insert(place, ("Difficulty", "Not at all", "0"))
    assert {"item-label", "item-count"} <= _codes(_read(*_head(), *_table(rows, total=6)))


def test_two_totals_are_noticed_and_so_is_none() -> None:
    twice = _read(*_head(), *_table(_rows(WITH_RISK), total=6), *line(400, ("Total", "Mild", "8"), XS))
    assert "label-repeated" in _codes(twice)
    assert {"label-missing", "total-missing"} <= _codes(_read(*_head(), *_table(_rows(WITH_RISK), total=None)))


def test_a_second_patient_on_the_page_is_never_lost() -> None:
    second = [*_head(400), *_table(_rows(WITHOUT), total=6, y=520, step=12)]
    reading = _read(*_head(), *_table(_rows(WITH_RISK), total=6, step=12), *second)
    assert sendable(reading) == []
    assert "label-repeated" in _codes(reading)


def test_answers_broken_over_a_page_are_two_records_that_nobody_sends() -> None:
    rows = _rows(WITHOUT)
    reading = read(pdf([*_head(), *_table(rows[:5], total=None)], _table(rows[5:], total=6, y=60)), SHEET)
    assert sendable(reading) == []
    assert reading.assessments[0].critical is True


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("Several days", "0"),
        ("Not at all", "1"),
        ("Several days", ""),
        ("Several days", "-"),
        ("Sometimes", "0"),
        ("Not at all", "0*"),
        ("Not at all", "O"),
        ("Not at all", "4"),
        ("Not at all", "0 (Several days)"),
        ("Not at all", "0 Nearly every day"),
        ("Several days", "?"),
    ],
)
def test_words_and_points_of_the_ninth_answer_that_contradict_each_other_raise_the_alert(
    answer: str, points: str
) -> None:
    reading = _without_risk_but(answer, points)
    assert _only(reading).critical is True
    assert sendable(reading) == []


def test_points_without_the_words_the_layout_prints_are_kept_back() -> None:
    reading = _without_risk_but("", "0")
    assert _codes(reading) == {"item-9-words-differ"}


def test_a_blank_ninth_answer_is_blank_and_no_zero() -> None:
    reading = _without_risk_but("", "")
    record = _only(reading)
    assert _codes(reading) == {"item-9-blank"}
    assert (record.item_points or ())[8] is None
    assert record.critical is None


def test_words_alone_are_read_where_the_layout_prints_no_points() -> None:
    rows = line(180, ("Question", "Answer"), XS[:2])
    for number, (question, words, _) in enumerate(_rows(WITH_RISK), start=1):
        rows += line(180 + 18 * number, (question, words), XS[:2])
    (record,) = sendable(read(pdf([*_head(), *rows, *line(360, ("Total", "6"), XS[:2])]), WORDS_ONLY))
    assert (record.item_points, record.critical) == (WITH_RISK, True)


@pytest.mark.parametrize("blank", ["A100", "03/02/2026", "04/05/1980"])
@pytest.mark.parametrize("elsewhere", ["Room 12", "03/09/2026"])
def test_a_blank_value_does_not_take_what_stands_elsewhere_on_its_line(blank: str, elsewhere: str) -> None:
    head = [mark for mark in _head() if mark.text != blank]
    (y,) = (mark.y for mark in _head() if mark.text == blank)
    reading = _read(*head, Mark(300, y, elsewhere), *_table(_rows(WITH_RISK), total=6))
    assert "unclaimed-word" in _codes(reading)
    assert elsewhere not in (_only(reading).patient.mrn, _only(reading).patient.name)
