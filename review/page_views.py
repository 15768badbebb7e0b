"""A report page with outlines over it, in points: the picture scales, the outlines follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from records.assessment import SymptomAssessment
from records.geometry import Region
from records.picture import DrawnPage

_TALLEST_STRIP: Final = 72  # points; a higher record is read on the page itself
_AROUND: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """One page to be shown.

    Attributes:
        number: Page number, from 1.
        width: In points; the same for `height`.
        rows: Boxes of the records.
        doubts: Boxes of what is not as it must be.
        strip: Box to be shown enlarged above the values, or None if the record is no row.
    """

    number: int
    width: float
    height: float
    rows: tuple[Region, ...]
    doubts: tuple[Region, ...]
    strip: Region | None


def page_view(
    image: DrawnPage, number: int, assessments: Sequence[SymptomAssessment], *, changed: Iterable[Region | None] = ()
) -> PageView:
    """The outlines of records on one page; the strip is that of the only record.

    Args:
        image: The page's picture.
        number: Page number, from 1.
        assessments: The records.
        changed: Where the layout is not as usual; outlined like doubts.
    """
    rows = tuple(a.region for a in assessments if a.region is not None and a.region.page == number)
    doubts = [*changed, *(finding.region for a in assessments for finding in a.findings if finding.blocking)]
    return PageView(
        number=number,
        width=image.width,
        height=image.height,
        rows=rows,
        doubts=tuple(_small(doubts, rows, number)),
        strip=_strip(rows[0], image) if len(rows) == 1 else None,
    )


def _small(regions: Iterable[Region | None], rows: tuple[Region, ...], number: int) -> list[Region]:
    """Boxes on this page that say more than the outline of the row does."""
    here = [region for region in dict.fromkeys(regions) if region is not None and region.page == number]
    return [region for region in here if region not in rows]


def _strip(row: Region, image: DrawnPage) -> Region | None:
    if row.bottom - row.top > _TALLEST_STRIP or row.x1 - row.x0 < 2 * (row.bottom - row.top):
        return None
    return Region(
        row.page,
        max(0.0, row.x0 - _AROUND),
        max(0.0, row.top - _AROUND),
        min(image.width, row.x1 + _AROUND),
        min(image.height, row.bottom + _AROUND),
    )
