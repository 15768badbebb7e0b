"""Dates of a roster column: each reads by itself, or the whole column says whether its day or its month comes first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

from records.errors import RosterError

_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_COMPACT: Final = re.compile(r"(\d{4})(\d\d)(\d\d)")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)")
_TIME: Final = re.compile(r"(?<=\d)(?:T| )\d{1,2}:\d\d.*$")
_SPELLED: Final = ("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%d-%B-%Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y")
_BLANK: Final = frozenset({"", "-", "--", "n/a", "na", "null", "none", "unknown", "//"})
# Nobody on a roster is older; a year of two digits that leaves two possible people leaves none.
_OLDEST_YEARS: Final = 110


class DateOrder(StrEnum):
    """Which of day and month comes first where the year is last."""

    DAY_FIRST = "day first"
    MONTH_FIRST = "month first"


class UnreadableRosterDateError(ValueError):
    """A cell holds no date. Says so without quoting it."""


def is_date_format(form: str) -> bool:
    """Whether a `strptime` format tells day, month and year."""
    try:
        return all(
            datetime.strptime(day.strftime(form), form).date() == day  # noqa: DTZ007 - dates have no zone
            for day in (date(1984, 3, 4), date(1991, 11, 28))
        )
    except (ValueError, re.error):  # the latter for a code given twice
        return False


def order_of(texts: Iterable[str]) -> DateOrder | None:
    """The order that a column's dates prove (a number above 12 is a day), or None if they prove none.

    Raises:
        RosterError: Some dates have the day first and others the month.
    """
    day_first = month_first = 0
    for text in texts:
        found = _YEAR_LAST.fullmatch(_without_time(text))
        if found is None:
            continue
        first, second = int(found[1]), int(found[3])
        day_first += 12 < first <= 31 and second <= 12
        month_first += 12 < second <= 31 and first <= 12
    if day_first and month_first:
        raise RosterError(
            f"{day_first} of its dates have the day first and {month_first} the month.",
            next_step="Export all dates in one format, best as 1984-06-30.",
        )
    if day_first:
        return DateOrder.DAY_FIRST
    return DateOrder.MONTH_FIRST if month_first else None


def needs_order(texts: Iterable[str]) -> bool:
    """Whether some date reads otherwise with its day first than with its month first."""
    return any(
        found is not None and found[1].lstrip("0") != found[3].lstrip("0")
        for found in (_YEAR_LAST.fullmatch(_without_time(text)) for text in texts)
    )


def date_reader(*, order: DateOrder | None, stated: str | None, today: date) -> Callable[[str], date | None]:
    """Reads one cell; None for a blank one.

    Args:
        stated: A `strptime` format that all dates have; then nothing else is read.
        today: Later dates are no dates, and years of two digits are the latest that are not after it.

    The reader raises `UnreadableRosterDateError`.
    """

    @lru_cache(maxsize=65536)
    def read(text: str) -> date | None:
        if text.casefold() in _BLANK:
            return None
        day = _by_format(text, stated) if stated is not None else _by_itself(text, order, today)
        if day > today:
            raise UnreadableRosterDateError("after today")
        return day

    return read


def _by_format(text: str, form: str) -> date:
    for candidate in (text, _without_time(text)):
        try:
            return datetime.strptime(candidate, form).date()  # noqa: DTZ007 - a date of birth has no zone
        except ValueError:
            continue
    raise UnreadableRosterDateError("not in the stated format")


def _by_itself(text: str, order: DateOrder | None, today: date) -> date:
    text = _without_time(text)
    if found := _YEAR_FIRST.fullmatch(text):
        return _day(int(found[1]), int(found[3]), int(found[4]))
    if found := _COMPACT.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(text):
        first, second = int(found[1]), int(found[3])
        month, day = (second, first) if order is DateOrder.DAY_FIRST else (first, second)
        return _day(_year(found[4], month, day, today), month, day)
    for form in _SPELLED:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date of birth has no zone
        except ValueError:
            continue
    raise UnreadableRosterDateError("no date")


def _year(digits: str, month: int, day: int, today: date) -> int:
    if len(digits) == 4:
        return int(digits)
    century = today.year // 100 * 100
    later, earlier = century + int(digits), century - 100 + int(digits)
    if (later, month, day) > (today.year, today.month, today.day):
        return earlier
    if today.year - earlier <= _OLDEST_YEARS:
        raise UnreadableRosterDateError("a child's or a very old person's")
    return later


def _day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise UnreadableRosterDateError("a day that does not exist") from None


def _without_time(text: str) -> str:
    return _TIME.sub("", text)
