"""What becomes of a submission after one attempt: the one place that turns an outcome into a state of the outbox."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from portal.pacing import backoff
from records.errors import (
    DeliveryDeferredError,
    DeliveryError,
    DeliveryHeldError,
    DeliveryUnknownError,
    DestinationPausedError,
)
from records.submission import DeliveryReceipt, Submission
from store import notices, outbox
from store.database import Session

HELD_SHADOW: Final = "shadow"
HELD_ALLOW_LIST: Final = "not-on-allow-list"
# A submission that waited long for other reasons (a paused destination) still gets this many attempts.
_LEAST_ATTEMPTS: Final = 10


def write_outcome(
    session: Session,
    submission: Submission,
    outcome: DeliveryReceipt | DeliveryError,
    *,
    owner: str,
    now: datetime,
    chance: random.Random,
    give_up_after: timedelta,
) -> str:
    """Write down how an attempt ended; the caller commits. The word for the log, "lease-lost" if it came too late."""
    number = submission.submission_id
    if isinstance(outcome, DeliveryReceipt):
        kept = outbox.mark_delivered(session, number, outcome, owner=owner, now=now)
        return "delivered" if kept else "lease-lost"
    if isinstance(outcome, DestinationPausedError):
        return _pause(session, submission, outcome, owner=owner, now=now)
    reason = outcome.code or type(outcome).__name__
    if isinstance(outcome, DeliveryHeldError):
        kept = outbox.mark_held(session, number, reason=reason, owner=owner, now=now)
        return "held" if kept else "lease-lost"
    if isinstance(outcome, DeliveryDeferredError | DeliveryUnknownError):
        if not _is_too_old(session, submission, now=now, give_up_after=give_up_after):
            return _again(session, submission, outcome, reason=reason, owner=owner, now=now, chance=chance)
        reason = f"gave-up-{reason}"
    kept = outbox.mark_dead(session, number, reason=reason, owner=owner, now=now)
    if kept:
        notices.leave(
            session,
            "delivery-refused",
            submission.destination,
            "Records were not taken by this destination and wait for a person's decision.",
            now=now,
        )
    return "dead" if kept else "lease-lost"


def _again(
    session: Session,
    submission: Submission,
    outcome: DeliveryDeferredError | DeliveryUnknownError,
    *,
    reason: str,
    owner: str,
    now: datetime,
    chance: random.Random,
) -> str:
    number, attempts = submission.submission_id, submission.attempts
    if isinstance(outcome, DeliveryUnknownError):
        # The first look comes soon: until it, nobody can say whether the value is there.
        due_at = now + backoff(attempts=max(attempts - 1, 0), chance=chance)
        kept = outbox.mark_unknown(session, number, reason=reason, due_at=due_at, owner=owner, now=now)
        return "unknown" if kept else "lease-lost"
    due_at = now + backoff(attempts=attempts, chance=chance, asked=outcome.retry_after)
    kept = outbox.mark_deferred(session, number, reason=reason, due_at=due_at, owner=owner, now=now)
    return "deferred" if kept else "lease-lost"


def _pause(
    session: Session, submission: Submission, outcome: DestinationPausedError, *, owner: str, now: datetime
) -> str:
    """Nothing goes there until somebody acts; the submission itself is as it was before."""
    reason = outcome.code or "paused"
    mark = outbox.mark_unknown if submission.was_unknown else outbox.mark_deferred
    kept = mark(session, submission.submission_id, reason=reason, due_at=now, owner=owner, now=now)
    if submission.destination not in outbox.paused(session):
        outbox.pause(session, submission.destination, reason=reason, now=now)
        notices.leave(
            session,
            "destination-paused",
            submission.destination,
            f"Nothing is delivered to this destination: {outcome.message} {outcome.next_step}".strip(),
            now=now,
        )
    return "paused" if kept else "lease-lost"


def _is_too_old(session: Session, submission: Submission, *, now: datetime, give_up_after: timedelta) -> bool:
    if submission.attempts < _LEAST_ATTEMPTS:
        return False
    return now - outbox.entry(session, submission.submission_id).created_at >= give_up_after
