"""What a twin draws besides words: rings, ticks and crosses are moved, and no dark area lies under dark type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from parsers.readers.artwork import Color, Lettering, Stroke

_SAME_SIZE = 3.0  # points
_DARK = 110  # of 255


def legible(strokes: Sequence[Stroke], letterings: Sequence[Lettering]) -> tuple[Stroke, ...]:
    """The strokes, dark areas with dark type on them drawn as outlines.

    Borders are often printed as an area with a hole, or as an area of which a clipping path shows the edge; neither
    hole nor clipping is known here.
    """
    dark = [each for each in letterings if _is_dark(each.color)]
    return tuple(
        replace(stroke, fill=None, line=stroke.line or stroke.fill, width=stroke.width or 0.5)
        if stroke.fill is not None and _is_dark(stroke.fill) and _lies_under(stroke, dark)
        else stroke
        for stroke in strokes
    )


def _is_dark(color: Color) -> bool:
    red, green, blue = color
    return 0.3 * red + 0.59 * green + 0.11 * blue < _DARK


def _lies_under(stroke: Stroke, letterings: Sequence[Lettering]) -> bool:
    x0, top, x1, bottom = stroke.box
    return any(
        x0 < each.x + each.length / 2 < x1 and top < each.baseline - each.size / 3 < bottom for each in letterings
    )


def shuffled_marks(strokes: Sequence[Stroke], random: Random) -> tuple[Stroke, ...]:
    """The strokes, each mark on its height but at a drawn one of the places where marks of its size stand."""
    marks = [stroke for stroke in strokes if stroke.is_mark]
    # The two strokes of a cross go together.
    moves: dict[tuple[int, int], float] = {}
    for mark in marks:
        x0, top, _, _ = mark.box
        moves.setdefault((round(x0), round(top)), random.choice(_places(mark, marks)) - x0)
    return tuple(
        _moved(stroke, by=moves[(round(stroke.box[0]), round(stroke.box[1]))]) if stroke.is_mark else stroke
        for stroke in strokes
    )


def _places(mark: Stroke, marks: Sequence[Stroke]) -> list[float]:
    width, height = _size(mark)
    alike = [
        other
        for other in marks
        if abs(_size(other)[0] - width) < _SAME_SIZE and abs(_size(other)[1] - height) < _SAME_SIZE
    ]
    return sorted({other.box[0] for other in alike})


def _size(mark: Stroke) -> tuple[float, float]:
    x0, top, x1, bottom = mark.box
    return x1 - x0, bottom - top


def _moved(mark: Stroke, *, by: float) -> Stroke:
    segments = tuple((kind, tuple((x + by, y) for x, y in points)) for kind, points in mark.segments)
    return replace(mark, segments=segments)
