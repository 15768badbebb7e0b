"""playa: what is drawn on a page, interpreted once for the two readers that look at it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import playa
from playa.exceptions import PDFException
from playa.miner import LTChar, LTComponent, LTContainer, LTCurve, LTPage, extract_page

from records.errors import UnreadableDocumentError

# Pages whose marks are kept from the first reading to the second, about a megabyte each. What lies further back is
# interpreted again: a long document costs time instead of memory.
_KEPT_PAGES = 64
# What damaged or hostile files make playa raise; its own words may quote the page.
UNREADABLE = (
    PDFException, RuntimeError, ValueError, IndexError, KeyError, TypeError, AttributeError, AssertionError,
    ZeroDivisionError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where the displayed part of a page lies, as pdfplumber measures it: from the media box, y downwards, in points.

    Attributes:
        left: Left edge of the media box.
        upper: Upper edge of the media box.
        height: Height of the media box.
        crop: `(left, upper, right, lower)` of what is displayed.
    """

    left: float
    upper: float
    height: float
    crop: tuple[float, float, float, float]

    @property
    def width_displayed(self) -> float:
        """Width of what is displayed."""
        return self.crop[2] - self.crop[0]

    @property
    def height_displayed(self) -> float:
        """Height of what is displayed."""
        return self.crop[3] - self.crop[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is drawn on one page, in the order of drawing; y upwards from the lower edge of the media box.

    Attributes:
        glyphs: Every glyph, those in forms included.
        curves: Lines, boxes and curves.
        layout: The same as a page for camelot, which may be analysed once.
    """

    frame: Frame
    glyphs: tuple[LTChar, ...]
    curves: tuple[LTCurve, ...]
    layout: LTPage


class TextLayer:
    """The pages of an open document. Not safe for threads."""

    def __init__(self, document: playa.Document) -> None:
        self._document = document
        self._kept: OrderedDict[int, Marks] = OrderedDict()

    def marks(self, number: int) -> Marks:
        """What is drawn on page `number`, from 1; kept for the next call.

        Raises:
            UnreadableDocumentError: playa cannot interpret the page.
        """
        found = self._kept.get(number)
        if found is None:
            found = self._kept[number] = self._interpreted(number)
            if len(self._kept) > _KEPT_PAGES:
                self._kept.popitem(last=False)
        return found

    def take(self, number: int) -> Marks:
        """As `marks`, for a caller that analyses the layout: nothing is kept."""
        return self._kept.pop(number, None) or self._interpreted(number)

    def _interpreted(self, number: int) -> Marks:
        try:
            page = self._document.pages[number - 1]
            layout = extract_page(page, None)
            drawn = tuple(_leaves(layout))
            return Marks(
                frame=_frame(page),
                glyphs=tuple(mark for mark in drawn if isinstance(mark, LTChar)),
                curves=tuple(mark for mark in drawn if isinstance(mark, LTCurve)),
                layout=layout,
            )
        except UNREADABLE:
            raise _unreadable() from None


@contextmanager
def opened(content: bytes) -> Iterator[TextLayer]:
    """The text layer of a document, as long as the block lasts.

    A document whose owner forbids taking text out of it is read all the same: it is the clinic's own print, and what
    is shown to everybody who opens it is no secret from the program.

    Raises:
        UnreadableDocumentError: playa cannot open the file.
    """
    try:
        document = playa.parse(content, space="page")
    except UNREADABLE:
        raise _unreadable() from None
    with document:
        yield TextLayer(document)


def _unreadable() -> UnreadableDocumentError:
    return UnreadableDocumentError(
        "The second reader cannot read this file.", code="damaged", next_step="Print the report again."
    )


def _leaves(marks: Iterable[LTComponent]) -> Iterator[LTComponent]:
    for mark in marks:
        if isinstance(mark, LTContainer):
            yield from _leaves(mark)
        else:
            yield mark


def _frame(page: playa.Page) -> Frame:
    media = _turned(page.mediabox, page.rotate)
    crop = _turned(page.cropbox, page.rotate)
    height = media[3] - media[1]
    left, upper, _, lower = _from_above(media, height)
    return Frame(left=left, upper=upper, height=lower - upper, crop=_from_above(crop, height))


def _turned(box: Sequence[float], rotation: int) -> tuple[float, float, float, float]:
    x0, x1 = sorted((box[0], box[2]))
    y0, y1 = sorted((box[1], box[3]))
    return (y0, x0, y1, x1) if rotation % 360 in (90, 270) else (x0, y0, x1, y1)


def _from_above(
    box: tuple[float, float, float, float], height: float
) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    return x0, height - y1, x1, height - y0
