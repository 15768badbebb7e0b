"""What mutating whole reports has found: each is a print that a person would read otherwise than it was read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from printing import ANN, BOB, CAT, LISTING, TODAY, blocked, listing, pdf, printed, read, said, sendable

from parsers.instrument_library import load_instruments
from parsers.template import Kind
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
