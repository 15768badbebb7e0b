"""playa: what is drawn on a page, interpreted once for the two readers that look at it."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import playa
from playa.exceptions import PDFException
from playa.font import Font, Type3Font
from playa.miner import LTChar, LTComponent, LTContainer, LTCurve, LTPage
from playa.pdftypes import LIT, ContentStream, PDFObject, resolve1

from parsers.readers.frame import Frame
from parsers.readers.playa_glyphs import layout_of
from records.errors import UnreadableDocumentError

# Pages whose marks are kept from the first reading to the second, about a megabyte each. What lies further back is
# interpreted again: a long document costs time instead of memory.
_KEPT_PAGES = 64
_KEPT_OF_MANY = 16  # of a document with more pages, whose words take the memory
# What damaged or hostile files make playa raise; its own words may quote the page.
UNREADABLE = (
    PDFException, RuntimeError, ValueError, IndexError, KeyError, TypeError, AttributeError, AssertionError,
    ZeroDivisionError, OverflowError,
)  # fmt: skip
_DRAWS = re.compile(rb"/([^\s/\[\]<>(){}%]+)\s+Do\b")
_NESTED_FORMS = 25  # deeper than any print nests them
_FORM = LIT("Form")
_SYMBOLS = frozenset({"Symbol", "ZapfDingbats"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is drawn on one page, in the order of drawing; y upwards from the lower edge of the media box.

    Attributes:
        glyphs: Every glyph, those in forms included.
        curves: Lines, boxes and curves.
        layout: The same as a page for camelot, which may be analysed once.
        as_pdfminer: Whether pdfminer measures and decodes every font of the page in the same way.
    """

    frame: Frame
    glyphs: tuple[LTChar, ...]
    curves: tuple[LTCurve, ...]
    layout: LTPage
    as_pdfminer: bool


class TextLayer:
    """The pages of an open document. Not safe for threads."""

    def __init__(self, document: playa.Document) -> None:
        self._document = document
        self._kept: OrderedDict[int, Marks] = OrderedDict()
        self._most = _KEPT_PAGES if len(document.pages) <= _KEPT_PAGES else _KEPT_OF_MANY

    def marks(self, number: int) -> Marks:
        """What is drawn on page `number`, from 1; kept for the next call.

        Raises:
            UnreadableDocumentError: playa cannot interpret the page.
        """
        found = self._kept.get(number)
        if found is None:
            found = self._kept[number] = self._interpreted(number)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found

    def take(self, number: int) -> Marks:
        """As `marks`, for a caller that analyses the layout: nothing is kept."""
        return self._kept.pop(number, None) or self._interpreted(number)

    def _interpreted(self, number: int) -> Marks:
        try:
            page = self._document.pages[number - 1]
            if _draws_itself(page):
                raise _unreadable()
            layout = layout_of(page)
            glyphs: list[LTChar] = []
            curves: list[LTCurve] = []
            _sort_out(layout, glyphs, curves)
            return Marks(
                frame=_frame(page),
                glyphs=tuple(glyphs),
                curves=tuple(curves),
                layout=layout,
                as_pdfminer=_fonts_as_pdfminer(page, {glyph.fontname for glyph in glyphs}),
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


def _sort_out(marks: LTContainer[LTComponent], glyphs: list[LTChar], curves: list[LTCurve]) -> None:
    for mark in marks:
        if isinstance(mark, LTChar):
            glyphs.append(mark)
        elif isinstance(mark, LTCurve):
            curves.append(mark)
        elif isinstance(mark, LTContainer):
            _sort_out(mark, glyphs, curves)


def _draws_itself(page: playa.Page) -> bool:
    """Whether a form of the page draws itself, be it through others: playa would follow it for minutes."""
    own = _dictionary(page.resources.get("XObject"))
    finished: set[int] = set()

    def leads_back(form: ContentStream, above: frozenset[int]) -> bool:
        key = id(form) if form.objid is None else form.objid
        if key in above or len(above) > _NESTED_FORMS:
            return True
        if key in finished:
            return False
        inner = _dictionary(_dictionary(form["Resources"]).get("XObject")) if "Resources" in form else own
        drawn = {name.decode("latin-1") for name in _DRAWS.findall(form.buffer)}
        found = any(leads_back(each, above | {key}) for each in _forms(inner, drawn))
        finished.add(key)
        return found

    return any(leads_back(form, frozenset()) for form in _forms(own, set(own)))


def _dictionary(value: PDFObject) -> dict[str, PDFObject]:
    found = resolve1(value)
    return found if isinstance(found, dict) else {}


def _forms(named: dict[str, PDFObject], drawn: Collection[str]) -> list[ContentStream]:
    """The forms among the pictures and forms of these names."""
    found = [resolve1(each) for name, each in named.items() if name in drawn]
    return [each for each in found if isinstance(each, ContentStream) and resolve1(each.get("Subtype")) == _FORM]


def _fonts_as_pdfminer(page: playa.Page, used: set[str]) -> bool:
    """Whether every font in use is one of the page's own, and pdfminer treats it alike.

    The libraries differ where a font does not say how deep its letters reach (pdfminer: 0; playa: 120 thousandths, or
    the font's box), where letters are drawings (Type 3), and in the two standard fonts of symbols, which pdfminer
    decodes as if they held letters.
    """
    own: dict[str, list[Font]] = {}
    for font in page.fonts.values():
        own.setdefault(font.fontname, []).append(font)
    return all(name in own and all(map(_as_pdfminer, own[name])) for name in used)


def _as_pdfminer(font: Font) -> bool:
    if isinstance(font, Type3Font) or font.vertical or font.basefont.split("+")[-1] in _SYMBOLS:
        return False
    ascent, descent = font.descriptor.get("Ascent"), font.descriptor.get("Descent")
    return descent is not None and not (not resolve1(ascent) and not resolve1(descent))


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


def _from_above(box: tuple[float, float, float, float], height: float) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    return x0, height - y1, x1, height - y0
