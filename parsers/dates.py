"""Reading printed dates in the formats a template names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

# The age behind a birth date says the same again: "06/14/2003 (23y)", "06/14/2003, 23 yrs".
_UNIT = r"(?:y|yo|y/o|yrs?|years?(?: old)?|mos?|months?)\.?"
_AGE = re.compile(
    rf"(?<=\d),? ?(?:[(\[](?:age:? )?\d{{1,3}} ?(?:{_UNIT})?[)\]]|(?<= )\d{{1,3}} ?{_UNIT})$", re.IGNORECASE
)
# "1:00p", "1:00 p.m." for what strptime calls %p.
_HALF_DAY = re.compile(r"(?<=\d)( ?)([ap])\.?(?:m\.?)?$", re.IGNORECASE)


class UnreadableDateError(ValueError):
    """A date cell holds no date in any of the template's formats. Says so without quoting the cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedDate:
    """A date cell read.

    Attributes:
        day: The date by the first format that reads it.
        other: Another date by another format, where the template names several that both read the cell; else None.
        time: Time of day printed beside it ("14:05"), or None.
    """

    day: date
    other: date | None = None
    time: str | None = None


def read_date(text: str, formats: Sequence[str], *, not_after: date | None = None) -> PrintedDate | None:
    """The date printed in a cell, or None if the cell is blank.

    Args:
        text: The cell.
        formats: `strptime` formats, tried in order.
        not_after: For birth dates printed with two-digit years: a later date is moved back a century.

    Raises:
        UnreadableDateError: No format reads the cell.
    """
    text = " ".join(text.split())
    if not text.strip("_-–—/. "):
        return None
    found: list[tuple[date, str | None]] = []
    for form in formats:
        read = date_by(text, form)
        if read is None:
            continue
        day = read.date()
        if "%y" in form and not_after is not None and day > not_after:
            # strptime puts 69..99 into 1900 and 00..68 into 2000 (POSIX); nobody is born in the future.
            day = _century_earlier(day)
        found.append((day, read.strftime("%H:%M") if "%H" in form or "%I" in form else None))
    if not found:
        raise UnreadableDateError(f"no date in a cell of {len(text)} characters")
    day, time = found[0]
    return PrintedDate(day=day, other=next((d for d, _ in found if d != day), None), time=time)


@lru_cache(maxsize=4096)  # a report says few days, each many times, and some of its dates are read twice
def date_by(text: str, form: str) -> datetime | None:
    """What one format reads, or None; a weekday printed beside the date must be that day's.

    Args:
        text: A printed date, words separated by single spaces; an age may stand behind it.
        form: A `strptime` format; its %p reads "p" and "p.m." too.
    """
    text = _AGE.sub("", text)
    try:
        whole = _HALF_DAY.sub(r"\1\2m", text) if "%p" in form else text
        read = datetime.strptime(whole, form)  # noqa: DTZ007 - dates on paper have no zone
    except ValueError:
        return None
    # strptime takes any weekday. With the wrong one either is misread: "Wed 2/4/26" is no day in April.
    named = [code for code in ("%a", "%A") if code in form]
    return read if all(read.strftime(code).casefold() in text.casefold() for code in named) else None


def _century_earlier(day: date) -> date:
    try:
        return day.replace(year=day.year - 100)
    except ValueError:  # 29 February 2000 has no counterpart in 1900
        raise UnreadableDateError("a day that does not exist") from None
