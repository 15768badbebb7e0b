"""Whether the eye sees what the text of a record says. The file tells readers what a glyph means; it may lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from parsers.readers import drawn_digits, pdfium
from parsers.readers.drawn_digits import Place, Sight
from parsers.swollen_glyphs import swollen_glyphs
from parsers.template_parts import Field
from records.document import Page
from records.finding import Finding
from records.geometry import Region
from records.report import Cell, ExtractedRow

# Values that go out and that nothing else would contradict if all digits of a typeface were exchanged.
_RECOGNISED = frozenset({str(Field.TOTAL), str(Field.RESULT), str(Field.ANSWERS), str(Field.AUTHORED_ON)})


class Eyewitness:
    """The drawn pages of a document, looked at wherever the records given have values; of others nothing is said."""

    def __init__(self, content: bytes, rows: Sequence[ExtractedRow]) -> None:
        places = [place for row in rows for place in _places(row)]
        glyphs = pdfium.glyphs_of(content, {place.region.page for place in places})
        self._seen = drawn_digits.look(content, glyphs, places) if places else {}
        self._lies = Sight.OTHER in self._seen.values()
        self._swollen = [region for page in glyphs.pages for region in _swollen(page)]

    def findings(self, row: ExtractedRow) -> tuple[Finding, ...]:
        """What in a record is drawn otherwise than its text says: one finding per value."""
        places = list(_places(row))
        found = [self._finding(place) for place in places]
        for place in places if self._swollen else ():
            if any(place.region.overlaps(glyph) for glyph in self._swollen):
                found.append(Finding(code="text-quality", region=place.region))
        return tuple(dict.fromkeys(finding for finding in found if finding is not None))

    def _finding(self, place: Place) -> Finding | None:
        match self._seen.get(place):
            case Sight.SAME | None:
                return None
            case Sight.NOTHING:
                return Finding(code="text-covered", region=place.region)
            case Sight.OTHER:
                return Finding(code="drawn-digits-differ", region=place.region)
            case Sight.UNCLEAR:
                # An odd typeface alone keeps nobody busy; in a file that is known to lie it is one more lie.
                return Finding(code="drawn-digits-unclear", region=place.region, blocking=self._lies)


def _swollen(page: Page) -> Iterator[Region]:
    if page.words:
        boxes = np.array([word.region.box for word in page.words])
        yield from swollen_glyphs(page.number, [word.text for word in page.words], boxes)


def _places(row: ExtractedRow) -> Iterator[Place]:
    for name, cell in row.cells:
        yield from _place(cell, digits=name in _RECOGNISED)
    for item in row.items or ():
        yield from _place(item.label, digits=False)
        yield from _place(item.points, digits=True)
        if item.answer is not None:
            yield from _place(item.answer, digits=True)
        for choice in item.choices:
            yield from _place(choice.cell, digits=True)


def _place(cell: Cell, *, digits: bool) -> Iterator[Place]:
    if cell.region is not None and cell.text:
        yield Place(cell.region, digits)
