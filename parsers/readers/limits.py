"""How much of a document is read before it is refused. A symptom report stays far below all of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """What one document may hold.

    Attributes:
        pages: Pages of a document.
        glyphs_per_page: Characters of a page; a dense report page holds about 2,000.
        objects_per_page: Lines, boxes, text runs and images of a page. Table finding is quadratic in lines,
            so that a page of 20,000 small boxes would take minutes; a ruled report page holds a few hundred.
        picture_dots: Dots of all pictures of a page; a letter page scanned with 600 dots an inch has 34 million.
        page_points: Longest side of a page; the largest sheet of the A series has 3,370. A page is drawn, and a huge
            one would take all memory.
    """

    pages: int = 500
    glyphs_per_page: int = 20_000
    objects_per_page: int = 12_000
    picture_dots: int = 150_000_000
    page_points: float = 5_000.0
