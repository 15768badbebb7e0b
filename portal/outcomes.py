"""What becomes of a submission after one attempt: the one place that turns an outcome into a state of the outbox."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from portal.answers import may_be_there
from portal.pacing import backoff
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryUnknownError,
    DestinationPausedError,
)
from records.submission import DeliveryReceipt, DeliveryState, Submission
from store import notices, outbox
from store.database import Session
from store.outbox import Settlement

HELD_SHADOW: Final = "shadow"
HELD_ALLOW_LIST: Final = "not-on-allow-list"
# A submission that waited long for other reasons (a paused destination) still gets this many attempts.
_LEAST_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt and how it ended.

    Attributes:
        outcome: The portal's word, or what went wrong; None if it was given back untried.
        ended_at: When.
    """

    submission: Submission
    outcome: DeliveryReceipt | DeliveryError | None
    ended_at: datetime

    @property
    def is_failure(self) -> bool:
        """Whether the portal gave no clear answer."""
        return isinstance(self.outcome, DeliveryDeferredError | DeliveryUnknownError)

    @property
    def is_clear(self) -> bool:
        """Whether the portal gave a clear answer, yes or no."""
        return self.outcome is not None and not isinstance(
            self.outcome, DeliveryDeferredError | DeliveryUnknownError | DestinationPausedError
        )


def settlement_of(attempt: Attempt, *, chance: random.Random, give_up_after: timedelta) -> Settlement:
    """The state an attempt leads to."""
    submission, outcome, now = attempt.submission, attempt.outcome, attempt.ended_at
    ended = Settlement(
        submission_id=submission.submission_id, attempt=submission.attempts, state=_as_before(submission), due_at=now
    )
    if outcome is None:
        return replace(ended, reason="given-back", attempted=False)
    if isinstance(outcome, DeliveryReceipt):
        return replace(ended, state=DeliveryState.DELIVERED, receipt=outcome)
    reason = outcome.code or type(outcome).__name__
    ended = replace(ended, may_be_there=may_be_there(outcome))
    if isinstance(outcome, DestinationPausedError):
        return replace(ended, reason=reason)
    if isinstance(outcome, DeliveryHeldError):
        return replace(ended, state=DeliveryState.HELD, reason=reason)
    if isinstance(outcome, DeliveryDeferredError | DeliveryUnknownError):
        if not _is_too_old(submission, now=now, give_up_after=give_up_after):
            return _again(ended, submission, outcome, reason=reason, now=now, chance=chance)
        reason = f"gave-up-{reason}"
    return replace(ended, state=DeliveryState.DEAD, reason=reason)


def write_attempts(
    session: Session,
    attempts: Sequence[Attempt],
    *,
    owner: str,
    now: datetime,
    chance: random.Random,
    give_up_after: timedelta,
) -> dict[int, str]:
    """Write down how attempts ended, and tell the operator what asks for a person; the caller commits.

    Returns:
        By submission id, the new state, or "lease-lost" where it came too late and nothing was changed.
    """
    settlements = [settlement_of(attempt, chance=chance, give_up_after=give_up_after) for attempt in attempts]
    kept = outbox.settle(session, settlements, owner=owner, now=now)
    for attempt, settled in zip(attempts, settlements, strict=True):
        if isinstance(attempt.outcome, DestinationPausedError):
            _pause(session, attempt.submission.destination, attempt.outcome, now=now)
        elif settled.submission_id in kept and _is_dead(session, settled):
            notices.leave(
                session,
                "delivery-refused",
                attempt.submission.destination,
                "Records were not taken by this destination and wait for a person's decision.",
                now=now,
            )
    return {
        settled.submission_id: settled.state.value if settled.submission_id in kept else "lease-lost"
        for settled in settlements
    }


def _is_dead(session: Session, settled: Settlement) -> bool:
    """Whether it waits for a person now; what was withdrawn meanwhile does not."""
    return settled.state is DeliveryState.DEAD and outbox.entry(session, settled.submission_id).state is settled.state


def _as_before(submission: Submission) -> DeliveryState:
    return DeliveryState.UNKNOWN if submission.was_unknown else DeliveryState.PENDING


def _again(
    ended: Settlement,
    submission: Submission,
    outcome: DeliveryDeferredError | DeliveryUnknownError,
    *,
    reason: str,
    now: datetime,
    chance: random.Random,
) -> Settlement:
    if isinstance(outcome, DeliveryUnknownError):
        # The first look comes soon: until it, nobody can say whether the value is there.
        due_at = now + backoff(attempts=max(submission.attempts - 1, 0), chance=chance)
        return replace(ended, state=DeliveryState.UNKNOWN, reason=reason, due_at=due_at)
    due_at = now + backoff(attempts=submission.attempts, chance=chance, asked=outcome.retry_after)
    return replace(ended, state=DeliveryState.PENDING, reason=reason, due_at=due_at)


def _pause(session: Session, destination: str, outcome: DestinationPausedError, *, now: datetime) -> None:
    """Nothing goes there until somebody acts; the submission itself is as it was before."""
    if destination in outbox.paused(session):
        return
    outbox.pause(session, destination, reason=outcome.code or "paused", now=now)
    notices.leave(
        session,
        "destination-paused",
        destination,
        f"Nothing is delivered to this destination: {outcome.message} {outcome.next_step}".strip(),
        now=now,
    )


def _is_too_old(submission: Submission, *, now: datetime, give_up_after: timedelta) -> bool:
    return submission.attempts >= _LEAST_ATTEMPTS and now - submission.created_at >= give_up_after
