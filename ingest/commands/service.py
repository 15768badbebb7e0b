"""`demo`, `run`, `doctor`: the service at work, and whether it can."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest.clinic import opened
from ingest.commands.options import AsJson, Config
from ingest.demonstration import demonstrate
from ingest.diagnosis import diagnose
from ingest.logs import configure_logs
from ingest.service import Service, check_ready
from ingest.terminal import print_json, print_table
from store import database as databases


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("demo")(demo)
    app.command("run")(run)
    app.command("doctor")(doctor)


def run(config: Config = None) -> None:
    """Run the service: watcher, readers, delivery, alerts and web pages, until SIGTERM."""
    configure_logs()
    with opened(config) as clinic:
        check_ready(clinic.settings)
        started = databases.created_on(clinic.database)
        service = Service(
            clinic.settings,
            clinic.database,
            folder=clinic.folder,
            started_on=started,
        )
        service.run_until_told()


def demo(
    serve: Annotated[bool, typer.Option("--serve", help="Stay up afterwards and print the address.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the whole job on synthetic reports of two clinics, in a temporary folder, without any set-up."""
    demonstrate(serve=serve, as_json=as_json)


def doctor(as_json: AsJson = False, config: Config = None) -> None:
    """Check folders, roster, key, database, templates and portal. Exit status 1 if anything is wrong."""
    findings = diagnose(config)
    if as_json:
        for check in findings:
            print_json({"check": check.name, "ok": check.ok, "finding": check.finding, "next": check.next_step})
    else:
        rows = [(c.name, "ok" if c.ok else "WRONG", c.finding, c.next_step) for c in findings]
        print_table("", ("check", "", "finding", "next step"), rows)
    raise typer.Exit(0 if all(check.ok for check in findings) else 1)
