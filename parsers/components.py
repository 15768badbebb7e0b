"""Rows that each give one value of a record ("PHQ-9 TOTAL SCORE  13"), joined to records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parsers.instrument_library import load_instruments, resolve
from parsers.lines import folded
from parsers.printed_scores import PrintedColumn
from parsers.scores import UnreadableScoreError, read_score
from parsers.template import Template
from parsers.template_parts import SCORES, Component, Field
from records.finding import Finding
from records.geometry import around
from records.report import Cell, ExtractedRow, ItemRow

_OWN: Final = frozenset({str(Field.COMPONENT), str(Field.VALUE)})


def component_row(record: ExtractedRow, headings: Mapping[str, Cell], columns: Sequence[PrintedColumn]) -> ExtractedRow:
    """The record with what one row and the headings above it say; `joined_components` makes records of such rows."""
    own = [(str(p.column.field), p.cell) for p in columns if p.column.field is not Field.IGNORE]
    named = {name for name, _ in own}
    return replace(record, cells=(*own, *((name, cell) for name, cell in headings.items() if name not in named)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One row, understood.

    Attributes:
        component: What of a record it gives; None where the template knows no such row.
        item: For an answer: the id of its question.
        instrument: The instrument's name as the row or a heading says it; None where neither does.
        meaning: The instrument's id where its name is known, else the name.
        contradicted: A heading above the row names another instrument than the row.
        shared: What else row and headings say, folded; equal for the rows of one record.
    """

    row: ExtractedRow
    component: Component | None
    item: str | None
    instrument: Cell | None
    meaning: str
    contradicted: bool
    shared: frozenset[tuple[str, str]]

    @property
    def gives(self) -> tuple[str, str] | None:
        """What it gives; a record has it once. None for what is not used."""
        if self.component is None or self.component.field is Field.IGNORE:
            return None
        return str(self.component.field), self.item or ""


def joined_components(rows: Sequence[ExtractedRow], template: Template) -> tuple[list[ExtractedRow], int]:
    """The rows, those of component tables joined to records; and how many records say that they have no score.

    Neighbouring rows are one record as long as they name the same instrument, say the same besides, and give nothing
    twice.
    """
    components = [component for table in template.table for component in table.components]
    if not components:
        return list(rows), 0
    nothing = {folded(text) for text in template.no_score}
    made: list[ExtractedRow] = []
    without = 0
    for group in _groups([_piece(row, components, template) for row in rows]):
        first = group[0]
        if first.row.cell(Field.COMPONENT) is None:
            made += [piece.row for piece in group]
        elif all(piece.component is not None and piece.gives is None for piece in group):
            continue
        elif _says_no_score(group, nothing):
            without += 1
        else:
            made.append(_record(group))
    return made, without


def _piece(row: ExtractedRow, components: Sequence[Component], template: Template) -> _Piece:
    printed = row.cell(Field.COMPONENT)
    found = ((each, each.pattern.fullmatch(printed.text)) for each in components) if printed else ()
    component, match = next(((each, match) for each, match in found if match is not None), (None, None))
    said: dict[str, str | None] = match.groupdict() if match is not None else {}
    name = (said.get("instrument") or "").strip()
    own = Cell(text=name, region=printed.region) if name and printed is not None else None
    above = row.cell(Field.INSTRUMENT)
    meant = [resolve(cell.text, load_instruments(), template.instruments) for cell in (own, above) if cell is not None]
    return _Piece(
        row=row,
        component=component,
        item=said.get("item") or (component.item if component is not None else None),
        instrument=own or above,
        meaning=(meant[0].instrument_id or folded((own or above or Cell(text="")).text)) if meant else "",
        contradicted=len({name.instrument_id for name in meant if name.instrument_id is not None}) > 1,
        shared=frozenset(
            (field, folded(cell.text)) for field, cell in row.cells if field not in _OWN | {str(Field.INSTRUMENT)}
        ),
    )


def _groups(pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
    group: list[_Piece] = []
    for piece in pieces:
        if group and not _goes_on(group, piece):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _goes_on(group: Sequence[_Piece], piece: _Piece) -> bool:
    last = group[-1]
    same = last.meaning == piece.meaning and last.shared == piece.shared
    is_row = piece.row.cell(Field.COMPONENT) is not None
    return same and is_row and (piece.gives is None or all(other.gives != piece.gives for other in group))


def _says_no_score(group: Sequence[_Piece], nothing: set[str]) -> bool:
    """Whether a record's score says that there is none, and no answer was given."""
    values = [(piece, piece.row.cell(Field.VALUE)) for piece in group if piece.gives is not None]
    texts = [(piece, cell.text if cell is not None else "") for piece, cell in values]
    scores = [text for piece, text in texts if piece.component is not None and piece.component.field in SCORES]
    answered = any(_is_number(text) for piece, text in texts if piece.item is not None)
    known = all(piece.component is not None for piece in group)
    return known and bool(scores) and all(folded(text) in nothing for text in scores) and not answered


def _is_number(text: str) -> bool:
    try:
        return read_score(text, maximum=None) is not None
    except UnreadableScoreError:
        return True


def _record(group: Sequence[_Piece]) -> ExtractedRow:
    first = group[0].row
    cells = {name: cell for name, cell in first.cells if name not in _OWN | {str(Field.INSTRUMENT)}}
    if group[0].instrument is not None:
        cells[str(Field.INSTRUMENT)] = group[0].instrument
    items: list[ItemRow] = []
    notes = [finding for piece in group for finding in piece.row.findings]
    for piece in group:
        label, value = (piece.row.cell(name) or Cell(text="") for name in (Field.COMPONENT, Field.VALUE))
        if piece.component is not None and piece.component.field is Field.ITEM:
            items.append(ItemRow(link_id=piece.item or "", label=label, points=value, answer=None, label_matches=True))
        elif piece.gives is not None:
            cells[piece.gives[0]] = value
    boxes = [piece.row.region for piece in group if piece.row.region is not None and piece.row.page == first.page]
    return replace(
        first,
        region=around(boxes) if boxes else None,
        cells=tuple(cells.items()),
        items=tuple(items) or None,
        findings=tuple(dict.fromkeys([*notes, *_doubts(group)])),
    )


def _doubts(group: Sequence[_Piece]) -> Iterator[Finding]:
    for piece in group:
        if piece.component is None:
            yield Finding(code="cell-unreadable", region=piece.row.region)
        if piece.contradicted:
            # A heading that was not recognised, or a row that slipped below another one.
            yield Finding(code="row-ambiguous", region=piece.row.region)
    if len({piece.row.page for piece in group}) > 1:
        # What is wrong with the second page would not be held against a record of the first one.
        yield Finding(code="row-ambiguous", region=group[-1].row.region)
