"""pdfium: parts of pages drawn in grey, and what is seen in a glyph's box."""

from __future__ import annotations

import ctypes
import math

import numpy as np
import numpy.typing as npt
import pypdfium2

from parsers.readers.digit_shapes import Picture
from parsers.readers.pdfium_glyphs import Boxes
from records.geometry import Region

Edges = tuple[float, float, float, float]
"""Left, upper, right and lower edge of a box, in points."""

Flags = npt.NDArray[np.bool_]

AROUND = 0.3  # points around a glyph's box in which its surroundings are looked at
BESIDE = 0.4  # heights of a digit by which its box may be too narrow on a side
_FAINT = 10  # of 255: what differs less from its surroundings is not seen on paper
MARGIN = 2.0  # points drawn around what is looked at
_GAP = 0.35  # of the strongest ink: less is the gap between two glyphs
_DOTS = 5  # looked at across a glyph's box, and down it, before all of them are


class Sheet:
    """What pages are drawn on, one after the other: new memory for each would cost as much as drawing."""

    def __init__(self) -> None:
        self._memory = (ctypes.c_ubyte * 0)()

    def of(self, width: int, height: int, **kind: int) -> pypdfium2.PdfBitmap:
        """A bitmap in the memory of the one before, not cleared."""
        if len(self._memory) < width * height:
            self._memory = (ctypes.c_ubyte * (width * height))()
        return pypdfium2.PdfBitmap.new_native(width, height, buffer=self._memory, stride=width, **kind)


class Drawing:
    """The part of a page that holds a region, in grey; good until the sheet takes the next.

    Pages are drawn on whole dots, and whole dots are cut off: every part of a page has the dots that the page has.
    """

    def __init__(
        self, page: pypdfium2.PdfPage, paper: Region, part: Region, *, scale: float, sheet: Sheet, smooth: bool = True
    ) -> None:
        """Draw a part of an open page.

        Args:
            page: The page.
            paper: All of it as displayed.
            part: What is needed of it; points around it are drawn too.
            scale: Dots a point.
            sheet: What to draw on.
            smooth: Whether lines and areas are smoothed; text always is.
        """
        cut = [part.x0, paper.bottom - part.bottom, paper.x1 - part.x1, part.top]
        left, below, right, above = (max(edge - MARGIN, 0.0) for edge in cut)
        drawn = page.render(
            scale=scale,
            crop=(left, below, right, above),
            grayscale=True,
            no_smoothpath=not smooth,
            bitmap_maker=sheet.of,
        )
        self._pixels: npt.NDArray[np.uint8] = drawn.to_numpy()
        drawn.close()
        self._across, self._down = (
            math.ceil(paper.x1 * scale) / paper.x1,
            math.ceil(paper.bottom * scale) / paper.bottom,
        )
        self._left, self._above = math.ceil(left * scale), math.ceil(above * scale)

    def unseen(self, boxes: Boxes, *, around: float = AROUND) -> Flags:
        """Of which glyphs nothing is seen in the box, or so many points around it.

        Where a few dots of a box differ, the others need no look.
        """
        columns, on_columns = _spread(boxes[:, 0], boxes[:, 2], self._across, self._left, self._pixels.shape[1])
        rows, on_rows = _spread(boxes[:, 1], boxes[:, 3], self._down, self._above, self._pixels.shape[0])
        dots = self._pixels[rows[:, :, None], columns[:, None, :]].reshape(len(boxes), -1)
        unseen: Flags = ~(on_columns & on_rows & (dots.max(axis=1) - dots.min(axis=1) >= _FAINT))
        doubted = np.flatnonzero(unseen)
        for number, (left, top, right, bottom) in zip(
            doubted.tolist(), self._cuts(boxes[doubted], around), strict=True
        ):
            wider = self._pixels[top:bottom, left:right]
            unseen[number] = not wider.size or int(wider.max()) - int(wider.min()) < _FAINT
        return unseen

    def dots(self, boxes: Boxes) -> list[tuple[object, ...]]:
        """All that `ink` depends on, for each glyph: its dots, those around it, and how they lie to each other."""
        found: list[tuple[object, ...]] = []
        cuts = zip(self._cuts(boxes, 0.0), self._cuts(boxes, AROUND), strict=True)
        for (x0, y0, x1, y1), (left, top, right, bottom) in cuts:
            wider = self._pixels[top:bottom, left:right]
            found.append((x0 - left, x1 - left, y0 - top, y1 - top, wider.shape, wider.tobytes()))
        return found

    def ink(self, box: Edges) -> Picture:
        """The ink in a glyph's box against what surrounds it, of any colour."""
        return self._against(self._background(box), self._cut(box, 0.0))

    def whole_ink(self, box: Edges) -> Picture:
        """The ink in a glyph's box with what is joined to it beside the box, out to the next gap.

        Where no gap is near, the neighbour is joined to it, and both together have the shape of neither: the box alone.
        """
        x0, top, x1, bottom = box
        more = BESIDE * (bottom - top)
        from_left = max(x0 - more, 0.0)
        ink = self._against(self._background(box), self._cut((from_left, top, x1 + more, bottom), 0.0))
        gaps = np.flatnonzero(~(ink > _GAP).any(axis=0))
        first = math.floor(x0 * self._across) - math.floor(from_left * self._across)
        last = first + self._cut(box, 0.0).shape[1]
        before, behind = gaps[gaps < first + 1], gaps[gaps >= last - 1]
        at_edge = from_left == 0.0
        if not behind.size or not (before.size or at_edge):
            return self.ink(box)
        left, right = before.max(initial=-1) + 1, behind.min(initial=ink.shape[1])
        return ink[:, left:right] if left < right else ink

    def _background(self, box: Edges) -> float:
        wider = self._cut(box, AROUND)
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
