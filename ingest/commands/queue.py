"""`queue`: what waits for a person, decided from a terminal by the functions the web pages call."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ingest import clock
from ingest.clinic import opened
from ingest.commands.options import AsJson, Config, OnlySite
from ingest.report_json import Json
from ingest.terminal import note, out, print_json, print_table
from records.audit import AuditEvent
from records.case import RejectReason, ReviewCase
from records.decision import Candidate
from records.finding import sentence
from review import actions
from review.actions import ApprovalOutcome
from store import audit, cases, roster
from store.cases import ApprovedAs
from store.database import Database

CaseId = Annotated[int, typer.Argument(help="Number of the case.")]
Version = Annotated[int | None, typer.Option(help="Version of the case you looked at; default: the present one.")]


_APPROVED: Final = {
    ApprovalOutcome.CONFIRMED: "Case {case} is approved. For 30 s “scorebridge queue undo” takes it back.",
    ApprovalOutcome.DUPLICATE: "Case {case} is approved. The same values were known already, so nothing is sent.",
    ApprovalOutcome.AWAITS_SECOND: "Your word on case {case} is kept. Another person must choose the same patient.",
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
            print_json(_summary(case))
    elif found:
        rows = [
            (
                case.case_id,
                case.site,
                "yes" if case.assessment.critical else "",
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
        people = roster.current(session, case.site)
        viewed = AuditEvent(actor=clinic.actor, action="case.viewed", object_kind="case", object_id=str(case_id))
        audit.append(session, viewed, now=clock.now())
    names = {p.patient_id: f"{p.family}, {p.given}" for p in people.patients} if people else {}
    if as_json:
        print_json(
            {
                **_summary(case),
                "patient_printed": case.assessment.patient.name,
                "candidates": [_candidate(c, names) for c in case.match.candidates[:3]],
            }
        )
        return
    read = case.assessment
    print_table(
        f"Case {case.case_id}, version {case.version}, {case.state.value}",
        ("", "printed"),
        [
            ("file", f"{case.file_name}, page {read.page or '–'}"),
            ("name", read.patient.name),
            ("birth date", read.patient.birth_date),
            ("record number", read.patient.mrn),
            ("instrument", read.instrument or read.instrument_printed),
            ("date", read.authored_on),
            ("total", read.total if read.total is not None else read.total_printed),
            ("items", " ".join("–" if p is None else str(p) for p in read.item_points or ())),
            ("severity", read.severity),
        ],
    )
    for code in case.reasons:
        out.print(f"• {sentence(code)} ({code})", markup=False)
    for candidate in case.match.candidates[:3]:
        title = f"{candidate.patient_id}  {names.get(candidate.patient_id, '')}  {candidate.probability:.1%}"
        bars: list[tuple[object, ...]] = [(e.identifier, e.level, f"{e.weight:+.2f}") for e in candidate.evidence]
        print_table(title, ("identifier", "level", "log2 weight"), [*bars, ("sum", "", f"{candidate.score:+.2f}")])


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
        list[str], typer.Option("--set", metavar="FIELD=VALUE", help="total=14, authored_on=2026-09-18, item-9=0 …")
    ],
    version: Version = None,
    config: Config = None,
) -> None:
    """Correct values that were read wrongly; the case stays open with its new values."""
    changes = dict(_split(text) for text in change)
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
        )
    note(f"Case {case_id} is corrected; its version is now {revised.version}. Approve it next.")


def reject(
    case_id: CaseId,
    reason: Annotated[RejectReason, typer.Option(help="Why.")],
    remark: Annotated[str, typer.Option("--note", help="More about it, needed for “other”.")] = "",
    version: Version = None,
    config: Config = None,
) -> None:
    """Keep a row out of the portal; it is kept and can be reopened."""
    with opened(config) as clinic:
        case = _current(clinic.database, case_id)
        actions.reject(
            clinic.database,
            case_id,
            version=case.version if version is None else version,
            reason=reason,
            note=remark,
            actor=clinic.actor,
            now=clock.now(),
        )
    note(f"Case {case_id} is rejected.")


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


def _split(text: str) -> tuple[str, str]:
    field, found, value = text.partition("=")
    if not found:
        raise typer.BadParameter("give FIELD=VALUE", param_hint="--set")
    return field.strip(), value.strip()


def _summary(case: ReviewCase) -> dict[str, Json]:
    read = case.assessment
    return {
        "case": case.case_id,
        "version": case.version,
        "state": case.state.value,
        "site": case.site,
        "report": case.report_id,
        "page": read.page,
        "instrument": read.instrument,
        "authored_on": read.authored_on.isoformat() if read.authored_on else None,
        "total": read.total,
        "critical": read.critical,
        "reasons": list(case.reasons),
        "opened_at": case.opened_at.isoformat(),
        "best_patient": case.match.patient_id,
    }


def _candidate(candidate: Candidate, names: dict[str, str]) -> dict[str, Json]:
    return {
        "patient_id": candidate.patient_id,
        "name": names.get(candidate.patient_id),
        "grade": candidate.grade.value,
        "probability": round(candidate.probability, 6),
        "reasons": list(candidate.reasons),
    }
