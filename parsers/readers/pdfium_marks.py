"""pdfium: small drawn shapes that may mark an answer."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable, Iterator

import pypdfium2
import pypdfium2.raw as pdfium_c

from parsers.readers.drawn_marks import RING_CURVES, is_light, is_mark_sized
from records.document import Mark, MarkKind
from records.geometry import Region


def drawn_marks(page: pypdfium2.PdfPage, placed: Callable[[float, float, float, float], Region]) -> Iterator[Mark]:
    """Small drawn shapes of a page, told apart as `parsers.readers.plumber` does.

    Args:
        page: The page.
        placed: From left, bottom, right and top in PDF user space to the page as displayed.
    """
    edges = [ctypes.c_float() for _ in range(4)]
    for drawn in page.get_objects(filter=(pdfium_c.FPDF_PAGEOBJ_PATH,), max_depth=5):
        if not pdfium_c.FPDFPageObj_GetBounds(drawn.raw, *edges):
            continue
        left, bottom, right, top = (edge.value for edge in edges)
        region = placed(left, bottom, right, top)
        kind = _mark_kind(drawn.raw)
        if kind is not None and is_mark_sized(region.x1 - region.x0, region.bottom - region.top):
            yield Mark(kind, region)


def _mark_kind(path: object) -> MarkKind | None:
    """Whether a path is a ring, a stroke (open, slanted or filled), or an empty box: None."""
    count = pdfium_c.FPDFPath_CountSegments(path)
    segments = [pdfium_c.FPDFPath_GetPathSegment(path, number) for number in range(min(count, 64))]
    kinds = [pdfium_c.FPDFPathSegment_GetType(segment) for segment in segments]
    points = [_point(segment) for segment in segments]
    curved = kinds.count(pdfium_c.FPDF_SEGMENT_BEZIERTO)
    if curved:
        closed = bool(pdfium_c.FPDFPathSegment_GetClose(segments[-1])) or points[0] == points[-1]
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
