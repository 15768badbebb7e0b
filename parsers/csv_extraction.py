"""Records out of CSV files. Every cell is claimed by a column, or it is a finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from parsers.claims import describes
from parsers.lines import folded
from parsers.printed_scores import PrintedColumn, split_scores
from parsers.template import Template
from parsers.template_parts import Column, Field, Table
from records.document import TableFile, TableRow
from records.errors import UnreadableDocumentError
from records.finding import Finding
from records.report import Cell, ExtractedReport, ExtractedRow

# How a workbook protects a number from losing its zeros: ="00123". It is text, and nothing is computed.
_PROTECTED = re.compile(r'="([^"]*)"')
# A record number that a spreadsheet has turned into a floating-point number.
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)


def extract_csv(file: TableFile, template: Template, *, site: str) -> ExtractedReport:
    """The records of a CSV file.

    The header is the first row that holds every column; rows above it and below the records must be furniture,
    a group heading or a clinic's name.

    Raises:
        UnreadableDocumentError: A row of records has more or fewer cells than the header: a missing separator shifts
            every later cell, and a file that is crooked at one place is trusted at none.
    """
    (table,) = template.table
    header_at, places = _header(file, table.columns)
    rows: list[ExtractedRow] = []
    findings: list[Finding] = []
    groups: dict[str, Cell] = {}
    no_score = 0
    if header_at is None:
        findings.append(Finding(code="table-not-found"))
    for number, row in enumerate(file.rows):
        if number == header_at:
            named = {place for place in places if place is not None}
            strays = [cell for place, cell in enumerate(row.cells) if cell and place not in named]
            findings += [Finding(code="unclaimed-word", detail=cell) for cell in strays]
            continue
        text = " ".join(cell for cell in row.cells if cell)
        heading = _heading(text, table)
        if heading is not None:
            groups.update(heading)
        elif (clinic := _clinic(text, template)) is not None:
            findings += [Finding(code="other-site")] if clinic != site else []
        elif any(describes(piece, text) for piece in (*template.furniture, *table.skip)):
            continue
        elif header_at is None or number < header_at:
            findings.append(Finding(code="unclaimed-word", detail=text))
        else:
            made, without = _records(row, file.rows[header_at], table.columns, places, groups, template)
            rows += made
            no_score += without
    if not rows and not no_score and header_at is not None:
        findings.append(Finding(code="no-records"))
    return ExtractedReport(
        template=template.name,
        pages=0,
        rows=_last_doubted(rows) if file.open_end else tuple(rows),
        no_score=no_score,
        findings=tuple(findings),
    )


def _last_doubted(rows: Sequence[ExtractedRow]) -> tuple[ExtractedRow, ...]:
    """The rows, those of the last line marked: "14" may be all that a copy has brought of it yet."""
    last = max((row.line or 0 for row in rows), default=0)
    note = Finding(code="csv-open-end")
    return tuple(replace(row, findings=(*row.findings, note)) if row.line == last else row for row in rows)


def _heading(text: str, table: Table) -> dict[str, Cell] | None:
    for group in table.groups:
        match = group.pattern.fullmatch(text) if group.pattern is not None else None
        if match is not None:
            return {name: Cell(text=value.strip()) for name, value in match.groupdict().items() if value}
    return None


def _header(file: TableFile, columns: Sequence[Column]) -> tuple[int | None, list[int | None]]:
    for number, row in enumerate(file.rows):
        names = [folded(cell) for cell in row.cells]
        places = [
            next((names.index(folded(text)) for text in (c.header, *c.also) if folded(text) in names), None)
            for c in columns
        ]
        if all(place is not None or c.optional for place, c in zip(places, columns, strict=True)):
            return number, places
    return None, []


def _clinic(text: str, template: Template) -> str | None:
    return next((site for name, site in template.clinics.items() if folded(name) == folded(text)), None)


def _records(
    row: TableRow,
    header: TableRow,
    columns: Sequence[Column],
    places: Sequence[int | None],
    groups: dict[str, Cell],
    template: Template,
) -> tuple[list[ExtractedRow], int]:
    if len(row.cells) != len(header.cells):
        raise UnreadableDocumentError(
            f"Line {row.line} has {len(row.cells)} cells, the header has {len(header.cells)}.",
            code="csv-malformed",
            next_step="Export it again; if the line is a remark, name it in the template as furniture.",
        )
    printed = [
        PrintedColumn(column=column, cell=Cell(text=_PROTECTED.sub(r"\1", row.cells[place])))
        for column, place in zip(columns, places, strict=True)
        if place is not None
    ]
    numbers = [p.cell.text for p in printed if p.column.field is Field.MRN]
    notes = (Finding(code="mrn-unreadable"),) if any(_SCIENTIFIC.fullmatch(text) for text in numbers) else ()
    record = ExtractedRow(page=None, line=row.line, region=None, cells=(), findings=notes)
    return split_scores(record, groups, printed, template)
