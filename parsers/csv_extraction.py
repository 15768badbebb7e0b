"""Records out of CSV files. Every cell is claimed by a column, or it is a finding."""

from __future__ import annotations

from collections.abc import Sequence

from parsers.claims import describes
from parsers.lines import folded
from parsers.table_extraction import split_scores
from parsers.template import Column, Field, Template
from records.document import TableFile, TableRow
from records.finding import Finding
from records.report import Cell, ExtractedReport, ExtractedRow

_SHARED = frozenset(Field) - {Field.TOTAL, Field.RESULT, Field.SEVERITY, Field.IGNORE}


def extract_csv(file: TableFile, template: Template, *, site: str) -> ExtractedReport:
    """The records of a CSV file.

    The header is the first row that holds every column; rows above it and below the records must be furniture,
    a group heading or a clinic's name. A row with more cells than the header is a finding of that row.
    """
    assert template.table is not None
    table = template.table
    header_at, places = find_csv_header(file, table.columns)
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
        heading = next((m for g in table.groups if (m := g.pattern.fullmatch(text))), None)
        if heading is not None:
            groups.update({k: Cell(text=v.strip()) for k, v in heading.groupdict().items() if v})
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
        template=template.name, pages=0, rows=tuple(rows), no_score=no_score, findings=tuple(findings)
    )


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


def _records(
    row: TableRow,
    header: TableRow,
    columns: Sequence[Column],
    places: Sequence[int | None],
    groups: dict[str, Cell],
    template: Template,
) -> tuple[list[ExtractedRow], int]:
    present = [(c, place) for c, place in zip(columns, places, strict=True) if place is not None]
    cells = [Cell(text=row.cells[place] if place < len(row.cells) else "") for _, place in present]
    shared = [(str(c.field), cell) for (c, _), cell in zip(present, cells, strict=True) if c.field in _SHARED]
    shared += [(name, cell) for name, cell in groups.items() if name not in {n for n, _ in shared}]
    # A missing or surplus separator shifts every later cell: nothing of such a row is trusted.
    crooked = len(row.cells) != len(header.cells)
    record = ExtractedRow(
        page=None,
        line=row.line,
        region=None,
        cells=(),
        findings=(Finding(code="column-boundary"),) if crooked else (),
    )
    return split_scores(record, shared, [c for c, _ in present], cells, template)
