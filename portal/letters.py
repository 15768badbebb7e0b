"""Sends the letters about the day. What was sent is in the store, so that no restart sends one twice.

A crash in the very moment between the mail server's yes and the row sends it again, under the same Message-ID, which
mail programs show once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from portal.alert_channels import Mail
from portal.alert_messages import DayLetterMessage
from portal.letter_settings import LetterSettings
from records.errors import DeliveryDeferredError
from store import day_letters
from store.database import Database
from store.day_letters import DayLetter

_LOOK_SECONDS: Final = 5.0
_log = structlog.get_logger("portal.letters")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LetterWorker:
    """Sends letters until it is told to stop."""

    def __init__(
        self,
        *,
        database: Database,
        settings: LetterSettings,
        folder: Path = Path(),
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._database = database
        self._mail = Mail("letter", settings.smtp, folder=folder)
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Look for letters every few seconds until `stop` is set."""
        while not stop.is_set():
            try:
                self.step(self._clock())
            except Exception as error:  # noqa: BLE001  # the loop outlives every fault of one round
                _log.error("letters.round-failed", fault=type(error).__name__)
            stop.wait(_LOOK_SECONDS)

    def step(self, now: datetime) -> int:
        """Send every letter that is due at `now`; how many were taken."""
        with self._database.reading() as session:
            waiting = day_letters.due(session, now=now)
        return sum(self._send(letter, now) for letter in waiting)

    def _send(self, letter: DayLetter, now: datetime) -> bool:
        message = DayLetterMessage(
            subject=letter.subject, body=letter.body, reference=letter.reference, written_at=letter.written_at
        )
        try:
            receipt = self._mail.send(message)
        except DeliveryDeferredError as error:
            with self._database.session() as session:
                day_letters.mark_failed(session, letter, fault=error.code or "unreachable", now=now)
            _log.warning("letters.failed", site=letter.site, fault=error.code)
            return False
        with self._database.session() as session:
            day_letters.mark_sent(session, letter, refused=receipt.refused, now=now)
        _log.info("letters.sent", site=letter.site)
        return True
