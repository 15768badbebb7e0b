"""Records out of tables: a record per row, or per score column of a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from parsers.alignment import rows_out_of_line
from parsers.areas import TableArea
from parsers.claims import Claims
from parsers.columns import Borders, find_borders
from parsers.components import component_row
from parsers.dates import UnreadableDateError, read_date
from parsers.group_headings import (
    GroupLine,
    Groups,
    claim_group_headers,
    find_by_pattern,
    find_detail_lines,
    find_group_lines,
)
from parsers.header import Header, HeaderCell, ReadsAsValue, find_headers
from parsers.heading_doubts import is_strange_header, may_be_heading
from parsers.lines import Line, folded, lines_of
from parsers.printed_scores import PrintedColumn, split_scores
from parsers.rows import Row, find_rows
from parsers.skipped_records import with_records, without_skipped
from parsers.stacked import cells_of_lines, dates_of, may_begin
from parsers.table_area import area_of
from parsers.template import Template
from parsers.template_parts import SCORES, Column, Field, RowRule, Table
from parsers.unheaded import without_unheaded
from parsers.zones import Zone, continued, zones_of
from records.document import Page, Word
from records.finding import Finding
from records.geometry import Region, around
from records.report import Cell, ExtractedRow

# A line of a table begins a row when at least half of these columns, as far as the table has them, are filled.
_KEYS = SCORES | {
    Field.AUTHORED_ON, Field.INSTRUMENT, Field.BIRTH_DATE, Field.MRN, Field.COMPONENT, Field.VALUE
}  # fmt: skip


# Lines of one cell share an edge, or their middle, within this many points.
_SHIFTED = 2.0


@dataclass(slots=True)
class TableState:
    """What holds on from one page to the next: group headings, and columns where headers are printed once."""

    groups: Groups = field(default_factory=Groups)
    zones: tuple[Zone, ...] = ()
    strange: bool = False  # another table's header stood among the rows

    def doubt(self, table: Table) -> None:
        """Something was printed that was not understood: it may have been a heading."""
        self.groups.doubt(table.group_fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePage:
    """The records of a page's tables.

    Attributes:
        tables: How many headers the page prints.
        begins_amid: The first table begins with what may be the rest of a row of the page before.
    """

    tables: int
    begins_amid: bool
    rows: tuple[ExtractedRow, ...]
    no_score: int
    areas: tuple[TableArea, ...]


def table_headers(table: Table, template: Template, claims: Claims) -> tuple[Header, ...]:
    """Every header of this table on a page, from top to bottom."""
    return find_headers(claims.free_lines(), table.columns, across=_reads_across(table, template))


def extract_table(
    page: Page,
    table: Table,
    template: Template,
    claims: Claims,
    state: TableState,
    *,
    headers: Sequence[Header],
    stops: Sequence[Header],
) -> TablePage:
    """The records of every place where the table is printed on a page; claims their words and updates `state`.

    Args:
        page: The page.
        table: The table.
        template: Its template.
        claims: What of the page is taken already.
        state: What the pages before say.
        headers: `table_headers` of the page.
        stops: Headers of all tables of the page.
    """
    for header in headers:
        claims.claim((*header.words, *header.over))
    group_headers = claim_group_headers(table, claims)
    words = [word for line in claims.free_lines() for word in line.words]
    zones = zones_of(page, headers, stops, words)
    if not table.header_on_every_page and not headers:
        zones = continued(page, state.zones)
    settled: list[Zone] = []
    found: list[_Found] = []
    earlier: Zone | None = None
    for zone in zones:
        _take_between(page, table, claims, state.groups, earlier, zone, stops)
        earlier = zone
        for number, candidates in group_headers.items():
            above = [header for header in candidates if header.top <= zone.body.top]
            state.groups.headers.update({number: above[-1]} if above else {})
        one = _one_table(page, table, template, claims, state.groups, zone, doubted=state.strange and not headers)
        settled.append(replace(zone, borders=one.borders))
        found.append(one)
    _take_between(page, table, claims, state.groups, earlier, None, stops)
    if zones:
        state.zones = tuple(settled)
        state.strange = any(one.strange for one in found)
    return TablePage(
        tables=len(headers),
        begins_amid=bool(found) and found[0].begins_amid,
        rows=tuple(row for one in found for row in one.records),
        no_score=sum(one.no_score for one in found),
        areas=tuple(one.area for one in found if one.area is not None),
    )


def _take_between(
    page: Page,
    table: Table,
    claims: Claims,
    groups: Groups,
    above: Zone | None,
    below: Zone | None,
    stops: Sequence[Header],
) -> None:
    """Let headings hold that stand outside the table: above its first header, or among the rows of other tables.

    Args:
        page: The page.
        table: The table.
        claims: What of the page is taken already; a heading counts for every table that knows it.
        groups: What headings say so far.
        above: Where the table was printed before on this page, if it was.
        below: Where it is printed next on this page, if it is.
        stops: Headers of all tables of the page.
    """
    for region in _between(page, above, below):
        for line in claims.all_lines(region):
            for heading in find_by_pattern([line], table):
                claims.claim(heading.words)
                groups.take(heading.cells)
        if table.groups:
            # What stands among headings above the header is what stands among them below it.
            without_skipped(claims.free_lines(region), table, claims)
        if any(group.columns for group in table.groups) and any(region.holds(*s.region.center) for s in stops):
            # A heading with columns of its own may stand among those rows, and is not looked for there.
            groups.doubt(table.group_fields)


def _between(page: Page, above: Zone | None, below: Zone | None) -> list[Region]:
    """What of the page lies between two places of a table, column by column."""
    if above is None and below is None:
        return [Region(page.number, 0.0, 0.0, page.width, page.height)]
    # A table that goes on without a header begins at the top of the page.
    begins = below.header.top if below is not None and below.header.region.page == page.number else 0.0
    if above is not None and below is not None and above.body.x0 == below.body.x0:
        return [_strip(page, below, above.body.bottom, begins)]
    rest = [_strip(page, above, above.body.bottom, page.height)] if above is not None else []
    return [*rest, *([_strip(page, below, 0.0, begins)] if below is not None else [])]


def _strip(page: Page, zone: Zone, top: float, bottom: float) -> Region:
    return Region(page.number, zone.body.x0, min(top, page.height), zone.body.x1, max(min(top, page.height), bottom))


def _reads_across(table: Table, template: Template) -> ReadsAsValue | None:
    if table.across is None:
        return None
    if table.across.field is not Field.AUTHORED_ON:
        return bool
    formats = table.across.dates or template.dates

    def is_date(text: str) -> bool:
        try:
            return read_date(text, formats) is not None
        except UnreadableDateError:
            return False

    return is_date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    begins_amid: bool
    strange: bool
    borders: Borders
    records: tuple[ExtractedRow, ...]
    no_score: int
    area: TableArea | None


def _one_table(
    page: Page, table: Table, template: Template, claims: Claims, groups: Groups, zone: Zone, *, doubted: bool
) -> _Found:
    header = zone.header
    cells = header.cells
    columns = [cell.column for cell in cells]
    known = claims.furniture_lines(zone.body)
    lines, skipped = without_skipped(claims.free_lines(zone.body), table, claims)
    taken = [line for line in claims.all_lines(zone.body) if not any(claims.is_free(word) for word in line.words)]
    lines, left = without_unheaded(lines, table, header, claims)
    lines, headings = find_group_lines(lines, table, page, header, groups.headers)
    # Headings that another table has claimed speak of this one's rows too.
    headings = sorted([*headings, *find_by_pattern(taken, table)], key=lambda line: line.height)
    body, details = find_detail_lines(lines, table)
    borders = zone.borders or find_borders(header, body, page.rules, sides=_sides(page, zone, left))
    body = with_records(body, [*skipped, *known], borders, header, template, claims)
    by_rules = separated_by_rules(table.rows, page, header)
    rows = find_rows(
        body,
        borders,
        header,
        page.rules,
        begins=lambda filled: _begins_row(filled, columns, template),
        keys=frozenset(n for n, column in enumerate(columns) if column.fields & _KEYS),
        by_rules=by_rules,
        by_rules_alone=table.rows is RowRule.RULED,
    )
    scores = [number for number, column in enumerate(columns) if column.fields & SCORES]
    # A score that several rows share is not the score of each.
    rows = tuple(replace(row, ambiguous=True) if row.spans.keys() & set(scores) else row for row in rows)
    if not borders.ruled:
        astray = rows_out_of_line(rows, scores)
        rows = tuple(replace(row, crossed=True) if at in astray else row for at, row in enumerate(rows))
    records: list[ExtractedRow] = []
    no_score = 0
    for row, before, after in _in_order(rows, headings, details):
        for line in before:
            claims.claim(line.words)
            groups.take(line.cells)
        if row is None:
            continue
        if row.ambiguous:
            groups.doubt(table.group_fields)
        made, without = _records(page, row, cells, borders, template, groups, table)
        if doubted:
            note = Finding(code="row-ambiguous", region=row.region)
            made = [replace(record, findings=(*record.findings, note)) for record in made]
        printed = [(column, row.text(at)) for at, column in enumerate(columns)]
        doubted = doubted or is_strange_header(printed, template, table)
        strange = not made and may_be_heading(printed, template, table)
        claims.claim(row.words)
        for line in after:
            claims.claim(line.words)
            made = [_with_detail(record, line) for record in made]
        records += made
        no_score += without
        groups.row_taken()
        if strange or (not by_rules and _hides_heading(row, table)):
            groups.doubt(table.group_fields)
    return _Found(
        begins_amid=_begins_amid(body, rows, columns) or _loose(details, rows),
        strange=doubted,
        borders=borders,
        records=tuple(records),
        no_score=no_score,
        area=area_of(page, header, borders, [row.region for row in rows], zone=zone) if rows else None,
    )


def _in_order(
    rows: Sequence[Row], headings: Sequence[GroupLine], details: Sequence[GroupLine]
) -> Iterator[tuple[Row | None, list[GroupLine], list[GroupLine]]]:
    """Each row with the headings directly above it and the detail lines directly below it; at the end what is left."""
    reached = float("-inf")
    for number, row in enumerate(rows):
        y = row.region.center[1]
        below = rows[number + 1].region.center[1] if number + 1 < len(rows) else float("inf")
        before = [line for line in headings if reached < line.height <= y]
        stop = min([below, *(line.height for line in headings if line.height > y)])
        yield row, before, [line for line in details if y < line.height < stop]
        reached = y
    yield None, [line for line in headings if line.height > reached], []


def _with_detail(record: ExtractedRow, line: GroupLine) -> ExtractedRow:
    """The record with what a line below its row says; what the row or another line says already is contradicted."""
    twice = [name for name in line.cells if (own := record.cell(name)) is not None and own.text]
    notes = (Finding(code="label-repeated", region=record.region, detail=twice[0]),) if twice else ()
    kept = tuple((name, cell) for name, cell in record.cells if name not in line.cells or name in twice)
    added = tuple((name, cell) for name, cell in line.cells.items() if name not in twice)
    return replace(record, cells=(*kept, *added), findings=(*record.findings, *notes))


def _loose(details: Sequence[GroupLine], rows: Sequence[Row]) -> bool:
    """Whether a detail line stands above the first row: it may speak of the last row of the page before."""
    return any(not rows or line.height < rows[0].region.center[1] for line in details)


def _hides_heading(row: Row, table: Table) -> bool:
    """Whether a further line of a row may be a heading that was not recognised.

    A cell that goes on in the next line goes on below its first line: a line in the first column, or one that stands
    otherwise, is doubted.
    """
    if not table.group_fields or not row.cells:
        return False
    first = row.cells[min(row.cells)]
    return len(lines_of(first)) > 1 or any(_is_shifted(lines_of(words)) for words in row.cells.values())


def _is_shifted(lines: Sequence[Line]) -> bool:
    """Whether lines share neither their left nor their right edge nor their middle."""
    boxes = [line.region for line in lines]
    edges = ([box.x0 for box in boxes], [box.x1 for box in boxes], [box.center[0] for box in boxes])
    return all(max(xs) - min(xs) > _SHIFTED for xs in edges)


def _begins_amid(body: Sequence[Line], rows: Sequence[Row], columns: Sequence[Column]) -> bool:
    if not rows:
        return bool(body)
    first = rows[0]
    cells = {number: first.text(number) for number in first.cells}
    above = any(line.region.bottom <= first.region.top for line in body)
    return first.ambiguous or above or not _fills_keys(cells, columns)


def _begins_row(cells: dict[int, str], columns: Sequence[Column], template: Template) -> bool:
    """Whether a line fills enough of the columns that every row fills, with what stands first in their cells."""
    if not any(column.lines for column in columns):
        return _fills_keys(cells, columns)
    is_date, nothing = dates_of(template), {folded(text) for text in template.no_score}
    first = {n: t for n, t in cells.items() if may_begin(columns[n], t, is_date=is_date, nothing=nothing)}
    return _fills_keys(first, columns)


def _fills_keys(cells: Mapping[int, str], columns: Sequence[Column]) -> bool:
    keys = {number for number, column in enumerate(columns) if column.fields & _KEYS}
    filled = keys.intersection(cells)
    return len(filled) * 2 >= len(keys) and bool(filled)


def _sides(page: Page, zone: Zone, unheaded: float) -> tuple[float, float]:
    outside = 1e6
    left = max(zone.body.x0, unheaded)
    return (
        left if left > 0 else -outside,
        zone.body.x1 if zone.body.x1 < page.width else outside,
    )


def separated_by_rules(rule: RowRule, page: Page, header: Header) -> bool:
    """Whether horizontal printed lines separate this table's rows."""
    if rule is not RowRule.AUTO:
        return rule is RowRule.RULED
    box = header.region
    below = [
        r.region
        for r in page.rules
        if r.is_horizontal and r.region.top > box.bottom - 1 and r.region.x0 < box.x1 and r.region.x1 > box.x0
    ]
    return sum(r.x1 - r.x0 > 0.5 * (box.x1 - box.x0) for r in below) >= 2


def _records(
    page: Page,
    row: Row,
    header: Sequence[HeaderCell],
    borders: Borders,
    template: Template,
    groups: Groups,
    table: Table,
) -> tuple[list[ExtractedRow], int]:
    printed = [
        PrintedColumn(
            column=head.column,
            cell=cell_of(page, row, number, borders),
            heading=_heading(head, table),
            lines=_lines(head.column, row.cells.get(number, ()), template),
        )
        for number, head in enumerate(header)
    ]
    own = {str(name) for p in printed for name in p.column.fields}
    doubted = row.ambiguous or any(name in groups.doubted and name not in own for name in groups.said)
    findings = [Finding(code="row-ambiguous", region=row.region)] if doubted else []
    findings += [Finding(code="column-boundary", region=row.region)] if row.crossed else []
    record = ExtractedRow(page=page.number, region=row.region, cells=(), findings=tuple(findings))
    if table.components:
        return [component_row(record, groups.said, printed)], 0
    return split_scores(record, groups.said, printed, template)


def _lines(column: Column, words: Sequence[Word], template: Template) -> tuple[Cell, ...] | None:
    return cells_of_lines(column, words, is_date=dates_of(template)) if column.lines else None


def _heading(head: HeaderCell, table: Table) -> tuple[str, Cell] | None:
    """What a header that is a value says of the scores below it."""
    if head.value is None or table.across is None:
        return None
    return str(table.across.field), Cell(text=head.value, region=head.region)


def cell_of(page: Page, row: Row, number: int, borders: Borders) -> Cell:
    """The cell of a row in one column."""
    words = row.cells.get(number, ())
    left, right = max(0.0, borders.xs[number]), min(page.width, borders.xs[number + 1])
    top, bottom = row.spans.get(number, (row.region.top, row.region.bottom))
    area = Region(page.number, min(left, right), top, max(left, right), bottom)
    if not words:
        return Cell(text="", area=area)
    return Cell(text=row.text(number), region=around([word.region for word in words]), area=area)
