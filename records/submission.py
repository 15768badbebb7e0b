"""A confirmed record on its way to a portal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
        was_unknown: An earlier attempt's answer was lost: look before sending.
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
    was_unknown: bool


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
