"""The record a destination file may pick from: what was confirmed, and every value derived from it.

A file cannot compute, so codes, words of status, ids and times are worked out here, for all files alike. Pure: the
same record and sender always give the same values, also after a restart, because they become part of frozen bytes.

Ids hold nothing of a patient: they are made from the external id (an HMAC), the revision and the print's SHA-256.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from uuid import UUID, uuid5

from pydantic import JsonValue

from records.assessment import ItemScore, ItemState
from records.instrument import Instrument
from records.submission import ResultStatus, Submission
from store.outbox import SERVICE, ConfirmedRecord

SOFTWARE_NAME: Final = "Scorebridge"
# UCUM: an arbitrary unit in curly braces, as LOINC names it for scores.
_SCORE_UNIT: Final = "{score}"

# QuestionnaireResponse knows no "corrected", DocumentReference neither (FHIR R4, required bindings of their status).
_ANSWERS_STATUS: Final = {
    ResultStatus.FINAL: "completed",
    ResultStatus.CORRECTED: "amended",
    ResultStatus.ENTERED_IN_ERROR: "entered-in-error",
}
_DOCUMENT_STATUS: Final = {
    ResultStatus.FINAL: "current",
    ResultStatus.CORRECTED: "current",
    ResultStatus.ENTERED_IN_ERROR: "entered-in-error",
}
_EARLIER_DOCUMENT_STATUS: Final = {
    ResultStatus.FINAL: "superseded",
    ResultStatus.CORRECTED: "superseded",
    ResultStatus.ENTERED_IN_ERROR: "entered-in-error",
}
# HL7 v3 DataOperation, which Provenance.activity is bound to.
_ACTIVITY: Final = {
    ResultStatus.FINAL: "CREATE",
    ResultStatus.CORRECTED: "UPDATE",
    ResultStatus.ENTERED_IN_ERROR: "NULLIFY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """This installation, as portals are told of it.

    Attributes:
        deployment: Its own id, chosen when the database was made.
        version: Of the software.
        instruments: The library that codes come from; a code that was not verified is not in it.
    """

    deployment: UUID
    version: str
    instruments: Mapping[str, Instrument]


@cache
def software_version() -> str:
    """The version of this program, "unknown" where it runs without being installed."""
    try:
        return version("scorebridge")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    """Everything the fields are made from."""

    submission: Submission
    confirmed: ConfirmedRecord
    sender: Sender
    portal_patient_id: str
    document_sha1: str | None

    @property
    def instrument(self) -> Instrument | None:
        return self.sender.instruments.get(self.confirmed.assessment.instrument or "")


def record_fields(
    submission: Submission,
    confirmed: ConfirmedRecord,
    *,
    sender: Sender,
    portal_patient_id: str | None = None,
    document_sha1: str | None = None,
    wanted: Collection[str] | None = None,
) -> dict[str, JsonValue]:
    """The fields of `portal.record_shape`, or those `wanted`; absent values are None.

    Args:
        portal_patient_id: The portal's own id of the patient, where one was looked up; else the roster's.
        document_sha1: Of the printed file, in base64, where the destination asks for it.
    """
    message = _Message(
        submission=submission,
        confirmed=confirmed,
        sender=sender,
        portal_patient_id=portal_patient_id or submission.patient_id,
        document_sha1=document_sha1,
    )
    return {name: make(message) for name, make in _FIELDS.items() if wanted is None or name in wanted}


def _day(message: _Message) -> JsonValue:
    day = message.confirmed.assessment.authored_on
    return None if day is None else day.isoformat()


def _score(message: _Message) -> JsonValue:
    printed = message.confirmed.assessment
    return printed.result if printed.total is None else printed.total


def _of_instrument(message: _Message, name: str) -> JsonValue:
    found: JsonValue = getattr(message.instrument, name, None)
    return found


def _items(message: _Message) -> JsonValue:
    items = message.confirmed.assessment.items
    return None if items is None else [_item(item, message.instrument) for item in items]


def _item(printed: ItemScore, instrument: Instrument | None) -> JsonValue:
    known = None if instrument is None else instrument.item(printed.link_id)
    loinc = None if known is None else known.loinc
    return {
        "link_id": printed.link_id,
        "points": printed.points,
        "blank": printed.state is ItemState.BLANK,
        "loinc": loinc,
        "form_link_id": printed.link_id if loinc is None else f"/{loinc}",
        "answer_code": None if known is None or printed.points is None else known.answer_code(printed.points),
    }


def _observation(message: _Message) -> JsonValue:
    identifier = message.submission.external_id
    return _resource(message, identifier, message.submission.status.value)


def _answers(message: _Message) -> JsonValue:
    """None where no answers are printed now, nor were in an earlier message that is still there."""
    printed, status = message.confirmed.assessment.items, message.submission.status
    if printed is None and not message.confirmed.earlier_items:
        return None
    told = ResultStatus.ENTERED_IN_ERROR if printed is None else status
    return _resource(message, f"{message.submission.external_id}-answers", _ANSWERS_STATUS[told])


def _document(message: _Message) -> JsonValue:
    confirmed = message.confirmed
    is_csv = confirmed.file_name.lower().endswith(".csv")
    return _file(message, confirmed.document_sha256, _DOCUMENT_STATUS[message.submission.status]) | {
        "sha1": message.document_sha1,
        "media_type": "text/csv" if is_csv else "application/pdf",
    }


def _earlier_documents(message: _Message) -> JsonValue:
    status = _EARLIER_DOCUMENT_STATUS[message.submission.status]
    return [_file(message, sha256, status) for sha256 in message.confirmed.earlier_documents]


def _file(message: _Message, sha256: str, status: str) -> dict[str, JsonValue]:
    identifier = f"{message.submission.external_id}-{sha256[:16]}"
    return _resource(message, identifier, status) | {"sha256": sha256, "ni": _name_of_content(sha256)}


def _provenance(message: _Message) -> JsonValue:
    identifier = f"{message.submission.external_id}-{message.submission.revision}"
    activity = _ACTIVITY[message.submission.status]
    return _named(message, identifier) | {"activity": activity}


def _resource(message: _Message, identifier: str, status: str) -> dict[str, JsonValue]:
    return _named(message, identifier) | {"status": status}


def _named(message: _Message, identifier: str) -> dict[str, JsonValue]:
    """An identifier, how it is searched for, and a name for use within one message, the same in every attempt."""
    return {
        "identifier": identifier,
        "token": f"{_identifier_system(message)}|{identifier}",
        "full_url": f"urn:uuid:{uuid5(message.sender.deployment, identifier)}",
    }


def _identifier_system(message: _Message) -> str:
    return f"urn:uuid:{message.sender.deployment}"


def _name_of_content(sha256: str) -> str:
    """RFC 6920: a URI that says what is in a file, not where it is."""
    return f"ni:///sha-256;{urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip('=')}"


def _software(message: _Message) -> JsonValue:
    return {"name": SOFTWARE_NAME, "version": message.sender.version}


def _person(message: _Message) -> JsonValue:
    confirmed_by = message.confirmed.confirmed_by
    return None if confirmed_by == SERVICE else confirmed_by


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_FIELDS: Final[Mapping[str, Callable[[_Message], JsonValue]]] = {
    "external_id": lambda message: message.submission.external_id,
    "remote_id": lambda message: message.submission.remote_id,
    "remote_version": lambda message: message.submission.remote_version,
    "patient_id": lambda message: message.submission.patient_id,
    "portal_patient_id": lambda message: message.portal_patient_id,
    "site": lambda message: message.confirmed.site,
    "instrument": lambda message: message.confirmed.assessment.instrument,
    "title": partial(_of_instrument, name="title"),
    "loinc": partial(_of_instrument, name="total_loinc"),
    "panel_loinc": partial(_of_instrument, name="panel_loinc"),
    "total": lambda message: message.confirmed.assessment.total,
    "unit": lambda message: None if message.confirmed.assessment.total is None else _SCORE_UNIT,
    "result": lambda message: message.confirmed.assessment.result,
    "score": _score,
    "severity": lambda message: message.confirmed.assessment.severity,
    "authored_on": _day,
    "authored_time": lambda message: message.confirmed.assessment.authored_time,
    "status": lambda message: message.submission.status.value,
    "revision": lambda message: message.submission.revision,
    "items": _items,
    "queued_at": lambda message: _instant(message.submission.created_at),
    "confirmed_by": _person,
    "template": lambda message: message.confirmed.template,
    "deployment": lambda message: str(message.sender.deployment),
    "identifier_system": _identifier_system,
    "software": _software,
    "observation": _observation,
    "answers": _answers,
    "document": _document,
    "earlier_documents": _earlier_documents,
    "provenance": _provenance,
}
