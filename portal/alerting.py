"""Tells people: critical answers at once and again until somebody acknowledges, and notices to the operator, gathered.

Nothing of delivery can hold it up: it has threads of its own, two per channel and one that looks for what is due, and
what it writes goes before everybody else's. A channel that fails keeps what it owes and tries again; the others go
on, and so does the ladder, which depends on the time alone. What was told is in the store, so that a restart neither
forgets a channel nor tells anybody twice, except what was told in the very moment of a crash.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from portal.alert_channels import Channel, channels_of
from portal.alert_lanes import Lane, Owed
from portal.alert_messages import ChannelReceipt, CriticalMessage, NoticeLine, OperatorMessage, TaskMessage, TestMessage
from portal.alert_settings import AlertSettings
from records.alert import CriticalAlert
from records.errors import ScorebridgeError, StoreError
from store import alert_tasks, alert_tellings, alerts, notices
from store.alert_tasks import AlertTask
from store.alert_tellings import ToldSoFar
from store.database import Database, Session

_POLL_SECONDS: Final = 0.2
# Whatever changes without a new alert (a rung falls due, somebody acknowledges at a terminal) is seen within this time.
_LOOK_SECONDS: Final = 1.0
_MOST_LINES: Final = 50
_TRIES_BEFORE_A_NOTICE: Final = 3
_ALERT, _TASK, _NOTICES = "alert", "task", "notices"

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
        folder: Path = Path(),
        clock: Callable[[], datetime] = _utc_now,
        channels: Sequence[Channel] | None = None,
    ) -> None:
        self.wake = threading.Event()
        self._database = database
        self._settings = settings
        self._ladder = settings.ladder
        self._clock = clock
        told = channels_of(settings, folder=folder) if channels is None else channels
        ledger = StoreLedger(database, self._noticed)
        self._alert_lanes = [Lane(channel, ledger) for channel in told]
        self._notice_lanes = [Lane(channel, ledger) for channel in told if channel.takes_notices]
        self._notices_told_at: datetime | None = None

    def step(self, now: datetime) -> int:
        """Tell everything that is due at `now`, in this thread; how many messages were taken by a channel."""
        self._look(now)
        return sum(lane.drain(lambda: now) for lane in self._alert_lanes + self._notice_lanes)

    def run(self, stop: threading.Event) -> None:
        """Tell people until `stop` is set."""
        threads = [
            threading.Thread(target=partial(lane.run, stop, self._clock), name="alerts", daemon=True)
            for lane in self._alert_lanes + self._notice_lanes
        ]
        for thread in threads:
            thread.start()
        newest, look_at = -1, 0.0
        while not stop.is_set():
            try:
                with self._database.reading() as session:
                    raised = alerts.newest(session)
                if raised != newest or time.monotonic() >= look_at:
                    newest, look_at = raised, time.monotonic() + _LOOK_SECONDS
                    self._look(self._clock())
            except Exception as error:  # noqa: BLE001  # the loop outlives every fault of one round
                _log.error("alerts.round-failed", fault=type(error).__name__)
                stop.wait(1.0)
            if self.wake.wait(_POLL_SECONDS):
                self.wake.clear()
        for thread in threads:
            thread.join()

    def _noticed(self, now: datetime) -> None:
        self._notices_told_at = now

    def _look(self, now: datetime) -> None:
        """Give every channel what is due, and take back what somebody has acknowledged."""
        with self._database.reading() as session:
            waiting = alerts.list_alerts(session, open_only=True, limit=None)
            told = alert_tellings.told_so_far(session) if waiting else {}
            numbers = {(alert.alert_id,) for alert in waiting}
            for lane in self._alert_lanes:
                lane.keep_only(_ALERT, numbers)
                for alert in waiting:
                    self._owe(session, lane, alert, told.get((alert.alert_id, lane.channel.name)), now=now)
                if lane.channel.keeps_tasks:
                    _owe_tasks(session, lane)
            unsent = notices.unsent(session)
        self._look_for_notices(unsent, now)

    def _owe(
        self, session: Session, lane: Lane, alert: CriticalAlert, so_far: ToldSoFar | None, *, now: datetime
    ) -> None:
        if so_far is not None and lane.channel.keeps_tasks:
            return
        step = self._ladder.owed(
            lane.channel.name,
            begun_at=alert.begun_at,
            now=now,
            told=so_far.step if so_far else 0,
            told_at=so_far.told_at if so_far else None,
        )
        if step == 0:
            return
        message = CriticalMessage(
            alert_id=alert.alert_id,
            site=alert.site,
            raised_at=alert.raised_at,
            round=alert.round,
            step=step,
            reference=alert_tellings.reference(session, alert.alert_id, round_=alert.round, step=step),
            task=_task(session, lane.channel, alert) if lane.channel.keeps_tasks else None,
        )
        lane.owe(Owed(_ALERT, (alert.alert_id,), (alert.round, step), message))

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
        mark = tuple(line.notice_id for line in lines)
        for lane in self._notice_lanes:
            lane.owe(Owed(_NOTICES, (), mark, OperatorMessage(lines=lines)))


def _task(session: Session, channel: Channel, alert: CriticalAlert) -> AlertTask:
    return alert_tasks.task_of(session, alert.alert_id, round_=alert.round, patients_of=channel.patients_of)


def _owe_tasks(session: Session, lane: Lane) -> None:
    behind = alert_tasks.behind(session, lane.channel.name, patients_of=lane.channel.patients_of)
    lane.keep_only(_TASK, {(task.alert_id, task.round) for task in behind})
    for task in behind:
        mark = (task.status, task.patient_id, task.owner)
        lane.owe(Owed(_TASK, (task.alert_id, task.round), mark, TaskMessage(task=task)))


def _is_current(session: Session, task: AlertTask) -> bool:
    return task == alert_tasks.task_of(session, task.alert_id, round_=task.round, patients_of=task.patients_of)


class StoreLedger:
    """Writes down in the store what became of each message, before everybody else's turn."""

    def __init__(self, database: Database, noticed: Callable[[datetime], None]) -> None:
        self._database = database
        self._noticed = noticed

    def is_owed(self, owed: Owed) -> bool:
        """Whether nobody has taken the alert meanwhile, and a task is still to look so.

        A store that does not answer is no reason to be quiet, but one to name no patient.
        """
        message = owed.message
        if isinstance(message, CriticalMessage):
            try:
                with self._database.reading() as session:
                    waits = alert_tellings.is_still_owed(session, message.alert_id, round_=message.round)
                    return waits and (message.task is None or _is_current(session, message.task))
            except StoreError:
                return message.task is None
        if isinstance(message, TaskMessage):
            with self._database.reading() as session:
                return _is_current(session, message.task)
        return True

    def told(self, channel: str, owed: Owed, receipt: ChannelReceipt, *, now: datetime) -> None:
        """Keep that a channel took a message."""
        message = owed.message
        with self._database.session(urgent=True) as session:
            if isinstance(message, OperatorMessage):
                for line in message.lines:
                    notices.mark_sent(session, line.notice_id, now=now)
                alert_tellings.mark_working(session, channel, now=now)
                self._noticed(now)
            elif isinstance(message, CriticalMessage):
                alert_tellings.mark_told(
                    session,
                    message.alert_id,
                    round_=message.round,
                    channel=channel,
                    step=message.step,
                    receipt=receipt.known_as,
                    now=now,
                )
                if message.task is not None:
                    alert_tasks.mark_shown(session, message.task, channel=channel, receipt=receipt.known_as, now=now)
            elif isinstance(message, TaskMessage):
                alert_tasks.mark_shown(session, message.task, channel=channel, receipt=receipt.known_as, now=now)
                alert_tellings.mark_working(session, channel, now=now)
            if not isinstance(message, TaskMessage):
                alert_tellings.note_refused(session, channel, count=receipt.refused, now=now)
        _log.info("alerts.told", channel=channel, message=type(message).__name__)

    def failed(self, channel: str, owed: Sequence[Owed], fault: str, *, now: datetime) -> None:
        """Keep what a channel did not take."""
        messages = [one.message for one in owed]
        steps = [(m.alert_id, m.round, m.step) for m in messages if isinstance(m, CriticalMessage)]
        tasks = [m.task for m in messages if isinstance(m, TaskMessage)]
        if not steps and not tasks:
            return
        with self._database.session(urgent=True) as session:
            alert_tellings.mark_failed(session, steps, channel=channel, fault=fault, now=now)
            tries = [alert_tasks.mark_not_shown(session, task, channel=channel, fault=fault) for task in tasks]
            if max(tries, default=0) >= _TRIES_BEFORE_A_NOTICE:
                alert_tellings.mark_broken(session, channel, fault=fault, now=now)


def send_test(settings: AlertSettings, *, now: datetime, folder: Path = Path()) -> dict[str, str | None]:
    """Send a test message over every channel; channel name to what went wrong, or None."""
    results: dict[str, str | None] = {}
    for channel in channels_of(settings, folder=folder):
        try:
            channel.send(TestMessage(sent_at=now))
            results[channel.name] = None
        except ScorebridgeError as error:
            results[channel.name] = str(error)
    return results
