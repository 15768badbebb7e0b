"""Headings that may no longer hold: a line that could have been the next patient's was not read as one.

Rows take their patient from the last heading above them. Where something crooked or unknown is printed in between, it
may be a heading that lost its name: the rows after it would get the patient before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from parsers.template import Template
from parsers.template_parts import IDENTITY
from records.finding import Finding
from records.geometry import Region
from records.report import ExtractedRow

_CROOKED = "column-boundary"
_UNKNOWN = "unclaimed-word"


def with_doubted_headings(
    rows: Sequence[ExtractedRow], findings: Iterable[Finding], template: Template
) -> tuple[ExtractedRow, ...]:
    """The rows; those whose patient stands in a heading that may not be theirs, with a finding.

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
