"""The whole service: watchers, readers, delivery, alerts, web pages and housekeeping, started and stopped together."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from types import FrameType

import structlog
import uvicorn

from ingest import clock
from ingest.certificate_ends import client_certificates
from ingest.clinic_setup import clinic_setup
from ingest.day_sources import day_surroundings
from ingest.deliveries import Deliveries
from ingest.housekeeping import Housekeeping
from ingest.metrics import Metrics
from ingest.modes_in_force import give_up_fixed, served
from ingest.pipeline import Pipeline
from ingest.published_templates import PublishedTemplates
from ingest.requested_checks import RequestedProbes, RequestedScans
from ingest.requested_reports import UploadedReports
from ingest.requested_rosters import RequestedRosters
from ingest.requested_templates import RequestedTemplates
from ingest.requested_work import RequestedWork, Work
from ingest.roster_imports import RosterImports
from ingest.rosters import Rosters
from ingest.settings import Settings
from ingest.watcher import FolderWatcher
from ingest.workers import DRAWS, ReaderPool
from portal.access import open_access
from portal.alert_settings import AlertSettings
from portal.alerting import AlertWorker
from portal.letters import LetterWorker
from portal.secret_places import read_secret
from records.errors import SettingsError
from review.provider import Provider
from review.server import server_config
from review.web import create_app
from store import addresses, notices, outbox, reports
from store.database import Database
from store.work_requests import WorkKind

_log = structlog.get_logger()
_MEGABYTE = 1024 * 1024
# Scans older than this many poll intervals mean that a watcher hangs.
_DEAF_AFTER = 4
# A portal that is slow to answer must not keep an upload waiting.
_REQUEST_THREADS = 2


class Service:
    """Everything that runs while `scorebridge run` runs."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        folder: Path,
        started_on: date | None,
        with_web: bool = True,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self.stop = threading.Event()
        self._settings = settings
        self._database = database
        self._now = now
        self.metrics = Metrics()
        self._pool = ReaderPool(settings.reading)
        self._pictures = ReaderPool(settings.reading.model_copy(update={"workers": 1}), loads=DRAWS)
        self.templates = PublishedTemplates(database, settings.templates_folder)
        self._rosters = Rosters(database, settings)
        self._roster_imports = RosterImports(database, settings)
        self._folder = folder
        self._delivery = Deliveries(database, settings, folder=folder)
        self._alerts = _alert_worker(database, settings, folder=folder)
        self._letters = (
            LetterWorker(database=database, settings=settings.letter, folder=folder, clock=now)
            if settings.letter
            else None
        )
        self.pipeline = Pipeline(
            database,
            settings,
            pool=self._pool,
            templates=self.templates,
            rosters=self._rosters,
            metrics=self.metrics,
            confirmed=self._delivery.wake.set,
            alerted=self._alerts.wake.set if self._alerts else _nothing,
        )
        self.watchers = [
            FolderWatcher(
                database,
                source,
                settings.site_settings(source.site),
                max_bytes=int(settings.reading.max_file_mb * _MEGABYTE),
                start_from=source.start_from or started_on,
                metrics=self.metrics,
                taken=self.pipeline.wake,
            )
            for source in settings.source
        ]
        self._housekeeping = Housekeeping(
            database,
            settings,
            rosters=self._roster_imports,
            matching=self._rosters,
            watchers=self.watchers,
            metrics=self.metrics,
            certificates=client_certificates(settings, folder=folder),
        )
        self._work = RequestedWork(database, self._works(), ended=self.pipeline.wake)
        self._web = self._web_server() if with_web else None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start every worker; returns at once."""
        self._pool.warm()
        with self._database.session() as session:
            give_up_fixed(session, self._settings, now=self._now())
        self._resume_destinations()
        with self._database.session() as session:
            reports.give_back_all(session)
        self._work.give_back()
        self._roster_imports.import_changed(now=self._now())
        self.templates.current()
        work: list[tuple[str, Callable[[], None]]] = [
            ("delivery", lambda: self._delivery.run(self.stop)),
            ("housekeeping", lambda: self._housekeeping.run(self.stop, self._now)),
        ]
        if any(site.roster_fhir is not None for site in self._settings.site):
            # A server may take minutes for all its pages, and housekeeping must not wait for it.
            work.append(("rosters", lambda: self._roster_imports.follow_servers(self.stop, self._now)))
        if self._letters is not None:
            letters = self._letters
            work.append(("letters", lambda: letters.run(self.stop)))
        if self._alerts is not None:
            alerts = self._alerts
            work.append(("alerts", lambda: alerts.run(self.stop)))
        for number in range(_REQUEST_THREADS):
            work.append((f"requests-{number}", lambda: self._work.run(self.stop, self._now)))
        for number in range(self._settings.reading.workers):
            work.append((f"pipeline-{number}", lambda: self.pipeline.run(self.stop, self._now)))
        for number, watcher in enumerate(self.watchers):
            work.append((f"watcher-{number}", _watching(watcher, self.stop, self._now)))
        if self._web is not None:
            work.append(("web", self._web.run))
        self._threads = [threading.Thread(target=target, name=name, daemon=True) for name, target in work]
        for thread in self._threads:
            thread.start()
        _log.info("service.started", threads=len(self._threads))

    def _resume_destinations(self) -> None:
        """Try paused destinations again: whoever restarts the service has most likely renewed the credential.

        If not, the first answer pauses the destination again.
        """
        now = self._now()
        with self._database.session() as session:
            for destination, reason in outbox.paused(session).items():
                if reason in (addresses.CHANGED, outbox.BY_PERSON):
                    continue  # a restart neither says that it is the same portal nor takes a person's word back
                outbox.resume(session, destination, actor="service", now=now)
                notices.resolve(session, "destination-paused", destination, now=now)

    def finish(self, *, within: float = 10.0) -> None:
        """Stop every worker within so many seconds; what is under way is finished, or given back.

        Half of the time is left to files that are being read; a reader that needs longer is stopped, and its file is
        read again at the next start. A delivery that needs longer is resolved by its lease.
        """
        deadline = time.monotonic() + within
        self.stop.set()
        self.pipeline.wake()
        for watcher in self.watchers:
            watcher.wake()
        self._delivery.wake.set()
        self._work.wake()
        if self._web is not None:
            self._web.should_exit = True
        self._join(deadline - within / 2, only="pipeline")
        self._pool.close()
        self._pictures.close()
        self._join(deadline)
        self._database.close()
        _log.info("service.stopped")

    def _join(self, deadline: float, *, only: str = "") -> None:
        for thread in self._threads:
            if thread.name.startswith(only):
                thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def run_until_told(self) -> None:
        """Run until SIGTERM or SIGINT."""

        # A signal interrupts this very thread, perhaps while it holds the lock of an event: only this queue may be
        # put to from there.
        signals: SimpleQueue[int] = SimpleQueue()

        def told(number: int, _frame: FrameType | None) -> None:
            signals.put(number)

        signal.signal(signal.SIGTERM, told)
        signal.signal(signal.SIGINT, told)
        self.start()
        signals.get()
        self.finish()

    def health(self) -> Mapping[str, object]:
        """Whether everything runs, without patient data; "ok" is False as soon as anything is not well."""
        now = self._now()
        dead = [thread.name for thread in self._threads if not thread.is_alive()]
        sources = [
            {
                "source": number,
                "site": source.site,
                "last_good_scan": watcher.last_good_scan.isoformat() if watcher.last_good_scan else None,
                "deaf": watcher.last_good_scan is None
                or now - watcher.last_good_scan > timedelta(seconds=_DEAF_AFTER * source.poll_seconds + 60),
            }
            for number, (source, watcher) in enumerate(zip(self._settings.source, self.watchers, strict=True))
        ]
        return {
            "ok": not dead and not any(source["deaf"] for source in sources),
            "stopped_threads": dead,
            "sources": sources,
        }

    def _works(self) -> dict[WorkKind, Work]:
        """Who does what people ask for on the pages."""
        database, settings = self._database, self._settings
        uploads = UploadedReports(database, max_bytes=int(settings.reading.max_file_mb * _MEGABYTE))
        rosters = RequestedRosters(database, settings)
        templates = RequestedTemplates(database, settings.templates_folder, self._pool)
        checks = RequestedProbes(database, settings, folder=self._folder, clock=self._now)
        return {
            WorkKind.SCAN_SOURCE: RequestedScans(database, self.watchers).scan,
            WorkKind.TAKE_REPORT: uploads.take,
            WorkKind.PROBE_DESTINATION: checks.probe,
            WorkKind.PREVIEW_ROSTER: rosters.preview,
            WorkKind.IMPORT_ROSTER: rosters.take,
            WorkKind.CHECK_TEMPLATE: templates.check,
            WorkKind.PUBLISH_TEMPLATE: templates.publish,
            WorkKind.ROLL_BACK_TEMPLATE: templates.roll_back,
            WorkKind.TEST_ALERT: checks.send_test,
        }

    def _served(self) -> tuple[str, ...]:
        """Where confirmed records go at this moment."""
        with self._database.reading() as session:
            return served(session, self._settings)

    def _web_server(self) -> uvicorn.Server:
        app = create_app(
            database=self._database,
            settings=self._settings.web,
            render=lambda content, page, parts: self._pictures.draw(content, page, parts),
            sites={site.id: site.zone for site in self._settings.site},
            destinations_of=lambda _site: self._served(),
            now=self._now,
            metrics=self.metrics.exposition,
            health=self.health,
            matching=self._rosters,
            day=day_surroundings(self._settings),
            provider=_provider(self._settings),
            setup=clinic_setup(self._settings, folder=self._folder, health=self.health, work_asked=self._work.wake),
        )
        return uvicorn.Server(server_config(app, self._settings.web))


def _provider(settings: Settings) -> Provider | None:
    """The identity provider of the settings, with its secret.

    Raises:
        SettingsError: There is no secret at its place.
    """
    oidc = settings.web.oidc
    if oidc is None:
        return None
    return Provider(oidc, read_secret(oidc.client_secret) if oidc.client_secret else None)


def _nothing() -> None:
    return None


def _watching(watcher: FolderWatcher, stop: threading.Event, now: Callable[[], datetime]) -> Callable[[], None]:
    return lambda: watcher.run(stop, now)


def _alert_worker(database: Database, settings: Settings, *, folder: Path) -> AlertWorker | None:
    if isinstance(settings.alerts, AlertSettings):
        return AlertWorker(database=database, settings=settings.alerts, folder=folder)
    return None


def check_ready(settings: Settings) -> None:
    """Refuse to start a service that would lose or hide something.

    Raises:
        SettingsError: Every fault, a line each.
    """
    faults: list[str] = []
    if settings.alerts is None:
        faults.append('alerts: there is no channel for answers about self-harm; set [alerts] or alerts = "none".')
    if not settings.source:
        faults.append("source: no folder is watched; add a [[source]].")
    if not settings.destination:
        faults.append("destination: there is no portal; add a [[destination]], mode “shadow” to try it out.")
    faults += [
        f"site {site.id}: its roster {site.roster} cannot be found."
        for site in settings.site
        if site.roster is not None and not site.roster.is_file()
    ]
    for site in settings.site:
        if site.roster_fhir is not None:
            try:
                open_access(site.roster_fhir, folder=Path())
            except SettingsError as error:
                faults.append(f"site {site.id}: roster_fhir: {error}")
    if faults:
        raise SettingsError("\n".join(faults), next_step="Mend the settings and start again.")
