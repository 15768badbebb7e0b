"""New pages drawn from nothing with pdfium: standard typefaces, lines, areas, grey boxes for pictures."""

from __future__ import annotations

import ctypes
import io
import math
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium_c

from parsers.readers.artwork import Artwork, Color, Lettering, Stroke
from records.errors import TemplateError

_PICTURE: Final = (200, 200, 200)
# pdfium writes a bullet under a code that pdfminer reads as no character.
_SIMILAR: Final = {"•": "·", "\u00a0": " ", "‐": "-", "‑": "-", "−": "-", "≥": ">=", "≤": "<=", "✓": "x", "✗": "x"}


def draw(pages: Sequence[Artwork], *, typeface: bytes | None = None) -> bytes:
    """A PDF of these pages.

    Args:
        pages: What is drawn.
        typeface: A TrueType font for words that the standard typefaces have no letters for; without it such letters
            lose their accents.

    Raises:
        TemplateError: `typeface` is no font.
    """
    with pypdfium2.PdfDocument.new() as pdf:
        types = _Typefaces(pdf, typeface)
        for number, page in enumerate(pages):
            sheet = pdfium_c.FPDFPage_New(pdf.raw, number, page.width, page.height)
            for picture in page.pictures:
                _insert(sheet, _box(picture.box, page.height))
            for stroke in page.strokes:
                _insert(sheet, _path(stroke, page.height))
            for lettering in sorted(page.letterings, key=lambda each: each.order):
                _set(pdf, sheet, lettering, types, page.height)
            pdfium_c.FPDFPage_GenerateContent(sheet)
            pdfium_c.FPDF_ClosePage(sheet)
        out = io.BytesIO()
        pdf.save(out)
        types.close()
    return out.getvalue()


def lacks_letters(text: str) -> bool:
    """Whether the standard typefaces cannot print this text as it is."""
    return _printable(text) != text


class _Typefaces:
    """The typefaces of one document, each loaded once."""

    def __init__(self, pdf: pypdfium2.PdfDocument, typeface: bytes | None) -> None:
        self._pdf = pdf
        self._loaded: dict[str, object] = {}
        self._own: object | None = None
        if typeface is not None:
            letters = (ctypes.c_uint8 * len(typeface)).from_buffer_copy(typeface)
            self._own = pdfium_c.FPDFText_LoadFont(pdf.raw, letters, len(typeface), pdfium_c.FPDF_FONT_TRUETYPE, True)
            if not self._own:
                raise TemplateError("The font cannot be used.", next_step="Name a TrueType file (.ttf).")

    def of(self, lettering: Lettering) -> tuple[object, str]:
        """The typeface for a word, and the word as that typeface prints it."""
        if self._own is not None and lacks_letters(lettering.text):
            return self._own, lettering.text
        name = typeface_of(lettering)
        if name not in self._loaded:
            self._loaded[name] = pdfium_c.FPDFText_LoadStandardFont(self._pdf.raw, name.encode("ascii"))
        return self._loaded[name], _printable(lettering.text)

    def close(self) -> None:
        """Give the typefaces back."""
        for font in (*self._loaded.values(), self._own):
            if font is not None:
                pdfium_c.FPDFFont_Close(font)


def typeface_of(lettering: Lettering) -> str:
    """The standard typeface a lettering is set in."""
    if lettering.serif and not lettering.mono:
        style = ("Bold" if lettering.bold else "") + ("Italic" if lettering.italic else "")
        return f"Times-{style or 'Roman'}"
    style = ("Bold" if lettering.bold else "") + ("Oblique" if lettering.italic else "")
    return ("Courier" if lettering.mono else "Helvetica") + (f"-{style}" if style else "")


def _printable(text: str) -> str:
    """The text in characters that standard typefaces hold (those of cp1252)."""
    made = ""
    for character in unicodedata.normalize("NFC", text):
        character = _SIMILAR.get(character, character)
        try:
            character.encode("cp1252")
        except UnicodeEncodeError:
            bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode("ascii")
            character = bare or "?"
        made += character
    return made


def _set(pdf: pypdfium2.PdfDocument, sheet: object, lettering: Lettering, types: _Typefaces, height: float) -> None:
    font, text = types.of(lettering)
    if not text.strip() or lettering.size <= 0:
        return
    drawn = pdfium_c.FPDFPageObj_CreateTextObj(pdf.raw, font, lettering.size)
    written = ctypes.create_string_buffer(f"{text}\0".encode("utf-16-le"))
    pdfium_c.FPDFText_SetText(drawn, ctypes.cast(written, pdfium_c.FPDF_WIDESTRING))
    natural = _width(font, text, lettering.size)
    stretched = lettering.length / natural if natural > 0 and lettering.length > 0 else 1.0
    cosine, sine = math.cos(math.radians(lettering.turned)), math.sin(math.radians(lettering.turned))
    pdfium_c.FPDFPageObj_Transform(
        drawn,
        stretched * cosine,
        stretched * sine,
        -sine,
        cosine,
        lettering.x,
        height - lettering.baseline,
    )
    pdfium_c.FPDFPageObj_SetFillColor(drawn, *lettering.color, 255)
    _insert(sheet, drawn)


def natural_width(lettering: Lettering, text: str) -> float:
    """How wide the text is in the standard typeface of the lettering, unstretched, in points."""
    return lettering.size * _width_of_one(typeface_of(lettering), _printable(text))


@lru_cache(maxsize=4096)
def _width_of_one(name: str, text: str) -> float:
    with pypdfium2.PdfDocument.new() as pdf:
        font = pdfium_c.FPDFText_LoadStandardFont(pdf.raw, name.encode("ascii"))
        width = _width(font, text, 1.0)
        pdfium_c.FPDFFont_Close(font)
    return width


def _width(font: object, text: str, size: float) -> float:
    total = 0.0
    width = ctypes.c_float()
    for character in text:
        try:
            code = character.encode("cp1252")[0]
        except UnicodeEncodeError:
            code = ord("n")
        if pdfium_c.FPDFFont_GetGlyphWidth(font, code, size, width):
            total += width.value
    return total


def _path(stroke: Stroke, height: float) -> object:
    (_, first), *rest = stroke.segments
    drawn = pdfium_c.FPDFPageObj_CreateNewPath(first[0][0], height - first[0][1])
    for kind, points in rest:
        flat = [value for x, y in points for value in (x, height - y)]
        if kind == "m":
            pdfium_c.FPDFPath_MoveTo(drawn, *flat)
        elif kind == "l":
            pdfium_c.FPDFPath_LineTo(drawn, *flat)
        elif kind == "c" and len(flat) == 6:
            pdfium_c.FPDFPath_BezierTo(drawn, *flat)
        elif kind == "h":
            pdfium_c.FPDFPath_Close(drawn)
    return _inked(drawn, fill=stroke.fill, line=stroke.line, width=stroke.width)


def _box(box: tuple[float, float, float, float], height: float) -> object:
    x0, top, x1, bottom = box
    drawn = pdfium_c.FPDFPageObj_CreateNewRect(x0, height - bottom, x1 - x0, bottom - top)
    return _inked(drawn, fill=_PICTURE, line=None, width=0.0)


def _inked(drawn: object, *, fill: Color | None, line: Color | None, width: float) -> object:
    if fill is not None:
        pdfium_c.FPDFPageObj_SetFillColor(drawn, *fill, 255)
    if line is not None:
        pdfium_c.FPDFPageObj_SetStrokeColor(drawn, *line, 255)
        pdfium_c.FPDFPageObj_SetStrokeWidth(drawn, max(width, 0.1))
    filled = pdfium_c.FPDF_FILLMODE_WINDING if fill is not None else pdfium_c.FPDF_FILLMODE_NONE
    pdfium_c.FPDFPath_SetDrawMode(drawn, filled, line is not None)
    return drawn


def _insert(sheet: object, drawn: object) -> None:
    pdfium_c.FPDFPage_InsertObject(sheet, drawn)
