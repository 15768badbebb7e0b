"""`patient trail`: everything the portals were ever told about one patient."""

from __future__ import annotations

from typing import Annotated

import typer

from ingest import clock
from ingest.clinic import opened
from ingest.commands.options import AsJson, Config
from ingest.report_json import Json
from ingest.terminal import note, print_json, print_table
from records.submission import delivery_sentence
from review import patient_trails
from store.amendments import Amendment
from store.patient_trail import ToldEntry


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="One patient.", no_args_is_help=True)
    group.callback()(_only_group)
    group.command("trail")(trail)
    app.add_typer(group, name="patient")


def _only_group() -> None:
    """Without it a group of one command would swallow the command's name."""


def trail(
    site: Annotated[str, typer.Option(help="The patient's site.")],
    patient: Annotated[
        str | None, typer.Option(help="The portal's id of the patient; without it, asked for at a prompt.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what the portals were told about a patient, oldest first. Looking is an event of the audit trail."""
    asked: str = patient if patient is not None else typer.prompt("Portal id of the patient", err=True)
    with opened(config) as clinic:
        clinic.settings.site_settings(site)
        found = patient_trails.look(
            clinic.database, site=site, patient_id=asked.strip(), actor=clinic.actor, now=clock.now()
        )
    entries = found.entries()
    if as_json:
        for entry in entries:
            print_json(_json(entry))
    elif entries:
        columns = ("when", "by", "record", "what", "values", "where", "state, or why", "receipt", "file")
        print_table("", columns, [_row(entry) for entry in entries])
    else:
        note("Nothing was ever confirmed for this patient.")


def _row(entry: ToldEntry | Amendment) -> tuple[object, ...]:
    when = entry.at.strftime("%Y-%m-%d %H:%M")
    if isinstance(entry, Amendment):
        moved = f" to {entry.to_patient_id}" if entry.to_patient_id else ""
        return when, entry.actor, entry.record_id, f"{entry.kind.value}{moved}", "", "", entry.reason, "", ""
    read = entry.assessment
    value = read.result if read.total is None else read.total
    why = f": {delivery_sentence(entry.reason)}" if entry.reason else ""
    receipt = f"{entry.receipt.remote_id} {entry.receipt.received_at:%Y-%m-%d %H:%M}" if entry.receipt else ""
    return (
        when,
        entry.confirmed_by,
        entry.record_id,
        entry.status.value,
        f"{read.instrument} {read.authored_on} {value}",
        entry.destination,
        f"{entry.state.value}{why}",
        receipt,
        entry.document_sha256[:12],
    )


def _json(entry: ToldEntry | Amendment) -> Json:
    shared: dict[str, Json] = {"at": entry.at.isoformat(), "record": entry.record_id}
    if isinstance(entry, Amendment):
        return {
            **shared,
            "what": entry.kind.value,
            "by": entry.actor,
            "reason": entry.reason,
            "patient": entry.patient_id,
            "to_patient": entry.to_patient_id,
        }
    read, receipt = entry.assessment, entry.receipt
    return {
        **shared,
        "what": entry.status.value,
        "by": entry.confirmed_by,
        "submission": entry.submission_id,
        "destination": entry.destination,
        "sha256": entry.document_sha256,
        "instrument": read.instrument,
        "authored_on": read.authored_on.isoformat() if read.authored_on else None,
        "total": read.total,
        "result": read.result,
        "revision": entry.revision,
        "state": entry.state.value,
        "reason": entry.reason,
        "attempts": entry.attempts,
        "remote_id": receipt.remote_id if receipt else None,
        "received_at": receipt.received_at.isoformat() if receipt else None,
        "other_patients": list(entry.other_patients),
    }
