"""Cells that span several rows of a ruled table: the line between two rows leaves their column out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parsers.columns import Borders
from parsers.header import Header
from parsers.lines import Line
from records.document import Rule, Word

# Two printed lines, or the end of one and a border, are at one place within this many points.
_SAME_PLACE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The lines between two horizontal printed lines; infinite at the ends of the table."""

    lines: tuple[Line, ...]
    top: float
    bottom: float

    @property
    def closed(self) -> bool:
        """Whether there is a printed line on both sides."""
        return self.top != float("-inf") and self.bottom != float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One cell over several bands.

    Attributes:
        column: Index of its column.
        words: What is printed in it.
    """

    column: int
    top: float
    bottom: float
    words: tuple[Word, ...]

    def holds(self, band: Band) -> bool:
        """Whether the band is one of its rows."""
        return self.top <= band.top and band.bottom <= self.bottom


def find_bands(
    body: Sequence[Line], borders: Borders, header: Header, rules: Sequence[Rule], *, keys: frozenset[int]
) -> tuple[Band, ...]:
    """The body between printed lines that run over half of the table, or along whole cells of a column in `keys`."""
    width = header.region.x1 - header.region.x0
    flat = [r for r in rules if _runs_below(r, header)]
    ys = sorted(
        rule.region.top
        for rule in flat
        if rule.region.x1 - rule.region.x0 > 0.5 * width
        or (borders.ruled and _fits(rule, borders) and any(_crosses(rule, header, column) for column in keys))
    )
    bands: dict[int, list[Line]] = {}
    for line in body:
        y = line.region.center[1]
        bands.setdefault(sum(edge < y for edge in ys), []).append(line)
    return tuple(
        Band(
            lines=tuple(lines),
            top=ys[above - 1] if above else float("-inf"),
            bottom=ys[above] if above < len(ys) else float("inf"),
        )
        for above, lines in sorted(bands.items())
    )


def find_spans(bands: Sequence[Band], borders: Borders, header: Header, rules: Sequence[Rule]) -> tuple[Span, ...]:
    """The cells that span bands of a table whose columns are drawn.

    A column that no line between the rows crosses has cells of its own in each of them if several hold something.
    """
    if not borders.ruled:
        return ()
    flat = [rule for rule in rules if _runs_below(rule, header)]
    spans: list[Span] = []
    for column in range(len(header.cells)):
        groups = list(_groups(bands, [rule for rule in flat if _crosses(rule, header, column)]))
        for group in groups:
            filled = [words for band in group if (words := _words_in(band, borders, column))]
            if len(group) > 1 and (len(groups) > 1 or len(filled) < 2):
                words = tuple(itertools.chain.from_iterable(filled))
                spans.append(Span(column=column, top=group[0].top, bottom=group[-1].bottom, words=words))
    return tuple(spans)


def without_spans(band: Band, spans: Sequence[Span]) -> list[Line]:
    """The lines of a band without the words of cells that span several."""
    taken = {id(word) for span in spans for word in span.words}
    rest = [tuple(word for word in line.words if id(word) not in taken) for line in band.lines]
    return [Line(words) for words in rest if words]


def _groups(bands: Sequence[Band], crossing: Sequence[Rule]) -> Iterator[list[Band]]:
    """Neighbouring closed bands without a line of these rules between them."""
    group: list[Band] = []
    for band in bands:
        apart = not group or group[-1].bottom != band.top
        if apart or not band.closed or any(abs(rule.region.top - band.top) < _SAME_PLACE for rule in crossing):
            if group:
                yield group
            group = []
        if band.closed:
            group.append(band)
    if group:
        yield group


def _words_in(band: Band, borders: Borders, column: int) -> tuple[Word, ...]:
    return tuple(word for line in band.lines for word in line.words if borders.column_of(word) == column)


def _runs_below(rule: Rule, header: Header) -> bool:
    return rule.is_horizontal and rule.region.x0 < header.region.x1 and rule.region.x1 > header.region.x0


def _crosses(rule: Rule, header: Header, column: int) -> bool:
    return rule.region.x0 <= header.cells[column].region.center[0] <= rule.region.x1


def _fits(rule: Rule, borders: Borders) -> bool:
    """Whether both ends of the line stand at borders of columns, or outside of all."""
    inner = borders.xs[1:-1]
    ends = (rule.region.x0, rule.region.x1)
    return all(
        any(abs(end - x) < _SAME_PLACE for x in inner) or (inner and not inner[0] < end < inner[-1]) for end in ends
    )
