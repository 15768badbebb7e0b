"""Words that stand as no cell prints them: a border runs through one, or two stand half upon each other.

The first reading ends a word at an upright line, because browsers print neighbouring cells so close that they touch. In
one cell two words never touch: there the line runs through a word, and "F" and "airbanks" are one name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from parsers.lines import lines_of
from parsers.placed_words import PlacedWords
from records.document import Document, Word
from records.finding import Finding
from records.geometry import Region
from records.report import ExtractedRow

# Of the height of the type; a space is four times as wide at least.
_TOUCHING = 0.06
# A footnote's number is a word of its own beside its score, in smaller type.
_RAISED = 0.85
# Of the height of the smaller type. Lines of one cell that are set close share a tenth.
_CROSSING = 0.3
_KEPT_PAGES = 8  # records hold what is printed on their own page, and what an earlier one says of all


class TornWords:
    """The words of a document, ready to be asked about places in it."""

    def __init__(self, document: Document) -> None:
        """Take the first reading."""
        self._pages = document.pages
        self._placed: dict[int, PlacedWords] = {}

    def findings(self, row: ExtractedRow) -> tuple[Finding, ...]:
        """A finding for each cell of a record that holds a torn word, or words half upon each other."""
        regions = [cell.region for _, cell in row.cells if cell.region is not None and " " in cell.text]
        found = [each for region in dict.fromkeys(regions) for each in _findings(region, self._words(region))]
        # A cell that goes on amid a word begins in small letters.
        small = [cell.region for _, cell in row.cells if cell.region is not None and cell.text[:1].islower()]
        cut = [region for region in dict.fromkeys(small) if self._goes_on(region)]
        return (*found, *(Finding(code="column-boundary", region=region) for region in cut))

    def _goes_on(self, cell: Region) -> bool:
        """Whether the first word of a cell touches letters of the cell before it."""
        words = self._words(replace(cell, x0=0.0))
        return any(
            _touch(left.region, right.region)
            and left.text[-1:].isalpha()
            and right.text[:1].islower()
            and left.region.x1 <= cell.x0 + 1 <= right.region.x1
            for left, right in _neighbours(words)
        )

    def _words(self, region: Region) -> list[Word]:
        if region.page not in self._placed:
            if len(self._placed) >= _KEPT_PAGES:
                self._placed.clear()
            self._placed[region.page] = PlacedWords(self._pages[region.page - 1].words)
        return self._placed[region.page].inside(region)


def _findings(region: Region, inside: Sequence[Word]) -> Iterator[Finding]:
    if any(_touch(left.region, right.region) for left, right in _neighbours(inside)):
        yield Finding(code="column-boundary", region=region)
    if any(_cross(one.region, other.region) for one, other in itertools.combinations(inside, 2)):
        yield Finding(code="text-overlaps", region=region)


def _neighbours(words: Sequence[Word]) -> Iterator[tuple[Word, Word]]:
    for line in lines_of(words):
        yield from itertools.pairwise(line.words)


def _touch(left: Region, right: Region) -> bool:
    smaller, taller = sorted((left.bottom - left.top, right.bottom - right.top))
    return right.x0 - left.x1 < _TOUCHING * smaller and smaller > _RAISED * taller


def _cross(one: Region, other: Region) -> bool:
    """Whether one word covers a part of the other: a line of a wrapped cell that had no room in its row."""
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    smaller = min(one.bottom - one.top, other.bottom - other.top)
    return across > 1 and shared > _CROSSING * smaller
