"""The order of day and month, judged over a whole file: one date alone often cannot tell it.

"04/03/2026" is a date in either order. Where another date of the same file can only be read with day and month changed
round, the layout's dates have turned, and none of them may be trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from parsers.dates import UnreadableDateError, read_date
from parsers.template import Template
from parsers.template_parts import Field
from records.finding import Finding
from records.report import ExtractedRow

_DATED = (Field.BIRTH_DATE, Field.AUTHORED_ON)


def turned_dates(rows: Iterable[ExtractedRow], template: Template) -> tuple[Finding, ...]:
    """A finding about the whole file if a date of it is one only with day and month changed round; else nothing.

    Args:
        rows: The records as printed.
        template: Its date formats.
    """
    dated = [(field, template.date_formats(field)) for field in _DATED]
    for row in rows:
        for field, formats in dated:
            cell = row.cell(field)
            if cell is not None and not _reads(cell.text, formats) and _reads(cell.text, _turned(formats)):
                return (Finding(code="date-ambiguous"),)
    return ()


def _reads(text: str, formats: Iterable[str]) -> bool:
    try:
        read_date(text, tuple(formats))
    except UnreadableDateError:
        return False
    return True


def _turned(formats: Iterable[str]) -> Iterator[str]:
    """The numeric formats with day and month changed round."""
    for form in formats:
        if "%d" in form and "%m" in form:
            yield form.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")
