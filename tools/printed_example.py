"""A print drawn with letters, read with a template as a real report is: for examples that are never wrong."""

from __future__ import annotations

import re
from typing import Final

from parsers.csv_extraction import extract_csv
from parsers.extraction import extract
from parsers.marks import chosen
from parsers.readers import table_file
from parsers.template import Kind, Template
from records.document import Document, Mark, MarkKind, Page, ReaderName, Word
from records.geometry import Region
from records.report import ExtractedReport, ExtractedRow, ItemRow

PAGE_BREAK: Final = "=== next page ===\n"
# A fixed-pitch face of 10 points; all in points.
_ADVANCE, _HEIGHT, _LEADING, _MARGIN = 6.0, 10.0, 12.0, 36.0
_RINGED = re.compile(r"\((\d)\)")


def read_example(text: str, template: Template) -> ExtractedReport:
    """What the template reads in a print.

    Args:
        text: Lines of letters, pages parted by `PAGE_BREAK`; "(1)" is a digit with a ring, where the layout has rings.
            For a CSV layout the file itself.
        template: Its only clinic, or none, is where the print comes from.
    """
    site = next(iter(template.clinics.values()), "")
    if template.kind is Kind.CSV:
        return extract_csv(table_file.read(text.encode()), template, site=site)
    rings = any(items.has_rings for items in template.items)
    pages = [_page(number, lines, rings) for number, lines in enumerate(text.split(PAGE_BREAK), start=1)]
    document = Document(reader=ReaderName.PDFPLUMBER, pages=tuple(pages))
    return extract(document, template, site=site).report


def reading_table(report: ExtractedReport) -> list[str]:
    """The records of a report as the lines of a Markdown table, a column per field."""
    records = [_values(row) for row in report.rows]
    names = list(dict.fromkeys(name for record in records for name in record))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return lines + ["| " + " | ".join(record.get(name, "") for name in names) + " |" for record in records]


def _page(number: int, text: str, rings: bool) -> Page:
    words: list[Word] = []
    marks: list[Mark] = []
    for line, letters in enumerate(text.splitlines()):
        top = _MARGIN + line * _LEADING
        for found in re.finditer(r"\S+", letters):
            printed, start, end = found[0], found.start(), found.end()
            ring = _RINGED.fullmatch(printed) if rings else None
            if ring is not None:
                printed, start, end = ring[1], start + 1, end - 1
            box = Region(number, _MARGIN + start * _ADVANCE, top, _MARGIN + end * _ADVANCE, top + _HEIGHT)
            words.append(Word(printed, box))
            if ring is not None:
                around = Region(number, box.x0 - 4, box.top - 1, box.x1 + 4, box.bottom + 1)
                marks.append(Mark(MarkKind.RING, around))
    return Page(number=number, width=792.0, height=612.0, words=tuple(words), marks=tuple(marks))


def _values(row: ExtractedRow) -> dict[str, str]:
    values = {name: cell.text for name, cell in row.cells if cell.text}
    if row.instrument is not None:
        values["instrument"] = f"({row.instrument})"
    return values | {f"answer {item.link_id}": _points(item) for item in row.items or ()}


def _points(item: ItemRow) -> str:
    if item.choices:
        return str(chosen(item.choices, marks=("yes",)))
    return item.points.text or (item.answer.text if item.answer is not None else "")
