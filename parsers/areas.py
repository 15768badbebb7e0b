"""Where the first reading found tables, so that the second looks at the same places."""

from __future__ import annotations

from dataclasses import dataclass

from records.geometry import Region


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
