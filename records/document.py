"""What one reader sees in a document, before anybody says what it means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from records.geometry import Region


class ReaderName(StrEnum):
    """Which library read the page; the two PDF readers never share one, so that they can check each other."""

    PDFPLUMBER = "pdfplumber"
    CAMELOT = "camelot"
    PDFIUM = "pdfium"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters without a gap, as printed."""

    text: str
    region: Region


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight printed line, horizontal or vertical, as a box without area in one direction."""

    region: Region

    @property
    def is_horizontal(self) -> bool:
        """Wider than high."""
        return (self.region.x1 - self.region.x0) >= (self.region.bottom - self.region.top)


class MarkKind(StrEnum):
    """How an answer is marked by drawing."""

    RING = "ring"  # a closed curve, such as an ellipse around a digit
    STROKE = "stroke"  # a tick, a cross or a filled box


@dataclass(frozen=True, slots=True)
class Mark:
    """A small drawn shape that may mark an answer."""

    kind: MarkKind
    region: Region


@dataclass(frozen=True, slots=True)
class GridCell:
    """One cell of a table a reader found by itself."""

    text: str
    region: Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    Attributes:
        number: From 1.
        width: Displayed width in points.
        height: Displayed height in points.
        words: In reading order of the reader.
        rules: Straight lines; empty for readers that give none.
        marks: Small drawn shapes; empty for readers that give none.
        grid: Cells of tables the reader found; empty for readers that look for none.
        flaws: Reason codes of what is wrong with the text of the page ("invisible-text"), with their place.
        characters: Every visible character in no certain order; empty for readers that give words.
    """

    number: int
    width: float
    height: float
    words: tuple[Word, ...]
    rules: tuple[Rule, ...] = ()
    marks: tuple[Mark, ...] = ()
    grid: tuple[GridCell, ...] = ()
    flaws: tuple[tuple[str, Region], ...] = ()
    characters: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document as one reader sees it."""

    reader: ReaderName
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of a table file.

    Attributes:
        line: Line number in the file, from 1; of the first line where a quoted cell spans lines.
        cells: As written, outer blanks removed.
    """

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFile:
    """A CSV file: every line, preamble and header included; empty lines are left out.

    Attributes:
        open_end: The last line has no line end while others have: the file may have been cut off in it.
    """

    rows: tuple[TableRow, ...]
    encoding: str
    separator: str
    open_end: bool = False
