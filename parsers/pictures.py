"""Pages that are pictures: nothing on them was read, or only by text recognition, and a person must know."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from parsers.readers import ocr
from records.document import Document, Page, Word
from records.finding import Finding
from records.geometry import Region
from records.report import ExtractedRow


def picture_pages(glyphs: Document) -> tuple[Page, ...]:
    """The pages of the third reading that show something without text."""
    return tuple(page for page in glyphs.pages if any(code == "scanned-page" for code, _ in page.flaws))


def recognised(content: bytes, glyphs: Document, *, at_most: int) -> dict[int, tuple[Word, ...]]:
    """The words recognised on the first `at_most` picture pages, by page number."""
    pages = picture_pages(glyphs)[:at_most]
    return ocr.recognise(content, pages) if pages else {}


def findings_about(row: ExtractedRow, pictures: Collection[int], by_ocr: Collection[int]) -> tuple[Finding, ...]:
    """What pictures have to do with a record.

    A value of an earlier page may have been replaced on a picture between that page and the record.

    Args:
        row: The record as printed.
        pictures: Numbers of all pages that are pictures.
        by_ocr: Numbers of those whose text was recognised.
    """
    found: list[Finding] = []
    printed = {region.page for region in _regions(row)}
    if not printed.isdisjoint(by_ocr):
        found.append(Finding(code="ocr-text", region=row.region))
    if row.page is not None and any(early < page < row.page for early in printed for page in pictures):
        found.append(Finding(code="scanned-page", region=row.region))
    return tuple(found)


def _regions(row: ExtractedRow) -> Iterator[Region]:
    if row.region is not None:
        yield row.region
    for _, cell in row.cells:
        if cell.region is not None:
            yield cell.region
