"""One delivery of one submission, from "is it there already?" to "does the portal show what was sent?".

A value is never sent blindly a second time: after a lost answer, and in every later attempt, the portal is asked
first. The idempotency key is the second net, for a request that arrives after all while we are looking.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

import stamina
from pydantic import JsonValue

from portal.answers import StoredResult, contradiction, entries_of, error_of, read_id, read_json, shows_all
from portal.destination import Destination, Operation
from portal.http import Answer, Client, MaybeSentError, NeverSentError, exchange
from portal.mapping import MISSING, Missing, fill_url, pick
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryRefusedError,
    DeliveryUnknownError,
    DestinationPausedError,
)
from records.submission import DeliveryReceipt, ResultStatus, Submission

# A wait up to this long is sat out while the lease is held; a longer one goes back to the outbox.
_SHORT_WAIT_SECONDS: Final = 2.0
_TRIES: Final = 3


class PortalClient:
    """Delivers submissions to one portal; for one thread.

    Args:
        http: Carries the credential; closed by its owner.
        clock: The time in UTC, for receipts and for Retry-After dates.
        pace: Called before each request; waits until the portal's rate allows it.
        read_back: Look after each success whether the portal shows what was sent.
    """

    def __init__(
        self,
        *,
        destination: Destination,
        base_url: str,
        http: Client,
        clock: Callable[[], datetime],
        pace: Callable[[], None] = lambda: None,
        read_back: bool = True,
    ) -> None:
        self._destination = destination
        self._base_url = base_url
        self._http = http
        self._clock = clock
        self._pace = pace
        self._read_back = read_back
        self._soon = stamina.RetryingCaller(
            attempts=_TRIES, timeout=20.0, wait_initial=0.05, wait_max=1.0, wait_jitter=0.2
        ).on(_wait_before_retry)

    def deliver(self, submission: Submission) -> DeliveryReceipt:
        """Bring the portal to the state the submission tells of.

        A withdrawal of what the portal does not have is settled with an empty `remote_id`.

        Raises:
            DeliveryDeferredError: Nothing arrived; again later.
            DeliveryUnknownError: It may have arrived, or it could not be found out.
            DeliveryHeldError: The portal lacks the patient or this program the permission.
            DeliveryRefusedError: The portal never takes it like this, or shows something else than it was given.
            DestinationPausedError: The credential is not accepted.
        """
        if submission.payload is None:
            raise ValueError("a submission without a payload")
        sent: JsonValue = json.loads(submission.payload)
        known = self._known_before(submission)
        if known is not None and self._is_settled(submission, sent, known):
            return self._receipt(known, status=200, found=True)
        remote_id = submission.remote_id if known is None else known.remote_id
        if submission.status is ResultStatus.ENTERED_IN_ERROR and remote_id is None:
            return DeliveryReceipt(remote_id="", version=None, http_status=200, received_at=self._clock(), found=True)
        try:
            stored, status = self._soon(self._write, submission, sent, remote_id)
        except DeliveryDeferredError as error:
            # 409: the key or our id is taken; by our own request, if the portal shows just what we send.
            taken = self._find(submission) if error.code == "http-409" else None
            if taken is not None and self._is_settled(submission, sent, taken):
                return self._receipt(taken, status=409, found=True)
            raise
        if self._read_back:
            self._verify(submission, sent)
        return self._receipt(stored, status=status, found=False)

    def _known_before(self, submission: Submission) -> StoredResult | None:
        """What the portal has of this assessment, if there is reason to ask."""
        unsettled = submission.was_unknown or submission.attempts > 1
        nameless = submission.remote_id is None and submission.status is not ResultStatus.FINAL
        if not (unsettled or nameless):
            return None
        try:
            return self._find(submission)
        except DestinationPausedError:
            raise
        except DeliveryRefusedError as error:
            if submission.was_unknown and error.code.startswith("http-"):
                raise _unknown("The portal cannot be searched", error) from None
            raise
        except DeliveryError as error:
            if submission.was_unknown:
                raise _unknown("Whether it arrived could not be found out", error) from None
            raise

    def _is_settled(self, submission: Submission, sent: JsonValue, known: StoredResult) -> bool:
        """Whether the portal has it just so; False means that it has an earlier revision, to be overwritten.

        Raises:
            DeliveryRefusedError: It has other values under our id, which a first delivery must not touch.
        """
        shape = self._destination.answer
        differs = contradiction(known.shown, sent=sent, patient_id=submission.patient_id, shape=shape)
        if differs is not None and differs in (shape.patient, shape.external_id):
            raise _lie(differs)
        if submission.status is not ResultStatus.FINAL:
            return differs is None and shows_all(known.shown, sent=sent, shape=shape)
        if differs is not None:
            raise _lie(differs)
        return True

    def _write(self, submission: Submission, sent: JsonValue, remote_id: str | None) -> tuple[StoredResult, int]:
        operation = self._destination.operation(submission.status, remote_id=remote_id)
        answer = self._exchange(
            operation.method, operation.url, operation.headers, submission, remote_id, submission.payload
        )
        error = error_of(answer, now=self._clock())
        if error is not None:
            raise error
        return self._stored(answer, operation, submission, sent, remote_id), answer.status

    def _stored(
        self, answer: Answer, operation: Operation, submission: Submission, sent: JsonValue, remote_id: str | None
    ) -> StoredResult:
        if answer.status not in operation.success:
            raise DeliveryUnknownError(f"The portal answers {answer.status}, which may mean anything.", code="unclear")
        if answer.status == 204 and remote_id is not None:
            return StoredResult(remote_id=remote_id, version=None, shown=None)
        content, shape = read_json(answer), self._destination.answer
        if isinstance(content, Missing):
            raise DeliveryUnknownError("The portal's answer is not JSON.", code="unclear")
        if shape.errors is not None and pick(content, shape.errors) not in (MISSING, None, [], {}, ""):
            raise DeliveryRefusedError("The portal's answer lists errors.", code="portal-errors")
        given = read_id(content, shape.remote_id)
        if given is None:
            raise DeliveryUnknownError("The portal's answer names no id.", code="unclear")
        if remote_id is not None and given != remote_id:
            raise _lie(shape.remote_id)
        differs = contradiction(content, sent=sent, patient_id=submission.patient_id, shape=shape)
        if differs is not None:
            raise _lie(differs)
        return StoredResult(remote_id=given, version=read_id(content, shape.version), shown=content)

    def _verify(self, submission: Submission, sent: JsonValue) -> None:
        """Look whether the portal shows what it has just said it stored."""
        try:
            known = self._find(submission)
        except DestinationPausedError:
            raise
        except DeliveryError as error:
            if error.code == "portal-has-several":
                raise
            raise _unknown("It was taken, but could not be looked at", error) from None
        if known is None and submission.status is ResultStatus.ENTERED_IN_ERROR:
            return  # some portals hide what was withdrawn
        if known is None:
            raise DeliveryUnknownError("The portal took it and does not show it.", code="not-shown")
        differs = contradiction(
            known.shown, sent=sent, patient_id=submission.patient_id, shape=self._destination.answer
        )
        if differs is not None:
            raise _lie(differs)

    def _find(self, submission: Submission) -> StoredResult | None:
        """The result with our id, or None if the portal says it has none."""
        return self._soon(self._search, submission)

    def _search(self, submission: Submission) -> StoredResult | None:
        search, shape = self._destination.search, self._destination.answer
        try:
            answer = self._exchange("GET", search.url, search.headers, submission, None, None)
        except DeliveryUnknownError as error:
            # Looking changes nothing, so that a lost answer to a look is no more than a delay.
            raise DeliveryDeferredError(error.message, code=error.code) from None
        if answer.status in search.nothing:
            return None
        refused = error_of(answer, now=self._clock())
        if refused is not None:
            raise refused
        content = read_json(answer)
        entries = None if isinstance(content, Missing) else entries_of(content, search.results, shape)
        if entries is None:
            raise DeliveryDeferredError("The portal's answer to a search is no list.", code="search-unclear")
        # Servers are known to ignore a filter they do not know, and show everything.
        ours = [entry for entry in entries if read_id(entry, shape.external_id) == submission.external_id]
        if len(ours) > 1:
            raise DeliveryRefusedError("The portal shows this record more than once.", code="portal-has-several")
        if not ours:
            if entries and all(read_id(entry, shape.external_id) is None for entry in entries):
                raise DeliveryDeferredError("The portal's search does not show our ids.", code="search-unclear")
            return None
        remote_id = read_id(ours[0], shape.remote_id)
        if remote_id is None:
            raise DeliveryDeferredError("The portal's search does not show its own ids.", code="search-unclear")
        return StoredResult(remote_id=remote_id, version=read_id(ours[0], shape.version), shown=ours[0])

    def _exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        submission: Submission,
        remote_id: str | None,
        content: bytes | None,
    ) -> Answer:
        places = {
            "patient_id": submission.patient_id, "external_id": submission.external_id, "remote_id": remote_id
        }  # fmt: skip
        keys = {"=idempotency_key": submission.idempotency_key, "=external_id": submission.external_id}
        address = fill_url(url, base_url=self._base_url, fields=places)
        written = {name: keys.get(value, value) for name, value in (self._destination.headers | headers).items()}
        self._pace()
        try:
            return exchange(self._http, method, address, headers=written, content=content)
        except NeverSentError as error:
            raise DeliveryDeferredError(f"The portal cannot be reached ({error}).", code="not-reached") from None
        except MaybeSentError as error:
            raise DeliveryUnknownError(f"The portal's answer was lost ({error}).", code="answer-lost") from None

    def _receipt(self, stored: StoredResult, *, status: int, found: bool) -> DeliveryReceipt:
        return DeliveryReceipt(
            remote_id=stored.remote_id,
            version=stored.version,
            http_status=status,
            received_at=self._clock(),
            found=found,
        )


def _wait_before_retry(error: Exception) -> bool | float:
    """Whether to try again at once: only what surely did not arrive, and only if the portal asks for no long wait."""
    if not isinstance(error, DeliveryDeferredError) or error.code in ("http-409", "token-server", "search-unclear"):
        return False
    if error.retry_after is None:
        return True
    return max(error.retry_after, 0.05) if error.retry_after <= _SHORT_WAIT_SECONDS else False


def _lie(path: str | None) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        f"The portal shows another {path} than it was sent.",
        next_step="Look at the record in the portal before sending it again.",
        code="portal-differs",
    )


def _unknown(what: str, error: DeliveryError) -> DeliveryUnknownError:
    return DeliveryUnknownError(f"{what}: {error.message}", code=f"look-{error.code}" if error.code else "look")
