"""One printed row with several score columns, taken apart into its records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from parsers.answer_lists import is_answered
from parsers.lines import folded
from parsers.scores import UnreadableScoreError, read_score
from parsers.template import Template
from parsers.template_parts import SCORES, Column, Field
from records.finding import Finding
from records.report import Cell, ExtractedRow, ItemRow

# What a row says of one of its scores; everything else it says of all of them.
_OF_ONE_SCORE = frozenset({Field.SEVERITY, Field.ANSWERS})


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedColumn:
    """One cell of a row with its column.

    Attributes:
        heading: Field and text of a header that is a value itself; a blank cell below it says nothing. Else None.
        lines: Of a column with a field on each line: the cell of each; None where they cannot be told apart.
    """

    column: Column
    cell: Cell
    heading: tuple[str, Cell] | None = None
    lines: tuple[Cell, ...] | None = None


def split_scores(
    record: ExtractedRow, headings: dict[str, Cell], columns: Sequence[PrintedColumn], template: Template
) -> tuple[list[ExtractedRow], int]:
    """A record for every score column that holds a score, and the number of those that say there is none.

    Where questions were answered there is a record, whatever the score says: an answer is never dropped.

    Args:
        record: The row without its cells.
        headings: What group headings above it say; what the row says itself counts before that.
        columns: The row.
        template: For its words for "no score".
    """
    nothing = {folded(text) for text in template.no_score}
    unread = [p for p in columns if p.column.field is Field.PARTS and not _is_read(p, nothing)]
    notes = tuple(Finding(code="cell-unreadable", region=p.cell.region or record.region) for p in unread)
    record = replace(record, findings=(*record.findings, *notes))
    # Another reader must find the whole of such a cell; what its parts are is ours to say.
    whole = tuple(("whole", p.cell) for p in columns if p.column.field is Field.PARTS)
    columns = [part for printed in columns for part in _parts(printed, nothing)]
    scores = [printed for printed in columns if printed.column.field in SCORES]
    records: list[ExtractedRow] = []
    without = 0
    alone = len(scores) == 1
    for score in scores:
        items = _items(score, columns, alone=alone)
        if score.heading is not None and not score.cell.text and "" not in nothing:
            continue
        doubted = (
            _is_orphaned(score, columns, nothing)
            or _answered(items or (), nothing)
            or _lists_answers(score, columns, template, alone=alone)
        )
        if (folded(score.cell.text) in nothing or _said_beside(score, columns, nothing)) and not doubted:
            without += score.heading is None or bool(score.cell.text)
            continue
        cells = [*_beside(score, columns, alone=alone), *([score.heading] if score.heading else [])]
        named = {name for name, _ in cells}
        cells += [(name, cell) for name, cell in headings.items() if name not in named]
        records.append(
            replace(
                record,
                cells=(*cells, (str(score.column.field), score.cell), *whole),
                instrument=score.column.instrument,
                items=items,
            )
        )
    return records, without


def _is_read(printed: PrintedColumn, nothing: set[str]) -> bool:
    text, pattern = printed.cell.text, printed.column.pattern
    if printed.column.lines:
        return printed.lines is not None
    return pattern is None or not text or folded(text) in nothing or pattern.fullmatch(text) is not None


def _parts(printed: PrintedColumn, nothing: set[str]) -> Iterator[PrintedColumn]:
    """The fields of a cell, each as a column of its own; a cell that says there is no score says it of its score."""
    column, cell = printed.column, printed.cell
    if column.lines:
        cells = printed.lines or tuple(Cell(text="") for _ in column.lines)
        for field, part in zip(column.lines, cells, strict=True):
            yield PrintedColumn(column=replace(column, field=field, lines=()), cell=part)
        return
    if column.pattern is None:
        yield printed
        return
    match = column.pattern.fullmatch(cell.text)
    said = match.groupdict() if match is not None else {}
    for name in column.pattern.groupindex:
        text = (said.get(name) or "").strip()
        # What no pattern describes is not blank: the score is unread, not missing.
        if name in SCORES and (folded(cell.text) in nothing or match is None):
            text = cell.text
        part = Cell(text=text, region=cell.region if text else None)
        yield PrintedColumn(column=replace(column, field=Field(name), pattern=None), cell=part)


def _beside(score: PrintedColumn, columns: Sequence[PrintedColumn], *, alone: bool) -> Iterator[tuple[str, Cell]]:
    """What else the row says of this score: cells of its own instrument, and cells that hold for all its scores."""
    for printed in columns:
        column = printed.column
        if column.field in SCORES or column.field in (Field.IGNORE, Field.ITEM):
            continue
        if _belongs(column, score, alone=alone or column.field not in _OF_ONE_SCORE):
            yield str(column.field), printed.cell


def _is_orphaned(score: PrintedColumn, columns: Sequence[PrintedColumn], nothing: Collection[str]) -> bool:
    """Whether the score's cell is blank beside a severity of its own: a score that is missing, not one never taken."""
    return not score.cell.text and any(
        printed.column.field is Field.SEVERITY
        and printed.column.instrument == score.column.instrument
        and folded(printed.cell.text) not in nothing
        for printed in columns
    )


def _said_beside(score: PrintedColumn, columns: Sequence[PrintedColumn], nothing: Collection[str]) -> bool:
    """Whether the score's cell is blank and its severity says in words that there is none ("** DECLINED **")."""
    return not score.cell.text and any(
        printed.cell.text and folded(printed.cell.text) in nothing
        for printed in columns
        if printed.column.field is Field.SEVERITY and printed.column.instrument == score.column.instrument
    )


def _items(score: PrintedColumn, columns: Sequence[PrintedColumn], *, alone: bool) -> tuple[ItemRow, ...] | None:
    items = tuple(
        ItemRow(
            link_id=printed.column.item or "",
            # The header above the answers is what tells which question a column holds.
            label=Cell(text=printed.column.header),
            points=printed.cell,
            answer=None,
            label_matches=True,
        )
        for printed in columns
        if printed.column.field is Field.ITEM and _belongs(printed.column, score, alone=alone)
    )
    return items or None


def _answered(items: Sequence[ItemRow], nothing: Collection[str]) -> bool:
    """Whether a question has an answer, or something that cannot be read as none."""
    texts = [item.points.text for item in items if folded(item.points.text) not in nothing]
    try:
        return any(read_score(text, maximum=None) is not None for text in texts)
    except UnreadableScoreError:
        return True


def _lists_answers(score: PrintedColumn, columns: Sequence[PrintedColumn], template: Template, *, alone: bool) -> bool:
    return any(
        printed.column.field is Field.ANSWERS
        and _belongs(printed.column, score, alone=alone)
        and is_answered(printed.cell.text, template.no_score)
        for printed in columns
    )


def _belongs(column: Column, score: PrintedColumn, *, alone: bool) -> bool:
    return column.instrument == score.column.instrument or (column.instrument is None and alone)
