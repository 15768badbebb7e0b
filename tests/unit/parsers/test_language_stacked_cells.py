"""Cells with a field on each line, signs in a column without a header, and shaded rows that are no ruled table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from parsers.template import Template
from parsers.template_file import parse_template
from parsers.template_parts import Column, Field, Table
from records.assessment import ReportReading
from records.errors import TemplateError
from tests.unit.parsers.printing import Drawn, Mark, Stroke, blocked, line, listing, pdf, read, sendable

_TOP = """
revision: 1
anchors: [Outcome list]
furniture: [{text: Outcome list}]
dates: ['%m/%d/%Y']
names: family-first
no_score: [Not scored]
"""
STACKED = parse_template(
    f"""
id: stacked
{_TOP}
table:
  columns:
    - {{header: Patient Born, field: parts, lines: [name, birth_date]}}
    - {{header: Number Payer, field: parts, lines: [mrn, ignore]}}
    - {{header: Test Given, field: parts, lines: [instrument, authored_on]}}
    - {{header: Score Band, field: parts, lines: [total, severity]}}
""",
    source="stacked.yaml",
)
_X = (40.0, 200.0, 320.0, 440.0)
_ANN = (("Doe, Ann", "04/05/1980"), ("A100", "Self pay"), ("PHQ-9", "03/02/2026"), ("14", "Moderate"))
_BOB = (("Roe, Bob", "06/07/1975"), ("A101", "Medicaid"), ("GAD-7", "03/03/2026"), ("4", "Minimal"))
_Cells = Sequence[Sequence[str]]


def _stacked(*rows: _Cells, step: float = 40, pitch: float = 12, ruled: bool = False) -> bytes:
    drawn: list[Drawn] = [Mark(40, 40, "Outcome list", 14)]
    for number, header in enumerate((("Patient", "Number", "Test", "Score"), ("Born", "Payer", "Given", "Band"))):
        drawn += line(80 + pitch * number, header, _X)
    for number, row in enumerate(rows, start=1):
        top = 80 + step * number
        for x, cell in zip(_X, row, strict=True):
            drawn += [Mark(x, top + pitch * n, text) for n, text in enumerate(cell) if text]
        drawn += [Stroke(40, top - 16, 560, top - 16), Stroke(40, top + 20, 560, top + 20)] if ruled else []
    return pdf(drawn)


def _values(
    reading: ReportReading,
) -> list[tuple[str, str | None, str | None, str | None, int | None, str, str | None]]:
    return [
        (
            r.patient.name,
            str(r.patient.birth_date),
            r.patient.mrn,
            r.instrument,
            r.total,
            str(r.authored_on),
            r.severity,
        )
        for r in sendable(reading)
    ]


@pytest.mark.parametrize("ruled", [False, True])
def test_each_line_of_a_cell_is_a_field_of_its_own(ruled: bool) -> None:
    assert _values(read(_stacked(_ANN, _BOB, ruled=ruled), STACKED)) == [
        ("Doe, Ann", "1980-04-05", "A100", "phq-9", 14, "2026-03-02", "Moderate"),
        ("Roe, Bob", "1975-06-07", "A101", "gad-7", 4, "2026-03-03", "Minimal"),
    ]


def test_a_name_that_wraps_above_a_date_is_read_whole() -> None:
    wrapped = (("Abernathy-Kowalczyk, Ann", "Elizabeth", "04/05/1980"), *_ANN[1:])
    reading = read(_stacked(wrapped, _BOB, step=60, ruled=False), STACKED)
    assert reading.assessments[0].patient.name == "Abernathy-Kowalczyk, Ann Elizabeth"


def test_lines_that_cannot_be_told_apart_leave_the_row_to_a_person() -> None:
    payer = (_ANN[0], ("A100", "Unity", "Gold"), *_ANN[2:])
    reading = read(_stacked(payer, _BOB, step=60), STACKED)
    assert "cell-unreadable" in blocked(reading)
    assert [r.patient.mrn for r in sendable(reading)] == ["A101"]


def test_a_word_in_place_of_the_score_above_it_is_no_score() -> None:
    lost = (*_ANN[:3], ("", "Moderate"))
    assert [r.patient.mrn for r in sendable(read(_stacked(lost, _BOB), STACKED))] == ["A101"]


def test_lines_in_another_order_are_never_sent() -> None:
    turned = (_ANN[0], _ANN[1], ("03/02/2026", "PHQ-9"), ("Moderate", "14"))
    assert [r.patient.mrn for r in sendable(read(_stacked(turned, _BOB), STACKED))] == ["A101"]


def test_rows_as_close_as_the_lines_of_their_cells_are_never_mixed() -> None:
    cat = (("Poe, Cat", "08/09/1990"), ("A102", "Tricare"), ("PHQ-9", "03/04/2026"), ("20", "Severe"))
    sent = _values(read(_stacked(_ANN, _BOB, cat, step=24), STACKED))
    right = _values(read(_stacked(_ANN, _BOB, cat), STACKED))
    assert set(sent) <= set(right)


def test_a_cell_that_says_there_is_no_score_is_counted() -> None:
    declined = (*_ANN[:3], ("Not scored", ""))
    reading = read(_stacked(declined, _BOB), STACKED)
    assert (reading.no_score, len(reading.assessments)) == (1, 1)


@pytest.mark.parametrize(
    "lines",
    [(Field.NAME,), (Field.NAME, Field.NAME), (Field.NAME, Field.POINTS)],
    ids=["one line", "a field twice", "a field of questions"],
)
def test_lines_without_sense_are_refused(lines: tuple[Field, ...]) -> None:
    with pytest.raises(ValueError, match="line"):
        Column(header="Patient Born", field=Field.PARTS, lines=lines)


# Signs in a column without a header

TICKED = parse_template(
    f"""
id: ticked
{_TOP.replace("Outcome list", "Score listing")}
table:
  columns:
    - {{header: Patient, field: name}}
    - {{header: MRN, field: mrn}}
    - {{header: Born, field: birth_date}}
    - {{header: Test, field: instrument}}
    - {{header: Score, field: total}}
    - {{header: Given, field: authored_on}}
  unheaded: ['*', '+']
""",
    source="ticked.yaml",
)
_ROWS = (
    ("Doe, Ann", "A100", "04/05/1980", "PHQ-9", "14", "03/02/2026"),
    ("Roe, Bob", "A101", "06/07/1975", "GAD-7", "7", "03/03/2026"),
)


def _ticked(*signs: str, x: float = 24) -> bytes:
    signed: list[Drawn] = [Mark(x, 118 + 18 * n, sign) for n, sign in enumerate(signs) if sign]
    return pdf([*listing(*_ROWS), *signed])


def test_signs_beside_the_rows_are_known_and_not_read() -> None:
    reading = read(_ticked("*", "+"), TICKED)
    assert [(r.patient.name, r.total) for r in sendable(reading)] == [("Doe, Ann", 14), ("Roe, Bob", 7)]


def test_a_sign_that_the_template_does_not_know_holds_its_row() -> None:
    assert "Doe, Ann" not in [r.patient.name for r in sendable(read(_ticked("#", "+"), TICKED))]


def test_a_sign_inside_the_table_is_part_of_its_cell() -> None:
    """A mark beside a score says more about it."""
    assert "Doe, Ann" not in [r.patient.name for r in sendable(read(_ticked("*", x=440), TICKED))]


def test_a_column_without_a_header_holds_no_letters_or_digits() -> None:
    with pytest.raises(ValueError, match="letters or digits"):
        Table(columns=(Column(header="Score", field=Field.TOTAL),), unheaded=("14",))


# Shaded rows

PLAIN: Template = TICKED


def test_the_edges_of_a_shaded_header_are_no_columns_of_a_ruled_table() -> None:
    """As drawn by word processors: a filled header, whose edges are as long as a short table is high."""
    edges: list[Drawn] = [Stroke(x, 88, x, 124) for x in (36.0, 160.0, 230.0, 320.0, 410.0, 480.0, 560.0)]
    flat: list[Drawn] = [Stroke(36, y, 560, y) for y in (88.0, 106.0, 124.0, 142.0)]
    reading = read(pdf([*listing(*_ROWS), *edges, *flat]), PLAIN)
    assert [(r.patient.name, r.total) for r in sendable(reading)] == [("Doe, Ann", 14), ("Roe, Bob", 7)]


# Pages that go on without labels

CONTINUED = parse_template(
    f"""
id: continued
{_TOP.replace("Outcome list", "Score history")}
fields:
  - {{label: Patient, field: name}}
  - {{label: Number, field: mrn}}
continued: ['(?P<name>.+) No\\. (?P<mrn>\\S+) \\(continued\\)']
table:
  columns:
    - {{header: Test, field: instrument}}
    - {{header: Score, field: total}}
    - {{header: Given, field: authored_on}}
""",
    source="continued.yaml",
)
_HISTORY_X = (40.0, 160.0, 240.0)


def _page(*rows: Sequence[str], who: Sequence[str] = (), on: str = "") -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Score history", 14)]
    drawn += [Mark(40, 70 + 14 * n, text) for n, text in enumerate(who)]
    drawn += [Mark(40, 70, on)] if on else []
    drawn += line(120, ("Test", "Score", "Given"), _HISTORY_X)
    for number, row in enumerate(rows, start=1):
        drawn += line(120 + 18 * number, row, _HISTORY_X)
    return drawn


_FIRST = _page(("PHQ-9", "14", "03/02/2026"), who=("Patient: Doe, Ann", "Number: A100"))
_NEXT = (("GAD-7", "7", "03/02/2026"),)


def test_a_page_that_repeats_its_person_goes_on_with_their_values() -> None:
    reading = read(pdf(_FIRST, _page(*_NEXT, on="Doe, Ann No. A100 (continued)")), CONTINUED)
    assert [(r.page, r.patient.mrn, r.total) for r in sendable(reading)] == [(1, "A100", 14), (2, "A100", 7)]


@pytest.mark.parametrize(
    "on", ["Roe, Bob No. A101 (continued)", "Doe, Ann No. A101 (continued)", "Doe, Ann, continued", ""]
)
def test_a_page_that_names_another_person_or_none_is_never_given_to_the_one_before(on: str) -> None:
    reading = read(pdf(_FIRST, _page(*_NEXT, on=on)), CONTINUED)
    assert [r.page for r in sendable(reading) if r.page == 2] == []


def test_a_new_person_after_a_continued_page_has_nothing_of_the_one_before() -> None:
    other = _page(*_NEXT, who=("Patient: Roe, Bob", "Number: A101"))
    reading = read(pdf(_FIRST, _page(*_NEXT, on="Doe, Ann No. A100 (continued)"), other), CONTINUED)
    assert [(r.page, r.patient.name) for r in sendable(reading)] == [(1, "Doe, Ann"), (2, "Doe, Ann"), (3, "Roe, Bob")]


def test_a_continued_line_says_nothing_that_the_labels_do_not() -> None:
    with pytest.raises(TemplateError):
        parse_template(
            f"""
id: continued
{_TOP}
fields: [{{label: Patient, field: name}}]
continued: ['MRN (?P<mrn>\\S+)']
table: {{columns: [{{header: Score, field: total, instrument: phq-9}}]}}
""",
            source="bad.yaml",
        )
