"""A record out of a page with one row per question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from parsers.areas import TableArea
from parsers.claims import Claims
from parsers.columns import Borders, find_borders
from parsers.header import Header
from parsers.labels import find_labels, read_values
from parsers.lines import folded
from parsers.marks import marks_in, ringed, with_stray_marks
from parsers.rows import Row, find_rows
from parsers.table_area import area_of
from parsers.table_extraction import cell_of, separated_by_rules
from parsers.template_items import Items, SummaryRow
from parsers.template_parts import Column, Field
from parsers.zones import zones_of
from records.document import Page, Word
from records.finding import Finding
from records.geometry import Region, around
from records.report import Cell, Choice, ExtractedRow, ItemRow

_ANSWERS = (Field.POINTS, Field.ANSWER, Field.RINGED)
_NUMBERING = re.compile(r"^\(?\d{1,2}[a-z]?[.):]?\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage:
    """The record of one table of questions."""

    row: ExtractedRow
    areas: tuple[TableArea, ...]


def extract_items(
    page: Page, items: Items, claims: Claims, *, headers: Sequence[Header], stops: Sequence[Header]
) -> ItemPage | None:
    """The record of a table of questions, or None if the page has no such table; claims its words.

    Every question must stand beside its own wording, in order: a shift by one row keeps the sum and moves the
    answer about self-harm.

    Args:
        page: The page.
        items: The table.
        claims: What of the page is taken already.
        headers: Where its header is printed on the page.
        stops: Headers of all tables of the page.
    """
    if not headers:
        return None
    header = headers[0]
    claims.claim((*header.words, *header.over))
    columns = [cell.column for cell in header.cells]
    zone = zones_of(page, [header], stops, page.words)[0]
    lines = claims.free_lines(zone.body)
    values = read_values(lines, find_labels(lines, items.fields), items.fields, within=zone.body)
    claims.claim(values.words)
    body = claims.free_lines(zone.body)
    borders = find_borders(header, body, page.rules)
    wordings = [folded(text) for text in (*items.wording, *(row.label for row in items.summary))]
    label_at = next(n for n, column in enumerate(columns) if column.field is Field.LABEL)
    rows = find_rows(
        body,
        borders,
        header,
        page.rules,
        begins=lambda cells: _begins(cells, columns, label_at, wordings),
        keys=frozenset(n for n, column in enumerate(columns) if column.field in _ANSWERS),
        by_rules=separated_by_rules(items.rows, page, header),
    )
    reading = _Reading(page=page, items=items, columns=columns, borders=borders)
    summary: list[tuple[str, Cell]] = []
    answers: list[tuple[Row, ItemRow]] = []
    for row in rows:
        kind = next((s for s in items.summary if folded(s.label) == folded(_label(row, label_at))), None)
        if kind is not None:
            summary += reading.summary_cells(row, kind)
        else:
            answers.append((row, reading.answer(row, len(answers))))
        claims.claim(row.words)
    answers = list(zip([r for r, _ in answers], with_stray_marks([a for _, a in answers], page.marks), strict=True))
    findings = _findings(answers, items, rows)
    missing = [s.label for s in items.summary if not s.optional and _absent(s, rows, label_at)]
    findings += [Finding(code="label-missing", region=header.region, detail=label) for label in missing]
    if len(headers) > 1:
        findings.append(Finding(code="label-repeated", region=headers[1].region))
    named = [folded(_label(row, label_at)) for row in rows]
    for twice in items.summary:
        if named.count(folded(twice.label)) > 1:
            findings.append(Finding(code="label-repeated", region=header.region, detail=twice.label))
    record = ExtractedRow(
        page=page.number,
        region=around([header.region, *(row.region for row in rows)]),
        cells=(*summary, *((str(wanted.field), cell) for wanted, cell in values.cells)),
        instrument=items.instrument,
        items=in_form_order([answer for _, answer in answers], items),
        findings=(*findings, *values.findings),
    )
    areas = (area_of(page, header, borders, [row.region for row in rows], zone=zone),) if rows else ()
    return ItemPage(row=record, areas=areas)


def ringed_choices(words: Sequence[Word], page: Page) -> Iterator[Choice]:
    """The possible answers printed beside one question, of which one has a ring around it."""
    for word in words:
        points = int(word.text) if re.fullmatch("[0-9]{1,2}", word.text, re.ASCII) else -1
        marks = ringed(word, words, page.marks)
        yield Choice(points=points, cell=Cell(text=word.text, region=word.region, marks=marks))


def own_headers(
    page: Page, parts: Sequence[Items], printed: Sequence[Sequence[Header]], claims: Claims
) -> list[tuple[Header, ...]]:
    """Of the headers on a page those of each part: tables with the same header are told apart by their questions.

    Args:
        page: The page.
        parts: All tables of questions of the layout.
        printed: For each part, the headers that have its words.
        claims: What of the page is taken already.
    """
    if len(parts) < 2:
        return [tuple(headers) for headers in printed]
    own: list[list[Header]] = [[] for _ in parts]
    tops = {round(header.top, 1): header for headers in printed for header in headers}
    heights = sorted(tops)
    for number, top in enumerate(heights):
        end = heights[number + 1] if number + 1 < len(heights) else page.height
        lines = claims.free_lines(Region(page.number, 0.0, min(top, end), page.width, end))
        text = "".join(folded(line.text) for line in lines)
        candidates = [n for n, headers in enumerate(printed) if any(round(h.top, 1) == top for h in headers)]
        best = max(candidates, key=lambda n: sum(folded(wording) in text for wording in parts[n].wording))
        own[best] += [header for header in printed[best] if round(header.top, 1) == top]
    return [tuple(headers) for headers in own]


def in_form_order(answers: Sequence[ItemRow], items: Items) -> tuple[ItemRow, ...]:
    """The answers in the order of the form, if each question is printed at most once; else as printed."""
    places = [items.ids.index(answer.link_id) for answer in answers if answer.link_id in items.ids]
    if len(set(places)) != len(answers):
        return tuple(answers)
    return tuple(answer for _, answer in sorted(zip(places, answers, strict=True), key=lambda pair: pair[0]))


def _absent(summary: SummaryRow, rows: Sequence[Row], label_at: int) -> bool:
    return not any(folded(summary.label) == folded(_label(row, label_at)) for row in rows)


def _label(row: Row, label_at: int) -> str:
    """The words of a row's label; those of a total may stand left of the questions' own column."""
    return row.text(label_at) or next((row.text(n) for n in range(label_at) if row.text(n)), "")


def _begins(cells: dict[int, str], columns: Sequence[Column], label_at: int, wordings: Sequence[str]) -> bool:
    points = [n for n, column in enumerate(columns) if column.field in (Field.POINTS, Field.RINGED)]
    if any(n in cells for n in points):
        return True
    label = folded(unnumbered(cells.get(label_at, "")))
    return bool(label) and any(wording.startswith(label) for wording in wordings)


def unnumbered(text: str) -> str:
    """A question without its printed number."""
    return _NUMBERING.sub("", text)


def _wording_at(printed: str, items: Items) -> int | None:
    labels = (folded(printed), folded(unnumbered(printed)))
    return next((n for n, wording in enumerate(items.wording) if folded(wording) in labels), None)


def _findings(answers: Sequence[tuple[Row, ItemRow]], items: Items, rows: Sequence[Row]) -> list[Finding]:
    findings = [Finding(code="row-ambiguous", region=row.region) for row in rows if row.ambiguous]
    findings += [Finding(code="column-boundary", region=row.region) for row in rows if row.crossed]
    if len(answers) != len(items.wording):
        findings.append(Finding(code="item-count", region=rows[0].region if rows else None))
    strangers = [row.region for row, answer in answers if not answer.label_matches]
    if strangers:
        known = {folded(text) for text in items.wording}
        moved = [answer for _, answer in answers if folded(unnumbered(answer.label.text)) in known]
        findings.append(Finding(code="item-order" if len(moved) == len(answers) else "item-label", region=strangers[0]))
    return findings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    page: Page
    items: Items
    columns: Sequence[Column]
    borders: Borders

    def _cell(self, row: Row, field: Field) -> Cell | None:
        at = next((n for n, column in enumerate(self.columns) if column.field is field), None)
        return None if at is None else cell_of(self.page, row, at, self.borders)

    def answer(self, row: Row, position: int) -> ItemRow:
        label = self._cell(row, Field.LABEL) or Cell(text="")
        named = _wording_at(label.text, self.items)
        ids = self.items.ids
        # The wording says which question it is; the position only where the wording is unknown.
        at = position if named is None else named
        return ItemRow(
            link_id=ids[at] if at < len(ids) else str(at + 1),
            label=label,
            points=self._cell(row, Field.POINTS) or Cell(text=""),
            answer=self._cell(row, Field.ANSWER),
            label_matches=named == position,
            choices=(*self._choice_cells(row), *self._ringed(row)),
        )

    def _choice_cells(self, row: Row) -> Iterator[Choice]:
        """The cells of which one holds a mark, in columns that stand for an answer each."""
        for number, column in enumerate(self.columns):
            if column.points is not None:
                cell = cell_of(self.page, row, number, self.borders)
                marks = marks_in(cell.area, self.page.marks) if cell.area is not None else 0
                yield Choice(points=column.points, cell=replace(cell, marks=marks))

    def _ringed(self, row: Row) -> Iterator[Choice]:
        at = next((n for n, column in enumerate(self.columns) if column.field is Field.RINGED), None)
        return ringed_choices(row.cells.get(at, ()) if at is not None else (), self.page)

    def summary_cells(self, row: Row, summary: SummaryRow) -> list[tuple[str, Cell]]:
        cells: list[tuple[str, Cell]] = []
        for column, meaning in summary.cells.items():
            cell = self._cell(row, column)
            if cell is not None and meaning is not Field.IGNORE:
                cells.append((str(meaning), cell))
        return cells
