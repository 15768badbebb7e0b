"""`template replay`: what a draft would change about days that were read already."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.options import AsJson, Config, OnlySite
from ingest.published_templates import PublishedTemplates
from ingest.replay import RecordChange, ReplayedReport, counts
from ingest.replay import replay as read_again
from ingest.report_json import Json
from ingest.template_folder import TemplateFile, load_template
from ingest.terminal import note, print_json, print_table, progress
from parsers.template import Template
from records.audit import AuditEvent
from store import audit, reports
from store.reports import StoredReport

# Programs that read the JSON need no names; they get their shape.
_NAMES: Final = frozenset({"name", "family", "given", "middle", "suffix", "phone", "clinician"})


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The draft: a template's file.")],
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day; else all there are.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day; else until today.")
    ] = None,
    site: OnlySite = None,
    source: Annotated[str | None, typer.Option("--source", help="One source only, by its name.")] = None,
    details: Annotated[bool, typer.Option("--details", help="Also the places, and both values: patient data.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Read stored reports again with a draft and count what would change. Sends nothing, stores nothing.

    Exit status 1 if anything would change.
    """
    days = (first.date() if first else None, last.date() if last else None)
    with opened(config) as clinic:
        draft = load_template(file)
        in_use = PublishedTemplates(clinic.database, clinic.settings.templates_folder).current().templates
        others = [template for template in in_use if template.id != draft.template.id]
        with clinic.database.reading() as session:
            chosen = reports.read_on(session, first=days[0], last=days[1], site=site, source=source)
        replayed = _replayed(clinic, chosen, draft, others)
        found = counts(replayed)
        _book(clinic, draft, found, days=days, site=site, details=details)
    changes = [change for report in replayed for change in report.changes]
    if as_json:
        for change in changes:
            print_json(_json(change, details=details))
        print_json({"summary": {"template": draft.template.name, **found}})
    else:
        print_table(draft.template.name, tuple(found), [tuple(found.values())])
        if details and changes:
            print_table("What would change", _COLUMNS, [row for change in changes for row in _rows(change)])
        elif changes:
            note("--details shows the places and both values; whoever asks is in the audit trail.")
    raise typer.Exit(1 if changes else 0)


def _replayed(
    clinic: Clinic, chosen: Sequence[StoredReport], draft: TemplateFile, others: Sequence[Template]
) -> list[ReplayedReport]:
    replayed: list[ReplayedReport] = []
    with progress("Reading again", len(chosen)) as bar:
        for report in read_again(clinic, chosen, draft.template, others, now=clock.now()):
            replayed.append(report)
            bar.advance(bar.task_ids[0])
    return replayed


def _book(
    clinic: Clinic,
    draft: TemplateFile,
    found: Mapping[str, int],
    *,
    days: tuple[date | None, date | None],
    site: str | None,
    details: bool,
) -> None:
    """Who looked at which days, and whether patient data was shown, before it is."""
    asked = {"from": days[0], "to": days[1], "site": site, "sha256": draft.sha256, "details": details}
    detail = [(name, str(value)) for name, value in {**asked, **found}.items() if value is not None]
    event = AuditEvent(
        actor=clinic.actor,
        action="template.replayed",
        object_kind="template",
        object_id=draft.template.name,
        detail=tuple(detail),
    )
    with clinic.database.session() as session:
        audit.append(session, event, now=clock.now())


def _json(change: RecordChange, *, details: bool) -> dict[str, Json]:
    fields: list[Json] = [
        {"field": f.field, "old": _shape(f.field, f.old), "new": _shape(f.field, f.new)} if details else f.field
        for f in change.fields
    ]
    return {
        "change": change.kind.value,
        "report_id": change.report_id,
        "record_id": change.record_id,
        "page": change.page,
        "line": change.line,
        "region": list(change.region.box) if change.region else None,
        "fields": fields,
    }


def _shape(field: str, value: str | None) -> str | None:
    if value is None or field not in _NAMES:
        return value
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda m: "X" if m[0].isupper() else "x", value))


_COLUMNS: Final = ("report", "record", "where", "change", "field", "stored", "draft")


def _rows(change: RecordChange) -> list[tuple[object, ...]]:
    if change.region is not None:
        x0, top, x1, bottom = (round(edge) for edge in change.region.box)
        where = f"page {change.region.page}: {x0},{top} to {x1},{bottom}"
    else:
        where = f"line {change.line}" if change.line is not None else ""
    record = change.record_id if change.record_id is not None else ""
    return [(change.report_id, record, where, change.kind.value, f.field, f.old, f.new) for f in change.fields]
