"""A report's way through the stages. It leaves rows for the portal and for the reviewers; it calls neither."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from ingest.confirmation import Known, decide_record
from ingest.drift_watch import leave_unknown, watch
from ingest.dry_read import kind_of
from ingest.logs import fault_place
from ingest.metrics import Metrics
from ingest.modes_in_force import served
from ingest.published_templates import PublishedTemplates
from ingest.rosters import Rosters, SiteRoster
from ingest.settings import Settings
from ingest.workers import FileToRead, ReaderPool, ReadingStoppedError
from matching.decision import decide
from matching.normalisation import fingerprint
from records.assessment import ReportReading, SymptomAssessment
from records.decision import MatchDecision, MatchGrade
from records.errors import DocumentError, StoreError
from records.finding import Finding
from store import alerts, known, reports
from store.database import Database
from store.handover import ReadOutcome, RecordToStore, hand_over
from store.known import KnownAssessment
from store.reports import StoredReport

_log = structlog.get_logger()

# A report whose service died is taken up at the next start, or by another host after this time.
_LEASE = timedelta(minutes=10)
# After this many faults of the store, a report waits for the end of its lease instead of being first in line again.
_RETRIES_AT_ONCE = 2
_UNKNOWN_LAYOUT = frozenset({"no-template", "ambiguous-template"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A record on its way to its decision."""

    assessment: SymptomAssessment
    match: MatchDecision
    fingerprint: str
    also: tuple[str, ...]
    by_alias: bool


class Pipeline:
    """Reads, matches and hands over what the watchers have taken. Several threads may step it."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        pool: ReaderPool,
        templates: PublishedTemplates,
        rosters: Rosters,
        metrics: Metrics,
        confirmed: Callable[[], None],
        alerted: Callable[[], None],
    ) -> None:
        self._database = database
        self._settings = settings
        self._pool = pool
        self._templates = templates
        self._rosters = rosters
        self._metrics = metrics
        self._confirmed = confirmed
        self._alerted = alerted
        self._wake = threading.Condition()
        self._lock = threading.Lock()
        self._postponed: Counter[int] = Counter()

    def wake(self) -> None:
        """There is something to read."""
        with self._wake:
            self._wake.notify()

    def run(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        """Step until told to stop; whatever goes wrong is logged and tried again."""
        while not stop.is_set():
            try:
                if self.step(clock()):
                    continue
            except Exception as error:  # noqa: BLE001 - the one loop of this worker: it never dies
                _log.error("pipeline.failed", error=type(error).__name__, place=fault_place(error))
                stop.wait(1.0)
            with self._wake:
                if not stop.is_set():
                    self._wake.wait(1.0)

    def step(self, now: datetime) -> bool:
        """Take one report through all stages; False if none waits."""
        with self._database.session() as session:
            claimed = reports.claim_unread(session, now=now, lease=_LEASE, limit=1)
        if not claimed:
            return False
        report = claimed[0]
        try:
            self._process(report, now)
        except ReadingStoppedError:
            with self._database.session() as session:
                reports.release(session, report.report_id)
        except StoreError as error:
            self._postpone(report, error)
        return True

    def _postpone(self, report: StoredReport, error: StoreError) -> None:
        """Give a report back that the store failed on; one it keeps failing on makes way for its neighbours."""
        _log.error("report.postponed", report_id=report.report_id, code=error.code, error=type(error).__name__)
        with self._lock:
            self._postponed[report.report_id] += 1
            times = self._postponed[report.report_id]
        if times <= _RETRIES_AT_ONCE:
            with self._database.session() as session:
                reports.release(session, report.report_id)
        raise error

    def _process(self, report: StoredReport, now: datetime) -> None:
        if report.attempts > reports.MAX_ATTEMPTS:
            # It took this service down with it every time.
            self._quarantine(report, "reader-died", now)
            return
        started = time.monotonic()
        today = now.astimezone(self._settings.site_settings(report.site).zone).date()
        templates = self._templates.current()
        try:
            with self._database.reading() as session:
                document = reports.document_of(session, report.report_id)
            if document is None:
                self._quarantine(report, "file-vanished", now)
                return
            content = self._database.archive.get(*document)
            file = FileToRead(
                kind=kind_of(report.file_name), templates=templates.templates, site=report.site, today=today
            )
            reading = self._pool.read(content, file)
        except DocumentError as error:
            if error.code in _UNKNOWN_LAYOUT:
                nothing = ReportReading(template="", pages=0, assessments=(), findings=(Finding(code=error.code),))
                self._hand_over(report, nothing, [], now, unknown=error.message)
            else:
                self._quarantine(report, error.code or "damaged", now)
            return
        self._metrics.reading_seconds.labels(report.site).observe(time.monotonic() - started)
        _log.info("report.read", report_id=report.report_id)
        self._raise_alerts(report, reading, now)
        reasons = templates.reasons(reading.template)
        records = self._matched(report, reading.assessments, reasons, now)
        self._hand_over(report, reading, records, now)

    def _raise_alerts(self, report: StoredReport, reading: ReportReading, now: datetime) -> None:
        """An answer about self-harm waits for nothing: not for matching, review or the portal."""
        critical = [(n, a) for n, a in enumerate(reading.assessments) if a.critical]
        if not critical:
            return
        raised = 0
        with self._database.session(urgent=True) as session:
            for position, read in critical:
                points = _critical_points(read, self._templates.critical_items(read.instrument))
                alert = alerts.raise_alert(
                    session,
                    alert_key=known.alert_key(
                        self._database.keys,
                        report.site,
                        read,
                        fingerprint=fingerprint(read.patient),
                        report_id=report.report_id,
                        position=position,
                    ),
                    site=report.site,
                    report_id=report.report_id,
                    position=position,
                    instrument=read.instrument or "unknown",
                    link_id=points[0],
                    points=points[1],
                    unverified=read.critical_unverified,
                    now=now,
                )
                raised += alert is not None
        if raised:
            self._metrics.alerts.labels(report.site).inc(raised)
            _log.warning("alert.raised", report_id=report.report_id, count=raised)
            self._alerted()

    def _matched(
        self,
        report: StoredReport,
        assessments: Sequence[SymptomAssessment],
        reasons: tuple[str, ...],
        now: datetime,
    ) -> list[_Record]:
        roster = self._rosters.of(report.site, now=now, source=report.source)
        records = []
        for read in assessments:
            match = roster.no_match if roster.index is None else decide(read.patient, roster.index, roster.policy)
            printed = fingerprint(read.patient)
            records.append(
                _Record(
                    assessment=read,
                    match=match,
                    fingerprint=printed,
                    also=(*reasons, *roster.reasons),
                    by_alias=printed in roster.policy.aliases and _rests_on_alias(read, match, roster),
                )
            )
        return records

    def _hand_over(
        self, report: StoredReport, reading: ReportReading, records: Sequence[_Record], now: datetime, unknown: str = ""
    ) -> None:
        """Keep everything a report gave; `unknown` says why no template could be chosen, in words without patients."""
        zone = self._settings.site_settings(report.site).zone
        decided = self._decided(report, reading, records)
        with self._database.session() as session:
            if unknown:
                leave_unknown(session, report, unknown, now=now)
            to_store = watch(session, report, reading, decided, now=now)
            outcome = ReadOutcome(
                template=reading.template or None,
                pages=reading.pages,
                no_score=reading.no_score,
                findings=reading.findings,
                records=to_store,
                destinations=served(session, self._settings),
                day=report.seen_at.astimezone(zone).date(),
            )
            done = hand_over(session, report.report_id, outcome, now=now)
        for record in to_store:
            self._metrics.records.labels(report.site, record.decided.decision.value).inc()
        _log.info(
            "report.handed-over",
            report_id=report.report_id,
            records=len(done.records),
            submissions=done.submissions,
            cases=done.cases,
        )
        if done.submissions:
            self._confirmed()

    def _decided(self, report: StoredReport, reading: ReportReading, records: Sequence[_Record]) -> list[RecordToStore]:
        keys = [self._keys_of(report.site, record) for record in records]
        with self._database.reading() as session:
            earlier = known.find_known(session, report.site, [key for own in keys for key in own])
        own_values: dict[str, set[tuple[object, ...]]] = {}
        decided: list[RecordToStore] = []
        for record, own in zip(records, keys, strict=True):
            state, repeats = self._known(record.assessment, own, earlier, own_values)
            for key in own:
                own_values.setdefault(key, set()).add(record.assessment.values)
            decision = decide_record(
                record.assessment,
                record.match,
                file_findings=reading.findings,
                known=state,
                also=record.also,
            )
            decided.append(
                RecordToStore(
                    decided=decision, fingerprint=record.fingerprint, repeats=repeats, by_alias=record.by_alias
                )
            )
        return decided

    def _keys_of(self, site: str, record: _Record) -> list[str]:
        read = record.assessment
        if not read.can_be_known_again:
            return []
        keys = [known.printed_key(self._database.keys, site, read, fingerprint=record.fingerprint)]
        match = record.match
        if match.grade is MatchGrade.CERTAIN and match.patient_id and read.instrument and read.authored_on:
            keys.append(
                known.assessment_key(
                    self._database.keys,
                    site=site,
                    patient_id=match.patient_id,
                    instrument=read.instrument,
                    authored_on=read.authored_on,
                    time=read.authored_time,
                )
            )
        return keys

    def _known(
        self,
        read: SymptomAssessment,
        keys: Sequence[str],
        earlier: Mapping[str, KnownAssessment],
        own_values: Mapping[str, set[tuple[object, ...]]],
    ) -> tuple[Known, int | None]:
        digest = known.values_digest(self._database.keys, read)
        found = [earlier[key] for key in keys if key in earlier]
        same = next((k for k in found if k.holds(digest)), None)
        if same is not None:
            return Known.SAME_VALUES, same.record_id
        in_this_report = set[tuple[object, ...]]().union(*(own_values.get(key, set()) for key in keys))
        if read.values in in_this_report:
            return Known.SAME_VALUES, None
        if found or in_this_report:
            return Known.OTHER_VALUES, found[0].record_id if found else None
        return Known.NEW, None

    def _quarantine(self, report: StoredReport, reason: str, now: datetime) -> None:
        with self._database.session() as session:
            reports.quarantine(session, report.report_id, reason=reason, now=now)
        self._metrics.files.labels(report.site, "quarantined").inc()
        _log.warning("report.quarantined", report_id=report.report_id, reason=reason)


def _rests_on_alias(read: SymptomAssessment, match: MatchDecision, roster: SiteRoster) -> bool:
    """Whether the match would not be certain without a person's earlier decision."""
    if roster.index is None or match.grade is not MatchGrade.CERTAIN:
        return False
    alone = decide(read.patient, roster.index, replace(roster.policy, aliases={}))
    return alone.grade is not MatchGrade.CERTAIN or alone.patient_id != match.patient_id


def _critical_points(read: SymptomAssessment, link_ids: Sequence[str]) -> tuple[str | None, int | None]:
    """The critical item and its points: the highest answer, before it an unreadable one; (None, None) for a level."""
    items = [item for item in read.items or () if item.link_id in link_ids]
    unreadable = next((item for item in items if item.points is None), None)
    answered = [item for item in items if item.points]
    if answered:
        gravest = max(answered, key=lambda item: item.points or 0)
        return gravest.link_id, gravest.points
    return (unreadable.link_id, None) if unreadable else (next(iter(link_ids), None) if items else None, None)
