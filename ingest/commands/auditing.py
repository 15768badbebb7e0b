"""`audit`: whether the trail is intact, what it says, who looked at a patient, and the weekly review."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Annotated, Final

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.options import AsJson, Config
from ingest.report_json import Json
from ingest.terminal import note, print_json, print_table
from records.audit import AuditEvent
from records.errors import SettingsError
from review.audit_actions import week_signers
from store import activity, activity_signing, audit, audit_looks, audit_search
from store.activity_signing import ActivityReview
from store.audit import ChainedEvent
from store.audit_search import Wanted
from store.audit_shown import NAMED

Week = Annotated[str | None, typer.Option("--week", help="A day of the week; default: the last week that is over.")]
_WEEK = timedelta(days=7)
_OWN: Final = " The signer’s own activity is in it: nobody could sign whose activity is not."


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="The audit trail.", no_args_is_help=True)
    group.command("verify")(verify)
    group.command("export")(export)
    group.command("search")(search)
    group.command("who-saw")(who_saw)
    group.command("review")(review)
    group.command("sign")(sign)
    app.add_typer(group, name="audit")


def verify(as_json: AsJson = False, config: Config = None) -> None:
    """Check that nobody altered the audit trail. Exit status 1 if somebody did."""
    with opened(config) as clinic, clinic.database.reading() as session:
        verdict = audit.verify(session, anchor_file=clinic.database.anchor_file)
    if as_json:
        print_json({"intact": verdict.intact, "events": verdict.events, "first_bad": verdict.first_bad})
    elif verdict.intact:
        note(f"The audit trail is intact: {verdict.events} events.")
    else:
        note(f"The audit trail was altered: {verdict.reason} (event {verdict.first_bad}).")
    raise typer.Exit(0 if verdict.intact else 1)


def export(config: Config = None) -> None:
    """Write the audit trail as JSON lines to standard output. The export is itself an event of the trail."""
    with opened(config) as clinic:
        with clinic.database.session() as session:
            event = AuditEvent(actor=clinic.actor, action="audit.exported", object_kind="audit", object_id="all")
            audit.append(session, event, now=clock.now())
        with clinic.database.reading() as session:
            for line in audit.export(session):
                sys.stdout.write(line.rstrip("\n") + "\n")


def search(
    record: Annotated[int | None, typer.Option(help="A record, with its case, messages and alerts.")] = None,
    case: Annotated[int | None, typer.Option(help="A case.")] = None,
    report: Annotated[int | None, typer.Option(help="A report.")] = None,
    who: Annotated[str | None, typer.Option(help="A user name.")] = None,
    action: Annotated[str | None, typer.Option(help="An action, such as case.approved.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 100,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Events of the audit trail, newest first. Days are those of the first site."""
    with opened(config) as clinic, clinic.database.reading() as session:
        objects = [("case", str(case))] if case is not None else []
        objects += [("report", str(report))] if report is not None else []
        objects += audit_search.about_record(session, record) if record is not None else ()
        zone, until = _zone(clinic), _day(last)
        wanted = Wanted(
            actor=who,
            action=action,
            objects=tuple(objects),
            first=_midnight(_day(first), zone),
            until=_midnight(until + timedelta(days=1) if until else None, zone),
        )
        found = audit_search.find(session, wanted, sites=None, limit=limit)
    _print(found.events, zone, as_json=as_json)
    if found.older is not None:
        note(f"These are the latest {limit}. “--limit” shows more.")


def who_saw(
    site: Annotated[str, typer.Option(help="The patient's site.")],
    patient: Annotated[
        str | None, typer.Option(help="The portal's id of the patient; without it, asked for at a prompt.")
    ] = None,
    everything: Annotated[bool, typer.Option("--everything", help="Changes too, not only looks.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Who looked at a patient, newest first. Asking is an event of the audit trail."""
    asked: str = patient if patient is not None else typer.prompt("Portal id of the patient", err=True)
    with opened(config) as clinic:
        clinic.settings.site_settings(site)
        with clinic.database.session() as session:
            looks = audit_looks.who_saw(session, site=site, patient_id=asked.strip(), everything=everything)
            viewed = AuditEvent(
                actor=clinic.actor, action="patient.looks-viewed", object_kind="site", object_id=site,
                detail=(("shown", str(len(looks))),),
            )  # fmt: skip
            shown = audit.Shown(patients=frozenset({(site, asked.strip())}))
            audit.append_view(session, viewed, shown, now=clock.now())
        zone = clinic.settings.site_settings(site).zone
    if looks:
        _print([look.link for look in looks], zone, as_json=as_json)
    elif not as_json:
        note("Nobody has looked at anything of this patient.")


def review(week: Week = None, as_json: AsJson = False, config: Config = None) -> None:
    """What people did in a week, in figures. Exit status 1 if a week that is over is not signed."""
    with opened(config) as clinic, clinic.database.reading() as session:
        zone, now = _zone(clinic), clock.now()
        monday = _monday(week, zone, now)
        signed = activity_signing.review_of(session, monday)
        told = signed.activity if signed else activity.activity(session, monday, zone=zone)
        unsigned = activity_signing.unsigned_weeks(session, zone=zone, now=now)
    for one in told.people if as_json else ():
        print_json(
            {
                "week": monday.isoformat(), "who": one.name, "sign_ins": one.sign_ins, "failures": one.failures,
                "patients": one.patients, "looks": one.looks, "usual": one.usual, "changes": one.changes,
                "out_of_hours": one.out_of_hours, "peak": one.is_peak,
            }
        )  # fmt: skip
    if not as_json:
        rows = [
            (o.name, o.sign_ins, o.failures, o.patients, o.looks, round(o.usual), o.changes, o.out_of_hours,
             "far more looks than usual" if o.is_peak else "")
            for o in told.people
        ]  # fmt: skip
        columns = ("who", "sign-ins", "failed", "patients", "looks", "usual", "changes", "unusual hours", "")
        print_table(f"Week of {monday}", columns, rows)
        for event in told.notable:
            note(f"{event.at.astimezone(zone):%Y-%m-%d %H:%M}  {event.actor}  {event.action}  {event.object_id}")
        note(_signature(signed) if signed else f"Not signed. Hash {told.sha256}")
        if unsigned:
            note(f"{len(unsigned)} weeks are not signed: {', '.join(str(one) for one in unsigned[:10])}")
    raise typer.Exit(1 if unsigned else 0)


def sign(
    remark: Annotated[str, typer.Option("--note", help="What was found, also if it is nothing.")],
    seen: Annotated[str, typer.Option("--hash", help="Hash of the figures, as “audit review” showed it.")],
    week: Week = None,
    config: Config = None,
) -> None:
    """Sign a week as reviewed."""
    with opened(config) as clinic:
        zone, now = _zone(clinic), clock.now()
        monday = _monday(week, zone, now)
        with clinic.database.session() as session:
            signed = activity_signing.sign(
                session, monday, zone=zone, note=remark, sha256_seen=seen,
                signers=week_signers(session), actor=clinic.actor, now=now,
            )  # fmt: skip
    note(f"The week of {monday} is signed as reviewed.{_OWN if signed.is_own else ''}")


def _signature(signed: ActivityReview) -> str:
    return f"Signed by {signed.signed_by}: {signed.note}{_OWN if signed.is_own else ''}"


def _print(events: tuple[ChainedEvent, ...] | list[ChainedEvent], zone: tzinfo, *, as_json: bool) -> None:
    for link in events if as_json else ():
        print_json(_json(link))
    if not as_json:
        rows = [
            (
                link.seq,
                link.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                link.event.actor,
                link.event.action,
                f"{link.event.object_kind} {link.event.object_id}",
                "; ".join(f"{name} {value}" for name, value in link.event.detail if name != NAMED),
            )
            for link in events
        ]
        print_table("", ("entry", "when", "who", "action", "about", "more"), rows)


def _json(link: ChainedEvent) -> dict[str, Json]:
    event = link.event
    return {
        "seq": link.seq,
        "at": link.at.isoformat(),
        "actor": event.actor,
        "action": event.action,
        "kind": event.object_kind,
        "id": event.object_id,
        "detail": dict(event.detail),
    }


def _zone(clinic: Clinic) -> tzinfo:
    return clinic.settings.site[0].zone if clinic.settings.site else UTC


def _monday(text: str | None, zone: tzinfo, now: datetime) -> date:
    day = _day(text)
    if day is None:
        return activity.week_of(now, zone) - _WEEK
    return day - timedelta(days=day.weekday())


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise SettingsError(f"“{text}” is no day.", next_step="Write days as 2026-03-02.") from None


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
