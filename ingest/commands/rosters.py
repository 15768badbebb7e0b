"""`roster`: the clinic's patients imported, compared, looked back at and rolled back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.options import AsJson, Config
from ingest.commands.roster_words import changes_table, diff_json, patient_rows, show_columns, show_diff, versions_table
from ingest.report_json import Json
from ingest.roster_columns import FIELDS
from ingest.roster_file import RosterFile
from ingest.roster_freshness import RosterFreshness, freshness, span
from ingest.roster_imports import import_listing
from ingest.roster_layouts import in_force
from ingest.roster_list import RosterListing
from ingest.roster_sources import read_file, read_listing
from ingest.settings import Settings, SiteSettings, find_config, load_settings
from ingest.terminal import note, out, print_json, print_table
from records.audit import AuditEvent
from records.errors import RosterError, SettingsError
from store import audit, roster, roster_history
from store import database as databases
from store.roster_diff import RosterDiff, RosterLimits, by_id, difference, refusal

_SHOWN_WARNINGS = 20
_SHOWN_PATIENTS = 500

Site = Annotated[str, typer.Option("--site", help="Whose patients.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposal:
    """A list that may become the roster.

    Attributes:
        read: How the file was understood, or None for a server.
    """

    listing: RosterListing
    read: RosterFile | None
    diff: RosterDiff
    refused: RosterError | None


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="The clinic's patients.", no_args_is_help=True)
    group.command("import")(roster_import)
    group.command("status")(roster_status)
    group.command("history")(roster_changes)
    group.command("rollback")(roster_rollback)
    app.add_typer(group, name="roster")


def roster_import(
    site: Site,
    file: Annotated[Path | None, typer.Argument(help="CSV file; without one, what the site's settings name.")] = None,
    preview: Annotated[
        bool, typer.Option("--preview/--apply", "--dry-run", help="Only show what would change, or change it.")
    ] = False,
    show_patients: Annotated[
        bool, typer.Option("--show-patients", help="Also who would change and how; on a terminal only.")
    ] = False,
    column: Annotated[
        list[str] | None, typer.Option("--column", metavar="FIELD=HEADER", help="Which header is a field; repeatable.")
    ] = None,
    date_format: Annotated[str | None, typer.Option(help="Format of all dates, such as %d/%m/%Y.")] = None,
    max_removed_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="Most of the present patients it may lack; default: the setting.")
    ] = None,
    max_identity_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="Most of them who may get another name, birth date or number.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Import a roster: shows how its columns are understood and what changes, then changes it.

    Exit status 1 if it is refused: the roster in use stays.
    """
    with _surroundings(config, needed=not preview) as (settings, clinic):
        site_settings = _stated(_known(settings, clinic, site), column or [], date_format)
        limits = RosterLimits(
            removed_share=site_settings.roster_max_removed_share if max_removed_share is None else max_removed_share,
            identity_share=site_settings.roster_max_identity_share
            if max_identity_share is None
            else max_identity_share,
        )
        proposal = _proposal(site_settings, file, clinic, limits)
        if not as_json:
            _show(proposal)
        if show_patients:
            _show_patients(clinic, site, proposal.diff)
        if preview or clinic is None:
            if as_json:
                print_json(_proposal_json(proposal, version=None))
            _end_preview(site, proposal, has_clinic=clinic is not None)
            return
        change = import_listing(
            clinic.database,
            site_settings,
            proposal.listing,
            actor=clinic.actor,
            now=clock.now(),
            limits=limits,
            by_hand=True,
        )
    if as_json:
        print_json(_proposal_json(proposal, version=change.version))
    note(
        f"{len(proposal.listing.roster.patients)} patients of site {site}: {change.added} added, {change.changed} "
        f"changed, {change.removed} removed; version {change.version}."
    )


def roster_status(as_json: AsJson = False, config: Config = None) -> None:
    """How fresh each site's roster is. Exit status 1 if one is missing, too old or held."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = freshness(session, clinic.settings.site, now=clock.now())
    for one in found:
        if as_json:
            print_json(freshness_json(one))
    if not as_json:
        columns = ("site", "state", "patients", "active", "merged", "version", "age", "limit", "from", "warnings")
        print_table("", columns, [_freshness_row(one) for one in found])
        for one in found:
            for warning in one.status.warnings[:_SHOWN_WARNINGS] if one.status else ():
                note(f"{one.site}: {warning}")
            if one.is_worrying:
                note(f"{one.site}: {one.sentence}.")
    raise typer.Exit(1 if any(one.is_worrying for one in found) else 0)


def roster_changes(
    site: Site,
    patient: Annotated[
        str | None, typer.Option("--patient", metavar="ID", help="What happened to one patient.")
    ] = None,
    version: Annotated[int | None, typer.Option("--version", help="What one version changed.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """The versions of a site's roster; or what changed for a patient or in a version, which the audit trail notes."""
    with opened(config) as clinic:
        if patient is None and version is None:
            with clinic.database.reading() as session:
                versions = roster_history.versions(session, site)
            versions_table(versions, as_json=as_json)
            return
        detail = (("patient", patient),) if patient is not None else (("version", str(version)),)
        with clinic.database.session() as session:
            if patient is not None:
                changes = roster_history.of_patient(session, site, patient)
            else:
                changes = roster_history.of_version(session, site, version or 0)
            viewed = AuditEvent(
                actor=clinic.actor, action="roster.viewed", object_kind="roster", object_id=site, detail=detail
            )
            audit.append(session, viewed, now=clock.now())
    changes_table(changes, as_json=as_json)
    if not changes:
        note("Nothing has changed since the first version of this roster's history.")


def roster_rollback(
    site: Site,
    to: Annotated[int, typer.Option("--to", metavar="VERSION", help="As “roster history” names it.")],
    config: Config = None,
) -> None:
    """Bring an earlier version of the roster back as a new one; new lists then wait for an import by hand."""
    with opened(config) as clinic, clinic.database.session() as session:
        change = roster.roll_back(session, site, to=to, actor=clinic.actor, now=clock.now())
    note(
        f"Version {to} of site {site} is back as version {change.version}: {change.added} added, {change.changed} "
        f"changed, {change.removed} removed."
    )
    note(
        "It is as old as its list, and new lists wait until one is imported by hand: "
        f"scorebridge roster import --site {site}"
    )


def freshness_json(one: RosterFreshness) -> dict[str, Json]:
    """A site's roster for programs."""
    status = one.status
    return {
        "site": one.site,
        "state": one.state,
        "stale": one.state in ("missing", "stale"),
        "patients": status.patients if status else 0,
        "active": status.active if status else 0,
        "merged": status.merged if status else 0,
        "version": status.version if status else None,
        "as_of": status.as_of.isoformat() if status else None,
        "age_hours": round(status.age.total_seconds() / 3600, 1) if status else None,
        "limit_hours": round(one.limit.total_seconds() / 3600, 1),
        "source": status.imported_from if status else None,
        "warnings": list(status.warnings) if status else [],
    }


def _freshness_row(one: RosterFreshness) -> tuple[object, ...]:
    words = {"stale": "too old", "held": "rolled back"}
    state, status = words.get(one.state, one.state), one.status
    if status is None:
        return (one.site, state, 0, 0, 0, None, None, span(one.limit), None, None)
    return (
        one.site, state, status.patients, status.active, status.merged, status.version, span(status.age),
        span(one.limit), status.imported_from, len(status.warnings) or None,
    )  # fmt: skip


@contextmanager
def _surroundings(config: Path | None, *, needed: bool) -> Iterator[tuple[Settings | None, Clinic | None]]:
    """The settings and the clinic; a preview does without either where there is none yet."""
    if needed:
        with opened(config) as clinic:
            yield clinic.settings, clinic
        return
    try:
        path = find_config(config)
    except SettingsError:
        if config is not None:
            raise
        yield None, None
        return
    settings = load_settings(path)
    if not databases.exists(settings.store):
        yield settings, None
        return
    with opened(config) as clinic:
        yield clinic.settings, clinic


def _known(settings: Settings | None, clinic: Clinic | None, site: str) -> SiteSettings:
    """The site's settings with the columns that were chosen on the pages."""
    known = SiteSettings(id=site) if settings is None else settings.site_settings(site)
    if clinic is None:
        return known
    with clinic.database.reading() as session:
        return in_force(session, known)


def _stated(known: SiteSettings, columns: Sequence[str], date_format: str | None) -> SiteSettings:
    """The site's settings with what the command line says of the file."""
    stated = dict(known.roster_columns)
    for pair in columns:
        field, equals, header = pair.partition("=")
        if not equals or field not in FIELDS:
            raise SettingsError(
                f"--column {pair} names no field.", next_step=f"Write FIELD=HEADER; fields are {', '.join(FIELDS)}."
            )
        stated[field] = header
    return known.model_copy(
        update={"roster_columns": stated, "roster_date_format": date_format or known.roster_date_format}
    )


def _proposal(site: SiteSettings, file: Path | None, clinic: Clinic | None, limits: RosterLimits) -> _Proposal:
    path = file or site.roster
    read = None if path is None else read_file(site, path)
    listing = read_listing(site, now=clock.now()) if read is None or path is None else read.listing(path.name)
    if clinic is None:
        diff = difference({}, by_id(listing.roster.patients))
    else:
        with clinic.database.reading() as session:
            diff = roster.compare(session, site.id, listing.roster.patients)
    return _Proposal(listing=listing, read=read, diff=diff, refused=refusal(diff, limits, site=site.id))


def _show(proposal: _Proposal) -> None:
    if proposal.read is not None:
        show_columns(proposal.read)
    for warning in proposal.listing.warnings[:_SHOWN_WARNINGS]:
        note(warning)
    if len(proposal.listing.warnings) > _SHOWN_WARNINGS:
        note(f"and {len(proposal.listing.warnings) - _SHOWN_WARNINGS} warnings more")
    show_diff(proposal.diff)


def _show_patients(clinic: Clinic | None, site: str, diff: RosterDiff) -> None:
    """Who changes and how; whoever looks at patients the store knows is noted."""
    if not out.is_terminal:
        note("Patients are shown on a terminal only.")
        return
    rows = list(patient_rows(diff))
    print_table("Patients", ("", "patient", "field", "in use", "new"), rows[:_SHOWN_PATIENTS])
    if len(rows) > _SHOWN_PATIENTS:
        note(f"and {len(rows) - _SHOWN_PATIENTS} lines more")
    if clinic is not None:
        viewed = AuditEvent(actor=clinic.actor, action="roster.compared", object_kind="roster", object_id=site)
        with clinic.database.session() as session:
            audit.append(session, viewed, now=clock.now())


def _end_preview(site: str, proposal: _Proposal, *, has_clinic: bool) -> None:
    patients = f"{len(proposal.listing.roster.patients)} patients of site {site}"
    if not has_clinic:
        note("There is no database yet: everybody counts as new.")
    if proposal.refused is not None:
        note(f"It would be refused: {proposal.refused}")
    note(f"{patients}; nothing was changed.")
    raise typer.Exit(1 if proposal.refused is not None else 0)


def _proposal_json(proposal: _Proposal, *, version: int | None) -> dict[str, Json]:
    read = proposal.read
    columns: Iterable[tuple[str, str]] = () if read is None else read.columns.items()
    return {
        "site": proposal.listing.roster.site,
        "source": proposal.listing.source,
        "patients": len(proposal.listing.roster.patients),
        "columns": dict(columns),
        "ignored": list(read.ignored) if read else [],
        "missing": list(read.missing) if read else [],
        "dates": read.dates if read else None,
        "other_sites": read.other_sites if read else 0,
        "warnings": list(proposal.listing.warnings),
        **diff_json(proposal.diff),
        "refused": None if proposal.refused is None else proposal.refused.message,
        "version": version,
    }
