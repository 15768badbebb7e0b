"""What a report looked like, in figures without patient data, and how that differs from usual."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from records.geometry import Region


class LandmarkKind(StrEnum):
    """What a landmark is to its template."""

    COLUMN = "column"
    LABEL = "label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmark:
    """Words of the template at a place where they were found: a column's header or a label.

    Attributes:
        name: The header or label as the template writes it; tells one landmark from another.
        printed: The wording that was found: `name`, or another one that the template allows.
        page: Page number from 1; 0 in a table file.
        x0: Left edge in points; in a table file the number of the column, from 1.
        x1: Right edge in points, or again the number of the column.
        top: Upper edge in points; 0 in a table file.
        bottom: Lower edge in points; 0 in a table file.
    """

    name: str
    kind: LandmarkKind
    printed: str
    page: int
    x0: float
    x1: float
    top: float = 0.0
    bottom: float = 0.0

    @property
    def region(self) -> Region | None:
        """The box around it; None in a table file."""
        return Region(self.page, self.x0, self.top, self.x1, self.bottom) if self.page else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Words among the headers of a table that belong to no column of the template.

    Attributes:
        printed: The words; empty where they might be a patient's.
        after: Name of the column to the left, or None.
        before: Name of the column to the right, or None.
        region: Where they stand; None in a table file.
    """

    printed: str
    after: str | None
    before: str | None
    region: Region | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often something was so.

    Attributes:
        name: What is counted: "blank:mrn", "finding:readers-differ", "unmatched", …
        hits: How often it was so, `0 <= hits <= of`.
        of: How often it could have been.
    """

    name: str
    hits: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.of:
            raise ValueError(f"{self.name}: {self.hits} of {self.of}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSums:
    """The totals of one instrument, summed, so that mean and spread can be had without keeping a score.

    Attributes:
        total: Sum of the totals, in points.
        squares: Sum of their squares.
    """

    instrument: str
    count: int
    total: int
    squares: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutSignature:
    """What one reading of a report looked like: places of the template's own words, counts, sums. No patient data.

    Attributes:
        template: "id@revision".
        pages: Number of pages; 0 for a table file.
        sheet: Width and height of the first page in points; (0, 0) for a table file.
        landmarks: The template's headers and labels at each distinct place on the first pages.
        missing: Names of required headers and labels that were looked for and are not printed.
        strangers: What stands among the headers and belongs to no column.
        headless: Whether the template's table was not found at all.
        stray_places: Where words stand that nothing claims, at most a few of them.
        rates: Counts over all records.
        scores: Sums of each instrument's totals.
    """

    template: str
    pages: int
    sheet: tuple[float, float]
    landmarks: tuple[Landmark, ...]
    missing: tuple[str, ...] = ()
    strangers: tuple[Stranger, ...] = ()
    headless: bool = False
    stray_places: tuple[Region, ...] = ()
    rates: tuple[Rate, ...] = ()
    scores: tuple[ScoreSums, ...] = ()

    def rate(self, name: str) -> Rate | None:
        """The rate of this name, or None if there was nothing to count."""
        return next((rate for rate in self.rates if rate.name == name), None)


class ChangeKind(StrEnum):
    """How a layout can differ from usual."""

    NEW = "new"
    MISSING = "missing"
    RENAMED = "renamed"
    MOVED = "moved"
    UNCLAIMED = "unclaimed"
    DATE_ORDER = "date-order"
    RATE = "rate"
    SCORES = "scores"
    SHEET = "sheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutChange:
    """One thing that is not as it was.

    Attributes:
        sentence: For the template's author, in plain words; no patient data, for it leaves the house.
        holds: Whether it puts the template on hold; False for what is worth a note only.
        region: Where to look, or None.
    """

    kind: ChangeKind
    sentence: str
    holds: bool
    region: Region | None = None
