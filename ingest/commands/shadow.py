"""`shadow`: what staff typed beside what would have been sent, from the file to the signature."""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.options import AsJson, Config, OnlySite
from ingest.report_json import Json
from ingest.terminal import note, print_json, print_table, progress
from ingest.typed_file import TypedLayout, read_typed_file
from parsers.instrument_library import load_instruments
from portal.connections import configure
from portal.typed_values import read_typed_values
from records.comparison import ComparedValue, Verdict
from records.errors import DecisionRefusedError, SettingsError
from review import shadow_actions
from review.shadow_words import FIELD_WORDS, STANDING_WORDS, field_words, rate_words
from store import roster, shadow_report, shadow_signing, shadow_values
from store.shadow_figures import FIELDS, ErrorRate, Side
from store.shadow_report import Scope, ShadowComparison
from store.shadow_signing import difference_words
from store.shadow_values import Whole

First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of administration.")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of administration.")]
Days = Annotated[int, typer.Option("--days", min=0, max=366, help="How far apart a date may be typed wrongly.")]
RecordId = Annotated[int, typer.Argument(help="Number of the record, 0 where there is none.")]
TypedId = Annotated[int, typer.Argument(help="Number of the typed value, 0 where there is none.")]

_USUAL_DAYS: Final = 7


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="What staff typed beside what would have been sent.", no_args_is_help=True)
    group.command("import")(shadow_import)
    group.command("read")(shadow_read)
    group.command("imports")(shadow_imports)
    group.command("report")(shadow_show)
    group.command("settle")(shadow_settle)
    group.command("sign")(shadow_sign)
    group.command("delete")(shadow_delete)
    app.add_typer(group, name="shadow")


def shadow_import(
    file: Annotated[Path, typer.Argument(help="CSV export of the portal: patient id, instrument, date, total.")],
    site: Annotated[str, typer.Option("--site", help="Whose patients these are.")],
    column: Annotated[
        list[str] | None, typer.Option(help="FIELD=HEADER, for instance 'patient=Portal no.'; may be repeated.")
    ] = None,
    instrument: Annotated[
        list[str] | None, typer.Option(help="NAME=ID, for instance 'Depression=phq-9'; 'NAME=' leaves its rows out.")
    ] = None,
    date_format: Annotated[str | None, typer.Option(help="Format of all dates, such as %m/%d/%Y.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Take over what staff typed, from a CSV file: whole or not at all. The same values again change nothing."""
    layout = TypedLayout(
        columns=_pairs(column, "--column"), date_format=date_format, instruments=_pairs(instrument, "--instrument")
    )
    with opened(config) as clinic:
        _known_site(clinic, site)
        now = clock.now()
        with clinic.database.reading() as session:
            current = roster.current(session, site)
        patients = frozenset(one.patient_id for one in current.patients) if current else frozenset()
        read = read_typed_file(file, layout=layout, patients=patients, today=clinic.today(site, now))
        made = shadow_actions.keep_typed(
            clinic.database,
            site,
            read.entries,
            source=shadow_values.FILE,
            sha256=read.sha256,
            actor=clinic.actor,
            now=now,
        )
    if as_json:
        columns: dict[str, Json] = dict(read.columns)
        print_json(
            {
                "import": made.import_id,
                "site": site,
                "listed": made.listed,
                "added": made.added,
                "left_out": read.left_out,
                "unknown_patients": read.unknown_patients,
                "columns": columns,
            }
        )
        return
    print_table("Columns", ("field", "header"), list(read.columns.items()))
    note(f"{made.added} of {made.listed} values are new; {read.left_out} rows were left out.")
    if read.unknown_patients:
        note(f"{read.unknown_patients} values are of patients who are not on the roster.")


def shadow_read(
    destination: Annotated[str, typer.Argument(help="Id of the destination, as in the settings.")],
    site: Annotated[str, typer.Option("--site", help="Whose patients are asked for.")],
    first: First = None,
    config: Config = None,
) -> None:
    """Take over what staff typed from the portal itself: it is asked for the values of each active patient."""
    with opened(config) as clinic:
        _known_site(clinic, site)
        portal = next((d for d in clinic.settings.destination if d.destination_id == destination), None)
        if portal is None:
            raise SettingsError(f"There is no destination {destination}.")
        with clinic.database.reading() as session:
            current = roster.current(session, site)
            ours, since = shadow_values.sent_by_us(session), _day(first) or shadow_report.first_day(session, site)
        if current is None or since is None:
            raise DecisionRefusedError(
                f"Site {site} has no {'roster' if current is None else 'records'} to compare with.",
                next_step="Run in shadow mode for some days first.",
            )
        asked = [one.patient_id for one in current.patients if one.active]
        with progress("Asking the portal", total=len(asked)) as bar:
            found = read_typed_values(
                configure([portal], folder=clinic.folder)[0],
                asked,
                ours=ours,
                first=since,
                instruments=load_instruments(),
                clock=clock.now,
                asked=lambda: bar.advance(bar.task_ids[0]),
            )
        made = shadow_actions.keep_typed(
            clinic.database,
            site,
            found.entries,
            source=destination,
            sha256=sha256(repr(found.entries).encode()).hexdigest(),
            actor=clinic.actor,
            now=clock.now(),
            whole=Whole(patients=frozenset(asked), first=since),
        )
    note(f"{made.added} of {made.listed} values are new. Left out: {found.ours} of our own, {found.other} others.")


def shadow_imports(site: OnlySite = None, as_json: AsJson = False, config: Config = None) -> None:
    """List what was taken over."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = shadow_values.imports(session, site)
    rows = [(i.import_id, i.site, i.source, i.listed, i.added, i.imported_by, str(i.imported_at.date())) for i in found]
    columns = ("import", "site", "source", "listed", "added", "by", "on")
    for row in rows if as_json else ():
        print_json(dict(zip(columns, row, strict=True)))
    if not as_json:
        print_table("", columns, rows)


def shadow_show(
    site: OnlySite = None,
    first: First = None,
    last: Last = None,
    days: Days = _USUAL_DAYS,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Compare field by field, and how often each side was wrong. Exit status 1 while a difference is not settled."""
    with opened(config) as clinic, clinic.database.reading() as session:
        comparison = shadow_report.compare(session, _scope(clinic, site, first, last, days))
    if as_json:
        print_json(_report(comparison))
    else:
        _print_report(comparison)
    raise typer.Exit(1 if comparison.figures.unsettled else 0)


def shadow_settle(
    record: RecordId,
    typed: TypedId,
    field: Annotated[str | None, typer.Option(help="The field, as the report shows it; else all that differ.")] = None,
    found: Annotated[Verdict | None, typer.Option(help="Who was right.")] = None,
    take_back: Annotated[bool, typer.Option("--take-back", help="Forget what was found of these two.")] = False,
    days: Days = _USUAL_DAYS,
    config: Config = None,
) -> None:
    """Say who was right about a difference. Look at the printed page before: `/shadow` in the pages shows it."""
    if (found is None) != take_back:
        raise typer.BadParameter("give one of --found and --take-back")
    with opened(config) as clinic:
        now = clock.now()
        if found is None:
            shadow_actions.take_back(clinic.database, (record, typed), actor=clinic.actor, now=now)
            note("They are compared anew.")
            return
        scope = _scope(clinic, None, None, None, days)
        with clinic.database.reading() as session:
            value, _ = shadow_report.find(session, scope, (record, typed))
        verdicts = dict.fromkeys(value.differences if field is None else (field,), found)
        shadow_actions.settle(clinic.database, scope, (record, typed), verdicts, actor=clinic.actor, now=now)
    note("Settled.")


def shadow_sign(
    name: Annotated[str, typer.Option(help="Your name, as you sign.")],
    site: OnlySite = None,
    first: First = None,
    last: Last = None,
    days: Days = _USUAL_DAYS,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
) -> None:
    """Show the comparison once more and freeze it under your name. Refused while a difference is not settled."""
    with opened(config) as clinic:
        scope = _scope(clinic, site, first, last, days)
        with clinic.database.reading() as session:
            comparison = shadow_report.compare(session, scope)
        _print_report(comparison)
        seen = shadow_signing.snapshot(comparison).sha256
        if not yes and not comparison.figures.unsettled:
            typer.confirm("Sign this?", abort=True, err=True)
        signed = shadow_actions.sign(
            clinic.database, scope, name=name, sha256_seen=seen, actor=clinic.actor, now=clock.now()
        )
    note(f"Signed as number {signed.sign_off_id}; SHA-256 {signed.sha256}.")


def shadow_delete(
    site: Annotated[str, typer.Option("--site", help="Whose values.")],
    import_id: Annotated[int | None, typer.Option("--import", help="This import only: a wrong file.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
) -> None:
    """Delete what was typed: everything of a site once it is signed, or one import of which nothing is settled."""
    with opened(config) as clinic:
        if not yes:
            what = f"import {import_id}" if import_id else f"everything typed of site {site}"
            typer.confirm(f"Delete {what}?", abort=True, err=True)
        count = shadow_actions.delete_typed(
            clinic.database, site, import_id=import_id, actor=clinic.actor, now=clock.now()
        )
    note(f"{count} values are deleted. What was signed stays.")


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for one in given or []:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"{option} is NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs


def _known_site(clinic: Clinic, site: str) -> None:
    known = [one.id for one in clinic.settings.site]
    if known and site not in known:
        raise SettingsError(f"There is no site {site}.", next_step=f"There are: {', '.join(known)}.")


def _scope(clinic: Clinic, site: str | None, first: datetime | None, last: datetime | None, days: int) -> Scope:
    if site is not None:
        _known_site(clinic, site)
    return Scope(
        sites=(site,) if site else tuple(one.id for one in clinic.settings.site),
        first=_day(first),
        last=_day(last),
        days=days,
    )


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _report(comparison: ShadowComparison) -> dict[str, Json]:
    told = comparison.figures
    rates: dict[str, Json] = {name: {side.value: _rate(told.rates[name, side]) for side in Side} for name in FIELDS}
    standings: dict[str, Json] = {name.value: count for name, count in told.standings.items()}
    differences: list[Json] = [
        _difference(comparison, value, field) for value in comparison.compared for field in value.differences
    ]
    per_day: list[Json] = [
        {"day": str(one.day), "scorebridge": one.read, "staff": one.typed, "agree": one.agree} for one in told.days
    ]
    return {
        "sites": list(comparison.sites),
        "from": str(comparison.first) if comparison.first else None,
        "to": str(comparison.last) if comparison.last else None,
        "compared": told.compared,
        "outside": comparison.outside,
        "unsettled": told.unsettled,
        "standings": standings,
        "rates": rates,
        "per_day": per_day,
        "differences": differences,
        "sha256": shadow_signing.snapshot(comparison).sha256,
    }


def _rate(rate: ErrorRate) -> dict[str, Json]:
    return {"wrong": rate.wrong, "unsettled": rate.unsettled, "of": rate.of, "low_95": rate.low, "high_95": rate.high}


def _difference(comparison: ShadowComparison, value: ComparedValue, field: str) -> dict[str, Json]:
    found = comparison.found(value, field)
    read, typed = difference_words(value, field)
    return {
        "record": value.key[0],
        "typed": value.key[1],
        "standing": value.standing.value,
        "field": field,
        "scorebridge": read,
        "staff": typed,
        "found": found.verdict.value if found else None,
        "settled_by": found.settled_by if found else None,
    }


def _print_report(comparison: ShadowComparison) -> None:
    told = comparison.figures
    title = f"{', '.join(comparison.sites)}, {comparison.first or '…'} to {comparison.last or '…'}"
    print_table(
        title, ("", "values"), [(STANDING_WORDS[name], count) for name, count in told.standings.items() if count]
    )
    rows = [
        (FIELD_WORDS[name], *(rate_words(told.rates[name, side]) for side in (Side.SCOREBRIDGE, Side.STAFF)))
        for name in FIELDS
    ]
    print_table("Errors, with the exact 95 % interval", ("field", "Scorebridge", "staff"), rows)
    differences = [
        (
            *value.key,
            field_words(field),
            *difference_words(value, field),
            found.verdict.value if (found := comparison.found(value, field)) else "not settled",
        )
        for value in comparison.compared
        for field in value.differences
    ]
    print_table("Differences", ("record", "typed", "field", "Scorebridge", "staff", "found"), differences)
    if comparison.outside:
        note(f"{comparison.outside} values lie outside the period and are not compared.")
    if told.unsettled:
        note(f"{told.unsettled} differences are not settled: “scorebridge shadow settle RECORD TYPED --found …”.")
