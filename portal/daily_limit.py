"""The first days after going live: so many new values a day and no more, so that a mistake stays small.

Values beyond the limit are held, and let go the next day, oldest first. Corrections and withdrawals always go, and so
does what may have arrived already: holding those back would make a mistake larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from portal.settings import DestinationSettings
from records.errors import DeliveryHeldError
from records.submission import DestinationMode, ResultStatus, Submission
from store import destination_modes, notices
from store.database import Session

HELD_DAILY_LIMIT: Final = "daily-limit"


def day_start(now: datetime, zone: tzinfo) -> datetime:
    """When the local day of an instant began."""
    return datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)


def limit_today(settings: DestinationSettings, *, live_since: datetime, now: datetime, zone: tzinfo) -> int | None:
    """How many new values may go on the local day of `now`; None for no limit. The day of going live is the first."""
    if settings.daily_limit is None or settings.mode is not DestinationMode.LIVE:
        return None
    first = live_since.astimezone(zone).date()
    last = first + timedelta(days=settings.daily_limit_days - 1)
    return settings.daily_limit if now.astimezone(zone).date() <= last else None


class DailyLimit:
    """The limit of one destination; for one thread at a time."""

    def __init__(self, settings: DestinationSettings, *, zone: tzinfo) -> None:
        self._settings = settings
        self._zone = zone
        self._day: date | None = None
        self._left: int | None = None

    def open_day(self, session: Session, *, now: datetime) -> None:
        """On the first look of a day, let go of what earlier ones held, as far as this one allows."""
        if self._settings.mode is not DestinationMode.LIVE or self._day == now.astimezone(self._zone).date():
            return
        name = self._settings.destination_id
        left = self._left_today(session, (), now=now)
        destination_modes.release_oldest(session, name, HELD_DAILY_LIMIT, most=left, now=now)
        notices.resolve(session, HELD_DAILY_LIMIT, name, now=now)
        self._day = now.astimezone(self._zone).date()

    def look(self, session: Session, claimed: Sequence[Submission], *, now: datetime) -> None:
        """Count what today has left for the submissions that are about to be admitted."""
        if claimed:
            self._left = self._left_today(session, [one.submission_id for one in claimed], now=now)

    def admit(self, session: Session, submission: Submission, *, now: datetime) -> None:
        """Let a submission through.

        Raises:
            DeliveryHeldError: Today's values have gone; a notice says so.
        """
        if self._left is None or submission.status is not ResultStatus.FINAL or submission.was_unknown:
            return
        if self._left <= 0:
            self._tell(session, now=now)
            raise DeliveryHeldError("Today's values have gone.", code=HELD_DAILY_LIMIT)
        self._left -= 1

    def _left_today(self, session: Session, claimed: Sequence[int], *, now: datetime) -> int | None:
        if self._settings.daily_limit is None:
            return None
        name = self._settings.destination_id
        live = destination_modes.note(session, name, self._settings.mode, now=now)
        limit = limit_today(self._settings, live_since=live.since, now=now, zone=self._zone)
        if limit is None:
            return None
        sent = destination_modes.sent_since(session, name, day_start(now, self._zone), but=claimed)
        return max(limit - sent, 0)

    def _tell(self, session: Session, *, now: datetime) -> None:
        notices.leave(
            session,
            HELD_DAILY_LIMIT,
            self._settings.destination_id,
            f"The {self._settings.daily_limit} values that may go to this destination in a day have gone. Further ones "
            "are held and go tomorrow, oldest first; daily_limit in the settings says how many.",
            now=now,
        )
