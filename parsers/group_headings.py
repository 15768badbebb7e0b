"""Lines inside a table that speak of the rows below them, or of the row above."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from parsers.claims import Claims
from parsers.columns import find_borders
from parsers.header import Header, find_headers
from parsers.lines import Line, joined
from parsers.template_parts import IDENTITY, Field, Table
from records.document import Page, Word
from records.geometry import Region, around
from records.report import Cell

# A run stands under a header when an edge, or the middle, of both differ by at most this many points.
_UNDER = 4.0
_WHO = frozenset(str(name) for name in IDENTITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """A line that was recognised.

    Attributes:
        height: Its middle, in points from the top of the page.
        cells: Field name to what the line says.
    """

    height: float
    cells: dict[str, Cell]
    words: tuple[Word, ...]


@dataclass(slots=True)
class Groups:
    """What the headings so far say; it holds on to the next pages.

    Attributes:
        said: Field name to the latest heading's cell.
        doubted: Fields that something unread may have changed since.
        headers: Number of a heading with columns to its header.
    """

    said: dict[str, Cell] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    headers: dict[int, Header] = field(default_factory=dict)
    _fresh: set[str] = field(default_factory=set)  # said since the last row
    _inner: set[str] = field(default_factory=set)  # said beside or below a person's name, so of this person

    def take(self, cells: dict[str, Cell]) -> None:
        """Let a heading hold from here on."""
        who = _WHO & cells.keys()
        if who and (who & self._fresh or not _WHO & self._fresh):
            # Another person: what their heading leaves out, the heading before did not say of them.
            gone = _WHO | (self._inner if who & self._fresh else self._inner - self._fresh)
            self.said = {name: cell for name, cell in self.said.items() if name not in gone}
            self.doubted -= _WHO
            self._fresh -= gone
        if who or _WHO & self._fresh:
            self._inner |= cells.keys() - _WHO
        self._fresh |= cells.keys()
        self.said.update(cells)
        self.doubted -= cells.keys()

    def row_taken(self) -> None:
        """A row below the headings was read."""
        self._fresh.clear()

    def doubt(self, fields: Iterable[str]) -> None:
        """Something was printed that was not understood: it may have been a heading that says these fields."""
        self.doubted.update(fields)


def claim_group_headers(table: Table, claims: Claims) -> dict[int, tuple[Header, ...]]:
    """The headers of headings with columns, by the heading's number; claims their words."""
    found: dict[int, tuple[Header, ...]] = {}
    for number, group in enumerate(table.groups):
        if group.columns:
            headers = find_headers(claims.free_lines(), group.columns)
            for header in headers:
                claims.claim(header.words)
                claims.claim(header.over)
            found[number] = headers
    return found


def find_group_lines(
    lines: Sequence[Line], table: Table, page: Page, header: Header, group_headers: dict[int, Header]
) -> tuple[list[Line], list[GroupLine]]:
    """The lines that are no group headings, and those that are.

    Args:
        lines: The body of the table.
        table: Its part of the template.
        page: The page.
        header: The table's own header: a line under it is a row.
        group_headers: The header of each heading with columns, by number.
    """
    found: list[GroupLine] = []
    rest = list(lines)
    for number, group in enumerate(table.groups):
        taken = _by_pattern(rest, group.pattern) if group.pattern else []
        if number in group_headers:
            taken = _by_columns(rest, page, header=header, own=group_headers[number])
        found += [GroupLine(height=line.region.center[1], cells=cells, words=line.words) for line, cells in taken]
        marks = {id(line) for line, _ in taken}
        rest = [line for line in rest if id(line) not in marks]
    return rest, sorted(found, key=lambda line: line.height)


def find_by_pattern(lines: Sequence[Line], table: Table) -> list[GroupLine]:
    """The lines that are group headings of the table by a pattern."""
    patterns = [group.pattern for group in table.groups if group.pattern is not None]
    found: list[GroupLine] = []
    for line in lines:
        cells = next((c for p in patterns if (c := cells_of_pattern(line, p)) is not None), None)
        if cells is not None:
            found.append(GroupLine(height=line.region.center[1], cells=cells, words=line.words))
    return found


def find_detail_lines(lines: Sequence[Line], table: Table) -> tuple[list[Line], list[GroupLine]]:
    """The lines that say no more about the row above them, and those that do."""
    found: list[GroupLine] = []
    rest: list[Line] = []
    for line in lines:
        cells = next((c for d in table.details if (c := cells_of_pattern(line, d.pattern)) is not None), None)
        if cells is None:
            rest.append(line)
        else:
            found.append(GroupLine(height=line.region.center[1], cells=cells, words=line.words))
    return rest, found


def cells_of_pattern(line: Line, pattern: re.Pattern[str]) -> dict[str, Cell] | None:
    """What a line says by the named groups of a pattern that fills it, or None if it does not."""
    match = pattern.fullmatch(line.text)
    if match is None:
        return None
    return {name: Cell(text=value.strip(), region=line.region) for name, value in match.groupdict().items() if value}


def _by_pattern(lines: Sequence[Line], pattern: re.Pattern[str]) -> list[tuple[Line, dict[str, Cell]]]:
    found = ((line, cells_of_pattern(line, pattern)) for line in lines)
    return [(line, cells) for line, cells in found if cells is not None]


def _by_columns(
    lines: Sequence[Line], page: Page, *, header: Header, own: Header
) -> list[tuple[Line, dict[str, Cell]]]:
    under = [line for line in lines if _aligned(line, own) > _aligned(line, header)]
    borders = find_borders(own, under, page.rules)
    found: list[tuple[Line, dict[str, Cell]]] = []
    for line in under:
        words: dict[int, list[Word]] = {}
        for word in line.words:
            words.setdefault(borders.column_of(word), []).append(word)
        columns = [cell.column for cell in own.cells]
        cells = {
            str(columns[n].field): Cell(text=joined(run), region=_box(run))
            for n, run in words.items()
            if columns[n].field is not Field.IGNORE
        }
        if cells and not any(borders.crossed_by(word) for word in line.words):
            found.append((line, cells))
    return found


def _aligned(line: Line, header: Header) -> float:
    """How many of a line's runs stand under a column of the header, 0..1; the first run counts twice."""
    boxes = [cell.region for cell in header.cells]
    edges: tuple[Callable[[Region], float], ...] = (lambda b: b.x0, lambda b: b.x1, lambda b: b.center[0])
    hits = [any(abs(edge(_box(run)) - edge(box)) <= _UNDER for box in boxes for edge in edges) for run in line.runs()]
    return (sum(hits) + hits[0]) / (len(hits) + 1)


def _box(words: Sequence[Word]) -> Region:
    return around([word.region for word in words])
