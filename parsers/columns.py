"""Where one column of a table ends and the next begins."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parsers.header import Header
from parsers.lines import Line
from records.document import Rule, Word

_OUTSIDE = 1e6  # left of every page; with the other sign right of it
# A value that does not stand under its header is farther from the next one by at least this factor.
_CLEARLY_NEARER = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Borders:
    """The columns of one table on one page.

    Attributes:
        xs: Borders from left to right, one more than there are columns.
        ruled: Whether printed lines are the borders.
        doubtful: Indices of borders that words run across.
        headers: Left and right edge of each column's header.
        open: Indices of the borders between columns that are no printed lines.
    """

    xs: tuple[float, ...]
    ruled: bool
    doubtful: tuple[int, ...] = ()
    headers: tuple[tuple[float, float], ...] = ()
    open: frozenset[int] = frozenset()

    def column_of(self, word: Word) -> int:
        """The index of the column the word's middle stands in."""
        x = word.region.center[0]
        return next((n for n in range(len(self.xs) - 1) if x < self.xs[n + 1]), len(self.xs) - 2)

    def strays(self, column: int, words: Sequence[Word], *, blank: Callable[[int], bool]) -> bool:
        """Whether a cell stands beside its header and nearly as close to a neighbour's whose own cell is blank.

        Args:
            column: The index of the column the words were given to.
            words: The cell.
            blank: Whether the same row has nothing in another column.
        """
        if not self.headers:
            return False
        x0, x1 = min(w.region.x0 for w in words), max(w.region.x1 for w in words)
        own = _gap((x0, x1), self.headers[column])
        return own > 0 and any(
            border in self.open and blank(other) and _gap((x0, x1), self.headers[other]) < _CLEARLY_NEARER * own
            for border, other in ((column, column - 1), (column + 1, column + 1))
            if 0 <= other < len(self.headers)
        )

    def crossed_by(self, word: Word) -> bool:
        """Whether the word runs over a border by more than a hair."""
        return any(word.region.x0 + 1.0 < x < word.region.x1 - 1.0 for x in self.xs[1:-1])


def _gap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The empty space between two spans; 0 or less where they share some."""
    return max(one[0], other[0]) - min(one[1], other[1])


def find_borders(
    header: Header,
    body: Sequence[Line],
    rules: Sequence[Rule],
    *,
    sides: tuple[float, float] = (-_OUTSIDE, _OUTSIDE),
) -> Borders:
    """The borders between the header's columns: printed lines where there are some, else gutters without a word.

    A gutter is the widest strip between the middles of two headers that neither header nor body words enter.

    Args:
        header: The header.
        body: Lines below it.
        rules: Printed lines of the page.
        sides: Where the table ends on both sides, in points; open where nothing stands beside it.
    """
    cells = header.cells
    bottom = max((line.region.bottom for line in body), default=header.region.bottom)
    upright = [
        rule.region.x0
        for rule in rules
        if not rule.is_horizontal
        and rule.region.top < bottom
        and rule.region.bottom > header.region.bottom
        # Beside the body: the edges of a shaded header are as long as a short table's body is high.
        and rule.region.bottom - max(rule.region.top, header.region.bottom) > 0.3 * (bottom - header.region.bottom)
    ]
    words = [w for line in body if not _is_prose(line, header) for w in line.words] + list(header.words)
    xs: list[float] = [sides[0]]
    ruled: list[bool] = []
    doubtful: list[int] = []
    for number, (left, right) in enumerate(itertools.pairwise(cells), start=1):
        low, high = left.region.center[0], right.region.center[0]
        lines = [x for x in upright if low < x < high]
        ruled.append(bool(lines))
        if lines:
            xs.append(min(lines, key=lambda x: abs(x - right.region.x0)))
            continue
        gutter = widest_gutter(words, low, high)
        if gutter is None:
            doubtful.append(number)
            gutter = (left.region.x1, max(left.region.x1, right.region.x0))
        xs.append((gutter[0] + gutter[1]) / 2)
    xs.append(sides[1])
    return Borders(
        xs=tuple(xs),
        ruled=bool(ruled) and all(ruled),
        doubtful=tuple(doubtful),
        headers=tuple((cell.region.x0, cell.region.x1) for cell in cells),
        open=frozenset(number for number, drawn in enumerate(ruled, start=1) if not drawn),
    )


def widest_gutter(words: Sequence[Word], low: float, high: float) -> tuple[float, float] | None:
    """The widest strip between two x that no word enters, or None if there is none."""
    taken = sorted((w.region.x0, w.region.x1) for w in words if w.region.x1 > low and w.region.x0 < high)
    free: list[tuple[float, float]] = []
    reached = low
    for x0, x1 in taken:
        if x0 > reached:
            free.append((reached, x0))
        reached = max(reached, x1)
    if reached < high:
        free.append((reached, high))
    # Half a point is rounding, not a gutter.
    return max((gap for gap in free if gap[1] - gap[0] > 0.5), key=lambda gap: gap[1] - gap[0], default=None)


def _is_prose(line: Line, header: Header) -> bool:
    """Whether the line is a sentence across the columns, such as a legend: it would hide every gutter."""
    middles = [cell.region.center[0] for cell in header.cells]
    spans = [sum(run[0].region.x0 < x < run[-1].region.x1 for x in middles) for run in line.runs()]
    return max(spans) >= 3 or (len(spans) == 1 and spans[0] >= 2)
