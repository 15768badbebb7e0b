"""The headers of a list with a few of its cells, for a person who says which column is which."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final

from ingest.roster_cells import unprotected
from ingest.roster_columns import RosterColumns, fold, guess_each, understand
from ingest.roster_dates import UnreadableRosterDateError, date_reader
from ingest.roster_layouts import read_as
from ingest.settings import Settings, SiteSettings
from parsers.readers import table_file
from records.document import TableRow
from records.errors import DocumentError, RosterError
from review.list_columns import ListColumn, ListColumns
from store.roster_layouts import ListLayout

# The first rows say enough; a list of 64 MB is not read as a whole for them.
_HEAD_BYTES: Final = 256 * 1024
_LINES_BEFORE_HEADER: Final = 10
_LOOKED_AT: Final = 200
_EXAMPLES: Final = 3
_MOST_COLUMNS: Final = 120
_NUMBER: Final = re.compile(r"[^\W\d_]{0,3}[\W_]*\d[\d\W_]{2,}")


def sample(content: bytes, site: SiteSettings, chosen: ListLayout) -> ListColumns:
    """The columns of a list as they would be understood now.

    Args:
        site: As the settings file has it.
        chosen: What a person has chosen, for this list or for the site.

    Raises:
        RosterError: The file cannot be read, or has no line of headers: its first line may be a patient.
    """
    rows = _head(content)
    at = _header_at(rows)
    header = rows[at].cells
    if _looks_like_a_patient(header):
        raise RosterError(
            "It has no line of headers.", next_step="Export it with headers: a column is known by its header."
        )
    below = rows[at + 1 : at + 1 + _LOOKED_AT]
    fields = _fields(header, read_as(site, chosen))
    fixed = {name for name, wanted in site.roster_columns.items() if wanted}
    counts = Counter(fold(cell) for cell in header)
    columns = tuple(
        ListColumn(
            number=number,
            header=cell,
            examples=_examples(below, number),
            fields=fields.get(number, ()),
            is_fixed=bool(fixed & set(fields.get(number, ()))),
            is_nameable=bool(fold(cell)) and counts[fold(cell)] == 1,
        )
        for number, cell in enumerate(header[:_MOST_COLUMNS])
    )
    return ListColumns(
        columns=columns,
        left_out=max(0, len(header) - _MOST_COLUMNS),
        date_format=site.roster_date_format or chosen.date_format,
        is_date_fixed=site.roster_date_format is not None,
        fixed_fields=frozenset(site.roster_columns),
    )


def _head(content: bytes) -> tuple[TableRow, ...]:
    try:
        if len(content) <= _HEAD_BYTES:
            return table_file.read(content).rows
        try:
            return table_file.read(content[: _whole_lines(content)]).rows
        except DocumentError:  # the cut may lie within quotes
            return table_file.read(content).rows
    except DocumentError as error:
        raise RosterError(error.message, next_step="Export it as CSV, UTF-8.") from None


def _whole_lines(content: bytes) -> int:
    """Where the last whole line of the head ends."""
    ends = {codecs.BOM_UTF16_LE: b"\n\x00", codecs.BOM_UTF16_BE: b"\x00\n"}.get(content[:2], b"\n")
    at = content.rfind(ends, 0, _HEAD_BYTES)
    return at + len(ends) if at > 0 else _HEAD_BYTES


def _header_at(rows: Sequence[TableRow]) -> int:
    """The row with the most words that are known as headers; of several the one with the most cells, then the first."""

    def rank(at: int) -> tuple[int, int, int]:
        cells = rows[at].cells
        return sum(name is not None for name in guess_each(cells)), sum(bool(cell) for cell in cells), -at

    return max(range(min(len(rows), _LINES_BEFORE_HEADER)), key=rank)


def _looks_like_a_patient(header: Sequence[str]) -> bool:
    """Whether a line holds a date or a number, as no header does and every patient."""
    return any(_is_date(cell) or _NUMBER.fullmatch(cell) for cell in header)


def _is_date(cell: str) -> bool:
    try:
        return bool(cell) and date_reader(order=None, stated=None, today=date.max)(cell) is not None
    except UnreadableRosterDateError:
        return False


def _fields(header: Sequence[str], site: SiteSettings) -> dict[int, tuple[str, ...]]:
    """Column to what it is taken as; where the header can be understood in two ways, to what its own words say."""
    try:
        understood: RosterColumns = understand(header, site.roster_layout)
    except RosterError:
        return {at: (name,) for at, name in enumerate(guess_each(header)) if name is not None}
    found: dict[int, tuple[str, ...]] = {}
    for name, at in understood.places.items():
        found[at] = (*found.get(at, ()), name)
    return found


def _examples(rows: Sequence[TableRow], number: int) -> tuple[str, ...]:
    cells = (unprotected(row.cells[number]) for row in rows if number < len(row.cells))
    return tuple(dict.fromkeys(cell for cell in cells if cell))[:_EXAMPLES]


def sample_of(settings: Settings, site: str, content: bytes | None, chosen: ListLayout) -> ListColumns:
    """The columns of an uploaded list, or without one of the file that the settings name for the site.

    Raises:
        RosterError: As for `sample`; or the file cannot be read, or the site's patients come from a server.
    """
    known = settings.site_settings(site)
    if content is None and known.roster is None:
        raise RosterError("The patients of this site come from no file.", next_step="Upload a list.")
    if content is None and known.roster is not None:
        try:
            content = known.roster.read_bytes()
        except OSError as error:
            raise RosterError(f"The file cannot be read: {error.strerror}.", next_step="Check its path.") from None
    return sample(content or b"", known, chosen)
