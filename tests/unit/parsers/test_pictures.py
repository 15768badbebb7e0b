"""Pages that are pictures: text recognition may fill in what they say, a person always has the last word."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from printing import (
    ANN,
    BOB,
    HEIGHT,
    LISTING,
    SITE,
    TODAY,
    blocking,
    listing,
    pdf,
    printed,
    said,
    sendable,
)  # fmt: skip
from pydantic import ValidationError
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from ingest.settings import ReadingSettings
from parsers.instrument_library import load_instruments
from parsers.pictures import findings_about
from parsers.readers import ocr, pdfium
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind
from records.assessment import ReportReading
from records.errors import UnreadableDocumentError
from records.geometry import Region
from records.report import Cell, ExtractedRow

needs_ocr = pytest.mark.skipif(not ocr.is_installed(), reason="needs the extra scorebridge[ocr]")


def _scanned(*, first: bool) -> bytes:
    """A listing with Bob as a picture; before it, if `first`, one with Ann as text."""
    picture = pdfium.render_page(pdf(listing(BOB)), page=1, dots_per_inch=200)
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1)
    for mark in listing(ANN) if first else ():
        canvas.setFont(mark.font, mark.size)
        canvas.drawString(mark.x, HEIGHT - mark.y, mark.text)
    if first:
        canvas.showPage()
    canvas.drawImage(ImageReader(Image.open(BytesIO(picture))), 0, 0, 612, HEIGHT)
    canvas.save()
    return out.getvalue()


def _read(content: bytes, *, ocr_pages: int) -> ReportReading:
    request = ReadingRequest(
        kind=Kind.PDF, templates=(LISTING,), instruments=load_instruments(), site=SITE, today=TODAY, ocr_pages=ocr_pages
    )
    return read_report(content, request)


@needs_ocr
@pytest.mark.parametrize("first", [True, False])
def test_recognised_values_are_filled_in_and_never_sent(*, first: bool) -> None:
    reading = _read(_scanned(first=first), ocr_pages=2)
    assert printed(reading.assessments) == ([said(ANN)] if first else []) + [said(BOB)]
    assert printed(sendable(reading)) == ([said(ANN)] if first else [])
    last = reading.assessments[-1]
    assert {"ocr-text", "scanned-page"} == blocking(reading, last)


@needs_ocr
def test_pages_beyond_the_limit_stay_pictures() -> None:
    reading = _read(_scanned(first=True), ocr_pages=0)
    assert printed(reading.assessments) == [said(ANN)]
    assert [f.code for f in reading.findings] == ["scanned-page"]


def test_a_file_of_pictures_is_refused_where_nothing_recognises_text() -> None:
    with pytest.raises(UnreadableDocumentError) as refused:
        _read(_scanned(first=False), ocr_pages=0)
    assert refused.value.code == "no-text"


def test_text_recognition_that_is_not_installed_cannot_be_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.settings.find_spec", lambda _name: None)
    with pytest.raises(ValidationError, match=r"scorebridge\[ocr\]"):
        ReadingSettings(ocr_pages=1)


@needs_ocr
@pytest.mark.parametrize("wrong", [{"memory_mb": 1024}, {"timeout_seconds": 30.0}])
def test_text_recognition_needs_time_and_memory(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="text recognition needs"):
        ReadingSettings.model_validate({"ocr_pages": 2, **wrong})


def _row(page: int, *, name_on: int) -> ExtractedRow:
    name = Cell(text="Doe, Ann", region=Region(name_on, 10, 10, 60, 20))
    return ExtractedRow(page=page, region=Region(page, 0, 100, 600, 120), cells=(("name", name),))


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        (_row(3, name_on=1), ["scanned-page"]),  # page 2 may have named somebody else
        (_row(3, name_on=3), []),
        (_row(1, name_on=1), []),
    ],
)
def test_a_value_from_before_a_picture_is_doubted_behind_it(row: ExtractedRow, codes: list[str]) -> None:
    assert [finding.code for finding in findings_about(row, {2}, set())] == codes


def test_a_value_out_of_a_recognised_page_is_marked_wherever_its_record_stands() -> None:
    assert [finding.code for finding in findings_about(_row(3, name_on=2), {2}, {2})] == ["ocr-text"]
