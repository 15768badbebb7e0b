"""A clinic whose pipeline is stepped by hand: real store, real reading processes, real templates."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.metrics import Metrics
from ingest.pipeline import Pipeline
from ingest.published_templates import PublishedTemplates, publish
from ingest.roster_imports import RosterImports, import_listing
from ingest.roster_sources import read_listing
from ingest.rosters import Rosters
from ingest.settings import ReadingSettings, Settings, SiteSettings
from ingest.workers import ReaderPool
from portal.settings import DestinationSettings
from records.alert import CriticalAlert
from records.case import ReviewCase
from records.printed_file import PrintedFile
from store import alerts, cases, outbox, reports
from store import database as databases
from store.database import Database
from store.outbox import OutboxEntry
from store.reports import StoredReport
from store.roster_diff import RosterLimits
from store.templates import TemplateState

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "ingest" / "demo"
FORMS = ROOT / "fixtures" / "forms"
NOON = datetime(2026, 9, 14, 18, 0, tzinfo=UTC)

HEADER = "CaseNo;Surname;Forename;MI;Generation;Born;Gender;MeasureCode;MeasureTotal;Band;MeasureDate"
ROSTER = """patient_id,clinic,mrn,last_name,first_name,date_of_birth,sex,status
P1,LMH,LM-10001,Brandtner,Celia,1961-04-19,F,active
P2,LMH,LM-20002,Okonkwo,Dario,1974-11-02,M,active
P3,LMH,LM-30003,Lindqvist,Maren,1988-07-23,F,active
"""
PEOPLE = {
    "P1": "LM-10001;Brandtner;Celia;;;19.04.1961;F",
    "P2": "LM-20002;Okonkwo;Dario;;;02.11.1974;M",
    "P3": "LM-30003;Lindqvist;Maren;;;23.07.1988;F",
}


def row(patient: str = "P1", *, form: str = "PHQ9", total: int = 5, day: str = "14.09.2026") -> str:
    """A printed score of somebody on the roster, without the severity word."""
    return f"{PEOPLE[patient]};{form};{total};;{day}"


def export(*rows: str, printed: str = "14.09.2026") -> bytes:
    """A measure export of the second clinic; another day of printing gives other bytes with the same scores."""
    return "\n".join(["Lower Meadow Health", f"Measure export;{printed}", "", HEADER, *rows, ""]).encode()


@dataclass
class ReadingClinic:
    """Both demo sites, one destination, nothing running."""

    home: Path
    pool: ReaderPool
    stale_after_hours: float = 24 * 365 * 100
    now: datetime = NOON
    confirmed: list[int] = field(default_factory=list)
    alerted: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir(exist_ok=True)
        (self.home / "roster_LMH.csv").write_text(ROSTER, "utf-8")
        shutil.copy(DEMO / "roster_NRC.csv", self.home / "roster_NRC.csv")
        for roster in self.home.glob("*.csv"):
            os.utime(roster, (self.now.timestamp() - 3600, self.now.timestamp() - 3600))
        self.settings = Settings(
            home=self.home / "home",
            site=tuple(
                SiteSettings(
                    id=site,
                    time_zone="America/Chicago",
                    roster=self.home / f"roster_{site}.csv",
                    roster_max_age_hours=self.stale_after_hours,
                )
                for site in ("LMH", "NRC")
            ),
            destination=(
                DestinationSettings(
                    id="portal", file="generic-json.yaml", base_url="https://portal.example.org", token="env:NONE"
                ),
            ),
            alerts="none",
        )
        self.database: Database = databases.create(self.settings.store, now=self.now)
        self.templates = PublishedTemplates(self.database, self.settings.templates_folder)
        self.rosters = Rosters(self.database, self.settings)
        self.roster_imports = RosterImports(self.database, self.settings)
        self.metrics = Metrics()
        self.pipeline = self.another_pipeline()

    def another_pipeline(self, *, pool: ReaderPool | None = None, rosters: Rosters | None = None) -> Pipeline:
        """A pipeline on the same store, as a second thread or a restarted service has."""
        return Pipeline(
            self.database,
            self.settings,
            pool=pool or self.pool,
            templates=self.templates,
            rosters=rosters or self.rosters,
            metrics=self.metrics,
            confirmed=lambda: self.confirmed.append(1),
            alerted=lambda: self.alerted.append(1),
        )

    def publish(self, form: str, state: TemplateState = TemplateState.LIVE) -> None:
        """Publish the template of a form."""
        publish(
            self.database, self.settings.templates_folder, FORMS / form / "template.yaml",
            state=state, actor="test", now=self.now,
        )  # fmt: skip

    def import_rosters(self) -> None:
        """Import both rosters."""
        for site in self.settings.site:
            import_listing(
                self.database, site, read_listing(site, now=self.now), actor="test", now=self.now,
                limits=RosterLimits(removed_share=1.0, identity_share=1.0),
            )  # fmt: skip

    def take(self, content: bytes, *, name: str = "report.csv", site: str = "LMH") -> StoredReport:
        """A report as the watcher leaves it."""
        printed = PrintedFile(
            path=f"/print/{name}", sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content),
            seen_at=self.now, site=site,
        )  # fmt: skip
        archived = self.database.archive.put(content)
        with self.database.session() as session:
            return reports.take(session, printed, source=f"{site}:/print", file_name=name, archived=archived)

    def step(self, times: int = 1, *, after: timedelta = timedelta()) -> None:
        """Step the pipeline."""
        self.now += after
        for _ in range(times):
            self.pipeline.step(self.now)

    def read(self, content: bytes, *, name: str = "report.csv", site: str = "LMH") -> StoredReport:
        """Take a report and bring it to its end."""
        taken = self.take(content, name=name, site=site)
        self.step()
        return self.report(taken.report_id)

    def read_at_once(self, pipelines: Sequence[Pipeline]) -> None:
        """One step of several pipelines at the same moment."""
        gate = threading.Barrier(len(pipelines))

        def go(pipeline: Pipeline) -> None:
            gate.wait()
            pipeline.step(self.now)

        threads = [threading.Thread(target=go, args=(pipeline,)) for pipeline in pipelines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def report(self, report_id: int) -> StoredReport:
        """A report as it is now."""
        with self.database.reading() as session:
            return reports.get(session, report_id)

    def cases(self) -> list[ReviewCase]:
        """What waits for a person."""
        with self.database.reading() as session:
            return cases.list_open(session, limit=1000)

    def submissions(self) -> list[OutboxEntry]:
        """What goes to the portal."""
        with self.database.reading() as session:
            return outbox.list_submissions(session, limit=1000)

    def alerts(self) -> list[CriticalAlert]:
        """Answers about self-harm."""
        with self.database.reading() as session:
            return alerts.list_alerts(session, open_only=True)


def reader_pool(workers: int = 2) -> ReaderPool:
    """Reading processes."""
    return ReaderPool(ReadingSettings(workers=workers, timeout_seconds=60))
