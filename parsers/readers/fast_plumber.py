"""pdfplumber's reading, fed by playa where an independent decoder confirms every character of the page.

pdfplumber's own word builder and edges are used, only the glyphs come from elsewhere: interpreting a page with pdfminer
and describing each glyph in a dictionary of eighteen entries is nine tenths of what pdfplumber costs.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import pdfplumber
from playa.miner import LTChar, LTCurve, LTLine, LTRect
from pdfplumber.utils.geometry import curve_to_edges, line_to_edge, rect_to_edges

from parsers.readers import plumber
from parsers.readers.pdfium import visible
from parsers.readers.text_layer import Frame, Marks, TextLayer
from records.document import Document, Page, ReaderName
from records.errors import UnreadableDocumentError


def read(content: bytes, layer: TextLayer, decoded: Document) -> Document:
    """Words and straight lines of every page, as `parsers.readers.plumber.read` gives them.

    A page is fed by playa only if `is_confirmed`; any other is read by pdfplumber itself.

    Args:
        content: The file.
        layer: Its text layer.
        decoded: The reading of `parsers.readers.pdfium`.

    Raises:
        UnreadableDocumentError: pdfplumber cannot open the file, sees other pages than pdfium does, or cannot read a
            page that it has to read.
    """
    try:
        with pdfplumber.open(io.BytesIO(content)) as pdf:
            if len(pdf.pages) != len(decoded.pages):
                raise plumber.damaged()
            pages = tuple(
                _fed(layer, seen) or plumber.page_of(page) for page, seen in zip(pdf.pages, decoded.pages, strict=True)
            )
    except plumber.UNREADABLE:
        raise plumber.damaged() from None
    return Document(reader=ReaderName.PDFPLUMBER, pages=pages)


def _fed(layer: TextLayer, decoded: Page) -> Page | None:
    try:
        marks = layer.marks(decoded.number)
    except UnreadableDocumentError:
        return None
    return fed_page(marks, decoded.number) if is_confirmed(marks, decoded) else None


def is_confirmed(marks: Marks, decoded: Page) -> bool:
    """Whether playa's glyphs may stand for pdfminer's.

    They may if every glyph has a character and stands for itself, no font runs downwards, and pdfium, which shares no
    code with playa, decodes the same characters, each as often. Both libraries then also see the same forms and the
    same pages; boxes are computed from one formula in playa and pdfminer.
    """
    if any(glyph.size != glyph.height for glyph in marks.glyphs):
        return False
    return Counter(visible("".join([glyph.get_text() for glyph in marks.glyphs]))) == Counter(decoded.characters)


def fed_page(marks: Marks, number: int) -> Page:
    """The page as pdfplumber would give it, with these glyphs and curves."""
    frame = marks.frame
    glyphs = [_character(glyph, frame) for glyph in marks.glyphs]
    edges = [edge for curve in marks.curves for edge in _edges(curve, frame)]
    return plumber.drawn_page(number, plumber.words_of(glyphs), edges, crop=frame.crop)


def _character(glyph: LTChar, frame: Frame) -> dict[str, Any]:
    top = (frame.height - glyph.y1) + frame.upper
    return {
        "text": glyph.get_text(),
        "x0": glyph.x0 + frame.left,
        "x1": glyph.x1 + frame.left,
        "top": top,
        "doctop": top,
        "bottom": (frame.height - glyph.y0) + frame.upper,
        "upright": glyph.upright,
        "size": glyph.size,
    }


def _edges(curve: LTCurve, frame: Frame) -> list[dict[str, Any]]:
    top = (frame.height - curve.y1) + frame.upper
    shape: dict[str, Any] = {
        "x0": curve.x0 + frame.left,
        "x1": curve.x1 + frame.left,
        "y0": curve.y0,
        "y1": curve.y1,
        "top": top,
        "doctop": top,
        "bottom": (frame.height - curve.y0) + frame.upper,
        "width": curve.width,
        "height": curve.height,
    }
    if isinstance(curve, LTLine):
        return [line_to_edge(shape)]
    if isinstance(curve, LTRect):
        return list(rect_to_edges(shape))
    shape["pts"] = [(frame.left + x, frame.upper + frame.height - y) for x, y in curve.pts]
    return list(curve_to_edges(shape))
