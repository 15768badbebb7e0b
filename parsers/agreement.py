"""Whether three readings of a record say the same. What only one reader sees is not known."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence

from parsers.lines import folded, joined, lines_of
from parsers.marks import marks_in, rings_around
from records.document import Document, GridCell, Page, Word
from records.finding import Finding
from records.geometry import Region
from records.report import Cell, ExtractedRow

# Of the height of the lower one. A row of two lines far from its neighbours shares half with the reading line by line.
_SAME_CELL = 0.4
_SLACK = 1.0  # points that two readers' boxes of one glyph may differ


class Witnesses:
    """The second and third reading, ready to be asked about places on a page."""

    def __init__(self, second: Document, third: Document) -> None:
        self._grids = {page.number: _Grid(page.grid) for page in second.pages}
        self._words = {page.number: _Placed(page) for page in second.pages}
        self._glyphs = {page.number: _Placed(page) for page in third.pages}
        self._marks = {page.number: page.marks for page in third.pages}

    def findings(self, row: ExtractedRow) -> tuple[Finding, ...]:
        """What in a record the other readers do not confirm: one finding per cell and kind."""
        cells = list(_cells(row))
        differing = [Finding(code="readers-differ", region=c.area) for c in cells if not self._second_agrees(c)]
        without_digits = [Finding(code="digits-differ", region=c.area) for c in cells if not self._third_has_digits(c)]
        unmarked = [Finding(code="marks-differ", region=c.area) for c in cells if not self._third_has_marks(c)]
        return tuple(dict.fromkeys([*differing, *without_digits, *unmarked]))

    def _second_agrees(self, cell: Cell) -> bool:
        area = cell.area
        if area is None:
            # A value out of a heading's line: it is part of what stands there.
            return cell.region is None or _letters(cell.text) in _letters(
                self._words[cell.region.page].text(cell.region)
            )
        grid = self._grids.get(area.page, _NOTHING)
        inside = grid.cells_in(area)
        if inside:
            text = "".join([found.text for found in sorted(inside, key=lambda g: (g.region.top, g.region.x0))])
            return _letters(text) == _letters(cell.text)
        # There may be tables on this page, but not at this place: labelled values stand beside them.
        if grid and cell.region != area:
            return False
        return _letters(self._words[area.page].text(area)) == _letters(cell.text)

    def _third_has_digits(self, cell: Cell) -> bool:
        if cell.area is None:
            region = cell.region
            return region is None or _digits(cell.text) in self._glyphs[region.page].digits(region)
        return self._glyphs[cell.area.page].digits(cell.region or cell.area) == _digits(cell.text)

    def _third_has_marks(self, cell: Cell) -> bool:
        place = cell.area or cell.region
        if place is None or not cell.marks:
            return True
        marks = self._marks[place.page]
        return cell.marks == (marks_in(place, marks) if cell.area is not None else rings_around(place, marks))


class _Grid:
    """The cells of a page by their upper edge, so that a place is looked up without walking the page."""

    def __init__(self, cells: Sequence[GridCell]) -> None:
        self._cells = sorted(cells, key=lambda cell: cell.region.top)
        self._tops = [cell.region.top for cell in self._cells]
        self._tallest = max((cell.region.bottom - cell.region.top for cell in cells), default=0.0)

    def __len__(self) -> int:
        return len(self._cells)

    def cells_in(self, area: Region) -> list[GridCell]:
        """The cells that stand in a column's part of a row."""
        low = bisect.bisect_left(self._tops, area.top - self._tallest)
        high = bisect.bisect_right(self._tops, area.bottom)
        return [found for found in self._cells[low:high] if _same_cell(found, area)]


_NOTHING = _Grid(())


class _Placed:
    """The words of a page by height, so that a place is looked up without walking the page."""

    def __init__(self, page: Page) -> None:
        placed = sorted([(word.region.center, word) for word in page.words], key=lambda item: item[0][1])
        self._words = [(x, word) for (x, _), word in placed]
        self._heights = [y for (_, y), _ in placed]

    def text(self, region: Region) -> str:
        """What is printed in the region, lines from top to bottom."""
        inside = self._inside(region)
        return " ".join([joined(line.words) for line in lines_of(inside)]) if inside else ""

    def digits(self, region: Region) -> str:
        """The digits in the region."""
        inside = self._inside(region)
        if not inside:
            return ""
        if len({(word.region.top, word.region.bottom) for word in inside}) == 1:
            inside.sort(key=lambda word: word.region.x0)
            return _digits("".join([word.text for word in inside]))
        return _digits("".join([word.text for line in lines_of(inside) for word in line.words]))

    def _inside(self, region: Region) -> list[Word]:
        low = bisect.bisect_left(self._heights, region.top - _SLACK)
        high = bisect.bisect_right(self._heights, region.bottom + _SLACK)
        x0, x1 = region.x0 - _SLACK, region.x1 + _SLACK
        return [word for x, word in self._words[low:high] if x0 <= x <= x1]


def _cells(row: ExtractedRow) -> Iterator[Cell]:
    for _, cell in row.cells:
        yield cell
    for item in row.items or ():
        yield from item.cells


def _same_cell(found: GridCell, area: Region) -> bool:
    x, _ = found.region.center
    if not area.x0 <= x <= area.x1:
        return False
    shared = min(found.region.bottom, area.bottom) - max(found.region.top, area.top)
    smaller = min(found.region.bottom - found.region.top, area.bottom - area.top)
    return shared > _SAME_CELL * smaller


def _letters(text: str) -> str:
    # Readers join wrapped lines with or without a space; what is printed is the same.
    return folded(text)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
