"""Files that programs send: reports, and lists of patients. They are held in memory and kept encrypted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from fastapi import Request

from review import patient_lists, policies, sources
from review.api.routing import ApiRoute
from review.api.shapes import Caller
from review.api.work import Asked, AskedList, asked
from review.office import office_of
from review.uploads import (
    MOST_FILES,
    MOST_LIST_BYTES,
    MOST_REPORT_BYTES,
    NoUploadError,
    SentFiles,
    UploadForm,
    form_bytes,
)

_FILE: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
_REPORTS: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Reports",
    "properties": {
        "files": {
            "type": "array",
            "items": _FILE,
            "minItems": 1,
            "maxItems": MOST_FILES,
            "description": "PDF or CSV files, each with its file name, 64 MB together.",
        },
    },
    "required": ["files"],
    "additionalProperties": False,
}
_LIST: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "PatientList",
    "properties": {
        "file": _FILE | {"description": "The list as CSV."},
        "exported_on": {"type": "string", "format": "date", "description": "The day on which the list was right."},
    },
    "required": ["file", "exported_on"],
    "additionalProperties": False,
}


def upload_reports(request: Request, site: str, caller: Caller, form: SentFiles) -> AskedList:
    """Take report files, all of them or none, as if they had been printed into a folder of the site.

    Each is read as a request of its own, in the order in which they were sent.
    """
    _check(form, files={"files"})
    taken = sources.upload(office_of(request), caller, site, form.files)
    return AskedList(items=tuple(asked(one) for one in taken))


def upload_patient_list(request: Request, site: str, caller: Caller, form: SentFiles) -> Asked:
    """Have a list shown in numbers; nothing is imported until `import_patient_list` names this request."""
    _check(form, files={"file"}, fields={"exported_on"})
    if len(form.files) != 1:
        raise NoUploadError
    day = form.fields["exported_on"]
    return asked(patient_lists.upload(office_of(request), caller, site, form.files[0], exported_on=day))


def _check(form: UploadForm, *, files: Collection[str], fields: Collection[str] = ()) -> None:
    """Refuse what the description does not name, rather than ignore it."""
    if {one.field for one in form.files} - set(files) or form.fields.keys() != set(fields):
        raise NoUploadError


ROUTES: Final = (
    ApiRoute(
        "POST",
        "/sites/{site}/reports",
        upload_reports,
        policies.UPLOADS,
        changes=True,
        takes=_REPORTS,
        file_bytes=form_bytes(MOST_REPORT_BYTES),
    ),
    ApiRoute(
        "POST",
        "/sites/{site}/patient-list/upload",
        upload_patient_list,
        policies.MANAGES,
        changes=True,
        takes=_LIST,
        file_bytes=form_bytes(MOST_LIST_BYTES),
    ),
)
