"""The pictures of the day as figures to draw: bars by hour, and how a template did over two weeks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from store.day_drift import DayRate
from store.day_figures import Figures

KINDS: Final = ("automatic", "reviewed", "waiting", "failed")
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 8.0, 12.0, 26.0
_STEPS: Final = (1, 2, 5)
_LINES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One part of a column, in the units of the drawing."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Words at a place: a tick of an axis."""

    words: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HourChart:
    """Records by hour, stacked.

    Attributes:
        sentence: What the picture shows, for whom does not see it.
        rows: The same as a table: hour and figures.
    """

    width: float
    height: float
    bars: tuple[Bar, ...]
    lines: tuple[Mark, ...]
    hours: tuple[Mark, ...]
    sentence: str
    rows: tuple[tuple[str, Figures], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChart:
    """The automatic share of a template by day.

    Attributes:
        line: Points of the line, as SVG writes them.
        last: The newest day.
        is_low: The newest day is below the limit.
        limit: Height of the limit with its words; None while too little is known.
    """

    width: float
    height: float
    line: str
    last: Mark
    is_low: bool
    limit: Mark | None
    top: Mark
    sentence: str
    rows: tuple[DayRate, ...]


def hour_chart(hours: Mapping[int, Figures], *, width: float = 800, height: float = 230) -> HourChart | None:
    """The chart of one day; None without records. Hours between the first and the last are drawn, empty ones too."""
    told = {hour: figures for hour, figures in hours.items() if figures.records}
    if not told:
        return None
    shown = range(max(0, min(min(told), max(told) - 5)), max(told) + 1)
    most = _round_up(max(figures.records for figures in told.values()))
    room, floor = width - _LEFT - _RIGHT, height - _BOTTOM
    scale, slot = (floor - _TOP) / most, room / len(shown)
    bars: list[Bar] = []
    for place, hour in enumerate(shown):
        bars += _column(told.get(hour, Figures()), _LEFT + place * slot + slot * 0.22, slot * 0.56, floor, scale)
    step = most // _LINES if most >= _LINES and most % _LINES == 0 else most
    return HourChart(
        width=width,
        height=height,
        bars=tuple(bars),
        lines=tuple(Mark(words=f"{count:,}", x=_LEFT, y=floor - count * scale) for count in range(0, most + 1, step)),
        hours=tuple(
            Mark(words=f"{hour:02}:00", x=_LEFT + (place + 0.5) * slot, y=height - 8)
            for place, hour in enumerate(shown)
            if len(shown) <= 14 or place % 2 == 0
        ),
        sentence=_told(told),
        rows=tuple((f"{hour:02}:00", told[hour]) for hour in sorted(told)),
    )


def rate_chart(
    rates: Sequence[DayRate], limit: float | None, *, day_words: str, width: float = 520, height: float = 110
) -> RateChart | None:
    """The chart of a template's last two weeks; None with fewer than two days.

    Args:
        day_words: The newest day, for people.
    """
    if len(rates) < 2:
        return None
    low = min([one.share for one in rates] + ([] if limit is None else [limit]))
    high, low = max(one.share for one in rates), max(0.0, low - 0.03)
    span = max(high - low, 0.05)
    first, days = rates[0].day, max((rates[-1].day - rates[0].day).days, 1)
    left, right, top, bottom = 48.0, 14.0, 12.0, 18.0

    def across(day: date) -> float:
        return left + (day - first).days / days * (width - left - right)

    def up(share: float) -> float:
        return height - bottom - (share - low) / span * (height - top - bottom)

    newest = rates[-1]
    return RateChart(
        width=width,
        height=height,
        line=" ".join(f"{across(one.day):.1f},{up(one.share):.1f}" for one in rates),
        last=Mark(words=f"{day_words} {newest.share:.0%}", x=across(newest.day), y=up(newest.share)),
        is_low=limit is not None and newest.share < limit,
        limit=None if limit is None else Mark(words=f"{limit:.0%}", x=left, y=up(limit)),
        top=Mark(words=f"{high:.0%}", x=left, y=up(high)),
        sentence=f"Records that needed no person: {rates[0].share:.0%} on the first of {len(rates)} days shown, "
        f"{newest.share:.0%} on the last"
        + ("." if limit is None else f". Below {limit:.0%} a day is out of its usual range."),
        rows=tuple(rates),
    )


def _column(figures: Figures, x: float, width: float, floor: float, scale: float) -> list[Bar]:
    bars, y = [], floor
    for kind in KINDS:
        count = getattr(figures, kind)
        if count:
            # Hairlines of paper between the parts, and nothing so thin that nobody sees it.
            tall = max(count * scale, 2.0)
            y -= tall
            bars.append(Bar(kind=kind, x=x, y=y, width=width, height=max(tall - 1, 1.5)))
    return bars


def _round_up(count: int) -> int:
    """The least of 4, 8, 20, 40, 80, 200 … that is not smaller: four lines with round numbers."""
    power = 1
    while True:
        for step in _STEPS:
            if _LINES * step * power >= count:
                return _LINES * step * power
        power *= 10


def _told(told: Mapping[int, Figures]) -> str:
    total = sum(told.values(), Figures())
    busiest = max(told, key=lambda hour: told[hour].records)
    return (
        f"{total.records:,} records between {min(told):02}:00 and {max(told):02}:59: {total.automatic:,} automatic, "
        f"{total.reviewed:,} decided by a person, {total.waiting:,} waiting, {total.failed:,} failed. "
        f"Most came at {busiest:02}:00: {told[busiest].records:,}."
    )
