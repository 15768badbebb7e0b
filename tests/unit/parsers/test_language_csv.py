"""CSV exports: crooked rows, open ends, protected numbers, questions in columns, headings between rows."""

from __future__ import annotations

import pytest

from parsers.template import Kind, Template
from parsers.template_file import parse_template
from records.assessment import ReportReading
from records.errors import UnreadableDocumentError
from tests.unit.parsers.printing import blocking, read, sendable

_QUESTIONS = "\n".join(f"    - {{header: Q{n}, field: item, item: '{n}', instrument: phq-9}}" for n in range(1, 10))
WIDE = parse_template(
    f"""
id: wide-export
revision: 1
kind: csv
anchors: [Chart]
dates: ['%Y-%m-%d']
names: family-first
no_score: ['', Declined]
table:
  columns:
    - {{header: Chart, field: mrn}}
    - {{header: Client, field: name}}
    - {{header: Born, field: birth_date}}
    - {{header: Taken, field: authored_on}}
{_QUESTIONS}
    - {{header: PHQ-9, field: total, instrument: phq-9}}
    - {{header: GAD-7, field: total, instrument: gad-7}}
""",
    source="wide-export.yaml",
)
_HEADER = "Chart,Client,Born,Taken,Q1,Q2,Q3,Q4,Q5,Q6,Q7,Q8,Q9,PHQ-9,GAD-7"
_ANN = 'A100,"Doe, Ann",1980-04-05,2026-03-02,1,1,1,1,0,0,0,0,0,4,7'


def _csv(*lines: str, template: Template = WIDE, end: str = "\n") -> ReportReading:
    return read(("\n".join(lines) + end).encode(), template, kind=Kind.CSV)


def _totals(reading: ReportReading) -> list[tuple[str | None, int | None]]:
    return [(record.instrument, record.total) for record in sendable(reading)]


def test_a_row_gives_a_record_for_each_score_column() -> None:
    assert _totals(_csv(_HEADER, _ANN)) == [("phq-9", 4), ("gad-7", 7)]


def test_answers_belong_to_the_score_of_their_instrument() -> None:
    phq, gad = _csv(_HEADER, _ANN).assessments
    assert phq.items is not None
    assert [item.points for item in phq.items] == [1, 1, 1, 1, 0, 0, 0, 0, 0]
    assert gad.items is None


def test_questions_whose_columns_changed_places_are_read_by_their_headers() -> None:
    moved = _HEADER.replace("Q1,Q2", "Q9,Q2").replace("Q8,Q9", "Q8,Q1")
    (phq, _) = _csv(moved, _ANN).assessments
    assert phq.items is not None
    assert {item.link_id: item.points for item in phq.items}["9"] == 1
    assert phq.critical


def test_a_row_with_a_cell_too_few_refuses_the_file() -> None:
    with pytest.raises(UnreadableDocumentError):
        _csv(_HEADER, _ANN, _ANN.replace("1,1,1,1,0", "1,1,1,10"))


def test_a_row_with_a_cell_too_many_refuses_the_file() -> None:
    with pytest.raises(UnreadableDocumentError):
        _csv(_HEADER, _ANN, _ANN.replace('"Doe, Ann"', "Doe, Ann"))


def test_the_records_of_an_open_last_line_wait() -> None:
    bob = _ANN.replace("A100", "A101")
    reading = _csv(_HEADER, _ANN, bob, end="")
    assert [record.patient.mrn for record in sendable(reading)] == ["A100", "A100"]
    assert "csv-open-end" in blocking(reading, reading.assessments[-1])


def test_a_protected_number_keeps_its_zeros() -> None:
    assert _csv(_HEADER, _ANN.replace("A100", '"=""00123"""')).assessments[0].patient.mrn == "00123"


@pytest.mark.parametrize("number", ["1.23E+07", "1E+07", "1,23e+07"])
def test_a_number_that_a_spreadsheet_made_scientific_holds_its_records(number: str) -> None:
    reading = _csv(_HEADER, _ANN.replace("A100", f'"{number}"'))
    assert [blocking(reading, record) for record in reading.assessments] == [{"mrn-unreadable"}] * 2


def test_a_blank_score_is_no_score() -> None:
    reading = _csv(_HEADER, _ANN.removesuffix(",7") + ",")
    assert (_totals(reading), reading.no_score) == ([("phq-9", 4)], 1)


@pytest.mark.parametrize("total", ["", "Declined"])
def test_answers_without_a_total_are_a_record_that_waits(total: str) -> None:
    reading = _csv(_HEADER, _ANN.replace("0,0,0,0,0,4", f"0,0,0,0,2,{total}"))
    phq = next(record for record in reading.assessments if record.instrument == "phq-9")
    assert blocking(reading, phq)


@pytest.mark.parametrize("total", ["", "Declined"])
def test_an_answer_about_self_harm_without_a_total_is_critical(total: str) -> None:
    reading = _csv(_HEADER, _ANN.replace("0,0,0,0,0,4", f"0,0,0,0,2,{total}"))
    assert [record.critical for record in reading.assessments if record.instrument == "phq-9"] == [True]


def test_a_declined_questionnaire_without_answers_is_no_score() -> None:
    reading = _csv(_HEADER, 'A100,"Doe, Ann",1980-04-05,2026-03-02,,,,,,,,,,Declined,7')
    assert (_totals(reading), reading.no_score) == ([("gad-7", 7)], 1)


def test_rows_below_another_header_are_a_finding() -> None:
    reading = _csv(_HEADER, _ANN, _HEADER.replace("PHQ-9,GAD-7", "GAD-7,PHQ-9"), _ANN)
    assert sendable(reading) == []


GROUPED = parse_template(
    r"""
id: grouped-export
revision: 1
kind: csv
anchors: [Score]
dates: ['%Y-%m-%d']
no_score: ['']
table:
  groups: [{pattern: 'Client: (?P<name>[A-Za-z]+, [A-Za-z]+)(?: born (?P<birth_date>\S+))? number (?P<mrn>\S+)'}]
  columns:
    - {header: Taken, field: authored_on}
    - {header: Test, field: instrument}
    - {header: Score, field: total}
    - {header: By, field: ignore}
""",
    source="grouped-export.yaml",
)
_GROUPED = ("Taken,Test,Score,By", '"Client: Doe, Ann born 1980-04-05 number A100",,,', "2026-03-02,PHQ-9,4,Sato")


def test_rows_get_the_person_of_the_heading_above_them() -> None:
    reading = _csv(*_GROUPED, template=GROUPED)
    assert [(r.patient.mrn, str(r.patient.birth_date)) for r in sendable(reading)] == [("A100", "1980-04-05")]


def test_a_heading_without_a_birth_date_takes_none_from_the_person_above() -> None:
    reading = _csv(*_GROUPED, '"Client: Roe, Bob number A101",,,', "2026-03-02,GAD-7,7,Sato", template=GROUPED)
    assert [(r.patient.mrn, str(r.patient.birth_date)) for r in reading.assessments][1] == ("A101", "None")


@pytest.mark.parametrize(
    "heading",
    ['"ROE, BOB A101",,,', ',"ROE, BOB A101",,', ',,"ROE, BOB A101",', ',,,"ROE, BOB A101"', "1975-06-07,ROE BOB,,"],
)
def test_a_heading_of_another_wording_never_leaves_its_rows_with_the_person_above(heading: str) -> None:
    reading = _csv(*_GROUPED, heading, "2026-03-02,GAD-7,7,Sato", "2026-03-02,PHQ-2,1,Sato", template=GROUPED)
    assert [(r.patient.mrn, r.total) for r in sendable(reading)] in ([("A100", 4)], [])
