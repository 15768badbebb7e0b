"""camelot: the second reading, in areas and columns the template has settled, over playa's text layer."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from camelot.parsers.lattice import Lattice
from camelot.parsers.network import Network
from camelot.utils import get_rotation
from playa.miner import LAParams, LTContainer, LTItem, LTPage, LTTextLine, LTTextLineHorizontal, LTTextLineVertical

from parsers.areas import TableArea
from parsers.readers.frame import Frame
from parsers.readers.text_layer import UNREADABLE, Marks, TextLayer
from records.document import Document, GridCell, Page, ReaderName, Word
from records.errors import UnreadableDocumentError
from records.geometry import Region

_WORD_GAP = 0.15  # as in `parsers.readers.plumber`
# camelot's own, but for `boxes_flow`: grouping lines into text boxes costs ten times what reading them does, and tables
# need only lines.
_LAYOUT = LAParams(char_margin=1.0, boxes_flow=None, detect_vertical=True, all_texts=True)
_UPRIGHT = LAParams(char_margin=1.0, boxes_flow=None, detect_vertical=False, all_texts=True)


def read(layer: TextLayer, *, areas: Sequence[TableArea], pages: int, all_words: bool) -> Document:
    """Cells of the given tables, and the words of the text layer.

    Args:
        layer: What is drawn on the pages.
        areas: Tables to read.
        pages: How many pages there are.
        all_words: Whether to read words of every page; otherwise only of pages where a table was not found.

    Raises:
        UnreadableDocumentError: Neither camelot nor playa can read the file.
    """
    by_page: dict[int, list[TableArea]] = {}
    for area in areas:
        by_page.setdefault(area.region.page, []).append(area)
    return Document(
        reader=ReaderName.CAMELOT,
        pages=tuple(
            _page(layer.take(number), number, by_page.get(number, ()), all_words=all_words)
            for number in range(1, pages + 1)
        ),
    )


def _page(marks: Marks, number: int, areas: Sequence[TableArea], *, all_words: bool) -> Page:
    try:
        grids = _grids(marks, number, areas) if areas else []
    except UNREADABLE:
        # Whatever camelot says may quote the page; the reason is told by code only.
        raise UnreadableDocumentError(
            "The second reader cannot read this file.", code="damaged", next_step="Print the report again."
        ) from None
    needed = all_words or not grids or not all(grids)
    return Page(
        number=number,
        width=marks.frame.width_displayed,
        height=marks.frame.height_displayed,
        words=tuple(_words(marks, number)) if needed else (),
        grid=tuple(cell for grid in grids for cell in grid),
    )


def _grids(marks: Marks, number: int, areas: Sequence[TableArea]) -> list[list[GridCell]]:
    """The cells camelot finds in each area; none where it would turn the page and answer in other coordinates."""
    layout = marks.layout
    # Where every letter stands upright, one above another is no vertical writing: "4" over "Moderate" is not "4 M".
    layout.analyze(_UPRIGHT if all(glyph.upright for glyph in marks.glyphs) else _LAYOUT)
    lines = tuple(_text_lines(layout))
    across = [line for line in lines if isinstance(line, LTTextLineHorizontal)]
    upright = [line for line in lines if isinstance(line, LTTextLineVertical)]
    if get_rotation(marks.glyphs, across, upright):  # type: ignore[no-untyped-call]
        return [[] for _ in areas]
    space = _Space(marks.frame, number)
    lines_only = LTPage(number, layout.bbox)  # camelot looks for printed lines in every glyph of what it is given
    lines_only.extend(marks.curves)
    grids: list[list[GridCell]] = []
    for area in areas:
        parser = _parser(area, space)
        parser.prepare_page_parse(  # type: ignore[no-untyped-call]
            "", lines_only, layout.bbox[2:], number, [], list(across), list(upright), "", layout_kwargs={}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "no tables found on page": an empty grid says so
            tables = parser.extract_tables()  # type: ignore[no-untyped-call]
        found = [space.cell(cell) for table in tables for row in table.cells for cell in row]
        # Asked for one place, camelot may answer with a table it likes better.
        grids.append([cell for cell in found if area.region.holds(*cell.region.center)])
    return grids


def _text_lines(container: Iterable[LTItem]) -> Iterator[LTTextLine]:
    """As `camelot.utils.get_image_char_and_text_objects` finds them, without a look at every glyph in them."""
    for found in container:
        if isinstance(found, LTTextLine):
            yield found
        elif isinstance(found, LTContainer):
            yield from _text_lines(found)


def _parser(area: TableArea, space: _Space) -> Lattice | Network:
    corners = space.corners(area.region)
    if area.ruled:
        return Lattice(table_areas=[corners], split_text=True, engine="vector")  # type: ignore[no-untyped-call]
    separators = ",".join(f"{space.across(x):.2f}" for x in area.separators)
    return Network(table_areas=[corners], split_text=True, columns=[separators])  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class _Space:
    """Between the page as displayed and camelot's coordinates: from the lower left corner of the media box."""

    frame: Frame
    number: int

    def across(self, x: float) -> float:
        return x + self.frame.crop[0] - self.frame.left

    def corners(self, region: Region) -> str:
        upper, lower = self._up(region.top), self._up(region.bottom)
        return f"{self.across(region.x0)},{upper},{self.across(region.x1)},{lower}"

    def cell(self, cell: object) -> GridCell:
        return GridCell(cell.text, self.region(cell.x1, cell.y1, cell.x2, cell.y2))  # type: ignore[attr-defined]

    def region(self, xa: float, ya: float, xb: float, yb: float) -> Region:
        left = self.frame.crop[0] - self.frame.left
        tops = self._up(ya), self._up(yb)
        return Region(self.number, min(xa, xb) - left, min(tops), max(xa, xb) - left, max(tops))

    def _up(self, y: float) -> float:
        """From points below the displayed page's upper edge to points above the media box's lower edge, or back."""
        return self.frame.height + self.frame.upper - self.frame.crop[1] - y


def _words(marks: Marks, number: int) -> Iterator[Word]:
    """The words in the order of drawing: a space, a gap or another height ends one."""
    space = _Space(marks.frame, number)
    text = ""
    box: tuple[float, float, float, float] | None = None
    for glyph in marks.glyphs:
        piece = glyph.get_text()
        x0, y0, x1, y1 = glyph.bbox
        size = max(y1 - y0, 0.1)
        same_run = box is not None and abs(y1 - box[3]) < 0.5 * size and -size < x0 - box[2] < _WORD_GAP * size
        if piece.isspace() or not same_run:
            if box is not None and text:
                yield Word(text, space.region(*box))
            text, box = "", None
        if piece.isspace() or not piece:
            continue
        text += piece
        box = (x0, y0, x1, y1) if box is None else (min(box[0], x0), min(box[1], y0), max(box[2], x1), max(box[3], y1))
    if box is not None and text:
        yield Word(text, space.region(*box))
