"""How a page is drawn: the type of each word, printed lines, coloured areas, marks, and where pictures stand.

Only what a twin may show is kept: no metadata, no attachment, no annotation, no glyph of an embedded font, no picture,
and no drawing that could be writing (signatures, type turned into outlines).
"""

from __future__ import annotations

import io
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pdfplumber
from pdfminer.pdfdocument import PDFPasswordIncorrect
from pdfminer.pdfparser import PDFSyntaxError
from pdfplumber.utils.exceptions import PdfminerException

from records.document import Document, Page, Word
from records.errors import UnreadableDocumentError
from records.geometry import Region

Color = tuple[int, int, int]

# A line is upright or level when its ends differ by less than this many points in one direction.
_STRAIGHT = 0.75
# A mark (a ring around an answer, a tick, a cross) has at most this many segments and points across.
_MARK_SEGMENTS, _MARK_SIZE = 12, 48.0
# More marks than this on a page are no marks: they are a drawing or a signature.
_MOST_MARKS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """One word as it is set.

    Attributes:
        text: What is set.
        x: Where it begins, in points from the left of the displayed page.
        baseline: The line it stands on, in points from the top.
        length: From its beginning to its end along the line it stands on, in points.
        turned: Degrees counter-clockwise; 0 for level type.
        size: Size of the type, in points.
        serif: Whether it looks like Times; neither that nor `mono` looks like Helvetica.
        mono: Whether all letters are equally wide.
        order: When it is set: readers put words together in the order of the file.
    """

    text: str
    x: float
    baseline: float
    length: float
    turned: float = 0.0
    size: float
    serif: bool = False
    mono: bool = False
    bold: bool = False
    italic: bool = False
    color: Color = (0, 0, 0)
    order: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """One drawn path.

    Attributes:
        segments: "m", "l", "c" or "h" with its points, from the top left of the displayed page.
        fill: Colour of its area, or None.
        line: Colour of its outline, or None.
        width: Width of the outline, in points.
        is_mark: Whether it is a small free mark, such as a ring or a tick.
    """

    segments: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]
    fill: Color | None
    line: Color | None
    width: float
    is_mark: bool = False

    @property
    def box(self) -> tuple[float, float, float, float]:
        """`(x0, top, x1, bottom)`."""
        points = [point for _, found in self.segments for point in found]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artwork:
    """One page as it is drawn.

    Attributes:
        letterings: One for each word of the page, in the words' order.
        pictures: Where pictures stand; what they show is not kept.
        left_out: How many drawings were left out because they may be writing.
    """

    number: int
    width: float
    height: float
    letterings: tuple[Lettering, ...]
    strokes: tuple[Stroke, ...]
    pictures: tuple[Region, ...]
    left_out: int = 0


def read(content: bytes, document: Document) -> tuple[Artwork, ...]:
    """How each page is drawn.

    Args:
        content: The file.
        document: Its first reading, whose words are to be set again.

    Raises:
        UnreadableDocumentError: pdfplumber cannot read the file.
    """
    try:
        with pdfplumber.open(io.BytesIO(content)) as pdf:
            return tuple(_artwork(drawn, page) for drawn, page in zip(pdf.pages, document.pages, strict=True))
    except (PdfminerException, PDFSyntaxError, PDFPasswordIncorrect, ValueError, KeyError, TypeError, RecursionError):
        raise UnreadableDocumentError(
            "The file is damaged: its pages cannot be read.", code="damaged", next_step="Print the report again."
        ) from None


def _artwork(drawn: pdfplumber.page.Page, page: Page) -> Artwork:
    left, upper = float(drawn.cropbox[0]), float(drawn.cropbox[1])
    glyphs = [_Glyph.of(char, left, upper, order=number) for number, char in enumerate(drawn.chars)]
    strokes, left_out = _strokes(drawn, left, upper)
    found = Artwork(
        number=page.number,
        width=page.width,
        height=page.height,
        letterings=tuple(_letterings(page.words, glyphs)),
        strokes=tuple(strokes),
        pictures=tuple(
            Region(
                page.number,
                float(image["x0"]) - left,
                float(image["top"]) - upper,
                float(image["x1"]) - left,
                float(image["bottom"]) - upper,
            )
            for image in drawn.images
        ),
        left_out=left_out,
    )
    drawn.close()
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Glyph:
    x: float
    y: float
    baseline: float
    turned: float
    size: float
    font: str
    color: Color
    order: int

    @classmethod
    def of(cls, char: dict[str, object], left: float, upper: float, *, order: int) -> _Glyph:
        x0, x1, top, bottom, y0 = (_number(char[key]) for key in ("x0", "x1", "top", "bottom", "y0"))
        matrix = [_number(part) for part in _parts(char["matrix"])]
        turned = round(math.degrees(math.atan2(matrix[1], matrix[0])), 1)
        level = abs(turned) < 1
        return cls(
            x=(x0 + x1) / 2 - left,
            y=(top + bottom) / 2 - upper,
            baseline=bottom + y0 - matrix[5] - upper,
            turned=0.0 if level else turned,
            size=bottom - top if level or abs(turned % 180 - 90) > 1 else x1 - x0,
            font=str(char["fontname"]),
            color=_color(char.get("non_stroking_color"), str(char.get("ncs") or "")) or (0, 0, 0),
            order=order,
        )


def _letterings(words: Sequence[Word], glyphs: Sequence[_Glyph]) -> list[Lettering]:
    by_height: dict[int, list[_Glyph]] = {}
    for glyph in glyphs:
        by_height.setdefault(int(glyph.y), []).append(glyph)
    return [_lettering(word, _inside(word.region, by_height)) for word in words]


def _inside(region: Region, by_height: dict[int, list[_Glyph]]) -> list[_Glyph]:
    rows = range(int(region.top) - 1, int(region.bottom) + 2)
    return [glyph for row in rows for glyph in by_height.get(row, ()) if region.holds(glyph.x, glyph.y, slack=0.1)]


def _lettering(word: Word, glyphs: Sequence[_Glyph]) -> Lettering:
    box = word.region
    if not glyphs:
        height = box.bottom - box.top
        return Lettering(
            text=word.text, x=box.x0, baseline=box.bottom - 0.2 * height, length=box.x1 - box.x0, size=height
        )
    font, turned, size, color = Counter((g.font, g.turned, round(g.size, 2), g.color) for g in glyphs).most_common(1)[
        0
    ][0]
    name = font.rpartition("+")[2].casefold()
    baseline = min(g.baseline for g in glyphs if g.turned == turned)
    upright = abs(turned % 180 - 90) <= 1
    start = {
        0.0: (box.x0, baseline),
        90.0: (box.x1 - 0.2 * size, box.bottom),
        -90.0: (box.x0 + 0.2 * size, box.top),
        180.0: (box.x1, box.top + 0.2 * size),
    }.get(turned, (box.x0, box.bottom))
    return Lettering(
        text=word.text,
        x=start[0],
        baseline=start[1],
        length=box.bottom - box.top if upright else box.x1 - box.x0,
        turned=turned,
        size=size,
        serif=any(part in name for part in ("times", "serif", "roman", "georgia", "garamond", "cambria", "palatino"))
        and "sans" not in name,
        mono=any(part in name for part in ("courier", "mono", "consol", "typewriter", "lettergothic")),
        bold=any(part in name for part in ("bold", "black", "heavy", "demi")),
        italic=any(part in name for part in ("italic", "oblique")),
        color=color,
        order=min(glyph.order for glyph in glyphs),
    )


def _strokes(page: pdfplumber.page.Page, left: float, upper: float) -> tuple[list[Stroke], int]:
    made = [
        stroke
        for path in (*page.rects, *page.lines, *page.curves)
        if (stroke := _stroke(path, left, upper)) is not None
    ]
    plain = [stroke for stroke in made if _is_ruled(stroke)]
    marks = [stroke for stroke in made if not _is_ruled(stroke) and _could_be_mark(stroke)]
    rounded = [stroke for stroke in made if not _is_ruled(stroke) and _is_rounded_box(stroke)]
    if len(marks) > _MOST_MARKS:
        marks = []
    kept = [*plain, *rounded, *marks]
    # Areas first: where a page fills cells and draws their borders, the borders lie above.
    return sorted(kept, key=lambda stroke: stroke.fill is None), len(made) - len(kept)


def _stroke(path: dict[str, object], left: float, upper: float) -> Stroke | None:
    segments = tuple((kind, tuple((x - left, y - upper) for x, y in points)) for kind, points in _steps(path))
    fill = _color(path.get("non_stroking_color"), "") if path.get("fill") else None
    line = _color(path.get("stroking_color"), "") if path.get("stroke") else None
    if not any(points for _, points in segments) or (fill is None and line is None):
        return None
    free = Stroke(segments=segments, fill=fill, line=line, width=_number(path.get("linewidth") or 0.0))
    if _is_ruled(free) or not _could_be_mark(free):
        return free
    return Stroke(segments=segments, fill=fill, line=line, width=free.width, is_mark=True)


def _is_ruled(stroke: Stroke) -> bool:
    """Whether it is made of level and upright lines: a rule or a box, which writes nothing when it is simple."""
    points = [point for _, found in stroke.segments for point in found]
    straight = all(kind != "c" for kind, _ in stroke.segments) and len(points) <= 6
    pairs = itertools.pairwise(points)
    return straight and all(
        abs(x - u) < _STRAIGHT or abs(y - v) < _STRAIGHT for (x, y), (u, v) in pairs if (x, y) != (u, v)
    )


def _could_be_mark(stroke: Stroke) -> bool:
    x0, top, x1, bottom = stroke.box
    size = max(x1 - x0, bottom - top)
    # A filled shape of several segments may be a letter turned into an outline; a filled dot has four curves.
    curves = sum(kind == "c" for kind, _ in stroke.segments)
    dot = curves in (4, 8) and all(kind in "mch" for kind, _ in stroke.segments)
    simple = len(stroke.segments) <= _MARK_SEGMENTS and size <= _MARK_SIZE
    return simple and (stroke.fill is None or dot)


def _is_rounded_box(stroke: Stroke) -> bool:
    """Whether it is a large box with round corners: writing is not that large."""
    x0, top, x1, bottom = stroke.box
    return min(x1 - x0, bottom - top) > 12 and max(x1 - x0, bottom - top) > 3 * _MARK_SIZE


def _color(value: object, space: str) -> Color | None:
    parts = [_number(part) for part in _parts(value) if isinstance(part, int | float)]
    if len(parts) == 3:
        red, green, blue = parts
    elif len(parts) == 4:
        cyan, magenta, yellow, key = parts
        red, green, blue = ((1 - ink) * (1 - key) for ink in (cyan, magenta, yellow))
    elif len(parts) == 1:
        # A tint of a named ink counts the other way round: 1 is full ink.
        grey = 1 - parts[0] if space in ("Separation", "DeviceN") else parts[0]
        red = green = blue = grey
    else:
        red = green = blue = 0.0  # a pattern
    return _byte(red), _byte(green), _byte(blue)


def _byte(share: float) -> int:
    return round(255 * min(max(share, 0.0), 1.0))


def _parts(value: object) -> Sequence[object]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _steps(path: dict[str, object]) -> Iterator[tuple[str, tuple[tuple[float, float], ...]]]:
    """The steps of a path: "m" to, "l" line to, "c" curve to, "h" close, with their points."""
    for step in _parts(path.get("path") or ()):
        kind, *points = _parts(step)
        pairs = [_parts(point) for point in points]
        yield str(kind), tuple((_number(pair[0]), _number(pair[1])) for pair in pairs)


def _number(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise ValueError("no number where the page needs one")
