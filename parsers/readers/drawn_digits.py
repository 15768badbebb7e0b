"""What the eye sees of a record: pages are drawn, and the shapes of digits compared with what the text says they are.

All readers of text can be wrong in the same way, because the file itself tells them what each glyph means. Only the
drawn glyph does not lie.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
import pypdfium2

from parsers.readers.digit_shapes import Likeness, Picture, likenesses
from parsers.readers.pdfium import opened
from records.document import Document, Page, Word
from records.geometry import Region, around

_DIGIT_PIXELS = 22.0  # height of the smallest digit asked about; shapes are compared 24 pixels high
_SCALES = (2.0, 6.0)  # pixels a point
_MOST_PIXELS = 16_000_000  # of one drawing: an A4 page at six pixels a point has 18 million
_FAINT = 10  # of 255: what differs less from its surroundings is not seen on paper
_AROUND = 0.3  # points around a glyph's box in which its surroundings are looked at
_MARGIN = 2.0  # points drawn around what is looked at
_SLACK = 1.0  # points that two readers' boxes of one glyph may differ
_WIDEST = 1.15  # width by height of an upright digit; those of the widest faces are as wide as high
_BESIDE = 0.4  # heights of a digit by which its box may be too narrow on a side
_GAP = 0.35  # of the strongest ink: less is the gap between two glyphs
_NO_AREA = 0.05  # points
_DOTS = 5  # looked at across a glyph's box, and down it, before all of them are
_DIGITS = frozenset("0123456789")

# What was said of a digit of the text drawn with these dots.
_Known = dict[tuple[str, tuple[tuple[int, ...], bytes, tuple[int, ...], bytes]], Likeness]


@dataclass(frozen=True, slots=True)
class Place:
    """A printed value to look at.

    Attributes:
        region: Where it is printed.
        digits: Whether its digits are to be recognised; else it is enough that something is drawn there.
    """

    region: Region
    digits: bool


class Sight(Enum):
    """What the eye sees where the text has a value."""

    SAME = "the digits of the text"
    OTHER = "other shapes than the digits of the text"
    NOTHING = "nothing"
    UNCLEAR = "shapes that cannot be told for sure"


def look(content: bytes, glyphs: Document, places: Iterable[Place]) -> dict[Place, Sight]:
    """What is seen at each place. Each page is drawn once, and only the part that holds its places.

    Args:
        content: The PDF.
        glyphs: Its glyphs with the boxes of their ink, as `pdfium.glyphs_of` gives them.
        places: The values to look at.
    """
    by_page = {page.number: page for page in glyphs.pages}
    seen: dict[Place, Sight] = {}
    known: _Known = {}
    with opened(content) as pdf:
        for number, group in itertools.groupby(sorted(set(places), key=_page_of), key=_page_of):
            seen.update(_look_at_page(pdf, by_page[number], list(group), known))
    return seen


def _page_of(place: Place) -> int:
    return place.region.page


def _look_at_page(pdf: pypdfium2.PdfDocument, page: Page, places: Sequence[Place], known: _Known) -> dict[Place, Sight]:
    glyphs = _Glyphs(page)
    printed = [(place, glyphs.inside(place.region)) for place in places]
    wanted = [glyph for _, found in printed for glyph in found]
    paper = Region(page.number, 0, 0, page.width, page.height)
    on_paper = [glyph.region for glyph in wanted if glyph.region.overlaps(paper)]
    if wanted and not on_paper:
        return dict.fromkeys(places, Sight.NOTHING)
    if not wanted:
        return dict.fromkeys(places, Sight.UNCLEAR)
    digits = list(dict.fromkeys(g for place, found in printed if place.digits for g in found if g.text in _DIGITS))
    drawing = _Drawing(pdf, page, around(on_paper), smallest=_height(digits))
    unseen = set(drawing.unseen(wanted))
    shapes = [glyph for glyph in digits if glyph not in unseen and not _lies_on_its_side(glyph)]
    recognised = dict.fromkeys(digits, Likeness.UNCLEAR) | _recognised_once(shapes, drawing, known)
    # The box of a face that is not in the file may be another face's and cut the shape off.
    doubted = [glyph for glyph in shapes if recognised[glyph] is not Likeness.SAME]
    again = _recognised(doubted, drawing.whole_ink)
    recognised |= {glyph: said for glyph, said in again.items() if said is Likeness.SAME}
    return {place: _sight(found, unseen, recognised if place.digits else {}) for place, found in printed}


def _recognised(digits: Sequence[Word], ink: Callable[[Region], Picture]) -> dict[Word, Likeness]:
    said = likenesses([ink(glyph.region) for glyph in digits], "".join(glyph.text for glyph in digits))
    return dict(zip(digits, said, strict=True))


def _recognised_once(digits: Sequence[Word], drawing: _Drawing, known: _Known) -> dict[Word, Likeness]:
    """What the digits are; of those that are drawn alike, dot by dot, only one is compared.

    A report prints its rows at even distances, so that four of five digits of a page are drawn like another one, and
    after a few pages nearly all.
    """
    pixels = [(digit.text, drawing.pixels(digit.region)) for digit in digits]
    new = {drawn: digit for drawn, digit in zip(pixels, digits, strict=True) if drawn not in known}
    said = _recognised(list(new.values()), drawing.ink)
    known.update({drawn: said[digit] for drawn, digit in new.items()})
    return {digit: known[drawn] for drawn, digit in zip(pixels, digits, strict=True)}


class _Glyphs:
    """The glyphs of a page by height, so that a place is looked up without walking the page."""

    def __init__(self, page: Page) -> None:
        # The second letter of a ligature has a box without area: it is drawn with the first.
        drawn = [g for g in page.words if min(g.region.x1 - g.region.x0, g.region.bottom - g.region.top) > _NO_AREA]
        placed = sorted([(glyph.region.center, glyph) for glyph in drawn], key=lambda item: item[0][1])
        self._glyphs = [glyph for _, glyph in placed]
        self._heights = [y for (_, y), _ in placed]
        self._across = np.array([x for (x, _), _ in placed])

    def inside(self, region: Region) -> list[Word]:
        low = bisect.bisect_left(self._heights, region.top - _SLACK)
        high = bisect.bisect_right(self._heights, region.bottom + _SLACK)
        across = self._across[low:high]
        inside = (across >= region.x0 - _SLACK) & (across <= region.x1 + _SLACK)
        return [self._glyphs[low + number] for number in np.flatnonzero(inside).tolist()]


def _lies_on_its_side(digit: Word) -> bool:
    box = digit.region
    return box.x1 - box.x0 > _WIDEST * (box.bottom - box.top)


def _height(digits: Sequence[Word]) -> float:
    return min((g.region.bottom - g.region.top for g in digits), default=_DIGIT_PIXELS / _SCALES[0])


def _sight(glyphs: Sequence[Word], unseen: set[Word], recognised: dict[Word, Likeness]) -> Sight:
    if unseen and not unseen.isdisjoint(glyphs):
        return Sight.NOTHING
    said = {recognised[glyph] for glyph in glyphs if glyph in recognised}
    if said & {Likeness.OTHER, Likeness.NONE}:
        return Sight.OTHER
    return Sight.UNCLEAR if Likeness.UNCLEAR in said else Sight.SAME


class _Drawing:
    """The part of a page that holds a region, in grey."""

    def __init__(self, pdf: pypdfium2.PdfDocument, page: Page, part: Region, *, smallest: float) -> None:
        across, down = part.x1 - part.x0 + 2 * _MARGIN, part.bottom - part.top + 2 * _MARGIN
        low, high = _SCALES
        fine = min(max(_DIGIT_PIXELS / max(smallest, 0.1), low), high)
        scale = min(fine, (_MOST_PIXELS / (across * down)) ** 0.5)
        cut = [part.x0, page.height - part.bottom, page.width - part.x1, part.top]
        left, below, right, above = (max(edge - _MARGIN, 0.0) for edge in cut)
        shown = pdf[page.number - 1]
        try:
            drawn = shown.render(scale=scale, crop=(left, below, right, above), grayscale=True)
            self._pixels: npt.NDArray[np.uint8] = drawn.to_numpy().reshape(drawn.height, drawn.width).copy()
            drawn.close()
        finally:
            shown.close()
        # The page is drawn on whole pixels, and whole pixels are cut off.
        self._across, self._down = (
            math.ceil(page.width * scale) / page.width,
            math.ceil(page.height * scale) / page.height,
        )
        self._left, self._above = math.ceil(left * scale), math.ceil(above * scale)

    def unseen(self, glyphs: Sequence[Word]) -> list[Word]:
        """The glyphs of which nothing is seen. Where a few dots of a box differ, the others need no look."""
        boxes = np.array([glyph.region.box for glyph in glyphs])
        columns, on_columns = _spread(boxes[:, 0], boxes[:, 2], self._across, self._left, self._pixels.shape[1])
        rows, on_rows = _spread(boxes[:, 1], boxes[:, 3], self._down, self._above, self._pixels.shape[0])
        dots = self._pixels[rows[:, :, None], columns[:, None, :]].reshape(len(glyphs), -1).astype(np.int16)
        differ = on_columns & on_rows & (dots.max(axis=1) - dots.min(axis=1) >= _FAINT)
        return [g for g, seen in zip(glyphs, differ.tolist(), strict=True) if not seen and not self._shows(g.region)]

    def pixels(self, region: Region) -> tuple[tuple[int, ...], bytes, tuple[int, ...], bytes]:
        """All that `ink` depends on."""
        wider, inner = self._cut(region, _AROUND), self._cut(region, 0.0)
        return wider.shape, wider.tobytes(), inner.shape, inner.tobytes()

    def _shows(self, region: Region) -> bool:
        """Whether anything is seen in a glyph's box."""
        wider = self._cut(region, _AROUND)
        return bool(wider.size) and int(wider.max()) - int(wider.min()) >= _FAINT

    def ink(self, region: Region) -> Picture:
        """The ink in a glyph's box against what surrounds it, of any colour."""
        return self._against(self._background(region), self._cut(region, 0.0))

    def whole_ink(self, region: Region) -> Picture:
        """The ink in a glyph's box with what is joined to it beside the box, out to the next gap."""
        more = _BESIDE * (region.bottom - region.top)
        wide = Region(region.page, max(region.x0 - more, 0.0), region.top, region.x1 + more, region.bottom)
        ink = self._against(self._background(region), self._cut(wide, 0.0))
        gaps = np.flatnonzero(~(ink > _GAP).any(axis=0))
        first = math.floor(region.x0 * self._across) - math.floor(wide.x0 * self._across)
        last = first + self._cut(region, 0.0).shape[1]
        left = gaps[gaps < first + 1].max(initial=-1) + 1
        right = gaps[gaps >= last - 1].min(initial=ink.shape[1])
        return ink[:, left:right] if left < right else ink

    def _background(self, region: Region) -> float:
        wider = self._cut(region, _AROUND)
        edge = np.sort(np.concatenate([wider[0], wider[-1], wider[:, 0], wider[:, -1]]))
        return float(edge[len(edge) // 2])

    def _against(self, background: float, pixels: npt.NDArray[np.uint8]) -> Picture:
        ink = np.abs(pixels.astype(np.float32) - background)
        shape: Picture = ink / np.float32(max(float(ink.max()), 1.0))
        return shape

    def _cut(self, region: Region, more: float) -> npt.NDArray[np.uint8]:
        x0 = max(math.floor((region.x0 - more) * self._across) - self._left, 0)
        top = max(math.floor((region.top - more) * self._down) - self._above, 0)
        x1 = max(math.ceil((region.x1 + more) * self._across) - self._left, 0)
        bottom = max(math.ceil((region.bottom + more) * self._down) - self._above, 0)
        return self._pixels[top:bottom, x0:x1]


def _spread(
    low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], scale: float, offset: int, end: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """A few dots between each low and high edge, and whether all of them are in the drawing.

    Args:
        low: Edges in points.
        high: The other edges.
        scale: Dots a point.
        offset: How many dots of the page lie before the drawing.
        end: How many dots the drawing has.
    """
    first = np.floor(low * scale) - offset
    last = np.ceil(high * scale) - offset - 1
    share = np.linspace(0, 1, _DOTS)[None, :]
    found = np.rint(first[:, None] + (last - first)[:, None] * share).astype(np.int64)
    return np.clip(found, 0, end - 1), (first >= 0) & (last < end) & (first <= last)
