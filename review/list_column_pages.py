"""Which column of a patient list is which: its headers with a few of its cells, and a field to choose for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

from records.errors import DecisionRefusedError
from review import list_layouts, patient_lists, policies
from review.access import Form, SignedIn
from review.list_columns import DATE_FORMATS, FIELD_WORDS, TOGETHER, ColumnChoice, ListColumns
from review.list_layouts import ColumnsRefusedError
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.site_scope import NotThereError
from store.work_requests import WorkRequest

_COLUMN: Final = "column-"


def show_columns(request: Request, request_id: int, visitor: SignedIn) -> Response:
    """The columns of a list as they are understood now. The look is kept in the audit trail."""
    office = office_of(request)
    work = patient_lists.preview_seen(office, visitor, request_id)
    try:
        columns = list_layouts.columns_seen(office, visitor, work)
    except DecisionRefusedError as refused:
        return page(request, "list_columns.html", visitor=visitor, work=work, columns=None, problems=[str(refused)])
    return _page(request, visitor, work, columns)


def choose(request: Request, request_id: int, visitor: SignedIn, form: Form) -> Response:
    """Have the list shown in numbers once more, read as was chosen."""
    office = office_of(request)
    work = patient_lists.preview_seen(office, visitor, request_id)
    choice = _choice(form)
    try:
        asked = list_layouts.choose(office, visitor, work, choice)
    except ColumnsRefusedError as refused:
        columns = list_layouts.columns_seen(office, visitor, work)
        return _page(request, visitor, work, columns, choice=choice, problems=refused.problems)
    return go_to(f"/patient-lists/previews/{asked.request_id}")


def forget(request: Request, site: str, visitor: SignedIn) -> Response:
    """Give up what was chosen for a site's lists."""
    office = office_of(request)
    if site not in office.sites_seen(visitor.user):
        raise NotThereError
    list_layouts.forget(office, visitor, site)
    return go_to(f"/patient-lists/{site}", said="columns-forgotten")


def _choice(form: Mapping[str, str]) -> ColumnChoice:
    numbers = {name.removeprefix(_COLUMN): field for name, field in form.items() if name.startswith(_COLUMN)}
    fields = {int(number): field for number, field in numbers.items() if number.isascii() and number.isdecimal()}
    return ColumnChoice(fields=fields, date_format=form.get("date_format", ""))


def _page(
    request: Request,
    visitor: SignedIn,
    work: WorkRequest,
    columns: ListColumns,
    *,
    choice: ColumnChoice | None = None,
    problems: tuple[str, ...] = (),
) -> Response:
    words = {name: said for name, said in FIELD_WORDS.items() if name not in columns.fixed_fields}
    if {"patient_id", "mrn"} <= words.keys():
        words[TOGETHER] = "Portal id and record number"
    date_format = (columns.date_format or "") if choice is None else choice.date_format
    chosen = {one.number: " ".join(one.fields) for one in columns.columns}
    return page(
        request, "list_columns.html", visitor=visitor, status=422 if problems else 200, work=work, columns=columns,
        chosen=chosen | (dict(choice.fields) if choice else {}), words=words, field_words=FIELD_WORDS,
        date_format=date_format, problems=problems,
        formats=DATE_FORMATS if date_format in ("", *DATE_FORMATS) else {date_format: date_format} | dict(DATE_FORMATS),
    )  # fmt: skip


ROUTES: Final = (
    Route("GET", "/patient-lists/previews/{request_id}/columns", show_columns, policies.MANAGES),
    Route("POST", "/patient-lists/previews/{request_id}/columns", choose, policies.MANAGES),
    Route("POST", "/patient-lists/{site}/columns/forget", forget, policies.CHANGES_CLINIC),
)
