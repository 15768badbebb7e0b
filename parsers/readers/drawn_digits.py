"""What the eye sees of a record: pages are drawn, and the shapes of digits compared with what the text says they are.

All readers of text can be wrong in the same way, because the file itself tells them what each glyph means. Only the
drawn glyph does not lie.
"""

from __future__ import annotations

import ctypes
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
from parsers.readers.pdfium_glyphs import Boxes
from records.document import Document
from records.geometry import Region

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
_MOST_KNOWN = 4_000  # drawn digits remembered; a face in a few sizes has some hundred

Edges = tuple[float, float, float, float]
"""Left, upper, right and lower edge of a box, in points."""

_Flags = npt.NDArray[np.bool_]
_Numbers = npt.NDArray[np.int64]


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
    """What is seen at each place.

    Args:
        content: The PDF.
        glyphs: Its glyphs with the boxes of their ink, as `pdfium.glyphs_of` gives them.
        places: The values to look at.
    """
    by_page = {page.number: page for page in glyphs.pages}
    seen: dict[Place, Sight] = {}
    with opened(content) as pdf:
        eye = Eye(pdf)
        for number, group in itertools.groupby(sorted(set(places), key=_page_of), key=_page_of):
            printed = list(group)
            page = by_page[number]
            boxes = np.array([_edges_of(word.region) for word in page.words], np.float64).reshape(-1, 4)
            letters = [word.text for word in page.words]
            paper = Region(number, 0, 0, page.width, page.height)
            seen.update(zip(printed, eye.look_at(paper, letters, boxes, printed), strict=True))
    return seen


def _page_of(place: Place) -> int:
    return place.region.page


def _edges_of(box: Region) -> tuple[float, float, float, float]:
    return box.x0, box.top, box.x1, box.bottom


class Eye:
    """Looks at the pages of an open document. Each is drawn once, and only the part that holds its places."""

    def __init__(self, pdf: pypdfium2.PdfDocument) -> None:
        self._pdf = pdf
        self._sheet = _Sheet()
        self._known: dict[tuple[object, ...], Likeness] = {}

    def look_at(self, paper: Region, letters: Sequence[str], boxes: Boxes, places: Sequence[Place]) -> list[Sight]:
        """What is seen at each of some places of one page.

        Args:
            paper: The page.
            letters: The character of each glyph of the page.
            boxes: The box of the ink of each.
            places: The values to look at.
        """
        glyphs = _Glyphs(letters, boxes)
        owner, found = glyphs.inside(places)
        wanted = np.unique(found)
        if not wanted.size:
            return [Sight.UNCLEAR] * len(places)
        part = _around_what_lies_on(paper, glyphs.boxes[wanted])
        if part is None:
            return [Sight.NOTHING] * len(places)
        read = np.array([place.digits for place in places])[owner]
        digits = np.unique(found[read & glyphs.are_digits[found]])
        drawing = _Drawing(self._pdf, paper, part, smallest=_height(glyphs.boxes[digits]), sheet=self._sheet)
        unseen = np.zeros(len(glyphs.boxes), np.bool_)
        unseen[wanted] = drawing.unseen(glyphs.boxes[wanted])
        recognised = self._recognised(glyphs, digits[~unseen[digits]], drawing)
        other, unclear = (np.zeros(len(unseen), np.bool_) for _ in range(2))
        unclear[digits] = True
        for glyph, said in recognised.items():
            other[glyph] = said in (Likeness.OTHER, Likeness.NONE)
            unclear[glyph] = said is Likeness.UNCLEAR
        return _sights(
            len(places), owner, nothing=unseen[found], other=read & other[found], unclear=read & unclear[found]
        )

    def _recognised(self, glyphs: _Glyphs, digits: _Numbers, drawing: _Drawing) -> dict[int, Likeness]:
        """What the digits are that stand upright."""
        boxes = glyphs.boxes[digits]
        upright = boxes[:, 2] - boxes[:, 0] <= _WIDEST * (boxes[:, 3] - boxes[:, 1])
        shapes: list[int] = digits[upright].tolist()
        said = self._recognised_once(glyphs, shapes, drawing)
        # The box of a face that is not in the file may be another face's and cut the shape off.
        doubted = [glyph for glyph in shapes if said[glyph] is not Likeness.SAME]
        again = _likenesses(glyphs, doubted, drawing.whole_ink)
        return said | {glyph: likeness for glyph, likeness in again.items() if likeness is Likeness.SAME}

    def _recognised_once(self, glyphs: _Glyphs, digits: Sequence[int], drawing: _Drawing) -> dict[int, Likeness]:
        """What the digits are; of those that are drawn alike, dot by dot, only one is compared.

        A report prints its rows at even distances, so that four of five digits of a page are drawn like another one,
        and after a few pages nearly all.
        """
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        dots = drawing.dots(glyphs.boxes[digits])
        drawn = [(glyphs.letters[digit], *each) for digit, each in zip(digits, dots, strict=True)]
        new = {shape: digit for shape, digit in zip(drawn, digits, strict=True) if shape not in self._known}
        said = _likenesses(glyphs, list(new.values()), drawing.ink)
        self._known.update({shape: said[digit] for shape, digit in new.items()})
        return {digit: self._known[shape] for shape, digit in zip(drawn, digits, strict=True)}


def _likenesses(glyphs: _Glyphs, digits: Sequence[int], ink: Callable[[Edges], Picture]) -> dict[int, Likeness]:
    boxes: list[Edges] = [(x0, top, x1, bottom) for x0, top, x1, bottom in glyphs.boxes[digits].tolist()]
    said = likenesses([ink(box) for box in boxes], "".join([glyphs.letters[digit] for digit in digits]))
    return dict(zip(digits, said, strict=True))


class _Glyphs:
    """The glyphs of a page by height, so that places are looked up without walking the page."""

    def __init__(self, letters: Sequence[str], boxes: Boxes) -> None:
        # The second letter of a ligature has a box without area: it is drawn with the first.
        drawn = np.flatnonzero(np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) > _NO_AREA)
        heights = (boxes[drawn, 1] + boxes[drawn, 3]) / 2
        order = np.argsort(heights, kind="stable")
        numbers = drawn[order]
        self.boxes = boxes[numbers]
        self.letters = [letters[number] for number in numbers.tolist()]
        self.are_digits = np.array([letter in _DIGITS for letter in self.letters], np.bool_)
        self._heights = heights[order]
        self._across = (self.boxes[:, 0] + self.boxes[:, 2]) / 2

    def inside(self, places: Sequence[Place]) -> tuple[_Numbers, _Numbers]:
        """The places that hold glyphs, once for each, and these glyphs."""
        edges = np.array([_edges_of(place.region) for place in places], np.float64)
        low = np.searchsorted(self._heights, edges[:, 1] - _SLACK, side="left")
        high = np.searchsorted(self._heights, edges[:, 3] + _SLACK, side="right")
        many = high - low
        owner = np.repeat(np.arange(len(places)), many)
        glyph = np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(low, many)
        across = self._across[glyph]
        held = (across >= edges[owner, 0] - _SLACK) & (across <= edges[owner, 2] + _SLACK)
        return owner[held], glyph[held]


def _around_what_lies_on(paper: Region, boxes: Boxes) -> Region | None:
    """The box around those that overlap the paper; None if none does."""
    on_paper = boxes[
        (np.minimum(boxes[:, 2], paper.x1) > np.maximum(boxes[:, 0], paper.x0))
        & (np.minimum(boxes[:, 3], paper.bottom) > np.maximum(boxes[:, 1], paper.top))
    ]
    if not on_paper.size:
        return None
    (x0, top), (x1, bottom) = on_paper[:, :2].min(axis=0).tolist(), on_paper[:, 2:].max(axis=0).tolist()
    return Region(paper.page, x0, top, x1, bottom)


def _height(digits: Boxes) -> float:
    return float((digits[:, 3] - digits[:, 1]).min(initial=np.inf)) if len(digits) else _DIGIT_PIXELS / _SCALES[0]


def _sights(places: int, owner: _Numbers, *, nothing: _Flags, other: _Flags, unclear: _Flags) -> list[Sight]:
    """What is seen at each place, out of what is seen of each of its glyphs; the worst counts."""
    sights = [Sight.SAME] * places
    for flags, sight in ((unclear, Sight.UNCLEAR), (other, Sight.OTHER), (nothing, Sight.NOTHING)):
        for place in np.unique(owner[flags]).tolist():
            sights[place] = sight
    return sights


class _Sheet:
    """What pages are drawn on, one after the other: new memory for each would cost as much as drawing."""

    def __init__(self) -> None:
        self._memory = (ctypes.c_ubyte * 0)()

    def of(self, width: int, height: int, **kind: int) -> pypdfium2.PdfBitmap:
        """A bitmap in the memory of the one before, not cleared."""
        if len(self._memory) < width * height:
            self._memory = (ctypes.c_ubyte * (width * height))()
        return pypdfium2.PdfBitmap.new_native(width, height, buffer=self._memory, stride=width, **kind)


class _Drawing:
    """The part of a page that holds a region, in grey; good until the sheet takes the next."""

    def __init__(
        self, pdf: pypdfium2.PdfDocument, paper: Region, part: Region, *, smallest: float, sheet: _Sheet
    ) -> None:
        across, down = part.x1 - part.x0 + 2 * _MARGIN, part.bottom - part.top + 2 * _MARGIN
        low, high = _SCALES
        fine = min(max(_DIGIT_PIXELS / max(smallest, 0.1), low), high)
        scale = min(fine, (_MOST_PIXELS / (across * down)) ** 0.5)
        cut = [part.x0, paper.bottom - part.bottom, paper.x1 - part.x1, part.top]
        left, below, right, above = (max(edge - _MARGIN, 0.0) for edge in cut)
        shown = pdf[paper.page - 1]
        try:
            drawn = shown.render(scale=scale, crop=(left, below, right, above), grayscale=True, bitmap_maker=sheet.of)
            self._pixels: npt.NDArray[np.uint8] = drawn.to_numpy()
            drawn.close()
        finally:
            shown.close()
        # The page is drawn on whole pixels, and whole pixels are cut off.
        self._across, self._down = (
            math.ceil(paper.x1 * scale) / paper.x1,
            math.ceil(paper.bottom * scale) / paper.bottom,
        )
        self._left, self._above = math.ceil(left * scale), math.ceil(above * scale)

    def unseen(self, boxes: Boxes) -> _Flags:
        """Of which glyphs nothing is seen. Where a few dots of a box differ, the others need no look."""
        columns, on_columns = _spread(boxes[:, 0], boxes[:, 2], self._across, self._left, self._pixels.shape[1])
        rows, on_rows = _spread(boxes[:, 1], boxes[:, 3], self._down, self._above, self._pixels.shape[0])
        dots = self._pixels[rows[:, :, None], columns[:, None, :]].reshape(len(boxes), -1)
        unseen: _Flags = ~(on_columns & on_rows & (dots.max(axis=1) - dots.min(axis=1) >= _FAINT))
        doubted = np.flatnonzero(unseen)
        for number, (left, top, right, bottom) in zip(
            doubted.tolist(), self._cuts(boxes[doubted], _AROUND), strict=True
        ):
            wider = self._pixels[top:bottom, left:right]
            unseen[number] = not wider.size or int(wider.max()) - int(wider.min()) < _FAINT
        return unseen

    def dots(self, boxes: Boxes) -> list[tuple[object, ...]]:
        """All that `ink` depends on, for each glyph: its dots, those around it, and how they lie to each other."""
        found: list[tuple[object, ...]] = []
        cuts = zip(self._cuts(boxes, 0.0), self._cuts(boxes, _AROUND), strict=True)
        for (x0, y0, x1, y1), (left, top, right, bottom) in cuts:
            wider = self._pixels[top:bottom, left:right]
            found.append((x0 - left, x1 - left, y0 - top, y1 - top, wider.shape, wider.tobytes()))
        return found

    def ink(self, box: Edges) -> Picture:
        """The ink in a glyph's box against what surrounds it, of any colour."""
        return self._against(self._background(box), self._cut(box, 0.0))

    def whole_ink(self, box: Edges) -> Picture:
        """The ink in a glyph's box with what is joined to it beside the box, out to the next gap."""
        x0, top, x1, bottom = box
        more = _BESIDE * (bottom - top)
        from_left = max(x0 - more, 0.0)
        ink = self._against(self._background(box), self._cut((from_left, top, x1 + more, bottom), 0.0))
        gaps = np.flatnonzero(~(ink > _GAP).any(axis=0))
        first = math.floor(x0 * self._across) - math.floor(from_left * self._across)
        last = first + self._cut(box, 0.0).shape[1]
        left = gaps[gaps < first + 1].max(initial=-1) + 1
        right = gaps[gaps >= last - 1].min(initial=ink.shape[1])
        return ink[:, left:right] if left < right else ink

    def _background(self, box: Edges) -> float:
        wider = self._cut(box, _AROUND)
        edge = np.sort(np.concatenate([wider[0], wider[-1], wider[:, 0], wider[:, -1]]))
        return float(edge[len(edge) // 2])

    def _against(self, background: float, pixels: npt.NDArray[np.uint8]) -> Picture:
        ink = np.abs(pixels.astype(np.float32) - background)
        shape: Picture = ink / np.float32(max(float(ink.max()), 1.0))
        return shape

    def _cut(self, box: Edges, more: float) -> npt.NDArray[np.uint8]:
        ((left, top, right, bottom),) = self._cuts(np.array([box]), more)
        return self._pixels[top:bottom, left:right]

    def _cuts(self, boxes: Boxes, more: float) -> list[tuple[int, int, int, int]]:
        """The dots of each box and of so many points around it: first and end column and row, never negative."""
        scale = np.array([self._across, self._down])
        before = np.array([self._left, self._above])
        first = np.floor((boxes[:, :2] - more) * scale) - before
        end = np.ceil((boxes[:, 2:] + more) * scale) - before
        dots = np.maximum(np.hstack([first, end]), 0).astype(np.int64)
        return [(left, top, right, bottom) for left, top, right, bottom in dots.tolist()]


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
