"""`submission` and `destination`: what goes to the portals, and getting it going again or taking it back."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

import typer

from ingest import clock
from ingest.clinic import Clinic, opened
from ingest.commands import amending, credentials, destination_trial
from ingest.commands.options import AsJson, Config
from ingest.mode_faults import mode_faults
from ingest.modes_in_force import with_chosen_modes
from ingest.terminal import note, print_json, print_table
from portal.daily_limit import HELD_DAILY_LIMIT, day_start
from portal.settings import DestinationSettings
from records.errors import SettingsError
from records.submission import DeliveryState, DestinationMode, delivery_sentence
from store import chosen_modes, destination_modes, notices, outbox
from store.database import Session

SubmissionId = Annotated[int, typer.Argument(help="Number of the submission.")]
DestinationId = Annotated[str, typer.Argument(help="Id of the destination, as in the settings.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    submissions = typer.Typer(help="What goes to the portals.", no_args_is_help=True)
    submissions.command("list")(submission_list)
    submissions.command("resend")(submission_resend)
    submissions.command("cancel")(submission_cancel)
    amending.register(submissions)
    app.add_typer(submissions, name="submission")
    destinations = typer.Typer(help="The portals.", no_args_is_help=True)
    destinations.command("list")(destination_list)
    destinations.command("mode")(destination_mode)
    destinations.command("resume")(destination_resume)
    destinations.command("release")(destination_release)
    credentials.register(destinations)
    destination_trial.register(destinations)
    app.add_typer(destinations, name="destination")


def submission_list(
    state: Annotated[DeliveryState | None, typer.Option(help="One state only.")] = None,
    destination: Annotated[str | None, typer.Option(help="One destination only.")] = None,
    record: Annotated[int | None, typer.Option(help="One record only.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 100,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """What goes to the portals, and how far it is. Exit status 1 if something is held, unknown or dead."""
    with opened(config) as clinic, clinic.database.reading() as session:
        found, total = outbox.latest_submissions(
            session, state=state, destination=destination, record_id=record, limit=limit
        )
        counts = outbox.counts(session)
    for entry in found if as_json else ():
        print_json(
            {
                "submission": entry.submission.submission_id,
                "record": entry.submission.record_id,
                "destination": entry.submission.destination,
                "status": entry.submission.status.value,
                "state": entry.state.value,
                "reason": entry.reason,
                "attempts": entry.submission.attempts,
            }
        )
    if not as_json:
        rows = [
            (
                e.submission.submission_id,
                e.submission.record_id,
                e.submission.destination,
                e.submission.status.value,
                e.state.value,
                delivery_sentence(e.reason) if e.reason else "",
                e.submission.attempts,
            )
            for e in found
        ]
        print_table("", ("submission", "record", "destination", "status", "state", "why", "attempts"), rows)
    if len(found) < total:
        note(f"These are the latest {len(found)} of {total}. “--limit {total}” shows all.")
    stuck = (DeliveryState.HELD, DeliveryState.UNKNOWN, DeliveryState.DEAD)
    raise typer.Exit(1 if any(counts.get(s, 0) for s in stuck) else 0)


def submission_resend(submission_id: SubmissionId, config: Config = None) -> None:
    """Send a held or dead submission again."""
    with opened(config) as clinic, clinic.database.session() as session:
        outbox.resend(session, submission_id, actor=clinic.actor, now=clock.now())
    note(f"Submission {submission_id} is due again.")


def submission_cancel(
    submission_id: SubmissionId,
    done_by_hand: Annotated[
        bool, typer.Option("--done-by-hand", help="You have put the portal right yourself: give this message up.")
    ] = False,
    config: Config = None,
) -> None:
    """Take a submission back that has not been sent: it never will be, and later ones of its patient go on."""
    with opened(config) as clinic, clinic.database.session() as session:
        outbox.cancel(session, submission_id, actor=clinic.actor, now=clock.now(), done_by_hand=done_by_hand)
    note(f"Submission {submission_id} will not be sent.")


def destination_list(as_json: AsJson = False, config: Config = None) -> None:
    """The portals and how far each goes. Exit status 1 if one is paused."""
    with opened(config) as clinic, clinic.database.reading() as session:
        paused = outbox.paused(session)
        portals = with_chosen_modes(session, clinic.settings).destination
        standings = {d.destination_id: _standing(session, clinic, d) for d in portals}
    rows = [
        (
            d.destination_id,
            d.mode.value,
            *standings[d.destination_id],
            delivery_sentence(paused[d.destination_id]) if d.destination_id in paused else "",
        )
        for d in portals
    ]
    for name, mode, since, sent, waiting, why in rows if as_json else ():
        print_json(
            {
                "destination": name,
                "mode": mode,
                "since": since or None,
                "sent_today": sent,
                "held_by_daily_limit": waiting,
                "paused": paused.get(name),
                "why": why or None,
            }
        )
    if not as_json:
        columns = ("destination", "mode", "since", "sent today", "wait for tomorrow", "paused because")
        print_table("", columns, rows)
    raise typer.Exit(1 if paused else 0)


def _standing(session: Session, clinic: Clinic, portal: DestinationSettings) -> tuple[str, int, int]:
    """Since which day it is in this mode ("" before the service was started in it), values sent today, values held."""
    name, now = portal.destination_id, clock.now()
    zone = clinic.settings.site[0].zone if clinic.settings.site else UTC
    kept = destination_modes.current(session, name)
    since = kept.since.astimezone(zone).date().isoformat() if kept and kept.mode is portal.mode else ""
    sent = destination_modes.sent_since(session, name, day_start(now, zone))
    return since, sent, destination_modes.held(session, name, HELD_DAILY_LIMIT)


def destination_mode(
    destination: DestinationId,
    mode: Annotated[DestinationMode, typer.Argument(help="off, shadow, staging or live.")],
    config: Config = None,
) -> None:
    """Choose how far a destination goes, where the settings name no mode; a running service takes it up by itself.

    Refused to go live before a comparison with what staff typed is signed for every site.
    """
    with opened(config) as clinic:
        _known(clinic, destination)
        faults = mode_faults(clinic.settings, destination, mode, folder=clinic.folder)
        with clinic.database.session() as session:
            (before,) = (
                d.mode
                for d in with_chosen_modes(session, clinic.settings).destination
                if d.destination_id == destination
            )
            sites = [site.id for site in clinic.settings.site]
            chosen_modes.choose(
                session,
                destination,
                mode,
                before=before,
                faults=faults,
                sites=sites,
                actor=clinic.actor,
                now=clock.now(),
            )
    note(f"{destination} is in mode {mode.value}; it was {before.value}.")


def destination_resume(destination: DestinationId, config: Config = None) -> None:
    """Send there again, once the credential is renewed."""
    with opened(config) as clinic:
        _known(clinic, destination)
        with clinic.database.session() as session:
            outbox.resume(session, destination, actor=clinic.actor, now=clock.now())
            notices.resolve(session, "destination-paused", destination, now=clock.now())
    note(f"{destination} is sent to again.")


def destination_release(
    destination: DestinationId,
    reason: Annotated[str | None, typer.Option(help="Only what is held for this reason, for instance shadow.")] = None,
    config: Config = None,
) -> None:
    """Let what is held at a destination be tried again."""
    with opened(config) as clinic:
        _known(clinic, destination)
        with clinic.database.session() as session:
            count = outbox.release_held(session, destination, reason, actor=clinic.actor, now=clock.now())
            notices.resolve(session, "held-from-trial", destination, now=clock.now())
    note(f"{count} submissions are due again.")


def _known(clinic: Clinic, destination: str) -> None:
    known = [d.destination_id for d in clinic.settings.destination]
    if destination not in known:
        raise SettingsError(f"There is no destination {destination}.", next_step=f"There are: {', '.join(known)}.")
