"""Cells of a ruled table that span several rows belong to each of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from parsers.template_file import parse_template
from records.assessment import ReportReading
from tests.unit.parsers.printing import Drawn, Mark, Stroke, blocked, pdf, read, sendable

TEMPLATE = parse_template(
    """
id: spanning
revision: 1
anchors: [Score sheet]
furniture: [{text: Score sheet}]
dates: ['%m/%d/%Y']
names: family-first
table:
  columns:
    - {header: Client, field: name}
    - {header: Number, field: mrn}
    - {header: Programme, field: ignore}
    - {header: Visit, field: authored_on}
    - {header: Measure, field: instrument}
    - {header: Score, field: total}
""",
    source="spanning.yaml",
)
_HEADER = ("Client", "Number", "Programme", "Visit", "Measure", "Score")
_XS = (40.0, 180.0, 260.0, 390.0, 460.0, 520.0, 570.0)
_TOP, _STEP = 80.0, 20.0
_ANN, _BOB = ("Doe, Ann", "100200", "Day care"), ("Roe, Bob", "100300", "Evening")


def _sheet(
    rows: Sequence[Sequence[str]], *, shared: Sequence[int], between: Sequence[int] = (), lines: bool = True
) -> list[Drawn]:
    """A ruled table; below row `n` of `shared` (from 0) a line leaves the columns out that `between` names."""
    bottom = _TOP + _STEP * (len(rows) + 1)
    drawn: list[Drawn] = [Mark(40, 40, "Score sheet", 14)]
    drawn += [Stroke(x, _TOP, x, bottom) for x in _XS]
    drawn += [Stroke(_XS[0], y, _XS[-1], y) for y in (_TOP, _TOP + _STEP, bottom)]
    for at in range(len(rows) - 1) if lines else ():
        y = _TOP + _STEP * (at + 2)
        drawn += [Stroke(_XS[n], y, _XS[n + 1], y) for n in range(len(_HEADER)) if at not in shared or n not in between]
    for at, row in enumerate((_HEADER, *rows)):
        y = _TOP + _STEP * at + 14
        drawn += [Mark(x + 3, y, text, 9) for x, text in zip(_XS, row, strict=False) if text]
    return drawn


def _read(reading: ReportReading) -> list[tuple[str, str | None, str | None, int | None]]:
    return [(r.patient.name, r.patient.mrn, r.instrument, r.total) for r in sendable(reading)]


_ROWS = (
    (*_ANN, "03/02/2026", "PHQ-9", "14"),
    ("", "", "", "03/02/2026", "GAD-7", "7"),
    (*_BOB, "03/03/2026", "PHQ-9", "3"),
)


def test_every_row_beside_a_cell_that_spans_rows_has_it() -> None:
    reading = read(pdf(_sheet(_ROWS, shared=[0], between=[0, 1, 2])), TEMPLATE)

    assert _read(reading) == [
        ("Doe, Ann", "100200", "phq-9", 14),
        ("Doe, Ann", "100200", "gad-7", 7),
        ("Roe, Bob", "100300", "phq-9", 3),
    ]
    assert not blocked(reading)


def test_a_name_over_the_lines_of_several_rows_is_one_name() -> None:
    rows = (("Doe-Smithers,", *_ROWS[0][1:]), ("Ann", *_ROWS[1][1:]), _ROWS[2])
    reading = read(pdf(_sheet(rows, shared=[0], between=[0, 1, 2])), TEMPLATE)

    assert [who for who, *_ in _read(reading)] == ["Doe-Smithers, Ann", "Doe-Smithers, Ann", "Roe, Bob"]


def test_a_cell_left_blank_between_lines_is_nobodys() -> None:
    reading = read(pdf(_sheet(_ROWS, shared=[])), TEMPLATE)

    assert _read(reading) == [("Doe, Ann", "100200", "phq-9", 14), ("Roe, Bob", "100300", "phq-9", 3)]
    assert "name-missing" in blocked(reading)


def test_rows_at_the_top_of_a_page_do_not_get_the_person_of_the_page_before() -> None:
    reading = read(
        pdf(
            _sheet(_ROWS[:1], shared=[]),
            _sheet((_ROWS[1], ("", "", "", "03/02/2026", "PCL-5", "40"), _ROWS[2]), shared=[0], between=[0, 1, 2]),
        ),
        TEMPLATE,
    )

    assert [who for who, *_ in _read(reading)] == ["Doe, Ann", "Roe, Bob"]
    assert "name-missing" in blocked(reading)


@pytest.mark.parametrize("score", ["14", ""])
def test_a_score_that_rows_share_is_not_the_score_of_each(score: str) -> None:
    rows = ((*_ANN, "03/02/2026", "PHQ-9", score), (*_BOB, "03/02/2026", "PHQ-9", ""), _ROWS[2])
    reading = read(pdf(_sheet(rows, shared=[0], between=[5])), TEMPLATE)

    assert _read(reading) == [("Roe, Bob", "100300", "phq-9", 3)]
    assert "row-ambiguous" in blocked(reading)


def test_a_column_that_no_line_crosses_has_a_cell_in_each_row() -> None:
    rows = (_ROWS[0], (*_BOB, "03/03/2026", "PHQ-9", "3"))
    reading = read(pdf(_sheet(rows, shared=[0], between=[0])), TEMPLATE)

    assert [record.patient.name for record in reading.assessments] == ["Doe, Ann", "Roe, Bob"]


def test_a_word_cut_by_the_line_between_two_cells_waits_for_a_person() -> None:
    rows = (
        ("Doe, Ann", "100200", "Day care", "03/02/2026", "PHQ-9", "14"),
        ("Roe, Bob", "", "", "03/03/2026", "PHQ-9", "3"),
    )
    drawn = _sheet(rows, shared=[])
    cut = [Mark(150, _TOP + 2 * _STEP + 14, "Lachance", 9)]  # over the line between client and number
    reading = read(pdf([*drawn, *cut]), TEMPLATE)

    assert [who for who, *_ in _read(reading)] == ["Doe, Ann"]
