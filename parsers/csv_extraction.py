"""Records out of CSV files. Every cell is claimed by a column, or it is a finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from parsers.claims import describes
from parsers.components import component_row, joined_components
from parsers.group_headings import Groups
from parsers.heading_doubts import is_strange_header, may_be_heading
from parsers.lines import folded
from parsers.printed_scores import PrintedColumn, split_scores
from parsers.skipped_records import reads_as_record
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
    header_at, places = find_csv_header(file, table.columns)
    rows: list[ExtractedRow] = []
    findings: list[Finding] = []
    groups = Groups()
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
            groups.take(heading)
        elif (clinic := _clinic(text, template)) is not None:
            findings += [Finding(code="other-site")] if clinic != site else []
        elif any(describes(piece, text) for piece in template.unread) and not (
            header_at is not None and _is_record(row, file.rows[header_at], table, places, template)
        ):
            continue
        elif header_at is None or number < header_at:
            findings.append(Finding(code="unclaimed-word", detail=text))
        else:
            printed = _printed(row, file.rows[header_at], table, places)
            if is_strange_header([(p.column, p.cell.text) for p in printed], template, table):
                findings.append(Finding(code="unclaimed-word", detail=text))
                continue
            made, without = _records(row, printed, table, groups, template)
            rows += made
            no_score += without
    rows, without = joined_components(rows, template)
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


def find_csv_header(file: TableFile, columns: Sequence[Column]) -> tuple[int | None, list[int | None]]:
    """The row that holds every column, and where each column stands in it; None and nothing where there is none."""
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


def _printed(row: TableRow, header: TableRow, table: Table, places: Sequence[int | None]) -> tuple[PrintedColumn, ...]:
    if len(row.cells) != len(header.cells):
        raise UnreadableDocumentError(
            f"Line {row.line} has {len(row.cells)} cells, the header has {len(header.cells)}.",
            code="csv-malformed",
            next_step="Export it again; if the line is a remark, name it in the template as furniture.",
        )
    return tuple(
        PrintedColumn(column=column, cell=Cell(text=_PROTECTED.sub(r"\1", row.cells[place])))
        for column, place in zip(table.columns, places, strict=True)
        if place is not None
    )


def _is_record(row: TableRow, header: TableRow, table: Table, places: Sequence[int | None], template: Template) -> bool:
    if row.line < header.line or len(row.cells) != len(header.cells):
        return False
    return reads_as_record([(p.column, p.cell.text) for p in _printed(row, header, table, places)], template)


def _records(
    row: TableRow, printed: Sequence[PrintedColumn], table: Table, groups: Groups, template: Template
) -> tuple[list[ExtractedRow], int]:
    numbers = [p.cell.text for p in printed if p.column.field is Field.MRN]
    notes = [Finding(code="mrn-unreadable")] if any(_SCIENTIFIC.fullmatch(text) for text in numbers) else []
    own = {str(p.column.field) for p in printed}
    notes += [Finding(code="row-ambiguous")] if any(n in groups.doubted and n not in own for n in groups.said) else []
    record = ExtractedRow(page=None, line=row.line, region=None, cells=(), findings=tuple(notes))
    if table.components:
        groups.row_taken()
        return [component_row(record, groups.said, printed)], 0
    made, without = split_scores(record, groups.said, printed, template)
    groups.row_taken()
    if not made and may_be_heading([(p.column, p.cell.text) for p in printed], template, table):
        groups.doubt(table.group_fields)
    return made, without
