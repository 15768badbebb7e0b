"""A report taken apart by its template: text as printed, each piece with its place."""

from __future__ import annotations

from dataclasses import dataclass

from records.finding import Finding
from records.geometry import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The printed text of one field.

    Attributes:
        text: As printed; lines of a wrapped cell joined by one space. Empty when blank.
        region: Where it is printed; None for CSV and for a blank cell.
        area: The box another reader must find the same text in, no more and no less; None for CSV.
        marks: Drawn rings, ticks and crosses in the area, where the layout marks answers; another reader must count
            as many.
    """

    text: str
    region: Region | None = None
    area: Region | None = None
    marks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the answers printed beside a question, of which one is marked.

    Attributes:
        points: What it stands for.
        cell: What is printed there.
    """

    points: int
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One printed question with its answer.

    Attributes:
        link_id: The item the template expects at this place.
        label: Its wording as printed.
        points: The cell of its points; blank text when unanswered.
        answer: The cell of its answer in words, or None if the layout prints none.
        choices: Every possible answer, where the layout prints all and marks one; then `points` is blank.
        label_matches: Whether the wording beside the value is the one the template names for this item.
    """

    link_id: str
    label: Cell
    points: Cell
    answer: Cell | None
    label_matches: bool
    choices: tuple[Choice, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Everything that is printed of it."""
        answer = (self.answer,) if self.answer is not None else ()
        return (self.label, self.points, *answer, *(choice.cell for choice in self.choices))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedRow:
    """One record as printed.

    Attributes:
        page: Page number from 1; None for CSV.
        line: Line number in a CSV file; None for PDF.
        region: Box of the whole row or block; None for CSV.
        cells: Field name to cell. Field names are those of the template language.
        instrument: Instrument id the template says for this value; None when the page names it in a cell.
        items: Printed answers in printed order; None where the layout prints no items.
        findings: What extraction noticed about this record.
    """

    page: int | None
    line: int | None = None
    region: Region | None
    cells: tuple[tuple[str, Cell], ...]
    instrument: str | None = None
    items: tuple[ItemRow, ...] | None = None
    findings: tuple[Finding, ...] = ()

    def cell(self, field: str) -> Cell | None:
        """The cell of a field, or None if the layout does not print that field."""
        for name, cell in self.cells:
            if name == field:
                return cell
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedReport:
    """All records of a document as printed.

    Attributes:
        template: "id@revision".
        pages: Number of pages; 0 for CSV.
        rows: In printed order.
        no_score: Rows that say they have no score ("declined", "-"): counted, not records.
        findings: What is wrong with the document or a page; a finding with a region concerns that page.
    """

    template: str
    pages: int
    rows: tuple[ExtractedRow, ...]
    no_score: int = 0
    findings: tuple[Finding, ...] = ()
