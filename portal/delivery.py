"""Brings what is in the outbox to the portals, each value once, whatever crashes or times out in between.

Each destination has a lane of its own with a few threads, so that a portal that hangs delays no other. Within a lane
one thread at a time looks for work and hands the looking on before it sends. The outbox sees to it that one patient's
submissions go one after the other. Logs hold ids, codes and counts only.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import structlog

from portal.claims import new_name, own_names, take_back
from portal.client import PortalClient
from portal.connections import ConfiguredDestination, connected
from portal.outcomes import HELD_ALLOW_LIST, HELD_SHADOW, write_outcome
from portal.pacing import Breaker, RateLimit
from portal.payloads import make_payload, total_loincs
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryUnknownError,
    DestinationPausedError,
    ScorebridgeError,
)
from records.instrument import Instrument
from records.submission import DeliveryReceipt, DeliveryState, DestinationMode, Submission
from store import notices, outbox
from store.database import Database, Session

# Long enough for a look and a delivery that both take as long as an answer may, begun within `_BEGIN_WITHIN`.
_LEASE: Final = timedelta(minutes=2)
_BEGIN_WITHIN: Final = timedelta(seconds=20)
_BATCH: Final = 4
_AFTER_A_FAULT_SECONDS: Final = 1.0

_log = structlog.get_logger("portal.delivery")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How the worker works.

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


class DeliveryWorker:
    """Delivers until it is told to stop.

    Attributes:
        wake: Set it after leaving work in the outbox, to have it seen at once.
    """

    def __init__(
        self,
        *,
        database: Database,
        destinations: Sequence[ConfiguredDestination],
        instruments: Mapping[str, Instrument],
        settings: DeliverySettings | None = None,
        clock: Callable[[], datetime] = _utc_now,
        chance: random.Random | None = None,
    ) -> None:
        self.wake = threading.Event()
        self._database = database
        self._clock = clock
        self._lanes = [
            _Lane(
                database=database,
                destination=destination,
                loincs=total_loincs(instruments),
                settings=settings or DeliverySettings(),
                clock=clock,
                chance=chance or random.Random(),  # noqa: S311  # jitter, not a secret
                wake=self.wake,
            )
            for destination in destinations
            if destination.settings.mode is not DestinationMode.OFF
        ]

    def step(self, now: datetime) -> int:
        """Deliver everything that is due at `now`, in this thread; how many submissions were taken up."""
        self.take_up_modes(now)
        return sum(lane.step(now) for lane in self._lanes)

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set; what is under way then is finished, what is only claimed is given back."""
        with own_names(self._database.settings.home) as known_as:
            threads = []
            for lane in self._lanes:
                names = [f"{known_as or new_name()}-{lane.destination_id}-{number}" for number in range(lane.threads)]
                self._survive(partial(lane.take_back, names))
                threads += [threading.Thread(target=lane.run, args=(stop, name), name=name) for name in names]
            self._survive(lambda: self.take_up_modes(self._clock()))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            stop.wait()  # without destinations there is nothing to do but to wait

    def take_up_modes(self, now: datetime) -> None:
        """Let go of what an earlier mode held, or tell the operator that it waits."""
        for lane in self._lanes:
            lane.take_up_mode(now)

    def _survive(self, work: Callable[[], None]) -> None:
        try:
            work()
        except ScorebridgeError as error:
            _log.error("delivery.start-failed", fault=type(error).__name__)


class _Lane:
    """One destination: its threads, its rate, its breaker."""

    def __init__(
        self,
        *,
        database: Database,
        destination: ConfiguredDestination,
        loincs: Mapping[str, str | None],
        settings: DeliverySettings,
        clock: Callable[[], datetime],
        chance: random.Random,
        wake: threading.Event,
    ) -> None:
        self.destination_id = destination.destination_id
        self.threads = settings.threads
        self._database = database
        self._destination = destination
        self._loincs = loincs
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._wake = wake
        self._rate = RateLimit(destination.settings.rate_per_second)
        self._breaker = Breaker(first_pause=settings.first_pause)
        self._looking = threading.Lock()
        self._mode_taken_up = False

    def take_up_mode(self, now: datetime) -> None:
        """Release what this mode no longer holds back; shadow's backlog only if the settings say so."""
        settings = self._destination.settings
        if self._mode_taken_up or settings.mode is DestinationMode.SHADOW:
            return
        with self._database.session() as session:
            if settings.send_shadow_backlog:
                outbox.release_held(session, self.destination_id, HELD_SHADOW, now=now)
            if settings.send_shadow_backlog or settings.mode is DestinationMode.STAGING:
                outbox.release_held(session, self.destination_id, HELD_ALLOW_LIST, now=now)
            held = outbox.list_submissions(
                session, state=DeliveryState.HELD, destination=self.destination_id, limit=10_000
            )
            if any(entry.reason in (HELD_SHADOW, HELD_ALLOW_LIST) for entry in held):
                notices.leave(
                    session,
                    "held-from-trial",
                    self.destination_id,
                    "Records held while this destination was tried out still wait, and later ones of the same patients "
                    "behind them. Cancel them, or set send_shadow_backlog.",
                    now=now,
                )
        self._mode_taken_up = True

    def take_back(self, names: list[str]) -> None:
        """Look at once after what an earlier process was sending when it ended."""
        taken = take_back(self._database, destination=self.destination_id, names=names, now=self._clock())
        if taken:
            _log.warning("delivery.taken-back", destination=self.destination_id, submissions=taken)

    def step(self, now: datetime) -> int:
        """Deliver everything due at `now`."""
        taken = 0
        owner = new_name()
        with ExitStack() as stack:
            client = self._connect(stack)
            while work := self._claim(owner, now=now, wanted=_BATCH):
                taken += len(work)
                for submission in work:
                    self._deliver(client, submission, owner=owner, clock=lambda: now)
        return taken

    def run(self, stop: threading.Event, owner: str) -> None:
        """One thread of the lane, which claims under the name `owner`."""
        with ExitStack() as stack:
            client = self._connect(stack)
            while not stop.is_set():
                try:
                    self._round(client, owner, stop)
                except Exception as error:  # noqa: BLE001  # the loop outlives every fault of one round
                    _log.error("delivery.round-failed", destination=self.destination_id, fault=type(error).__name__)
                    stop.wait(_AFTER_A_FAULT_SECONDS)

    def _connect(self, stack: ExitStack) -> PortalClient:
        seconds = self._settings.read_seconds
        return stack.enter_context(
            connected(self._destination, clock=self._clock, pace=self._rate.wait, read_seconds=seconds)
        )

    def _round(self, client: PortalClient, owner: str, stop: threading.Event) -> None:
        with self._looking:
            work: list[Submission] = []
            while not work and not stop.is_set():
                work = self._claim(owner, now=self._clock(), wanted=_BATCH)
                if not work and self._wake.wait(self._settings.poll_seconds):
                    self._wake.clear()
        give_back_at = self._clock() + _BEGIN_WITHIN
        for submission in work:
            if stop.is_set() or self._clock() > give_back_at:
                self._give_back(submission, owner)
            else:
                self._deliver(client, submission, owner=owner, clock=self._clock)

    def _claim(self, owner: str, *, now: datetime, wanted: int) -> list[Submission]:
        """Claim what is due and freeze its payload; what the mode or the mapping holds is held and passed over."""
        while True:
            admitted = self._breaker.admit(wanted=wanted, now=now)
            if admitted == 0:
                return []
            with self._database.session() as session:
                claimed = outbox.claim_due(
                    session, now=now, lease=_LEASE, limit=admitted, owner=owner, destinations=[self.destination_id]
                )
                prepared = [self._prepare(session, submission, owner=owner, now=now) for submission in claimed]
            work = [submission for submission in prepared if submission is not None]
            if work or not claimed:
                self._breaker.started(len(work))
                return work

    def _prepare(self, session: Session, submission: Submission, *, owner: str, now: datetime) -> Submission | None:
        """The submission with its payload frozen, or None if it is held."""
        try:
            frozen = self._frozen(session, submission, owner=owner)
            self._admit(submission)
        except DeliveryHeldError as error:
            outbox.mark_held(session, submission.submission_id, reason=error.code, owner=owner, now=now)
            _log.info("delivery.held", submission_id=submission.submission_id, reason=error.code)
            return None
        return frozen

    def _frozen(self, session: Session, submission: Submission, *, owner: str) -> Submission:
        if submission.payload is not None:
            return submission
        confirmed = outbox.told_by(session, [submission.submission_id])[submission.submission_id]
        payload = make_payload(submission, confirmed, destination=self._destination.file, loincs=self._loincs)
        revision = self._destination.file.mapping_revision
        outbox.freeze(session, submission.submission_id, payload, revision, owner=owner)
        return replace(submission, payload=payload)

    def _admit(self, submission: Submission) -> None:
        settings = self._destination.settings
        if settings.mode is DestinationMode.SHADOW:
            raise DeliveryHeldError("The destination is in shadow mode.", code=HELD_SHADOW)
        if settings.mode is DestinationMode.STAGING and submission.patient_id not in settings.allow_list:
            raise DeliveryHeldError("The patient is not on the allow-list.", code=HELD_ALLOW_LIST)

    def _deliver(
        self, client: PortalClient, submission: Submission, *, owner: str, clock: Callable[[], datetime]
    ) -> None:
        outcome = self._attempt(client, submission)
        now = clock()
        if isinstance(outcome, DeliveryDeferredError | DeliveryUnknownError):
            if self._breaker.failed(now=now):
                _log.warning("delivery.breaker-opened", destination=self.destination_id)
        elif isinstance(outcome, DestinationPausedError):
            self._breaker.given_back()
        else:
            self._breaker.settled()
        with self._database.session() as session:
            state = write_outcome(
                session,
                submission,
                outcome,
                owner=owner,
                now=now,
                chance=self._chance,
                give_up_after=self._settings.give_up_after,
            )
        _log.info(
            "delivery.settled",
            submission_id=submission.submission_id,
            destination=self.destination_id,
            attempt=submission.attempts,
            state=state,
            reason=outcome.code if isinstance(outcome, DeliveryError) else None,
        )

    def _attempt(self, client: PortalClient, submission: Submission) -> DeliveryReceipt | DeliveryError:
        try:
            return client.deliver(submission)
        except DeliveryError as error:
            return error
        except Exception as error:  # noqa: BLE001  # a fault of ours must not be retried for ever without backoff
            _log.error("delivery.program-error", submission_id=submission.submission_id, fault=type(error).__name__)
            return DeliveryUnknownError("The program failed while delivering.", code="program-error")

    def _give_back(self, submission: Submission, owner: str) -> None:
        self._breaker.given_back()
        now = self._clock()
        mark = outbox.mark_unknown if submission.was_unknown else outbox.mark_deferred
        with self._database.session() as session:
            mark(session, submission.submission_id, reason="given-back", due_at=now, owner=owner, now=now)
