"""One delivery of one submission, from "is it there already?" to "does the portal show what was sent?".

A value is never sent blindly a second time: after a lost answer, and in every later attempt, the portal is asked
first. The idempotency key is the second net, for a request that arrives after all while we are looking.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

import stamina
from pydantic import JsonValue

from portal.answers import error_of, read_json, refusal, shows_part, with_own_code
from portal.batches import batch_body, batch_entries, read_entry
from portal.destination import Batch, HttpDestination, Operation, Request, as_json
from portal.destination_patients import PatientSearch
from portal.expressions import MISSING, Missing
from portal.http import Answer, Client, ExchangeError, delivery_error, exchange
from portal.results import (
    PATIENT,
    StoredResult,
    contradiction,
    differs,
    entries_of,
    found_among,
    read_stored,
    shows_all,
)
from portal.written_request import request_scope, write_request
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryRefusedError,
    DeliveryUnknownError,
    DestinationPausedError,
)
from records.submission import DeliveryReceipt, ResultStatus, Submission

# A wait up to this long is sat out while the lease is held; a longer one goes back to the outbox.
_SHORT_WAIT_SECONDS: Final = 2.0
_TRIES: Final = 3
# After what a gateway answers when it has given up, the next attempt looks first: the portal may have gone on.
_NOT_AT_ONCE: Final = ("http-409", "http-500", "http-502", "http-504", "token-server", "search-unclear")
_T = TypeVar("_T")


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
        destination: HttpDestination,
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
        self._again = stamina.RetryingCaller(
            attempts=_TRIES, timeout=20.0, wait_initial=0.05, wait_max=1.0, wait_jitter=0.2
        ).on(_wait_before_retry)

    @property
    def most_in_batch(self) -> int:
        """How many new values one request may carry; 1 for a portal without batches."""
        return 1 if self._destination.batch is None else self._destination.batch.most

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
        sent = _sent(submission)
        known = self._known_before(submission)
        if known is not None and self._is_settled(submission, sent, known):
            return self._receipt(known, status=200, found=True)
        aimed = submission
        if known is not None:
            aimed = replace(submission, remote_id=known.remote_id, remote_version=known.version)
        if submission.status is ResultStatus.ENTERED_IN_ERROR and aimed.remote_id is None:
            return DeliveryReceipt(remote_id="", version=None, http_status=200, received_at=self._clock(), found=True)
        operation = self._operation(submission, remote_id=aimed.remote_id)
        try:
            stored, status = self._soon(lambda: self._write(aimed, operation, sent))
        except DeliveryDeferredError as error:
            # 409: the key or our id is taken; by our own request, if the portal shows just what we send.
            taken = self._find(submission) if error.code == "http-409" else None
            if taken is not None and self._is_settled(submission, sent, taken):
                return self._receipt(taken, status=409, found=True)
            raise
        # A withdrawal is always looked at: on its arrival hangs what is sent for the right patient.
        withdrawn = submission.status is ResultStatus.ENTERED_IN_ERROR
        if self._read_back or stored.was_there or withdrawn:
            self._verify(submission, sent, stored)
        return self._receipt(stored, status=status, found=stored.was_there)

    def deliver_batch(self, submissions: Sequence[Submission]) -> list[DeliveryReceipt | DeliveryError]:
        """Bring several new values to the portal in one request; what became of each, in their order.

        For first attempts of results with status final only. Whatever the answer leaves open is unknown, to be looked
        up one by one; a clean refusal of the whole defers each with the code "batch-refused", to be sent one by one.
        """
        batch = self._destination.batch
        if batch is None or not 0 < len(submissions) <= batch.most or not all(map(is_first, submissions)):
            raise ValueError("no batch that this destination takes")
        try:
            body = batch_body(batch, submissions, self._destination)
            answer = self._exchange(batch.request, submissions[0], body)
            entries = batch_entries(answer, submissions, batch=batch, shape=self._destination.answer, now=self._clock())
        except DeliveryError as error:
            return [error for _ in submissions]
        pairs = zip(submissions, entries, strict=True)
        return [self._settled(submission, entry, answer, batch) for submission, entry in pairs]

    def _settled(
        self, submission: Submission, entry: JsonValue | Missing, answer: Answer, batch: Batch
    ) -> DeliveryReceipt | DeliveryError:
        """What became of one submission of a batch, whose result is `entry`."""
        sent, shape = _sent(submission), self._destination.answer
        try:
            stored = read_entry(entry, batch=batch, shape=shape, submission=submission, sent=sent)
            if self._read_back:
                self._verify(submission, sent, stored)
        except DeliveryError as error:
            return error
        return self._receipt(stored, status=answer.status, found=False)

    @property
    def patient_search(self) -> PatientSearch | None:
        """How the portal's own id of a patient is found, or None where the roster has it."""
        return self._destination.patients

    def look_up_patient(self, patient_id: str) -> JsonValue | None:
        """What the portal says to the look for one patient, None where it says that there is none.

        Raises:
            DeliveryError: It does not say; looking changes nothing, so that it can be done again.
        """
        return self._soon(lambda: self._ask_for_patient(patient_id))

    def _ask_for_patient(self, patient_id: str) -> JsonValue | None:
        search = self._destination.patients
        assert search is not None
        address = search.address.fill(base_url=self._base_url, fields={"patient_id": patient_id})
        headers, form = dict(search.headers), None
        if search.method == "POST":
            address, _, asked = address.partition("?")
            headers["Content-Type"], form = "application/x-www-form-urlencoded", asked.encode()
        self._pace()
        try:
            answer = exchange(self._http, search.method, address, headers=headers, content=form)
        except ExchangeError as error:
            failure = delivery_error(error)
            if isinstance(failure, DeliveryUnknownError):  # a question changes nothing
                failure = DeliveryDeferredError(f"The portal cannot be asked ({error}).", code="not-reached")
            raise failure from None
        if answer.status in search.nothing:
            return None
        refused = error_of(answer, now=self._clock())
        if refused is not None:
            raise refused
        content = read_json(answer)
        if isinstance(content, Missing):
            raise _search_unclear("The portal's answer to a look for the patient is not JSON.")
        return content

    def _operation(self, submission: Submission, *, remote_id: str | None) -> Operation:
        """The request to send, if the frozen payload is the body of that request.

        Raises:
            DeliveryHeldError: It was made for another, because the portal has the value under an id nobody knew then.
        """
        choose = self._destination.operation
        operation = choose(submission.status, remote_id=remote_id)
        meant = choose(submission.status, remote_id=submission.remote_id)
        stale = operation.names_remote_id and remote_id != submission.remote_id
        if stale or operation.request.body is not meant.request.body:
            raise DeliveryHeldError(
                "The portal has this result under an id that was not known when the message was made.",
                next_step="Look at the result in the portal, then send the record again.",
                code="other-request",
            )
        return operation

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

    def _is_settled(self, submission: Submission, sent: JsonValue | Missing, known: StoredResult) -> bool:
        """Whether the portal has it just so; False means that it has an earlier revision, to be overwritten.

        Raises:
            DeliveryRefusedError: It has something else, and this is the first print, so that nobody knows why.
        """
        shape = self._destination.answer
        other = contradiction(known.shown, sent=sent, submission=submission, shape=shape)
        if other == PATIENT or (other is not None and submission.status is ResultStatus.FINAL):
            raise differs(other)
        if submission.status is ResultStatus.FINAL:
            return True
        if submission.status is ResultStatus.ENTERED_IN_ERROR and shape.withdrawn is not None:
            return shape.withdrawn.holds(known.shown)
        return other is None and shows_all(known.shown, sent=sent, shape=shape)

    def _write(
        self, submission: Submission, operation: Operation, sent: JsonValue | Missing
    ) -> tuple[StoredResult, int]:
        remote_id = submission.remote_id
        answer = self._exchange(operation.request, submission, submission.payload or None)
        if answer.status in operation.reading.gone and remote_id is not None:
            return StoredResult(remote_id=remote_id, version=None, shown=None, was_there=True), answer.status
        error = error_of(answer, now=self._clock())
        if error is not None:
            raise with_own_code(error, read_json(answer), operation.reading)
        return self._stored(answer, operation, submission, sent), answer.status

    def _stored(
        self, answer: Answer, operation: Operation, submission: Submission, sent: JsonValue | Missing
    ) -> StoredResult:
        reading, remote_id = operation.reading, submission.remote_id
        if answer.status not in reading.success:
            raise DeliveryUnknownError(f"The portal answers {answer.status}, which may mean anything.", code="unclear")
        if not answer.body and remote_id is not None and (answer.status == 204 or operation.request.method == "DELETE"):
            return StoredResult(remote_id=remote_id, version=None, shown=None)
        content = read_json(answer) if answer.body else MISSING
        if isinstance(content, Missing) and (answer.body or reading.accepted is not None):
            raise DeliveryUnknownError("The portal's answer is not JSON.", code="unclear")
        refused = None if isinstance(content, Missing) else refusal(content, reading)
        if refused is not None:
            raise refused
        shape = self._destination.answer
        return read_stored(
            content,
            answer.headers,
            reading=reading,
            shape=shape,
            submission=submission,
            sent=sent,
            remote_id=remote_id,
        )

    def _verify(self, submission: Submission, sent: JsonValue | Missing, stored: StoredResult) -> None:
        """Look whether the portal shows what it has just said it stored."""
        try:
            known = self._find(submission)
        except DeliveryError as error:
            if error.code == "portal-has-several":
                raise
            # A refused credential too: the next look is refused as well and pauses the destination then.
            raise _unknown("It was taken, but could not be looked at", error) from None
        shape, is_withdrawal = self._destination.answer, submission.status is ResultStatus.ENTERED_IN_ERROR
        if known is None and is_withdrawal:
            return  # some portals hide what was withdrawn
        if known is None:
            raise DeliveryUnknownError("The portal took it and does not show it.", code="not-shown")
        if is_withdrawal and not self._is_withdrawn(known, sent):
            raise DeliveryUnknownError("The portal took the withdrawal and shows the result.", code="not-withdrawn")
        compared = MISSING if is_withdrawal and shape.withdrawn is not None else sent  # it may be emptied as well
        other = contradiction(known.shown, sent=compared, submission=submission, shape=shape)
        if other is not None:
            raise differs(other)
        # A correction would go to the id of the answer, which may be another result's.
        if known.remote_id != stored.remote_id and not is_withdrawal:
            raise differs("id")

    def _is_withdrawn(self, known: StoredResult, sent: JsonValue | Missing) -> bool:
        """Whether a result that is still shown is shown as withdrawn; without a body its being shown says no."""
        shape = self._destination.answer
        if shape.withdrawn is not None:
            return shape.withdrawn.holds(known.shown)
        return not isinstance(sent, Missing)

    def _find(self, submission: Submission) -> StoredResult | None:
        """The result with our id, or None if the portal says it has none."""
        return self._soon(lambda: self._search(submission))

    def _search(self, submission: Submission) -> StoredResult | None:
        search, shape = self._destination.search, self._destination.answer
        try:
            answer = self._exchange(search.request, submission, self._search_body(submission))
        except DeliveryUnknownError as error:
            # Looking changes nothing, so that a lost answer to a look is no more than a delay.
            raise DeliveryDeferredError(error.message, code=error.code) from None
        content = read_json(answer)
        if answer.status in search.nothing:
            if answer.body and isinstance(content, Missing):
                # A gateway's page: it does not know the address, and says nothing of what the portal has.
                raise _search_unclear("The portal's answer to a search is a page.")
            return None
        refused = error_of(answer, now=self._clock())
        if refused is not None:
            raise refused
        if isinstance(content, Missing) or (search.accepted is not None and not search.accepted.holds(content)):
            raise _search_unclear("The portal's answer to a search tells nothing.")
        entries = entries_of(content, search.results, shape)
        if entries is None:
            raise _search_unclear("The portal's answer to a search is no list.")
        return found_among(entries, submission, shape, is_whole=not shows_part(search, answer, content))

    def _search_body(self, submission: Submission) -> bytes | None:
        tree = self._destination.search.request.body
        return None if tree is None else as_json(tree.render(request_scope(submission, self._destination)))

    def _exchange(self, request: Request, submission: Submission, content: bytes | None) -> Answer:
        written = write_request(request, submission, destination=self._destination, base_url=self._base_url)
        self._pace()
        try:
            return exchange(self._http, written.method, written.url, headers=written.headers, content=content)
        except ExchangeError as error:
            raise delivery_error(error) from None

    def _soon(self, work: Callable[[], _T]) -> _T:
        """Do it, and at once again where only that is to be waited for; the library is asked when something failed."""
        try:
            return work()
        except DeliveryDeferredError as error:
            if _wait_before_retry(error) is False:
                raise
            before: list[DeliveryDeferredError] = [error]

        def next_try() -> _T:
            if before:
                raise before.pop()
            return work()

        result: _T = self._again(next_try)
        return result

    def _receipt(self, stored: StoredResult, *, status: int, found: bool) -> DeliveryReceipt:
        return DeliveryReceipt(
            remote_id=stored.remote_id,
            version=stored.version,
            http_status=status,
            received_at=self._clock(),
            found=found,
        )


def is_first(submission: Submission) -> bool:
    """Whether this is the first attempt of a new value: what a batch may carry."""
    is_new = submission.status is ResultStatus.FINAL and submission.remote_id is None
    return is_new and submission.attempts <= 1 and not submission.was_unknown


def _sent(submission: Submission) -> JsonValue | Missing:
    if submission.payload is None:
        raise ValueError("a submission without a payload")
    if not submission.payload:
        return MISSING
    content: JsonValue = json.loads(submission.payload)
    return content


def _wait_before_retry(error: Exception) -> bool | float:
    """Whether to try again at once: only what surely did not arrive, and only if the portal asks for no long wait."""
    if not isinstance(error, DeliveryDeferredError) or error.code in _NOT_AT_ONCE:
        return False
    if error.retry_after is None:
        return True
    return max(error.retry_after, 0.05) if error.retry_after <= _SHORT_WAIT_SECONDS else False


def _unknown(what: str, error: DeliveryError) -> DeliveryUnknownError:
    return DeliveryUnknownError(f"{what}: {error.message}", code=f"look-{error.code}" if error.code else "look")


def _search_unclear(message: str) -> DeliveryDeferredError:
    return DeliveryDeferredError(message, code="search-unclear")
