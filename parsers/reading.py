"""A file read from beginning to end: bytes in, assessments with findings out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from parsers.agreement import Testimony
from parsers.csv_extraction import extract_csv
from parsers.date_order import turned_dates
from parsers.extraction import extract
from parsers.heading_doubts import doubt_below_unread, with_doubted_headings
from parsers.lines import lines_of
from parsers.pictures import findings_about, picture_pages, recognised
from parsers.placed_words import PlacedDigits
from parsers.readers import camelot_grid, fast_plumber, pdfium, table_file, text_layer
from parsers.readers.garbage import seldom_collected
from parsers.readers.limits import ReadingLimits
from parsers.readers.ocr import page_with_recognised, with_recognised
from parsers.readers.pdfium_glyphs import PageGlyphs
from parsers.sight import Eyewitness
from parsers.signature import signature_of, table_signature_of
from parsers.template import Kind, Template
from parsers.template_fit import fitting_template
from parsers.torn_words import TornWords
from parsers.validation import validate
from records.assessment import ReportReading
from records.document import Document, ReaderName
from records.errors import IncompleteDocumentError
from records.finding import Finding
from records.instrument import Instrument

# Not a middle initial before a date: "Paul P. 4/9/1980".
_PAGE_OF = re.compile(
    r"\b(?:page|pg\.?|p\.|sheet):?\s*(\d{1,4})\s*(?:of|/)\s*(\d{1,4})\b(?!\s*[/.-]?\d)", re.IGNORECASE
)

_PAGE = re.compile(r"pa?g|p\.|sheet", re.IGNORECASE)  # in a word of all that `_PAGE_OF` finds


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRequest:
    """What reading a file needs besides its bytes.

    Attributes:
        kind: What the file's name says it is.
        templates: Candidates; exactly one must fit.
        instruments: The library.
        site: The clinic the file came from.
        today: Today at that site.
        ocr_pages: How many pages that are pictures are read by text recognition, which must be installed; 0 for none.
    """

    kind: Kind
    templates: tuple[Template, ...]
    instruments: Mapping[str, Instrument]
    site: str
    today: date
    ocr_pages: int = 0
    limits: ReadingLimits = field(default_factory=ReadingLimits)


def read_report(content: bytes, request: ReadingRequest) -> ReportReading:
    """Everything printed in a file.

    Raises:
        DocumentError: The file is not whole, cannot be read, or not exactly one template fits.
    """
    if request.kind is Kind.CSV and not content.startswith(b"%PDF-"):
        return _read_csv(content, request)
    with seldom_collected():
        return _read_pdf(content, request)


def _read_pdf(content: bytes, request: ReadingRequest) -> ReportReading:
    decoded = pdfium.decode(content, request.limits, needs_text=not request.ocr_pages)
    glyphs = Document(reader=ReaderName.PDFIUM, pages=tuple([each.page for each in decoded]))
    pages = len(decoded)
    by_ocr = recognised(content, glyphs, at_most=request.ocr_pages)
    with text_layer.opened(content) as layer:
        first = with_recognised(fast_plumber.read(content, layer, glyphs), by_ocr)
        _check_page_numbers(first, pages)
        template = fitting_template(first, request.templates)
        extraction = extract(first, template, site=request.site)
        report = extraction.report
        rows = with_doubted_headings(report.rows, report.findings, template)
        testimony = Testimony(rows)
        all_words = _speaks_outside_tables(template)
        second = camelot_grid.pages_of(layer, areas=extraction.areas, pages=pages, all_words=all_words)
        for page, third in zip(second, decoded, strict=True):
            if page.number in by_ocr:
                testimony.hear(page_with_recognised(page, by_ocr), page_with_recognised(third.page, by_ocr))
            else:
                testimony.hear(page, third.page, placed_digits(third.glyphs))
    pictures = {page.number for page in picture_pages(glyphs)}
    seen = [row for row in report.rows if row.page not in by_ocr]
    eyewitness = Eyewitness(content, [each.glyphs for each in decoded], seen)
    torn = TornWords(first)
    assessments = tuple(
        validate(
            row,
            template,
            request.instruments,
            today=request.today,
            also=(
                *testimony.findings(row),
                *eyewitness.findings(row),
                *findings_about(row, pictures, by_ocr.keys()),
                *torn.findings(row),
            ),
        )
        for row in rows
    )
    flaws = tuple(
        Finding(code=code, region=region)
        for page in glyphs.pages
        for code, region in dict(reversed(page.flaws)).items()
    )
    assessments = doubt_below_unread(report.rows, assessments, template)
    return ReportReading(
        template=report.template,
        pages=pages,
        assessments=assessments,
        no_score=report.no_score,
        findings=(*report.findings, *flaws, *turned_dates(report.rows, template)),
        signature=signature_of(first.pages, template, report, assessments),
    )


def placed_digits(glyphs: PageGlyphs) -> PlacedDigits:
    """The digits of a page as the third reader sees them."""
    digits, boxes = glyphs.digits()
    return PlacedDigits(glyphs.placing.number, digits, boxes.tolist())


def _speaks_outside_tables(template: Template) -> bool:
    """Whether values of a record stand elsewhere than in the cells of a table."""
    outside = (template.fields, template.blocks, template.sentences, *(items.fields for items in template.items))
    ringed = any(items.has_rings or items.beside for items in template.items)
    said = any(table.group_fields or table.details or table.across or table.takes_apart for table in template.table)
    return any(outside) or ringed or said


def _read_csv(content: bytes, request: ReadingRequest) -> ReportReading:
    file = table_file.read(content)
    template = fitting_template(file, request.templates)
    report = extract_csv(file, template, site=request.site)
    assessments = tuple(validate(row, template, request.instruments, today=request.today) for row in report.rows)
    assessments = doubt_below_unread(report.rows, assessments, template)
    return ReportReading(
        template=report.template,
        pages=0,
        assessments=assessments,
        no_score=report.no_score,
        findings=(*report.findings, *turned_dates(report.rows, template)),
        signature=table_signature_of(file, template, report, assessments),
    )


def _check_page_numbers(document: Document, pages: int) -> None:
    """Refuse a file that lacks pages its own print promises.

    Several numbered parts may follow each other in one file ("Page 1 of 2", "Page 2 of 2", "Page 1 of 3" …);
    each must run from its first to its last page.

    Raises:
        IncompleteDocumentError: A page is missing, doubled or out of order.
    """
    expected: tuple[int, int] | None = None
    for page in document.pages:
        if not any(_PAGE.search(word.text) for word in page.words):
            continue
        lines = [line for line in lines_of(page.words) if any(_PAGE.search(word.text) for word in line.words)]
        runs = (" ".join([word.text for word in run]) for line in lines for run in line.runs())
        printed = next((found for text in runs if (found := _PAGE_OF.search(text))), None)
        if printed is None:
            continue
        number, of = int(printed[1]), int(printed[2])
        if (expected is not None and (number, of) != expected) or (expected is None and number != 1):
            raise IncompleteDocumentError(
                f"The print says page {number} of {of} on sheet {page.number}; pages are missing or out of order.",
                code="pages-missing",
                next_step="Print the report again.",
            )
        expected = (number + 1, of) if number < of else None
    if expected is not None:
        raise IncompleteDocumentError(
            f"The print promises {expected[1]} pages; the file ends after page {expected[0] - 1} ({pages} sheets).",
            code="pages-missing",
            next_step="Print the report again.",
        )
