"""Where each word of a twin stands.

A word is never as long as the one it stands for, but as long as its own letters: exact lengths give away a name to
somebody who has a list of names and the typeface. So words flow: what follows a changed word moves with it, and only
where a run of words or a cell begins is taken from the original (or where it ends, in a column that is flush right).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from parsers.lines import Line, folded, joined, lines_of
from parsers.readers.artwork import Lettering
from records.document import Page, Word
from records.report import Cell

Width = Callable[[Lettering, str], float]

# Space left in front of what follows on the line, in heights of the line: more than a gap that joins words to a run.
_APART = 0.8
_TOUCHING = 0.1  # of the size: closer words touch, as a score and the number of its footnote do
_NARROWEST = 0.3
_BESIDE = 4.0  # points that stay free in front of the next column
_CENTRED = 2.0  # a line whose middle is this near to that of the page is centred on it
_MARGIN = 12.0  # points that stay free at the right edge of the page


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How the cells of one field stand: how wide their lines may be, and on which side they are flush.

    Attributes:
        width: In points; None where nothing is known of it.
        flush: "left", "right" or "middle".
    """

    width: float | None
    flush: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellText:
    """What the words of one cell say in the twin."""

    words: tuple[Word, ...]
    text: str
    column: Column


def words_of(cell: Cell, page: Page) -> tuple[Word, ...]:
    """The words of the page that a cell consists of; empty where they cannot be told."""
    box = cell.region
    if box is None or box.page != page.number:
        return ()
    inside = [word for word in page.words if box.holds(*word.region.center, slack=0.5)]
    ordered = [word for line in lines_of(inside) for word in line.words]
    wanted = folded(cell.text)
    if folded(joined(ordered)) == wanted:
        return tuple(ordered)
    # A value out of a heading's line is a part of what stands there.
    for start, end in itertools.combinations(range(len(ordered) + 1), 2):
        if folded(joined(ordered[start:end])) == wanted:
            return tuple(ordered[start:end])
    return ()


def column_of(lines: Iterable[Sequence[Word]]) -> Column:
    """The column that the printed lines of one field make."""
    boxes = [Line(tuple(words)).region for words in lines if words]
    spread = {
        "left": {round(box.x0) for box in boxes},
        "right": {round(box.x1) for box in boxes},
        "middle": {round(box.center[0]) for box in boxes},
    }
    flush = min(spread, key=lambda side: len(spread[side]))
    return Column(width=max((box.x1 - box.x0 for box in boxes), default=None), flush=flush)


class Typesetting:
    """Sets the words of one report anew.

    Args:
        letterings: How every word of the report is set, by the `id` of the word.
        width: How wide a text is in the typeface that stands for a lettering's.
    """

    def __init__(self, letterings: Mapping[int, Lettering], width: Width) -> None:
        self._letterings = letterings
        self._natural = width
        ratios: dict[tuple[bool, ...], list[float]] = {}
        for each in letterings.values():
            natural = width(each, each.text)
            if natural > 0 and each.length > 0 and len(each.text) > 2:
                ratios.setdefault(_style(each), []).append(each.length / natural)
        self._ratios = {style: median(found) for style, found in ratios.items()}

    def page(self, page: Page, cells: Sequence[CellText], texts: Mapping[int, str]) -> Iterator[Lettering]:
        """The words of a page.

        Args:
            page: The original.
            cells: What its cells say.
            texts: What every other word says, by the `id` of the word.
        """
        said = dict(texts)
        cell_of: dict[int, CellText] = {}
        relaid: set[int] = set()
        for cell in cells:
            tokens = cell.text.split()
            cell_of.update({id(word): cell for word in cell.words})
            if len(tokens) == len(cell.words):
                said.update({id(word): token for word, token in zip(cell.words, tokens, strict=True)})
            else:
                relaid.update(id(word) for word in cell.words)
                yield from self._relaid(cell, tokens)
        lines = [list(_segments(line, cell_of, page)) for line in lines_of(page.words)]
        edges = _Edges((segment for segments in lines for segment in segments), page.width / 2)
        for segments in lines:
            for number, segment in enumerate(segments):
                if id(segment[0]) in relaid:
                    continue
                after = segments[number + 1][0] if number + 1 < len(segments) else None
                own = cell_of.get(id(segment[0]))
                limit = _limit(segment, after, page)
                if own is not None:
                    limit = min(limit, edges.next_column(segment))
                flush = own.column.flush if own else edges.flush(segment)
                yield from self._flowing(segment, said, Column(width=None, flush=flush), limit)

    def _relaid(self, cell: CellText, tokens: Sequence[str]) -> Iterator[Lettering]:
        """A cell with more or fewer words than before: as many as fit on each of its lines, the rest on the last."""
        lines = lines_of(cell.words)
        at = 0
        filled: list[list[str]] = [[] for _ in lines]
        for token in tokens:
            like = self._letterings[id(lines[at].words[0])]
            longer = self._width(like, " ".join([*filled[at], token]))
            room = cell.column.width or lines[at].region.x1 - lines[at].region.x0
            if filled[at] and longer > room + 1 and at + 1 < len(lines):
                at += 1
            filled[at].append(token)
        for line, line_tokens in zip(lines, filled, strict=True):
            like = self._letterings[id(line.words[0])]
            gaps = [self._width(like, " ")] * len(line_tokens)
            yield from self._set([like] * len(line_tokens), line_tokens, gaps, line, cell.column, None)

    def _flowing(
        self, segment: Sequence[Word], said: Mapping[int, str], column: Column, limit: float
    ) -> Iterator[Lettering]:
        letterings = [self._letterings[id(word)] for word in segment]
        texts = [said[id(word)] for word in segment]
        if all(text == word.text for text, word in zip(texts, segment, strict=True)) or any(
            each.turned for each in letterings
        ):
            # What stays is exactly where it was; turned type keeps its place and gets its own length.
            for each, text in zip(letterings, texts, strict=True):
                yield each if text == each.text else replace(each, text=text, length=self._width(each, text))
            return
        # Justified lines tell by their spaces how long their words are: a space is as wide as the type makes it.
        gaps = [
            self._width(like, " ") if right.region.x0 - left.region.x1 > _TOUCHING * like.size else 0.0
            for like, (left, right) in zip(letterings, itertools.pairwise(segment), strict=False)
        ]
        yield from self._set(letterings, texts, [*gaps, 0.0], Line(tuple(segment)), column, limit)

    def _set(
        self,
        letterings: Sequence[Lettering],
        texts: Sequence[str],
        gaps: Sequence[float],
        line: Line,
        column: Column,
        limit: float | None,
    ) -> Iterator[Lettering]:
        lengths = [self._width(like, text) for like, text in zip(letterings, texts, strict=True)]
        spaces, letters = sum(gaps[:-1]), sum(lengths)
        room = letters if column.width is None else column.width - spaces
        if limit is not None and column.flush == "left":
            room = min(room, limit - line.region.x0 - spaces)
        # Words are narrowed where there is no room, spaces never: without them two words would be one.
        narrowed = min(1.0, max(room / letters, _NARROWEST)) if letters > 0 else 1.0
        whole = letters * narrowed + spaces
        x = {
            "left": line.region.x0,
            "right": line.region.x1 - whole,
            "middle": line.region.center[0] - whole / 2,
        }[column.flush]
        for like, text, length, gap in zip(letterings, texts, lengths, gaps, strict=True):
            yield replace(like, text=text, x=x, length=length * narrowed)
            x += length * narrowed + gap

    def _width(self, like: Lettering, text: str) -> float:
        return self._natural(like, text) * self._ratios.get(_style(like), 1.0)


class _Edges:
    """Where the segments of a page begin and end: what ends where others end stands in a column that is flush right."""

    def __init__(self, segments: Iterable[Sequence[Word]], middle: float) -> None:
        found = list(segments)
        self._middle = middle
        self._begin = Counter(round(segment[0].region.x0) for segment in found)
        self._end = Counter(round(segment[-1].region.x1) for segment in found)

    def flush(self, segment: Sequence[Word]) -> str:
        """On which side the segment is flush with others."""
        begin = _near(self._begin, segment[0].region.x0)
        end = _near(self._end, segment[-1].region.x1)
        if begin < 2 and abs(Line(tuple(segment)).region.center[0] - self._middle) < _CENTRED:
            return "middle"
        return "right" if end > max(2, 2 * begin) else "left"

    def next_column(self, segment: Sequence[Word]) -> float:
        """Where the next column begins, less some space: its cell beside this one may be blank."""
        box = Line(tuple(segment)).region
        return min(
            (x - _BESIDE for x, found in self._begin.items() if found > 2 and x - _BESIDE >= box.x1), default=1e9
        )


def _near(counted: Counter[int], x: float) -> int:
    return sum(counted[round(x) + off] for off in (-1, 0, 1))


def _style(lettering: Lettering) -> tuple[bool, ...]:
    return lettering.serif, lettering.mono, lettering.bold, lettering.italic


def _segments(line: Line, cell_of: Mapping[int, CellText], page: Page) -> Iterator[list[Word]]:
    """The runs of a line, cut where a cell begins, and at upright lines: a value stands where the original's stood."""
    y = line.region.center[1]
    cuts = [r.region.x0 for r in page.rules if not r.is_horizontal and r.region.top < y < r.region.bottom]
    for run in line.runs():
        segment = [run[0]]
        for left, right in itertools.pairwise(run):
            begins = id(right) in cell_of and cell_of[id(right)] is not cell_of.get(id(left))
            if begins or any(left.region.center[0] < cut < right.region.center[0] for cut in cuts):
                yield segment
                segment = []
            segment.append(right)
        yield segment


def _limit(segment: Sequence[Word], after: Word | None, page: Page) -> float:
    """How far right a segment may reach: up to the page's margin, the next printed line, or what follows."""
    first, last = segment[0].region, segment[-1].region
    y = last.center[1]
    limits = [max(page.width - _MARGIN, last.x1)]
    upright = [rule.region for rule in page.rules if not rule.is_horizontal]
    limits += [rule.x0 - 1.5 for rule in upright if rule.top < y < rule.bottom and rule.x0 > first.center[0]]
    if after is not None:
        gap = max(after.region.x0 - last.x1, 0.0)
        limits.append(after.region.x0 - min(gap, _APART * (last.bottom - last.top)))
    return max(min(limits), first.x0 + 1.0)
