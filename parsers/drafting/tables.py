"""What stands below a header in the samples: values by column, and lines that are no rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from parsers.claims import Claims
from parsers.columns import Borders, find_borders
from parsers.drafting.details import Detail, details_below, doubtful_below
from parsers.drafting.group_lines import TRAILING_WORDS, is_count, labels_in, said_day
from parsers.drafting.headings import FoundHeader, Heading
from parsers.drafting.vocabulary import BOXES, NO_SCORE
from parsers.drafting.words import behind_name, date_formats, is_legend, named_instrument
from parsers.group_headings import find_group_lines
from parsers.header import Header, find_headers
from parsers.lines import Line, folded, joined
from parsers.rows import Row, find_rows
from parsers.stacked import cells_of_lines, may_begin
from parsers.table_extraction import separated_by_rules
from parsers.template_parts import Column, Field, GroupHeading, RowRule, Table
from parsers.zones import Zone, continued, zones_of
from records.document import Document, Page, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTable:
    """A table of a sample.

    Attributes:
        headings: From left to right.
        values: The cells below each heading, over all pages, as many as there are rows; of a heading with lines each
            cell's lines, a line feed between them.
        across: The cells below headings that are dates.
        above: The values of lines that have columns of their own, as `FoundHeader.above`.
        odd_lines: Lines between rows that are no rows.
        details: Lines that say more about the row above them, one below each row.
        headers: How many pages print the header, of how many.
        unheaded: Boxes to tick that stand beside the rows without a header.
    """

    headings: tuple[Heading, ...]
    values: tuple[tuple[str, ...], ...]
    across: tuple[str, ...]
    above: tuple[tuple[str, ...], ...]
    odd_lines: tuple[str, ...]
    details: tuple[Detail, ...]
    headers: tuple[int, int]
    unheaded: tuple[str, ...]


def read_table(documents: Sequence[Document], found: FoundHeader, others: Sequence[FoundHeader] = ()) -> FoundTable:
    """What stands below the header in all samples, down to a header of the other tables."""
    reading = _Reading(found, others)
    pages = 0
    for document in documents:
        reading.begin()
        for page in document.pages:
            pages += 1
            reading.page(page)
    return FoundTable(
        headings=found.headings,
        values=tuple(tuple(column) for column in reading.values),
        across=tuple(reading.across),
        above=tuple(tuple(column) for column in reading.above),
        odd_lines=tuple(reading.odd),
        details=tuple(reading.details),
        headers=(reading.printed, pages),
        unheaded=tuple(sorted(reading.unheaded)),
    )


class _Reading:
    def __init__(self, found: FoundHeader, others: Sequence[FoundHeader]) -> None:
        self._found = found
        self._others = [tuple(heading.column() for heading in other.headings) for other in others]
        self._columns = tuple(heading.column() for heading in found.headings)
        self._group = tuple(
            Column(header=heading.text, under=heading.under, field=Field.IGNORE) for heading in found.above
        )
        self.values: list[list[str]] = [[] for _ in found.headings]
        self.above: list[list[str]] = [[] for _ in found.above]
        self.across: list[str] = []
        self.odd: list[str] = []
        self.details: list[Detail] = []
        self.unheaded: set[str] = set()
        self.printed = 0
        self.zones: tuple[Zone, ...] = ()
        self._above_header: Header | None = None
        self._begun = False

    def begin(self) -> None:
        """A new document: no page of it was read yet."""
        self.zones = ()
        self._begun = False

    def page(self, page: Page) -> None:
        claims = Claims(page)
        across = (lambda text: bool(date_formats([text]))) if self._found.dates else None
        headers = find_headers(claims.free_lines(), self._columns, across=across)
        self.printed += bool(headers)
        stops = [header for columns in self._others for header in find_headers(claims.free_lines(), columns)]
        for header in (*headers, *stops):
            claims.claim((*header.words, *header.over))
        for header in find_headers(claims.free_lines(), self._group) if self._group else ():
            claims.claim(header.words)
            self._above_header = header
        words = [word for line in claims.free_lines() for word in line.words]
        zones = zones_of(page, headers, [*headers, *stops], words) if headers else continued(page, self.zones)
        settled: list[Zone] = []
        for zone in zones:
            borders = self._zone(page, zone, list(claims.free_lines(zone.body)))
            settled.append(Zone(header=zone.header, body=zone.body, borders=borders))
        self.zones = tuple(settled) or self.zones
        if headers:
            top = min(header.top for header in headers)
            above = [line.text for line in claims.free_lines() if line.region.bottom < top]
            # The first group heading stands above the first header, as the others stand above theirs.
            beneath = any(header.top > top + 1 for header in headers)
            self.odd += [text for text in above[-_NEAREST:] if beneath and labels_in(text)]

    def _zone(self, page: Page, zone: Zone, lines: list[Line]) -> Borders:
        header = zone.header
        count = len(header.cells)
        if self._above_header is not None:
            # A titled line ("CLINIC: …") may stand where a person's begins.
            titled = [line for line in lines if _is_titled(line.text)]
            self.odd += [line.text for line in titled]
            lines = [line for line in lines if line not in titled]
            lines = self._person_lines(lines, page, header, self._above_header)
        lines = self._without_boxes(lines, header)
        least = 2 if self._found.dates else count
        many = [line for line in lines if len(line.runs()) * 2 >= least]
        # Between printed lines a further line is one of a cell, unless it would head the rows below it.
        ruled = separated_by_rules(RowRule.AUTO, page, header)
        apart = [line for line in lines if not ruled or line in many or said_day(line.text) is not None]
        details = details_below(apart, many, known=bool(self.details))
        self.details += [detail for _, detail in details]
        taken = {id(line) for line, _ in details or (() if self._begun else doubtful_below(apart, many))}
        self._begun = True
        lines = [line for line in lines if id(line) not in taken]
        rows_like = [line for line in many if id(line) not in taken and not _is_titled(line.text)]
        borders = zone.borders or find_borders(header, rows_like, page.rules)
        strange = [line for line in lines if line not in rows_like and _is_odd(line, borders, page)]
        self.odd += [line.text for line in strange]
        body = [line for line in lines if line not in strange]
        for row in _rows(body, borders, header, page, least=least):
            if len(row.cells.keys() - row.spans.keys()) < 2:
                continue  # a line of a summary below the table, between printed lines of its own
            known = 0
            for number, cell in enumerate(header.cells):
                text = row.text(number)
                if cell.value is not None:
                    self.across.append(text)
                else:
                    at = known if len(self._columns) != count else number
                    self.values[at].append(_by_lines(self._columns[at], row.cells.get(number, ()), text))
                    known += 1
        return borders

    def _without_boxes(self, lines: list[Line], header: Header) -> list[Line]:
        """The lines without boxes to tick that stand left or right of all headers."""
        box = header.region
        found = [
            word
            for line in lines
            for word in line.words
            if set(word.text) <= BOXES and (word.region.x1 <= box.x0 or word.region.x0 >= box.x1)
        ]
        if len(found) * 2 < len(lines) and not self.unheaded:
            return lines
        self.unheaded.update(word.text for word in found)
        taken = {id(word) for word in found}
        rest = [tuple(word for word in line.words if id(word) not in taken) for line in lines]
        return [Line(words) for words in rest if words]

    def _person_lines(self, lines: list[Line], page: Page, header: Header, own: Header) -> list[Line]:
        named = tuple(
            Column(header=cell.column.header, field=field) for cell, field in zip(own.cells, _PLACES, strict=False)
        )
        table = Table(columns=_ANY, groups=(GroupHeading(columns=named),))
        marked = Header(
            cells=tuple(
                type(cell)(column=column, words=cell.words) for cell, column in zip(own.cells, named, strict=False)
            )
        )
        rest, found = find_group_lines(lines, table, page, header, {0: marked})
        for line in found:
            for number, column in enumerate(self.above):
                cell = line.cells.get(str(_PLACES[number])) if number < len(_PLACES) else None
                column.append(cell.text if cell else "")
        return rest


_NOTHING = frozenset(folded(word) for word in NO_SCORE)
_NEAREST = 3  # lines above the first header that may speak of the rows below it
# Stand-ins that tell the columns of a person's line apart while nobody knows yet what they mean.
_PLACES = (
    Field.NAME, Field.BIRTH_DATE, Field.MRN, Field.SEX, Field.PHONE, Field.MIDDLE, Field.SUFFIX, Field.FAMILY,
    Field.GIVEN,
)  # fmt: skip
_ANY = (Column(header="any", field=Field.TOTAL),)


def _rows(body: Sequence[Line], borders: Borders, header: Header, page: Page, *, least: int) -> tuple[Row, ...]:
    return find_rows(
        body,
        borders,
        header,
        page.rules,
        begins=lambda cells: _begins(cells, header) * 2 >= least,
        keys=frozenset(range(len(header.cells))),
        by_rules=separated_by_rules(RowRule.AUTO, page, header),
    )


def _begins(cells: dict[int, str], header: Header) -> int:
    """In how many columns a line prints what may be the first line of a cell."""
    columns = [cell.column for cell in header.cells]
    return sum(may_begin(columns[n], text, is_date=_is_date, nothing=_NOTHING) for n, text in cells.items())


def _by_lines(column: Column, words: Sequence[Word], text: str) -> str:
    cells = cells_of_lines(column, words, is_date=_is_date) if column.lines else None
    return text if cells is None else "\n".join(cell.text for cell in cells)


def _is_date(_: Field, text: str) -> bool:
    return bool(date_formats([text]))


def _is_odd(line: Line, borders: Borders, page: Page) -> bool:
    """Whether a line is no row and no part of one: a group heading, a subtotal, a legend, a ruler of dashes."""
    titled = _is_titled(line.text)
    if borders.ruled and any(rule.is_horizontal and rule.region.top >= line.region.bottom - 1 for rule in page.rules):
        return titled
    across = any(borders.column_of(run[0]) != borders.column_of(run[-1]) for run in line.runs())
    # A heading names an instrument at the left margin, and perhaps a count at the right one.
    first = joined(line.runs()[0])
    titled = titled or (len(line.runs()) <= 2 and named_instrument(first) is not None)
    titled = titled or (len(line.runs()) == 1 and all(word.isalpha() for word in behind_name(first).split() or "0"))
    return across or titled or not any(char.isalnum() for char in line.text) or line.text[0] in "*-=_"


def _is_titled(text: str) -> bool:
    """Whether a line begins as no row does, or holds a label of a person's or a visit's data."""
    first = text.split()[0].casefold().rstrip(":.")
    if date_formats([text]) and len(text.split()) > 1:
        return True
    if is_legend(text) or is_count(text) or said_day(text) is not None:
        return True
    return first in TRAILING_WORDS or bool(labels_in(text)) or re.match(r"[^\W\d_][\w -]{1,30}:\s+\S", text) is not None
