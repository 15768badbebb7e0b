"""pdfplumber: words and printed lines, the reading everything else is checked against."""

from __future__ import annotations

import io
import itertools

import pdfplumber
from pdfminer.pdfdocument import PDFPasswordIncorrect
from pdfminer.pdfparser import PDFSyntaxError
from pdfplumber.utils.exceptions import PdfminerException

from records.document import Document, Page, ReaderName, Rule, Word
from records.errors import UnreadableDocumentError
from records.geometry import Region

# A gap wider than this share of the font size separates words. A space is a quarter to a third of the size
# in text faces; justified and kerned text stays below a tenth inside words.
_WORD_GAP = 0.15
# Two boxes closer than this belong to one printed line: borders of neighbouring cells are drawn twice.
_SAME_LINE = 1.0


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
    left, upper = page.bbox[0], page.bbox[1]
    found = page.extract_words(
        x_tolerance_ratio=_WORD_GAP, y_tolerance=2, keep_blank_chars=False, return_chars=True, use_text_flow=False
    )
    rules = _rules(page, left, upper)
    upright = [rule.region for rule in rules if not rule.is_horizontal]
    words = [
        piece for word in found for piece in _split_at_rules(word["chars"], upright, page.page_number, left, upper)
    ]
    drawn = Page(
        number=page.page_number, width=float(page.width), height=float(page.height), words=tuple(words), rules=rules
    )
    page.close()
    return drawn


def _split_at_rules(
    chars: list[dict[str, float | str]], upright: list[Region], number: int, left: float, upper: float
) -> list[Word]:
    """The words of a run of characters: a printed upright line through the run ends a word.

    Browsers print narrow cells so close that "06/25/1994" and "EPDS" touch; the border between them tells.
    """
    regions = [_region(char, number, left, upper) for char in chars]
    x0, x1, y = regions[0].x0, regions[-1].x1, regions[0].center[1]
    cuts = sorted(rule.x0 for rule in upright if x0 + 1 < rule.x0 < x1 - 1 and rule.top < y < rule.bottom)
    pieces: list[list[int]] = [[]]
    for place, region in enumerate(regions):
        while cuts and region.center[0] > cuts[0]:
            cuts.pop(0)
            if pieces[-1]:
                pieces.append([])
        pieces[-1].append(place)
    return [
        Word("".join(str(chars[place]["text"]) for place in piece), _hull([regions[place] for place in piece]))
        for piece in pieces
        if piece
    ]


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
