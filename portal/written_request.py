"""One request of a destination file for one submission, filled in; what is sent, and what is shown when it is tried."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.destination import HttpDestination, Request
from portal.mapping import Scope
from records.submission import Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRequest:
    """A request without its credential.

    Attributes:
        url: Not shown in logs, it may hold the portal's id of a patient.
    """

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)


def write_request(
    request: Request, submission: Submission, *, destination: HttpDestination, base_url: str
) -> WrittenRequest:
    """The request with its places and headers filled.

    Raises:
        DeliveryHeldError: A field that must be there is missing, or cannot be part of an address or a header.
    """
    places = {
        "patient_id": submission.patient_id,
        "external_id": submission.external_id,
        "remote_id": submission.remote_id,
    }
    for name, value in destination.variables.items():
        places[f"variables.{name}"] = str(value)
    return WrittenRequest(
        method=request.method,
        url=request.address.fill(base_url=base_url, fields=places),
        headers=request.written_headers(request_scope(submission, destination)),
    )


def request_scope(submission: Submission, destination: HttpDestination) -> Scope:
    """What headers, and the body of a search, may pick."""
    return destination.scope(
        {
            "external_id": submission.external_id,
            "remote_id": submission.remote_id,
            "remote_version": submission.remote_version,
            "patient_id": submission.patient_id,
            "idempotency_key": submission.idempotency_key,
            "status": submission.status.value,
            "revision": submission.revision,
        }
    )
