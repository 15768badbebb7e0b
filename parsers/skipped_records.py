"""Lines that `skip` or `furniture` describes although a record is printed there: a record is never skipped."""

from __future__ import annotations

from collections.abc import Sequence

from parsers.claims import Claims, describes
from parsers.columns import Borders
from parsers.dates import UnreadableDateError, read_date
from parsers.header import Header
from parsers.instrument_library import load_instruments, resolve
from parsers.lines import Line, folded, joined
from parsers.scores import UnreadableScoreError, read_score
from parsers.template import Template
from parsers.template_parts import Column, Field, Table
from records.document import Word

_DATES = (Field.BIRTH_DATE, Field.AUTHORED_ON)
_NAMES = frozenset({Field.NAME, Field.FAMILY, Field.GIVEN})
# A clinic's own number of a person has digits; "n = 12" in a line of totals has fewer than these.
_MRN_DIGITS = 3


def without_skipped(lines: Sequence[Line], table: Table, claims: Claims) -> tuple[list[Line], list[Line]]:
    """The lines that nothing tells to skip, and those that are skipped; claims these."""
    rest: list[Line] = []
    skipped: list[Line] = []
    for line in lines:
        (skipped if any(describes(piece, line.text) for piece in table.skip) else rest).append(line)
    for line in skipped:
        claims.claim(line.words)
    return rest, skipped


def with_records(
    body: Sequence[Line], skipped: Sequence[Line], borders: Borders, header: Header, template: Template, claims: Claims
) -> list[Line]:
    """The body with those skipped lines that read as records of the table, in printed order; releases their words."""
    columns = [cell.column for cell in header.cells]
    records = [line for line in skipped if reads_as_record(_cells(line, borders, columns), template)]
    for line in records:
        claims.release(line.words)
    return sorted([*body, *records], key=lambda line: line.region.center[1]) if records else list(body)


def reads_as_record(printed: Sequence[tuple[Column, str]], template: Template) -> bool:
    """Whether the cells of one line are a record's: a score, and beside it what tells whose or when it is.

    A line of averages has a number below a score too, but neither a whole date below a date nor an instrument's name
    below those. In a table without dates, numbers of persons and instruments, a name with a comma tells.

    Args:
        printed: Each column with what the line prints in it, empty where nothing.
        template: For its dates and names of instruments.
    """
    if any(p.pattern is not None and text and not p.pattern.fullmatch(text) for p, text in printed):
        return False
    values = [pair for column, text in printed for pair in _values(column, text)]
    if not any(_is_scored(text, field, template) for field, text in values):
        return False
    told = [
        _tells(text, field, template)
        for field, text in values
        if field in (*_DATES, Field.MRN, Field.INSTRUMENT, Field.COMPONENT) and (text or field is Field.INSTRUMENT)
    ]
    dated = [field for field, _ in values if field in _DATES]
    read = [field for field, text in values if field in _DATES and text]
    if told or dated:
        return all(told) and bool(told) and bool(read or not dated)
    return any(field in _NAMES and "," in text for field, text in values)


def _values(column: Column, text: str) -> list[tuple[Field, str]]:
    if column.lines:
        return [(column.lines[0], text)]  # a line that begins a record prints what stands first in its cells
    if column.pattern is None:
        return [(column.field, text)]
    match = column.pattern.fullmatch(text)
    said = match.groupdict() if match is not None else {}
    return [(Field(name), (said.get(name) or "").strip()) for name in column.pattern.groupindex]


def _tells(text: str, field: Field, template: Template) -> bool:
    if field is Field.MRN:
        return sum(character.isdigit() for character in text) >= _MRN_DIGITS
    if field is Field.COMPONENT:
        known = (component for table in template.table for component in table.components)
        return any(each.field is not Field.IGNORE and each.pattern.fullmatch(text) for each in known)
    if field is Field.INSTRUMENT:
        name = resolve(text, load_instruments(), template.instruments)
        return name.instrument_id is not None or name.ambiguous
    try:
        return read_date(text, template.date_formats(field)) is not None
    except UnreadableDateError:
        return False


def _is_scored(text: str, field: Field, template: Template) -> bool:
    if field is Field.RESULT:
        return bool(text) and folded(text) not in {folded(words) for words in template.no_score}
    if field not in (Field.TOTAL, Field.ITEM, Field.VALUE):
        return False
    try:
        return read_score(text, maximum=None) is not None
    except UnreadableScoreError:
        return False


def _cells(line: Line, borders: Borders, columns: Sequence[Column]) -> list[tuple[Column, str]]:
    words: dict[int, list[Word]] = {}
    for word in line.words:
        words.setdefault(borders.column_of(word), []).append(word)
    return [(column, joined(words.get(number, ()))) for number, column in enumerate(columns)]
