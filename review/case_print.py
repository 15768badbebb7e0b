"""How the print of one case is shown: its page, its row enlarged under the headers, and marks on what is doubtful."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from records.assessment import ItemState, SymptomAssessment
from records.document import Word
from records.geometry import Region
from records.layout import Landmark
from records.picture import DrawnPage
from review.print_places import Place, header_above, place_of, place_of_day, words_within

_TALLEST_ROW: Final = 72.0  # points; a higher record is read on the page itself
_BESIDE: Final = 6.0  # points of paper shown around a row
_ABOVE: Final = 3.0
_AROUND_MARK: Final = 1.5
_ABOUT_TOTAL: Final = frozenset({"total-out-of-range", "total-unreadable", "sum-differs", "severity-differs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A row enlarged, below the headers of its table where they are known.

    Attributes:
        parts: Boxes on the page, from above; the picture shows them one below the other.
        width: Of the picture in points; the same for `height`.
        marks: Doubtful cells, in points from the picture's upper left corner.
    """

    parts: tuple[Region, ...]
    width: float
    height: float
    marks: tuple[Region, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePrint:
    """The printed page of a case.

    Attributes:
        number: Of the page, from 1.
        width: Of the page in points; the same for `height`.
        row: The record's box, or None if it has none.
        marks: Doubtful cells on the page.
        strip: None if the record is no row.
        completed: The day of the assessment as printed, or empty where it was not found.
        has_words: Whether a click on the page can say what is printed there.
    """

    number: int
    width: float
    height: float
    row: Region | None
    marks: tuple[Region, ...]
    strip: Strip | None
    completed: str
    has_words: bool

    @property
    def middle(self) -> int:
        """How far down the page the record is, in percent of its height."""
        return round(100 * self.row.center[1] / self.height) if self.row else 0


def case_print(
    drawn: DrawnPage,
    assessment: SymptomAssessment,
    *,
    landmarks: Iterable[Landmark] = (),
    doubted: Collection[str] = (),
) -> CasePrint:
    """What is shown of the page an assessment is printed on.

    Args:
        drawn: The page.
        assessment: A record with a page.
        landmarks: Where the template's own words were found in the report.
        doubted: Identifiers that do not match the patient shown first: "name", "birth_date", "mrn", …
    """
    number, row = assessment.page or 1, assessment.region
    within = words_within(drawn.words, row) if row else ()
    marks = tuple(dict.fromkeys(_marks(within, assessment, doubted)))
    completed = place_of_day(within, assessment.authored_on)
    return CasePrint(
        number=number,
        width=drawn.width,
        height=drawn.height,
        row=row,
        marks=marks,
        strip=strip_of(drawn, row, landmarks, marks) if row else None,
        completed=completed.text if completed else "",
        has_words=bool(drawn.words),
    )


def is_row(region: Region) -> bool:
    """Whether a record is a row of a table, and not a block that is read on the page itself."""
    height = region.bottom - region.top
    return height <= _TALLEST_ROW and region.x1 - region.x0 >= 2 * height


def strip_of(
    drawn: DrawnPage, row: Region, landmarks: Iterable[Landmark], marks: Sequence[Region] = ()
) -> Strip | None:
    """The row to be enlarged; None if the record is no row."""
    if not is_row(row):
        return None
    header = header_above(drawn.words, landmarks, row)
    x0 = min(row.x0, header.x0) - _BESIDE if header else row.x0 - _BESIDE
    x1 = max(row.x1, header.x1) + _BESIDE if header else row.x1 + _BESIDE
    parts = [Region(row.page, max(0.0, x0), max(0.0, row.top - _ABOVE), min(drawn.width, x1), row.bottom + _ABOVE)]
    if header is not None:
        top, bottom = max(0.0, header.top - _ABOVE), min(header.bottom + _ABOVE, parts[0].top)
        parts.insert(0, Region(row.page, parts[0].x0, top, parts[0].x1, bottom))
    return Strip(
        parts=tuple(parts),
        width=parts[0].x1 - parts[0].x0,
        height=sum(part.bottom - part.top for part in parts),
        marks=tuple(_in_strip(mark, parts) for mark in marks if mark.overlaps(parts[-1])),
    )


def _in_strip(mark: Region, parts: Sequence[Region]) -> Region:
    row = parts[-1]
    above = sum(part.bottom - part.top for part in parts[:-1])
    down, left = above - row.top, row.x0
    x0, x1 = max(mark.x0, row.x0) - left, min(mark.x1, row.x1) - left
    return Region(mark.page, x0, max(mark.top, row.top) + down, x1, min(mark.bottom, row.bottom) + down)


def _marks(words: Sequence[Word], assessment: SymptomAssessment, doubted: Collection[str]) -> Iterator[Region]:
    """The boxes of what must be looked at; never the whole row, which is outlined anyway."""
    for place in _doubted_places(words, assessment, doubted):
        yield _around(place.region)
    for finding in assessment.findings:
        box = finding.region
        if finding.blocking and box is not None and box.page == assessment.page and box != assessment.region:
            yield _around(box)
    for item in assessment.items or ():
        if item.source is not None and item.state is not ItemState.ANSWERED and item.source != assessment.region:
            yield _around(item.source)


def _doubted_places(words: Sequence[Word], assessment: SymptomAssessment, doubted: Collection[str]) -> Iterator[Place]:
    who = assessment.patient
    about_total = any(finding.code in _ABOUT_TOTAL for finding in assessment.findings)
    places = (
        ("name", place_of(words, who.name)),
        ("birth_date", place_of_day(words, who.birth_date)),
        ("mrn", place_of(words, who.mrn)),
        ("clinician", place_of(words, who.clinician)),
        ("total", place_of(words, assessment.total_printed)),
    )
    for field, place in places:
        if place is not None and (field in doubted or (field == "total" and about_total)):
            yield place


def _around(box: Region) -> Region:
    return Region(
        box.page,
        max(0.0, box.x0 - _AROUND_MARK),
        max(0.0, box.top - _AROUND_MARK),
        box.x1 + _AROUND_MARK,
        box.bottom + _AROUND_MARK,
    )
