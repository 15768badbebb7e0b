"""What several answers and requests are made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from records.assessment import ItemState, SymptomAssessment
from records.finding import sentence
from records.geometry import Region
from records.patient import PatientIdentity
from review.access import Visitor, signed_in
from store.whereabouts import LARGEST


class Shape(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class Wish(BaseModel):
    """A request; a field that nobody knows is refused rather than ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


_Entry = TypeVar("_Entry", bound=Shape)


class Part(Shape, Generic[_Entry]):
    """One part of a list, in the order of the keys."""

    items: tuple[_Entry, ...]
    next: int | None
    """`after` of the following part; null where the list ends."""


class Done(Shape):
    """It is done."""

    done: bool = True


# Control characters have no business in what people write, and one database refuses some of them.
_WRITTEN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_WRITTEN)]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=_WRITTEN)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=_WRITTEN)]
Version = Annotated[int, Field(ge=0, le=LARGEST)]
Id = Annotated[int, Field(ge=1, le=LARGEST)]
After = Annotated[int, Query(ge=0, le=LARGEST, description="Key of the last entry of the part before.")]
Limit = Annotated[int, Query(ge=1, le=200, description="Entries of a part.")]
Caller = Annotated[Visitor, Depends(signed_in)]


def part(entries: Iterable[_Entry], *, key: str, limit: int) -> Part[_Entry]:
    """A part of a list that was asked for with one entry more than it holds.

    Args:
        key: Name of the field that is the key.
    """
    found = tuple(entries)
    shown = found[:limit]
    following = getattr(shown[-1], key) if len(found) > limit else None
    return Part(items=shown, next=following)


class Box(Shape):
    """A box on a page, in points from its upper left corner."""

    page: int
    x0: float
    top: float
    x1: float
    bottom: float


class PrintedPatient(Shape):
    """The person as printed."""

    name: str
    family: str | None
    given: str | None
    middle: str | None
    suffix: str | None
    birth_date: date | None
    mrn: str | None
    sex: str | None


class Answer(Shape):
    """One answer."""

    link_id: str
    state: ItemState
    points: int | None


class FindingShown(Shape):
    """What is wrong with or worth noting about a record."""

    code: str
    sentence: str
    region: Box | None


class Values(Shape):
    """What is read of one record. Blank, zero and unreadable are three different things."""

    patient: PrintedPatient
    instrument: str | None
    instrument_printed: str
    authored_on: date | None
    authored_time: str | None
    total: int | None
    total_printed: str
    result: str | None
    items: tuple[Answer, ...] | None
    severity: str | None
    critical: bool | None
    """True for an alert, false for an answered 0, null where not printed."""
    page: int | None
    line: int | None
    region: Box | None
    findings: tuple[FindingShown, ...]


def values_of(assessment: SymptomAssessment) -> Values:
    """The values of a record."""
    return Values(
        patient=_printed(assessment.patient),
        instrument=assessment.instrument,
        instrument_printed=assessment.instrument_printed,
        authored_on=assessment.authored_on,
        authored_time=assessment.authored_time,
        total=assessment.total,
        total_printed=assessment.total_printed,
        result=assessment.result,
        items=None if assessment.items is None else tuple(Answer.model_validate(item) for item in assessment.items),
        severity=assessment.severity,
        critical=assessment.critical,
        page=assessment.page,
        line=assessment.line,
        region=box(assessment.region),
        findings=tuple(
            FindingShown(code=one.code, sentence=sentence(one.code), region=box(one.region))
            for one in assessment.findings
        ),
    )


def box(region: Region | None) -> Box | None:
    """A region, or None."""
    return None if region is None else Box.model_validate(region)


def _printed(patient: PatientIdentity) -> PrintedPatient:
    return PrintedPatient.model_validate(patient)


class ReasonShown(Shape):
    """Why something waits."""

    code: str
    sentence: str


def reasons_of(codes: Iterable[str]) -> tuple[ReasonShown, ...]:
    """Reason codes with their sentences."""
    return tuple(ReasonShown(code=code, sentence=sentence(code)) for code in codes)


__all__ = [
    "After",
    "Answer",
    "Box",
    "Caller",
    "Done",
    "FindingShown",
    "Id",
    "Limit",
    "Part",
    "PrintedPatient",
    "Reason",
    "ReasonShown",
    "Shape",
    "Text",
    "Values",
    "Version",
    "Wish",
    "Word",
    "box",
    "datetime",
    "part",
    "reasons_of",
    "values_of",
]
