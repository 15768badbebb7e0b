"""What has to happen now and then: rosters, absent reports, aliases, blind audits, anchor, archive, certificates."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import structlog

from ingest.certificate_ends import tell_of_ends
from ingest.day_letter import write_due
from ingest.day_sources import watched_sources
from ingest.logs import fault_place
from ingest.metrics import Metrics
from ingest.modes_in_force import served
from ingest.roster_imports import RosterImports
from ingest.rosters import Rosters
from ingest.settings import Settings
from ingest.watcher import FolderWatcher
from review import registrations
from store import (
    addresses,
    alias_doubts,
    audit,
    audit_checking,
    balance,
    blind_audit,
    kept_entries,
    notices,
    reports,
    work_requests,
)
from store.database import Database
from store.day_sources import WatchedSource

_log = structlog.get_logger()
_ANCHOR_EVERY = timedelta(hours=1)
_CHECK_EVERY = timedelta(minutes=5)
_CHECK_STEP = 5000  # events a round: a sixth of a second, and a million events in a quarter of an hour
_SWEEP_EVERY = timedelta(hours=24)
_DRAW_EVERY = timedelta(minutes=5)
_LETTERS_EVERY = timedelta(minutes=1)
_MONTH = timedelta(days=365) / 12
_UNSERVED = "destination-unserved"
_UNSERVED_SENTENCE = (
    "Messages wait for this destination, which is off or not in the settings any more; corrections and withdrawals of "
    "what it has may be among them. Bring it back under this id, or put them right there and cancel them."
)
# An archive file without a row is either being committed right now or left over from a crash.
_ORPHAN_AGE = timedelta(hours=24)


class Housekeeping:
    """Looks after the service every few seconds."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        rosters: RosterImports,
        matching: Rosters,
        watchers: Sequence[FolderWatcher],
        metrics: Metrics,
        certificates: Mapping[str, Path] | None = None,
    ) -> None:
        self._certificates = certificates or {}
        self._database = database
        self._settings = settings
        self._sources = watched_sources(settings)
        self._rosters = rosters
        self._matching = matching
        self._watchers = watchers
        self._metrics = metrics
        self._drawn: datetime | None = None
        self._lettered: datetime | None = None
        self._anchored: datetime | None = None
        self._swept: datetime | None = None
        self._checked: datetime | None = None

    def run(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        """Step every few seconds until told to stop; whatever goes wrong is logged and tried again."""
        while not stop.is_set():
            try:
                self.step(clock())
            except Exception as error:  # noqa: BLE001 - the one loop of this worker: it never dies
                _log.error("housekeeping.failed", error=type(error).__name__, place=fault_place(error))
            stop.wait(5.0)

    def step(self, now: datetime) -> None:
        """One round."""
        self._rosters.import_changed(now=now)
        back = registrations.bring_back_registered(self._database, self._matching, now=now)
        if back:
            _log.info("case.brought-back", count=back)
        for source in self._sources:
            self._expect(source, now)
        if self._lettered is None or now - self._lettered >= _LETTERS_EVERY:
            for site in write_due(self._database, self._settings, now=now):
                _log.info("letter.written", site=site)
            self._lettered = now
        if self._drawn is None or now - self._drawn >= _DRAW_EVERY:
            self._check_matches(now)
            self._tell_of_unserved(now)
            self._check_balance(now)
            self._drop_kept(now)
            self._drawn = now
        if self._anchored is None or now - self._anchored >= _ANCHOR_EVERY:
            with self._database.session() as session:
                audit.anchor(session, self._database.anchor_file, now=now)
            self._anchored = now
        if self._checked is None or now - self._checked >= _CHECK_EVERY:
            self._check_chain(now)
        if self._swept is None or now - self._swept >= _SWEEP_EVERY:
            with self._database.reading() as session:
                known = reports.document_ids(session) | work_requests.document_ids(session)
            swept = self._database.archive.sweep(known, older_than=now - _ORPHAN_AGE)
            if swept:
                _log.info("archive.swept", count=len(swept))
            tell_of_ends(self._database, self._certificates, now=now)
            self._swept = now

    def _check_chain(self, now: datetime) -> None:
        """Follow the audit chain a little further; a pass under way goes on in the next round."""
        state = audit_checking.advance(self._database, limit=_CHECK_STEP, now=now)
        self._checked = None if state.under_way is not None and state.reason is None else now
        if state.reason is not None:
            _log.error("audit.chain-broken", reason=state.reason, event=state.first_bad)

    def _check_matches(self, now: datetime) -> None:
        """Let aliases that nobody uses go, draw what is to be checked blindly, and show what that has found."""
        matching = self._settings.matching
        with self._database.session() as session:
            alias_doubts.suspend_unused(session, before=now - matching.alias_unused_months * _MONTH, now=now)
            drawn = blind_audit.draw_due(
                session, share=matching.blind_audit_share, per_week=matching.blind_audit_per_week, now=now
            )
            found = blind_audit.figures(session)
        if drawn:
            _log.info("blind-audit.drawn", count=drawn)
        self._metrics.show_blind_audit(found)

    def _drop_kept(self, now: datetime) -> None:
        """Forms that were kept for a sender who did not come back are patient data that nobody needs."""
        with self._database.session() as session:
            dropped = kept_entries.drop_outdated(session, now=now)
        if dropped:
            _log.info("kept-entries.dropped", count=dropped)

    def _tell_of_unserved(self, now: datetime) -> None:
        """What waits for a destination that is off or gone from the settings would wait for ever, withdrawals too."""
        with self._database.session() as session:
            waiting = addresses.unserved(session, set(served(session, self._settings)))
            for notice in notices.list_open(session):
                if notice.kind == _UNSERVED and notice.subject not in waiting:
                    notices.resolve(session, _UNSERVED, notice.subject, now=now)
            for destination in waiting:
                notices.leave(session, _UNSERVED, destination, _UNSERVED_SENTENCE, now=now)

    def _check_balance(self, now: datetime) -> None:
        """Look at every report now and then, so that a page need only tell what was found."""
        with self._database.reading() as session:
            wrong, reports_ = balance.look_at_all(session)
        with self._database.session() as session:
            balance.keep_check(session, wrong=wrong, reports=reports_, now=now)
        if wrong:
            _log.error("balance.wrong", count=len(wrong))

    def _expect(self, source: WatchedSource, now: datetime) -> None:
        """A report that did not come is as visible as an error."""
        if source.expected_by is None:
            return
        today = now.astimezone(source.zone).date()
        with self._database.reading() as session:
            last = reports.last_seen(session, source.name)
        last_day = last.astimezone(source.zone).date() if last else None
        if last_day is not None:
            self._has_come(source, last_day, now)
        if source.is_late(today, now=now) and (last_day is None or last_day < today):
            subject = f"{source.name}:{today.isoformat()}"
            with self._database.session() as session:
                sentence = (
                    f"No report has come from site {source.site} on {today:%d-%b}; it was expected by "
                    f"{source.expected_by:%H:%M}. Check the EHR's print job and the share."
                )
                notices.leave(session, "no-report", subject, sentence, now=now)

    def _has_come(self, source: WatchedSource, last_day: date, now: datetime) -> None:
        """A source that has printed since is no news any more; the days it missed stay on their own pages."""
        with self._database.reading() as session:
            told = [one.subject for one in notices.list_open(session) if one.kind == "no-report"]
        days = {subject: subject.rpartition(":") for subject in told}
        ours = [one for one, (name, _, day) in days.items() if name == source.name and day <= last_day.isoformat()]
        if ours:
            with self._database.session() as session:
                for subject in ours:
                    notices.resolve(session, "no-report", subject, now=now)
