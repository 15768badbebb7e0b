"""Where the displayed part of a page lies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where the displayed part of a page lies, as pdfplumber measures it: from the media box, y downwards, in points.

    Attributes:
        left: Left edge of the media box.
        upper: Upper edge of the media box.
        height: Height of the media box.
        crop: `(left, upper, right, lower)` of what is displayed.
    """

    left: float
    upper: float
    height: float
    crop: tuple[float, float, float, float]

    @property
    def width_displayed(self) -> float:
        """Width of what is displayed."""
        return self.crop[2] - self.crop[0]

    @property
    def height_displayed(self) -> float:
        """Height of what is displayed."""
        return self.crop[3] - self.crop[1]
