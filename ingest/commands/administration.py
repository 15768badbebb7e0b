"""`alert`, `backlog`, `report`, `submission`, `user`: running a clinic from a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands.options import AsJson, Config, OnlySite
from ingest.report_json import Json
from ingest.terminal import note, out, print_json, print_table
from portal.alert_settings import AlertSettings
from portal.alerting import send_test
from records.alert import AlertTelling, CriticalAlert
from records.errors import SettingsError
from records.finding import sentence
from review import actions
from store import alert_subjects, alert_tellings, alerts, reports, sightings, users
from store.sightings import Seen, SightingState
from store.users import Role


def register(app: typer.Typer) -> None:
    """Add these commands."""
    groups: tuple[tuple[str, str, dict[str, Callable[..., None]]], ...] = (
        (
            "alert",
            "Answers about self-harm.",
            {
                "list": alert_list,
                "ack": alert_ack,
                "not-this-patient": alert_not_this_patient,
                "test": alert_test,
            },
        ),
        ("backlog", "Files older than the first day of a source.", {"list": backlog_list, "process": backlog_process}),
        ("report", "Printed files.", {"list": report_list, "again": report_again, "settle": report_settle}),
        (
            "user",
            "Who may sign in to the pages.",
            {"add": user_add, "role": user_role, "password": user_password, "disable": user_disable, "list": user_list},
        ),
    )
    for name, about, commands in groups:
        group = typer.Typer(help=about, no_args_is_help=True)
        for command, function in commands.items():
            group.command(command)(function)
        app.add_typer(group, name=name)


# --- alerts


def alert_list(
    every: Annotated[bool, typer.Option("--all", help="Acknowledged ones too.")] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Answers about self-harm that nobody has acknowledged, and who was told. Exit status 1 if there are any."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = alerts.list_alerts(session, open_only=not every)
        told = {alert.alert_id: alert_tellings.of_alert(session, alert.alert_id) for alert in found}
    for alert in found if as_json else ():
        print_json(_alert_json(alert, told[alert.alert_id]))
    if not as_json:
        rows = [
            (
                a.alert_id,
                a.site,
                a.instrument,
                a.link_id,
                "unreadable" if a.points is None else a.points,
                a.raised_at.strftime("%Y-%m-%d %H:%M"),
                _told_words(a, told[a.alert_id]),
                a.acknowledged_by or "nobody yet",
            )
            for a in found
        ]
        print_table("", ("alert", "site", "instrument", "item", "answer", "raised", "told", "acknowledged"), rows)
        note("A screen answer is no risk assessment, and an answer of 0 does not exclude risk.")
    raise typer.Exit(1 if any(a.acknowledged_by is None for a in found) else 0)


def _alert_json(alert: CriticalAlert, told: Sequence[AlertTelling]) -> dict[str, Json]:
    return {
        "alert": alert.alert_id,
        "site": alert.site,
        "report": alert.report_id,
        "record": alert.record_id,
        "instrument": alert.instrument,
        "item": alert.link_id,
        "points": alert.points,
        "unverified": alert.unverified,
        "raised_at": alert.raised_at.isoformat(),
        "round": alert.round,
        "patient_ruled_out": alert.is_ruled_out,
        "notices": alert.notices,
        "acknowledged_by": alert.acknowledged_by,
        "told": [
            {
                "channel": telling.channel,
                "round": telling.round,
                "step": telling.step,
                "attempts": telling.attempts,
                "told_at": telling.told_at.isoformat() if telling.told_at else None,
                "fault": telling.fault,
            }
            for telling in told
        ],
    }


def _told_words(alert: CriticalAlert, told: Sequence[AlertTelling]) -> str:
    """The last step of each channel in this round, such as "mail 2, pager FAILS (unreachable, 7 tries)"."""
    last = {telling.channel: telling for telling in told if telling.round == alert.round}
    words = [
        f"{one.channel} {one.step}" if one.is_told else f"{one.channel} FAILS ({one.fault}, {one.attempts} tries)"
        for one in last.values()
    ]
    return ", ".join(sorted(words)) or "nobody yet"


def alert_ack(
    alert_id: Annotated[int, typer.Argument(help="Number of the alert.")],
    by: Annotated[str, typer.Option(help="Name of the person who takes it.")],
    with_note: Annotated[
        bool, typer.Option("--note", help="Ask what was done, or read it from standard input; it stays in the store.")
    ] = False,
    config: Config = None,
) -> None:
    """Take an alert: a named person answers for it, and escalation ends."""
    done = _asked_note() if with_note else ""
    with opened(config) as clinic:
        taken = actions.acknowledge_alert(clinic.database, alert_id, actor=by, now=clock.now(), note=done)
    note(f"Alert {alert_id} is taken by {taken.acknowledged_by}.")


def _asked_note() -> str:
    """What was done, from a prompt or standard input: it may name a patient, and others can see a command line."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("What was done")
        return asked
    return sys.stdin.read()


def alert_not_this_patient(
    alert_id: Annotated[int, typer.Argument(help="Number of the alert.")],
    patient: Annotated[
        str | None, typer.Option(help="Portal's id of the patient you saw, as a check; default: who is shown now.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Name of the person who says so; default: who is logged in.")] = None,
    config: Config = None,
) -> None:
    """Rule out the patient shown for an alert: what was sent is taken back, matching and telling begin anew."""
    with opened(config) as clinic:
        with clinic.database.reading() as session:
            subject = alert_subjects.subject_of(session, alerts.get(session, alert_id))
        shown = subject.patient_id if subject else None
        actions.alert_not_this_patient(
            clinic.database, alert_id, patient or shown or "", actor=by or clinic.actor, now=clock.now()
        )
    note(f"The patient is ruled out. Alert {alert_id} is open and is told anew; its record waits for review.")


def alert_test(config: Config = None) -> None:
    """Send a test notice through every channel."""
    with opened(config) as clinic:
        settings = clinic.settings.alerts
        if not isinstance(settings, AlertSettings):
            raise SettingsError("No channel for alerts is set.", next_step="Add an [alerts] section.")
        faults = send_test(settings, now=clock.now(), folder=clinic.folder)
        with clinic.database.session() as session:
            for name in [name for name, fault in faults.items() if fault is None]:
                alert_tellings.mark_working(session, name, now=clock.now())
    print_table("", ("channel", "result"), [(name, fault or "sent") for name, fault in faults.items()])
    raise typer.Exit(3 if any(faults.values()) else 0)


# --- files


def backlog_list(as_json: AsJson = False, config: Config = None) -> None:
    """Files that were there before the first day of their source. Exit status 1 if there are any."""
    with opened(config) as clinic:
        found = list(_backlog(clinic))
    for source, path in found if as_json else ():
        print_json({"source": source, "file": path})
    if not as_json:
        print_table("", ("source", "file"), found)
    raise typer.Exit(1 if found else 0)


def backlog_process(config: Config = None) -> None:
    """Take the files of the backlog like any other; the running service does so at its next scan."""
    with opened(config) as clinic:
        count = 0
        for source in clinic.settings.source:
            with clinic.database.session() as session:
                waiting = [
                    s for s in sightings.known(session, source.name).values() if s.state is SightingState.BACKLOG
                ]
                released = [
                    Seen(
                        path=s.path,
                        size=s.size,
                        mtime_ns=s.mtime_ns,
                        state=SightingState.PENDING,
                        report_id=None,
                        reason=None,
                    )
                    for s in waiting
                ]
                sightings.remember_all(session, source.name, released, now=clock.now())
                count += len(waiting)
    note(f"{count} files are taken at the next scan.")


def _backlog(clinic: Clinic) -> list[tuple[str, str]]:
    with clinic.database.reading() as session:
        return [
            (source.name, sighting.path)
            for source in clinic.settings.source
            for sighting in sightings.known(session, source.name).values()
            if sighting.state is SightingState.BACKLOG
        ]


def report_list(site: OnlySite = None, as_json: AsJson = False, config: Config = None) -> None:
    """The latest files. Exit status 1 if one is quarantined or needs attention."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = reports.recent(session, site=site)
    for report in found if as_json else ():
        print_json(
            {
                "report": report.report_id,
                "site": report.site,
                "file": report.file_name,
                "sha256": report.sha256,
                "seen_at": report.seen_at.isoformat(),
                "state": report.state.value,
                "template": report.template,
                "pages": report.pages,
                "reasons": list(report.reasons),
                "needs_attention": report.attention,
            }
        )
    if not as_json:
        rows = [
            (r.report_id, r.site, r.file_name, r.state.value, r.template, " ".join(sentence(c) for c in r.reasons))
            for r in found
        ]
        print_table("", ("report", "site", "file", "state", "template", "why"), rows)
    worry = any(r.attention or r.state is reports.ReportState.QUARANTINED for r in found)
    raise typer.Exit(1 if worry else 0)


def report_again(
    report_id: Annotated[int, typer.Argument(help="Number of the report.")], config: Config = None
) -> None:
    """Read a quarantined report once more."""
    with opened(config) as clinic:
        actions.process_again(clinic.database, report_id, actor=clinic.actor, now=clock.now())
    note(f"Report {report_id} is read again.")


def report_settle(
    report_id: Annotated[int, typer.Argument(help="Number of the report.")],
    remark: Annotated[str, typer.Option("--note", help="What was done about it.")],
    config: Config = None,
) -> None:
    """Say what was done about a report that needed attention."""
    with opened(config) as clinic:
        actions.settle_report(clinic.database, report_id, note=remark, actor=clinic.actor, now=clock.now())
    note(f"Report {report_id} is settled.")


# --- users


def user_add(
    name: Annotated[str, typer.Argument(help="Name to sign in with.")],
    role: Annotated[Role, typer.Option(help="What they may do.")],
    config: Config = None,
) -> None:
    """Add a person who may sign in; the password is asked for, or read from standard input."""
    password = _asked_password()
    with opened(config) as clinic, clinic.database.session() as session:
        users.add(session, name, password, role, actor=clinic.actor, now=clock.now())
    note(f"{name} may sign in as {role.value}.")


def _asked_password() -> str:
    """A new password, from a prompt or standard input: never from the command line, which others can see."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("Password, at least 12 characters", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().rstrip("\n")


def user_password(name: Annotated[str, typer.Argument(help="Who.")], config: Config = None) -> None:
    """Give a person another password; they are signed out everywhere, and a lock is lifted."""
    password = _asked_password()
    with opened(config) as clinic, clinic.database.session() as session:
        users.set_password(session, name, password, actor=clinic.actor, now=clock.now())
    note(f"{name} has a new password.")


def user_disable(name: Annotated[str, typer.Argument(help="Who.")], config: Config = None) -> None:
    """Keep a person out from now on."""
    with opened(config) as clinic, clinic.database.session() as session:
        users.disable(session, name, actor=clinic.actor, now=clock.now())
    note(f"{name} may not sign in any more.")


def user_role(
    name: Annotated[str, typer.Argument(help="Who.")],
    role: Annotated[Role, typer.Argument(help="What they may do from now on.")],
    config: Config = None,
) -> None:
    """Change what a person may do."""
    with opened(config) as clinic, clinic.database.session() as session:
        users.set_role(session, name, role, actor=clinic.actor, now=clock.now())
    note(f"{name} is {role.value} now.")


def user_list(as_json: AsJson = False, config: Config = None) -> None:
    """Who may sign in."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found = users.list_users(session)
    if as_json:
        for user in found:
            row: dict[str, Json] = {"name": user.name, "role": user.role.value}
            print_json(row)
    else:
        print_table("", ("name", "role"), [(user.name, user.role.value) for user in found])
    if not found:
        out.print("Nobody yet: add a person with “scorebridge user add NAME --role administrator”.")
