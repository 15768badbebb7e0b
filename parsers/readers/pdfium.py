"""pdfium: the first look at an untrusted file, and an independent decoding of every glyph."""

from __future__ import annotations

import ctypes
import io
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import pypdfium2
import pypdfium2.raw as pdfium_c

from parsers.readers.limits import ReadingLimits
from parsers.readers.pdfium_glyphs import PageGlyphs, as_words, boxes_of, called, characters_of, glyphs_on
from parsers.readers.pdfium_ink import Ink, Unseen, bounds, ink_of
from parsers.readers.pdfium_marks import drawn_marks
from records.document import Document, Page, ReaderName
from records.errors import IncompleteDocumentError, UnreadableDocumentError
from records.geometry import Region

_TAIL = 2048  # bytes in which readers look for the end mark (PDF 32000-1, 7.5.5, implementation note)
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_STAMPED_GLYPHS = 100  # a fax machine's line, a page number: no record of a person
_FILLED = 0.5  # share of a page that pictures cover when it is a scan

_DASHES = dict.fromkeys(map(ord, "\u00ad\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_Seen = TypeVar("_Seen")
_KIND = called(pdfium_c.FPDFPageObj_GetType, ctypes.c_int, ctypes.c_void_p)


def preflight(content: bytes, limits: ReadingLimits, *, needs_text: bool = True) -> int:
    """The number of pages, if the file is a whole PDF within the limits.

    Args:
        content: The file.
        limits: What it may hold.
        needs_text: Whether a file of pictures only is refused.

    Raises:
        IncompleteDocumentError: The end of the file is missing.
        UnreadableDocumentError: Empty, no PDF, damaged, encrypted, too big, too complex or without text.
    """
    _check_whole(content)
    with opened(content) as pdf:
        pages = _page_count(pdf, limits)
        characters = sum([_seen(pdf, index, limits, _count) for index in range(pages)])
    if needs_text:
        _check_text(characters)
    return pages


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPage:
    """A page as pdfium decodes it.

    Attributes:
        page: Its characters, marks and flaws, without words.
        glyphs: Its glyphs.
    """

    page: Page
    glyphs: PageGlyphs

    def with_digits(self) -> Page:
        """The page with every digit as a word of its own, placed by pdfium."""
        return replace(self.page, words=as_words(self.page.number, *self.glyphs.digits()))


def read(content: bytes, limits: ReadingLimits, *, needs_text: bool = True) -> Document:
    """Every digit of the document as a word of its own, placed by pdfium, and every page's characters.

    Raises:
        DocumentError: As `decode`.
    """
    pages = decode(content, limits, needs_text=needs_text)
    return Document(reader=ReaderName.PDFIUM, pages=tuple([decoded.with_digits() for decoded in pages]))


def decode(content: bytes, limits: ReadingLimits, *, needs_text: bool = True) -> tuple[DecodedPage, ...]:
    """Every page of the document. Invisible text is a flaw of its page, and so is it to be a picture.

    Raises:
        DocumentError: As `preflight`, which it includes.
    """
    _check_whole(content)
    with opened(content) as pdf:
        pages = [_seen(pdf, index, limits, _decoded) for index in range(_page_count(pdf, limits))]
    if needs_text:
        _check_text(sum([len(decoded.page.characters) for decoded in pages]))
    return tuple(pages)


def _check_whole(content: bytes) -> None:
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


def _page_count(pdf: pypdfium2.PdfDocument, limits: ReadingLimits) -> int:
    pages = len(pdf)
    if pages == 0:
        raise UnreadableDocumentError("The file has no pages.", code="damaged", next_step="Print it again.")
    if pages > limits.pages:
        raise UnreadableDocumentError(
            f"The file has {pages} pages; the limit is {limits.pages}.",
            code="too-many-pages",
            next_step="Print it in parts, or raise the limit in the settings.",
        )
    return pages


def _check_text(characters: int) -> None:
    if not characters:
        raise UnreadableDocumentError(
            "The file has no text; it may be a scan.", code="no-text", next_step="Print the report as text PDF."
        )


@dataclass(frozen=True, slots=True)
class _Sheet:
    """An open page.

    Attributes:
        number: From 1.
        text: Its text.
        objects: Everything drawn on it, with what is inside forms, which may hold forms again, each with its kind.
    """

    number: int
    page: pypdfium2.PdfPage
    text: pypdfium2.PdfTextPage
    objects: Sequence[tuple[object, int]]


def _seen(pdf: pypdfium2.PdfDocument, index: int, limits: ReadingLimits, look: Callable[[_Sheet], _Seen]) -> _Seen:
    """What `look` sees on a page that is within the limits."""
    try:
        page = pdf[index]
    except pypdfium2.PdfiumError:
        raise UnreadableDocumentError(
            f"Page {index + 1} is damaged.", code="damaged", next_step="Print the report again."
        ) from None
    try:
        longest = max(page.get_size())
        if not longest <= limits.page_points:
            raise UnreadableDocumentError(
                f"Page {index + 1} is {longest:.0f} points long; the limit is {limits.page_points:.0f}.",
                code="page-too-large",
                next_step="Print the report on paper of a usual size.",
            )
        objects = _objects_within(page, limits)
        if objects is None:
            raise UnreadableDocumentError(
                f"Page {index + 1} holds more than {limits.objects_per_page} objects, or pictures too large.",
                code="too-complex",
                next_step="Check what this file is; no report looks like that.",
            )
        text = page.get_textpage()
        try:
            glyphs: int = text.count_chars()
            if glyphs > limits.glyphs_per_page:
                raise UnreadableDocumentError(
                    f"Page {index + 1} holds {glyphs} characters; the limit is {limits.glyphs_per_page}.",
                    code="too-complex",
                    next_step="Check what this file is; no report looks like that.",
                )
            return look(_Sheet(index + 1, page, text, objects))
        finally:
            text.close()
    finally:
        page.close()


def _count(sheet: _Sheet) -> int:
    count: int = sheet.text.count_chars()
    return count


def _objects_within(page: pypdfium2.PdfPage, limits: ReadingLimits) -> list[tuple[object, int]] | None:
    """Everything drawn on a page; None for too many objects, lines or dots: one path may hold thousands of lines."""
    found: list[tuple[object, int]] = []
    segments = dots = 0
    width, height = ctypes.c_uint(), ctypes.c_uint()
    for drawn, kind in _objects(page):
        found.append((drawn, kind))
        if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
            segments += max(0, pdfium_c.FPDFPath_CountSegments(drawn))
        elif kind == pdfium_c.FPDF_PAGEOBJ_IMAGE and pdfium_c.FPDFImageObj_GetImagePixelSize(drawn, width, height):
            dots += width.value * height.value
        # four corners and a closing segment to a box
        if len(found) > limits.objects_per_page or segments > 5 * limits.objects_per_page or dots > limits.picture_dots:
            return None
    return found


def _objects(page: pypdfium2.PdfPage) -> Iterator[tuple[object, int]]:
    for number in range(pdfium_c.FPDFPage_CountObjects(page)):
        drawn = pdfium_c.FPDFPage_GetObject(page, number)
        kind = _KIND(drawn)
        if kind == pdfium_c.FPDF_PAGEOBJ_FORM:
            yield from _with_inner(drawn)
        else:
            yield drawn, kind


def _with_inner(outer: object) -> Iterator[tuple[object, int]]:
    waiting = [outer]
    while waiting:
        drawn = waiting.pop()
        kind = _KIND(drawn)
        yield drawn, kind
        if kind == pdfium_c.FPDF_PAGEOBJ_FORM:
            inside = reversed(range(max(0, pdfium_c.FPDFFormObj_CountObjects(drawn))))
            waiting += [pdfium_c.FPDFFormObj_GetObject(drawn, number) for number in inside]


def visible(text: str) -> str:
    """The characters a reader sees, each by itself: no spaces, one kind of dash, ligatures and accented letters apart.

    Two decodings of a page hold the same characters, whatever order and composition they have them in.
    """
    parts = text if text.isascii() else unicodedata.normalize("NFKD", text).translate(_DASHES)
    return "".join(parts.split())


def _decoded(sheet: _Sheet) -> DecodedPage:
    characters = characters_of(sheet.text)
    glyphs = glyphs_on(sheet.page, sheet.text, sheet.number, characters)
    place = glyphs.placing
    _, hidden = boxes_of(sheet.text, _hidden(sheet, characters))
    flaws = [("invisible-text", place.region(*box)) for box in hidden.tolist()]
    if _is_picture(sheet, sum([not character.isspace() for character in characters])):
        flaws.append(("scanned-page", Region(sheet.number, 0, 0, place.width, place.height)))
    paths = [drawn for drawn, kind in sheet.objects if kind == pdfium_c.FPDF_PAGEOBJ_PATH]
    page = Page(
        number=sheet.number,
        width=place.width,
        height=place.height,
        words=(),
        marks=tuple(drawn_marks(paths, place.region)),
        flaws=tuple(flaws),
        characters=visible(characters),
    )
    return DecodedPage(page=page, glyphs=glyphs)


def glyphs_of(content: bytes, pages: Collection[int]) -> Document:
    """Every visible glyph of these pages as a word of its own, with the box of its ink.

    Args:
        content: A PDF that `read` has read.
        pages: Numbers of pages, from 1; the document has no others.
    """
    with opened(content) as pdf:
        return Document(
            reader=ReaderName.PDFIUM,
            pages=tuple([_page_of_glyphs(pdf[number - 1], number) for number in sorted(pages)]),
        )


def _page_of_glyphs(page: pypdfium2.PdfPage, number: int) -> Page:
    text = page.get_textpage()
    try:
        glyphs = glyphs_on(page, text, number, characters_of(text))
        place = glyphs.placing
        return Page(number=number, width=place.width, height=place.height, words=glyphs.words())
    finally:
        text.close()
        page.close()


def _hidden(sheet: _Sheet, characters: str) -> list[int]:
    """The characters nobody sees: drawn without ink, without colour, or white on the bare page."""
    if all(ink_of(drawn) is Ink.SEEN for drawn, kind in sheet.objects if kind == pdfium_c.FPDF_PAGEOBJ_TEXT):
        return []
    unseen = Unseen(sheet.page, sheet.text)
    shown = [number for number, character in enumerate(characters) if not character.isspace()]
    numbers, boxes = boxes_of(sheet.text, shown)
    return [
        number
        for number, (left, bottom, right, top) in zip(numbers, boxes.tolist(), strict=True)
        if unseen.hides(number, (left + right) / 2, (bottom + top) / 2)
    ]


def _is_picture(sheet: _Sheet, glyphs: int) -> bool:
    """Whether a page shows something without text, or little more than a stamped line over pictures that fill it."""
    if glyphs == 0:
        return bool(sheet.objects)
    if glyphs > _STAMPED_GLYPHS:
        return False
    left, bottom, right, top = sheet.page.get_bbox()
    covered = sum(
        max(min(x1, right) - max(x0, left), 0.0) * max(min(y1, top) - max(y0, bottom), 0.0)
        for x0, y0, x1, y1 in bounds(sheet.page, {pdfium_c.FPDF_PAGEOBJ_IMAGE})
    )
    return bool(covered > _FILLED * (right - left) * (top - bottom))


def render_page(content: bytes, *, page: int, dots_per_inch: int) -> bytes:
    """A page as grey PNG.

    Raises:
        UnreadableDocumentError: The file has no such page or cannot be drawn.
    """
    with opened(content) as pdf:
        if not 1 <= page <= len(pdf):
            raise UnreadableDocumentError(f"The file has no page {page}.", code="damaged")
        drawn = pdf[page - 1].render(scale=dots_per_inch / 72, grayscale=True)
        out = io.BytesIO()
        drawn.to_pil().save(out, format="PNG", compress_level=1)
        return out.getvalue()


def opened(content: bytes) -> pypdfium2.PdfDocument:
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
