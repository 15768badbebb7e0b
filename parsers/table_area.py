"""Where the second reader looks for a table that the first one found."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from parsers.areas import TableArea
from parsers.columns import Borders
from parsers.header import Header
from parsers.zones import Zone
from records.document import Page
from records.geometry import Region


def _enclosed(page: Page, header: Header, rows: Sequence[Region]) -> bool:
    """Whether printed lines stand on both sides of every row: else a ruled reading finds no cells there."""
    box = header.region
    upright = [r.region for r in page.rules if not r.is_horizontal and r.region.bottom > box.bottom]
    sides = [r for r in upright if r.x0 <= box.x0], [r for r in upright if r.x0 >= box.x1]
    return all(any(r.top <= row.center[1] <= r.bottom for r in side) for row in rows for side in sides)


def _each_ruled(page: Page, header: Header, rows: Sequence[Region]) -> bool:
    """Whether a printed line stands between any two rows: else a ruled reading joins them to one cell."""
    box = header.region
    flat = [r.region.top for r in page.rules if r.is_horizontal and r.region.x0 < box.x1 and r.region.x1 > box.x0]
    return all(any(upper.center[1] < y < lower.center[1] for y in flat) for upper, lower in itertools.pairwise(rows))


def area_of(
    page: Page, header: Header, borders: Borders, rows: Sequence[Region], *, zone: Zone | None = None
) -> TableArea:
    """Where the second reader looks for this table: with the lines around it, where there are some, and little more."""
    ruled = borders.ruled and _enclosed(page, header, rows) and _each_ruled(page, header, rows)
    top = min(header.top, rows[0].top) if header.region.page == page.number else rows[0].top
    box = Region(
        page.number,
        min(header.region.x0, *(row.x0 for row in rows)),
        top,
        max(header.region.x1, *(row.x1 for row in rows)),
        max(row.bottom for row in rows),
    )
    frame = _frame(page, box) if ruled else box
    left, right = (zone.body.x0, zone.body.x1) if zone is not None else (0.0, page.width)
    slack = 3.0
    x0, x1 = max(left, frame.x0 - slack), min(right, frame.x1 + slack)
    region = Region(page.number, x0, max(0, frame.top - slack), max(x0, x1), min(page.height, frame.bottom + slack))
    return TableArea(region=region, separators=borders.xs[1:-1], ruled=ruled)


def _frame(page: Page, box: Region) -> Region:
    """The printed lines nearest around a box; its own edge where there is none within reach."""
    reach = 40.0  # points: a cell's padding, or the blank part of a tall one
    flat = [r.region for r in page.rules if r.is_horizontal and r.region.x0 < box.x1 and r.region.x1 > box.x0]
    upright = [r.region for r in page.rules if not r.is_horizontal and r.region.top < box.bottom > box.top]
    upright = [r for r in upright if r.bottom > box.top]
    top = max([r.top for r in flat if box.top - reach < r.top <= box.top + 1], default=box.top)
    bottom = min([r.top for r in flat if box.bottom - 1 <= r.top < box.bottom + reach], default=box.bottom)
    # Headings over several columns, a row of totals: where the lines on both sides go on, the box does. Were they to
    # leave the area at its edge, the second reader would take that edge for a line.
    sides = [r for r in upright if r.x0 <= box.x0 + 1 or r.x0 >= box.x1 - 1]
    above = [r.top for r in sides if top - reach < r.top < top - 1 and any(abs(f.top - r.top) <= 1 for f in flat)]
    below = [
        r.bottom
        for r in sides
        if bottom + 1 < r.bottom < bottom + reach and any(abs(f.top - r.bottom) <= 1 for f in flat)
    ]
    return Region(
        page.number,
        max([r.x0 for r in upright if box.x0 - reach < r.x0 <= box.x0 + 1], default=box.x0),
        min([top, *above]),
        min([r.x0 for r in upright if box.x1 - 1 <= r.x0 < box.x1 + 4 * reach], default=box.x1),
        max([bottom, *below]),
    )
