"""pdfium: every glyph of a page with the box of its ink, in few bytes, so that a long document can be kept."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pypdfium2
import pypdfium2.raw as pdfium_c

from records.document import Word
from records.geometry import Region

Boxes = npt.NDArray[np.float64]
"""A row for each glyph: left, upper, right and lower edge on the page as displayed, in points."""

# What pdfium puts for a hyphen at the end of a line: asked for one character, and asked for the page.
_LINE_END_HYPHENS = {0x2: "-", 0xFFFE: "-"}


def called(function: object, result: type, *arguments: type) -> Callable[..., int]:
    """A function of pdfium with plain addresses for arguments: ctypes converts those in half the time."""
    return ctypes.CFUNCTYPE(result, *arguments)(ctypes.cast(function, ctypes.c_void_p).value)  # type: ignore[arg-type]


_UNICODE = called(pdfium_c.FPDFText_GetUnicode, ctypes.c_uint, ctypes.c_void_p, ctypes.c_int)
_CHAR_BOX = called(pdfium_c.FPDFText_GetCharBox, ctypes.c_int, ctypes.c_void_p, ctypes.c_int, *(ctypes.c_void_p,) * 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """From PDF user space to the page as displayed: rotation applied, origin top left.

    Attributes:
        number: Of the page, from 1.
        rotation: 0, 90, 180 or 270 degrees.
        left: Left edge of the effective box, in user space; `bottom`, `right` and `top` likewise. The crop box alone is
            not inherited from the page tree, and pdfium then assumes Letter.
    """

    number: int
    rotation: int
    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """Displayed width in points."""
        return self.top - self.bottom if self.rotation in (90, 270) else self.right - self.left

    @property
    def height(self) -> float:
        """Displayed height in points."""
        return self.right - self.left if self.rotation in (90, 270) else self.top - self.bottom

    def region(self, left: float, bottom: float, right: float, top: float) -> Region:
        """A box of user space as displayed."""
        (box,) = self.displayed(np.array([[left, bottom, right, top]], np.float64)).tolist()
        return Region(self.number, *box)

    def displayed(self, boxes: Boxes) -> Boxes:
        """Boxes of user space (left, bottom, right, top) as displayed."""
        xa, ya = self._point(boxes[:, 0], boxes[:, 1])
        xb, yb = self._point(boxes[:, 2], boxes[:, 3])
        return np.stack([np.minimum(xa, xb), np.minimum(ya, yb), np.maximum(xa, xb), np.maximum(ya, yb)], axis=1)

    def _point(self, x: Boxes, y: Boxes) -> tuple[Boxes, Boxes]:
        if self.rotation == 0:
            return x - self.left, self.top - y
        if self.rotation == 90:
            return y - self.bottom, x - self.left
        if self.rotation == 180:
            return self.right - x, y - self.bottom
        return self.top - y, self.right - x


def placing_of(page: pypdfium2.PdfPage, number: int) -> Placing:
    """Where the displayed part of an open page lies."""
    left, bottom, right, top = page.get_bbox()
    return Placing(number=number, rotation=page.get_rotation(), left=left, bottom=bottom, right=right, top=top)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageGlyphs:
    """Every visible glyph of a page that has a box.

    Attributes:
        placing: Where they lie.
        text: The character of each.
        ink: The box of each in user space, as pdfium has it: left, bottom, right, top in single precision.
    """

    placing: Placing
    text: str
    ink: npt.NDArray[np.float32]

    def boxes(self) -> Boxes:
        """Where they are displayed."""
        return self.placing.displayed(self.ink.astype(np.float64))

    def words(self) -> tuple[Word, ...]:
        """Each as a word of its own."""
        return as_words(self.placing.number, self.text, self.boxes())

    def digits(self) -> tuple[str, Boxes]:
        """The digits and where they are displayed."""
        numbers = [at for at, character in enumerate(self.text) if character.isdigit()]
        boxes = self.placing.displayed(self.ink[numbers].astype(np.float64))
        return "".join([self.text[at] for at in numbers]), boxes


def as_words(page: int, characters: str, boxes: Boxes) -> tuple[Word, ...]:
    """Each character, in its box on a page, as a word of its own."""
    return tuple([Word(c, Region(page, *box)) for c, box in zip(characters, boxes.tolist(), strict=True)])


def glyphs_on(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, number: int, characters: str) -> PageGlyphs:
    """The visible glyphs of an open page, of which these are the characters by pdfium's count."""
    shown = [at for at, character in enumerate(characters) if not character.isspace()]
    numbers, ink = boxes_of(text, shown)
    return PageGlyphs(
        placing=placing_of(page, number),
        text="".join([characters[at] for at in numbers]),
        ink=ink.astype(np.float32),
    )


def characters_of(text: pypdfium2.PdfTextPage) -> str:
    """What pdfium decodes, a character to each index; its marks for a hyphen at the end of a line are hyphens again."""
    count = text.count_chars()
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium_c.FPDFText_GetText(text, 0, count, buffer)
    at_once = bytes(buffer)[: 2 * (written - 1)].decode("utf-16-le", "replace")
    unicode, handle = _UNICODE, _address(text)
    # Asked for everything at once, pdfium leaves out what it takes for control characters, and indices shift.
    digits = [at for at, character in enumerate(at_once) if character.isdigit()]
    if len(at_once) != count or [unicode(handle, at) for at in digits] != [ord(at_once[at]) for at in digits]:
        at_once = "".join([chr(unicode(handle, at)) for at in range(count)])
    return at_once.translate(_LINE_END_HYPHENS)


def boxes_of(text: pypdfium2.PdfTextPage, numbers: Sequence[int]) -> tuple[list[int], Boxes]:
    """Which of these characters have a box, and their boxes in user space: left, bottom, right, top."""
    boxes = np.empty((len(numbers), 4), np.float64)
    handle, at = _address(text), boxes.ctypes.data
    width, lacking = boxes.strides[0], list[int]()
    for row, number in enumerate(numbers):
        if not _CHAR_BOX(handle, number, at, at + 16, at + 8, at + 24):
            lacking.append(row)
        at += width
    if not lacking:
        return list(numbers), boxes
    without = set(lacking)
    return [n for row, n in enumerate(numbers) if row not in without], np.delete(boxes, lacking, axis=0)


def _address(text: pypdfium2.PdfTextPage) -> int:
    return ctypes.cast(text.raw, ctypes.c_void_p).value or 0
