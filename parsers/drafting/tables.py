"""Tables found in a sample without a template: a line of known headings, and the rows below it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parsers.columns import Borders, find_borders
from parsers.drafting.words import heading_hints, heading_means, item_heading_means, named_instrument
from parsers.header import Header, find_headers
from parsers.lines import Line, joined, lines_of
from parsers.rows import Row, find_rows
from parsers.table_extraction import separated_by_rules
from parsers.template_parts import Column, Field, RowRule
from records.document import Document, Page, Word
from records.geometry import around

_DEEPEST = 4  # lines of a heading
_Rank = Callable[[str], float]
_LINE_GAP = 0.9  # widest gap between the lines of one heading, in line heights


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTable:
    """A table of a sample.

    Attributes:
        headings: From left to right.
        values: The cells below each heading, over all pages, as many as there are rows.
        odd_lines: Lines between rows that are no rows.
        header_pages: Numbers of the pages that print the heading.
    """

    headings: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    odd_lines: tuple[str, ...]
    header_pages: tuple[int, ...]


def find_table(document: Document) -> tuple[str, ...] | None:
    """The headings of the likeliest table of records, or None."""
    return _best_heading(document, _rank, least=3)


def find_item_table(document: Document) -> tuple[str, ...] | None:
    """The headings of a table of questions, or None."""
    headings = _best_heading(document, lambda text: 1.0 if item_heading_means(text) else -0.3, least=2)
    fields = {item_heading_means(heading) for heading in headings or ()}
    about_people = any(
        heading_means(h) in (Field.NAME, Field.MRN, Field.BIRTH_DATE, Field.AUTHORED_ON) for h in headings or ()
    )
    fits = Field.LABEL in fields and bool(fields & {Field.POINTS, Field.ANSWER}) and not about_people
    return headings if fits else None


def _rank(text: str) -> float:
    meant = heading_means(text)
    if meant is not None or named_instrument(text) is not None:
        return 0.5 if meant is Field.IGNORE else 1.0
    return 0.3 if heading_hints(text) is not None else -0.3


def _best_heading(document: Document, rank: _Rank, *, least: int) -> tuple[str, ...] | None:
    best: tuple[float, tuple[str, ...]] | None = None
    for page in document.pages[:2]:
        lines = lines_of(page.words)
        for start in range(len(lines)):
            for depth in range(1, _DEEPEST + 1):
                window = lines[start : start + depth]
                if len(window) < depth or not _together(window) or not any(c.isalnum() for c in window[-1].text):
                    break
                cells = _cells(window, page)
                known = [rank(text) for text in cells]
                # A line more that leaves every heading known ("Assessment", "Assessment Name") belongs to it.
                score = sum(known) + 0.02 * depth
                clear = sum(value >= 1.0 for value in known)
                if clear >= least and len(cells) <= 30 and (best is None or score > best[0]):
                    best = (score, cells)
    return best[1] if best else None


def _together(window: Sequence[Line]) -> bool:
    return all(
        low.region.top - high.region.bottom <= _LINE_GAP * (high.region.bottom - high.region.top)
        for high, low in itertools.pairwise(window)
    )


def _cells(window: Sequence[Line], page: Page) -> tuple[str, ...]:
    """The words of some lines put together by what stands above each other, from left to right."""
    top, bottom = window[0].region.top, max(line.region.bottom for line in window)
    upright = [
        rule.region.x0
        for rule in page.rules
        if not rule.is_horizontal and rule.region.top < bottom and rule.region.bottom > top
    ]
    groups: list[list[Word]] = []
    for line in window:
        for run in line.runs():
            for piece in _cut(run, upright):
                groups.append(list(piece))
    merged: list[list[Word]] = []
    for group in sorted(groups, key=lambda words: words[0].region.x0):
        box = around([word.region for word in group])
        last = around([word.region for word in merged[-1]]) if merged else None
        if last is not None and min(box.x1, last.x1) - max(box.x0, last.x0) > 0.5:
            merged[-1] += group
        else:
            merged.append(group)
    return tuple(joined(sorted(words, key=lambda w: (round(w.region.center[1]), w.region.x0))) for words in merged)


def _cut(run: tuple[Word, ...], upright: Sequence[float]) -> list[tuple[Word, ...]]:
    pieces: list[list[Word]] = [[run[0]]]
    for left, right in itertools.pairwise(run):
        if any(left.region.x1 - 1 <= x <= right.region.x0 + 1 for x in upright):
            pieces.append([])
        pieces[-1].append(right)
    return [tuple(piece) for piece in pieces]


def read_table(documents: Sequence[Document], headings: Sequence[str]) -> FoundTable:
    """What stands below the headings in all samples."""
    columns = tuple(Column(header=heading, field=Field.IGNORE) for heading in headings)
    values: list[list[str]] = [[] for _ in headings]
    odd: list[str] = []
    pages: list[int] = []
    for document in documents:
        going_on: tuple[Header, Borders] | None = None
        for page in document.pages:
            lines = lines_of(page.words)
            headers = find_headers(lines, columns)
            if headers:
                pages.append(page.number)
            top = headers[0].region.bottom if headers else 0.0
            header = headers[0] if headers else going_on[0] if going_on else None
            if header is None:
                continue
            body = [line for line in lines if line.region.center[1] > top]
            rows_like = [line for line in body if len(line.runs()) * 2 >= len(headings)]
            borders = find_borders(header, rows_like, page.rules) if headers or not going_on else going_on[1]
            going_on = (header, borders)
            strange = [line for line in body if line not in rows_like and _is_odd(line, borders, page)]
            odd += [line.text for line in strange]
            for row in _rows([line for line in body if line not in strange], borders, header, page):
                for number, column in enumerate(values):
                    column.append(row.text(number))
    return FoundTable(
        headings=tuple(headings),
        values=tuple(tuple(column) for column in values),
        odd_lines=tuple(odd),
        header_pages=tuple(pages),
    )


def _rows(body: Sequence[Line], borders: Borders, header: Header, page: Page) -> tuple[Row, ...]:
    count = len(header.cells)
    return find_rows(
        body,
        borders,
        header,
        page.rules,
        begins=lambda cells: len(cells) * 2 >= count,
        keys=frozenset(range(count)),
        by_rules=separated_by_rules(RowRule.AUTO, page, header),
    )


def _is_odd(line: Line, borders: Borders, page: Page) -> bool:
    """Whether a line is no row and no part of one: a group heading, a subtotal, a legend, a ruler of dashes."""
    if borders.ruled and any(rule.is_horizontal and rule.region.top >= line.region.bottom - 1 for rule in page.rules):
        return False
    across = any(borders.column_of(run[0]) != borders.column_of(run[-1]) for run in line.runs())
    first = line.words[0].text
    titled = first.endswith(":") or first.casefold() in {"subtotal", "total", "totals", "page", "end", "printed"}
    return across or titled or not any(char.isalnum() for char in line.text) or first[0] in "*-=_"
