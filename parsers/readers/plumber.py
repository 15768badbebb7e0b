"""pdfplumber: words and printed lines, the reading everything else is checked against."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pdfplumber
from pdfminer.pdfdocument import PDFPasswordIncorrect
from pdfminer.pdfparser import PDFSyntaxError
from pdfplumber.utils.exceptions import PdfminerException

from parsers.readers.drawn_marks import RING_CURVES, is_light, is_mark_sized
from records.document import Document, Mark, MarkKind, Page, ReaderName, Rule, Word
from records.errors import UnreadableDocumentError
from records.geometry import Region

# A gap wider than this share of the font size separates words. A space is a quarter to a third of the size
# in text faces; justified and kerned text stays below a tenth inside words.
_WORD_GAP = 0.15
# Two boxes closer than this belong to one printed line: borders of neighbouring cells are drawn twice.
_SAME_LINE = 1.0
# Two equal glyphs whose boxes share this much of their width are one glyph printed twice. Neighbours share a tenth.
_SAME_PLACE = 0.6
# Two glyphs that share this much are printed on top of each other; slanted and kerned type stays below a quarter.
_ON_TOP = 0.4
# A digit less high than this share of its neighbour is a note to it, not its next digit.
_RAISED = 0.85


def read(content: bytes) -> Document:
    """Words and straight lines of every page.

    Raises:
        UnreadableDocumentError: pdfplumber cannot read the file.
    """
    try:
        with pdfplumber.open(io.BytesIO(content)) as pdf:
            return Document(reader=ReaderName.PDFPLUMBER, pages=tuple(_page(page) for page in pdf.pages))
    except (PdfminerException, PDFSyntaxError, PDFPasswordIncorrect, ValueError, KeyError, TypeError, RecursionError):
        # pdfminer meets damage wherever it happens to stand; what it says may quote the page, so it is dropped.
        raise UnreadableDocumentError(
            "The file is damaged: its pages cannot be read.", code="damaged", next_step="Print the report again."
        ) from None


def _page(page: pdfplumber.page.Page) -> Page:
    # What is displayed is the crop box; pdfplumber measures from the media box.
    left, upper, right, lower = page.cropbox
    number = page.page_number
    found = page.extract_words(
        x_tolerance_ratio=_WORD_GAP, y_tolerance=2, keep_blank_chars=False, return_chars=True, use_text_flow=False
    )
    rules = _rules(page, left, upper)
    upright = [rule.region for rule in rules if not rule.is_horizontal]
    words: list[Word] = []
    flaws: list[tuple[str, Region]] = []
    for word in found:
        glyphs = _printed_once(
            [_Glyph(str(c["text"]), _region(c, number, left, upper), _slant(c)) for c in word["chars"]]
        )
        words += _pieces(glyphs, upright)
        flaws += [("text-overlaps", region) for region in _overlaps(glyphs)]
    drawn = Page(
        number=number,
        width=float(right - left),
        height=float(lower - upper),
        words=tuple(words),
        rules=rules,
        marks=tuple(_marks(page, left, upper)),
        flaws=tuple(flaws),
    )
    page.close()
    return drawn


class _Glyph(NamedTuple):
    text: str
    region: Region
    slant: float = 0.0  # points by which its box is wider than its place on the line

    @property
    def height(self) -> float:
        return self.region.bottom - self.region.top


def _printed_once(glyphs: Sequence[_Glyph]) -> list[_Glyph]:
    """The glyphs without those printed twice at nearly one place: bold type made so turns "1" into "11"."""
    once: list[_Glyph] = []
    for glyph in glyphs:
        last = once[-1] if once else None
        if last is None or last.text != glyph.text or _shared(last.region, glyph.region) < _SAME_PLACE:
            once.append(glyph)
    return once


def _overlaps(glyphs: Sequence[_Glyph]) -> list[Region]:
    """Where a digit and another glyph are printed on top of each other: nobody can say which of them counts."""
    return [
        _hull([one.region, other.region])
        for one, other in itertools.pairwise(glyphs)
        if (one.text.isdigit() or other.text.isdigit()) and _shared(_foot(one), _foot(other)) > _ON_TOP
    ]


def _slant(char: dict[str, object]) -> float:
    """How far a slanted glyph leans to the right over its height, in points; 0 for upright type."""
    matrix = char.get("matrix")
    if not isinstance(matrix, tuple) or not matrix[2] or not matrix[3] or matrix[1]:
        return 0.0
    height = float(str(char["bottom"])) - float(str(char["top"]))
    return max(0.0, float(matrix[2] / matrix[3]) * height)


def _foot(glyph: _Glyph) -> Region:
    """The glyph's box without what it leans over its neighbour."""
    box = glyph.region
    return Region(box.page, box.x0, box.top, max(box.x0, box.x1 - glyph.slant), box.bottom)


def _shared(one: Region, other: Region) -> float:
    """The share of the narrower box's width that both cover; 0 where a mark has no width."""
    narrower = min(one.x1 - one.x0, other.x1 - other.x0)
    return (min(one.x1, other.x1) - max(one.x0, other.x0)) / narrower if narrower > 0 else 0.0


def _pieces(glyphs: Sequence[_Glyph], upright: Sequence[Region]) -> list[Word]:
    """The words of a run of glyphs: a printed upright line through it ends a word, and so does a raised digit.

    Browsers print narrow cells so close that "06/25/1994" and "EPDS" touch; the border between them tells.
    A footnote's number behind a score is smaller than the score.
    """
    y = glyphs[0].region.center[1]
    x0, x1 = glyphs[0].region.x0, glyphs[-1].region.x1
    cuts = [rule.x0 for rule in upright if x0 + 1 < rule.x0 < x1 - 1 and rule.top < y < rule.bottom]
    pieces: list[list[_Glyph]] = [[glyphs[0]]]
    for left, right in itertools.pairwise(glyphs):
        ruled = any(left.region.center[0] <= cut < right.region.center[0] for cut in cuts)
        smaller, taller = sorted((left.height, right.height))
        raised = left.text.isdigit() and right.text.isdigit() and smaller < _RAISED * taller
        if ruled or raised:
            pieces.append([])
        pieces[-1].append(right)
    return [Word("".join(g.text for g in piece), _hull([g.region for g in piece])) for piece in pieces]


def _region(box: dict[str, float | str], number: int, left: float, upper: float) -> Region:
    x0, x1 = sorted((float(box["x0"]) - left, float(box["x1"]) - left))
    top, bottom = sorted((float(box["top"]) - upper, float(box["bottom"]) - upper))
    return Region(number, x0, top, x1, bottom)


def _hull(regions: list[Region]) -> Region:
    return Region(
        regions[0].page,
        min(r.x0 for r in regions),
        min(r.top for r in regions),
        max(r.x1 for r in regions),
        max(r.bottom for r in regions),
    )


def _rules(page: pdfplumber.page.Page, left: float, upper: float) -> tuple[Rule, ...]:
    """Printed lines, the pieces of one line joined: cell borders come as hundreds of short strokes."""
    flat: dict[int, list[Region]] = {}
    upright: dict[int, list[Region]] = {}
    for edge in page.edges:
        region = _region(edge, page.page_number, left, upper)
        if edge["orientation"] == "h":
            flat.setdefault(round(region.top), []).append(region)
        else:
            upright.setdefault(round(region.x0), []).append(region)
    lines = [Rule(line) for group in _neighbours(flat) for line in _joined(group, across=True)]
    lines += [Rule(line) for group in _neighbours(upright) for line in _joined(group, across=False)]
    return tuple(lines)


def _marks(page: pdfplumber.page.Page, left: float, upper: float) -> Iterator[Mark]:
    """Small drawn shapes: rings (closed curves), and strokes (open curves, slanted lines, filled boxes)."""
    for curve in page.curves:
        steps = [step[0] for step in curve.get("path", ())]
        closed = "h" in steps or curve["pts"][0] == curve["pts"][-1]
        kind = MarkKind.RING if closed and steps.count("c") >= RING_CURVES else MarkKind.STROKE
        yield from _small(kind, _region(curve, page.page_number, left, upper))
    for line in page.lines:
        slanted = min(abs(line["x1"] - line["x0"]), abs(line["bottom"] - line["top"])) > 1
        if slanted:
            yield from _small(MarkKind.STROKE, _region(line, page.page_number, left, upper))
    for box in page.rects:
        if box["fill"] and not is_light(box["non_stroking_color"]):
            yield from _small(MarkKind.STROKE, _region(box, page.page_number, left, upper))


def _small(kind: MarkKind, region: Region) -> Iterator[Mark]:
    if is_mark_sized(region.x1 - region.x0, region.bottom - region.top):
        yield Mark(kind, region)


def _neighbours(by_place: dict[int, list[Region]]) -> list[list[Region]]:
    groups: list[list[Region]] = []
    last: int | None = None
    for place in sorted(by_place):
        if last is not None and place - last <= _SAME_LINE:
            groups[-1] += by_place[place]
        else:
            groups.append(list(by_place[place]))
        last = place
    return groups


def _joined(pieces: list[Region], *, across: bool) -> list[Region]:
    pieces = sorted(pieces, key=lambda r: r.x0 if across else r.top)
    joined = [[pieces[0]]]
    for piece in itertools.islice(pieces, 1, None):
        end = max((r.x1 if across else r.bottom) for r in joined[-1])
        start = piece.x0 if across else piece.top
        if start <= end + 3 * _SAME_LINE:
            joined[-1].append(piece)
        else:
            joined.append([piece])
    lines: list[Region] = []
    for run in joined:
        hull = _hull(run)
        x, y = hull.center
        lines.append(
            Region(hull.page, hull.x0, y, hull.x1, y) if across else Region(hull.page, x, hull.top, x, hull.bottom)
        )
    return lines
