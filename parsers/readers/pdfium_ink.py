"""pdfium: text that is in the file and that nobody sees on paper."""

from __future__ import annotations

import ctypes
from enum import Enum

import pypdfium2
import pypdfium2.raw as pdfium_c

from parsers.readers.pdfium_glyphs import called

_FAINT = 10  # of 255: ink this near to nothing, or to white, is not seen on paper

_RENDER_MODE = called(pdfium_c.FPDFTextObj_GetTextRenderMode, ctypes.c_int, ctypes.c_void_p)
_FILL_COLOR = called(pdfium_c.FPDFPageObj_GetFillColor, ctypes.c_int, ctypes.c_void_p, *(ctypes.c_void_p,) * 4)


class Unseen:
    """Which glyphs of a page nobody sees."""

    def __init__(self, page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage) -> None:
        self._page = page
        self._text = text
        self._inks: dict[int, Ink] = {}
        self._backgrounds: list[tuple[float, float, float, float]] | None = None

    def hides(self, number: int, x: float, y: float) -> bool:
        """Whether the glyph, whose middle stands at `x`, `y` in PDF user space, cannot be seen."""
        drawn = pdfium_c.FPDFText_GetTextObject(self._text, number)
        if not drawn:
            return False
        address = ctypes.cast(drawn, ctypes.c_void_p).value or 0
        if address not in self._inks:
            self._inks[address] = ink_of(drawn)
        ink = self._inks[address]
        return ink is Ink.NONE or (ink is Ink.WHITE and not self._stands_on_something(x, y))

    def _stands_on_something(self, x: float, y: float) -> bool:
        if self._backgrounds is None:
            self._backgrounds = _filled_boxes(self._page)
        return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in self._backgrounds)


class Ink(Enum):
    """How a piece of text is drawn."""

    SEEN = "seen"
    WHITE = "white"
    NONE = "none"


def ink_of(drawn: object) -> Ink:
    """How a text object of pdfium's is drawn."""
    mode = _RENDER_MODE(drawn)
    if mode in (pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP):
        return Ink.NONE
    if mode not in (pdfium_c.FPDF_TEXTRENDERMODE_FILL, pdfium_c.FPDF_TEXTRENDERMODE_FILL_CLIP):
        return Ink.SEEN
    color = (ctypes.c_uint * 4)()
    first = ctypes.addressof(color)
    if not _FILL_COLOR(drawn, first, first + 4, first + 8, first + 12):
        return Ink.SEEN
    red, green, blue, alpha = color
    if alpha < _FAINT:
        return Ink.NONE
    return Ink.WHITE if min(red, green, blue) > 255 - _FAINT else Ink.SEEN


def _filled_boxes(page: pypdfium2.PdfPage) -> list[tuple[float, float, float, float]]:
    """Boxes of everything that may lie under white type: pictures, coloured areas, forms of further objects."""
    return bounds(
        page,
        {
            pdfium_c.FPDF_PAGEOBJ_PATH,
            pdfium_c.FPDF_PAGEOBJ_IMAGE,
            pdfium_c.FPDF_PAGEOBJ_SHADING,
            pdfium_c.FPDF_PAGEOBJ_FORM,
        },
    )


def bounds(page: pypdfium2.PdfPage, kinds: set[int]) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right, top of the page's objects of these kinds; of lines and areas only those with colour."""
    boxes: list[tuple[float, float, float, float]] = []
    for number in range(pdfium_c.FPDFPage_CountObjects(page)):
        drawn = pdfium_c.FPDFPage_GetObject(page, number)
        kind = pdfium_c.FPDFPageObj_GetType(drawn)
        if kind not in kinds or (kind == pdfium_c.FPDF_PAGEOBJ_PATH and not _is_coloured(drawn)):
            continue
        edges = [ctypes.c_float() for _ in range(4)]
        if pdfium_c.FPDFPageObj_GetBounds(drawn, *edges):
            x0, y0, x1, y1 = (edge.value for edge in edges)
            boxes.append((x0, y0, x1, y1))
    return boxes


def _is_coloured(path: object) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    color = [ctypes.c_uint() for _ in range(4)]
    filled = pdfium_c.FPDFPath_GetDrawMode(path, fill, stroke) and fill.value != pdfium_c.FPDF_FILLMODE_NONE
    if not filled or not pdfium_c.FPDFPageObj_GetFillColor(path, *color):
        return False
    red, green, blue, alpha = (part.value for part in color)
    return alpha >= _FAINT and min(red, green, blue) <= 255 - _FAINT
