"""Which part of a page belongs to which table: below its header, down to the next one, between its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parsers.columns import Borders, widest_gutter
from parsers.header import Header
from records.document import Page, Word
from records.geometry import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """The place of one table on a page.

    Attributes:
        header: Its header, which may stand on an earlier page.
        body: Where its rows may stand.
        borders: Its columns, where an earlier page has settled them; else None.
    """

    header: Header
    body: Region
    borders: Borders | None = None

    @property
    def beside(self) -> bool:
        """Whether it may have a neighbour beside it."""
        return self.body.x0 > 0


def zones_of(page: Page, headers: Sequence[Header], stops: Sequence[Header], words: Sequence[Word]) -> tuple[Zone, ...]:
    """A zone per header: column by column of the page, each from top to bottom.

    Args:
        page: The page.
        headers: Headers of one table, as often as it is printed on the page.
        stops: Headers of all tables of the page; a table ends where another one begins below it.
        words: What is left of the page, to see where tables beside each other are apart.
    """
    zones: list[Zone] = []
    for header in headers:
        left, right = _sides(page, header, headers, words)
        below = [
            stop.top
            for stop in stops
            if stop is not header
            and stop.top > header.region.bottom - 1
            and stop.region.x1 > left
            and stop.region.x0 < right
        ]
        top = min(header.region.bottom, page.height)
        bottom = max(top, min(below, default=page.height) - 0.1)
        zones.append(Zone(header=header, body=Region(page.number, left, top, right, bottom)))
    return tuple(sorted(zones, key=lambda zone: (zone.body.x0, zone.body.top)))


def continued(page: Page, zones: Sequence[Zone]) -> tuple[Zone, ...]:
    """The zones of an earlier page, for a page that goes on without a header."""
    whole: list[Zone] = []
    seen: set[float] = set()
    for zone in reversed(zones):
        # Of tables below each other only the last one goes on.
        if zone.body.x0 not in seen:
            seen.add(zone.body.x0)
            body = Region(page.number, zone.body.x0, 0.0, max(zone.body.x0, min(zone.body.x1, page.width)), page.height)
            whole.append(Zone(header=zone.header, body=body, borders=zone.borders))
    return tuple(reversed(whole))


def _sides(page: Page, header: Header, headers: Sequence[Header], words: Sequence[Word]) -> tuple[float, float]:
    """The left and right edge of what belongs to a table, where others of its kind stand beside it."""
    box = header.region
    same_height = [
        other
        for other in headers
        if other is not header and min(other.region.bottom, box.bottom) > max(other.top, box.top)
    ]
    lefts = [other for other in same_height if other.region.x1 <= box.x0 + 1]
    rights = [other for other in same_height if other.region.x0 >= box.x1 - 1]
    left = _between(page, max(lefts, key=lambda o: o.region.x1), header, words) if lefts else 0.0
    right = _between(page, header, min(rights, key=lambda o: o.region.x0), words) if rights else page.width
    return left, max(left, right)


def _between(page: Page, left: Header, right: Header, words: Sequence[Word]) -> float:
    """The x that separates two tables beside each other: the middle of the widest gutter between them."""
    top = min(left.top, right.top)
    low, high = left.cells[-1].region.center[0], right.cells[0].region.center[0]
    upright = [
        rule.region.x0
        for rule in page.rules
        if not rule.is_horizontal and low < rule.region.x0 < high and rule.region.bottom > left.region.bottom
    ]
    gutter = widest_gutter([word for word in words if word.region.center[1] >= top - 1], low, high)
    if gutter is None:
        gutter = (left.region.x1, max(left.region.x1, right.region.x0))
    inside = [x for x in upright if gutter[0] <= x <= gutter[1]]
    return inside[0] if inside else (gutter[0] + gutter[1]) / 2
