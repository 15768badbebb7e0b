"""The record offered to destination files: which fields there are, of what kind, and what they mean.

Version 2. A field never changes its meaning: a new meaning is a new name, a lost one a new version. The descriptions
are part of docs/reference-destinations.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from typing_extensions import TypedDict

from portal.shapes import Fields, Shape, shape_of

RECORD_VERSION: Final = 2
# Names offered beside the fields, wherever an expression stands; an entry's own field of that name is hidden by them.
RECORD_NAME: Final = "record"
ENTRY_NAME: Final = "entry"
VARIABLES_NAME: Final = "variables"


class ItemFields(TypedDict):
    """One answer of the form."""

    link_id: Annotated[str, "the item's id in the instrument"]
    points: Annotated[int | None, "points given; null where the answer is blank"]
    blank: Annotated[bool, "whether the print shows the question without an answer"]
    loinc: Annotated[str | None, "LOINC code of the question; null unless verified"]
    form_link_id: Annotated[str, "id as LHC-Forms and US Core write it, such as /44250-9; without a code the link_id"]
    answer_code: Annotated[str | None, "LOINC code of the answer, such as LA6568-5; null unless verified"]


class ResourceFields(TypedDict):
    """What one resource about the result is called."""

    identifier: Annotated[str, "our opaque id of it, the same for its corrections"]
    token: Annotated[str, "the identifier with its system, as FHIR searches for it: system|identifier"]
    full_url: Annotated[str, "urn:uuid, a name for use within one message"]
    status: Annotated[str, "FHIR's word for what became of it"]


class EarlierDocumentFields(ResourceFields):
    """A print that the portal was told of before: superseded, or entered-in-error."""

    sha256: Annotated[str, "SHA-256 of the file, in hex"]
    ni: Annotated[str, "the same as a URI of RFC 6920"]


class DocumentFields(EarlierDocumentFields):
    """The print: current, or entered-in-error."""

    sha1: Annotated[str | None, "SHA-1 of the file, in base64, as FHIR R4 has it; null once the file is forgotten"]
    media_type: Annotated[str, "application/pdf or text/csv"]


class ProvenanceFields(TypedDict):
    """What the note is called that says who did it; each message has its own."""

    identifier: Annotated[str, "our opaque id of it"]
    token: Annotated[str, "the identifier with its system: system|identifier"]
    full_url: Annotated[str, "urn:uuid, a name for use within one message"]
    activity: Annotated[str, "CREATE, UPDATE or NULLIFY (HL7 v3 DataOperation)"]


class SoftwareFields(TypedDict):
    """This program."""

    name: Annotated[str, "Scorebridge"]
    version: Annotated[str, "of the program"]


class RecordFields(TypedDict):
    """One confirmed result."""

    external_id: Annotated[str, "our opaque id of the assessment, the same for its corrections"]
    remote_id: Annotated[str | None, "the portal's id of it; null until the portal has given one"]
    remote_version: Annotated[str | None, "the portal's version of it, as it last named it"]
    patient_id: Annotated[str, "the portal's id of the patient, as the roster has it"]
    portal_patient_id: Annotated[str, "the portal's own id, where the file looks it up; else the roster's"]
    site: Annotated[str, "site of the settings"]
    instrument: Annotated[str | None, "instrument id, such as phq-9"]
    title: Annotated[str | None, "name of the instrument"]
    loinc: Annotated[str | None, "LOINC code of the total; null unless verified"]
    panel_loinc: Annotated[str | None, "LOINC code of the questionnaire, never of a value; null unless verified"]
    total: Annotated[int | None, "printed total; null for an instrument that has a result word"]
    unit: Annotated[str | None, "UCUM unit of the total, {score}"]
    result: Annotated[str | None, "result word of an instrument without a total (C-SSRS)"]
    score: Annotated[int | str | None, "the total, or else the result word"]
    severity: Annotated[str | None, "severity words as printed"]
    authored_on: Annotated[str | None, "day of the administration, YYYY-MM-DD"]
    authored_time: Annotated[str | None, "printed time or visit that tells two of a day apart"]
    status: Annotated[str, "final, corrected or entered-in-error"]
    revision: Annotated[int, "1 for the first message about the assessment, then counted up"]
    items: Annotated[list[ItemFields] | None, "answers in the order of the form; null where only a total is printed"]
    queued_at: Annotated[str, "when it was confirmed, corrected or withdrawn: an instant in UTC"]
    confirmed_by: Annotated[str | None, "user who confirmed it; null where every gate passed"]
    template: Annotated[str, "template that read it, id@revision"]
    deployment: Annotated[str, "UUID of this installation"]
    identifier_system: Annotated[str, "urn:uuid of this installation, the system of all identifiers below"]
    software: Annotated[SoftwareFields, "this program"]
    observation: Annotated[ResourceFields, "final, corrected, entered-in-error"]
    answers: Annotated[ResourceFields | None, "completed, amended, entered-in-error; null without any answers"]
    document: Annotated[DocumentFields, "the print"]
    earlier_documents: Annotated[list[EarlierDocumentFields], "other prints the portal was told of, oldest first"]
    provenance: Annotated[ProvenanceFields, "who did it"]


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
