"""Several new values in one request: what is sent, and which result belongs to which value.

A status of 200 for the whole says nothing of its parts: each value needs a result of its own that is accepted and
names an id. Whatever is left open is looked up singly before anything is sent again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue

from portal.answers import error_of, read_json
from portal.destination import Batch, HttpDestination, ResultShape, as_json
from portal.expressions import MISSING, Missing
from portal.http import Answer
from portal.results import StoredResult, read_stored
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryRefusedError,
    DeliveryUnknownError,
)
from records.submission import Submission


def batch_body(batch: Batch, submissions: Sequence[Submission], destination: HttpDestination) -> bytes | None:
    """The bytes of one request for these submissions.

    Raises:
        DeliveryDeferredError: It cannot be made of them; they go singly.
    """
    payloads: list[JsonValue] = [
        {
            "body": json.loads(submission.payload or b"null"),
            "external_id": submission.external_id,
            "patient_id": submission.patient_id,
            "idempotency_key": submission.idempotency_key,
        }
        for submission in submissions
    ]
    try:
        tree = batch.request.body
        return None if tree is None else as_json(tree.render(destination.scope({"payloads": payloads})))
    except DeliveryHeldError as error:
        raise _refused(error) from None


def batch_entries(
    answer: Answer, submissions: Sequence[Submission], *, batch: Batch, shape: ResultShape, now: datetime
) -> list[JsonValue | Missing]:
    """The result of each submission, in their order; `MISSING` for one that has none.

    Raises:
        DeliveryDeferredError: The portal refuses the whole, or says "not now".
        DeliveryUnknownError: What became of them cannot be told.
        DestinationPausedError: The credential is not accepted.
    """
    error = error_of(answer, now=now)
    if isinstance(error, DeliveryRefusedError | DeliveryHeldError):
        raise _refused(error)
    if error is not None:
        raise error
    content = read_json(answer)
    if answer.status not in batch.reading.success or isinstance(content, Missing):
        raise DeliveryUnknownError("The portal's answer to several records tells nothing.", code="unclear")
    if batch.accepted is not None and not batch.accepted.holds(content):
        raise DeliveryUnknownError("The portal's answer to several records lists errors.", code="batch-entry")
    results = batch.results.read(content)
    if not isinstance(results, list):
        raise DeliveryUnknownError("The portal's answer to several records has no results.", code="unclear")
    if batch.by_order:
        if len(results) != len(submissions):
            raise DeliveryUnknownError("The portal's answer has another number of results.", code="unclear")
        return list(results)
    return [_with_our_id(results, submission, batch=batch, shape=shape) for submission in submissions]


def read_entry(
    entry: JsonValue | Missing,
    *,
    batch: Batch,
    shape: ResultShape,
    submission: Submission,
    sent: JsonValue | Missing,
) -> StoredResult:
    """What one result of a batch says is stored.

    Raises:
        DeliveryUnknownError: It does not say so, or says that it was there before.
        DeliveryRefusedError: It shows something else than was sent.
    """
    accepted = batch.entry_accepted
    if isinstance(entry, Missing) or (accepted is not None and not accepted.holds(entry)):
        raise DeliveryUnknownError("The portal's answer leaves this record open.", code="batch-entry")
    stored = read_stored(
        entry, {}, reading=batch.reading, shape=shape, submission=submission, sent=sent, remote_id=None
    )
    if stored.was_there:
        raise DeliveryUnknownError("The portal says it had this record before.", code="batch-entry")
    return stored


def _with_our_id(
    results: list[JsonValue], submission: Submission, *, batch: Batch, shape: ResultShape
) -> JsonValue | Missing:
    shows = batch.reading.shows
    ours = []
    for result in results:
        shown = result if shows is None else shows.read(result)
        if not isinstance(shown, Missing) and shape.external_id.find(shown, {}) == submission.external_id:
            ours.append(result)
    return ours[0] if len(ours) == 1 else MISSING


def _refused(error: DeliveryError) -> DeliveryDeferredError:
    return DeliveryDeferredError(f"Several records at once were refused: {error.message}", code="batch-refused")
