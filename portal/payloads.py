"""The bytes that tell a portal of one confirmed record. Pure: the same record always gives the same bytes.

They are made once, before the first attempt, and kept: a portal that remembers idempotency keys refuses other bytes
under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from portal.destination import Destination
from records.assessment import SymptomAssessment
from records.errors import DeliveryHeldError
from records.instrument import Instrument
from records.submission import ResultStatus, Submission
from store.outbox import ConfirmedRecord


def total_loincs(instruments: Mapping[str, Instrument]) -> dict[str, str | None]:
    """Instrument id to the LOINC code of its total, None where none was verified: such a code is never sent."""
    return {instrument_id: instrument.total_loinc for instrument_id, instrument in instruments.items()}


def record_fields(
    submission: Submission, confirmed: ConfirmedRecord, loincs: Mapping[str, str | None]
) -> dict[str, JsonValue]:
    """The fields a destination file may pick, version 1; absent values are None.

    `score` is the total, or the result word of an instrument without one. Blank answers keep their place in `items`
    with points None.
    """
    assessment = confirmed.assessment
    return {
        "external_id": submission.external_id,
        "remote_id": submission.remote_id,
        "patient_id": submission.patient_id,
        "site": confirmed.site,
        "instrument": assessment.instrument,
        "loinc": None if assessment.instrument is None else loincs.get(assessment.instrument),
        "total": assessment.total,
        "result": assessment.result,
        "score": assessment.result if assessment.total is None else assessment.total,
        "severity": assessment.severity,
        "authored_on": None if assessment.authored_on is None else assessment.authored_on.isoformat(),
        "authored_time": assessment.authored_time,
        "status": submission.status.value,
        "revision": submission.revision,
        "items": _items(assessment),
    }


def _items(assessment: SymptomAssessment) -> JsonValue:
    if assessment.items is None:
        return None
    return [{"link_id": item.link_id, "points": item.points} for item in assessment.items]


def make_payload(
    submission: Submission, confirmed: ConfirmedRecord, *, destination: Destination, loincs: Mapping[str, str | None]
) -> bytes:
    """The body for one submission, in the order of the destination file.

    Raises:
        DeliveryHeldError: A field the destination needs is missing, for instance the total of an instrument that has
            only a result word; or the record is confirmed for another patient than the submission goes to.
    """
    taken_back = submission.status is ResultStatus.ENTERED_IN_ERROR
    if confirmed.patient_id != submission.patient_id and not taken_back:
        raise DeliveryHeldError("The record has been given to another patient since.", code="patient-changed")
    fields = record_fields(submission, confirmed, loincs)
    return destination.body(fields, status=submission.status, remote_id=submission.remote_id)
