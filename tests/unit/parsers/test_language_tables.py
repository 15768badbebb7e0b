"""Tables: headings over columns, dates across, tables side by side, questions in columns, several to a page."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.printed_scores import PrintedColumn, split_scores
from parsers.template import Template
from parsers.template_file import parse_template
from parsers.template_parts import Column, Field
from records.assessment import ReportReading
from records.report import Cell, ExtractedRow
from tests.unit.parsers.printing import Drawn, Mark, Stroke, blocked, blocking, line, pdf, read, sendable

_TOP = """
revision: 1
anchors: [Score sheet]
furniture: [{text: Score sheet}]
dates: ['%m/%d/%Y']
names: family-first
"""
_TITLE = Mark(40, 40, "Score sheet", 14)


def _totals(reading: ReportReading) -> list[tuple[str, str | None, str, int | None]]:
    return [(r.patient.name, r.instrument, str(r.authored_on), r.total) for r in sendable(reading)]


# Cells that hold several fields

TOGETHER = parse_template(
    f"""
id: together
{_TOP}
table:
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Result, field: parts, pattern: '(?P<instrument>[^:]+): (?P<total>\\d+)'}}
    - {{header: Visit, field: authored_on}}
""",
    source="together.yaml",
)


@pytest.mark.parametrize("result", ["PHQ-9 14", "PHQ-9: 14 points", "PHQ-9:", "14"])
def test_a_cell_that_does_not_have_the_form_of_its_pattern_holds_its_record(result: str) -> None:
    xs = (40.0, 140.0, 200.0, 330.0)
    rows = [("Doe, Ann", "A100", result, "03/02/2026"), ("Roe, Bob", "A101", "GAD-7: 7", "03/02/2026")]
    drawn: list[Drawn] = [_TITLE, *line(92, ("Client", "Number", "Result", "Visit"), xs)]
    reading = read(pdf([*drawn, *line(110, rows[0], xs), *line(128, rows[1], xs)]), TOGETHER)
    assert "cell-unreadable" in blocking(reading, reading.assessments[0])
    assert [(r.patient.name, r.total) for r in sendable(reading)] == [("Roe, Bob", 7)]


# Headings over several columns

NESTED = parse_template(
    f"""
id: nested
{_TOP}
no_score: ['']
table:
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Visit, field: authored_on}}
    - {{header: Score, under: PHQ-9, field: total, instrument: phq-9}}
    - {{header: Band, under: PHQ-9, field: severity, instrument: phq-9}}
    - {{header: Score, under: GAD-7, field: total, instrument: gad-7}}
    - {{header: Band, under: GAD-7, field: severity, instrument: gad-7}}
""",
    source="nested.yaml",
)
_NESTED_X = (40.0, 140.0, 200.0, 290.0, 340.0, 440.0, 490.0)


def _nested(*rows: Sequence[str], over: tuple[str, str] = ("PHQ-9", "GAD-7"), rules: Sequence[Drawn] = ()) -> bytes:
    drawn: list[Drawn] = [*rules, _TITLE, Mark(312, 78, over[0]), Mark(462, 78, over[1])]
    drawn += line(92, ("Client", "Number", "Visit", "Score", "Band", "Score", "Band"), _NESTED_X)
    for number, row in enumerate(rows, start=1):
        drawn += line(92 + 18 * number, row, _NESTED_X)
    return pdf(drawn)


_ANN = ("Doe, Ann", "A100", "03/02/2026", "14", "Moderate", "3", "Minimal")
_BOB = ("Roe, Bob", "A101", "03/02/2026", "8", "Mild", "7", "Mild")
_CAT = ("Poe, Cat", "A102", "03/02/2026", "11", "Moderate", "2", "Minimal")


def test_a_score_belongs_to_the_instrument_printed_over_its_column() -> None:
    assert [(i, t) for _, i, _, t in _totals(read(_nested(_ANN, _BOB, _CAT), NESTED))] == [
        ("phq-9", 14), ("gad-7", 3), ("phq-9", 8), ("gad-7", 7), ("phq-9", 11), ("gad-7", 2),
    ]  # fmt: skip


def test_both_readers_see_the_cells_below_headings_that_share_their_lines() -> None:
    # The lines of a heading's box go on as those of its columns; the others begin below it.
    flat = [Stroke(36, y, 560, y) for y in (68, 82, 98, 116, 134)]
    upright = [Stroke(x, 68, x, 134) for x in (36, 286, 436, 560)]
    inner = [Stroke(x, 82, x, 134) for x in (136, 196, 336, 486)]
    reading = read(_nested(_ANN, _BOB, rules=[*flat, *upright, *inner]), NESTED)
    assert (blocked(reading), len(sendable(reading))) == (set(), 4)


@pytest.mark.parametrize("over", [("GAD-7", "PHQ-9"), ("PHQ-9", "PCL-5"), ("PHQ-9", "PHQ-9"), ("GAD-7", "GAD-7")])
def test_other_headings_over_the_columns_are_another_table(over: tuple[str, str]) -> None:
    reading = read(_nested(_ANN, _BOB, _CAT, over=over), NESTED)
    assert (sendable(reading), "table-not-found" in blocked(reading)) == ([], True)


def test_a_score_that_slipped_into_the_blank_neighbours_columns_is_held() -> None:
    reading = read(_nested(_ANN, _BOB, ("Poe, Cat", "A102", "03/02/2026", "", "", "", "")), NESTED)
    slipped = pdf([*_marks_of(_ANN, 1), *_marks_of(_BOB, 2), *_marks_of(_CAT[:3] + ("",) * 4, 3), Mark(405, 146, "11")])
    assert (len(sendable(reading)), [r.total for r in sendable(read(slipped, NESTED)) if r.total == 11]) == (4, [])


def _marks_of(row: Sequence[str], number: int) -> list[Drawn]:
    head: list[Drawn] = [_TITLE, Mark(312, 78, "PHQ-9"), Mark(462, 78, "GAD-7")]
    head += line(92, ("Client", "Number", "Visit", "Score", "Band", "Score", "Band"), _NESTED_X)
    return [*(head if number == 1 else []), *line(92 + 18 * number, row, _NESTED_X)]


# Columns headed by dates

FLOW = parse_template(
    rf"""
id: flowsheet
{_TOP}
table:
  across: {{field: authored_on}}
  groups: [{{pattern: '(?P<name>[A-Z]+, [A-Z]+) number (?P<mrn>\S+)'}}]
  columns:
    - {{header: Measure, field: instrument}}
""",
    source="flowsheet.yaml",
)
_FLOW_X = (40.0, 180.0, 280.0, 380.0)
_DATES = ("Measure", "01/05/2026", "02/02/2026", "03/02/2026")


def _flow(*rows: Sequence[str], header: Sequence[str] = _DATES, shift: float = 0.0) -> bytes:
    drawn: list[Drawn] = [_TITLE, Mark(40, 70, "DOE, ANN number A100"), *line(90, header, _FLOW_X)]
    for number, row in enumerate(rows, start=1):
        drawn += line(90 + 18 * number, row[:1], _FLOW_X[:1])
        drawn += line(90 + 18 * number, row[1:], [x + 20 + shift for x in _FLOW_X[1:]])
    return pdf(drawn)


_FLOW_ROWS = (("PHQ-9", "14", "", "9"), ("GAD-7", "", "7", "5"), ("PCL-5", "31", "30", ""))


def test_a_score_gets_the_date_over_its_column() -> None:
    assert [(i, d, t) for _, i, d, t in _totals(read(_flow(*_FLOW_ROWS), FLOW))] == [
        ("phq-9", "2026-01-05", 14), ("phq-9", "2026-03-02", 9), ("gad-7", "2026-02-02", 7), ("gad-7", "2026-03-02", 5),
        ("pcl-5", "2026-01-05", 31), ("pcl-5", "2026-02-02", 30),
    ]  # fmt: skip


@pytest.mark.parametrize("head", ["Baseline", "02/2026", "Visit 2", "13/45/2026"])
def test_a_heading_that_is_no_date_is_a_finding_and_its_scores_get_no_neighbours_date(head: str) -> None:
    reading = read(_flow(*_FLOW_ROWS, header=(_DATES[0], _DATES[1], head, _DATES[3])), FLOW)
    assert (sendable(reading), "unclaimed-word" in blocked(reading)) == ([], True)


@pytest.mark.parametrize("shift", [45.0, 50.0, 55.0, 60.0, -45.0, -50.0])
def test_a_score_between_two_dates_is_held(shift: float) -> None:
    drawn_between = pdf([
        _TITLE, Mark(40, 70, "DOE, ANN number A100"), *line(90, _DATES, _FLOW_X),
        Mark(40, 108, "PHQ-9"), Mark(300 + shift, 108, "9"),
        Mark(40, 126, "GAD-7"), Mark(200, 126, "7"), Mark(300, 126, "6"), Mark(400, 126, "5"),
    ])  # fmt: skip
    assert 9 not in [t for *_, t in _totals(read(drawn_between, FLOW))]


# Tables beside each other

BESIDE = parse_template(
    f"""
id: newspaper
{_TOP}
no_score: ['']
table:
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Tool, field: instrument}}
    - {{header: Day, field: authored_on}}
    - {{header: Score, field: total}}
""",
    source="newspaper.yaml",
)
_BESIDE_X = (30.0, 120.0, 165.0, 205.0, 265.0)
_LEFT = (
    ("Doe, Ann", "A100", "PHQ-9", "03/02/2026", "14"), ("Roe, Bob", "A101", "GAD-7", "03/02/2026", "7"),
    ("Poe, Cat", "A102", "PHQ-9", "03/02/2026", "3"),
)  # fmt: skip
_RIGHT = (
    ("Coe, Dan", "A103", "PHQ-9", "03/02/2026", "11"), ("Loe, Eve", "A104", "GAD-7", "03/02/2026", "2"),
    ("Moe, Fay", "A105", "PHQ-9", "03/02/2026", "4"),
)  # fmt: skip


def _beside(left: Sequence[Sequence[str]] = _LEFT, right: Sequence[Sequence[str]] = _RIGHT, *extra: Mark) -> bytes:
    drawn: list[Drawn] = [_TITLE, *extra]
    for x, rows in ((0.0, left), (285.0, right)):
        for number, row in enumerate((("Client", "Number", "Tool", "Day", "Score"), *rows)):
            drawn += line(90 + 18 * number, row, [x + place for place in _BESIDE_X])
    return pdf(drawn)


def test_tables_beside_each_other_are_read_one_after_the_other() -> None:
    reading = read(_beside(), BESIDE)
    assert [(r.patient.mrn, r.total) for r in sendable(reading)] == [(row[1], int(row[4])) for row in (*_LEFT, *_RIGHT)]


@pytest.mark.parametrize("x", [290.0, 296.0, 300.0, 303.0, 308.0, 312.0])
def test_a_score_that_left_its_table_is_never_another_persons(x: float) -> None:
    left = (_LEFT[0], (*_LEFT[1][:4], ""), _LEFT[2])
    reading = read(_beside(left, _RIGHT, Mark(x, 126, "7")), BESIDE)
    right = {row[1]: int(row[4]) for row in _RIGHT}
    assert all(r.total == right.get(r.patient.mrn or "", r.total) for r in sendable(reading))
    bob = [r for r in reading.assessments if r.patient.mrn == "A101"]
    assert bob or blocked(reading)


def test_a_name_wider_than_its_column_is_never_read_short() -> None:
    long = ("Featherstonehaugh-Montgomery, Bartholomew", "A101", "GAD-7", "03/02/2026", "7")
    reading = read(_beside((_LEFT[0], long, _LEFT[2])), BESIDE)
    assert [r.patient.name for r in sendable(reading) if r.patient.mrn == "A101"] in ([], [long[0]])


def test_a_right_table_without_its_header_is_a_finding() -> None:
    drawn: list[Drawn] = [_TITLE, *line(90, ("Client", "Number", "Tool", "Day", "Score"), _BESIDE_X)]
    for number, (left, right) in enumerate(zip(_LEFT, _RIGHT, strict=True), start=1):
        drawn += line(90 + 18 * number, left, _BESIDE_X)
        drawn += line(90 + 18 * number, right, [x + 285 for x in _BESIDE_X])
    assert sendable(read(pdf(drawn), BESIDE)) == []


# Several tables to a page

TWO = parse_template(
    f"""
id: two-tables
{_TOP}
table:
  - columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Day, field: authored_on}}
    - {{header: Depression, field: total, instrument: phq-9}}
  - columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Day, field: authored_on}}
    - {{header: Anxiety, field: total, instrument: gad-7}}
""",
    source="two-tables.yaml",
)
_TWO_X = (40.0, 160.0, 240.0, 340.0)


def _two(first: str = "Depression", second: str = "Anxiety") -> bytes:
    drawn: list[Drawn] = [_TITLE]
    for top, last, scores in ((90.0, first, ("14", "3")), (160.0, second, ("7", "2"))):
        drawn += line(top, ("Client", "Number", "Day", last), _TWO_X)
        drawn += line(top + 18, ("Doe, Ann", "A100", "03/02/2026", scores[0]), _TWO_X)
        drawn += line(top + 36, ("Roe, Bob", "A101", "03/02/2026", scores[1]), _TWO_X)
    return pdf(drawn)


def test_each_table_of_a_page_is_read_below_its_own_header() -> None:
    found = _totals(read(_two(), TWO))
    assert sorted((i, t) for _, i, _, t in found) == [("gad-7", 2), ("gad-7", 7), ("phq-9", 3), ("phq-9", 14)]


def test_tables_that_changed_places_are_read_by_their_headers() -> None:
    found = _totals(read(_two("Anxiety", "Depression"), TWO))
    assert sorted((i, t) for _, i, _, t in found) == [("gad-7", 3), ("gad-7", 14), ("phq-9", 2), ("phq-9", 7)]


def test_rows_below_an_unknown_header_are_not_the_table_aboves() -> None:
    found = _totals(read(_two("Depression", "Sleep"), TWO))
    assert sorted((i, t) for _, i, _, t in found) == [("phq-9", 3), ("phq-9", 14)]


def test_rows_below_an_unknown_header_are_not_on_the_next_page_either() -> None:
    once = parse_template(
        f"""
id: once
{_TOP}
table:
  header_on_every_page: false
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Day, field: authored_on}}
    - {{header: Depression, field: total, instrument: phq-9}}
""",
        source="once.yaml",
    )
    rows = [("Doe, Ann", "A100", "03/02/2026", "14"), ("Client", "Number", "Day", "Sleep")]
    first = [_TITLE, *line(90, ("Client", "Number", "Day", "Depression"), _TWO_X)]
    first += [mark for n, row in enumerate(rows, start=1) for mark in line(90 + 18 * n, row, _TWO_X)]
    second = line(90, ("Roe, Bob", "A101", "03/02/2026", "7"), _TWO_X)
    assert [t for *_, t in _totals(read(pdf(first, second), once))] == [14]


def test_scores_below_other_dates_are_not_the_dates_aboves() -> None:
    other = ("Scale", "04/06/2025", "05/04/2025", "06/01/2025")
    drawn = [_TITLE, Mark(40, 70, "DOE, ANN number A100"), *line(90, _DATES, _FLOW_X), *line(126, other, _FLOW_X)]
    drawn += [*line(108, ("PHQ-9", "14", "12", "9"), _FLOW_X), *line(144, ("GAD-7", "8", "7", "6"), _FLOW_X)]
    assert [t for *_, t in _totals(read(pdf(drawn), FLOW))] == [14, 12, 9]


# A column for every question

_ITEMS = "\n".join(f"    - {{header: Q{n}, field: item, item: '{n}'}}" for n in range(1, 10))
ITEM_COLUMNS = parse_template(
    f"""
id: item-columns
{_TOP}
no_score: [Declined]
table:
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Day, field: authored_on}}
{_ITEMS}
    - {{header: PHQ-9, field: total, instrument: phq-9}}
""".replace("field: item,", "field: item, instrument: phq-9,"),
    source="item-columns.yaml",
)
_ITEM_X = (40.0, 120.0, 170.0, *(240.0 + 28 * n for n in range(9)), 510.0)
_ANSWERS = ("1", "1", "1", "0", "2", "0", "0", "3", "0")


def _item_table(
    answers: Sequence[str] = _ANSWERS, total: str = "8", order: Sequence[int] = tuple(range(1, 10))
) -> bytes:
    header = ("Client", "Number", "Day", *(f"Q{n}" for n in order), "PHQ-9")
    row = ("Doe, Ann", "A100", "03/02/2026", *answers, total)
    return pdf([_TITLE, *line(90, header, _ITEM_X), *line(108, row, _ITEM_X)])


def test_a_column_holds_the_answers_to_its_question() -> None:
    (record,) = sendable(read(_item_table(), ITEM_COLUMNS))
    assert [item.points for item in record.items or ()] == [int(text) for text in _ANSWERS]


def test_columns_of_questions_out_of_order_are_another_table() -> None:
    reading = read(_item_table(order=(1, 2, 3, 4, 5, 6, 7, 9, 8)), ITEM_COLUMNS)
    assert (sendable(reading), "table-not-found" in blocked(reading)) == ([], True)


def test_a_missing_column_of_a_question_is_another_table() -> None:
    drawn = read(_item_table(order=(1, 2, 3, 4, 5, 6, 7, 8, 10)), ITEM_COLUMNS)
    assert (sendable(drawn), "table-not-found" in blocked(drawn)) == ([], True)


def test_a_blank_answer_holds_the_record() -> None:
    assert sendable(read(_item_table(("1", "1", "1", "", "2", "0", "0", "3", "0")), ITEM_COLUMNS)) == []


def test_thoughts_of_death_in_a_column_are_critical_though_the_total_was_declined() -> None:
    (record,) = read(_item_table(("", "", "", "", "", "", "", "", "2"), "Declined"), ITEM_COLUMNS).assessments
    assert record.critical


def test_a_declined_row_without_answers_is_no_score() -> None:
    reading = read(_item_table(("",) * 9, "Declined"), ITEM_COLUMNS)
    assert (reading.assessments, reading.no_score) == ((), 1)


# One row taken apart

_NO_SCORE = ("", "-", "Declined")
_TEXTS = st.sampled_from(["", "-", "Declined", "declined", "14", "0", "x", "14 / 27", " "])


def _columns(texts: Sequence[str]) -> list[PrintedColumn]:
    ids = ("phq-9", "gad-7", "pcl-5", "epds", "madrs")
    return [
        PrintedColumn(column=Column(header=name, field=Field.TOTAL, instrument=name), cell=Cell(text=text))
        for name, text in zip(ids, texts, strict=False)
    ]


def _worded(words: Sequence[str]) -> Template:
    said = ", ".join(f"'{word}'" for word in words)
    return parse_template(
        f"id: t\nrevision: 1\nanchors: [x]\ndates: ['%Y']\nno_score: [{said}]\n"
        "table: {columns: [{header: Score, field: total}]}\n",
        source="t.yaml",
    )


@given(
    st.lists(_TEXTS, min_size=1, max_size=5),
    st.sampled_from([(), ("-",), ("", "Declined"), _NO_SCORE]),
)
def test_every_score_cell_ends_as_one_record_or_as_no_score(texts: list[str], words: tuple[str, ...]) -> None:
    record = ExtractedRow(page=1, region=None, cells=())
    records, without = split_scores(record, {}, _columns(texts), _worded(words))
    assert len(records) + without == len(texts)
    assert len({row.instrument for row in records}) == len(records)


@given(st.lists(_TEXTS, min_size=1, max_size=5))
def test_a_record_keeps_the_text_of_its_own_score(texts: list[str]) -> None:
    columns = _columns(texts)
    records, _ = split_scores(ExtractedRow(page=1, region=None, cells=()), {}, columns, _worded(_NO_SCORE))
    printed = {column.column.instrument: column.cell for column in columns}
    assert all(row.cell("total") is printed[row.instrument] for row in records)


def test_columns_for_the_questions_of_a_longer_form_are_blank_beside_a_shorter_one() -> None:
    template = parse_template(
        f"""
id: questions
{_TOP}
table:
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Visit, field: authored_on}}
    - {{header: Form, field: instrument}}
    - {{header: Q1, field: item, item: '1'}}
    - {{header: Q2, field: item, item: '2'}}
    - {{header: Q3, field: item, item: '3'}}
    - {{header: Sum, field: total}}
""",
        source="questions.yaml",
    )
    xs = (40.0, 140.0, 200.0, 290.0, 350.0, 390.0, 430.0, 480.0)
    header = ("Client", "Number", "Visit", "Form", "Q1", "Q2", "Q3", "Sum")
    whole = ("Doe, Ann", "100200", "03/02/2026", "PHQ-2", "1", "2", "", "3")
    strange = ("Roe, Bob", "100300", "03/02/2026", "PHQ-2", "1", "1", "1", "3")
    lacking = ("Moe, Eve", "100400", "03/02/2026", "PHQ-2", "1", "", "", "1")
    reading = read(pdf([_TITLE, *line(92, header, xs), *(
        mark for at, row in enumerate((whole, strange, lacking)) for mark in line(110 + 18 * at, row, xs)
    )]), template)  # fmt: skip

    assert _totals(reading) == [("Doe, Ann", "phq-2", "2026-03-02", 3)]
    assert {"item-count", "item-2-blank"} & blocked(reading)


def test_an_unknown_column_beside_blank_cells_of_a_known_one_is_not_taken_for_it() -> None:
    template = parse_template(
        f"""
id: unknown-column
{_TOP}
table:
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Born, field: birth_date}}
    - {{header: Visit, field: authored_on}}
    - {{header: Score, field: total, instrument: phq-9}}
""",
        source="unknown-column.yaml",
    )
    xs, header = (40.0, 170.0, 260.0, 360.0, 460.0), ("Client", "Number", "Born", "Visit", "Score")
    rows = [
        (f"Doe, Ann {letter}", "" if letter == "D" else f"10020{at}", "01/02/1980", "03/02/2026", "7")
        for at, letter in enumerate("ABCD")
    ]
    drawn: list[Drawn] = [_TITLE, *line(92, header, xs)]
    for at, row in enumerate(rows):
        drawn += [*line(110 + 18 * at, row, xs), Mark(140, 110 + 18 * at, str(at))]
    assert sendable(read(pdf(drawn), template)) == []


@pytest.mark.parametrize(
    ("suffix", "severity", "code"), [("4", "mild", "name-unreadable"), ("Jr", "7", "column-boundary")]
)
def test_a_number_where_a_suffix_or_a_severity_stands_is_another_columns(suffix: str, severity: str, code: str) -> None:
    template = parse_template(
        f"""
id: numbers
{_TOP}
table:
  columns:
    - {{header: Last, field: family}}
    - {{header: First, field: given}}
    - {{header: Suffix, field: suffix}}
    - {{header: Number, field: mrn}}
    - {{header: Visit, field: authored_on}}
    - {{header: Score, field: total, instrument: phq-9}}
    - {{header: Level, field: severity}}
""",
        source="numbers.yaml",
    )
    xs = (40.0, 120.0, 200.0, 260.0, 340.0, 440.0, 500.0)
    header = ("Last", "First", "Suffix", "Number", "Visit", "Score", "Level")
    rows = [
        ("Doe", "Ann", suffix, "100200", "03/02/2026", "7", severity),
        ("Roe", "Bob", "", "100300", "03/02/2026", "8", "mild"),
    ]
    reading = read(
        pdf([_TITLE, *(mark for at, row in enumerate((header, *rows)) for mark in line(92 + 18 * at, row, xs))]),
        template,
    )

    assert code in blocked(reading)
    assert _totals(reading) == [("Roe, Bob", "phq-9", "2026-03-02", 8)]


def test_a_score_cell_that_its_pattern_does_not_describe_is_unread_and_not_blank() -> None:
    template = parse_template(
        f"""
id: board
{_TOP}
no_score: ['', REF]
table:
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: PHQ-9, field: parts, instrument: phq-9, pattern: '(?P<total>\\d+) on (?P<authored_on>\\S+)'}}
    - {{header: GAD-7, field: parts, instrument: gad-7, pattern: '(?P<total>\\d+) on (?P<authored_on>\\S+)'}}
""",
        source="board.yaml",
    )
    xs = (40.0, 160.0, 240.0, 400.0)
    rows = [
        ("Client", "Number", "PHQ-9", "GAD-7"),
        ("Doe, Ann", "100200", "14 on 03/02/2026", "7"),
        ("Roe, Bob", "100300", "REF", ""),
    ]
    marks = [mark for at, row in enumerate(rows) for mark in line(92 + 18 * at, row, xs)]
    reading = read(pdf([_TITLE, *marks]), template)

    assert [record.instrument for record in reading.assessments] == ["phq-9", "gad-7"]
    assert reading.no_score == 2
    assert sendable(reading) == []
    assert "cell-unreadable" in blocked(reading)
