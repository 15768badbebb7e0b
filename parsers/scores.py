"""Reading score cells. Blank, zero and unreadable are three different things."""

from __future__ import annotations

import re
from dataclasses import dataclass

from parsers.lines import folded

# "14", "14 / 27", "14 of 27", "14/27 (Moderate)", "14 (Moderate)", "14 - Moderate", "14 Moderate". A word has three
# letters at least: a single one may be a digit that was read as a letter, or a mark that says more about the score.
_SCORE = re.compile(
    r"(?P<points>\d{1,3})"
    r"(?:\s*(?:/|(?:out )?of)\s*(?P<maximum>\d{1,3}))?"
    r"(?:\s*(?:\((?P<bracketed>[^()\d]+)\)|[-–—:]?\s+(?P<words>[^\W\d]{3}[^()\d]*)))?",
    re.ASCII,
)
_BLANKS = frozenset("_ .-–—\u00a0")


class UnreadableScoreError(ValueError):
    """A score cell holds something that is no score. Says why without quoting the cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedScore:
    """A score cell read.

    Attributes:
        points: The score.
        words: Severity words printed in the same cell, or None.
    """

    points: int
    words: str | None = None


def read_score(text: str, *, maximum: int | None) -> PrintedScore | None:
    """The score printed in a cell, or None if the cell is blank.

    Args:
        text: The cell.
        maximum: The instrument's maximum; a printed "14 / 21" for an instrument up to 27 is unreadable, since
            another printed maximum means another form, whose points do not compare with ours. None if unknown.

    Raises:
        UnreadableScoreError: The cell holds no whole number, or is out of another maximum.
    """
    text = text.strip()
    if set(text) <= _BLANKS:
        return None
    match = _SCORE.fullmatch(text)
    if match is None:
        raise UnreadableScoreError(f"no whole number in a cell of {len(text)} characters")
    printed = match["maximum"]
    if printed is not None and maximum is not None and int(printed) != maximum:
        raise UnreadableScoreError(f"printed maximum {printed}, expected {maximum}")
    words = match["bracketed"] or match["words"]
    return PrintedScore(points=int(match["points"]), words=words.strip() if words else None)


def read_answer(text: str, *, answers: dict[str, int]) -> int | None:
    """The points an answer in words stands for, or None if the cell is blank.

    Raises:
        UnreadableScoreError: The words are not among the layout's answers.
    """
    if set(text.strip()) <= _BLANKS:
        return None
    points = {folded(words): value for words, value in answers.items()}.get(folded(text))
    if points is None:
        raise UnreadableScoreError(f"no known answer in a cell of {len(text)} characters")
    return points
