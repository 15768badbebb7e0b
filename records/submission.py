"""A confirmed record on its way to a portal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class DeliveryState(StrEnum):
    """Where a submission is."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"  # the answer was lost; resolved by looking, never by a blind resend
    HELD = "held"  # waits for a setting, a permission, a patient at the portal
    DEAD = "dead"  # refused for good; a person decides
    CANCELLED = "cancelled"  # taken back before it was sent


class DestinationMode(StrEnum):
    """How far a destination goes."""

    OFF = "off"
    SHADOW = "shadow"  # everything but sending
    STAGING = "staging"  # only patients of an allow-list
    LIVE = "live"


class ResultStatus(StrEnum):
    """FHIR observation-status words in use here."""

    FINAL = "final"
    CORRECTED = "corrected"
    ENTERED_IN_ERROR = "entered-in-error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One message for one destination about one assessment.

    Attributes:
        submission_id: Row id.
        record_id: Row id of the confirmed record it tells of.
        destination: Destination id of the settings.
        patient_id: The portal's patient id.
        sequence: Order within destination and patient, from 1.
        external_id: Opaque id of the assessment, the same for its corrections; no patient data in it.
        revision: 1 for the first print, then counted up.
        status: What the portal is told about the result.
        payload: Body, frozen before the first attempt; None until `portal.delivery` has made it from the record.
        idempotency_key: The same after every restart and for every attempt.
        attempts: Attempts made so far, this one included once claimed.
        remote_id: Id the portal gave to this assessment earlier, or None.
        remote_version: The portal's version of what it has of it, or None where it names none.
        was_unknown: An earlier attempt's answer was lost: look before sending.
        created_at: When it was put into the outbox, which is when its record was confirmed, corrected or withdrawn.
    """

    submission_id: int
    record_id: int
    destination: str
    patient_id: str
    sequence: int
    external_id: str
    revision: int
    status: ResultStatus
    payload: bytes | None
    idempotency_key: str
    attempts: int
    remote_id: str | None
    remote_version: str | None
    was_unknown: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """The portal's word that it has the value.

    Attributes:
        remote_id: The portal's id of the stored result.
        version: The portal's version of it, or None.
        http_status: Status of the answer that settled it.
        found: True if it was found there already, after a lost answer.
    """

    remote_id: str
    version: str | None
    http_status: int
    received_at: datetime
    found: bool = False


# Why a submission is where it is, as the operator reads it. A code that carries a name or number ends in {…}.
_DELIVERY_REASONS: Final[dict[str, str]] = {
    "shadow": "The destination is tried out: everything but sending.",
    "not-on-allow-list": "The destination is in staging, and this patient is not on its allow list.",
    "daily-limit": "The values that may go to the destination in a day have gone; it goes tomorrow.",
    "missing-{}": "The destination needs a value that the record does not have.",
    "mapping-fault": "The destination file does not work for this record.",
    "schema": "The portal would not take the record: it breaks the schema of the destination file.",
    "csv-cell": "A value of the record cannot stand in a CSV file.",
    "other-request": "The portal has the result under an id that was not known when the message was made.",
    "patient-not-at-portal": "The portal does not know this patient, and nobody is ever created there.",
    "patient-several-at-portal": "The portal knows this patient more than once; have the records merged there.",
    "patient-differs-at-portal": "The portal has another birth date for this patient than the roster.",
    "patient-inactive-at-portal": "The portal has closed this patient's record, or replaced it by another one.",
    "patient-merged": "The roster has merged this patient into another one; move the record to the one that stands.",
    "patient-changed": "The record's patient was changed after this was queued.",
    "not-reached": "The portal could not be reached.",
    "answer-lost": "The answer was lost; the portal is looked at before anything is sent again.",
    "unclear": "The portal's answer does not say whether it has the value.",
    "not-shown": "The portal took the value but does not show it yet.",
    "not-withdrawn": "The portal took the withdrawal but still shows the value.",
    "portal-differs": "The portal holds other values for this assessment.",
    "portal-has-several": "The portal holds this assessment more than once.",
    "portal-errors": "The portal answered with errors in its body.",
    "portal-errors-{}": "The portal answered with errors in its body; the code is its own.",
    "portal-later": "The portal's answer says: not now.",
    "csv-folder": "The folder of the portal cannot be written at the moment.",
    "folder-not-prepared": "The folder of the portal is not prepared, or its share is not mounted.",
    "batch-refused": "The portal refused a request for several records; they are sent one by one.",
    "batch-entry": "The portal's answer to a request for several records leaves this one open.",
    "look-{}": "Looking whether the portal has the value did not work.",
    "search-unclear": "The portal's search gives no usable answer.",
    "no-token": "The token or key is missing at the place the settings name.",
    "token-refused": "The token server does not accept this program's credential.",
    "token-server": "The token server does not give a token.",
    "certificate": "The portal's own certificate is not one to trust.",
    "certificate-refused": "The portal does not accept this program's client certificate.",
    "http-412{}": "Somebody has changed the result at the portal since; sending it again overwrites that.",
    "overwrite": "It is sent again and overwrites what somebody changed at the portal.",
    "http-{}": "The portal refused the request with this status.",
    "gave-up-{}": "It failed for three days; a person must look.",
    "given-back": "It was given back before it was sent, and is tried again.",
    "restarted": "The service was restarted while it was being sent.",
    "program-error": "The program failed on this submission.",
    "paused-by-person": "Somebody has paused this destination on the pages.",
}


def delivery_sentence(code: str) -> str:
    """The plain sentence of a delivery reason; the code itself where there is none.

    A code that carries a name or number, such as `http-403`, stands behind its sentence: the sentence alone does not
    say which.
    """
    if code in _DELIVERY_REASONS:
        return _DELIVERY_REASONS[code]
    patterns = [name for name in _DELIVERY_REASONS if name.endswith("{}") and code.startswith(name[:-2])]
    return f"{_DELIVERY_REASONS[max(patterns, key=len)][:-1]} ({code})." if patterns else code
