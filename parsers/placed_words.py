"""The words of a page by height, so that a place is looked up without walking the page."""

from __future__ import annotations

import bisect
import operator
from collections.abc import Iterable, Sequence
from operator import itemgetter

from parsers.lines import SAME_LINE, joined, lines_of
from records.document import Word
from records.geometry import Region

_HAIR = 1e-6  # points, for sums that are not exact
_SLACK = 1.0  # points that two readers' boxes of one glyph may differ


class PlacedWords:
    """The words of one page, ready to be asked about places on it. A word stands where its middle does."""

    def __init__(self, words: Iterable[Word]) -> None:
        # By height alone: words of one height stay in their order.
        placed = [((box.top + box.bottom) / 2, (box.x0 + box.x1) / 2, word) for word in words for box in (word.region,)]
        placed.sort(key=_by_height)
        self._heights = [y for y, _, _ in placed]
        self._words = [(x, word) for _, x, word in placed]

    def text(self, region: Region) -> str:
        """What is printed in the region or next to it, lines from top to bottom."""
        inside = self.inside(region, slack=_SLACK)
        return " ".join([joined(line.words) for line in lines_of(inside)]) if inside else ""

    def digits(self, region: Region) -> str:
        """The digits in the region or next to it."""
        inside = self.inside(region, slack=_SLACK)
        if not inside:
            return ""
        if _on_one_line([word.region for word in inside]):
            inside.sort(key=_left)
            return digits_in("".join([word.text for word in inside]))
        return digits_in("".join([word.text for line in lines_of(inside) for word in line.words]))

    def inside(self, region: Region, *, slack: float = 0.0) -> list[Word]:
        """The words in the region, or at most `slack` points outside it, by height."""
        low = bisect.bisect_left(self._heights, region.top - slack)
        high = bisect.bisect_right(self._heights, region.bottom + slack)
        x0, x1 = region.x0 - slack, region.x1 + slack
        return [word for x, word in self._words[low:high] if x0 <= x <= x1]


class PlacedDigits:
    """The digits of one page, ready to be asked about places on it, as `PlacedWords` of digits would be."""

    def __init__(self, page: int, digits: str, boxes: Iterable[tuple[float, float, float, float]]) -> None:
        """Take the digits of a page by its number, and the left, upper, right and lower edge of each, in points."""
        self._page = page
        placed = [
            ((top + bottom) / 2, number, (x0 + x1) / 2, x0, top, x1, bottom, digit)
            for number, (digit, (x0, top, x1, bottom)) in enumerate(zip(digits, boxes, strict=True))
        ]
        placed.sort()
        self._heights = [each[0] for each in placed]
        self._digits = [each[2:] for each in placed]

    def digits(self, region: Region) -> str:
        """The digits in the region or next to it."""
        low = bisect.bisect_left(self._heights, region.top - _SLACK)
        high = bisect.bisect_right(self._heights, region.bottom + _SLACK)
        x0, x1 = region.x0 - _SLACK, region.x1 + _SLACK
        inside = [each for each in self._digits[low:high] if x0 <= each[0] <= x1]
        if not inside:
            return ""
        smallest = min([bottom - top for _, _, top, _, bottom, _ in inside])
        heights = self._heights[low:high]
        if heights[-1] - heights[0] < SAME_LINE * smallest - _HAIR:
            inside.sort(key=itemgetter(1))
            return "".join([digit for *_, digit in inside])
        words = [Word(digit, Region(self._page, x0, top, x1, bottom)) for _, x0, top, x1, bottom, digit in inside]
        return PlacedWords(words).digits(region)


def _on_one_line(boxes: Sequence[Region]) -> bool:
    """Whether `lines_of` would surely make one line of them: the highest and the lowest are as near as two must be."""
    tops, bottoms = [box.top for box in boxes], [box.bottom for box in boxes]
    heights = [bottom - top for top, bottom in zip(tops, bottoms, strict=True)]
    spread = max(map(operator.add, tops, bottoms)) - min(map(operator.add, tops, bottoms))
    return bool(spread / 2 < SAME_LINE * min(heights) - _HAIR)


def digits_in(text: str) -> str:
    """The digits of a text."""
    return text if text.isdigit() else "".join(filter(str.isdigit, text))


def _by_height(placed: tuple[float, float, Word]) -> float:
    return placed[0]


def _left(word: Word) -> float:
    return word.region.x0
