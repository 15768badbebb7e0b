"""Where something stands on a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """A box on the page as it is displayed: rotation applied, origin top left, in points (1/72 inch).

    Attributes:
        page: Page number, from 1.
        x0: Left edge.
        top: Upper edge, from the top of the page downwards.
        x1: Right edge, `x0 <= x1`.
        bottom: Lower edge, `top <= bottom`.
    """

    page: int
    x0: float
    top: float
    x1: float
    bottom: float

    def __post_init__(self) -> None:
        if self.page < 1 or self.x0 > self.x1 or self.top > self.bottom:
            raise ValueError(f"no box on page {self.page}")

    @property
    def center(self) -> tuple[float, float]:
        """The middle of the box, `(x, y)`."""
        return (self.x0 + self.x1) / 2, (self.top + self.bottom) / 2

    @property
    def box(self) -> tuple[float, float, float, float]:
        """`(x0, top, x1, bottom)`, in hundredths of a point."""
        return round(self.x0, 2), round(self.top, 2), round(self.x1, 2), round(self.bottom, 2)

    def holds(self, x: float, y: float, *, slack: float = 0.0) -> bool:
        """Whether the point lies in the box, or at most `slack` points outside it."""
        return self.x0 - slack <= x <= self.x1 + slack and self.top - slack <= y <= self.bottom + slack

    def overlaps(self, other: Region) -> bool:
        """Whether both boxes share an area on the same page."""
        return (
            self.page == other.page
            and min(self.x1, other.x1) > max(self.x0, other.x0)
            and min(self.bottom, other.bottom) > max(self.top, other.top)
        )


def around(regions: list[Region] | tuple[Region, ...]) -> Region:
    """The smallest box around boxes of one page.

    Raises:
        ValueError: `regions` is empty or spans pages.
    """
    if len(regions) == 1:
        return regions[0]
    if len({region.page for region in regions}) != 1:
        raise ValueError("boxes of one page are needed")
    return Region(
        regions[0].page,
        min([region.x0 for region in regions]),
        min([region.top for region in regions]),
        max([region.x1 for region in regions]),
        max([region.bottom for region in regions]),
    )
