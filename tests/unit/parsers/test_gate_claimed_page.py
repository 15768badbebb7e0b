"""Gate "claimed page": a word that belongs to nothing keeps back the records it may have been about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from printing import (
    ANN,
    BOB,
    CAT,
    LISTING,
    LISTING_HEADER,
    Mark,
    blocked,
    line,
    listing,
    pdf,
    printed,
    read,
    said,
    sendable,
)

from parsers.template_file import parse_template
from parsers.template_parts import Furniture

DAN = ("Zoe, Dan", "A103", "01/01/1970", "GAD-7", "5", "03/05/2026")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(x=st.floats(30, 560), y=st.one_of(st.floats(20, 40), st.floats(240, 780)))
def test_an_extra_word_anywhere_keeps_that_pages_records_back_and_no_other_pages(x: float, y: float) -> None:
    reading = read(pdf(listing(ANN, BOB), [*listing(CAT, DAN), Mark(x, y, "Deceased")]), LISTING)
    assert printed(sendable(reading)) == [said(ANN), said(BOB)]
    assert {f.code for f in reading.findings} == {"unclaimed-word"}


def test_an_extra_word_between_the_columns_of_a_row_is_never_swallowed_in_silence() -> None:
    page = [*listing(ANN, BOB, CAT), Mark(455, 136, "7")]
    assert said(ANN) in printed(sendable(read(pdf(page), LISTING)))
    assert said(BOB) not in printed(sendable(read(pdf(page), LISTING)))


def test_furniture_is_claimed_only_as_a_whole() -> None:
    template = replace(LISTING, furniture=(*LISTING.furniture, Furniture(text="End of report")))
    assert not blocked(read(pdf([*listing(ANN), Mark(40, 300, "End of report")]), template))
    assert blocked(read(pdf([*listing(ANN), Mark(40, 300, "End of report (2 left out)")]), template)) == {
        "unclaimed-word"
    }


def test_a_column_the_template_does_not_know_keeps_the_page_back() -> None:
    page = [*listing(ANN, BOB), Mark(560, 100, "Note"), Mark(560, 118, "seen")]
    assert sendable(read(pdf(page), LISTING)) == []


def test_a_page_that_goes_on_without_its_header_keeps_its_rows_back() -> None:
    reading = read(pdf(listing(ANN, BOB), line(118, CAT)), LISTING)
    assert printed(sendable(reading)) == [said(ANN), said(BOB)]
    assert "unclaimed-word" in blocked(reading)


def test_a_table_of_another_kind_below_keeps_the_page_back() -> None:
    below = [Mark(40, 300, "Program"), Mark(200, 300, "Count"), Mark(40, 318, "Adult"), Mark(200, 318, "14")]
    assert sendable(read(pdf([*listing(ANN, BOB), *below]), LISTING)) == []


def test_a_second_table_of_the_same_kind_is_read_with_columns_of_its_own() -> None:
    second = [mark._replace(x=mark.x + 30) for mark in listing(CAT, DAN, top=300)[1:]]
    reading = read(pdf([*listing(ANN, BOB), *second]), LISTING)
    assert printed(sendable(reading)) == [said(row) for row in (ANN, BOB, CAT, DAN)]


def test_a_header_repeated_between_rows_is_no_row() -> None:
    reading = read(pdf([*listing(ANN, BOB), *line(154, LISTING_HEADER), *line(172, CAT)]), LISTING)
    assert printed(sendable(reading)) == [said(ANN), said(BOB), said(CAT)]


def test_a_declined_row_is_counted_and_is_no_record() -> None:
    reading = read(pdf(listing(ANN, (*BOB[:4], "declined", BOB[5]))), LISTING)
    assert (len(reading.assessments), reading.no_score, blocked(reading)) == (1, 1, set())


_GROUPED = parse_template(
    """
id: grouped
revision: 1
anchors: [Score listing]
furniture: [{text: Score listing}]
dates: ['%m/%d/%Y']
table:
  columns:
    - {header: Patient, field: name}
    - {header: MRN, field: mrn}
    - {header: Test, field: instrument}
    - {header: Score, field: total}
  groups:
    - {pattern: 'Day: (?P<authored_on>.+)'}
""",
    source="grouped.yaml",
)
_GROUPED_X = (40.0, 170.0, 330.0, 420.0)


def _grouped_row(y: float, row: tuple[str, ...]) -> list[Mark]:
    return line(y, (row[0], row[1], row[3], row[4]), _GROUPED_X)


def _grouped_page(*rest: Mark) -> list[Mark]:
    return [Mark(40, 60, "Score listing", 14), *line(100, ("Patient", "MRN", "Test", "Score"), _GROUPED_X), *rest]


def test_a_headings_day_holds_on_the_next_page() -> None:
    first = _grouped_page(Mark(40, 118, "Day: 03/02/2026"), *_grouped_row(136, ANN))
    second = _grouped_page(*_grouped_row(118, BOB), Mark(40, 154, "Day: 03/04/2026"), *_grouped_row(172, CAT))
    days = [str(record.authored_on) for record in sendable(read(pdf(first, second), _GROUPED))]
    assert days == ["2026-03-02", "2026-03-02", "2026-03-04"]


@pytest.mark.parametrize("heading", ["Date 03/03/2026", "Tuesday", "Day:"])
def test_a_day_does_not_hold_past_a_heading_that_was_not_understood_not_even_on_the_next_page(heading: str) -> None:
    first = _grouped_page(Mark(40, 118, "Day: 03/02/2026"), *_grouped_row(136, ANN), Mark(40, 174, heading))
    second = _grouped_page(*_grouped_row(118, BOB), Mark(40, 154, "Day: 03/04/2026"), *_grouped_row(172, CAT))
    assert printed(sendable(read(pdf(first, second), _GROUPED))) == [said(CAT)]


_PERSON = parse_template(
    """
id: person-pages
revision: 1
anchors: [Score listing]
furniture: [{text: Score listing}]
dates: ['%m/%d/%Y']
fields:
  - {label: Patient, field: name}
  - {label: MRN, field: mrn}
  - {label: Born, field: birth_date}
table:
  columns:
    - {header: Test, field: instrument}
    - {header: Score, field: total}
    - {header: Given, field: authored_on}
""",
    source="person-pages.yaml",
)


def _person_page(row: tuple[str, ...], *, of: tuple[str, ...] | None, label: str = "Patient:") -> list[Mark]:
    head = [Mark(40, 60, "Score listing", 14), *line(150, ("Test", "Score", "Given"), (40, 200, 300))]
    if of is not None:
        for y, name, value in ((85, label, of[0]), (100, "MRN:", of[1]), (115, "Born:", of[2])):
            head += [Mark(40, y, name), Mark(100, y, value)]
    return [*head, *line(168, row[3:], (40, 200, 300))]


def test_a_person_holds_on_the_next_page() -> None:
    reading = read(pdf(_person_page(ANN, of=ANN), _person_page(DAN, of=None), _person_page(BOB, of=BOB)), _PERSON)
    assert [record.patient.mrn for record in sendable(reading)] == ["A100", "A100", "A101"]


def test_a_person_does_not_hold_past_a_page_on_which_another_one_was_not_understood() -> None:
    pages = _person_page(ANN, of=ANN), _person_page(BOB, of=BOB, label="Client:"), _person_page(CAT, of=None)
    assert printed(sendable(read(pdf(*pages), _PERSON))) == [said(ANN)]


def test_a_page_that_names_another_person_takes_nothing_from_the_person_before() -> None:
    nameless = [mark for mark in _person_page(BOB, of=BOB) if mark.text not in ("Patient:", BOB[0])]
    second = read(pdf(_person_page(ANN, of=ANN), nameless), _PERSON).assessments[1]
    assert (second.patient.name, second.patient.mrn) == ("", "A101")
