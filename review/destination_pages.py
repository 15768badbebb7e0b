"""The portals: how far each is, why something waits, and stopping or resuming what is sent there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from records.submission import DeliveryState
from review import policies
from review.access import Form, SignedIn, Visitor
from review.office import Office, office_of
from review.rendering import go_to, page
from review.routing import Route
from review.setup import DestinationSetup
from review.work_pages import checks_of
from store import breakers, destination_figures, destination_modes, notices, outbox, work_requests
from store.database import Session
from store.destination_figures import DestinationFigures
from store.destination_modes import ModeSince
from store.work_requests import WorkKind, WorkRequest

_PAUSED: Final = "destination-paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRow:
    """One portal as it is at this moment.

    Attributes:
        paused: Reason code of why nothing is sent there, or None.
        open_until: It failed time after time and is left alone until then; or None.
        since: In which mode the service was last started, and since when.
        sent_today: New values since midnight at the first site.
        probe: The latest check, or None.
    """

    setup: DestinationSetup
    figures: DestinationFigures
    paused: str | None
    open_until: datetime | None
    since: ModeSince | None
    sent_today: int
    probe: WorkRequest | None


def show_destinations(request: Request, visitor: SignedIn) -> Response:
    """Every portal of the settings."""
    office = office_of(request)
    with office.database.reading() as session:
        rows = [_row(session, office, one, visitor) for one in office.setup.destinations]
    return page(request, "destinations.html", visitor=visitor, rows=rows, now=office.now())


def show_destination(request: Request, destination_id: str, visitor: SignedIn) -> Response:
    """One portal, why things wait there, and what its latest check found."""
    office = office_of(request)
    with office.database.reading() as session:
        row = _row(session, office, _known(office, destination_id), visitor)
    held = [(reason, count) for state, reason, count in row.figures.reasons if state is DeliveryState.HELD]
    return page(
        request, "destination.html", visitor=visitor, row=row, held=held, now=office.now(),
        checks=checks_of(row.probe) if row.probe else [],
    )  # fmt: skip


def pause(request: Request, destination_id: str, visitor: SignedIn) -> Response:
    """Send nothing there until somebody resumes it, whatever restarts in between."""
    office = office_of(request)
    _known(office, destination_id)
    actor, now = visitor.user.name, office.now()
    with office.database.session() as session:
        outbox.pause(session, destination_id, reason=outbox.BY_PERSON, now=now, actor=actor)
        sentence = f"Nothing is sent to {destination_id}: {actor} has paused it. Resume it on the page of destinations."
        notices.leave(session, _PAUSED, destination_id, sentence, now=now)
    return go_to(f"/destinations/{destination_id}", said="paused")


def resume(request: Request, destination_id: str, visitor: SignedIn) -> Response:
    """Send there again."""
    office = office_of(request)
    _known(office, destination_id)
    with office.database.session() as session:
        outbox.resume(session, destination_id, actor=visitor.user.name, now=office.now())
        notices.resolve(session, _PAUSED, destination_id, now=office.now())
    return go_to(f"/destinations/{destination_id}", said="resumed")


def release(request: Request, destination_id: str, visitor: SignedIn, form: Form) -> Response:
    """Let what is held for one reason be tried again."""
    office = office_of(request)
    _known(office, destination_id)
    reason = form.get("reason", "")
    with office.database.session() as session:
        outbox.release_held(
            session, destination_id, reason, sites=visitor.user.sites, actor=visitor.user.name, now=office.now()
        )
        notices.resolve(session, "held-from-trial", destination_id, now=office.now())
    return go_to(f"/destinations/{destination_id}", said="released")


def probe(request: Request, destination_id: str, visitor: SignedIn) -> Response:
    """Have the portal asked whether it does what its file says; nothing is written there."""
    office = office_of(request)
    _known(office, destination_id)
    with office.database.session() as session:
        work_requests.ask(
            session, WorkKind.PROBE_DESTINATION, destination_id, actor=visitor.user.name, now=office.now()
        )
    office.setup.work_asked()
    return go_to(f"/destinations/{destination_id}", said="asked")


def _known(office: Office, destination_id: str) -> DestinationSetup:
    setup = office.setup.destination(destination_id)
    if setup is None:
        raise HTTPException(404)
    return setup


def _row(session: Session, office: Office, setup: DestinationSetup, visitor: Visitor) -> DestinationRow:
    name = setup.destination_id
    midnight = office.local(office.now(), None).replace(hour=0, minute=0, second=0, microsecond=0)
    probes = work_requests.latest(session, sites=None, kinds=(WorkKind.PROBE_DESTINATION,), subject=name, limit=1)
    return DestinationRow(
        setup=setup,
        figures=destination_figures.figures(session, name, sites=office.sites_seen(visitor.user)),
        paused=outbox.paused(session).get(name),
        open_until=breakers.open_ones(session).get(name),
        since=destination_modes.current(session, name),
        sent_today=destination_modes.sent_since(session, name, midnight),
        probe=next(iter(probes), None),
    )


ROUTES: Final = (
    Route("GET", "/destinations", show_destinations, policies.MANAGES),
    Route("GET", "/destinations/{destination_id}", show_destination, policies.MANAGES),
    Route("POST", "/destinations/{destination_id}/pause", pause, policies.MANAGES),
    Route("POST", "/destinations/{destination_id}/resume", resume, policies.CHANGES_CLINIC),
    Route("POST", "/destinations/{destination_id}/release", release, policies.CHANGES_CLINIC),
    Route("POST", "/destinations/{destination_id}/probe", probe, policies.MANAGES),
)
