"""`queue`: what waits for a person, decided from a terminal by the functions the web pages call."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ingest import clock
from ingest.clinic import opened
from ingest.commands import queue_work
from ingest.commands.case_display import CaseId, case_json, print_case, summary_json
from ingest.commands.options import AsJson, Config, OnlySite
from ingest.rosters import Rosters
from ingest.terminal import note, print_json, print_table
from records.audit import AuditEvent
from records.case import RejectReason, ReviewCase
from records.finding import sentence
from review import actions
from review.actions import ApprovalOutcome, RejectionOutcome
from review.rematching import IDENTITY
from store import audit, cases
from store.cases import ApprovedAs
from store.database import Database

Version = Annotated[int | None, typer.Option(help="Version of the case you looked at; default: the present one.")]


_APPROVED: Final = {
    ApprovalOutcome.CONFIRMED: "Case {case} is approved. For 30 s “scorebridge queue undo” takes it back.",
    ApprovalOutcome.DUPLICATE: "Case {case} is approved. The same values were known already, so nothing is sent.",
    ApprovalOutcome.AWAITS_SECOND: "Your word on case {case} is kept. Another person must choose the same patient.",
}
_REJECTED: Final = {
    RejectionOutcome.REJECTED: "Case {case} is rejected.",
    RejectionOutcome.AWAITS_SECOND: "Your word on case {case} is kept. Another person must reject it too.",
}


def register(app: typer.Typer) -> None:
    """Add these commands."""
    group = typer.Typer(help="What waits for a person.", no_args_is_help=True)
    group.command("list")(list_cases)
    group.command("show")(show)
    group.command("approve")(approve)
    group.command("correct")(correct)
    group.command("reject")(reject)
    group.command("reopen")(reopen)
    group.command("not-this-patient")(not_this_patient)
    queue_work.register(group)
    app.add_typer(group, name="queue")


def list_cases(
    site: OnlySite = None,
    limit: Annotated[int, typer.Option(help="Most cases to list.")] = 100,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List open cases, answers about self-harm first, then the oldest. Exit status 1 if something waits."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = cases.list_open(session, site=site, limit=limit)
        waiting = cases.count_open(session, site=site)
    if as_json:
        for case in found:
            print_json(summary_json(case))
    elif found:
        rows = [
            (
                case.case_id,
                case.site,
                "yes" if case.critical else "",
                case.assessment.instrument or case.assessment.instrument_printed,
                case.assessment.authored_on,
                case.opened_at.strftime("%Y-%m-%d %H:%M"),
                " ".join(sentence(code) for code in case.reasons),
            )
            for case in found
        ]
        print_table("", ("case", "site", "critical", "instrument", "date", "waiting since", "why"), rows)
        note(f"{waiting} cases wait. Look at one with “scorebridge queue show CASE”.")
    else:
        note("Nothing waits.")
    raise typer.Exit(1 if waiting else 0)


def show(case_id: CaseId, as_json: AsJson = False, config: Config = None) -> None:
    """Show one case: what is printed, why it waits, and the candidates with their evidence."""
    with opened(config) as clinic, clinic.database.session() as session:
        case = cases.get(session, case_id)
        if as_json:
            print_json(case_json(session, case))
        else:
            print_case(session, case)
        viewed = AuditEvent(actor=clinic.actor, action="case.viewed", object_kind="case", object_id=str(case_id))
        audit.append(session, viewed, now=clock.now())


def approve(
    case_id: CaseId,
    patient: Annotated[str, typer.Option(help="The portal's id of the patient.")],
    as_: Annotated[
        ApprovedAs, typer.Option("--as", help="What this is to an earlier print of the same day.")
    ] = ApprovedAs.CONFIRMATION,
    version: Version = None,
    config: Config = None,
) -> None:
    """Confirm a record for a patient; it is delivered next."""
    with opened(config) as clinic:
        case = _current(clinic.database, case_id)
        now = clock.now()
        done = actions.approve(
            clinic.database,
            case_id,
            version=case.version if version is None else version,
            patient_id=patient,
            actor=clinic.actor,
            now=now,
            today=clinic.today(case.site, now),
            destinations=clinic.destinations,
            as_=as_,
        )
    note(_APPROVED[done.outcome].format(case=case_id))


def correct(
    case_id: CaseId,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="total=14, authored_on=2026-09-18, item-9=0 …"),
    ] = None,
    identity: Annotated[
        bool, typer.Option("--identity", help="Ask for name, birth date and record number, which are no arguments.")
    ] = False,
    version: Version = None,
    config: Config = None,
) -> None:
    """Correct values that were read wrongly; the case stays open with its new values."""
    changes = dict(_split(text) for text in change or ())
    if changes.keys() & set(IDENTITY):
        raise typer.BadParameter("names and numbers of patients are no arguments: use --identity", param_hint="--set")
    if identity:
        changes |= _asked()
    with opened(config) as clinic:
        case = _current(clinic.database, case_id)
        now = clock.now()
        revised = actions.correct(
            clinic.database,
            case_id,
            version=case.version if version is None else version,
            changes=changes,
            actor=clinic.actor,
            now=now,
            today=clinic.today(case.site, now),
            rosters=Rosters(clinic.database, clinic.settings),
        )
    note(f"Case {case_id} is corrected; its version is now {revised.version}. Approve it next.")


def reject(
    case_id: CaseId,
    reason: Annotated[RejectReason, typer.Option(help="Why.")],
    remark: Annotated[str, typer.Option("--note", help="More about it, needed for “other”.")] = "",
    version: Version = None,
    config: Config = None,
) -> None:
    """Keep a row out of the portal; it is kept and can be reopened. An answer about self-harm needs a second person."""
    with opened(config) as clinic:
        case = _current(clinic.database, case_id)
        outcome = actions.reject(
            clinic.database,
            case_id,
            version=case.version if version is None else version,
            reason=reason,
            note=remark,
            actor=clinic.actor,
            now=clock.now(),
        )
    note(_REJECTED[outcome].format(case=case_id))


def reopen(case_id: CaseId, config: Config = None) -> None:
    """Put a rejected row back into the queue."""
    with opened(config) as clinic:
        actions.reopen(clinic.database, case_id, actor=clinic.actor, now=clock.now())
    note(f"Case {case_id} waits again.")


def not_this_patient(
    case_id: CaseId,
    patient: Annotated[str, typer.Option(help="The portal's id of the patient it is not.")],
    config: Config = None,
) -> None:
    """Say that this print is not this patient; it is never matched to them again."""
    with opened(config) as clinic:
        case = _current(clinic.database, case_id)
        actions.not_this_patient(
            clinic.database, case_id, version=case.version, patient_id=patient, actor=clinic.actor, now=clock.now()
        )
    note("Noted.")


def _current(database: Database, case_id: int) -> ReviewCase:
    with database.reading() as session:
        return cases.get(session, case_id)


def _asked() -> dict[str, str]:
    """Name, birth date and record number as typed; what is left empty stays as printed."""
    words = {"name": "Name", "birth_date": "Birth date (YYYY-MM-DD)", "mrn": "Record number"}
    typed = {
        field: typer.prompt(f"{words[field]}, empty to keep", default="", show_default=False, err=True)
        for field in IDENTITY
    }
    return {field: text for field, text in typed.items() if text.strip()}


def _split(text: str) -> tuple[str, str]:
    field, found, value = text.partition("=")
    if not found:
        raise typer.BadParameter("give FIELD=VALUE", param_hint="--set")
    return field.strip(), value.strip()
