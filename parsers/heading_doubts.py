"""A row that cannot be read may be a heading or a header that was not recognised: then the rows below are doubted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from parsers.dates import UnreadableDateError, read_date
from parsers.instrument_library import load_instruments, resolve
from parsers.lines import folded
from parsers.template import Template
from parsers.template_parts import IDENTITY, SCORES, Column, Field, Table
from records.assessment import SymptomAssessment
from records.finding import Finding
from records.geometry import Region
from records.report import ExtractedRow

_CROOKED = "column-boundary"
_UNKNOWN = "unclaimed-word"
_NUMBERS = SCORES | {Field.AUTHORED_ON, Field.BIRTH_DATE, Field.MRN}
_UNREAD = frozenset({
    "instrument-missing", "instrument-unknown", "date-missing", "date-unreadable", "total-missing", "total-unreadable",
    "result-unreadable",
})  # fmt: skip


def names_people(table: Table) -> bool:
    """Whether headings of the table say whose rows follow. Only then does a missed heading harm the rows below it."""
    return any(name in IDENTITY for name in table.group_fields)


def may_be_heading(cells: Sequence[tuple[Column, str]], template: Template, table: Table) -> bool:
    """Whether a row without a score may be a heading that was not recognised.

    It is a row if a date stands where dates do and an instrument's name where those do; in a table with neither it
    is doubted. Rows that have a score are looked at by `doubt_below_unread`.
    """
    if not names_people(table):
        return False
    formats = template.date_formats(Field.AUTHORED_ON)
    read = [
        *(_is_date(text, formats) for column, text in cells if column.field is Field.AUTHORED_ON),
        *(_is_instrument(text, template) for column, text in cells if column.field is Field.INSTRUMENT),
    ]
    return not read or not all(read)


def is_strange_header(cells: Sequence[tuple[Column, str]], template: Template, table: Table) -> bool:
    """Whether a row is the header of another table: what stands below it has other columns than this table's.

    It prints this table's headers in other places; or words, in two places at least, where numbers and dates stand;
    or the name of an instrument where a score would stand; or a date where a score would stand below a date.
    """
    filled = [(column, folded(text)) for column, text in cells if text]
    if all(text in _wordings(column) for column, text in filled):
        return False
    known = set[str]().union(*(_wordings(column) for column in table.columns))
    if 2 * sum(text in known for _, text in filled) > len(filled):
        return True
    if any(column.field in SCORES and _is_instrument(text, template) for column, text in cells if not text.isdigit()):
        return True
    if table.across is not None and table.across.field is Field.AUTHORED_ON:
        formats = table.across.dates or template.dates
        return any(_is_date(text, formats) for column, text in cells if column.field in SCORES)
    nothing = {folded(words) for words in template.no_score}
    values = [text for column, text in filled if column.field in _NUMBERS and text not in nothing]
    return len(values) > 1 and not any(character.isdigit() for text in values for character in text)


def _wordings(column: Column) -> set[str]:
    return {folded(words) for words in (column.header, *column.also)}


def doubt_below_unread(
    rows: Sequence[ExtractedRow], assessments: Sequence[SymptomAssessment], template: Template
) -> tuple[SymptomAssessment, ...]:
    """The assessments; those that get their person from the same heading as an unread row above them are marked.

    Args:
        rows: The records as printed, in printed order.
        assessments: What they were read as, in the same order.
        template: Its tables say which headings name people; without any nothing is marked.
    """
    names = _named_by_headings(template)
    if not names:
        return tuple(assessments)
    made = list(assessments)
    heading: object = None
    unread = False
    for at in _as_printed(rows, template):
        row, assessment = rows[at], assessments[at]
        above = tuple(row.cell(name) for name in sorted(names))
        unread = unread and above == heading
        heading = above
        note = (Finding(code="row-ambiguous", region=row.region),) if unread else ()
        made[at] = replace(assessment, findings=tuple(dict.fromkeys((*assessment.findings, *note))))
        unread = unread or any(finding.code in _UNREAD for finding in assessment.findings)
    return tuple(made)


def with_doubted_headings(
    rows: Sequence[ExtractedRow], findings: Iterable[Finding], template: Template
) -> tuple[ExtractedRow, ...]:
    """The rows; those whose patient stands in a heading that may not be theirs, with a finding.

    Rows take their patient from the last heading above them. Where something crooked or unknown is printed in between,
    it may be a heading that lost its name: the rows after it would get the patient before them.

    Args:
        rows: In printed order.
        findings: About the pages; an unknown line holds its own page already, here it is held against later pages.
        template: Its tables' headings.
    """
    fields = {name for table in template.table for name in table.group_fields} & {str(each) for each in IDENTITY}
    unknown = [f.region for f in findings if f.code == _UNKNOWN and f.blocking and f.region is not None]
    crooked: set[Region] = set()
    made: list[ExtractedRow] = []
    for row in rows:
        headings = {cell.region for name, cell in row.cells if name in fields and cell.region is not None}
        passed = any(heading.page < row.page and _after(heading, unknown, row.page) for heading in headings if row.page)
        if headings & crooked or passed:
            made.append(replace(row, findings=(*row.findings, Finding(code="row-ambiguous", region=row.region))))
        else:
            made.append(row)
        if any(finding.code == _CROOKED for finding in row.findings):
            crooked |= headings
    return tuple(made)


def _after(heading: Region, unknown: Iterable[Region], page: int) -> bool:
    """Whether something unknown is printed after the heading and before the page."""
    here = heading.page, heading.top
    return any(here < (region.page, region.top) and region.page < page for region in unknown)


def _as_printed(rows: Sequence[ExtractedRow], template: Template) -> list[int]:
    """Places of the rows from top to bottom; those of several tables are read table by table."""
    places = list(range(len(rows)))
    if len(template.table) < 2:
        return places
    return sorted(places, key=lambda at: (rows[at].page or 0, box.top if (box := rows[at].region) else 0.0))


def _is_date(text: str, formats: Sequence[str]) -> bool:
    try:
        return read_date(text, formats) is not None
    except UnreadableDateError:
        return False


def _is_instrument(text: str, template: Template) -> bool:
    name = resolve(text, load_instruments(), template.instruments)
    return name.instrument_id is not None or name.ambiguous


def _named_by_headings(template: Template) -> frozenset[str]:
    """What of a person only headings say."""
    return frozenset(
        str(name)
        for table in template.table
        for name in IDENTITY & table.group_fields - {column.field for column in table.columns}
    )
