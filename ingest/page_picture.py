"""A page with what a template found on it drawn over it, for the author of the template."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw, ImageFont

from parsers.explanation import Explanation
from parsers.template_parts import Field
from records.geometry import Region
from records.report import Cell, ExtractedRow

DOTS_PER_INCH = 110

# Each kind has a line of its own besides its colour: the picture can be read without telling colours apart.
_WORD = (150, 150, 150)  # dotted
_RECORD = (0, 110, 60)  # thick, with its number
_FIELD = (40, 90, 200)  # thin, named in the first record
_COLUMN = (190, 105, 0)  # dashed
_UNCLAIMED = (200, 0, 0)  # thick and crossed out
_SCALE = DOTS_PER_INCH / 72
_LEGEND_HEIGHT = 34
_FONT = ImageFont.load_default(size=11)


def drawn_over(page_png: bytes, explanation: Explanation, *, page: int) -> bytes:
    """The page as PNG with a legend below: words, fields, records, column borders, and what nothing claims.

    Args:
        page_png: The page drawn with `DOTS_PER_INCH`.
        explanation: What the template found.
        page: Page number from 1.
    """
    with Image.open(io.BytesIO(page_png)) as drawn:
        picture = Image.new("RGB", (drawn.width, drawn.height + _LEGEND_HEIGHT), (255, 255, 255))
        picture.paste(drawn.convert("RGB"))
        height = drawn.height
    pen = _Pen(picture)
    for shown in explanation.document.pages if explanation.document else ():
        if shown.number == page:
            for word in shown.words:
                pen.dotted(_box(word.region))
    _columns(pen, explanation, page)
    _records(pen, explanation, page)
    for finding in explanation.report.findings:
        if finding.region is not None and finding.region.page == page:
            pen.crossed(_box(finding.region, around=1.5))
    _legend(pen, top=height)
    out = io.BytesIO()
    picture.save(out, format="PNG")
    return out.getvalue()


def _columns(pen: _Pen, explanation: Explanation, page: int) -> None:
    for area in explanation.areas:
        if area.region.page == page:
            for x in area.separators:
                pen.dashed(x * _SCALE, area.region.top * _SCALE, area.region.bottom * _SCALE)


def _records(pen: _Pen, explanation: Explanation, page: int) -> None:
    tags: dict[str, Region] = {}
    numbers: dict[Region, list[int]] = {}
    for number, row in enumerate(explanation.report.rows, start=1):
        if row.page != page or row.region is None:
            continue
        for name, cell in _cells(row):
            if cell.region is not None and cell.region.page == page:
                pen.box(_box(cell.region), _FIELD, width=1)
                tags.setdefault(name, cell.region)
        pen.box(_box(row.region, around=1.5), _RECORD, width=2)
        numbers.setdefault(row.region, []).append(number)
    pages = explanation.document.pages if explanation.document else ()
    taken = [_box(word.region) for shown in pages if shown.number == page for word in shown.words]
    for region, found in numbers.items():
        left, top, _, _ = _box(region, around=1.5)
        text = "-".join(str(number) for number in dict.fromkeys((found[0], found[-1])))
        taken.append(pen.tag([(max(left - 10 - 7 * len(text), 0), top)], text, _RECORD, taken))
    for name, region in tags.items():
        x0, y0, x1, y1 = _box(region)
        places = [(x0, y0 - 16), (x1 + 6, y0), (x0, y1 + 4), (x1 + 6, y0 - 10)]
        taken.append(pen.tag(places, name, _FIELD, taken))


def _cells(row: ExtractedRow) -> Iterator[tuple[str, Cell]]:
    for name, cell in row.cells:
        # Of several score columns each says whose total it holds.
        yield (f"{name} {row.instrument}" if row.instrument and name in (Field.TOTAL, Field.RESULT) else name), cell
    for item in row.items or ():
        yield f"item {item.link_id}", item.points


def _legend(pen: _Pen, *, top: int) -> None:
    x, y = 12.0, top + 8.0
    for draw, text in (
        (pen.dotted, "word"),
        (lambda box: pen.box(box, _FIELD, width=1), "field, named where first found"),
        (lambda box: pen.box(box, _RECORD, width=2), "record, with its number"),
        (lambda box: pen.dashed((box[0] + box[2]) / 2, box[1], box[3]), "border between columns"),
        (pen.crossed, "nothing claims it, or it is wrong"),
    ):
        draw((x, y, x + 22, y + 14))
        x = pen.text((x + 28, y), text) + 18


class _Pen:
    """Draws the kinds of lines."""

    def __init__(self, picture: Image.Image) -> None:
        self._draw = ImageDraw.Draw(picture)

    def box(self, box: Sequence[float], color: tuple[int, int, int], *, width: int) -> None:
        x0, y0, x1, y1 = box
        self._draw.rectangle((x0, y0, x1, y1), outline=color, width=width)

    def dotted(self, box: Sequence[float]) -> None:
        x0, y0, x1, y1 = (round(edge) for edge in box)
        dots = [(x, y) for x in range(x0, x1, 3) for y in (y0, y1)]
        dots += [(x, y) for y in range(y0, y1, 3) for x in (x0, x1)]
        self._draw.point([value for dot in dots for value in dot], fill=_WORD)

    def dashed(self, x: float, top: float, bottom: float) -> None:
        for y in range(round(top), round(bottom), 9):
            self._draw.line((x, y, x, min(y + 5, bottom)), fill=_COLUMN, width=2)

    def crossed(self, box: Sequence[float]) -> None:
        x0, y0, x1, y1 = box
        self.box(box, _UNCLAIMED, width=3)
        self._draw.line((x0, y1, x1, y0), fill=_UNCLAIMED, width=2)

    def tag(
        self,
        places: Sequence[tuple[float, float]],
        text: str,
        color: tuple[int, int, int],
        taken: Sequence[tuple[float, float, float, float]],
    ) -> tuple[float, float, float, float]:
        """Small type on its own ground at the first place that is free, else the first; the box it takes."""
        boxes = [self._draw.textbbox(at, text, font=_FONT) for at in places]
        at, box = next(
            ((at, box) for at, box in zip(places, boxes, strict=True) if not any(_meet(box, other) for other in taken)),
            (places[0], boxes[0]),
        )
        x0, y0, x1, y1 = box
        self._draw.rectangle((x0 - 2, y0 - 1, x1 + 2, y1 + 1), fill=(255, 255, 255), outline=color)
        self._draw.text(at, text, fill=color, font=_FONT)
        return x0, y0, x1, y1

    def text(self, at: tuple[float, float], text: str) -> float:
        """Plain type; where it ends."""
        self._draw.text(at, text, fill=(0, 0, 0), font=_FONT)
        return at[0] + self._draw.textlength(text, font=_FONT)


def _meet(one: Sequence[float], other: Sequence[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _box(region: Region, *, around: float = 0.0) -> tuple[float, float, float, float]:
    return (
        (region.x0 - around) * _SCALE,
        (region.top - around) * _SCALE,
        (region.x1 + around) * _SCALE,
        (region.bottom + around) * _SCALE,
    )
