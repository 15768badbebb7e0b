"""Glyphs that a file says are several letters, though no typeface joins these.

Some programs that cut text off draw an ellipsis and let the font's map say that it is the letters they left out, the
first time: every ellipsis of the file then reads as those same letters, "Chaudhry, Lucille…" as "Chaudhry, Lucille Al".
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from records.geometry import Region

# Letters that typefaces join: "ffi", "ft", "Th". No ligature has more than three.
_JOINED: Final = frozenset("fijltbhkscTIJ")
_LONGEST_LIGATURE: Final = 3


def swollen_glyphs(page: int, letters: Sequence[str], boxes: npt.NDArray[np.float64]) -> Iterator[Region]:
    """Where such glyphs are drawn.

    Args:
        page: Number of the page, from 1.
        letters: What the file says of each glyph in turn; of a glyph with several letters each letter.
        boxes: A row for each, the box of its ink on the page as displayed; letters of one glyph share it.
    """
    joined = np.flatnonzero((boxes[1:] == boxes[:-1]).all(axis=1)).tolist()
    for _, run in itertools.groupby(enumerate(joined), key=lambda found: found[1] - found[0]):
        first, *rest = [at for _, at in run]
        told = "".join(letters[first : first + len(rest) + 2])
        plain = all(letter in string.printable for letter in told)
        if plain and (len(told) > _LONGEST_LIGATURE or not _JOINED.issuperset(told)):
            yield Region(page, *boxes[first].tolist())
