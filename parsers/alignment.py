"""Whether what is printed in a cell of an unruled table stands where cells of its column stand."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Collection, Sequence

from parsers.rows import Row
from records.document import Word

# Fewer numbers than this show no alignment.
_FEWEST = 3
# Numbers are aligned when most of them start, end or have their middle within this many points of each other.
_ALIGNED = 2.0
_MOST = 0.6
# A number this share of its height off its column's edge is out of line: it may belong to the column beside.
_OFF = 0.6
# Words of one cell stand closer than this many heights; two spaces of a fixed-pitch face are 1.2.
_TORN = 1.5

# Of a number, and of all that is printed on its line of the cell: "17 [8]" is centred as a whole.
_EDGES: tuple[Callable[[Sequence[Word]], float], ...] = (
    lambda words: words[0].region.x0,
    lambda words: words[0].region.x1,
    lambda words: words[0].region.center[0],
    lambda words: words[-1].region.x1,
    lambda words: (words[0].region.x0 + words[-1].region.x1) / 2,
)


def rows_out_of_line(rows: Sequence[Row], columns: Collection[int]) -> frozenset[int]:
    """Indices of rows with a number that does not stand under the others of its column, or with a torn cell.

    In a table without printed lines only its place says to which column a number belongs: a score printed under the
    neighbour's header, where that cell is blank, reads like the neighbour's score; one that slipped into the cell
    beside stands there apart from what that cell says.

    Args:
        rows: The rows of one table.
        columns: Indices of the columns that hold numbers.
    """
    torn = {at for at, row in enumerate(rows) if any(_is_torn(words) for words in row.cells.values())}
    every = {column for row in rows for column in row.cells}
    hidden = [_beside_hidden(rows, column) for column in every]
    return frozenset(torn.union(*hidden, *(_off_column(rows, column) for column in columns)))


def _beside_hidden(rows: Sequence[Row], column: int) -> list[int]:
    """The rows with a cell in a column where most cells are torn: a column that nobody knows stands in it.

    Where the known one is blank, a cell of the unknown one stands alone and reads like it.
    """
    filled = [at for at, row in enumerate(rows) if row.cells.get(column)]
    torn = [at for at in filled if _is_torn(rows[at].cells[column])]
    return filled if len(torn) >= _FEWEST and len(torn) > len(filled) / 2 else []


def _off_column(rows: Sequence[Row], column: int) -> list[int]:
    numbers = [
        (at, _first_line(words))
        for at, row in enumerate(rows)
        if (words := row.cells.get(column)) and _is_number(words[0])
    ]
    if len(numbers) < _FEWEST:
        return []
    off: list[list[int]] = []
    for edge in _EDGES:
        usual = statistics.median(edge(words) for _, words in numbers)
        distances = [(at, abs(edge(words) - usual), words[0]) for at, words in numbers]
        if sum(distance <= _ALIGNED for _, distance, _ in distances) >= _MOST * len(numbers):
            off.append([at for at, distance, word in distances if distance > _OFF * _height(word)])
    # Short and long numbers share one edge only; that is the edge with the fewest out of line. Where two edges have as
    # few, nobody knows which is meant.
    fewest = min(map(len, off), default=0)
    return sorted({at for rows_off in off if len(rows_off) == fewest for at in rows_off})


def _first_line(words: Sequence[Word]) -> list[Word]:
    """The words that stand on one line with the first."""
    y, height = words[0].region.center[1], _height(words[0])
    return sorted((w for w in words if abs(w.region.center[1] - y) < 0.5 * height), key=lambda w: w.region.x0)


def _is_torn(words: Sequence[Word]) -> bool:
    return any(
        right.region.x0 - left.region.x1 > _TORN * _height(left)
        for left, right in itertools.pairwise(words)
        if abs(left.region.center[1] - right.region.center[1]) < 0.5 * _height(left)
    )


def _is_number(word: Word) -> bool:
    return word.text[0].isdigit()


def _height(word: Word) -> float:
    return word.region.bottom - word.region.top
