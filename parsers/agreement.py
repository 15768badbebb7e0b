"""Whether three readings of a record say the same. What only one reader sees is not known."""

from __future__ import annotations

import bisect
import itertools
import operator
from collections.abc import Iterable, Iterator, Sequence

from parsers.lines import folded
from parsers.marks import marks_in, rings_around
from parsers.placed_words import PlacedDigits, PlacedWords, digits_in
from records.document import Document, GridCell, Page
from records.finding import Finding
from records.geometry import Region
from records.report import Cell, ExtractedRow

_DENIALS = (
    "readers-differ",
    "digits-differ",
    "marks-differ",
)  # what the second says, and the third of digits and marks
_NONE = frozenset[str]()
# Of the height of the lower one. A row of two lines far from its neighbours shares half with the reading line by line.
_SAME_CELL = 0.4


class Witnesses:
    """The second and third reading of a whole document, ready to be asked about places on its pages."""

    def __init__(self, second: Document, third: Document) -> None:
        self._pages = {page.number: (page, other) for page, other in zip(second.pages, third.pages, strict=True)}

    def findings(self, row: ExtractedRow) -> tuple[Finding, ...]:
        """As `Testimony.findings`."""
        testimony = Testimony([row])
        for number in testimony.pages:
            testimony.hear(*self._pages[number])
        return testimony.findings(row)


class Testimony:
    """What the other readers say of records. They are heard page by page, so that no page need be kept."""

    def __init__(self, rows: Iterable[ExtractedRow]) -> None:
        self._asked: dict[int, dict[int, Cell]] = {}
        for row in rows:
            for cell in _cells(row):
                place = cell.area or cell.region
                if place is not None:
                    self._asked.setdefault(place.page, {})[id(cell)] = cell
        self._denied: dict[int, frozenset[str]] = {}

    @property
    def pages(self) -> tuple[int, ...]:
        """Numbers of the pages on which anything is printed that the records hold."""
        return tuple(self._asked)

    def hear(self, second: Page, third: Page, digits: PlacedDigits | None = None) -> None:
        """Ask about every cell of one page; to be done once for each of `pages`.

        Args:
            second: The page as the second reader sees it.
            third: The page as the third reader sees it.
            digits: Its digits, if they are not its words.
        """
        asked = self._asked.pop(second.number, None)
        if asked is None:
            return
        witness = _Witness(second, third, digits or PlacedWords(third.words))
        self._denied |= {number: denied for number, cell in asked.items() if (denied := witness.denies(cell))}

    def findings(self, row: ExtractedRow) -> tuple[Finding, ...]:
        """What in a record the other readers do not confirm: one finding per cell and kind.

        Raises:
            KeyError: A page on which some of it is printed was not heard.
        """
        cells = list(_cells(row))
        unheard = [place.page for c in cells if (place := c.area or c.region) and place.page in self._asked]
        if unheard:
            raise KeyError(unheard[0])
        said = [(cell, denied) for cell in cells if (denied := self._denied.get(id(cell)))]
        found = [Finding(code=code, region=cell.area) for code in _DENIALS for cell, denied in said if code in denied]
        return tuple(dict.fromkeys(found))


class _Witness:
    """The second and third reading of one page."""

    def __init__(self, second: Page, third: Page, digits: PlacedDigits | PlacedWords) -> None:
        self._grid = _Grid(second.grid)
        self._words = PlacedWords(second.words)
        self._glyphs = digits
        self._marks = third.marks

    def denies(self, cell: Cell) -> frozenset[str]:
        """Reason codes of what they see otherwise than the cell says."""
        confirmed = (self._second_agrees(cell), self._third_has_digits(cell), self._third_has_marks(cell))
        return _NONE if all(confirmed) else frozenset(itertools.compress(_DENIALS, map(operator.not_, confirmed)))

    def _second_agrees(self, cell: Cell) -> bool:
        area = cell.area
        if area is None:
            # A value out of a heading's line: it is part of what stands there.
            return cell.region is None or _letters(cell.text) in _letters(self._words.text(cell.region))
        inside = self._grid.cells_in(area)
        if inside:
            text = "".join([found.text for found in sorted(inside, key=lambda g: (g.region.top, g.region.x0))])
            return _letters(text) == _letters(cell.text)
        # There may be tables on this page, but not at this place: labelled values stand beside them.
        if self._grid and cell.region != area:
            return False
        return _letters(self._words.text(area)) == _letters(cell.text)

    def _third_has_digits(self, cell: Cell) -> bool:
        if cell.area is None:
            region = cell.region
            return region is None or digits_in(cell.text) in self._glyphs.digits(region)
        return self._glyphs.digits(cell.region or cell.area) == digits_in(cell.text)

    def _third_has_marks(self, cell: Cell) -> bool:
        place = cell.area or cell.region
        if place is None or not cell.marks:
            return True
        return cell.marks == (
            marks_in(place, self._marks) if cell.area is not None else rings_around(place, self._marks)
        )


class _Grid:
    """The cells of a page by their upper edge, so that a place is looked up without walking the page."""

    def __init__(self, cells: Sequence[GridCell]) -> None:
        by_top = sorted(cells, key=lambda cell: cell.region.top)
        self._cells = [((cell.region.x0 + cell.region.x1) / 2, cell) for cell in by_top]
        self._tops = [cell.region.top for cell in by_top]
        self._tallest = max((cell.region.bottom - cell.region.top for cell in cells), default=0.0)

    def __len__(self) -> int:
        return len(self._cells)

    def cells_in(self, area: Region) -> list[GridCell]:
        """The cells that stand in a column's part of a row."""
        low = bisect.bisect_left(self._tops, area.top - self._tallest)
        high = bisect.bisect_right(self._tops, area.bottom)
        near = [found for x, found in self._cells[low:high] if area.x0 <= x <= area.x1]
        return [found for found in near if _on_one_row(found.region, area)]


def _cells(row: ExtractedRow) -> Iterator[Cell]:
    for _, cell in row.cells:
        yield cell
    for item in row.items or ():
        yield from item.cells


def _on_one_row(cell: Region, area: Region) -> bool:
    shared = min(cell.bottom, area.bottom) - max(cell.top, area.top)
    return shared > _SAME_CELL * min(cell.bottom - cell.top, area.bottom - area.top)


def _letters(text: str) -> str:
    # Readers join wrapped lines with or without a space; what is printed is the same.
    return folded(text)
