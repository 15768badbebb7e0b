"""The bytes that tell a portal of one confirmed record. Pure: the same record always gives the same bytes.

They are made once, before the first attempt, and kept: a portal that remembers idempotency keys refuses other bytes
under the same key.
"""

from __future__ import annotations

from portal.destination import Destination
from portal.offered_record import Sender, record_fields
from records.errors import DeliveryHeldError
from records.submission import ResultStatus, Submission
from store.outbox import ConfirmedRecord


def make_payload(
    submission: Submission,
    confirmed: ConfirmedRecord,
    *,
    destination: Destination,
    sender: Sender,
    portal_patient_id: str | None = None,
    document_sha1: str | None = None,
) -> bytes:
    """The body for one submission, in the order of the destination file.

    `portal_patient_id` and `document_sha1` are those of `portal.offered_record.record_fields`.

    Raises:
        DeliveryHeldError: A field the destination needs is missing, for instance the total of an instrument that has
            only a result word; or the record is confirmed for another patient than the submission goes to, or its
            patient was merged into another one.
    """
    taken_back = submission.status is ResultStatus.ENTERED_IN_ERROR
    if confirmed.patient_id != submission.patient_id and not taken_back:
        raise DeliveryHeldError("The record has been given to another patient since.", code="patient-changed")
    if confirmed.merged_into is not None and not taken_back:
        raise DeliveryHeldError(
            "The roster has merged this patient into another one since.",
            next_step="Move the record to the patient whose chart stands (submission move).",
            code="patient-merged",
        )
    fields = record_fields(
        submission,
        confirmed,
        sender=sender,
        portal_patient_id=portal_patient_id,
        document_sha1=document_sha1,
        wanted=destination.picked(submission.status, remote_id=submission.remote_id),
    )
    return destination.body(fields, status=submission.status, remote_id=submission.remote_id)
