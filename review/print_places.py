"""Where on a page a value of a record is printed, so that the eye is led from the doubt to the print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from records.document import Word
from records.geometry import Region, around
from records.layout import Landmark, LandmarkKind

_SLACK: Final = 2.0  # points by which ink may stand out of its row
_LONGEST_RUN: Final = 12  # words of one value
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS: Final = re.compile(r"\d+|[a-z]+")
_SAME_LINE: Final = 3.0


@dataclass(frozen=True, slots=True)
class Place:
    """A printed value.

    Attributes:
        text: As printed.
        region: The box around it.
    """

    text: str
    region: Region


def words_within(words: Iterable[Word], box: Region) -> tuple[Word, ...]:
    """The words whose middle lies in a box of the same page."""
    return tuple(
        word for word in words if word.region.page == box.page and box.holds(*word.region.center, slack=_SLACK)
    )


def place_of(words: Sequence[Word], value: str | None) -> Place | None:
    """The first run of neighbouring words that reads as `value`, whatever is blank in it; None if there is none."""
    wanted = _plain(value or "")
    if not wanted:
        return None
    for start in range(len(words)):
        read = ""
        for end in range(start, min(start + _LONGEST_RUN, len(words))):
            read += _plain(words[end].text)
            if read == wanted:
                return _place(words[start : end + 1])
            if not wanted.startswith(read):
                break
    return None


def place_of_day(words: Sequence[Word], day: date | None) -> Place | None:
    """The first run of at most four words that says this day in any usual order; None if there is none."""
    if day is None:
        return None
    for start in range(len(words)):
        for end in range(start + 1, min(start + 4, len(words)) + 1):
            if _says(" ".join(word.text for word in words[start:end]), day):
                return _place(words[start:end])
    return None


def header_above(words: Sequence[Word], landmarks: Iterable[Landmark], row: Region) -> Region | None:
    """The line with the headers of the table that `row` belongs to, as wide as the row; None if it is not found.

    The headers are looked for on this page, above the row: a landmark's own place may be on another page.
    """
    printed = {_plain(mark.printed) for mark in landmarks if mark.kind is LandmarkKind.COLUMN}
    above = [word for word in words if word.region.page == row.page and word.region.bottom <= row.top + _SLACK]
    lines: dict[int, list[Region]] = {}
    for word in above:
        if any(_plain(word.text) in wording for wording in printed):
            lines.setdefault(round(word.region.center[1] / _SAME_LINE), []).append(word.region)
    full = [boxes for boxes in lines.values() if len(boxes) >= max(2, len(printed) // 2)]
    if not full:
        return None
    nearest = around(max(full, key=lambda boxes: boxes[0].top))
    return Region(row.page, min(row.x0, nearest.x0), nearest.top, max(row.x1, nearest.x1), nearest.bottom)


def _place(words: Sequence[Word]) -> Place:
    return Place(" ".join(word.text for word in words), around([word.region for word in words]))


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _says(text: str, day: date) -> bool:
    parts = _PARTS.findall(text.casefold())
    if len(parts) == 1 and text.strip() == f"{day:%Y%m%d}":
        return True
    if len(parts) != 3:
        return False
    worded = [part for part in parts if part[:3] == _MONTHS[day.month - 1]]
    numbers = sorted(int(part) for part in parts if part.isdigit() and len(part) <= 4)
    years = {day.year, day.year % 100}
    wanted = [sorted((day.day, year, *(() if worded else (day.month,)))) for year in years]
    return numbers in wanted
