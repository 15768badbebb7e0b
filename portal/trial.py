"""What a destination would send of a made-up result, byte for byte, without sending anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from portal.destination import CsvDestination, Destination
from portal.destination_file import TokenHeader
from portal.payloads import make_payload
from portal.synthetic_record import (
    TEST_PATIENT,
    TEST_REMOTE_ID,
    synthetic_record,
    synthetic_sender,
    synthetic_submission,
)
from portal.written_request import write_request
from records.errors import DeliveryHeldError
from records.instrument import Instrument
from records.submission import ResultStatus, Submission

# The SHA-1 of nothing, in base64.
_NO_PRINT = "2jmj7l5rSw0yVb/vlWAYkK/YBwk="
_REVISIONS = {ResultStatus.FINAL: 1, ResultStatus.CORRECTED: 2, ResultStatus.ENTERED_IN_ERROR: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One message that would be sent.

    Attributes:
        method: "FILE" for a portal that takes files.
        headers: With the credential's header, whose value is never shown.
        body: Exact bytes; empty for a request without.
        held: Why it would be held instead, or None.
    """

    instrument: str
    status: ResultStatus
    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    held: DeliveryHeldError | None


def try_destination(
    destination: Destination,
    instruments: Sequence[Instrument],
    *,
    statuses: Sequence[ResultStatus],
    base_url: str,
    token: TokenHeader | None,
    now: datetime,
) -> Iterator[Trial]:
    """What would be sent of each instrument in each status.

    Args:
        token: Header of the credential; None for requests without.
    """
    for instrument in instruments:
        for status in statuses:
            yield _try_one(destination, instrument, status, base_url=base_url, token=token, now=now)


def _try_one(
    destination: Destination,
    instrument: Instrument,
    status: ResultStatus,
    *,
    base_url: str,
    token: TokenHeader | None,
    now: datetime,
) -> Trial:
    submission = synthetic_submission(
        external_id="SYNTHETIC-RESULT",
        patient_id=TEST_PATIENT,
        status=status,
        revision=_REVISIONS[status],
        remote_id=None if status is ResultStatus.FINAL else TEST_REMOTE_ID,
        remote_version=None if status is ResultStatus.FINAL else "1",
        now=now,
    )
    trial = Trial(
        instrument=instrument.instrument_id, status=status, method="", url="", headers={}, body=b"", held=None
    )
    try:
        submission = replace(submission, payload=payload_of(submission, instrument, destination=destination, now=now))
        return _addressed(trial, submission, destination, base_url=base_url, token=token)
    except DeliveryHeldError as error:
        return replace(trial, held=error)


def payload_of(
    submission: Submission,
    instrument: Instrument,
    *,
    destination: Destination,
    now: datetime,
    portal_patient_id: str | None = None,
) -> bytes:
    """The body that tells of the made-up result; `portal_patient_id` as the portal was asked for it, if it was.

    Raises:
        DeliveryHeldError: The destination cannot tell of it.
    """
    record = synthetic_record(instrument, patient_id=submission.patient_id, now=now)
    return make_payload(
        submission,
        record,
        destination=destination,
        sender=synthetic_sender(instrument),
        portal_patient_id=portal_patient_id,
        document_sha1=_NO_PRINT,
    )


def _addressed(
    trial: Trial, submission: Submission, destination: Destination, *, base_url: str, token: TokenHeader | None
) -> Trial:
    body = submission.payload or b""
    if isinstance(destination, CsvDestination):
        name = f"{submission.external_id}-{submission.revision}.csv"
        return replace(trial, method="FILE", url=f"{base_url}/{name}", body=body)
    operation = destination.operation(submission.status, remote_id=submission.remote_id)
    written = write_request(operation.request, submission, destination=destination, base_url=base_url)
    headers = dict(written.headers)
    if token is not None:
        headers[token.header] = f"{token.scheme} …".strip()
    return replace(trial, method=written.method, url=written.url, headers=headers, body=body)
