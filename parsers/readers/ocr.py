"""Text recognition for pages that are pictures: an extra with its models inside. It fills in, it confirms nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from parsers.readers.pdfium import opened
from records.document import Document, Page, Word
from records.errors import SettingsError
from records.geometry import Region

_DOTS_PER_INCH = 200  # recognised 119 and 120 of 120 numbers of a printed page; more dots take longer only
_LEAST_CERTAIN = 0.5


def is_installed() -> bool:
    """Whether the extra is there."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def with_recognised(document: Document, pages: dict[int, tuple[Word, ...]]) -> Document:
    """The document with these words on these pages instead of what its reader found there."""
    return replace(document, pages=tuple([page_with_recognised(page, pages) for page in document.pages]))


def page_with_recognised(page: Page, pages: dict[int, tuple[Word, ...]]) -> Page:
    """The page with the words for its number, if there are some, instead of what its reader found."""
    return replace(page, words=pages[page.number], rules=(), grid=()) if page.number in pages else page


def recognise(content: bytes, pages: Iterable[Page]) -> dict[int, tuple[Word, ...]]:
    """The words recognised on each page, from its picture; about 17 seconds a page.

    Raises:
        SettingsError: The extra is not installed.
    """
    if not is_installed():
        raise SettingsError(
            "Text recognition is switched on but not installed.",
            next_step="Install “scorebridge[ocr]”, or set reading.ocr_pages to 0.",
        )
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "critical"})
    found: dict[int, tuple[Word, ...]] = {}
    with opened(content) as pdf:
        for page in pages:
            shown = pdf[page.number - 1]
            try:
                drawn = shown.render(scale=_DOTS_PER_INCH / 72, rev_byteorder=True, prefer_bgrx=False)
                picture: npt.NDArray[np.uint8] = drawn.to_numpy().copy()
                drawn.close()
            finally:
                shown.close()
            found[page.number] = tuple(_words(engine, picture, page))
    return found


def _words(engine: object, picture: npt.NDArray[np.uint8], page: Page) -> list[Word]:
    """The engine gives runs of text with a box; the words of a run share its width by their letters."""
    read = engine(picture) if callable(engine) else None
    words: list[Word] = []
    if read is None or read.boxes is None:
        return words
    across, down = page.width / picture.shape[1], page.height / picture.shape[0]
    for corners, text, certainty in zip(read.boxes, read.txts, read.scores, strict=True):
        if certainty < _LEAST_CERTAIN or not text.strip():
            continue
        x0, top = (float(value) for value in np.min(corners, axis=0))
        x1, bottom = (float(value) for value in np.max(corners, axis=0))
        words += _shared_out(text, Region(page.number, x0 * across, top * down, x1 * across, bottom * down))
    return words


def _shared_out(text: str, run: Region) -> list[Word]:
    letter = (run.x1 - run.x0) / len(text)
    words: list[Word] = []
    start = 0
    for part in text.split(" "):
        if part:
            x0 = run.x0 + start * letter
            words.append(Word(part, Region(run.page, x0, run.top, x0 + len(part) * letter, run.bottom)))
        start += len(part) + 1
    return words
