"""Words that a printed line runs through: a cell that has slid over a border of its column.

The first reading ends a word at an upright line, because browsers print neighbouring cells so close that they touch. In
one cell two words never touch: there the line runs through a word, and "F" and "airbanks" are one name.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from parsers.lines import lines_of
from records.document import Document, Word
from records.finding import Finding
from records.geometry import Region
from records.report import ExtractedRow

# Of the height of the type; a space is four times as wide at least.
_TOUCHING = 0.06
# A footnote's number is a word of its own beside its score, in smaller type.
_RAISED = 0.85


def torn_words(row: ExtractedRow, document: Document) -> tuple[Finding, ...]:
    """A finding for each cell of a record that holds a torn word.

    Args:
        row: The record as printed.
        document: The first reading.
    """
    regions = [cell.region for _, cell in row.cells if cell.region is not None and " " in cell.text]
    torn = [region for region in dict.fromkeys(regions) if _is_torn(region, document.pages[region.page - 1].words)]
    return tuple(Finding(code="column-boundary", region=region) for region in torn)


def _is_torn(region: Region, words: Sequence[Word]) -> bool:
    inside = [word for word in words if region.holds(*word.region.center)]
    return any(_touch(left.region, right.region) for left, right in _neighbours(inside))


def _neighbours(words: Sequence[Word]) -> Iterator[tuple[Word, Word]]:
    for line in lines_of(words):
        yield from itertools.pairwise(line.words)


def _touch(left: Region, right: Region) -> bool:
    smaller, taller = sorted((left.bottom - left.top, right.bottom - right.top))
    return right.x0 - left.x1 < _TOUCHING * smaller and smaller > _RAISED * taller
