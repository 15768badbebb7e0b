"""Records out of tables: a record per row, or per score column of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from parsers.alignment import rows_out_of_line
from parsers.areas import TableArea
from parsers.claims import Claims, describes
from parsers.columns import Borders, find_borders
from parsers.header import Header, find_headers
from parsers.lines import Line, folded
from parsers.rows import Row, find_rows
from parsers.template import Column, Field, RowRule, Table, Template
from records.document import Page
from records.finding import Finding
from records.geometry import Region
from records.report import Cell, ExtractedRow

_SCORES = frozenset({Field.TOTAL, Field.RESULT})
# A line of a table begins a row when at least half of these columns, as far as the table has them, are filled.
_KEYS = frozenset({Field.TOTAL, Field.RESULT, Field.AUTHORED_ON, Field.INSTRUMENT, Field.BIRTH_DATE, Field.MRN})


@dataclass(slots=True)
class TableState:
    """What holds on from one page to the next: group headings, and columns where headers are printed once.

    Attributes:
        doubted: Values of headings that something unread may have replaced since.
    """

    groups: dict[str, Cell] = field(default_factory=dict)
    header: Header | None = None
    borders: Borders | None = None
    doubted: set[str] = field(default_factory=set)

    def take(self, heading: dict[str, Cell]) -> None:
        """Let a heading hold from here on."""
        self.groups.update(heading)
        self.doubted -= heading.keys()

    def doubt(self, table: Table | None) -> None:
        """Something was printed that was not understood: it may have been a heading."""
        if table is not None:
            self.doubted.update(name for group in table.groups for name in group.pattern.groupindex)


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePage:
    """The records of a page's tables.

    Attributes:
        begins_amid: The first table begins with what may be the rest of a row of the page before.
    """

    tables: int
    begins_amid: bool
    rows: tuple[ExtractedRow, ...]
    no_score: int
    findings: tuple[Finding, ...]
    areas: tuple[TableArea, ...]


def extract_table(page: Page, table: Table, template: Template, claims: Claims, state: TableState) -> TablePage:
    """The records of every table of the page; claims what belongs to them and updates `state`."""
    lines = claims.free_lines()
    headers = find_headers(lines, table.columns)
    for header in headers:
        claims.claim(header.words)
    starts: list[tuple[Header, float]] = [(header, header.region.bottom) for header in headers]
    if not table.header_on_every_page and not headers and state.header is not None:
        starts = [(state.header, 0.0)]
    rows: list[ExtractedRow] = []
    findings: list[Finding] = []
    areas: list[TableArea] = []
    no_score = 0
    begins_amid = False
    for number, (header, top) in enumerate(starts):
        end = starts[number + 1][0].region.top if number + 1 < len(starts) else page.height
        body = [line for line in claims.free_lines() if top < line.region.center[1] < end]
        found = _one_table(page, table, template, claims, state, header=header, body=body)
        rows += found.rows
        findings += found.findings
        areas += found.areas
        no_score += found.no_score
        begins_amid |= number == 0 and found.begins_amid
    return TablePage(
        tables=len(headers),
        begins_amid=begins_amid,
        rows=tuple(rows),
        no_score=no_score,
        findings=tuple(findings),
        areas=tuple(areas),
    )


def _one_table(
    page: Page, table: Table, template: Template, claims: Claims, state: TableState, *, header: Header, body: list[Line]
) -> TablePage:
    body, heading_at = _without_headings(body, table, claims)
    borders = state.borders if header is state.header and state.borders else find_borders(header, body, page.rules)
    state.header, state.borders = header, borders
    columns = [cell.column for cell in header.cells]
    rows = find_rows(
        body,
        borders,
        header,
        page.rules,
        begins=lambda cells: _begins_row(cells, columns),
        keys=frozenset(n for n, column in enumerate(columns) if column.field in _KEYS),
        by_rules=separated_by_rules(table.rows, page, header),
    )
    if not borders.ruled:
        scores = [number for number, column in enumerate(columns) if column.field in _SCORES]
        astray = rows_out_of_line(rows, scores)
        rows = tuple(replace(row, crossed=True) if at in astray else row for at, row in enumerate(rows))
    records: list[ExtractedRow] = []
    no_score = 0
    pending = sorted(heading_at, key=lambda item: item[0])
    for row in rows:
        while pending and pending[0][0] < row.region.center[1]:
            state.take(pending.pop(0)[1])
        claims.claim(row.words)
        if row.ambiguous:
            state.doubt(table)
        made, without = _records(page, row, columns, borders, template, state)
        records += made
        no_score += without
    for _, groups in pending:
        state.take(groups)
    box = [row.region for row in rows]
    areas = [area_of(page, header, borders, box)] if rows else []
    return TablePage(
        tables=1,
        begins_amid=_begins_amid(body, rows, columns),
        rows=tuple(records),
        no_score=no_score,
        findings=(),
        areas=tuple(areas),
    )


def _begins_amid(body: Sequence[Line], rows: Sequence[Row], columns: Sequence[Column]) -> bool:
    if not rows:
        return bool(body)
    first = rows[0]
    cells = {number: first.text(number) for number in first.cells}
    above = any(line.region.bottom <= first.region.top for line in body)
    return first.ambiguous or above or not _begins_row(cells, columns)


def _without_headings(
    body: list[Line], table: Table, claims: Claims
) -> tuple[list[Line], list[tuple[float, dict[str, Cell]]]]:
    """The body without group headings and skipped lines, and the headings with their height on the page."""
    rest: list[Line] = []
    headings: list[tuple[float, dict[str, Cell]]] = []
    for line in body:
        match = next((m for g in table.groups if (m := g.pattern.fullmatch(line.text))), None)
        if match is not None:
            claims.claim(line.words)
            region = line.region
            cells = {k: Cell(text=v.strip(), region=region, area=None) for k, v in match.groupdict().items() if v}
            headings.append((region.center[1], cells))
        elif any(describes(piece, line.text) for piece in table.skip):
            claims.claim(line.words)
        else:
            rest.append(line)
    return rest, headings


def _begins_row(cells: dict[int, str], columns: Sequence[Column]) -> bool:
    keys = {number for number, column in enumerate(columns) if column.field in _KEYS}
    filled = keys.intersection(cells)
    return len(filled) * 2 >= len(keys) and bool(filled)


def separated_by_rules(rule: RowRule, page: Page, header: Header) -> bool:
    """Whether horizontal printed lines separate this table's rows."""
    if rule is not RowRule.AUTO:
        return rule is RowRule.RULED
    width = header.region.x1 - header.region.x0
    below = [r for r in page.rules if r.is_horizontal and r.region.top > header.region.bottom - 1]
    return sum(r.region.x1 - r.region.x0 > 0.5 * width for r in below) >= 2


def _enclosed(page: Page, header: Header) -> bool:
    """Whether a box of printed lines stands around the header: without it a ruled reading finds no cells."""
    box = header.region
    upright = [r.region.x0 for r in page.rules if not r.is_horizontal and r.region.bottom > box.bottom]
    return any(x <= box.x0 for x in upright) and any(x >= box.x1 for x in upright)


def area_of(page: Page, header: Header, borders: Borders, rows: Sequence[Region]) -> TableArea:
    """Where the second reader looks for this table."""
    ruled = borders.ruled and _enclosed(page, header)
    top = min(header.region.top, rows[0].top) if header.region.page == page.number else rows[0].top
    bottom = max(row.bottom for row in rows)
    slack = 15.0 if ruled else 3.0  # to reach the border around a ruled table
    x0 = min(header.region.x0, *(row.x0 for row in rows)) - slack
    x1 = max(header.region.x1, *(row.x1 for row in rows)) + slack
    region = Region(page.number, max(0, x0), max(0, top - slack), min(page.width, x1), min(page.height, bottom + slack))
    return TableArea(region=region, separators=borders.xs[1:-1], ruled=ruled)


def _records(
    page: Page, row: Row, columns: Sequence[Column], borders: Borders, template: Template, state: TableState
) -> tuple[list[ExtractedRow], int]:
    cells = [cell_of(page, row, number, borders) for number in range(len(columns))]
    shared = [(str(c.field), cell) for c, cell in zip(columns, cells, strict=True) if _is_shared(c)]
    shared += [(name, cell) for name, cell in state.groups.items() if name not in {n for n, _ in shared}]
    doubted = row.ambiguous or any(name in state.doubted for name, _ in shared)
    findings = [Finding(code="row-ambiguous", region=row.region)] if doubted else []
    findings += [Finding(code="column-boundary", region=row.region)] if row.crossed else []
    record = ExtractedRow(page=page.number, region=row.region, cells=(), findings=tuple(findings))
    return split_scores(record, shared, columns, cells, template)


def split_scores(
    record: ExtractedRow,
    shared: Sequence[tuple[str, Cell]],
    columns: Sequence[Column],
    cells: Sequence[Cell],
    template: Template,
) -> tuple[list[ExtractedRow], int]:
    """A record for every score column that holds a score, and the number of those that say there is none."""
    nothing = {folded(text) for text in template.no_score}
    records: list[ExtractedRow] = []
    without = 0
    for column, cell in zip(columns, cells, strict=True):
        if column.field not in _SCORES:
            continue
        if folded(cell.text) in nothing:
            without += 1
            continue
        own = [
            (str(Field.SEVERITY), other)
            for c, other in zip(columns, cells, strict=True)
            if c.field is Field.SEVERITY and c.instrument == column.instrument
        ]
        made = (*shared, (str(column.field), cell), *own)
        records.append(replace(record, cells=made, instrument=column.instrument))
    return records, without


def _is_shared(column: Column) -> bool:
    return column.field not in _SCORES and column.field not in (Field.SEVERITY, Field.IGNORE)


def cell_of(page: Page, row: Row, number: int, borders: Borders) -> Cell:
    """The cell of a row in one column."""
    words = row.cells.get(number, ())
    left, right = max(0.0, borders.xs[number]), min(page.width, borders.xs[number + 1])
    area = Region(page.number, min(left, right), row.region.top, max(left, right), row.region.bottom)
    if not words:
        return Cell(text="", area=area)
    box = Region(
        page.number,
        min(w.region.x0 for w in words),
        min(w.region.top for w in words),
        max(w.region.x1 for w in words),
        max(w.region.bottom for w in words),
    )
    return Cell(text=row.text(number), region=box, area=area)
