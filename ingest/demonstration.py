"""`scorebridge demo`: a morning of two synthetic clinics, from the print folder to the portal."""

from __future__ import annotations

import logging
import secrets
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ingest import clock
from ingest.logs import configure_logs
from ingest.published_templates import publish
from ingest.report_json import Json
from ingest.service import Service
from ingest.settings import ReadingSettings, Settings, SiteSettings, SourceSettings
from ingest.terminal import note, out, print_json, print_table, progress
from portal.sandbox import RunningSandbox, SandboxOptions, running_sandbox
from portal.settings import DestinationSettings
from records.decision import Decision
from records.errors import StoreError
from records.finding import sentence
from records.submission import DestinationMode
from review.settings import WebSettings
from store import alerts, balance, cases, kept_records, outbox, reports
from store import database as databases
from store import users as store_users
from store.database import Database
from store.reports import ReportState
from store.templates import TemplateState
from store.users import Role

_ZONES: Mapping[str, str] = {"NRC": "America/Chicago", "LMH": "America/Denver"}
_LONGEST_SECONDS = 100.0
_SILENT = logging.CRITICAL  # the demo shows tables; its events would stand between them
_SETTLED = (ReportState.HANDED_OVER, ReportState.QUARANTINED, ReportState.DUPLICATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """The reports of the demo by site, in the order they are printed."""

    files: tuple[tuple[str, Path], ...]


def demonstrate(*, serve: bool, as_json: bool) -> None:
    """Run the main job on the reports that ship with the program, and show what became of every record.

    Args:
        serve: Stay up afterwards, until interrupted.
        as_json: One JSON object instead of tables.
    """
    configure_logs(level=_SILENT)
    with (
        tempfile.TemporaryDirectory(prefix="scorebridge-demo-") as folder,
        resources.as_file(resources.files("ingest.demo")) as data,
    ):
        known = frozenset(_patient_ids(data))
        token = Path(folder, "token")
        token.write_text(secrets.token_urlsafe(16), "utf-8")
        token.chmod(0o600)
        with running_sandbox(SandboxOptions(patients=known, token=token.read_text("utf-8"))) as portal:
            _demonstrate(Path(folder), data, portal, serve=serve, as_json=as_json)


def _demonstrate(folder: Path, data: Path, portal: RunningSandbox, *, serve: bool, as_json: bool) -> None:
    settings = _settings(folder, data, portal)
    database = databases.create(settings.store, now=clock.now())
    for template in sorted((data / "templates").rglob("*.yaml")):
        publish(
            database,
            settings.templates_folder,
            template,
            state=TemplateState.LIVE,
            actor="demo",
            now=clock.now(),
        )
    password = secrets.token_urlsafe(12)
    with database.session() as session:
        store_users.add(session, "demo", password, Role.ADMINISTRATOR, actor="demo", now=clock.now())
    service = Service(settings, database, folder=folder, started_on=None)
    note("Watching two print folders; a sandbox portal answers at " + portal.url)
    service.start()
    try:
        day = _day(data)
        _drop(day, settings)
        _wait(database, len(day.files))
        _report(database, settings, portal, as_json=as_json)
        if serve:
            out.print(f"\nThe review page: http://127.0.0.1:{settings.web.port}  (name demo, password {password})")
            out.print("Stop with Ctrl-C; everything of this demo is then deleted.")
            _stay()
        elif not as_json:
            out.print("\nTo look at all this in a browser: scorebridge demo --serve")
    finally:
        service.finish()


def _settings(folder: Path, data: Path, portal: RunningSandbox) -> Settings:
    sites = sorted(entry.name for entry in data.iterdir() if entry.is_dir() and any(entry.glob("*.*")))
    sites = [site for site in sites if (data / f"roster_{site}.csv").exists()]
    for site in sites:
        (folder / "print" / site).mkdir(parents=True)
    return Settings(
        home=folder / "home",
        database_url=None,
        key_file=None,
        site=tuple(
            SiteSettings(
                id=site,
                time_zone=_ZONES.get(site, "UTC"),
                roster=data / f"roster_{site}.csv",
                roster_max_age_hours=24 * 365 * 50,  # the demo's roster is as old as the release
            )
            for site in sites
        ),
        source=tuple(
            SourceSettings(site=site, folder=folder / "print" / site, quiet_seconds=0.5, incomplete_after_minutes=0.05)
            for site in sites
        ),
        destination=(
            DestinationSettings(
                id="sandbox",
                file="generic-json.yaml",
                base_url=portal.url,
                mode=DestinationMode.LIVE,
                rate_per_second=500,
                token=f"file:{folder / 'token'}",
            ),
        ),
        reading=ReadingSettings(workers=2, timeout_seconds=60),
        web=WebSettings(port=_free_port()),
        alerts="none",
    )


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _patient_ids(data: Path) -> list[str]:
    from parsers.readers import table_file

    return [row.cells[0] for path in data.glob("roster_*.csv") for row in table_file.read(path.read_bytes()).rows[1:]]


def _day(data: Path) -> _Day:
    files = [
        (site.name, path)
        for site in sorted(data.iterdir())
        if site.is_dir() and (data / f"roster_{site.name}.csv").exists()
        for path in sorted(site.iterdir())
        if path.suffix.casefold() in (".pdf", ".csv")
    ]
    return _Day(files=tuple(files))


def _drop(day: _Day, settings: Settings) -> None:
    folders = {source.site: source.folder for source in settings.source}
    with progress("Printing reports", len(day.files)) as bar:
        for site, path in day.files:
            target = folders[site] / path.name
            # As a printer does it: the name appears first, the bytes follow.
            with target.open("wb") as printed:
                printed.write(path.read_bytes())
            bar.advance(bar.task_ids[0])
            time.sleep(0.05)


def _wait(database: Database, files: int) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    with progress("Reading, matching, delivering", files) as bar:
        while time.monotonic() < deadline:
            with database.reading() as session:
                settled = [r for r in reports.recent(session, limit=1000) if r.state in _SETTLED]
                counts = outbox.counts(session)
            bar.update(bar.task_ids[0], completed=len(settled))
            moving = sum(counts.get(state, 0) for state in ("pending", "sending", "unknown"))
            if len(settled) >= files and not moving:
                return
            time.sleep(0.2)
    raise StoreError("The demo did not finish in time.", next_step="Run it again on a less busy machine.")


def _report(database: Database, settings: Settings, portal: RunningSandbox, *, as_json: bool) -> None:
    day_of = {site.id: clock.now().astimezone(site.zone).date() for site in settings.site}
    with database.reading() as session:
        files = list(reversed(reports.recent(session, limit=1000)))
        balances = {site: balance.of_day(session, site=site, day=day) for site, day in day_of.items()}
        waiting = cases.list_open(session, limit=1000)
        open_alerts = alerts.list_alerts(session, open_only=True)
        decided = [
            record
            for report in files
            if report.state is ReportState.HANDED_OVER
            for record in kept_records.of_report(session, report.report_id)
        ]
    in_portal = len(portal.values.all())
    why = Counter(code for case in waiting for code in case.reasons)
    if as_json:
        lines: dict[str, Json] = {
            site: {
                "printed": b.printed, "sent": b.sent, "waiting": b.waiting, "rejected": b.rejected,
                "duplicate": b.duplicate, "no_score": b.no_score,
            }
            for site, b in balances.items()
        }  # fmt: skip
        print_json(
            {
                "balance": lines,
                "in_portal": in_portal,
                "alerts": len(open_alerts),
                "files": [{"file": f.file_name, "state": f.state.value, "reasons": list(f.reasons)} for f in files],
                "waiting": dict(why),
            }
        )
        return
    rows = [
        (f.site, f.file_name, f.state.value, f.template or "", " ".join(sentence(c) for c in f.reasons)) for f in files
    ]
    print_table("Printed this morning", ("site", "file", "became", "template", "why"), rows)
    sums = [
        (site, b.printed, "=", b.sent, "+", b.waiting, "+", b.rejected, "+", b.duplicate, b.no_score)
        for site, b in balances.items()
    ]
    columns = ("site", "printed", "", "sent", "", "waiting", "", "rejected", "", "duplicate", "without a score")
    print_table("The balance", columns, sums)
    sent = Counter(
        (r.site, r.assessment.instrument or "") for r in decided if r.state.value == Decision.CONFIRMED.value
    )
    print_table(
        f"Sent to the portal, which holds {in_portal} values",
        ("site", "instrument", "records"),
        [(site, instrument, count) for (site, instrument), count in sorted(sent.items())],
    )
    print_table(
        f"{len(waiting)} records wait for a person",
        ("records", "why"),
        [(count, sentence(code)) for code, count in why.most_common()],
    )
    if open_alerts:
        note(f"{len(open_alerts)} answers about self-harm are told at once, whatever becomes of their records.")


def _stay() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        note("Stopping.")
