"""Gate "clinical": what is printed has to make sense, and nothing is guessed or prorated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from printing import ANN, LISTING, TODAY

from parsers.instrument_library import load_instruments
from parsers.template import Template
from parsers.validation import validate
from records.assessment import SymptomAssessment
from records.geometry import Region
from records.report import Cell, ExtractedRow, ItemRow

_BOX = Region(1, 40, 100, 560, 112)
_FIELDS = ("name", "mrn", "birth_date", "instrument", "total", "authored_on")


def _row(**changes: str | None) -> ExtractedRow:
    """Ann's row; a change to None leaves the cell out of the layout."""
    values: dict[str, str | None] = {**dict(zip(_FIELDS, ANN, strict=True)), **changes}
    cells = tuple((name, Cell(text=text, region=_BOX)) for name, text in values.items() if text is not None)
    return ExtractedRow(page=1, region=_BOX, cells=cells)


def _validated(row: ExtractedRow, template: Template = LISTING, *, today: date = TODAY) -> SymptomAssessment:
    return validate(row, template, load_instruments(), today=today)


def _codes(record: SymptomAssessment, *, blocking: bool = True) -> set[str]:
    return {finding.code for finding in record.findings if finding.blocking is blocking}


def _with_items(points: list[str], *, instrument: str = "PHQ-9", total: str = "14") -> ExtractedRow:
    items = tuple(
        ItemRow(link_id=str(n), label=Cell(text=f"Question {n}"), points=Cell(text=p), answer=None, label_matches=True)
        for n, p in enumerate(points, start=1)
    )
    return replace(_row(instrument=instrument, total=total), items=items)


def test_a_row_that_makes_sense_has_no_findings() -> None:
    record = _validated(_row())
    assert record.findings == ()
    assert (record.instrument, record.total, record.authored_on) == ("phq-9", 14, date(2026, 3, 2))


@pytest.mark.parametrize(
    ("field", "printed", "code"),
    [
        ("name", "", "name-missing"),
        ("name", "----", "name-missing"),
        ("birth_date", "31/12/1980", "birth-date-unreadable"),
        ("birth_date", "03/11/2026", "birth-date-implausible"),
        ("birth_date", "01/01/1900", "birth-date-implausible"),
        ("instrument", "", "instrument-missing"),
        ("instrument", "Mood survey", "instrument-unknown"),
        ("instrument", "ASRS", "instrument-ambiguous"),
        ("instrument", "PHQ", "instrument-ambiguous"),
        ("total", "", "total-missing"),
        ("total", "-", "total-missing"),
        ("total", "14.0", "total-unreadable"),
        ("total", "14*", "total-unreadable"),
        ("total", "14/21", "total-unreadable"),
        ("total", "refused", "total-unreadable"),
        ("total", "28", "total-out-of-range"),
        ("authored_on", "", "date-missing"),
        ("authored_on", "02/30/2026", "date-unreadable"),
        ("authored_on", "03/11/2026", "date-in-future"),
        ("authored_on", "04/04/1980", "date-before-birth"),
    ],
)
def test_each_doubtful_cell_keeps_the_record_back_with_its_own_reason(field: str, printed: str, code: str) -> None:
    assert code in _codes(_validated(_row(**{field: printed})))


def test_a_score_of_today_is_not_in_the_future() -> None:
    assert not _codes(_validated(_row(authored_on="03/10/2026")))


@pytest.mark.parametrize("field", ["total", "authored_on", "instrument"])
def test_a_field_the_layout_does_not_print_keeps_the_record_back(field: str) -> None:
    assert _codes(_validated(_row(**{field: None})))


def test_a_sex_that_cannot_be_read_keeps_the_record_back_and_a_blank_one_does_not() -> None:
    assert _codes(_validated(_row(sex="Q"))) == {"sex-unreadable"}
    assert not _codes(_validated(_row(sex="")))


def test_a_date_whose_day_and_month_cannot_be_told_apart_keeps_the_record_back() -> None:
    both = replace(LISTING, dates=("%m/%d/%Y", "%d/%m/%Y"))
    assert _codes(_validated(_row(), both)) == {"date-ambiguous", "birth-date-ambiguous"}
    assert not _codes(_validated(_row(authored_on="02/25/2026", birth_date="04/30/1980"), both))


@pytest.mark.parametrize(
    ("word", "code"), [("Moderate", None), ("Severe", "severity-differs"), ("mild", "severity-differs")]
)
def test_severity_words_are_held_against_the_total(word: str, code: str | None) -> None:
    assert _codes(_validated(_row(severity=word))) == ({code} if code else set())


def test_a_number_before_the_severity_word_may_be_another_rows_score() -> None:
    assert _codes(_validated(_row(severity="12mild"))) == {"column-boundary"}


def test_a_severity_word_nobody_knows_is_a_note_and_does_not_block() -> None:
    record = _validated(_row(severity="Consider referral"))
    assert (_codes(record), _codes(record, blocking=False)) == (set(), {"severity-not-checked"})


@given(st.lists(st.integers(0, 3), min_size=9, max_size=9), st.integers(0, 27))
def test_answers_must_add_up_to_the_printed_total(points: list[int], total: int) -> None:
    record = _validated(_with_items([str(p) for p in points], total=str(total)))
    assert _codes(record) == (set() if sum(points) == total else {"sum-differs"})
    assert record.critical is (points[8] > 0)


@given(st.integers(1, 8), st.sampled_from(["", "-", "_"]))
def test_a_blank_answer_is_named_and_never_made_up(item: int, blank: str) -> None:
    points = ["1"] * 8 + ["0"]
    points[item - 1] = blank
    record = _validated(_with_items(points, total="7"))
    assert _codes(record) == {f"item-{item}-blank"}
    assert (record.item_points or ())[item - 1] is None


@given(st.integers(1, 9), st.sampled_from(["4", "7", "1.0", "x", "1 1", "O", "1*"]))
def test_an_answer_out_of_range_or_unreadable_is_named(item: int, printed: str) -> None:
    points = ["1"] * 8 + ["0"]
    points[item - 1] = printed
    record = _validated(_with_items(points, total="8"))
    assert _codes(record) & {f"item-{item}-unreadable", f"item-{item}-out-of-range"}
    assert record.critical is (item == 9)


def test_missing_answers_are_counted() -> None:
    assert "item-count" in _codes(_validated(_with_items(["1"] * 8, total="8")))


def test_an_instrument_whose_scoring_is_unverified_keeps_the_record_back() -> None:
    library = dict(load_instruments())
    doubtful = replace(library["phq-9"], unverified=True)
    record = validate(_row(), LISTING, {**library, "phq-9": doubtful}, today=TODAY)
    assert "instrument-unverified" in _codes(record)


@pytest.mark.parametrize(
    ("name", "total", "fits"),
    [("PHQ-2", "6", True), ("PHQ-2", "7", False), ("GAD-7", "21", True), ("GAD-7", "22", False)],
)
def test_totals_are_held_against_the_range_of_their_own_instrument(name: str, total: str, fits: bool) -> None:
    assert _codes(_validated(_row(instrument=name, total=total))) == (set() if fits else {"total-out-of-range"})


@pytest.mark.parametrize(("printed", "level"), [("High", "high"), ("low risk", "low"), ("14", None), ("raised", None)])
def test_a_result_that_is_no_level_keeps_the_record_back(printed: str, level: str | None) -> None:
    record = _validated(_row(instrument="C-SSRS", total=printed))
    assert (record.result, "result-unreadable" in _codes(record)) == (level, level is None)
