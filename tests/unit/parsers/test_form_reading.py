"""Reading rules that a form brought to light."""

from __future__ import annotations

import re

from parsers.extraction import extract
from parsers.template import Template
from parsers.template_fit import missing_anchors
from parsers.template_parts import Blocks, Column, Field, Furniture, LabelledField, Table
from records.document import Document, Page, ReaderName, Word
from records.geometry import Region


def _line(y: float, *places: tuple[float, str]) -> list[Word]:
    words: list[Word] = []
    for x, text in places:
        for word in text.split():
            words.append(Word(word, Region(1, x, y, x + 5.0 * len(word), y + 10)))
            x += 5.0 * len(word) + 3
    return words


def _document(*lines: list[Word]) -> Document:
    page = Page(number=1, width=600, height=800, words=tuple(word for line in lines for word in line))
    return Document(reader=ReaderName.PDFPLUMBER, pages=(page,))


_TABLE = Template(
    id="t",
    revision=1,
    anchors=("Detail",),
    clinics={"North Clinic": "N"},
    furniture=(Furniture(pattern=re.compile(r"\d+ / \d+")), Furniture(text="North Clinic - private")),
    dates=("%m/%d/%Y",),
    table=(
        Table(
            columns=(
                Column(header="Name", field=Field.NAME),
                Column(header="Tool", field=Field.INSTRUMENT),
                Column(header="Score", field=Field.TOTAL),
                Column(header="Date", field=Field.AUTHORED_ON),
            )
        ),
    ),
)


def test_a_page_number_at_the_foot_does_not_swallow_a_score_that_looks_like_it() -> None:
    extraction = extract(
        _document(
            _line(50, (50, "Name"), (200, "Tool"), (300, "Score"), (400, "Date")),
            _line(70, (50, "Doe, Ann"), (200, "PHQ-9"), (300, "14 / 27"), (400, "01/02/2026")),
            _line(760, (280, "1 / 2")),
        ),
        _TABLE,
        site="N",
    )
    (row,) = extraction.report.rows
    total = row.cell("total")
    assert total is not None
    assert total.text == "14 / 27"
    assert not extraction.report.findings


def test_furniture_may_repeat_the_clinics_name_and_the_clinic_is_checked_all_the_same() -> None:
    document = _document(
        _line(50, (50, "Name"), (200, "Tool"), (300, "Score"), (400, "Date")),
        _line(70, (50, "Doe, Ann"), (200, "PHQ-9"), (300, "14"), (400, "01/02/2026")),
        _line(760, (50, "North Clinic - private")),
    )
    assert not extract(document, _TABLE, site="N").report.findings
    assert {f.code for f in extract(document, _TABLE, site="other").report.findings} == {"other-site"}


def test_an_anchor_need_not_repeat_a_colon_or_comma() -> None:
    document = _document(_line(50, (50, "Detail: all programs")))
    assert missing_anchors(document, _TABLE) == ()


_CARDS = Template(
    id="c",
    revision=1,
    anchors=("Person",),
    dates=("%m/%d/%Y",),
    no_score=("declined",),
    blocks=(
        Blocks(
            starts_with="Person",
            fields=(
                LabelledField(label="Person", field=Field.NAME),
                LabelledField(label="Questionnaire", field=Field.INSTRUMENT),
                LabelledField(label="Score", field=Field.TOTAL),
            ),
        ),
    ),
)


def _card(y: float, score: str) -> list[list[Word]]:
    return [
        _line(y, (50, "Person"), (150, "Ann Doe")),
        _line(y + 14, (50, "Questionnaire"), (150, "Patient Health")),
        _line(y + 26, (150, "Questionnaire 9 item")),
        _line(y + 40, (50, "Score"), (150, score)),
    ]


def test_a_value_goes_on_in_the_line_below_even_where_it_begins_with_a_labels_word() -> None:
    report = extract(_document(*_card(50, "4"), *_card(150, "5")), _CARDS, site="N").report
    assert [row.cell("instrument").text for row in report.rows] == ["Patient Health Questionnaire 9 item"] * 2  # type: ignore[union-attr]
    assert not report.findings


def test_a_declined_block_is_counted_and_is_no_record() -> None:
    report = extract(_document(*_card(50, "declined"), *_card(150, "5")), _CARDS, site="N").report
    assert (len(report.rows), report.no_score) == (1, 1)
    assert not report.findings
