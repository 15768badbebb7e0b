"""`alias`, `blind-audit`, `matching`: what people teach matching, and what they find when they check it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.options import AsJson, Config, OnlySite
from ingest.report_json import Json
from ingest.terminal import note, out, print_json, print_table
from matching.calibration import LEAST_LABELS, Points, calibrated, calibration_error, fit, probability_of
from records.audit import AuditEvent
from records.decision import MatchGrade
from records.patient import RosterPatient
from review import actions
from review.blind_people import people_shown
from store import aliases, audit, automatic_matches, blind_audit, calibrations, match_labels, roster
from store.alias_states import AliasState, StoredAlias
from store.blind_audit import AuditFigures, BlindAudit, Settled, Verdict
from store.database import Session

AliasId = Annotated[int, typer.Argument(help="Number of the alias, as `alias list` shows it.")]
TaskId = Annotated[int, typer.Argument(help="Number of the blind audit.")]

_LOOKED_AT: Final = 20_000  # latest matches that a calibration is tried on


def register(app: typer.Typer) -> None:
    """Add these commands."""
    groups: tuple[tuple[str, str, dict[str, Callable[..., None]]], ...] = (
        (
            "alias",
            "What people said of prints, and what it confirmed since.",
            {"list": alias_list, "show": alias_show, "revoke": alias_revoke},
        ),
        (
            "blind-audit",
            "Automatic matches that a person checks without knowing them.",
            {
                "list": audit_list,
                "show": audit_show,
                "answer": audit_answer,
                "settle": audit_settle,
                "figures": audit_figures,
            },
        ),
        ("matching", "How well the odds of matching fit what people find.", {"recalibrate": recalibrate}),
    )
    for name, about, commands in groups:
        group = typer.Typer(help=about, no_args_is_help=True)
        for command, function in commands.items():
            group.command(command)(function)
        app.add_typer(group, name=name)


# --- aliases


def alias_list(
    site: OnlySite = None,
    state: Annotated[AliasState | None, typer.Option(help="Only those in this state.")] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """List aliases, newest first. Exit status 1 if one waits for a second person."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = aliases.list_aliases(session, site=site, state=state)
    for alias in found if as_json else ():
        print_json(_alias(alias))
    if not as_json:
        rows = [
            (
                alias.alias_id,
                alias.site,
                alias.source,
                alias.patient_id,
                alias.state.value,
                alias.events[-1].reason.value,
                alias.said_by,
                alias.said_at.strftime("%Y-%m-%d"),
                alias.uses,
                alias.last_used_at.strftime("%Y-%m-%d") if alias.last_used_at else "",
            )
            for alias in found
        ]
        columns = ("alias", "site", "source", "patient", "state", "because", "said by", "on", "uses", "last used")
        print_table("", columns, rows)
    raise typer.Exit(1 if any(alias.state is AliasState.AWAITING_SECOND for alias in found) else 0)


def alias_show(alias_id: AliasId, as_json: AsJson = False, config: Config = None) -> None:
    """Show one alias: what it rests on, its history, and every record that it confirmed."""
    with opened(config) as clinic, clinic.database.reading() as session:
        alias = aliases.get(session, alias_id)
        caused = automatic_matches.caused_by(session, alias_id)
    if as_json:
        records: list[Json] = [{"record": one.record_id, "stands": one.stands} for one in caused]
        print_json({**_alias(alias), "records": records})
        return
    print_table(
        f"Alias {alias_id}, {alias.state.value}",
        ("", ""),
        [
            ("site, source", f"{alias.site}, {alias.source}"),
            ("patient", alias.patient_id),
            ("said of record", alias.record_id),
            ("nearly as likely then", " ".join(alias.rivals) or "nobody"),
            ("program then", alias.model),
        ],
    )
    print_table("History", ("when", "who", "state", "because"), [_event(one) for one in _events(alias)])
    rows = [(one.record_id, one.confirmed_at.strftime("%Y-%m-%d"), "yes" if one.stands else "no") for one in caused]
    print_table("Confirmed by it", ("record", "on", "stands on it"), rows)


def alias_revoke(
    alias_id: AliasId,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be taken back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: Config = None,
) -> None:
    """Revoke an alias: what stands on it is withdrawn from the portals and waits for review again."""
    with opened(config) as clinic:
        with clinic.database.reading() as session:
            alias = aliases.get(session, alias_id)
            standing = [one for one in automatic_matches.caused_by(session, alias_id) if one.stands]
        rows = [(one.record_id, one.confirmed_at.strftime("%Y-%m-%d")) for one in standing]
        print_table(f"Taken back with alias {alias_id}", ("record", "confirmed on"), rows)
        note(f"Record {alias.record_id}, of which it was said, was confirmed by {alias.said_by} and stays: look at it.")
        if dry_run:
            note("Nothing was changed.")
            return
        if not yes:
            typer.confirm(f"Revoke alias {alias_id} and take back {len(rows)} records?", abort=True, err=True)
        recalled = actions.revoke_alias(clinic.database, alias_id, actor=clinic.actor, now=clock.now())
    note(f"Alias {alias_id} is revoked; {len(recalled)} records are taken back and wait for review.")


# --- the blind audit


def audit_list(site: OnlySite = None, as_json: AsJson = False, config: Config = None) -> None:
    """List what is to be checked and what is to be settled. Exit status 1 if there is anything."""
    with opened(config) as clinic, clinic.database.reading() as session:
        sites = None if site is None else (site,)
        found = blind_audit.list_tasks(session, sites=sites)
        found += blind_audit.list_tasks(session, sites=sites, unsettled=True)
    for task in found if as_json else ():
        print_json(_task(task))
    if not as_json:
        rows = [
            (task.task_id, task.site, task.drawn_at.strftime("%Y-%m-%d"), "differs" if task.answered_by else "to check")
            for task in found
        ]
        print_table("", ("blind audit", "site", "drawn on", ""), rows)
        note("Look at one with “scorebridge blind-audit show NUMBER”." if rows else "Nothing is to be checked.")
    raise typer.Exit(1 if found else 0)


def audit_show(task_id: TaskId, as_json: AsJson = False, config: Config = None) -> None:
    """Show one check: what is printed and whom it may be about; once answered, what differs."""
    with opened(config) as clinic, clinic.database.session() as session:
        task = blind_audit.get(session, task_id)
        people = people_shown(session, task, _search_index(session, task.site))
        choices = blind_audit.choices(session, task_id) if task.needs_second_look else None
        _note_view(session, clinic, task_id)
    if as_json:
        print_json({**_task(task), "patients": [_person(one) for one in people]})
        return
    printed = task.assessment.patient
    rows: list[tuple[object, ...]] = [
        ("on the report", printed.name, printed.birth_date, printed.mrn, printed.sex),
        *((one.patient_id, f"{one.family}, {one.given}", one.birth_date, one.mrn, one.sex) for one in people),
    ]
    print_table(f"Blind audit {task_id}", ("patient", "name", "birth date", "record number", "sex"), rows)
    if choices is not None:
        out.print(f"The match was {choices[0]}; {task.answered_by} says {choices[1] or 'none of these'}.", markup=False)
        note(f"Record {task.record_id}: “scorebridge blind-audit settle {task_id} --found …”.")


def audit_answer(
    task_id: TaskId,
    patient: Annotated[str | None, typer.Option(help="The portal's id of the patient on the print.")] = None,
    none: Annotated[bool, typer.Option("--none-of-these", help="It is none of those shown.")] = False,
    unclear: Annotated[bool, typer.Option("--cannot-tell", help="The print does not say enough.")] = False,
    config: Config = None,
) -> None:
    """Answer who a print is about. Nothing is changed at a portal by it. Exit status 1 if it differs from the match."""
    if (patient is not None) + none + unclear != 1:
        raise typer.BadParameter("give one of --patient, --none-of-these and --cannot-tell")
    verdict = Verdict.NONE_OF_THESE if none else Verdict.CANNOT_TELL if unclear else Verdict.PATIENT
    with opened(config) as clinic:
        task = actions.answer_blind_audit(
            clinic.database, task_id, verdict, patient_id=patient, actor=clinic.actor, now=clock.now()
        )
    note("Kept." if not task.needs_second_look else f"Kept. It differs: see “scorebridge blind-audit show {task_id}”.")
    raise typer.Exit(1 if task.needs_second_look else 0)


def audit_settle(
    task_id: TaskId,
    found: Annotated[Settled, typer.Option(help="What the second look found.")],
    config: Config = None,
) -> None:
    """Settle an answer that differs: a wrong match is withdrawn from the portals and waits for review again."""
    with opened(config) as clinic:
        actions.settle_blind_audit(clinic.database, task_id, found, actor=clinic.actor, now=clock.now())
    note("Settled.")


def audit_figures(site: OnlySite = None, as_json: AsJson = False, config: Config = None) -> None:
    """How many automatic matches were checked, how many were wrong, and how wrong the rest may be."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = blind_audit.figures(session, sites=None if site is None else (site,))
    if as_json:
        print_json(figures_json(found))
    else:
        print_table("Blind audit", ("", ""), [(name.replace("_", " "), value) for name, value in figures_rows(found)])


def figures_json(found: AuditFigures) -> dict[str, Json]:
    """The figures for programs."""
    return {
        "automatic": found.automatic,
        "drawn": found.drawn,
        "waiting": found.waiting,
        "checked": found.checked,
        "wrong": found.wrong,
        "unsettled": found.unsettled,
        "cannot_tell": found.cannot_tell,
        "error_rate": found.error_rate,
        "error_bound_95": found.bound,
    }


def figures_rows(found: AuditFigures) -> list[tuple[str, object]]:
    """The figures for people."""
    rates = {"error_rate": found.error_rate, "error_bound_95": found.bound if found.checked else None}
    shown = {name: "not known yet" if value is None else f"{value:.3%}" for name, value in rates.items()}
    return list({**figures_json(found), **shown}.items())


# --- calibration


def recalibrate(
    apply: Annotated[bool, typer.Option("--apply", help="Use what was fitted from now on.")] = False,
    revert_to: Annotated[
        int | None, typer.Option(help="Use an earlier version again; 0 is the odds as computed.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Fit the odds of matching to what people decided, and show before and after. Changes nothing without --apply."""
    with opened(config) as clinic:
        if revert_to is not None:
            with clinic.database.session() as session:
                version = calibrations.revert(session, revert_to, actor=clinic.actor, now=clock.now())
            note(f"Calibration {version} is in use; its points are those of {revert_to}.")
            return
        with clinic.database.reading() as session:
            labels = match_labels.labels(session)
            in_use = calibrations.current(session)
            points = fit(labels)
            changed = _changed(session, clinic, in_use, points)
        before, after = calibration_error(labels, in_use), calibration_error(labels, points)
        if as_json:
            print_json(
                {
                    "labels": len(labels),
                    "points": [list(point) for point in points],
                    "error_before": before,
                    "error_after": after,
                    "to_review": changed[0],
                    "automatic": changed[1],
                    "looked_at": changed[2],
                }
            )
        else:
            _show_fit(len(labels), points, before=before, after=after, changed=changed)
        if not apply:
            note("Nothing was changed. --apply uses it.")
        elif not points:
            note(f"Nothing was changed: {len(labels)} decisions of people are too few, {LEAST_LABELS} are needed.")
        else:
            with clinic.database.session() as session:
                version = calibrations.apply(
                    session,
                    points,
                    labels=len(labels),
                    error_before=before,
                    error_after=after,
                    actor=clinic.actor,
                    now=clock.now(),
                )
            note(f"Calibration {version} is in use; “matching recalibrate --revert-to {version - 1}” undoes it.")


def _changed(session: Session, clinic: Clinic, in_use: Points, points: Points) -> tuple[int, int, int]:
    """How many of the latest certain matches would go to a person, how many that went would not, and of how many."""
    threshold = clinic.settings.matching.threshold
    to_review = automatic = seen = 0
    for match in match_labels.decided_matches(session, limit=_LOOKED_AT):
        score = match_labels.computed_score(match.candidates[0]) if match.candidates else None
        if score is None:
            continue
        seen += 1
        was, would = (probability_of(calibrated(score, which)) >= threshold for which in (in_use, points))
        only_score = match.grade is MatchGrade.CERTAIN or match.reasons == ("patient-below-threshold",)
        to_review += only_score and was and not would
        automatic += only_score and would and not was
    return to_review, automatic, seen


def _show_fit(labels: int, points: Points, *, before: float, after: float, changed: tuple[int, int, int]) -> None:
    shown = [
        ("decisions of people", labels),
        ("calibration error now", f"{before:.4f}"),
        ("calibration error then", f"{after:.4f}"),
        (f"of the latest {changed[2]} matches: to a person then", changed[0]),
        (f"of the latest {changed[2]} matches: without a person then", changed[1]),
    ]
    print_table("Calibration", ("", ""), shown)
    rows = [(f"{x:+.2f}", f"{probability_of(x):.5f}", f"{y:+.2f}", f"{probability_of(y):.5f}") for x, y in points]
    print_table("Points", ("computed, log2 odds", "probability", "proved, log2 odds", "probability"), rows)


# --- what is printed


def _alias(alias: StoredAlias) -> dict[str, Json]:
    return {
        "alias": alias.alias_id,
        "site": alias.site,
        "source": alias.source,
        "patient_id": alias.patient_id,
        "state": alias.state.value,
        "record": alias.record_id,
        "said_by": alias.said_by,
        "said_at": alias.said_at.isoformat(),
        "seconded_by": alias.seconded_by,
        "uses": alias.uses,
        "last_used_at": alias.last_used_at.isoformat() if alias.last_used_at else None,
        "model": alias.model,
        "events": [
            {"at": at, "actor": actor, "state": state, "reason": reason} for at, actor, state, reason in _events(alias)
        ],
    }


def _events(alias: StoredAlias) -> list[tuple[str, str, str, str]]:
    return [(one.at.isoformat(), one.actor, one.state.value, one.reason.value) for one in alias.events]


def _event(event: tuple[str, str, str, str]) -> tuple[object, ...]:
    return (event[0][:16].replace("T", " "), *event[1:])


def _task(task: BlindAudit) -> dict[str, Json]:
    return {
        "blind_audit": task.task_id,
        "site": task.site,
        "record": task.record_id,
        "drawn_at": task.drawn_at.isoformat(),
        "state": task.state.value,
        "answered_by": task.answered_by,
        "agrees": task.agrees,
        "settled": task.settled.value if task.settled else None,
    }


def _person(patient: RosterPatient) -> Json:
    return {
        "patient_id": patient.patient_id,
        "name": f"{patient.family}, {patient.given}",
        "birth_date": patient.birth_date.isoformat() if patient.birth_date else None,
        "mrn": patient.mrn,
        "sex": patient.sex,
    }


def _search_index(session: Session, site: str) -> actions.PatientIndex | None:
    listed = roster.current(session, site)
    return None if listed is None else actions.PatientIndex(listed)


def _note_view(session: Session, clinic: Clinic, task_id: int) -> None:
    viewed = AuditEvent(
        actor=clinic.actor, action="blind-audit.viewed", object_kind="blind-audit", object_id=str(task_id)
    )
    audit.append(session, viewed, now=clock.now())
