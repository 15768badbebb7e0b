"""Tells people: critical answers at once and again until somebody acknowledges, and notices to the operator, gathered.

Nothing of delivery can hold it up: it has threads of its own, one per channel and one that looks for what is due. A
channel that fails keeps what it owes and tries again; the others go on. An alert counts as told at a step once one
channel took it, so that a broken mail server does not stop the escalation over the webhook.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from portal.alert_channels import (
    UNREACHABLE,
    Channel,
    CriticalMessage,
    Message,
    NoticeLine,
    OperatorMessage,
    TestMessage,
    channels_of,
)
from portal.settings import AlertSettings
from records.errors import DeliveryError, ScorebridgeError
from store import alerts, notices
from store.database import Database

_POLL_SECONDS: Final = 0.2
_MOST_LINES: Final = 50
_MOST_ALERTS: Final = 100_000
_LONGEST_PAUSE_SECONDS: Final = 10.0

_log = structlog.get_logger("portal.alerting")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class AlertWorker:
    """Tells people until it is told to stop.

    Attributes:
        wake: Set it after raising an alert, to have it told at once.
    """

    def __init__(
        self,
        *,
        database: Database,
        settings: AlertSettings,
        clock: Callable[[], datetime] = _utc_now,
        channels: Sequence[Channel] | None = None,
    ) -> None:
        self.wake = threading.Event()
        self._database = database
        self._settings = settings
        self._clock = clock
        told = channels_of(settings) if channels is None else channels
        self._lanes = [_ChannelLane(channel, self._told) for channel in told]
        self._notices_told_at: datetime | None = None

    def step(self, now: datetime) -> int:
        """Tell everything that is due at `now`, in this thread; how many messages were taken by a channel."""
        self._look(now)
        return sum(lane.drain(now) for lane in self._lanes)

    def run(self, stop: threading.Event) -> None:
        """Tell people until `stop` is set."""
        threads = [threading.Thread(target=lane.run, args=(stop, self._clock), name="alerts") for lane in self._lanes]
        for thread in threads:
            thread.start()
        while not stop.is_set():
            try:
                self._look(self._clock())
            except Exception as error:  # noqa: BLE001  # the loop outlives every fault of one round
                _log.error("alerts.round-failed", fault=type(error).__name__)
                stop.wait(1.0)
            if self.wake.wait(_POLL_SECONDS):
                self.wake.clear()
        for thread in threads:
            thread.join()

    def _look(self, now: datetime) -> None:
        """Give every channel what is due, and take back what somebody has acknowledged."""
        with self._database.reading() as session:
            due = alerts.due_notices(
                session,
                now=now,
                escalate_after=timedelta(minutes=self._settings.escalate_after_minutes),
                steps=self._settings.steps,
            )
            owed = {alert_id for lane in self._lanes for alert_id in lane.owed_alerts()}
            known = alerts.list_alerts(session, open_only=True, limit=_MOST_ALERTS) if owed else []
            unsent = notices.unsent(session)
        settled = owed - {alert.alert_id for alert in known}
        for lane in self._lanes:
            lane.forget_alerts(settled)
            for alert in due:
                step = alert.notices + 1
                message = CriticalMessage(
                    alert_id=alert.alert_id, site=alert.site, raised_at=alert.raised_at, step=step
                )
                lane.owe(("alert", alert.alert_id), message)
        self._look_for_notices(unsent, now)

    def _look_for_notices(self, unsent: Sequence[notices.Notice], now: datetime) -> None:
        every = timedelta(minutes=self._settings.notices_every_minutes)
        too_soon = self._notices_told_at is not None and now - self._notices_told_at < every
        if not unsent or too_soon:
            return
        lines = tuple(
            NoticeLine(
                notice_id=notice.notice_id,
                kind=notice.kind,
                subject=notice.subject,
                sentence=notice.sentence,
                left_at=notice.left_at,
            )
            for notice in unsent[:_MOST_LINES]
        )
        for lane in self._lanes:
            lane.owe(("notices", 0), OperatorMessage(lines=lines))

    def _told(self, channel: Channel, message: Message, now: datetime) -> None:
        """Write down that a channel took a message."""
        with self._database.session() as session:
            if isinstance(message, OperatorMessage):
                for line in message.lines:
                    notices.mark_sent(session, line.notice_id, now=now)
                self._notices_told_at = now
            elif isinstance(message, CriticalMessage):
                current = alerts.list_alerts(session, open_only=True, limit=_MOST_ALERTS)
                told = next((alert for alert in current if alert.alert_id == message.alert_id), None)
                # Another channel may have told this step already: a step is counted once.
                if told is not None and told.notices < message.step:
                    alerts.mark_notified(session, message.alert_id, now=now)
        _log.info("alerts.told", channel=channel.name, message=type(message).__name__)


_Key = tuple[str, int]


class _ChannelLane:
    """One channel, what it still owes, and what it told last of each alert."""

    def __init__(self, channel: Channel, told: Callable[[Channel, Message, datetime], None]) -> None:
        self._channel = channel
        self._told = told
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._owed: dict[_Key, Message] = {}
        self._last: dict[_Key, Message] = {}

    def owe(self, key: _Key, message: Message) -> None:
        """Take on a message unless this channel has told just that; a later step takes the place of an earlier."""
        with self._lock:
            if self._last.get(key) != message:
                self._owed[key] = message
                self._work.set()

    def owed_alerts(self) -> list[int]:
        """Alerts this channel has yet to tell of."""
        with self._lock:
            return [number for kind, number in self._owed if kind == "alert"]

    def forget_alerts(self, alert_ids: Collection[int]) -> None:
        """Alerts that nobody needs to be told of any more."""
        with self._lock:
            for alert_id in alert_ids:
                self._owed.pop(("alert", alert_id), None)
                self._last.pop(("alert", alert_id), None)

    def drain(self, now: datetime) -> int:
        """Send what is owed, alerts first; how many were taken. What fails stays owed.

        A channel that cannot be reached is left alone until the next round; a message it refuses only by itself.
        """
        with self._lock:
            waiting = sorted(self._owed.items(), key=lambda entry: entry[0])
        taken = 0
        for key, message in waiting:
            try:
                self._channel.send(message)
            except DeliveryError as error:
                _log.error("alerts.channel-failed", channel=self._channel.name, fault=error.code, owed=len(waiting))
                if error.code == UNREACHABLE:
                    break
                continue
            # Written down first: an alert told twice is better than one that never escalates.
            self._told(self._channel, message, now)
            taken += 1
            with self._lock:
                self._last[key] = message
                if self._owed.get(key) == message:
                    del self._owed[key]
        return taken

    def run(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        """Send as soon as something is owed; after a failure wait, longer each time, 10 s at most."""
        pause = 0.0
        while not stop.is_set():
            self._work.wait(_POLL_SECONDS)
            self._work.clear()
            try:
                self.drain(clock())
            except Exception as error:  # noqa: BLE001  # the loop outlives every fault of one round
                _log.error("alerts.round-failed", fault=type(error).__name__)
            with self._lock:
                stuck = bool(self._owed)
            pause = min(max(pause * 2, 0.5), _LONGEST_PAUSE_SECONDS) if stuck else 0.0
            if pause:
                stop.wait(pause)


def send_test(settings: AlertSettings, *, now: datetime) -> dict[str, str | None]:
    """Send a test message over every channel; channel name to what went wrong, or None."""
    results: dict[str, str | None] = {}
    for channel in channels_of(settings):
        try:
            channel.send(TestMessage(sent_at=now))
            results[channel.name] = None
        except ScorebridgeError as error:
            results[channel.name] = str(error)
    return results
