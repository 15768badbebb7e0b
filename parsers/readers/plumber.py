"""pdfplumber: words and printed lines, the reading everything else is checked against."""

from __future__ import annotations

import bisect
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import pdfplumber
from pdfminer.layout import LTContainer, LTItem
from pdfminer.pdfdocument import PDFPasswordIncorrect
from pdfminer.pdfparser import PDFSyntaxError
from pdfplumber.utils.exceptions import PdfminerException
from pdfplumber.utils.geometry import curve_to_edges, line_to_edge, rect_to_edges
from pdfplumber.utils.text import WordExtractor

from parsers.readers.drawn_marks import RING_CURVES, is_light, is_mark_sized
from parsers.readers.frame import Frame
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
# Boxes of neighbours that overlap by less are side by side: sums of widths are not exact. In points.
_HAIR = 0.001
# A digit less high than this share of its neighbour is a note to it, not its next digit.
_RAISED = 0.85

_CURVES = {"LTLine": "line", "LTRect": "rect", "LTCurve": "curve"}
# pdfminer meets damage wherever it happens to stand.
UNREADABLE = (PdfminerException, PDFSyntaxError, PDFPasswordIncorrect, ValueError, KeyError, TypeError, RecursionError)

_LINE_STEP = 2  # points between the tops of two neighbours from which on they are two words
WORDS = WordExtractor(x_tolerance_ratio=_WORD_GAP, y_tolerance=_LINE_STEP, keep_blank_chars=False, use_text_flow=False)


def read(content: bytes) -> Document:
    """Words and straight lines of every page.

    Raises:
        UnreadableDocumentError: pdfplumber cannot read the file.
    """
    try:
        with pdfplumber.open(io.BytesIO(content)) as pdf:
            return Document(reader=ReaderName.PDFPLUMBER, pages=tuple(page_of(page) for page in pdf.pages))
    except UNREADABLE:
        raise damaged() from None


def damaged() -> UnreadableDocumentError:
    """What a file that pdfplumber stumbles over ends with; what it says may quote the page, so it is dropped."""
    return UnreadableDocumentError(
        "The file is damaged: its pages cannot be read.", code="damaged", next_step="Print the report again."
    )


def page_of(page: pdfplumber.page.Page) -> Page:
    """One page, read by pdfplumber; its memory is given back."""
    drawn = page_from(_leaves(page.layout), page.page_number, frame_of(page))
    page.close()
    return drawn


def frame_of(page: pdfplumber.page.Page) -> Frame:
    """Where the displayed part of the page lies."""
    left, upper, right, lower = page.cropbox
    return Frame(left=page.mediabox[0], upper=page.mediabox[1], height=page.height, crop=(left, upper, right, lower))


def _leaves(marks: Iterable[LTItem]) -> Iterator[LTItem]:
    for mark in marks:
        if isinstance(mark, LTContainer):
            yield from _leaves(mark)
        else:
            yield mark


def page_from(marks: Iterable[Any], number: int, frame: Frame) -> Page:
    """A page out of glyphs and curves, pdfminer's or playa's, which describe them alike."""
    found = described(marks, frame)
    edges = [
        *map(line_to_edge, found["line"]),
        *chain.from_iterable(map(rect_to_edges, found["rect"])),
        *chain.from_iterable(map(curve_to_edges, found["curve"])),
    ]
    shapes = chain(found["curve"], found["line"], found["rect"])
    return drawn_page(number, words_of(found["char"]), edges, shapes, crop=frame.crop)


def described(marks: Iterable[Any], frame: Frame) -> dict[str, list[dict[str, Any]]]:
    """Glyphs and curves by kind, as pdfplumber describes them: what its words, edges and tables are made from.

    pdfplumber itself copies and resolves eighteen attributes of every glyph, a third of what it costs.
    """
    glyphs: list[dict[str, Any]] = []
    found: dict[str, list[dict[str, Any]]] = {"char": glyphs, "line": [], "rect": [], "curve": []}
    left, upper, height = frame.left, frame.upper, frame.height
    for mark in marks:
        kind = type(mark).__name__
        if kind == "LTChar":
            top = (height - mark.y1) + upper
            glyphs.append({
                "text": mark.get_text(),
                "x0": mark.x0 + left,
                "x1": mark.x1 + left,
                "top": top,
                "doctop": top,
                "bottom": (height - mark.y0) + upper,
                "upright": mark.upright,
                "size": mark.size,
                "matrix": mark.matrix,
            })  # fmt: skip
        elif kind in _CURVES:
            found[_CURVES[kind]].append(_shape(mark, frame, _CURVES[kind]))
    return found


def _shape(curve: Any, frame: Frame, kind: str) -> dict[str, Any]:
    top = (frame.height - curve.y1) + frame.upper
    return {
        "object_type": kind,
        "x0": curve.x0 + frame.left,
        "x1": curve.x1 + frame.left,
        "y0": curve.y0,
        "y1": curve.y1,
        "top": top,
        "doctop": top,
        "bottom": (frame.height - curve.y0) + frame.upper,
        "width": curve.width,
        "height": curve.height,
        "pts": [(frame.left + x, frame.upper + frame.height - y) for x, y in curve.pts],
        "path": curve.original_path,
        "fill": curve.fill,
        "non_stroking_color": curve.non_stroking_color,
    }


def words_of(glyphs: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The glyphs of every word, as pdfplumber puts them together in `WordExtractor.iter_extract_tuples`.

    There it also describes each word, which nobody here asks for.
    """
    return [
        word
        for _, run in itertools.groupby(glyphs, itemgetter("upright"))
        for line, direction in WORDS.iter_chars_to_lines(run)
        for word in (_on_line(line) if direction == "ltr" else WORDS.iter_chars_to_words(line, direction))
    ]


def _on_line(line: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The words of a line, as `WordExtractor.iter_chars_to_words` divides one that is read from left to right.

    Two calls a glyph are spared, a third of what it costs to put words together.
    """
    words: list[list[dict[str, Any]]] = []
    word: list[dict[str, Any]] = []
    for glyph in line:
        text = glyph["text"]
        if text.isspace():
            word = []
            continue
        if not text:  # pdfplumber takes a glyph without a character for a mark that stands alone
            words.append([glyph])
            word = []
            continue
        if word:
            last = word[-1]
            x0, end = glyph["x0"], last["x1"] + _WORD_GAP * last["size"]
            if x0 < last["x0"] or x0 > end or abs(glyph["top"] - last["top"]) > _LINE_STEP:
                word = []
        if not word:
            words.append(word)
        word.append(glyph)
    return words


def drawn_page(
    number: int,
    words: Iterable[Sequence[Mapping[str, Any]]],
    edges: Iterable[Mapping[str, Any]],
    shapes: Iterable[Mapping[str, Any]],
    *,
    crop: tuple[float, float, float, float],
) -> Page:
    """A page out of what pdfplumber makes of it.

    Args:
        number: From 1.
        words: The glyphs of each word.
        edges: Edges of lines, boxes and curves.
        shapes: Curves, lines and boxes.
        crop: What is displayed is the crop box; pdfplumber measures from the media box.
    """
    left, upper, right, lower = crop
    rules = _rules(edges, number, left, upper)
    upright = [rule.region for rule in rules if not rule.is_horizontal]
    borders = sorted([rule.x0 for rule in upright])
    same: dict[float, float] = {}  # words of one line and of one column share edges: each number is kept once
    found: list[Word] = []
    flaws: list[tuple[str, Region]] = []
    for characters in words:
        plain = _plain_word(characters, number, left, upper, same)
        if plain is not None and not (_may_be_cut(plain.region, borders) and _is_cut(plain.region, upright)):
            found.append(plain)
            continue
        glyphs = _printed_once([_Glyph(c, left, upper) for c in characters])
        found += _pieces(glyphs, number, upright)
        flaws += [("text-overlaps", region) for region in _overlaps(glyphs, number)]
    return Page(
        number=number,
        width=float(right - left),
        height=float(lower - upper),
        words=tuple(found),
        rules=rules,
        marks=tuple(_marks(shapes, number, left, upper)),
        flaws=tuple(flaws),
    )


def _plain_word(
    characters: Sequence[Mapping[str, Any]], number: int, left: float, upper: float, same: dict[float, float]
) -> Word | None:
    """The word, where glyphs of one height stand side by side and none on another, so that nothing is doubtful."""
    first, last = characters[0], characters[-1]
    top, bottom, end = first["top"], first["bottom"], first["x0"]
    for character in characters:
        if character["top"] != top or character["bottom"] != bottom or character["x0"] < end - _HAIR:
            return None
        end = character["x1"]
    if top > bottom or end < last["x0"]:
        return None
    text = "".join([character["text"] for character in characters])
    edges = (first["x0"] - left, top - upper, end - left, bottom - upper)
    return Word(text, Region(number, *map(same.setdefault, edges, edges)))


def _may_be_cut(box: Region, borders: Sequence[float]) -> bool:
    """Whether any upright line of the page, at whatever height, stands between the left and the right edge."""
    after = bisect.bisect_right(borders, box.x0)
    return after < len(borders) and borders[after] < box.x1


def _is_cut(box: Region, upright: Sequence[Region]) -> bool:
    return any(box.x0 < rule.x0 < box.x1 and rule.top < box.bottom and rule.bottom > box.top for rule in upright)


class _Glyph:
    __slots__ = ("bottom", "foot", "text", "top", "x0", "x1")

    def __init__(self, character: Mapping[str, Any], left: float, upper: float) -> None:
        self.text: str = character["text"]
        x0, x1 = float(character["x0"]) - left, float(character["x1"]) - left
        top, bottom = float(character["top"]) - upper, float(character["bottom"]) - upper
        self.x0, self.x1 = (x0, x1) if x0 <= x1 else (x1, x0)
        self.top, self.bottom = (top, bottom) if top <= bottom else (bottom, top)
        # Where it ends on the line: a slanted glyph leans over its neighbour.
        self.foot = max(self.x0, self.x1 - _slant(character["matrix"], self.height))

    @property
    def height(self) -> float:
        return self.bottom - self.top


def _printed_once(glyphs: Sequence[_Glyph]) -> list[_Glyph]:
    """The glyphs without those printed twice at nearly one place: bold type made so turns "1" into "11"."""
    once: list[_Glyph] = []
    for glyph in glyphs:
        last = once[-1] if once else None
        if last is None or last.text != glyph.text or _shared(last, glyph) < _SAME_PLACE:
            once.append(glyph)
    return once


def _overlaps(glyphs: Sequence[_Glyph], number: int) -> list[Region]:
    """Where a digit and another glyph are printed on top of each other: nobody can say which of them counts."""
    return [
        _box_around([one, other], number)
        for one, other in itertools.pairwise(glyphs)
        if other.x0 < one.foot and (one.text.isdigit() or other.text.isdigit()) and _shared_feet(one, other) > _ON_TOP
    ]


def _slant(matrix: Sequence[float], height: float) -> float:
    """How far a slanted glyph leans to the right over its height, in points; 0 for upright type."""
    if not matrix[2] or not matrix[3] or matrix[1]:
        return 0.0
    return max(0.0, matrix[2] / matrix[3] * height)


def _shared(one: _Glyph, other: _Glyph) -> float:
    """The share of the narrower box's width that both cover; 0 where a mark has no width."""
    return _share((one.x0, one.x1), (other.x0, other.x1))


def _shared_feet(one: _Glyph, other: _Glyph) -> float:
    """The same share without what the glyphs lean over their neighbours."""
    return _share((one.x0, one.foot), (other.x0, other.foot))


def _share(one: tuple[float, float], other: tuple[float, float]) -> float:
    narrower = min(one[1] - one[0], other[1] - other[0])
    return (min(one[1], other[1]) - max(one[0], other[0])) / narrower if narrower > 0 else 0.0


def _pieces(glyphs: Sequence[_Glyph], number: int, upright: Sequence[Region]) -> list[Word]:
    """The words of a run of glyphs: a printed upright line through it ends a word, and so does a raised digit.

    Browsers print narrow cells so close that "06/25/1994" and "EPDS" touch; the border between them tells.
    A footnote's number behind a score is smaller than the score.
    """
    y = (glyphs[0].top + glyphs[0].bottom) / 2
    x0, x1 = glyphs[0].x0, glyphs[-1].x1
    cuts = [rule.x0 for rule in upright if x0 + 1 < rule.x0 < x1 - 1 and rule.top < y < rule.bottom]
    pieces: list[list[_Glyph]] = [[glyphs[0]]]
    for left, right in itertools.pairwise(glyphs):
        ruled = cuts and any((left.x0 + left.x1) / 2 <= cut < (right.x0 + right.x1) / 2 for cut in cuts)
        if ruled or _is_raised(left, right):
            pieces.append([])
        pieces[-1].append(right)
    return [Word("".join([g.text for g in piece]), _box_around(piece, number)) for piece in pieces]


def _is_raised(left: _Glyph, right: _Glyph) -> bool:
    smaller, taller = left.height, right.height
    if smaller == taller or not (left.text.isdigit() and right.text.isdigit()):
        return False
    return min(smaller, taller) < _RAISED * max(smaller, taller)


def _box_around(glyphs: Sequence[_Glyph], number: int) -> Region:
    return Region(
        number,
        min([g.x0 for g in glyphs]),
        min([g.top for g in glyphs]),
        max([g.x1 for g in glyphs]),
        max([g.bottom for g in glyphs]),
    )


def _region(box: Mapping[str, Any], number: int, left: float, upper: float) -> Region:
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


def _rules(edges: Iterable[Mapping[str, Any]], number: int, left: float, upper: float) -> tuple[Rule, ...]:
    """Printed lines, the pieces of one line joined: cell borders come as hundreds of short strokes."""
    flat: dict[int, list[Region]] = {}
    upright: dict[int, list[Region]] = {}
    for edge in edges:
        region = _region(edge, number, left, upper)
        if edge["orientation"] == "h":
            flat.setdefault(round(region.top), []).append(region)
        else:
            upright.setdefault(round(region.x0), []).append(region)
    lines = [Rule(line) for group in _neighbours(flat) for line in _joined(group, across=True)]
    lines += [Rule(line) for group in _neighbours(upright) for line in _joined(group, across=False)]
    return tuple(lines)


def _marks(shapes: Iterable[Mapping[str, Any]], number: int, left: float, upper: float) -> Iterator[Mark]:
    """Small drawn shapes: rings (closed curves), and strokes (open curves, slanted lines, filled boxes)."""
    for shape in shapes:
        if is_mark_sized(shape["width"], shape["height"]):
            kind = _mark_kind(shape)
            if kind is not None:
                yield Mark(kind, _region(shape, number, left, upper))


def _mark_kind(shape: Mapping[str, Any]) -> MarkKind | None:
    if shape["object_type"] == "curve":
        steps = [step[0] for step in shape["path"]]
        closed = "h" in steps or shape["pts"][0] == shape["pts"][-1]
        return MarkKind.RING if closed and steps.count("c") >= RING_CURVES else MarkKind.STROKE
    # A line that is wide and high enough for a mark is a slanted one.
    filled = shape["fill"] and not is_light(ink_of(shape["non_stroking_color"]))
    return MarkKind.STROKE if shape["object_type"] == "line" or filled else None


def ink_of(color: object) -> object:
    """The parts of a colour as pdfminer gives it (a tuple or a number), or playa (with the name of a pattern)."""
    return getattr(color, "values", color)


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
