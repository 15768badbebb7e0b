"""The record offered to destination files: which fields there are, of what kind, and what they mean.

Version 1. A field never changes its meaning: a new meaning is a new name, a lost one a new version. The descriptions
are part of docs/reference-destinations.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from typing_extensions import TypedDict

from portal.shapes import Fields, Shape, shape_of

RECORD_VERSION: Final = 1
# Names offered beside the fields, wherever an expression stands; an entry's own field of that name is hidden by them.
RECORD_NAME: Final = "record"
ENTRY_NAME: Final = "entry"
VARIABLES_NAME: Final = "variables"


class ItemFields(TypedDict):
    """One answer of the form."""

    link_id: Annotated[str, "the item's id in the instrument"]
    points: Annotated[int | None, "points given; null where the answer is blank"]


class RecordFields(TypedDict):
    """One confirmed result."""

    external_id: Annotated[str, "our opaque id of the assessment, the same for its corrections"]
    remote_id: Annotated[str | None, "the portal's id of it; null until the portal has given one"]
    patient_id: Annotated[str, "the portal's id of the patient"]
    site: Annotated[str, "site of the settings"]
    instrument: Annotated[str | None, "instrument id, such as phq-9"]
    loinc: Annotated[str | None, "LOINC code of the total; null unless verified"]
    total: Annotated[int | None, "printed total; null for an instrument that has a result word"]
    result: Annotated[str | None, "result word of an instrument without a total (C-SSRS)"]
    score: Annotated[int | str | None, "the total, or else the result word"]
    severity: Annotated[str | None, "severity words as printed"]
    authored_on: Annotated[str | None, "day of the administration, YYYY-MM-DD"]
    authored_time: Annotated[str | None, "printed time or visit that tells two of a day apart"]
    status: Annotated[str, "final, corrected or entered-in-error"]
    revision: Annotated[int, "1 for the first message about the assessment, then counted up"]
    items: Annotated[list[ItemFields] | None, "answers in the order of the form; null where only a total is printed"]


class RequestFields(TypedDict):
    """What headers, and the body of a search, may pick: what is known of a submission without its record."""

    external_id: Annotated[str, "our opaque id of the assessment"]
    remote_id: Annotated[str | None, "the portal's id of it, or null"]
    remote_version: Annotated[str | None, "the portal's version of what it has of it, or null"]
    patient_id: Annotated[str, "the portal's id of the patient"]
    idempotency_key: Annotated[str, "the same for every attempt of this message"]
    status: Annotated[str, "final, corrected or entered-in-error"]
    revision: Annotated[int, "1 for the first message about the assessment, then counted up"]


class BatchEntryFields(TypedDict):
    """One submission of a batch."""

    body: Annotated[dict[str, object], "what `create` would have sent"]
    external_id: Annotated[str, "our opaque id of the assessment"]
    patient_id: Annotated[str, "the portal's id of the patient"]
    idempotency_key: Annotated[str, "the same for every attempt of this message"]


class BatchFields(TypedDict):
    """What the body of a batch may pick."""

    payloads: Annotated[list[BatchEntryFields], "the submissions, in order"]


def _fields(declared: object) -> Fields:
    shape = shape_of(declared)
    assert isinstance(shape, Fields)
    return shape


RECORD: Final = _fields(RecordFields)
REQUEST: Final = _fields(RequestFields)
BATCH: Final = _fields(BatchFields)
RECORD_FIELDS: Final = frozenset(RECORD.fields)


def with_names(fields: Fields, names: Mapping[str, Shape]) -> Fields:
    """The fields and these names beside them."""
    return Fields({**fields.fields, **names})
