"""A page with what a template found on it drawn over it, for the author of the template."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw

from parsers.explanation import Explanation
from records.geometry import Region

DOTS_PER_INCH = 110

_WORD = (170, 170, 170)
_RECORD = (0, 110, 60)
_FIELD = (40, 90, 200)
_COLUMN = (230, 140, 0)
_UNCLAIMED = (210, 0, 0)


def drawn_over(page_png: bytes, explanation: Explanation, *, page: int) -> bytes:
    """The page as PNG: words grey, fields blue, records green, column borders orange, unclaimed words red.

    Args:
        page_png: The page drawn with `DOTS_PER_INCH`.
        explanation: What the template found.
        page: Page number from 1.
    """
    with Image.open(io.BytesIO(page_png)) as drawn:
        picture = drawn.convert("RGB")
    pen = ImageDraw.Draw(picture)
    scale = DOTS_PER_INCH / 72
    for shown in explanation.document.pages if explanation.document else ():
        if shown.number == page:
            for word in shown.words:
                pen.rectangle(_box(word.region, scale), outline=_WORD)
    for area in explanation.areas:
        if area.region.page == page:
            for x in area.separators:
                pen.line((x * scale, area.region.top * scale, x * scale, area.region.bottom * scale), fill=_COLUMN)
    for row in explanation.report.rows:
        if row.page != page or row.region is None:
            continue
        cells = [cell for _, cell in row.cells] + [item.points for item in row.items or ()]
        for region in (cell.region for cell in cells if cell.region is not None and cell.region.page == page):
            pen.rectangle(_box(region, scale), outline=_FIELD)
        pen.rectangle(_box(row.region, scale, around=1.5), outline=_RECORD, width=2)
    for finding in explanation.report.findings:
        if finding.region is not None and finding.region.page == page:
            pen.rectangle(_box(finding.region, scale, around=1.5), outline=_UNCLAIMED, width=3)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return out.getvalue()


def _box(region: Region, scale: float, *, around: float = 0.0) -> tuple[float, float, float, float]:
    return (
        (region.x0 - around) * scale,
        (region.top - around) * scale,
        (region.x1 + around) * scale,
        (region.bottom + around) * scale,
    )
