"""pdfplumber's reading, fed by playa where an independent decoder confirms every character of the page.

pdfplumber's own word builder and edges are used; only glyphs and curves come from playa instead of pdfminer, which
takes three times as long to interpret a page.
"""

from __future__ import annotations

import io
import unicodedata
from collections import Counter

import pdfplumber
from playa.miner import LTCurve

from parsers.readers import plumber
from parsers.readers.drawn_marks import is_mark_sized
from parsers.readers.pdfium import visible
from parsers.readers.text_layer import Marks, TextLayer
from records.document import Document, Page, ReaderName
from records.errors import UnreadableDocumentError

_PLAIN_COLORS = frozenset({"DeviceGray", "DeviceRGB", "DeviceCMYK"})


def read(content: bytes, layer: TextLayer, decoded: Document) -> Document:
    """Words and straight lines of every page, as `parsers.readers.plumber.read` gives them.

    A page is fed by playa only if `is_placed` and `is_confirmed`; any other is read by pdfplumber itself.

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
                _fed(layer, seen, page) or plumber.page_of(page)
                for page, seen in zip(pdf.pages, decoded.pages, strict=True)
            )
    except plumber.UNREADABLE:
        raise plumber.damaged() from None
    return Document(reader=ReaderName.PDFPLUMBER, pages=pages)


def _fed(layer: TextLayer, decoded: Page, page: pdfplumber.page.Page) -> Page | None:
    try:
        marks = layer.marks(decoded.number)
    except UnreadableDocumentError:
        return None
    return fed_page(marks, decoded.number) if is_placed(marks, page) and is_confirmed(marks, decoded) else None


def is_placed(marks: Marks, page: pdfplumber.page.Page) -> bool:
    """Whether pdfplumber and playa measure from the same corner: they differ where a media box is given upside down."""
    x0, y0, x1, y1 = page.page_obj.mediabox
    return x0 <= x1 and y0 <= y1 and plumber.frame_of(page) == marks.frame


def is_confirmed(marks: Marks, decoded: Page) -> bool:
    """Whether playa's glyphs may stand for pdfminer's.

    They may if pdfminer treats their fonts and the colours of small shapes alike, every glyph has a character that
    stands for itself, and pdfium, which shares no code with playa, decodes the same characters, each as often. Both
    libraries then see the same forms and the same text; boxes are computed from one formula in playa and pdfminer.
    """
    if not marks.as_pdfminer or any(glyph.size != glyph.height for glyph in marks.glyphs):
        return False
    if any(map(_is_oddly_filled, marks.curves)):
        return False
    text = "".join([glyph.get_text() for glyph in marks.glyphs])
    return _is_plain(text) and Counter(visible(text)) == Counter(decoded.characters)


def _is_oddly_filled(curve: LTCurve) -> bool:
    """Whether it may be a mark, and its colour is none that playa and pdfminer read alike: a pattern, a named ink."""
    if not curve.fill or not is_mark_sized(curve.width, curve.height):
        return False
    return curve.non_stroking_color.pattern is not None or curve.ncs.name not in _PLAIN_COLORS


def _is_plain(text: str) -> bool:
    """Whether every character is a printed one: no placeholder for a glyph without a character, no soft hyphen."""
    return (text.isascii() and text.isprintable()) or not any(_is_odd(character) for character in set(text))


def _is_odd(character: str) -> bool:
    return unicodedata.category(character).startswith("C") or character == "\ufffd"


def fed_page(marks: Marks, number: int) -> Page:
    """The page as pdfplumber would give it, with these glyphs and curves."""
    return plumber.page_from([*marks.curves, *marks.glyphs], number, marks.frame)
