"""pdfium: pages as pictures for a person's eyes, with the words on them and their places."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium_c
from PIL import Image

from parsers.readers.pdfium import opened
from parsers.readers.pdfium_glyphs import Placing, boxes_of, characters_of, placing_of
from parsers.readers.pdfium_ink import bounds
from records.document import Word
from records.errors import UnreadableDocumentError
from records.geometry import Region, around
from records.picture import DrawnPage

PRINT_DOTS: Final = 130  # an inch; small print is read at this, and a page is about 90 KB
SCAN_DOTS: Final = 150
ROW_DOTS: Final = 200
_JPEG_QUALITY: Final = 80  # a scan as PNG is ten times the size
_SCANNED: Final = 0.5  # share of a page that pictures cover when it is a scan
_MOST_WORDS: Final = 5000  # no report has more on a page
_MOST_PARTS: Final = 4


def draw(content: bytes, *, page: int, parts: Sequence[Region] = ()) -> DrawnPage:
    """A page in grey, or only parts of it, enlarged, one below the other on the width of the widest.

    Args:
        content: The file.
        page: From 1.
        parts: Boxes on the page, at most four; empty for all of it.

    Raises:
        UnreadableDocumentError: The file has no such page or cannot be drawn.
    """
    with opened(content) as pdf:
        if not 1 <= page <= len(pdf):
            raise UnreadableDocumentError(f"The file has no page {page}.", code="damaged")
        sheet = pdf[page - 1]
        placing = placing_of(sheet, page)
        if parts:
            return _parts(sheet, placing, parts[:_MOST_PARTS])
        scanned = _is_scanned(sheet)
        drawn = sheet.render(scale=(SCAN_DOTS if scanned else PRINT_DOTS) / 72, grayscale=True).to_pil()
        return DrawnPage(
            picture=_jpeg(drawn) if scanned else _png(drawn),
            media_type="image/jpeg" if scanned else "image/png",
            width=placing.width,
            height=placing.height,
            words=words_on(sheet, placing),
        )


def words_on(page: pypdfium2.PdfPage, placing: Placing) -> tuple[Word, ...]:
    """The words of an open page in the order of the file, each with the box of its ink."""
    text = page.get_textpage()
    try:
        characters = characters_of(text)
        numbers, boxes = boxes_of(text, [at for at, one in enumerate(characters) if not one.isspace()])
    finally:
        text.close()
    placed = dict(zip(numbers, placing.displayed(boxes).tolist(), strict=True))
    words: list[Word] = []
    run: list[int] = []
    for at in range(len(characters) + 1):
        if at in placed:
            run.append(at)
        elif run and (at == len(characters) or characters[at].isspace()):
            boxes_of_run = [Region(placing.number, *placed[one]) for one in run]
            words.append(Word("".join(characters[one] for one in run), around(boxes_of_run)))
            run = []
    return tuple(words[:_MOST_WORDS])


def _parts(page: pypdfium2.PdfPage, placing: Placing, parts: Sequence[Region]) -> DrawnPage:
    scale = ROW_DOTS / 72
    drawn = [_part(page, placing, part, scale) for part in parts]
    whole = Image.new("L", (max(one.width for one in drawn), sum(one.height for one in drawn)), 255)
    top = 0
    for one in drawn:
        whole.paste(one, (0, top))
        top += one.height
    return DrawnPage(
        picture=_png(whole), media_type="image/png", width=whole.width / scale, height=whole.height / scale
    )


def _part(page: pypdfium2.PdfPage, placing: Placing, part: Region, scale: float) -> Image.Image:
    cut = (part.x0, placing.height - part.bottom, placing.width - part.x1, part.top)
    left, bottom, right, top = (max(edge, 0.0) for edge in cut)
    drawn: Image.Image = page.render(scale=scale, crop=(left, bottom, right, top), grayscale=True).to_pil()
    return drawn


def _is_scanned(page: pypdfium2.PdfPage) -> bool:
    left, bottom, right, top = page.get_bbox()
    covered = sum(
        max(min(x1, right) - max(x0, left), 0.0) * max(min(y1, top) - max(y0, bottom), 0.0)
        for x0, y0, x1, y1 in bounds(page, {pdfium_c.FPDF_PAGEOBJ_IMAGE})
    )
    return bool(covered > _SCANNED * (right - left) * (top - bottom))


def _png(drawn: Image.Image) -> bytes:
    out = io.BytesIO()
    drawn.save(out, format="PNG", compress_level=1)
    return out.getvalue()


def _jpeg(drawn: Image.Image) -> bytes:
    out = io.BytesIO()
    drawn.convert("L").save(out, format="JPEG", quality=_JPEG_QUALITY)
    return out.getvalue()
