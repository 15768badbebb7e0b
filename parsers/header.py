"""A table's header, found by its words wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parsers.lines import Line, find_wrapped
from parsers.template import Column
from records.document import Word
from records.geometry import Region, around

# A header of four lines is the deepest seen; beyond that two tables would be mixed.
_DEEPEST = 4.5


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderCell:
    """One column of a header that was found."""

    column: Column
    words: tuple[Word, ...]

    @property
    def region(self) -> Region:
        """The box around its words."""
        return around([word.region for word in self.words])


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header that was found, its columns from left to right."""

    cells: tuple[HeaderCell, ...]

    @property
    def region(self) -> Region:
        """The box around all its words."""
        return around([cell.region for cell in self.cells])

    @property
    def words(self) -> tuple[Word, ...]:
        """All its words."""
        return tuple(word for cell in self.cells for word in cell.words)


def find_headers(lines: Sequence[Line], columns: Sequence[Column]) -> tuple[Header, ...]:
    """Every place where all columns' headers stand side by side in their order, from top to bottom.

    Optional columns may be missing. Where wordings repeat ("Name", "Assessment Name"), the arrangement is taken
    that keeps to the order, shares no word and is the flattest.
    """
    places = [_places(lines, column) for column in columns]
    if any(not found and not column.optional for found, column in zip(places, columns, strict=True)):
        return ()
    headers: list[Header] = []
    used: set[int] = set()
    for top in sorted({round(cell.region.top, 1) for found in places for cell in found}):
        best = min(
            _arrangements(places, columns, top=top, used=used),
            key=lambda cells: (-len(cells), _depth(cells), sum(cell.region.top for cell in cells)),
            default=None,
        )
        if best is not None:
            header = Header(cells=best)
            used.update(id(word) for word in header.words)
            headers.append(header)
    return tuple(headers)


def _places(lines: Sequence[Line], column: Column) -> list[HeaderCell]:
    found: dict[tuple[int, ...], HeaderCell] = {}
    for wording in (column.header, *column.also):
        for words in find_wrapped(lines, wording):
            found.setdefault(tuple(id(word) for word in words), HeaderCell(column=column, words=words))
    return sorted(found.values(), key=lambda cell: (cell.region.top, cell.region.x0))


def _arrangements(
    places: Sequence[Sequence[HeaderCell]], columns: Sequence[Column], *, top: float, used: set[int]
) -> Iterator[tuple[HeaderCell, ...]]:
    """All ways to pick a place for each column with the header's upper edge at `top` or little below it."""
    line_height = min((w.region.bottom - w.region.top for found in places for c in found for w in c.words), default=10)
    within = [
        [
            cell
            for cell in found
            if top - 0.5 <= cell.region.top <= top + _DEEPEST * line_height
            and not any(id(word) in used for word in cell.words)
        ]
        for found in places
    ]

    def extend(taken: tuple[HeaderCell, ...], rest: int) -> Iterator[tuple[HeaderCell, ...]]:
        if rest == len(columns):
            if taken and _depth(taken) <= _DEEPEST * line_height and min(c.region.top for c in taken) < top + 0.5:
                yield taken
            return
        for cell in within[rest]:
            if not taken or cell.region.x0 >= taken[-1].region.x1 - 0.5:
                yield from extend((*taken, cell), rest + 1)
        if columns[rest].optional:
            yield from extend(taken, rest + 1)

    yield from extend((), 0)


def _depth(cells: Sequence[HeaderCell]) -> float:
    hull = around([cell.region for cell in cells])
    return hull.bottom - hull.top
