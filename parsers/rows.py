"""Lines of a table's body put together into rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from parsers.columns import Borders
from parsers.header import Header
from parsers.lines import Line, joined
from parsers.spanning_cells import Band, Span, find_bands, find_spans, without_spans
from records.document import Rule, Word
from records.geometry import Region, around

# The step from one row down to the next is wider than the steps inside them by at least this factor; where all
# steps are alike, a line stands closer to its own row than to the other by it.
_CLEARLY_NEARER = 1.25
# … and not farther below or above it than this many line heights.
_NEAR = 0.9

# In a cell between printed lines, print after a gap of more line heights than this is not part of the cell.
_FAR = 1.0

# Whether the cells of a line (column index to text) are those that begin a row.
Begins = Callable[[dict[int, str]], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table.

    Attributes:
        cells: Column index to its words in reading order; empty columns are missing.
        region: The box around its words.
        ambiguous: A line of it may belong to the neighbouring row.
        crossed: A word of it runs over a column border, or stands between two columns.
        spans: Column index to top and bottom of a cell that several rows share; its words are not in the region.
    """

    cells: dict[int, tuple[Word, ...]]
    region: Region
    ambiguous: bool
    crossed: bool
    spans: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def words(self) -> tuple[Word, ...]:
        """All its words."""
        return tuple(word for words in self.cells.values() for word in words)

    def text(self, column: int) -> str:
        """The text of a cell, lines joined by spaces; empty when blank."""
        return joined(self.cells.get(column, ()))


def find_rows(
    body: Sequence[Line],
    borders: Borders,
    header: Header,
    rules: Sequence[Rule],
    *,
    begins: Begins,
    keys: frozenset[int],
    by_rules: bool,
    by_rules_alone: bool = False,
) -> tuple[Row, ...]:
    """The rows of a table, from top to bottom; lines that belong to no row are left out.

    Args:
        body: What stands below the header and belongs to nothing else.
        borders: The table's columns.
        header: The header, for its width.
        rules: Printed lines of the page.
        begins: Tells a line that begins a row from one that continues a cell.
        keys: Columns that two rows would fill twice: lines between two rules that do not are one row.
        by_rules_alone: Whether what stands between two of these lines is one row whatever it holds.
        by_rules: Whether horizontal printed lines separate rows.
    """
    if not by_rules:
        return tuple(_by_lines(body, [n for n, line in enumerate(body) if begins(_cells(line, borders))], borders))
    bands = find_bands(body, borders, header, rules, keys=keys)
    spans = find_spans(bands, borders, header, rules)
    rows: list[Row] = []
    for band in bands:
        over = [span for span in spans if span.holds(band)]
        rows += [
            _spanned(row, over)
            for row in _of_band(band, over, borders, begins=begins, keys=frozenset() if by_rules_alone else keys)
        ]
    return tuple(rows)


def _of_band(band: Band, spans: Sequence[Span], borders: Borders, *, begins: Begins, keys: frozenset[int]) -> list[Row]:
    lines = without_spans(band, spans)
    said = {span.column: joined(span.words) for span in spans if span.words}
    starts = [n for n, line in enumerate(lines) if begins({**_cells(line, borders), **said})]
    lines = _without_far_lines(lines, starts) if band.closed else lines
    if lines and band.closed and not _filled_twice([_cells(lines[n], borders) for n in starts], keys):
        return [_row([line.words for line in lines], borders, ambiguous=False)]
    return _by_lines(lines, starts, borders)


def _spanned(row: Row, spans: Sequence[Span]) -> Row:
    """The row with the cells that it shares with its neighbours."""
    if not spans:
        return row
    cells = {**row.cells, **{span.column: span.words for span in spans if span.words}}
    return replace(row, cells=cells, spans={span.column: (span.top, span.bottom) for span in spans})


def _without_far_lines(band: Sequence[Line], starts: Sequence[int]) -> list[Line]:
    """The lines of a cell: what stands below its last row after a wide gap belongs to no row."""
    if not starts:
        return list(band)
    for n in range(starts[-1], len(band) - 1):
        height = band[n].region.bottom - band[n].region.top
        if band[n + 1].region.top - max(line.region.bottom for line in band[: n + 1]) > _FAR * height:
            return list(band[: n + 1])
    return list(band)


def _filled_twice(starts: Sequence[dict[int, str]], keys: frozenset[int]) -> bool:
    filled = [column for cells in starts for column in keys.intersection(cells)]
    return len(filled) != len(set(filled))


def _by_lines(band: Sequence[Line], starts: Sequence[int], borders: Borders) -> list[Row]:
    if not starts:
        return []
    parts: dict[int, list[int]] = {start: [] for start in starts}
    doubtful: set[int] = set()
    for number, line in enumerate(band):
        start, doubted = _row_of(band, starts, number)
        height = line.region.bottom - line.region.top
        if number != start and _reach(band, start, number) > _NEAR * height:
            continue
        parts[start].append(number)
        doubtful.update(doubted)
    doubtful |= _out_of_shape({start: _shapes(band, numbers, start, borders) for start, numbers in parts.items()})
    return [
        _row([band[n].words for n in numbers], borders, ambiguous=start in doubtful) for start, numbers in parts.items()
    ]


def _row_of(band: Sequence[Line], starts: Sequence[int], number: int) -> tuple[int, set[int]]:
    """The row (by its first line) that a line belongs to, and the rows it may belong to where that is not clear.

    Of the lines between two rows, those before the widest step down belong to the upper row; where no step is
    wider, each belongs to the nearer one, and `_out_of_shape` finds where that went wrong.
    """
    above = max((start for start in starts if start <= number), default=None)
    below = min((start for start in starts if start > number), default=None)
    if above is None or below is None or above == number:
        return (starts[0] if above is None else above), set()
    steps = [band[n + 1].region.center[1] - band[n].region.center[1] for n in range(above, below)]
    widest, second = sorted(steps, reverse=True)[:2]
    if widest >= _CLEARLY_NEARER * second:
        return (above if number <= above + steps.index(widest) else below), set()
    near, far = sorted((above, below), key=lambda start: _distance(band[start], band[number]))
    clear = _distance(band[far], band[number]) >= _CLEARLY_NEARER * _distance(band[near], band[number])
    return near, set() if clear else {above, below}


class _Shape(Enum):
    """How the lines of a wrapped cell lie about the line that begins the row."""

    BELOW = "below"
    ABOVE = "above"
    BOTH = "as many above as below"
    NONE = "neither"


def _shapes(band: Sequence[Line], numbers: Sequence[int], start: int, borders: Borders) -> set[_Shape]:
    shapes: set[_Shape] = set()
    on_start = _cells(band[start], borders)
    lines = [(number, _cells(band[number], borders)) for number in numbers if number != start]
    for column in {column for _, cells in lines for column in cells}:
        above = sum(number < start and column in cells for number, cells in lines)
        below = sum(number > start and column in cells for number, cells in lines)
        if above == below:
            shapes.add(_Shape.BOTH)
        elif column not in on_start or (above and below):
            # A cell that hangs in the air: it is another row's, or a line of no row at all.
            shapes.add(_Shape.NONE)
        else:
            shapes.add(_Shape.ABOVE if above else _Shape.BELOW)
    return shapes


def _out_of_shape(shapes: dict[int, set[_Shape]]) -> set[int]:
    """Rows whose cells lie otherwise than the table's: cells are set top, middle or bottom, the same in every row."""
    ways = set[_Shape]().union(*shapes.values()) - {_Shape.NONE}
    odd = {row for row, own in shapes.items() if _Shape.NONE in own or (len(ways) > 1 and own)}
    # Lines above the first row alone may be the rest of the last row of the page before.
    upward = [row for row, own in shapes.items() if _Shape.ABOVE in own]
    return odd | ({upward[0]} if upward == [min(shapes)] else set())


def _distance(one: Line, other: Line) -> float:
    return abs(one.region.center[1] - other.region.center[1])


def _reach(band: Sequence[Line], start: int, number: int) -> float:
    """The widest empty gap on the way from the row's first line to a line of its cells, in points."""
    low, high = min(start, number), max(start, number)
    gaps = [band[n + 1].region.top - band[n].region.bottom for n in range(low, high)]
    return max(gaps)


def _cells(line: Line, borders: Borders) -> dict[int, str]:
    cells: dict[int, list[Word]] = {}
    for word in line.words:
        cells.setdefault(borders.column_of(word), []).append(word)
    return {column: joined(words) for column, words in cells.items()}


def _row(lines: Sequence[tuple[Word, ...]], borders: Borders, *, ambiguous: bool) -> Row:
    cells: dict[int, list[Word]] = {}
    words = [word for line in lines for word in line]
    for word in words:
        cells.setdefault(borders.column_of(word), []).append(word)
    return Row(
        cells={column: tuple(found) for column, found in cells.items()},
        region=around([word.region for word in words]),
        ambiguous=ambiguous,
        crossed=any(borders.crossed_by(word) for word in words)
        or any(number - 1 in cells or number in cells for number in borders.doubtful)
        or any(
            borders.strays(column, found, blank=lambda other: other not in cells) for column, found in cells.items()
        ),
    )
