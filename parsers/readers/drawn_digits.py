"""What the eye sees of a record: pages are drawn, and the shapes of digits compared with what the text says they are.

All readers of text can be wrong in the same way, because the file itself tells them what each glyph means. Only the
drawn glyph does not lie.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np
import numpy.typing as npt
import pypdfium2

from parsers.readers.digit_shapes import Likeness, Picture, likenesses
from parsers.readers.page_drawing import AROUND, BESIDE, MARGIN, Drawing, Edges, Flags, Sheet
from parsers.readers.pdfium import opened
from parsers.readers.pdfium_glyphs import Boxes
from records.document import Document
from records.geometry import Region

_DIGIT_PIXELS = 22.0  # height of the smallest digit asked about; shapes are compared 24 pixels high
_SCALES = (2.0, 6.0)  # pixels a point
_MOST_PIXELS = 16_000_000  # of one drawing: an A4 page at six pixels a point has 18 million
_SLACK = 1.0  # points that two readers' boxes of one glyph may differ
_WIDEST = 1.15  # width by height of an upright digit; those of the widest faces are as wide as high
_COLUMN_GAP = 20.0  # points: columns of digits that stand closer are drawn as one
_MOSTLY = 0.5  # of all that is looked at: if digits are to be recognised in so much of it, all is drawn finely
_NO_AREA = 0.05  # points
_DIGITS = frozenset("0123456789")
_MOST_KNOWN = 4_000  # drawn digits remembered; a face in a few sizes has some hundred

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
    """Looks at the pages of an open document.

    Of each page the parts with digits to be recognised are drawn finely, once. To see that something is drawn where the
    other glyphs stand, coarser dots do; what is not seen in those is looked at finely too.
    """

    def __init__(self, pdf: pypdfium2.PdfDocument) -> None:
        self._pdf = pdf
        self._sheet = Sheet()
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
        on_paper = wanted[_overlap(glyphs.boxes[wanted], paper)]
        if not on_paper.size:
            return [Sight.NOTHING] * len(places)
        read = np.array([place.digits for place in places])[owner]
        digits = np.unique(found[read & glyphs.are_digits[found]])
        unseen, recognised = self._seen(paper, glyphs, on_paper, digits)
        other, unclear = (np.zeros(len(unseen), np.bool_) for _ in range(2))
        unclear[digits] = True
        for glyph, said in recognised.items():
            other[glyph] = said in (Likeness.OTHER, Likeness.NONE)
            unclear[glyph] = said is Likeness.UNCLEAR
        return _sights(
            len(places), owner, nothing=unseen[found], other=read & other[found], unclear=read & unclear[found]
        )

    def _seen(
        self, paper: Region, glyphs: _Glyphs, wanted: _Numbers, digits: _Numbers
    ) -> tuple[Flags, dict[int, Likeness]]:
        """Which glyphs are not seen (all but those wanted are not), and what those of the digits are that are."""
        boxes = glyphs.boxes
        unseen = np.ones(len(boxes), np.bool_)
        whole = _around(paper, boxes[wanted])
        fine = _scale(whole, _height(boxes[digits]))
        page = self._pdf[paper.page - 1]
        try:
            draw = partial(Drawing, page, paper, sheet=self._sheet)
            recognised: dict[int, Likeness] = {}
            closely = np.intersect1d(digits, wanted, assume_unique=True)
            strips = _strips(paper, boxes, closely)
            if sum([_area(part) for part, _ in strips]) > _MOSTLY * _area(whole):
                closely, strips = wanted, [(whole, wanted)]
            for part, inside in strips:
                drawing = draw(part, scale=fine)
                unseen[inside] = drawing.unseen(boxes[inside])
                shapes = np.intersect1d(inside, digits, assume_unique=True)
                recognised |= self._recognised(glyphs, shapes[~unseen[shapes]], drawing)
            others = np.setdiff1d(wanted, closely, assume_unique=True)
            if others.size:
                roughly = draw(_around(paper, boxes[others]), scale=_coarse(fine), smooth=False)
                unseen[others] = roughly.unseen(boxes[others], around=0.0)
            for part, inside in _strips(paper, boxes, others[unseen[others]]):
                unseen[inside] = draw(part, scale=fine).unseen(boxes[inside])
        finally:
            page.close()
        return unseen, recognised

    def _recognised(self, glyphs: _Glyphs, digits: _Numbers, drawing: Drawing) -> dict[int, Likeness]:
        """What the digits are that stand upright."""
        boxes = glyphs.boxes[digits]
        upright = boxes[:, 2] - boxes[:, 0] <= _WIDEST * (boxes[:, 3] - boxes[:, 1])
        shapes: list[int] = digits[upright].tolist()
        said = self._recognised_once(glyphs, shapes, drawing)
        # The box of a face that is not in the file may be another face's and cut the shape off.
        doubted = [glyph for glyph in shapes if said[glyph] is not Likeness.SAME]
        again = _likenesses(glyphs, doubted, drawing.whole_ink)
        return said | {glyph: likeness for glyph, likeness in again.items() if likeness is Likeness.SAME}

    def _recognised_once(self, glyphs: _Glyphs, digits: Sequence[int], drawing: Drawing) -> dict[int, Likeness]:
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


def _overlap(boxes: Boxes, paper: Region) -> Flags:
    """Which boxes share an area with the paper."""
    across = np.minimum(boxes[:, 2], paper.x1) > np.maximum(boxes[:, 0], paper.x0)
    down = np.minimum(boxes[:, 3], paper.bottom) > np.maximum(boxes[:, 1], paper.top)
    overlap: Flags = across & down
    return overlap


def _around(paper: Region, boxes: Boxes) -> Region:
    (x0, top), (x1, bottom) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    return Region(paper.page, x0, top, x1, bottom)


def _strips(paper: Region, boxes: Boxes, glyphs: _Numbers) -> list[tuple[Region, _Numbers]]:
    """The columns in which these glyphs stand, with what may belong to them beside their boxes, and their glyphs."""
    if not glyphs.size:
        return []
    order = glyphs[np.argsort(boxes[glyphs, 0], kind="stable")]
    reached = np.maximum.accumulate(boxes[order, 2])
    gaps = np.flatnonzero(boxes[order[1:], 0] - reached[:-1] > _COLUMN_GAP) + 1
    found: list[tuple[Region, _Numbers]] = []
    for inside in np.split(order, gaps):
        box = _around(paper, boxes[inside])
        more = BESIDE * float((boxes[inside, 3] - boxes[inside, 1]).max())
        found.append((Region(box.page, box.x0 - more, box.top, box.x1 + more, box.bottom), np.sort(inside)))
    return found


def _area(part: Region) -> float:
    return (part.x1 - part.x0) * (part.bottom - part.top)


def _scale(part: Region, smallest: float) -> float:
    """Dots a point at which the smallest digit to be recognised is drawn high enough, and the part not too large."""
    low, high = _SCALES
    fine = min(max(_DIGIT_PIXELS / max(smallest, 0.1), low), high)
    across, down = part.x1 - part.x0 + 2 * MARGIN, part.bottom - part.top + 2 * MARGIN
    return float(min(fine, (_MOST_PIXELS / (across * down)) ** 0.5))


def _coarse(fine: float) -> float:
    """Dots a point at which no more of the neighbours comes into a glyph's box than at a fine scale.

    A dot and a half beside the box may show what stands there: pdfium moves glyphs by up to half a dot, and boxes end
    amid dots. Finely, `AROUND` comes to it.
    """
    return 1.5 / (AROUND + 1.5 / fine)


def _height(digits: Boxes) -> float:
    return float((digits[:, 3] - digits[:, 1]).min(initial=np.inf)) if len(digits) else _DIGIT_PIXELS / _SCALES[0]


def _sights(places: int, owner: _Numbers, *, nothing: Flags, other: Flags, unclear: Flags) -> list[Sight]:
    """What is seen at each place, out of what is seen of each of its glyphs; the worst counts."""
    sights = [Sight.SAME] * places
    for flags, sight in ((unclear, Sight.UNCLEAR), (other, Sight.OTHER), (nothing, Sight.NOTHING)):
        for place in np.unique(owner[flags]).tolist():
            sights[place] = sight
    return sights
