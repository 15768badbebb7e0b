"""One watched folder with a real store, a watcher and a clock that tests turn by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ingest.metrics import Metrics
from ingest.settings import SiteSettings, SourceSettings
from ingest.watcher import FolderWatcher
from store import database as databases
from store import notices, reports
from store.database import Database
from store.reports import ReportState, StoredReport
from store.settings import StoreSettings

START = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)
MEGABYTE = 1024 * 1024


def pdf(text: str, *, size: int = 0) -> bytes:
    """The least that is a whole PDF to the intake; nobody reads it here."""
    return b"%PDF-1.4\n" + text.encode() + b"\n" + b"." * size + b"\n%%EOF\n"


@dataclass
class Clock:
    """The time, as seconds since `START`; it moves only when told."""

    seconds: float = 0.0

    @property
    def now(self) -> datetime:
        """This instant in UTC."""
        return START + timedelta(seconds=self.seconds)


@dataclass
class WatchedFolder:
    """A source, its folder and its watcher."""

    database: Database
    source: SourceSettings
    clock: Clock
    start_from: date | None = None
    max_bytes: int = MEGABYTE
    time_zone: str = "America/Chicago"
    metrics: Metrics = field(default_factory=Metrics)
    hints: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def folder(self) -> Path:
        """Where the EHR prints."""
        return self.source.folder

    def restart(self) -> None:
        """A new watcher, as after the service was stopped or killed: only the store remembers."""
        self.watcher = FolderWatcher(
            self.database,
            self.source,
            SiteSettings(id=self.source.site, time_zone=self.time_zone),
            max_bytes=self.max_bytes,
            start_from=self.start_from,
            metrics=self.metrics,
            taken=lambda: self.hints.append(self.clock.now),
            monotonic=lambda: self.clock.seconds,
        )

    def scan(self, *, after: float = 0.0) -> None:
        """Let seconds pass, then scan."""
        self.clock.seconds += after
        self.watcher.scan(self.clock.now)

    def settle(self) -> None:
        """Scan until every file that is whole must have been taken."""
        for _ in range(3):
            self.scan(after=self.source.quiet_seconds + 0.1)

    def drop(self, name: str, content: bytes) -> Path:
        """Put a file into the folder."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def reports(self, *states: ReportState) -> list[StoredReport]:
        """What was taken from this source, oldest first; in these states, or all."""
        with self.database.reading() as session:
            found = reports.recent(session, states=states or None, limit=100_000)
        return [report for report in reversed(found) if report.source == self.source.name]

    def names(self, *states: ReportState) -> list[str]:
        """Names of what was taken, sorted."""
        return sorted(report.file_name for report in self.reports(*states))

    def kept(self, report: StoredReport) -> bytes:
        """The bytes in the archive."""
        with self.database.reading() as session:
            document = reports.document_of(session, report.report_id)
        assert document is not None
        return self.database.archive.get(*document)

    def notices(self) -> set[str]:
        """Kinds of the notices that are open."""
        with self.database.reading() as session:
            return {notice.kind for notice in notices.list_open(session)}

    def hand_over(self, report: StoredReport) -> None:
        """Bring a report to its end without reading it."""
        from store.handover import ReadOutcome, hand_over

        outcome = ReadOutcome(
            template=None, pages=1, no_score=0, findings=(), records=(), destinations=(), day=self.clock.now.date()
        )
        with self.database.session() as session:
            hand_over(session, report.report_id, outcome, now=self.clock.now)


def watched(
    tmp_path: Path, *, database: Database | None = None, site: str = "NRC", folder: str = "print", **settings: object
) -> WatchedFolder:
    """A folder being watched by polling; `settings` are those of the source, by name."""
    place = tmp_path / folder
    place.mkdir(exist_ok=True)
    extra = {name: settings.pop(name) for name in ("start_from_of_init", "max_bytes") if name in settings}
    written = {"site": site, "folder": place, "quiet_seconds": 2.0, "watch": "poll", **settings}
    store = database or databases.create(StoreSettings(home=tmp_path / "home"), now=START)
    start_from = extra.get("start_from_of_init")
    max_bytes = extra.get("max_bytes", MEGABYTE)
    assert start_from is None or isinstance(start_from, date)
    assert isinstance(max_bytes, int)
    return WatchedFolder(
        database=store,
        source=SourceSettings.model_validate(written),
        clock=Clock(),
        start_from=start_from,
        max_bytes=max_bytes,
    )
