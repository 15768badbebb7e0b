"""Forms: crosses in columns, rings around digits, no header at all. A doubted answer is unreadable, not blank."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from math import cos, pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from parsers.agreement import Witnesses
from parsers.extraction import extract
from parsers.marks import chosen
from parsers.readers import pdfium, plumber
from parsers.readers.limits import ReadingLimits
from parsers.scores import UnreadableScoreError
from parsers.template import Template
from parsers.template_file import parse_template
from records.assessment import ItemState, ReportReading
from records.document import Document, ReaderName
from records.report import Cell, Choice
from tests.unit.parsers.printing import HEIGHT, SITE, Drawn, Mark, Ring, Setup, Stroke, blocked, pdf, read, sendable

_WORDING = (
    "Hardly any joy in activities", "Low mood and no hope", "Sleep too little or too much", "Worn out and tired",
    "Appetite gone or too large", "Sense of having failed", "Hard to keep attention", "Slowed or fidgety",
    "Thoughts of death",
)  # fmt: skip
_LISTED = "\n".join(f"    - {text}" for text in _WORDING)
_TOP = """
revision: 1
anchors: [Answer sheet]
furniture: [{text: Answer sheet}]
dates: ['%m/%d/%Y']
names: family-first
no_score: [Declined]
fields:
  - {label: Client, field: name}
  - {label: Number, field: mrn}
  - {label: Taken, field: authored_on}
"""
CHOICES = parse_template(
    f"""
id: marked-columns
{_TOP}
items:
  instrument: phq-9
  wording:
{_LISTED}
  columns:
    - {{header: Question, field: label}}
    - {{header: Never, field: choice, points: 0}}
    - {{header: Some, field: choice, points: 1}}
    - {{header: Most, field: choice, points: 2}}
    - {{header: Daily, field: choice, points: 3}}
  fields: [{{label: Total, field: total}}]
""",
    source="marked-columns.yaml",
)
RINGED = parse_template(
    f"""
id: ringed-digits
{_TOP}
items:
  instrument: phq-9
  wording:
{_LISTED}
  beside: ringed
  fields: [{{label: Total, field: total}}]
""",
    source="ringed-digits.yaml",
)
POINTS = parse_template(
    f"""
id: points-beside
{_TOP}
items:
  instrument: phq-9
  wording:
{_LISTED}
  beside: points
  fields: [{{label: Total, field: total}}]
""",
    source="points-beside.yaml",
)
_HEAD = [
    Mark(40, 40, "Answer sheet", 14), Mark(40, 60, "Client:"), Mark(110, 60, "Doe, Ann"), Mark(250, 60, "Number:"),
    Mark(310, 60, "A100"), Mark(400, 60, "Taken:"), Mark(450, 60, "03/02/2026"),
]  # fmt: skip
_X = (300.0, 360.0, 420.0, 480.0)  # middles of the answers
_DIGITS = (300.0, 318.0, 336.0, 354.0)  # where rings are drawn
_TOP_Y, _STEP = 120.0, 24.0
_ANSWERS = (1, 0, 2, 0, 3, 0, 1, 0, 0)


def _y(item: int) -> float:
    """The middle of a question's line."""
    return _TOP_Y + _STEP * (item - 1) - 3.5


def _questions(order: Sequence[int] = tuple(range(1, 10))) -> list[Drawn]:
    return [Mark(40, _TOP_Y + _STEP * place, _WORDING[item - 1]) for place, item in enumerate(order)]


def _total(total: object) -> list[Drawn]:
    return [Mark(40, _TOP_Y + 9.5 * _STEP, "Total:"), Mark(110, _TOP_Y + 9.5 * _STEP, str(total))]


def _crossed(x: float, y: float) -> list[Drawn]:
    return [Stroke(x - 4, y - 4, x + 4, y + 4), Stroke(x - 4, y + 4, x + 4, y - 4)]


def _choice_page(answers: Sequence[int | None] = _ANSWERS, *extra: Drawn, total: object = 7) -> bytes:
    """Printed lines all around, so that a cross has a cell."""
    drawn: list[Drawn] = [*_HEAD, *_questions(), *_total(total), *extra]
    drawn += [Mark(40, 100, "Question")]
    drawn += [Mark(x - 12, 100, text) for x, text in zip(_X, ("Never", "Some", "Most", "Daily"), strict=True)]
    for item, points in enumerate(answers, start=1):
        drawn += _crossed(_X[points], _y(item)) if points is not None else []
    for n in range(10):
        y = _TOP_Y - 16 + _STEP * n
        drawn.append(Stroke(36, y, 510, y))
    drawn += [Stroke(x, 88, x, _TOP_Y - 16 + _STEP * 9) for x in (36, 270, 330, 390, 450, 510)]
    return pdf(drawn)


def _ring_page(rings: Sequence[Ring], *, total: object = 7, before: Setup | None = None) -> bytes:
    drawn: list[Drawn] = [*_HEAD, *_questions(), *_total(total), *rings]
    drawn += [Mark(_DIGITS[n] - 2.8, _y(item) + 3.5, str(n)) for item in range(1, 10) for n in range(4)]
    return pdf(drawn, before=before)


def _rings(answers: Sequence[int] = _ANSWERS) -> list[Ring]:
    return [Ring(_DIGITS[points], _y(item)) for item, points in enumerate(answers, start=1)]


def _read(reading: ReportReading) -> list[int | None]:
    (record,) = reading.assessments
    return [item.points for item in record.items or ()]


def _state(reading: ReportReading, item: int) -> ItemState:
    (record,) = reading.assessments
    assert record.items is not None
    return record.items[item - 1].state


def _critical(reading: ReportReading) -> bool | None:
    (record,) = reading.assessments
    return record.critical


def test_a_cross_in_a_column_is_its_answer() -> None:
    reading = read(_choice_page(), CHOICES)
    assert (_read(reading), len(sendable(reading))) == (list(_ANSWERS), 1)


def test_a_cross_beside_thoughts_of_death_is_critical() -> None:
    assert _critical(read(_choice_page((*_ANSWERS[:8], 1), total=8), CHOICES)) is True


@pytest.mark.parametrize(("content", "template"), [(_choice_page(), CHOICES), (_ring_page(_rings()), RINGED)])
def test_a_mark_that_only_one_reader_sees_holds_its_record(content: bytes, template: Template) -> None:
    (row,) = extract(plumber.read(content), template, site=SITE).report.rows
    third = pdfium.read(content, ReadingLimits())
    blind = replace(third, pages=tuple(replace(page, marks=page.marks[1:]) for page in third.pages))
    second = Document(reader=ReaderName.CAMELOT, pages=third.pages)
    seen = [[f for f in Witnesses(second, one).findings(row) if f.code == "marks-differ"] for one in (third, blind)]
    assert [len(found) for found in seen] == [0, 1]


def test_a_ring_of_many_short_curves_is_a_ring_to_both_readers() -> None:
    def round_and_round(canvas: Canvas) -> None:
        for item, points in enumerate(_ANSWERS, start=1):
            at = [(_DIGITS[points] + 7 * cos(n * pi / 16), HEIGHT - _y(item) + 7 * sin(n * pi / 16)) for n in range(33)]
            path = canvas.beginPath()
            path.moveTo(*at[0])
            for (xa, ya), (xb, yb) in itertools.pairwise(at):
                path.curveTo((2 * xa + xb) / 3, (2 * ya + yb) / 3, (xa + 2 * xb) / 3, (ya + 2 * yb) / 3, xb, yb)
            path.close()
            canvas.drawPath(path)

    reading = read(_ring_page([], before=round_and_round), RINGED)
    assert (_read(reading), len(sendable(reading))) == (list(_ANSWERS), 1)


@pytest.mark.parametrize("item", [1, 9])
def test_two_crosses_in_one_row_are_unreadable(item: int) -> None:
    reading = read(_choice_page(_ANSWERS, *_crossed(_X[3], _y(item))), CHOICES)
    assert _state(reading, item) is ItemState.UNREADABLE


def test_two_crosses_beside_thoughts_of_death_are_critical() -> None:
    reading = read(_choice_page(_ANSWERS, *_crossed(_X[3], _y(9))), CHOICES)
    assert _critical(reading) is True


def test_no_cross_is_a_blank_answer() -> None:
    reading = read(_choice_page((*_ANSWERS[:7], None, 0)), CHOICES)
    assert (_state(reading, 8), sendable(reading)) == (ItemState.BLANK, [])


@pytest.mark.parametrize("x", [268.0, 270.0, 272.0, 331.0, 330.0, 329.0])
def test_a_cross_on_the_line_between_two_answers_is_not_read(x: float) -> None:
    reading = read(_choice_page((*_ANSWERS[:8], None), *_crossed(x, _y(9))), CHOICES)
    assert _state(reading, 9) is not ItemState.ANSWERED
    assert _critical(reading) is True


@pytest.mark.parametrize("x", [250.0, 520.0])
def test_a_cross_beside_thoughts_of_death_outside_the_answers_asks_for_a_look_at_once(x: float) -> None:
    assert _critical(read(_choice_page((*_ANSWERS[:8], None), *_crossed(x, _y(9))), CHOICES)) is True


def test_a_declined_form_is_no_score() -> None:
    reading = read(_choice_page((None,) * 9, total="Declined"), CHOICES)
    assert (reading.assessments, reading.no_score) == ((), 1)


def test_a_declined_form_with_a_cross_is_a_record() -> None:
    reading = read(_choice_page((*(None,) * 8, 2), total="Declined"), CHOICES)
    assert (_critical(reading), sendable(reading)) == (True, [])


def test_a_declined_form_with_a_printed_x_is_a_record() -> None:
    reading = read(_choice_page((None,) * 9, Mark(_X[2] - 3, _y(9) + 3.5, "X"), total="Declined"), CHOICES)
    assert (_critical(reading), sendable(reading)) == (True, [])


def test_a_ringed_digit_is_the_answer() -> None:
    reading = read(_ring_page(_rings()), RINGED)
    assert (_read(reading), len(sendable(reading))) == (list(_ANSWERS), 1)


def test_a_ring_beside_thoughts_of_death_is_critical() -> None:
    assert _critical(read(_ring_page(_rings((*_ANSWERS[:8], 2)), total=9), RINGED)) is True


_BETWEEN = (_DIGITS[1] + _DIGITS[2]) / 2
_DOUBTED = {
    "around two digits": Ring(_BETWEEN, _y(9), 30, 14),
    "around three digits": Ring(_DIGITS[2], _y(9), 39.5, 16),
    "between two digits": Ring(_BETWEEN, _y(9), 9, 9),
    "beside a digit": Ring(_DIGITS[3] + 9, _y(9)),
    "left of the digits": Ring(_DIGITS[0] - 14, _y(9)),
    "right of the digits": Ring(_DIGITS[3] + 14, _y(9)),
    "below a digit": Ring(_DIGITS[2], _y(9) + 12),
    "above a digit": Ring(_DIGITS[2], _y(9) - 11),
}


@pytest.mark.parametrize("ring", _DOUBTED.values(), ids=_DOUBTED)
def test_a_ring_that_is_not_around_one_digit_is_not_read(ring: Ring) -> None:
    reading = read(_ring_page([*_rings()[:8], ring]), RINGED)
    assert (_state(reading, 9) is ItemState.ANSWERED, sendable(reading)) == (False, [])


@pytest.mark.parametrize("ring", _DOUBTED.values(), ids=_DOUBTED)
def test_a_ring_beside_thoughts_of_death_that_cannot_be_read_asks_for_a_look_at_once(ring: Ring) -> None:
    assert _critical(read(_ring_page([*_rings()[:8], ring]), RINGED)) is True


def test_two_rings_beside_one_question_are_unreadable() -> None:
    reading = read(_ring_page([*_rings(), Ring(_DIGITS[3], _y(9))]), RINGED)
    assert (_state(reading, 9), _critical(reading)) == (ItemState.UNREADABLE, True)


def test_a_declined_form_with_a_ring_is_a_record() -> None:
    reading = read(_ring_page([Ring(_DIGITS[3], _y(9))], total="Declined"), RINGED)
    assert (_critical(reading), sendable(reading)) == (True, [])


def _points_page(order: Sequence[int] = tuple(range(1, 10)), *, total: object = 7) -> bytes:
    points = [Mark(_X[0], _TOP_Y + _STEP * place, str(_ANSWERS[item - 1])) for place, item in enumerate(order)]
    return pdf([*_HEAD, *_questions(order), *points, *_total(total)])


def test_points_beside_their_question_are_read_without_a_header() -> None:
    reading = read(_points_page(), POINTS)
    assert (_read(reading), len(sendable(reading))) == (list(_ANSWERS), 1)


def test_questions_that_changed_places_hold_the_record() -> None:
    assert "item-order" in blocked(read(_points_page((1, 2, 3, 4, 5, 6, 7, 9, 8)), POINTS))


def test_a_question_that_is_missing_holds_the_record() -> None:
    assert "item-count" in blocked(read(_points_page((1, 2, 3, 4, 5, 6, 7, 9)), POINTS))


def test_a_question_printed_twice_holds_the_record() -> None:
    assert sendable(read(_points_page((1, 2, 3, 4, 5, 6, 7, 8, 9, 9)), POINTS)) == []


_CELLS = st.lists(
    st.builds(
        Choice,
        points=st.integers(0, 3),
        cell=st.builds(Cell, text=st.sampled_from(["", "X", "☐", "3", "maybe", "✓", "-"]), marks=st.integers(0, 2)),
    ),
    max_size=4,
    unique_by=lambda choice: choice.points,
)


@given(_CELLS)
def test_the_chosen_answer_is_one_that_is_marked_and_the_only_one(choices: list[Choice]) -> None:
    marked = [c.points for c in choices if c.cell.marks or c.cell.text in ("X", "✓")]
    try:
        found = chosen(choices, marks=())
    except UnreadableScoreError:
        strange = any(not c.cell.marks and c.cell.text == "maybe" for c in choices)
        strange |= any(not c.cell.marks and c.cell.text == "3" != str(c.points) for c in choices)
        assert len(marked) > 1 or strange
    else:
        assert ([] if found is None else [found]) == marked


@given(_CELLS, st.randoms())
def test_the_order_of_the_answers_never_changes_which_is_chosen(choices: list[Choice], random) -> None:
    shuffled = list(choices)
    random.shuffle(shuffled)
    assert _outcome(choices) == _outcome(shuffled)


def _outcome(choices: Sequence[Choice]) -> int | str | None:
    try:
        return chosen(choices, marks=())
    except UnreadableScoreError:
        return "unreadable"
