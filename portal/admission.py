"""What a destination's mode and settings let through: nothing, listed patients, so many a day, or everything.

What is not let through is held with a reason, and whatever a person must know of it is a notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

from portal.connections import ConfiguredDestination
from portal.daily_limit import DailyLimit
from portal.outcomes import HELD_ALLOW_LIST, HELD_SHADOW
from records.errors import DeliveryHeldError
from records.submission import DeliveryState, DestinationMode, ResultStatus, Submission
from store import addresses, notices, outbox
from store.database import Session

_MOST_HELD: Final = 10_000


class Admission:
    """What one destination lets through; for one thread at a time.

    Args:
        zone: Of the days that a daily limit counts.
    """

    def __init__(self, destination: ConfiguredDestination, *, zone: tzinfo) -> None:
        self._destination = destination
        self._settings = destination.settings
        self._daily = DailyLimit(destination.settings, zone=zone)

    def take_up(self, session: Session, *, now: datetime) -> None:
        """Release what this mode no longer holds back; shadow's backlog only if the settings say so."""
        name, settings = self._destination.destination_id, self._settings
        if settings.mode is DestinationMode.LIVE:
            notices.resolve(session, "change-held", name, now=now)
        self._note_address(session, now)
        if settings.send_shadow_backlog:
            outbox.release_held(session, name, HELD_SHADOW, actor=outbox.SERVICE, now=now)
        if settings.send_shadow_backlog or settings.mode is DestinationMode.STAGING:
            outbox.release_held(session, name, HELD_ALLOW_LIST, actor=outbox.SERVICE, now=now)
        outbox.thaw(session, name)
        held = outbox.list_submissions(session, state=DeliveryState.HELD, destination=name, limit=_MOST_HELD)
        if any(entry.reason in (HELD_SHADOW, HELD_ALLOW_LIST) for entry in held):
            notices.leave(
                session,
                "held-from-trial",
                name,
                "Records held while this destination was tried out still wait, and later ones of the same patients "
                "behind them. Cancel them, or set send_shadow_backlog.",
                now=now,
            )

    def open_day(self, session: Session, *, now: datetime) -> None:
        """On the first look of a day, let go of what the limits of earlier ones held."""
        self._daily.open_day(session, now=now)

    def look(self, session: Session, claimed: Sequence[Submission], *, now: datetime) -> None:
        """Count what today has left for the submissions that are about to be admitted."""
        self._daily.look(session, claimed, now=now)

    def admit(self, submission: Submission) -> None:
        """Let a submission through as far as the mode is concerned.

        Raises:
            DeliveryHeldError: The mode holds it back.
        """
        # Looking for patients is part of a trial: who is not at the portal is to be known before going live.
        if self._settings.mode is DestinationMode.SHADOW and submission.payload is not None:
            raise DeliveryHeldError("The destination is in shadow mode.", code=HELD_SHADOW)
        if self._settings.mode is DestinationMode.STAGING and submission.patient_id not in self._settings.allow_list:
            raise DeliveryHeldError("The patient is not on the allow-list.", code=HELD_ALLOW_LIST)

    def count(self, session: Session, submission: Submission, *, now: datetime) -> None:
        """Count it against today's limit.

        Raises:
            DeliveryHeldError: Today's values have gone.
        """
        self._daily.admit(session, submission, now=now)

    def tell_of_held_changes(
        self, session: Session, claimed: Sequence[Submission], held: Mapping[int, str], *, now: datetime
    ) -> None:
        """A mode may hold new values as long as it likes; what the portal shows wrongly meanwhile is to be known.

        Args:
            held: Why, by submission id, of those of `claimed` that were not let through.
        """
        if any(
            held.get(one.submission_id) in (HELD_SHADOW, HELD_ALLOW_LIST)
            and (one.status is ResultStatus.ENTERED_IN_ERROR or one.remote_id is not None)
            for one in claimed
        ):
            notices.leave(
                session,
                "change-held",
                self._destination.destination_id,
                "Corrections or withdrawals of values that this destination has are held by its mode, so that it goes "
                "on showing what was taken back. Set its mode to live, or put it right there and cancel them.",
                now=now,
            )

    def _note_address(self, session: Session, now: datetime) -> None:
        """A portal that is elsewhere now may be another one: its ids would mean other results, of other people."""
        name = self._destination.destination_id
        if addresses.note(session, name, self._destination.address, now=now):
            outbox.pause(session, name, reason=addresses.CHANGED, now=now)
            notices.leave(
                session,
                "destination-paused",
                name,
                "This destination has another address since the last start, and corrections and withdrawals of what "
                "the old one was told would go to the new one. If it is the same portal, resume the destination; if "
                "not, give the new portal an id of its own.",
                now=now,
            )
