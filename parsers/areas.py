"""Where the first reading found tables, so that the second looks at the same places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from records.document import Rule
from records.geometry import Region, around


@dataclass(frozen=True, slots=True, kw_only=True)
class TableArea:
    """Where to look for a table.

    Attributes:
        region: Box of the table with its header.
        separators: x of the borders between columns; ignored for ruled tables.
        ruled: Whether printed lines enclose its cells.
    """

    region: Region
    separators: tuple[float, ...]
    ruled: bool


def with_borders(area: TableArea, rules: Iterable[Rule]) -> TableArea:
    """The area with all of the printed lines that run into it, if it is ruled.

    A wide last column ends far behind its words, and a line that leaves the area counts as none.
    """
    if not area.ruled:
        return area
    box = area.region
    entering = [rule.region for rule in rules if _enters(rule, box)]
    return replace(area, region=around([box, *entering])) if entering else area


def _enters(rule: Rule, box: Region) -> bool:
    line = rule.region
    if rule.is_horizontal:
        return box.top < line.top < box.bottom and line.x0 < box.x1 and line.x1 > box.x0
    return box.x0 < line.x0 < box.x1 and line.top < box.bottom and line.bottom > box.top
