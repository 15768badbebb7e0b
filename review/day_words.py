"""The day in words: how long, how a source is, where a record is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from store.day_sources import SourceDay, SourceState
from store.places import Place

PLACE_WORDS: Final = {
    Place.SENT: "Delivered",
    Place.REJECTED: "Rejected",
    Place.DUPLICATE: "Known already",
    Place.REVIEW: "In review",
    Place.PENDING: "To be sent",
    Place.SENDING: "Being sent",
    Place.HELD: "Held",
    Place.UNKNOWN: "Answer lost, being looked up",
    Place.DEAD: "Refused",
    Place.SHADOW: "Shadow mode",
}
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_TONES: Final = {
    SourceState.MISSING: "bad",
    SourceState.UNREADABLE: "bad",
    SourceState.LAYOUT_HELD: "warn",
    SourceState.NEEDS_A_LOOK: "warn",
    SourceState.HEALTHY: "good",
}
_WORDS: Final = {
    SourceState.LAYOUT_HELD: "Layout changed",
    SourceState.NEEDS_A_LOOK: "Needs a look",
    SourceState.READING: "Reading",
    SourceState.HEALTHY: "Healthy",
}


def long_day(day: date) -> str:
    """ "Friday 20 November 2026"."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def day_before(day: date) -> str:
    """The ISO day before."""
    return (day - timedelta(days=1)).isoformat()


def state_words(one: SourceDay, *, is_today: bool) -> tuple[str, str]:
    """How a source is, and its tone: "good", "warn", "bad" or "" for neither."""
    by = f"{one.source.expected_by:%H:%M}" if one.source.expected_by else ""
    match one.state:
        case SourceState.MISSING:
            words = f"No report yet, expected by {by}" if is_today else "No report came"
        case SourceState.UNREADABLE:
            words = f"{one.unreadable} {'report' if one.unreadable == 1 else 'reports'} unreadable"
        case SourceState.EXPECTED:
            words = f"Expected by {by}"
        case SourceState.NOTHING:
            words = "Not expected today" if by and is_today else "Not expected" if by else "Nothing came"
        case _:
            words = _WORDS[one.state]
    return words, _TONES.get(one.state, "")


def span(seconds: float) -> str:
    """ "48 s", "12 min", "3 h 5 min", "2 days"."""
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{minutes // (24 * 60)} days"


def age(since: datetime, now: datetime) -> str:
    """How long ago a moment was."""
    return span(max(now - since, timedelta()).total_seconds())


def share(part: float) -> str:
    """A share in percent with one digit; never 0 % or 100 % for what is not quite."""
    if 0 < part < 0.0005:
        return "under 0.1%"
    if 0.9995 <= part < 1:
        return "over 99.9%"
    return f"{part:.1%}".replace(".0%", "%")
