"""pdfium: small drawn shapes that may mark an answer."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterable, Iterator

import pypdfium2.raw as pdfium_c

from parsers.readers.drawn_marks import RING_CURVES, is_light, is_mark_sized
from records.document import Mark, MarkKind
from records.geometry import Region


def drawn_marks(paths: Iterable[object], placed: Callable[[float, float, float, float], Region]) -> Iterator[Mark]:
    """Small drawn shapes of a page, told apart as `parsers.readers.plumber` does.

    Args:
        paths: The drawn lines and areas of the page.
        placed: From left, bottom, right and top in PDF user space to the page as displayed.
    """
    edges = [ctypes.c_float() for _ in range(4)]
    for path in paths:
        if not pdfium_c.FPDFPageObj_GetBounds(path, *edges):
            continue
        left, bottom, right, top = (edge.value for edge in edges)
        # Most are lines of a table: whatever turn the page has, they are no marks.
        kind = _mark_kind(path) if is_mark_sized(right - left, top - bottom) else None
        if kind is not None:
            yield Mark(kind, placed(left, bottom, right, top))


def _mark_kind(path: object) -> MarkKind | None:
    """Whether a path is a ring, a stroke (open, slanted or filled), or an empty box: None."""
    count = pdfium_c.FPDFPath_CountSegments(path)
    segments = [pdfium_c.FPDFPath_GetPathSegment(path, number) for number in range(min(count, 64))]
    kinds = [pdfium_c.FPDFPathSegment_GetType(segment) for segment in segments]
    points = [_point(segment) for segment in segments]
    curved = kinds.count(pdfium_c.FPDF_SEGMENT_BEZIERTO)
    if curved:
        last = pdfium_c.FPDFPath_GetPathSegment(path, count - 1)  # some draw an ellipse with 32 curves
        closed = bool(pdfium_c.FPDFPathSegment_GetClose(last)) or points[0] == _point(last)
        return MarkKind.RING if closed and curved >= 3 * RING_CURVES else MarkKind.STROKE
    straight = all(abs(xa - xb) <= 1 or abs(ya - yb) <= 1 for (xa, ya), (xb, yb) in itertools.pairwise(points))
    if not straight:
        return MarkKind.STROKE
    return MarkKind.STROKE if len(points) >= 4 and _is_filled(path) else None


def _point(segment: object) -> tuple[float, float]:
    x, y = ctypes.c_float(), ctypes.c_float()
    pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
    return x.value, y.value


def _is_filled(path: object) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    color = [ctypes.c_uint() for _ in range(4)]
    filled = pdfium_c.FPDFPath_GetDrawMode(path, fill, stroke) and fill.value != pdfium_c.FPDF_FILLMODE_NONE
    if not filled or not pdfium_c.FPDFPageObj_GetFillColor(path, *color):
        return False
    return not is_light([part.value / 255 for part in color[:3]])
