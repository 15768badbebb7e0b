"""`queue next|skip|undo|take-over|park|registrations|find|groups|bulk`: a shared queue, worked from a terminal."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.case_display import CaseId, case_json, print_case
from ingest.commands.options import AsJson, Config, OnlySite
from ingest.report_json import Json
from ingest.rosters import Rosters
from ingest.terminal import note, print_json, print_table
from records.audit import AuditEvent
from records.case import RejectReason
from records.errors import DecisionRefusedError
from records.finding import sentence
from review import actions, bulk, locks, registrations, undo
from review.bulk import Approve, BulkCase, CaseGroup, Chosen, Reject
from review.undo import DecisionKind
from store import audit, cases, roster
from store.database import Session

UNDONE: Final = {
    DecisionKind.APPROVED: "The approval of case {case} is taken back.",
    DecisionKind.REJECTED: "The rejection of case {case} is taken back.",
    DecisionKind.SKIPPED: "Case {case} has its old place again.",
    DecisionKind.CORRECTED: "Case {case} has its earlier values again.",
    DecisionKind.NOT_THIS_PATIENT: "The patient is no longer ruled out for case {case}.",
    DecisionKind.PROPOSED: "Your word on case {case} is taken back.",
    DecisionKind.PARKED: "Case {case} waits for a decision again.",
}
"""What is said after `undo`."""


def register(group: typer.Typer) -> None:
    """Add these commands to `queue`."""
    group.command("next")(next_case)
    group.command("skip")(skip)
    group.command("undo")(undo_last)
    group.command("take-over")(take_over)
    group.command("park")(park)
    group.command("registrations")(list_registrations)
    group.command("find")(find)
    group.command("groups")(list_groups)
    group.command("bulk")(decide_bulk)


def next_case(site: OnlySite = None, as_json: AsJson = False, config: Config = None) -> None:
    """Open the next case for yourself, for five minutes, and show it. Exit status 1 if nothing is left."""
    with opened(config) as clinic:
        now = clock.now()
        case_id = actions.next_case(clinic.database, actor=clinic.actor, sites=_sites(site), now=now)
        if case_id is None:
            note("Nothing is left to review.")
            raise typer.Exit(1)
        locks.open_case(clinic.database, case_id, actor=clinic.actor, now=now)
        with clinic.database.session() as session:
            if as_json:
                print_json(case_json(session, cases.get(session, case_id)))
            else:
                print_case(session, cases.get(session, case_id))
            _note_view(session, clinic, "case.viewed", case_id)


def skip(case_id: CaseId, config: Config = None) -> None:
    """Put a case behind the others for yourself, until the day of its site ends."""
    with opened(config) as clinic:
        now = clock.now()
        with clinic.database.reading() as session:
            site = cases.get(session, case_id).site
        until = clinic.day_ends(site, now)
        actions.skip(clinic.database, case_id, actor=clinic.actor, now=now, until=until)
    note(f"Case {case_id} comes last today.")


def undo_last(config: Config = None) -> None:
    """Take your newest decision back; again, the one before it. What a portal has been told of stays."""
    with opened(config) as clinic:
        done = undo.undo_last(clinic.database, actor=clinic.actor, now=clock.now())
    note(UNDONE[done.kind].format(case=done.case_id))


def take_over(case_id: CaseId, config: Config = None) -> None:
    """Take a case that somebody else has open."""
    with opened(config) as clinic:
        lock = locks.take_over(clinic.database, case_id, actor=clinic.actor, now=clock.now())
    note(f"Case {case_id} is yours for five minutes." if lock.is_mine else f"Case {case_id} is decided already.")


def park(case_id: CaseId, config: Config = None) -> None:
    """Say that the patient is on no roster yet: the case comes back by itself once they are."""
    with opened(config) as clinic:
        with clinic.database.reading() as session:
            version = cases.get(session, case_id).version
        registrations.park(clinic.database, case_id, version=version, actor=clinic.actor, now=clock.now())
    note(f"Case {case_id} is on the list of “scorebridge queue registrations”.")


def list_registrations(site: OnlySite = None, as_json: AsJson = False, config: Config = None) -> None:
    """List whom the front desk has to register. Exit status 1 if somebody is."""
    with opened(config) as clinic, clinic.database.session() as session:
        found = registrations.list_parked(session, sites=_sites(site))
        _note_view(session, clinic, "registration.listed", "open")
    rows = [
        (one.case_id, one.site, one.assessment.patient.name, one.assessment.patient.birth_date,
         one.assessment.patient.mrn, one.parked_by, one.parked_at.strftime("%Y-%m-%d %H:%M"))
        for one in found
    ]  # fmt: skip
    columns = ("case", "site", "name", "birth date", "record number", "said by", "since")
    if as_json:
        for row in rows:
            print_json(_row_json(columns, row))
    elif rows:
        print_table("", columns, rows)
    else:
        note("Nobody is to be registered.")
    raise typer.Exit(1 if rows else 0)


def find(case_id: CaseId, as_json: AsJson = False, config: Config = None) -> None:
    """Search the roster of a case's site; the name, birth date or record number is asked for, never an argument."""
    query = typer.prompt("Name, birth date or record number", err=True)
    with opened(config) as clinic, clinic.database.session() as session:
        case = cases.get(session, case_id)
        people = roster.current(session, case.site)
        found = actions.find_patients(people, query, limit=8) if people else ()
        _note_view(session, clinic, "patient.searched", case_id)
    rows = [(one.patient_id, f"{one.family}, {one.given}", one.birth_date, one.mrn, one.active) for one in found]
    columns = ("patient", "name", "birth date", "record number", "active")
    if as_json:
        for row in rows:
            print_json(_row_json(columns, row))
    elif rows:
        print_table("", columns, rows)
    else:
        note("Nobody fits. “scorebridge queue park CASE” puts the patient on the list of the front desk.")


def list_groups(site: OnlySite = None, as_json: AsJson = False, config: Config = None) -> None:
    """List cases that wait for one cause or on one report, and which of them can be decided together."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = bulk.groups(session, sites=_sites(site))
    if as_json:
        for group in found:
            print_json(_group_json(group))
        return
    rows = [
        (group.site, group.number, group.critical or "",
         f"report {group.report_id}" if group.report_id else " ".join(sentence(code) for code in group.reasons),
         group.oldest.strftime("%Y-%m-%d %H:%M"), group.why_not or "yes")
        for group in found
    ]  # fmt: skip
    print_table("", ("site", "cases", "critical", "cause", "oldest since", "together"), rows)


def decide_bulk(
    report: Annotated[int | None, typer.Option(help="Reject the rows of this report that wait.")] = None,
    reason: Annotated[RejectReason, typer.Option(help="Why; with --report.")] = RejectReason.WRONG_REPORT,
    settled: Annotated[
        bool, typer.Option("--settled", help="Approve what waited for its roster or template only.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for whoever has looked at the list before.")] = False,
    site: OnlySite = None,
    config: Config = None,
) -> None:
    """Decide many cases at once where that is safe: each is shown first. Exit status 1 if some are left."""
    if (report is None) == (not settled):
        raise typer.BadParameter("give --report NUMBER or --settled", param_hint="--report")
    what = Approve() if report is None else Reject(reason=reason)
    with opened(config) as clinic:
        seen = _looked_at(clinic, what, report=report, site=site)
        fit = [one for one in seen if not one.why_not]
        _show_bulk(clinic, seen)
        if not fit:
            note("None of these can be decided together.")
            raise typer.Exit(1)
        if not yes:
            typer.confirm(f"Decide these {len(fit)} cases?", abort=True, err=True)
        done = bulk.decide(
            clinic.database,
            [Chosen(case_id=one.case.case_id, version=one.case.version, patient_id=one.patient_id) for one in fit],
            what,
            rosters=Rosters(clinic.database, clinic.settings),
            today_of=lambda of: clinic.today(of, clock.now()),
            destinations_of=lambda _: clinic.destinations,
            sites=_sites(site),
            actor=clinic.actor,
            now=clock.now(),
        )
    for left in done.left:
        note(f"Case {left.case_id} was left: {left.why}")
    note(f"{len(done.decided)} cases are decided. “scorebridge queue undo” takes them back one by one.")
    raise typer.Exit(1 if done.left or len(fit) < len(seen) else 0)


def _looked_at(clinic: Clinic, what: Approve | Reject, *, report: int | None, site: str | None) -> list[BulkCase]:
    with clinic.database.reading() as session:
        wanted = [
            group
            for group in bulk.groups(session, sites=_sites(site))
            if (group.report_id == report if report is not None else group.report_id is None and group.is_safe)
        ]
        found = [case for group in wanted for case in bulk.members(session, group)][: bulk.MOST]
    if report is not None and not found:
        raise DecisionRefusedError(
            f"Report {report} has no two rows that wait.", next_step="See “scorebridge queue groups”."
        )
    rosters = Rosters(clinic.database, clinic.settings)
    return list(
        bulk.looked_at(
            clinic.database,
            found,
            what,
            rosters=rosters,
            today_of=lambda of: clinic.today(of, clock.now()),
            now=clock.now(),
        )
    )


def _show_bulk(clinic: Clinic, seen: list[BulkCase]) -> None:
    with clinic.database.session() as session:
        rows = []
        for one in seen:
            patient = roster.patient(session, one.case.site, one.patient_id) if one.patient_id else None
            read = one.case.assessment
            rows.append(
                (one.case.case_id, read.patient.name, read.instrument or read.instrument_printed, read.authored_on,
                 read.total, f"{patient.family}, {patient.given} ({patient.patient_id})" if patient else "",
                 one.why_not or "yes")
            )  # fmt: skip
        _note_view(session, clinic, "case.listed", "bulk")
    print_table("", ("case", "printed name", "instrument", "date", "total", "patient", "together"), rows)


def _group_json(group: CaseGroup) -> dict[str, Json]:
    return {
        "cause": group.cause.value,
        "site": group.site,
        "reasons": list(group.reasons),
        "report": group.report_id,
        "cases": group.number,
        "critical": group.critical,
        "oldest": group.oldest.isoformat(),
        "together": group.is_safe,
        "why_not": group.why_not,
    }


def _row_json(columns: tuple[str, ...], row: tuple[object, ...]) -> dict[str, Json]:
    """A row of a table for programs; days as ISO 8601."""
    kept = (cell if cell is None or isinstance(cell, int) else str(cell) for cell in row)
    return {name.replace(" ", "_"): cell for name, cell in zip(columns, kept, strict=True)}


def _note_view(session: Session, clinic: Clinic, action: str, object_id: int | str) -> None:
    event = AuditEvent(actor=clinic.actor, action=action, object_kind="case", object_id=str(object_id))
    audit.append(session, event, now=clock.now())


def _sites(site: str | None) -> tuple[str, ...] | None:
    return None if site is None else (site,)
