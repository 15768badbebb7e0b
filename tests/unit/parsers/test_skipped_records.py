"""A record is never skipped: lines that `skip` or `furniture` describes although a record is printed there."""

from __future__ import annotations

import pytest

from parsers.skipped_records import reads_as_record
from parsers.template import Kind, Template
from parsers.template_file import parse_template
from parsers.template_parts import Column, Field
from records.assessment import ReportReading
from records.errors import TemplateError
from tests.unit.parsers.printing import Mark, blocked, line, pdf, read, sendable

_TITLE = Mark(40, 40, "Score sheet", 14)
_X = (40.0, 160.0, 240.0, 320.0, 420.0)
_HEADER = ("Client", "Number", "Visit", "Measure", "Score")
_ROWS = (
    ("Page, Anna", "100200", "03/02/2026", "PHQ-9", "14"),
    ("Doe, John", "100300", "03/03/2026", "GAD-7", "7"),
)


def _template(*, skip: str = "", furniture: str = "", kind: str = "pdf") -> Template:
    return parse_template(
        f"""
id: skipping
revision: 1
kind: {kind}
anchors: [{"Score sheet" if kind == "pdf" else "Client"}]
furniture: [{{text: Score sheet}}{furniture}]
dates: ['%m/%d/%Y']
names: family-first
table:
  skip: [{skip}]
  columns:
    - {{header: Client, field: name}}
    - {{header: Number, field: mrn}}
    - {{header: Visit, field: authored_on}}
    - {{header: Measure, field: instrument}}
    - {{header: Score, field: total}}
""",
        source="skipping.yaml",
    )


def _printed(*rows: tuple[str, ...]) -> bytes:
    drawn = [_TITLE, *line(92, _HEADER, _X)]
    for number, row in enumerate(rows, start=1):
        drawn += line(92 + 18 * number, row, _X)
    return pdf(drawn)


def _totals(reading: ReportReading) -> list[tuple[str, int | None]]:
    return [(record.patient.name, record.total) for record in sendable(reading)]


@pytest.mark.parametrize(
    "template",
    [
        _template(skip="{pattern: 'Page .*|Page, .*'}"),
        _template(skip="{pattern: '.*'}"),
        _template(furniture=", {pattern: 'Page.*'}"),
        _template(furniture=", {pattern: '.+ PHQ-9 .+'}"),
    ],
    ids=["a skip by a name", "a skip of everything", "furniture by a name", "furniture by an instrument"],
)
def test_a_row_with_a_date_an_instrument_and_a_score_is_a_record_whatever_is_to_be_skipped(template: Template) -> None:
    reading = read(_printed(*_ROWS), template)

    assert _totals(reading) == [("Page, Anna", 14), ("Doe, John", 7)]


@pytest.mark.parametrize("total", [("Average", "", "", "", "14"), ("Total of 12", "", "", "PHQ-9", "14")])
def test_a_line_of_totals_is_skipped(total: tuple[str, ...]) -> None:
    reading = read(_printed(*_ROWS, total), _template(skip="{pattern: '(Average|Total) .*'}"))

    assert _totals(reading) == [("Page, Anna", 14), ("Doe, John", 7)]
    assert not blocked(reading)


def test_a_row_of_a_csv_file_is_a_record_whatever_is_to_be_skipped() -> None:
    rows = "".join(
        ",".join(f'"{cell}"' for cell in row) + "\n" for row in (_HEADER, *_ROWS, ("Page 1", "", "", "", ""))
    )
    reading = read(rows.encode(), _template(skip="{pattern: 'Page.*'}", kind="csv"), kind=Kind.CSV)

    assert _totals(reading) == [("Page, Anna", 14), ("Doe, John", 7)]


def test_a_sentence_that_is_a_record_is_never_furniture() -> None:
    template = parse_template(
        r"""
id: told
revision: 1
anchors: [Score sheet]
furniture: [{text: Score sheet}, {pattern: 'Page.*'}]
dates: ['%m/%d/%Y']
names: given-first
sentences:
  pattern: '(?P<name>\w+ \w+) \(No\. (?P<mrn>\d+)\): (?P<total>\d+), (?P<instrument>\S+), (?P<authored_on>\S+)\.'
""",
        source="told.yaml",
    )
    said = ("Page Turner (No. 100200): 14, PHQ-9, 03/02/2026.", "Page 1 of 1")
    reading = read(pdf([_TITLE, Mark(40, 92, said[0]), Mark(40, 740, said[1])]), template)

    assert _totals(reading) == [("Page Turner", 14)]


_NAME, _SCORE = Column(header="Client", field=Field.NAME), Column(header="Score", field=Field.TOTAL)
_DAY, _BORN = Column(header="Visit", field=Field.AUTHORED_ON), Column(header="Born", field=Field.BIRTH_DATE)
_RESULT = Column(header="Risk", field=Field.RESULT)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ([(_NAME, "Doe, Jane"), (_DAY, "03/02/2026"), (_SCORE, "14")], True),
        ([(_NAME, ""), (_DAY, "03/02/2026"), (_SCORE, "14 / 27")], True),
        ([(_NAME, "Doe, Jane"), (_DAY, "03/02/2026"), (_RESULT, "High")], True),
        ([(_NAME, "Doe, Jane"), (_BORN, ""), (_DAY, "03/02/2026"), (_SCORE, "14")], True),
        ([(_NAME, "Doe, Jane"), (_SCORE, "14")], True),
        ([(_NAME, "Average"), (_SCORE, "14")], False),
        ([(_NAME, "Average"), (_DAY, ""), (_SCORE, "14")], False),
        ([(_NAME, "Average"), (_DAY, "of 03/02/2026"), (_SCORE, "14")], False),
        ([(_NAME, "Doe, Jane"), (_DAY, "03/02/2026"), (_SCORE, "13.5")], False),
        ([(_NAME, "Doe, Jane"), (_DAY, "03/02/2026"), (_SCORE, "")], False),
        ([(_NAME, "Printed"), (_DAY, "03/02/2026"), (_RESULT, "")], False),
    ],
)
def test_a_score_below_whole_dates_reads_as_a_record(printed: list[tuple[Column, str]], *, told: bool) -> None:
    assert reads_as_record(printed, _template()) is told


def test_furniture_that_takes_away_a_labelled_value_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"furniture 'Patient\.\*' would take the label 'Patient name'"):
        parse_template(
            r"""
id: cards
revision: 1
anchors: [Score sheet]
furniture: [{pattern: 'Patient.*'}]
dates: ['%m/%d/%Y']
blocks:
  starts_with: Patient name
  fields:
    - {label: Patient name, field: name}
    - {label: Score, field: total}
""",
            source="cards.yaml",
        )
