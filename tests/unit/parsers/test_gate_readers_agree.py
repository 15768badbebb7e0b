"""Gate "readers agree": three readings of a record say the same, or a person looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from printing import ANN, BOB, LISTING, TODAY, listing, pdf

from parsers.agreement import Witnesses
from parsers.extraction import Extraction, extract
from parsers.instrument_library import load_instruments
from parsers.readers import camelot_grid, pdfium, plumber, text_layer
from parsers.readers.limits import ReadingLimits
from parsers.validation import validate
from records.document import Document, GridCell, Page, Word
from records.report import ExtractedRow

CONTENT = pdf(listing(ANN, BOB))
FIRST = plumber.read(CONTENT)
EXTRACTION: Extraction = extract(FIRST, LISTING, site="NORTH")
with text_layer.opened(CONTENT) as layer:
    SECOND = camelot_grid.read(layer, areas=EXTRACTION.areas, pages=1, all_words=True)
THIRD = pdfium.read(CONTENT, ReadingLimits())
ROW, OTHER = EXTRACTION.report.rows


def _codes(second: Document, third: Document, row: ExtractedRow = ROW) -> set[str]:
    return {finding.code for finding in Witnesses(second, third).findings(row)}


def _on_page(document: Document, change: Callable[[Page], Page]) -> Document:
    return replace(document, pages=tuple(change(page) for page in document.pages))


def _cells(page: Page, old: str, new: str) -> Page:
    return replace(page, grid=tuple(GridCell(cell.text.replace(old, new), cell.region) for cell in page.grid))


def test_untouched_readings_agree() -> None:
    assert _codes(SECOND, THIRD) == set()
    assert _codes(SECOND, THIRD, OTHER) == set()


@pytest.mark.parametrize("column", range(6))
def test_one_differing_character_in_any_cell_of_the_second_reading_keeps_that_record_back(column: int) -> None:
    printed = ANN[column]
    tampered = _on_page(SECOND, lambda page: _cells(page, printed, f"{printed[:-1]}~"))
    assert _codes(tampered, THIRD) == {"readers-differ"}
    assert _codes(tampered, THIRD, OTHER) == set()


@pytest.mark.parametrize("column", range(6))
def test_a_cell_the_second_reading_lacks_keeps_the_record_back(column: int) -> None:
    tampered = _on_page(SECOND, lambda page: _cells(page, ANN[column], ""))
    assert _codes(tampered, THIRD) == {"readers-differ"}


def test_a_second_reading_without_the_table_is_no_agreement() -> None:
    nothing = _on_page(SECOND, lambda page: replace(page, grid=(), words=()))
    assert _codes(nothing, THIRD) == {"readers-differ"}


def test_letters_that_only_look_alike_are_told_apart() -> None:
    tampered = _on_page(SECOND, lambda page: _cells(page, "14", "l4"))
    assert _codes(tampered, THIRD) == {"readers-differ"}


def _glyphs(page: Page, change: Callable[[Word], Word | None]) -> Page:
    return replace(page, words=tuple(new for word in page.words if (new := change(word)) is not None))


def _in_score(word: Word) -> bool:
    total = ROW.cell("total")
    assert total is not None
    assert total.region is not None
    return total.region.holds(*word.region.center, slack=1)


def test_a_digit_missing_in_the_third_reading_keeps_the_record_back() -> None:
    tampered = _on_page(THIRD, lambda page: _glyphs(page, lambda w: None if _in_score(w) and w.text == "4" else w))
    assert _codes(SECOND, tampered) == {"digits-differ"}
    assert _codes(SECOND, tampered, OTHER) == set()


def test_another_digit_in_the_third_reading_keeps_the_record_back() -> None:
    tampered = _on_page(
        THIRD, lambda page: _glyphs(page, lambda w: replace(w, text="7") if _in_score(w) and w.text == "4" else w)
    )
    assert _codes(SECOND, tampered) == {"digits-differ"}


def test_what_readers_differ_in_reaches_the_record() -> None:
    tampered = _on_page(SECOND, lambda page: _cells(page, "14", "17"))
    also = Witnesses(tampered, THIRD).findings(ROW)
    record = validate(ROW, LISTING, load_instruments(), today=TODAY, also=also)
    assert {finding.code for finding in record.findings if finding.blocking} == {"readers-differ"}
