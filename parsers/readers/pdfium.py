"""pdfium: the first look at an untrusted file, and an independent decoding of every glyph."""

from __future__ import annotations

import ctypes
import io
from enum import Enum

import pypdfium2
import pypdfium2.raw as pdfium_c

from parsers.readers.limits import ReadingLimits
from parsers.readers.pdfium_marks import drawn_marks
from records.document import Document, Page, ReaderName, Word
from records.errors import IncompleteDocumentError, UnreadableDocumentError
from records.geometry import Region

_TAIL = 2048  # bytes in which readers look for the end mark (PDF 32000-1, 7.5.5, implementation note)
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_FAINT = 10  # of 255: ink this near to nothing, or to white, is not seen on paper


def preflight(content: bytes, limits: ReadingLimits) -> int:
    """The number of pages, if the file is a whole PDF within the limits.

    Raises:
        IncompleteDocumentError: The end of the file is missing.
        UnreadableDocumentError: Empty, no PDF, damaged, encrypted, too big, too complex or without text.
    """
    if not content:
        raise UnreadableDocumentError("The file is empty.", code="empty-file", next_step="Print the report again.")
    if b"%PDF-" not in content[:1024]:
        raise UnreadableDocumentError(
            "The file is not a PDF, whatever its name says.", code="not-a-pdf", next_step="Print the report as PDF."
        )
    if b"%%EOF" not in content[-_TAIL:]:
        raise IncompleteDocumentError(
            "The file has no end mark: it was cut off or is still being written.",
            code="incomplete",
            next_step="Wait until it is whole, or print the report again.",
        )
    with _opened(content) as pdf:
        pages = len(pdf)
        if pages == 0:
            raise UnreadableDocumentError("The file has no pages.", code="damaged", next_step="Print it again.")
        if pages > limits.pages:
            raise UnreadableDocumentError(
                f"The file has {pages} pages; the limit is {limits.pages}.",
                code="too-many-pages",
                next_step="Print it in parts, or raise the limit in the settings.",
            )
        if not sum([_glyph_count(pdf, number, limits) for number in range(pages)]):
            raise UnreadableDocumentError(
                "The file has no text; it may be a scan.", code="no-text", next_step="Print the report as text PDF."
            )
    return pages


def _glyph_count(pdf: pypdfium2.PdfDocument, index: int, limits: ReadingLimits) -> int:
    try:
        page = pdf[index]
    except pypdfium2.PdfiumError:
        raise UnreadableDocumentError(
            f"Page {index + 1} is damaged.", code="damaged", next_step="Print the report again."
        ) from None
    try:
        objects = pdfium_c.FPDFPage_CountObjects(page)
        if objects > limits.objects_per_page or _path_segments(page, limits.objects_per_page):
            raise UnreadableDocumentError(
                f"Page {index + 1} holds more than {limits.objects_per_page} objects.",
                code="too-complex",
                next_step="Check what this file is; no report looks like that.",
            )
        text = page.get_textpage()
        glyphs: int = text.count_chars()
        text.close()
        if glyphs > limits.glyphs_per_page:
            raise UnreadableDocumentError(
                f"Page {index + 1} holds {glyphs} characters; the limit is {limits.glyphs_per_page}.",
                code="too-complex",
                next_step="Check what this file is; no report looks like that.",
            )
        return glyphs
    finally:
        page.close()


def _path_segments(page: pypdfium2.PdfPage, limit: int) -> bool:
    """Whether the drawn lines of a page have more than `limit` segments: one path object may hold thousands."""
    segments = 0
    for number in range(pdfium_c.FPDFPage_CountObjects(page)):
        drawn = pdfium_c.FPDFPage_GetObject(page, number)
        if pdfium_c.FPDFPageObj_GetType(drawn) == pdfium_c.FPDF_PAGEOBJ_PATH:
            segments += max(0, pdfium_c.FPDFPath_CountSegments(drawn))
            # four corners and a closing segment to a box
            if segments > 5 * limit:
                return True
    return False


def read(content: bytes) -> Document:
    """Every glyph of the document as a word of its own, placed by pdfium. Invisible text is a flaw of its page."""
    with _opened(content) as pdf:
        return Document(reader=ReaderName.PDFIUM, pages=tuple(_page(pdf, index) for index in range(len(pdf))))


def _page(pdf: pypdfium2.PdfDocument, index: int) -> Page:
    page = pdf[index]
    text = page.get_textpage()
    try:
        place = _Placing(page, index + 1)
        glyphs: list[Word] = []
        flaws: list[tuple[str, Region]] = []
        unseen = _Unseen(page, text)
        box = [ctypes.c_double() for _ in range(4)]
        for number in range(text.count_chars()):
            # pdfium turns a hyphen at the end of a line into U+0002.
            character = chr(pdfium_c.FPDFText_GetUnicode(text, number)).replace("\x02", "-")
            if character.isspace() or not pdfium_c.FPDFText_GetCharBox(text, number, *box):
                continue
            left, right, bottom, top = (value.value for value in box)
            region = place.region(left, bottom, right, top)
            glyphs.append(Word(character, region))
            if unseen.hides(number, (left + right) / 2, (bottom + top) / 2):
                flaws.append(("invisible-text", region))
        return Page(
            number=index + 1,
            width=place.width,
            height=place.height,
            words=tuple(glyphs),
            marks=tuple(drawn_marks(page, place.region)),
            flaws=tuple(flaws),
        )
    finally:
        text.close()
        page.close()


class _Unseen:
    """Which glyphs of a page nobody sees: drawn without ink, without colour, or white on the bare page."""

    def __init__(self, page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage) -> None:
        self._page = page
        self._text = text
        self._inks: dict[int, _Ink] = {}
        self._backgrounds: list[tuple[float, float, float, float]] | None = None

    def hides(self, number: int, x: float, y: float) -> bool:
        """Whether the glyph, whose middle stands at `x`, `y` in PDF user space, cannot be seen."""
        drawn = pdfium_c.FPDFText_GetTextObject(self._text, number)
        if not drawn:
            return False
        address = ctypes.cast(drawn, ctypes.c_void_p).value or 0
        if address not in self._inks:
            self._inks[address] = _ink(drawn)
        ink = self._inks[address]
        return ink is _Ink.NONE or (ink is _Ink.WHITE and not self._stands_on_something(x, y))

    def _stands_on_something(self, x: float, y: float) -> bool:
        if self._backgrounds is None:
            self._backgrounds = _filled_boxes(self._page)
        return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in self._backgrounds)


class _Ink(Enum):
    SEEN = "seen"
    WHITE = "white"
    NONE = "none"


def _ink(drawn: object) -> _Ink:
    mode = pdfium_c.FPDFTextObj_GetTextRenderMode(drawn)
    if mode in (pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP):
        return _Ink.NONE
    if mode not in (pdfium_c.FPDF_TEXTRENDERMODE_FILL, pdfium_c.FPDF_TEXTRENDERMODE_FILL_CLIP):
        return _Ink.SEEN
    color = [ctypes.c_uint() for _ in range(4)]
    if not pdfium_c.FPDFPageObj_GetFillColor(drawn, *color):
        return _Ink.SEEN
    red, green, blue, alpha = (part.value for part in color)
    if alpha < _FAINT:
        return _Ink.NONE
    return _Ink.WHITE if min(red, green, blue) > 255 - _FAINT else _Ink.SEEN


def _filled_boxes(page: pypdfium2.PdfPage) -> list[tuple[float, float, float, float]]:
    """Boxes of everything that may lie under white type: pictures, coloured areas, forms of further objects."""
    boxes: list[tuple[float, float, float, float]] = []
    for number in range(pdfium_c.FPDFPage_CountObjects(page)):
        drawn = pdfium_c.FPDFPage_GetObject(page, number)
        kind = pdfium_c.FPDFPageObj_GetType(drawn)
        if kind == pdfium_c.FPDF_PAGEOBJ_TEXT or (kind == pdfium_c.FPDF_PAGEOBJ_PATH and not _is_coloured(drawn)):
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


class _Placing:
    """From PDF user space to the page as displayed: rotation applied, origin top left."""

    def __init__(self, page: pypdfium2.PdfPage, number: int) -> None:
        self._number = number
        self._rotation: int = page.get_rotation()
        # The effective box: the crop box alone is not inherited from the page tree, and pdfium then assumes Letter.
        left, bottom, right, top = page.get_bbox()
        self._left, self._bottom, self._right, self._top = left, bottom, right, top
        across, along = right - left, top - bottom
        self.width, self.height = (along, across) if self._rotation in (90, 270) else (across, along)

    def region(self, left: float, bottom: float, right: float, top: float) -> Region:
        corners = [self._displayed(left, bottom), self._displayed(right, top)]
        (xa, ya), (xb, yb) = corners
        return Region(self._number, min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))

    def _displayed(self, x: float, y: float) -> tuple[float, float]:
        if self._rotation == 90:
            return y - self._bottom, x - self._left
        if self._rotation == 180:
            return self._right - x, y - self._bottom
        if self._rotation == 270:
            return self._top - y, self._right - x
        return x - self._left, self._top - y


def render_page(content: bytes, *, page: int, dots_per_inch: int) -> bytes:
    """A page as grey PNG.

    Raises:
        UnreadableDocumentError: The file has no such page or cannot be drawn.
    """
    with _opened(content) as pdf:
        if not 1 <= page <= len(pdf):
            raise UnreadableDocumentError(f"The file has no page {page}.", code="damaged")
        drawn = pdf[page - 1].render(scale=dots_per_inch / 72, grayscale=True)
        out = io.BytesIO()
        drawn.to_pil().save(out, format="PNG", compress_level=1)
        return out.getvalue()


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD or "password" in str(error).lower():
            raise UnreadableDocumentError(
                "The file is protected by a password.", code="encrypted", next_step="Print it without protection."
            ) from None
        raise UnreadableDocumentError(
            "The file is damaged and cannot be opened.", code="damaged", next_step="Print the report again."
        ) from None
