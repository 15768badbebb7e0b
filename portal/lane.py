"""One destination's way: what is claimed for it, the threads that send, and the receipts on their way to the store.

Claims and receipts go to the store many at a time, because a disk that must not lose anything takes a while for each
transaction: one thread at a time claims for all, each sends what it takes, and what came of it is written with the
next claim, or a moment later. Whatever is lost between a portal's answer and the store is looked up at the portal when
its lease ends, or at the next start.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

import structlog

from portal.admission import Admission
from portal.claims import take_back
from portal.client import is_first
from portal.connections import ConfiguredDestination, Deliverer, connected
from portal.freezing import PayloadFreezer
from portal.offered_record import Sender
from portal.outcomes import Attempt, write_attempts
from portal.pacing import Breaker, RateLimit
from records.errors import DeliveryError, DeliveryHeldError, DeliveryUnknownError, DestinationPausedError
from records.submission import DeliveryReceipt, DeliveryState, DestinationMode, Submission
from store import breakers, outbox
from store.database import Database, Session
from store.outbox import Settlement

# Long enough for a look and a delivery that both take as long as an answer may, begun within `_BEGIN_WITHIN`.
_LEASE: Final = timedelta(minutes=2)
_BEGIN_WITHIN: Final = timedelta(seconds=20)
_MOST_CLAIMED: Final = 64
# A claim that was used up sooner was too small; one that took longer was too large.
_SOON: Final = timedelta(seconds=1)
_LATE: Final = timedelta(seconds=5)
_GATHER_SECONDS: Final = 0.05
_AFTER_A_FAULT_SECONDS: Final = 1.0

_log = structlog.get_logger("portal.delivery")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How delivery works.

    Attributes:
        threads: Per destination; what one portal gets at the same time.
        poll_seconds: How long new work may lie unseen when nobody sets `wake`.
        give_up_after: Age from which a submission that still fails is left to a person.
        read_seconds: How long an answer may take.
        first_pause: Of a portal that fails time after time.
    """

    threads: int = 4
    poll_seconds: float = 0.2
    give_up_after: timedelta = timedelta(hours=72)
    read_seconds: float = 30.0
    first_pause: timedelta = timedelta(seconds=2)


class Lane:
    """One destination: its threads, its rate, its breaker.

    Args:
        owner: Under which name it claims.
        zone: Whose days a daily limit counts.
    """

    def __init__(
        self,
        *,
        database: Database,
        destination: ConfiguredDestination,
        sender: Sender,
        settings: DeliverySettings,
        clock: Callable[[], datetime],
        chance: random.Random,
        wake: threading.Event,
        owner: str,
        zone: tzinfo,
    ) -> None:
        self.destination_id = destination.destination_id
        self.owner = owner
        self._database = database
        self._destination = destination
        self._freezer = PayloadFreezer(database=database, destination=destination, sender=sender)
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._wake = wake
        self._rate = RateLimit(destination.rate)
        self._breaker = Breaker(first_pause=settings.first_pause, probe_within=_LEASE)
        self._admission = Admission(destination, zone=zone)
        self._claimed: deque[Submission] = deque()
        self._under_way: set[int] = set()
        self._claimed_at = clock()
        self._wanted = settings.threads
        self._batch_size = min(destination.settings.batch_size, destination.most_in_batch)
        self._ended: list[Attempt] = []
        self._failed_in_row = 0
        self._closed = False
        self._looking = threading.Lock()
        self._ending = threading.Lock()
        self._writing = threading.Lock()
        self._unwritten = threading.Event()
        self._mode_taken_up = False

    def take_up_mode(self, now: datetime) -> None:
        """Release what this mode no longer holds back; shadow's backlog only if the settings say so."""
        if self._mode_taken_up or self._destination.settings.mode is DestinationMode.SHADOW:
            return
        with self._database.session() as session:
            self._admission.take_up(session, now=now)
        self._mode_taken_up = True

    def take_back(self) -> None:
        """Look at once after what an earlier process was sending under this name when it ended."""
        taken = take_back(self._database, destination=self.destination_id, owner=self.owner, now=self._clock())
        if taken:
            _log.warning("delivery.taken-back", destination=self.destination_id, submissions=taken)

    def step(self, now: datetime) -> int:
        """Deliver everything due at `now`, in this thread; how many were tried."""
        tried = 0
        with ExitStack() as stack:
            client = self._connect(stack)
            while self._claim(now):
                while work := self._taken():
                    tried += 0 if self._closed else len(work)
                    self._end_all(work, None if self._closed else self._attempt_all(client, work), now)
        return tried

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; what is under way then is finished, what is only claimed is given back."""
        senders = [
            threading.Thread(target=self._send, args=(stop,), name=f"{self.destination_id}-{number}")
            for number in range(self._settings.threads)
        ]
        over = threading.Event()
        writer = threading.Thread(target=self._write_on, args=(over,), name=f"{self.destination_id}-receipts")
        for thread in (writer, *senders):
            thread.start()
        for thread in senders:
            thread.join()
        self._give_back_rest()
        over.set()
        self._unwritten.set()
        writer.join()

    def _connect(self, stack: ExitStack) -> Deliverer:
        seconds = self._settings.read_seconds
        return stack.enter_context(
            connected(self._destination, clock=self._clock, pace=self._rate.wait, read_seconds=seconds)
        )

    def _send(self, stop: threading.Event) -> None:
        """One thread: take a submission, deliver it, and so on."""
        with ExitStack() as stack:
            client = self._connect(stack)
            while not stop.is_set():
                work: list[Submission] = []
                try:
                    work = self._next(stop)
                    untried = stop.is_set() or self._closed or self._is_stale()
                    self._end_all(work, None if untried else self._attempt_all(client, work), self._clock())
                except Exception as error:  # noqa: BLE001  # the loop outlives every fault of one round
                    _log.error("delivery.round-failed", destination=self.destination_id, fault=type(error).__name__)
                    with self._ending:
                        self._under_way.difference_update(one.submission_id for one in work)
                    stop.wait(_AFTER_A_FAULT_SECONDS)

    def _next(self, stop: threading.Event) -> list[Submission]:
        """What to send next; one thread at a time looks for more, and the others wait for it."""
        with self._looking:
            while not self._claimed and not stop.is_set():
                if not self._claim(self._clock()) and self._wake.wait(self._settings.poll_seconds):
                    self._wake.clear()
            return self._taken()

    def _taken(self) -> list[Submission]:
        """The first claimed submission, or several new values for one request where the settings say so."""
        taken: list[Submission] = []
        while self._claimed and (not taken or (len(taken) < self._batch_size and is_first(self._claimed[0]))):
            taken.append(self._claimed.popleft())
            if not is_first(taken[0]):
                break
        return taken

    def _is_stale(self) -> bool:
        return self._clock() > self._claimed_at + _BEGIN_WITHIN

    def _claim(self, now: datetime) -> bool:
        """Write what has ended, then claim what is due and freeze its payload; whether there is something to send.

        What the mode or the mapping holds is held and passed over.
        """
        self._adapt(now)
        while True:
            with self._writing, self._database.session() as session:
                written = self._write(session, now)
                state = breakers.state(session, self.destination_id)
                admitted = self._breaker.admits(state, wanted=self._wanted, now=now)
                self._admission.open_day(session, now=now)
                claimed = self._claim_due(session, admitted, now)
                ready = self._prepared(session, claimed, now)
                breakers.keep(session, self.destination_id, self._breaker.started(state, count=len(ready), now=now))
            self._written(written)
            with self._ending:
                self._under_way.update(one.submission_id for one in ready)
            self._closed, self._claimed_at = False, now
            self._claimed.extend(ready)
            if ready or not claimed:
                return bool(ready)

    def _adapt(self, now: datetime) -> None:
        """Claim more at once where the portal is quick, less where it is slow."""
        took = now - self._claimed_at
        if took < _SOON:
            self._wanted = min(self._wanted * 2, _MOST_CLAIMED)
        elif took > _LATE:
            self._wanted = max(self._wanted // 2, self._settings.threads)

    def _claim_due(self, session: Session, admitted: int, now: datetime) -> list[Submission]:
        if admitted == 0:
            return []
        return outbox.claim_due(
            session,
            now=now,
            lease=_LEASE,
            limit=admitted,
            owner=self.owner,
            destinations=[self.destination_id],
            but=frozenset(self._under_way),
            queued_before=now - timedelta(minutes=self._destination.settings.hold_minutes),
        )

    def _prepared(self, session: Session, claimed: list[Submission], now: datetime) -> list[Submission]:
        """The claimed submissions without those that are held; with their payloads frozen, unless the portal must be
        asked for the patient first."""
        told = outbox.told_by(session, [one.submission_id for one in claimed if one.payload is None])
        ready, fresh, held = [], {}, []
        self._admission.look(session, claimed, now=now)
        for submission in claimed:
            try:
                if submission.payload is None:
                    record = told[submission.submission_id]
                    payload = self._freezer.payload(session, submission, record, now=now)
                    if payload is not None:
                        fresh[submission.submission_id] = payload
                made = replace(submission, payload=fresh.get(submission.submission_id, submission.payload))
                self._admission.admit(made)
                self._admission.count(session, made, now=now)
            except DeliveryHeldError as error:
                held.append((submission.submission_id, error.code))
            else:
                ready.append(made)
        outbox.freeze_many(session, fresh, self._destination.file.mapping_revision, owner=self.owner)
        settlements = [Settlement(submission_id=number, state=DeliveryState.HELD, reason=code) for number, code in held]
        outbox.settle(session, settlements, owner=self.owner, now=now)
        for number, code in held:
            _log.info("delivery.held", submission_id=number, reason=code)
        self._admission.tell_of_held_changes(session, claimed, dict(held), now=now)
        return ready

    def _attempt_all(self, client: Deliverer, work: list[Submission]) -> list[DeliveryReceipt | DeliveryError]:
        if len(work) == 1 or any(submission.payload is None for submission in work):
            return [self._attempt(client, submission) for submission in work]
        try:
            return client.deliver_batch(work)
        except Exception as error:  # noqa: BLE001  # as for a single one
            _log.error("delivery.program-error", submission_id=work[0].submission_id, fault=type(error).__name__)
            return [DeliveryUnknownError("The program failed while delivering.", code="program-error") for _ in work]

    def _attempt(self, client: Deliverer, submission: Submission) -> DeliveryReceipt | DeliveryError:
        try:
            if submission.payload is None:
                submission = self._freezer.frozen_after_look(client, submission, owner=self.owner, now=self._clock())
                self._admission.admit(submission)
            return client.deliver(submission)
        except DeliveryError as error:
            return error
        except Exception as error:  # noqa: BLE001  # a fault of ours must not be retried for ever without backoff
            _log.error("delivery.program-error", submission_id=submission.submission_id, fault=type(error).__name__)
            return DeliveryUnknownError("The program failed while delivering.", code="program-error")

    def _end_all(
        self, work: list[Submission], outcomes: Sequence[DeliveryReceipt | DeliveryError] | None, now: datetime
    ) -> None:
        for number, submission in enumerate(work):
            self._end(submission, None if outcomes is None else outcomes[number], now)

    def _end(self, submission: Submission, outcome: DeliveryReceipt | DeliveryError | None, now: datetime) -> None:
        """Keep what came of it until it is written; close the lane at once where going on makes no sense."""
        attempt = Attempt(submission=submission, outcome=outcome, ended_at=now)
        with self._ending:
            self._ended.append(attempt)
            if attempt.is_clear:
                self._failed_in_row = 0
            elif attempt.is_failure:
                self._failed_in_row += 1
            if self._failed_in_row >= self._breaker.limit or isinstance(outcome, DestinationPausedError):
                self._closed, self._failed_in_row = True, 0
        self._unwritten.set()

    def _give_back_rest(self) -> None:
        while self._claimed:
            self._end(self._claimed.popleft(), None, self._clock())

    def _write_on(self, over: threading.Event) -> None:
        """Write what has ended soon after it did, also while every thread waits for the portal."""
        while not over.is_set():
            self._unwritten.wait()
            self._unwritten.clear()
            over.wait(_GATHER_SECONDS)
            try:
                self._write_now()
            except Exception as error:  # noqa: BLE001  # nothing is forgotten: it is written in the next round
                _log.error("delivery.write-failed", destination=self.destination_id, fault=type(error).__name__)
                self._unwritten.set()
                over.wait(_AFTER_A_FAULT_SECONDS)

    def _write_now(self) -> None:
        if self._ended:
            with self._writing:
                with self._database.session() as session:
                    written = self._write(session, self._clock())
                self._written(written)

    def _write(self, session: Session, now: datetime) -> int:
        """Write what has ended, in the order in which it did; how many, to be forgotten after the commit."""
        attempts = list(self._ended)
        if not attempts:
            return 0
        before = breakers.state(session, self.destination_id)
        after = before
        for attempt in attempts:
            if attempt.is_failure:
                after = self._breaker.failed(after, now=attempt.ended_at)
            elif attempt.is_clear:
                after = breakers.BreakerState()
            else:
                after = self._breaker.given_back(after)
        breakers.keep(session, self.destination_id, after)
        if after.open_until is not None and after.open_until != before.open_until:
            _log.warning("delivery.breaker-opened", destination=self.destination_id)
        states = write_attempts(
            session,
            attempts,
            owner=self.owner,
            now=now,
            chance=self._chance,
            give_up_after=self._settings.give_up_after,
        )
        self._tell(attempts, states)
        return len(attempts)

    def _written(self, count: int) -> None:
        with self._ending:
            self._under_way.difference_update(one.submission.submission_id for one in self._ended[:count])
            del self._ended[:count]

    def _tell(self, attempts: list[Attempt], states: Mapping[int, str]) -> None:
        _log.info("delivery.settled", destination=self.destination_id, **Counter(states.values()))
        for attempt in attempts:
            if isinstance(attempt.outcome, DeliveryError):
                _log.info(
                    "delivery.not-delivered",
                    destination=self.destination_id,
                    submission_id=attempt.submission.submission_id,
                    attempt=attempt.submission.attempts,
                    state=states[attempt.submission.submission_id],
                    reason=attempt.outcome.code,
                )
