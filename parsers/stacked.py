"""Cells that hold a field on each of their lines: a name over its record number, an instrument over its date."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from parsers.dates import UnreadableDateError, read_date
from parsers.lines import Line, folded, lines_of
from parsers.scores import UnreadableScoreError, read_score
from parsers.template import Template
from parsers.template_parts import SCORES, Column, Field
from records.document import Word
from records.geometry import around
from records.report import Cell

_DATES = frozenset({Field.BIRTH_DATE, Field.AUTHORED_ON})
_NUMBERED = frozenset({Field.MRN, Field.PHONE})

# Whether a text reads as the date that a field holds.
IsDate = Callable[[Field, str], bool]


def dates_of(template: Template) -> IsDate:
    """Reads dates by the formats of a template."""

    def is_date(field: Field, text: str) -> bool:
        try:
            return read_date(text, template.date_formats(field)) is not None
        except UnreadableDateError:
            return False

    return is_date


def may_begin(column: Column, text: str, *, is_date: IsDate, nothing: Collection[str]) -> bool:
    """Whether a line's words in a column may be the first line of its cell; of a column of one field they always may.

    Args:
        column: The column.
        text: What the line prints in it.
        is_date: Tells dates.
        nothing: What a score cell says where there is no score, folded.
    """
    if not column.lines:
        return True
    first, *later = column.lines
    if first in _DATES:
        return is_date(first, text)
    if any(field in _DATES and is_date(field, text) for field in later):
        return False
    digits = any(char.isdigit() for char in text)
    if first in SCORES:
        return _is_score(text) or folded(text) in nothing
    if first in _NUMBERED:
        return digits
    return not (digits and any(field in SCORES | _NUMBERED for field in later))


def cells_of_lines(column: Column, words: Sequence[Word], *, is_date: IsDate) -> tuple[Cell, ...] | None:
    """A cell for each field of a stacked column, blank where a line is missing; None where lines cannot be told apart.

    More lines than fields are told apart only if they are two and one of them is a date, which never wraps.
    """
    lines = lines_of(words)
    wanted = column.lines
    dated = [n for n, line in enumerate(lines) if any(is_date(f, line.text) for f in _DATES.intersection(wanted))]
    parts: list[Sequence[Line]] = [[line] for line in lines]
    if len(wanted) == 2 and len(lines) != 2 and _DATES.intersection(wanted):
        if len(dated) > 1 or (dated and dated[0] not in (0, len(lines) - 1)):
            return None
        if wanted[1] in _DATES:
            cut = dated[0] if dated else len(lines)
            parts = [lines[:cut], lines[cut:]]
            if not dated and len(lines) > 1:
                return None
        else:
            parts = [lines[:1], lines[1:]]
    if len(parts) > len(wanted):
        return None
    parts += [[]] * (len(wanted) - len(parts))
    return tuple(_cell(part) for part in parts)


def _cell(lines: Sequence[Line]) -> Cell:
    text = " ".join(line.text for line in lines)
    return Cell(text=text, region=around([line.region for line in lines])) if lines else Cell(text="")


def _is_score(text: str) -> bool:
    try:
        return read_score(text, maximum=None) is not None
    except UnreadableScoreError:
        return False
