"""What mutating whole reports has found: each is a print that a person would read otherwise than it was read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from printing import (
    ANN,
    BOB,
    CAT,
    LISTING,
    LISTING_X,
    TODAY,
    Mark,
    Stroke,
    blocked,
    blocking,
    line,
    listing,
    pdf,
    printed,
    read,
    said,
    sendable,
)

from parsers.instrument_library import load_instruments
from parsers.template import Kind
from parsers.template_file import parse_template
from parsers.validation import validate
from records.geometry import Region
from records.report import Cell, ExtractedRow

_EXPORT = replace(LISTING, kind=Kind.CSV)


def _with(row: tuple[str, ...], *, born: str) -> tuple[str, ...]:
    return (*row[:2], born, *row[3:])


def _csv(*rows: tuple[str, ...]) -> bytes:
    lines = ["Score listing", "Patient;MRN;Born;Test;Score;Given", *(";".join(row) for row in rows)]
    return "\n".join([*lines, ""]).encode()


@pytest.mark.parametrize("kind", [Kind.PDF, Kind.CSV])
def test_one_date_with_the_day_first_makes_every_date_of_the_file_doubtful(kind: Kind) -> None:
    rows = _with(ANN, born="05/04/1980"), _with(BOB, born="27/06/1975"), _with(CAT, born="09/08/1990")
    content = pdf(listing(*rows)) if kind is Kind.PDF else _csv(*rows)
    reading = read(content, LISTING if kind is Kind.PDF else _EXPORT, kind=kind)
    assert len(reading.assessments) == 3
    assert "date-ambiguous" in blocked(reading)
    assert not sendable(reading)


@pytest.mark.parametrize("born", ["02/30/1975", "unknown", "00/00/0000"])
def test_a_date_that_is_none_in_either_order_holds_its_own_record_only(born: str) -> None:
    reading = read(_csv(ANN, _with(BOB, born=born), CAT), _EXPORT, kind=Kind.CSV)
    assert printed(sendable(reading)) == [said(ANN), said(CAT)]


def _scored(total: str, severity: str) -> set[str]:
    box = Region(1, 40, 100, 560, 112)
    names = ("name", "mrn", "birth_date", "instrument", "total", "authored_on", "severity")
    texts = (*ANN[:4], total, ANN[5], severity)
    cells = tuple((name, Cell(text=text, region=box)) for name, text in zip(names, texts, strict=True))
    row = ExtractedRow(page=1, region=box, cells=cells)
    return {f.code for f in validate(row, LISTING, load_instruments(), today=TODAY).findings if f.blocking}


@pytest.mark.parametrize(("total", "severity"), [("6 Mil", "d"), ("14 Mod", "erate"), ("14 Mild", "Moderate")])
def test_a_severity_torn_between_the_score_and_its_own_column_goes_to_a_person(total: str, severity: str) -> None:
    assert "column-boundary" in _scored(total, severity)


@pytest.mark.parametrize(
    ("total", "severity"), [("14 (Moderate)", "moderate"), ("14 Moderate", "Moderate"), ("14", "")]
)
def test_a_severity_printed_twice_alike_is_no_doubt(total: str, severity: str) -> None:
    assert _scored(total, severity) == set()


# Two patients under headings of their own; the scores of the second must never go to the first.
_SHEET = parse_template(
    """
id: small-flowsheet
revision: 1
anchors: [Score sheet]
furniture:
  - {text: Score sheet}
dates: ['%m/%d/%Y']
names: family-first
table:
  columns:
    - {header: Test, field: instrument}
    - {header: Score, field: total}
    - {header: Given, field: authored_on}
  groups:
    - pattern: 'Client: (?P<name>\\D+) MRN: (?P<mrn>\\S+) Born: (?P<birth_date>\\S+)'
""",
    source="small-flowsheet.yaml",
)
_SHEET_X = (60.0, 160.0, 260.0)


def _heading(y: float, name: str, mrn: str, born: str) -> list[Mark]:
    xs = (60.0, 96.0, 200.0, 230.0, 300.0, 332.0)
    return line(y, ("Client:", name, "MRN:", mrn, "Born:", born), xs)


def _sheet(second: str) -> list[Mark]:
    return [
        Mark(40, 60, "Score sheet", 14),
        *line(90, ("Test", "Score", "Given"), _SHEET_X),
        *_heading(110, "Doe, Ann", "A100", "04/05/1980"),
        *line(130, ("PHQ-9", "14", "03/02/2026"), _SHEET_X),
        *_heading(150, second, "A101", "06/07/1975"),
        *line(170, ("GAD-7", "7", "03/03/2026"), _SHEET_X),
    ]


def test_each_patient_has_the_scores_below_its_own_heading() -> None:
    reading = read(pdf(_sheet("Roe, Bob")), _SHEET)
    assert [(r.patient.mrn, r.total) for r in sendable(reading)] == [("A100", 14), ("A101", 7)]


def test_scores_below_a_heading_without_a_name_are_not_given_to_the_patient_before() -> None:
    reading = read(pdf(_sheet("")), _SHEET)
    assert ("A100", 7) not in [(r.patient.mrn, r.total) for r in sendable(reading)]


def test_no_later_page_goes_on_with_the_patient_before_a_line_nobody_knows() -> None:
    later = [
        Mark(40, 60, "Score sheet", 14),
        *line(90, ("Test", "Score", "Given"), _SHEET_X),
        *line(110, ("GAD-7", "9", "03/04/2026"), _SHEET_X),
    ]
    reading = read(pdf(_sheet("")[:-3], later), _SHEET)
    assert 9 not in [record.total for record in sendable(reading)]
    whole = read(pdf(_sheet("Roe, Bob")[:-3], later), _SHEET)
    assert [(r.patient.mrn, r.total) for r in sendable(whole)] == [("A100", 14), ("A101", 9)]


def test_a_name_that_a_border_runs_through_goes_to_a_person() -> None:
    xs = LISTING_X
    border = [Stroke(xs[0] + 5.5, 90, xs[0] + 5.5, 200)]
    reading = read(pdf([*listing(ANN, BOB), *border]), LISTING)
    assert not sendable(reading)


def test_a_name_half_upon_another_line_goes_to_a_person() -> None:
    first, second = listing(ANN), [Mark(40, 128, "O")]
    reading = read(pdf([*first, *second, *listing(BOB, top=115)[1 + len(LISTING_X) :]]), LISTING)
    names = [record.patient.name for record in sendable(reading)]
    assert not any("O" in name.split() for name in names)


_NESTED = parse_template(
    """
id: small-nested
revision: 1
anchors: [Nested scores]
furniture:
  - {text: Nested scores}
dates: ['%m/%d/%Y']
names: family-first
no_score: ['']
table:
  columns:
    - {header: Patient, field: name}
    - {header: MRN, field: mrn}
    - {header: Given, field: authored_on}
    - {header: PHQ score, field: total, instrument: phq-9}
    - {header: PHQ band, field: severity, instrument: phq-9}
    - {header: GAD score, field: total, instrument: gad-7}
    - {header: GAD band, field: severity, instrument: gad-7}
""",
    source="small-nested.yaml",
)


def _nested(*scores: str) -> list[Mark]:
    xs = (40.0, 130.0, 200.0, 280.0, 350.0, 430.0, 500.0)
    header = ("Patient", "MRN", "Given", "PHQ score", "PHQ band", "GAD score", "GAD band")
    return [
        Mark(40, 60, "Nested scores", 14),
        *line(90, header, xs),
        *line(110, ("Doe, Ann", "A100", "03/02/2026", *scores), xs),
        *line(130, ("Roe, Bob", "A101", "03/02/2026", "3", "Minimal", "7", "Mild"), xs),
    ]


def test_a_blank_score_beside_its_own_severity_is_a_record_that_waits() -> None:
    reading = read(pdf(_nested("14", "Moderate", "", "Mild")), _NESTED)
    ann = [(r.instrument, r.total, "total-missing" in blocking(reading, r)) for r in reading.assessments[:2]]
    assert ann == [("phq-9", 14, False), ("gad-7", None, True)]


def test_a_blank_score_with_a_blank_severity_is_no_record() -> None:
    reading = read(pdf(_nested("14", "Moderate", "", "")), _NESTED)
    assert (len(reading.assessments), reading.no_score) == (3, 1)
