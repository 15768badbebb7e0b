"""`init`, `status`: setting the service up, and what waits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.day import (
    FIGURE_COLUMNS,
    SOURCE_COLUMNS,
    count_day,
    day_json,
    figures_row,
    list_sources,
    source_json,
    source_row,
)
from ingest.commands.learning import figures_json, figures_rows
from ingest.commands.options import AsJson, Config
from ingest.commands.rosters import freshness_json
from ingest.first_settings import write_first_settings
from ingest.report_json import Json
from ingest.roster_freshness import freshness
from ingest.settings import CONFIG_NAME, load_settings
from ingest.terminal import note, print_json, print_table
from records.errors import SettingsError
from store import alert_tellings, alerts, blind_audit, cases, notices, outbox, reports, sightings, templates
from store import database as databases
from store.day_figures import SiteDay
from store.day_sources import SourceState
from store.sightings import SightingState

# Where to look further for each count of `status`.
_LOOK: Final[dict[str, str]] = {
    "open_alerts": "scorebridge alert list",
    "failing_alert_channels": "scorebridge alert test",
    "open_cases": "scorebridge queue list",
    "quarantined_files": "scorebridge report list",
    "reports_needing_attention": "scorebridge report list",
    "undelivered": "scorebridge submission list",
    "paused_destinations": "scorebridge destination list",
    "held_templates": "scorebridge template list",
    "open_notices": "the list below",
    "backlog_files": "scorebridge backlog list",
    "rosters_not_fresh": "scorebridge roster status",
    "missing_reports": "the sources above",
}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("init")(init)
    app.command("status")(status)


def init(
    config: Annotated[Path, typer.Option("--config", help="Settings file; written if it is missing.")] = Path(
        CONFIG_NAME
    ),
) -> None:
    """Make the encrypted database, its key and the folders; write a settings file if there is none."""
    if not config.exists():
        write_first_settings(config)
        note(f"Wrote {config}. Set the folder, the roster and the portal in it, then run “scorebridge init” again.")
        return
    settings = load_settings(config)
    if databases.exists(settings.store):
        raise SettingsError(f"{settings.home} holds a database already.", next_step="Start it with “scorebridge run”.")
    databases.create(settings.store, now=clock.now()).close()
    settings.templates_folder.mkdir(parents=True, exist_ok=True)
    note(f"Made the database in {settings.home} and its key {settings.store.key_path}.")
    note("Keep a copy of the key in another safe place now: without it nobody can read the data again.")
    note(
        "Next: “scorebridge template publish FILE”, “scorebridge user add NAME --role administrator”, "
        "“scorebridge run”."
    )


def status(as_json: AsJson = False, config: Config = None) -> None:
    """One line per site that adds up, and what waits. Exit status 1 if anything waits for a person."""
    now = clock.now()
    with opened(config) as clinic:
        summary = _summary(clinic)
        with clinic.database.reading() as session:
            checked = blind_audit.figures(session)
            open_notices = notices.list_open(session)
        days = [count_day(clinic, site.id) for site in clinic.settings.site]
        lines = [_site_line(told) for told in days]
        sources = list_sources(clinic, days)
        with clinic.database.reading() as session:
            rosters = freshness(session, clinic.settings.site, now=now)
    summary["rosters_not_fresh"] = sum(one.is_worrying for one in rosters)
    summary["missing_reports"] = sum(one.state is SourceState.MISSING for one in sources)
    if as_json:
        print_json({
            "at": now.isoformat(), "sites": lines, "sources": [source_json(one) for one in sources],
            "rosters": [freshness_json(one) for one in rosters], **summary,
            "blind_audit": figures_json(checked),
            "notices": [{"kind": one.kind, "about": one.subject, "sentence": one.sentence} for one in open_notices],
        })  # fmt: skip
    else:
        columns = ("site", "printed", "sent", "waiting", "rejected", "duplicate", "no_score")
        print_table("Today", columns, [[line[name] for name in columns] for line in lines])
        print_table("The day in figures", FIGURE_COLUMNS, [figures_row(told) for told in days])
        print_table("Sources today", SOURCE_COLUMNS, [source_row(one) for one in sources])
        print_table("Rosters", ("site", "state", "about"), [(one.site, one.state, one.sentence) for one in rosters])
        now_rows = [(name, count, _LOOK[name] if count else "") for name, count in summary.items()]
        print_table("Now", ("", "count", "look further with"), now_rows)
        if open_notices:
            told = [(one.kind, one.subject, one.sentence) for one in open_notices]
            print_table("Open notices", ("notice", "about", "what it says"), told)
        print_table("Automatic matches, checked blindly", ("", ""), figures_rows(checked))
    raise typer.Exit(1 if any(summary.values()) else 0)


def _site_line(told: SiteDay) -> dict[str, Json]:
    day = told.balance
    return {
        "site": told.site,
        "day": told.day.isoformat(),
        "printed": day.printed,
        "sent": day.sent,
        "waiting": day.waiting,
        "rejected": day.rejected,
        "duplicate": day.duplicate,
        "no_score": day.no_score,
        "waiting_split": dict(told.split),
        "figures": day_json(told),
    }


def _summary(clinic: Clinic) -> dict[str, int]:
    with clinic.database.reading() as session:
        counts = outbox.counts(session)
        return {
            "open_alerts": len(alerts.list_alerts(session, open_only=True, limit=None)),
            "failing_alert_channels": len({telling.channel for telling in alert_tellings.failing(session)}),
            "open_cases": cases.count_open(session),
            "quarantined_files": len(reports.quarantined(session)),
            "reports_needing_attention": len(reports.needing_attention(session)),
            "undelivered": sum(counts.get(state, 0) for state in ("pending", "sending", "unknown", "held", "dead")),
            "paused_destinations": len(outbox.paused(session)),
            "held_templates": templates.count_held(session),
            "open_notices": len(notices.list_open(session)),
            "backlog_files": sum(
                sightings.counts(session, source.name)[SightingState.BACKLOG] for source in clinic.settings.source
            ),
        }
