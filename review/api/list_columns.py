"""Which column of a patient list is which. The examples are patient data: looking at them is kept in the trail."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Final

from fastapi import Request
from pydantic import Field

from records.errors import DecisionRefusedError
from review import list_layouts, policies
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Done, Id, Shape, Wish, Word
from review.api.work import Asked, asked
from review.list_columns import ColumnChoice
from review.office import office_of
from store import roster_layouts

_MOST_COLUMNS: Final = 120


class Column(Shape):
    """A column of a list."""

    number: int
    """From 0."""
    header: str
    examples: tuple[str, ...]
    """A few of its cells."""
    fields: tuple[str, ...]
    """What it is taken as now; empty if it is not used."""
    is_fixed: bool
    """The settings file says what it is."""
    is_nameable: bool
    """It has a header that no other column has; without one it cannot be chosen."""


class Columns(Shape):
    """The columns of a list that a request has shown or could not show."""

    columns: tuple[Column, ...]
    left_out: int
    """How many further columns are not used."""
    date_format: str | None
    """`strptime` format that all dates are read by; null: told from the dates."""
    is_date_fixed: bool
    """The settings file says it."""


class ColumnField(Wish):
    """What one column is."""

    number: Annotated[int, Field(ge=0, lt=_MOST_COLUMNS)]
    fields: Annotated[tuple[Word, ...], Field(min_length=1, max_length=2)]
    """One field, or `patient_id` and `mrn` where the portal knows patients by their record number."""


class ChoosingColumns(Wish):
    """What the columns of a list are; one that is not named is not used."""

    columns: Annotated[tuple[ColumnField, ...], Field(max_length=_MOST_COLUMNS)]
    date_format: Annotated[str, Field(max_length=30)] | None = None
    """`strptime` format of all dates, such as `%d/%m/%Y`; null to tell it from the dates."""


class ChosenColumns(Shape):
    """What was chosen for the lists of a site."""

    columns: dict[str, str]
    """Field to header; an empty header says that the field is not taken from the file."""
    date_format: str | None
    chosen_by: str | None
    """Null where nothing was chosen: headers are understood by their words."""
    chosen_at: datetime | None


def get_list_columns(request: Request, site: str, work_id: Id, caller: Caller) -> Columns:
    """The columns of a list that was uploaded or looked at, with a few cells. The look is kept in the audit trail."""
    office = office_of(request)
    work = list_layouts.preview_at(office, caller, site, work_id)
    return Columns.model_validate(list_layouts.columns_seen(office, caller, work))


def choose_list_columns(request: Request, site: str, work_id: Id, caller: Caller, wish: ChoosingColumns) -> Asked:
    """Have a list shown in numbers once more, read as is said here.

    Nothing is imported; importing the new request keeps the choice for every later list of the site, uploaded or from
    the usual place. What the settings file says comes first.
    """
    office = office_of(request)
    work = list_layouts.preview_at(office, caller, site, work_id)
    numbers = Counter(one.number for one in wish.columns)
    if any(count > 1 for count in numbers.values()):
        raise DecisionRefusedError("A column is named twice.", next_step="Name each column once.")
    fields = {one.number: " ".join(one.fields) for one in wish.columns}
    choice = ColumnChoice(fields=fields, date_format=wish.date_format or "")
    return asked(list_layouts.choose(office, caller, work, choice))


def get_chosen_columns(request: Request, site: str, caller: Caller) -> ChosenColumns:
    """What was chosen for the lists of a site."""
    del caller
    with office_of(request).database.reading() as session:
        found = roster_layouts.chosen(session, site)
    if found is None:
        return ChosenColumns(columns={}, date_format=None, chosen_by=None, chosen_at=None)
    return ChosenColumns(
        columns=dict(found.layout.columns),
        date_format=found.layout.date_format,
        chosen_by=found.chosen_by,
        chosen_at=found.chosen_at,
    )


def forget_chosen_columns(request: Request, site: str, caller: Caller) -> Done:
    """Give up what was chosen: headers are understood by their words again."""
    list_layouts.forget(office_of(request), caller, site)
    return Done()


_LIST: Final = "/sites/{site}/patient-list"
ROUTES: Final = (
    ApiRoute("GET", f"{_LIST}/columns", get_chosen_columns, policies.MANAGES),
    ApiRoute("POST", f"{_LIST}/columns/forget", forget_chosen_columns, policies.CHANGES_CLINIC, changes=True),
    ApiRoute("GET", f"{_LIST}/columns/{{work_id}}", get_list_columns, policies.MANAGES),
    ApiRoute("POST", f"{_LIST}/columns/{{work_id}}", choose_list_columns, policies.MANAGES, changes=True),
)
