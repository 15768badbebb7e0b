"""Headings that stand as close as the words of one."""

from __future__ import annotations

from collections.abc import Sequence

from parsers.drafting.words import heading_means, named_instrument
from parsers.lines import Line, joined
from records.document import Word
from records.geometry import around

_FEWEST_APART = 3
_MOST = 0.8
_NEAR_HEADING = 10.0  # points that a cell may stick out beyond its heading


def two_headings(words: list[Word], upright: Sequence[float], below: Sequence[Line]) -> list[list[Word]]:
    """The words as they are, or cut in two headings that stand as close as the words of one.

    Both are known, or one of them is and the cells below stand apart as they do.

    In a box of printed lines there is one, and what is in brackets says more about what stands before it.
    """
    level = max(w.region.top for w in words) - min(w.region.top for w in words) < 1
    boxed = min(upright, default=0) < words[0].region.x0 and max(upright, default=0) > words[-1].region.x1
    bracketed = any(word.text.startswith("(") for word in words[1:])
    if boxed or bracketed or not level:
        return [words]
    if heading_means(joined(words)) is None and named_instrument(joined(words)) is None:
        for n in range(1, len(words)):
            left, right = words[:n], words[n:]
            known = [heading_means(joined(part)) is not None for part in (left, right)]
            if all(known) or (any(known) and _apart_below(left, right, below)):
                return [left, right]
    return [words]


def _apart_below(left: Sequence[Word], right: Sequence[Word], below: Sequence[Line]) -> bool:
    """Whether the cells below two neighbouring words are two, apart where the words are."""
    edge = (left[-1].region.x1 + right[0].region.x0) / 2
    low, high = left[0].region.x0 - _NEAR_HEADING, right[-1].region.x1 + _NEAR_HEADING
    apart: list[bool] = []
    for line in below:
        runs = [around([word.region for word in run]) for run in line.runs()]
        here = [box for box in runs if box.x1 > low and box.x0 < high]
        if here and len(runs) > 2:
            sides = {box.center[0] < edge for box in here if not box.x0 + 1 < edge < box.x1 - 1}
            apart.append(len(sides) == 2 and all(not box.x0 + 1 < edge < box.x1 - 1 for box in here))
    return len(apart) >= _FEWEST_APART and sum(apart) >= _MOST * len(apart)
