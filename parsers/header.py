"""A table's header, found by its words wherever they stand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from parsers.lines import Line, PhraseSearch, joined
from parsers.template_parts import Column, Field
from records.document import Word
from records.geometry import Region, around

# A header of four lines is the deepest seen; beyond that two tables would be mixed.
_DEEPEST = 4.5
# A heading over several columns stands at most this many line heights above theirs.
_OVER = 1.6

# Whether a text is a header that is a value itself, such as the date over a column of a flowsheet.
ReadsAsValue = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderCell:
    """One column of a header that was found.

    Attributes:
        value: The header is a value of the records below, and this is its text; None for a column known by its words.
    """

    column: Column
    words: tuple[Word, ...]
    value: str | None = None
    region: Region = field(init=False, repr=False, compare=False)  # the box around its words

    def __post_init__(self) -> None:
        object.__setattr__(self, "region", around([word.region for word in self.words]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header that was found, its columns from left to right.

    Attributes:
        over: Words of headings that span several of its columns.
    """

    cells: tuple[HeaderCell, ...]
    over: tuple[Word, ...] = ()
    # The box around its columns' words, without what spans several columns.
    region: Region = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "region", around([cell.region for cell in self.cells]))

    @property
    def top(self) -> float:
        """Its upper edge with all that belongs to it, in points."""
        return min(word.region.top for word in (*self.words, *self.over))

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of its columns."""
        return tuple(word for cell in self.cells for word in cell.words)


def find_headers(
    lines: Sequence[Line], columns: Sequence[Column], *, across: ReadsAsValue | None = None
) -> tuple[Header, ...]:
    """Every place where all columns' headers stand side by side in their order, from top to bottom.

    Optional columns may be missing. Where wordings repeat ("Name", "Assessment Name"), the arrangement is taken
    that keeps to the order, shares no word and is the flattest. Two tables may stand beside each other.

    Args:
        lines: What is left of the page.
        columns: The columns known by their words.
        across: Which other texts on the header's line are headers too; without one such a header does not count.
    """
    search = PhraseSearch(lines)
    places = [_places(search, column) for column in columns]
    if any(not found and not column.optional for found, column in zip(places, columns, strict=True)):
        return ()
    spanning = {text: search.find(text) for text in dict.fromkeys(c.under for c in columns if c.under)}
    headers: list[Header] = []
    used: set[int] = set()
    for top in sorted({round(cell.region.top, 1) for found in places for cell in found}):
        while (header := _flattest(places, columns, spanning, top=top, used=used)) is not None:
            used.update(id(word) for word in header.words)
            whole = _with_values(header, lines, across) if across is not None else header
            if whole is not None:
                headers.append(whole)
    return tuple(headers)


def _flattest(
    places: Sequence[Sequence[HeaderCell]],
    columns: Sequence[Column],
    spanning: dict[str, tuple[tuple[Word, ...], ...]],
    *,
    top: float,
    used: set[int],
) -> Header | None:
    found = ((cells, _spans(cells, spanning)) for cells in _arrangements(places, columns, top=top, used=used))
    best = min(
        ((cells, over) for cells, over in found if over is not None),
        key=lambda pair: (-len(pair[0]), _depth(pair[0]), sum(cell.region.top for cell in pair[0])),
        default=None,
    )
    return None if best is None else Header(cells=best[0], over=best[1])


def _spans(cells: Sequence[HeaderCell], spanning: dict[str, tuple[tuple[Word, ...], ...]]) -> tuple[Word, ...] | None:
    """The words of the headings over several columns, or None if one of them does not stand over its own columns."""
    taken: list[Word] = []
    groups = itertools.groupby(cells, key=lambda cell: cell.column.under)
    hulls = [(under, around([cell.region for cell in own])) for under, own in groups]
    for under, hull in hulls:
        if under is None:
            continue
        over = next((words for words in spanning[under] if _stands_over(words, hull, hulls)), None)
        if over is None:
            return None
        taken += over
    return tuple(taken)


def _stands_over(words: Sequence[Word], hull: Region, hulls: Sequence[tuple[str | None, Region]]) -> bool:
    box = around([word.region for word in words])
    height = box.bottom - box.top
    near = -0.3 * height <= hull.top - box.bottom <= _OVER * height
    shared = {id(other): min(box.x1, other.x1) - max(box.x0, other.x0) for _, other in hulls}
    return near and shared[id(hull)] > 0 and shared[id(hull)] >= max(shared.values())


def _with_values(header: Header, lines: Sequence[Line], across: ReadsAsValue) -> Header | None:
    """The header with the columns whose headers are values; None if there are none."""
    box = header.region
    known = {id(word) for word in header.words}
    found: list[HeaderCell] = []
    for line in lines:
        if not box.top - 1 <= line.region.center[1] <= box.bottom + 1:
            continue
        for run in line.runs():
            text = joined(run)
            if not known & {id(word) for word in run} and run[0].region.x0 > header.cells[0].region.x1 and across(text):
                column = Column(header=text, field=Field.TOTAL)
                found.append(HeaderCell(column=column, words=run, value=text))
    cells = tuple(sorted((*header.cells, *found), key=lambda cell: cell.region.x0))
    return replace(header, cells=cells) if found else None


def _places(search: PhraseSearch, column: Column) -> list[HeaderCell]:
    found: dict[tuple[int, ...], HeaderCell] = {}
    for wording in (column.header, *column.also):
        for words in search.find(wording):
            found.setdefault(tuple(id(word) for word in words), HeaderCell(column=column, words=words))
    return sorted(found.values(), key=lambda cell: (cell.region.top, cell.region.x0))


def _arrangements(
    places: Sequence[Sequence[HeaderCell]], columns: Sequence[Column], *, top: float, used: set[int]
) -> Iterator[tuple[HeaderCell, ...]]:
    """All ways to pick a place for each column with the header's upper edge at `top` or little below it."""
    line_height = min(
        (w.region.bottom - w.region.top for found in places for c in found for w in c.words), default=10.0
    )
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
