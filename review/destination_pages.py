"""The portals: how far each is, why something waits, and stopping or resuming what is sent there."""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response

from records.errors import DecisionRefusedError
from records.submission import DeliveryState, DestinationMode
from review import destinations, policies
from review.access import Form, SignedIn
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.work import checks_of
from store.shadow_signing import WHAT_LIVE_MEANS

MODE_WORDS: Final = {
    DestinationMode.OFF: "Nothing is sent, and new values are not meant for this portal at all.",
    DestinationMode.SHADOW: "Everything but sending: values are made and held.",
    DestinationMode.STAGING: "Values of the patients on its allow list are sent, those of others are held.",
    DestinationMode.LIVE: "Values are sent.",
}


def show_destinations(request: Request, visitor: SignedIn) -> Response:
    """Every portal of the settings."""
    office = office_of(request)
    with office.database.reading() as session:
        rows = [destinations.row(session, office, one, visitor) for one in office.setup.destinations]
    return page(request, "destinations.html", visitor=visitor, rows=rows, now=office.now())


def show_destination(request: Request, destination_id: str, visitor: SignedIn) -> Response:
    """One portal, why things wait there, and what its latest check found."""
    office = office_of(request)
    with office.database.reading() as session:
        setup = destinations.known(office, destination_id)
        row = destinations.row(session, office, setup, visitor)
        modes = [
            (
                mode,
                words,
                destinations.missing_for(session, office, setup, visitor, mode) if mode is not row.mode else (),
            )
            for mode, words in MODE_WORDS.items()
        ]
    held = [(reason, count) for state, reason, count in row.figures.reasons if state is DeliveryState.HELD]
    return page(
        request, "destination.html", visitor=visitor, row=row, held=held, now=office.now(),
        checks=checks_of(row.probe) if row.probe else [], modes=modes, in_shadow=dict(held).get("shadow", 0),
        what_live_means=WHAT_LIVE_MEANS, why_fixed=destinations.why_fixed(office, visitor, destination_id),
    )  # fmt: skip


def choose_mode(request: Request, destination_id: str, visitor: SignedIn, form: Form) -> Response:
    """Choose how far a portal goes; the service takes it up by itself."""
    mode = next((one for one in DestinationMode if one.value == form.get("mode")), None)
    if mode is None or form.get("sure") != "yes":
        raise DecisionRefusedError("Nothing was chosen, or not ticked.", next_step="Choose a mode, tick, and set it.")
    destinations.choose_mode(office_of(request), visitor, destination_id, mode)
    return go_to(f"/destinations/{destination_id}", said="mode-chosen")


def pause(request: Request, destination_id: str, visitor: SignedIn) -> Response:
    """Send nothing there until somebody resumes it, whatever restarts in between."""
    destinations.pause(office_of(request), visitor, destination_id)
    return go_to(f"/destinations/{destination_id}", said="paused")


def resume(request: Request, destination_id: str, visitor: SignedIn) -> Response:
    """Send there again."""
    destinations.resume(office_of(request), visitor, destination_id)
    return go_to(f"/destinations/{destination_id}", said="resumed")


def release(request: Request, destination_id: str, visitor: SignedIn, form: Form) -> Response:
    """Let what is held for one reason be tried again."""
    destinations.release(office_of(request), visitor, destination_id, form.get("reason", ""))
    return go_to(f"/destinations/{destination_id}", said="released")


def probe(request: Request, destination_id: str, visitor: SignedIn) -> Response:
    """Have the portal asked whether it does what its file says; nothing is written there."""
    destinations.probe(office_of(request), visitor, destination_id)
    return go_to(f"/destinations/{destination_id}", said="asked")


ROUTES: Final = (
    Route("GET", "/destinations", show_destinations, policies.MANAGES),
    Route("GET", "/destinations/{destination_id}", show_destination, policies.MANAGES),
    Route("POST", "/destinations/{destination_id}/mode", choose_mode, policies.CHANGES_CLINIC),
    Route("POST", "/destinations/{destination_id}/pause", pause, policies.MANAGES),
    Route("POST", "/destinations/{destination_id}/resume", resume, policies.CHANGES_CLINIC),
    Route("POST", "/destinations/{destination_id}/release", release, policies.CHANGES_CLINIC),
    Route("POST", "/destinations/{destination_id}/probe", probe, policies.MANAGES),
)
