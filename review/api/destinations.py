"""Destinations: the portals, why something waits there, and stopping or resuming what is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import Request

from records.submission import DeliveryState, DestinationMode
from review import destinations, policies
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Done, Shape, Wish, Word
from review.api.work import Asked, asked
from review.office import office_of


class HeldFor(Shape):
    """How many messages are in one state for one reason."""

    state: DeliveryState
    reason: str
    count: int


class DestinationShown(Shape):
    """A portal as it is at this moment. The figures are of the sites that the token sees."""

    destination_id: str
    address: str
    mode: DestinationMode
    """In force."""
    is_mode_fixed: bool
    """The settings file names it, so that nobody chooses another one."""
    mode_since: datetime | None
    """Since when the service runs in it; null while it does not yet."""
    credential: str
    """Its kind and its place, never itself."""
    counts: dict[DeliveryState, int]
    reasons: tuple[HeldFor, ...]
    oldest_waiting: datetime | None
    last_delivered: datetime | None
    paused: str | None
    """Reason code of why nothing is sent there."""
    open_until: datetime | None
    """It failed time after time and is left alone until then."""
    sent_today: int


class DestinationList(Shape):
    """Every portal of the settings."""

    items: tuple[DestinationShown, ...]


class ChoosingMode(Wish):
    """How far a portal goes."""

    mode: DestinationMode


class Releasing(Wish):
    """Which messages are tried again."""

    reason: Word
    """What they are held for, as a code."""


class Released(Shape):
    """How many messages are tried again."""

    released: int


def list_destinations(request: Request, caller: Caller) -> DestinationList:
    """Every portal of the settings."""
    office = office_of(request)
    with office.database.reading() as session:
        rows = [destinations.row(session, office, one, caller) for one in office.setup.destinations]
    return DestinationList(items=tuple(_shown(row) for row in rows))


def get_destination(request: Request, destination_id: str, caller: Caller) -> DestinationShown:
    """One portal."""
    office = office_of(request)
    with office.database.reading() as session:
        return _shown(destinations.row(session, office, destinations.known(office, destination_id), caller))


def choose_mode(request: Request, destination_id: str, caller: Caller, wish: ChoosingMode) -> Done:
    """Choose how far a portal goes; the service takes it up within seconds, as `mode_since` tells.

    Refused where the settings file names a mode, where something is missing, and for `live` before a comparison with
    what staff typed is signed for every site.
    """
    destinations.choose_mode(office_of(request), caller, destination_id, wish.mode)
    return Done()


def pause_destination(request: Request, destination_id: str, caller: Caller) -> Done:
    """Send nothing there until somebody resumes it, whatever restarts in between; for who sees all sites it serves."""
    destinations.pause(office_of(request), caller, destination_id)
    return Done()


def resume_destination(request: Request, destination_id: str, caller: Caller) -> Done:
    """Send there again; for who sees all sites it serves."""
    destinations.resume(office_of(request), caller, destination_id)
    return Done()


def release_held(request: Request, destination_id: str, caller: Caller, wish: Releasing) -> Released:
    """Let what is held for one reason be tried again."""
    return Released(released=destinations.release(office_of(request), caller, destination_id, wish.reason))


def probe_destination(request: Request, destination_id: str, caller: Caller) -> Asked:
    """Have a portal asked whether it does what its file says; nothing is written there."""
    return asked(destinations.probe(office_of(request), caller, destination_id))


def _shown(row: destinations.DestinationRow) -> DestinationShown:
    return DestinationShown(
        destination_id=row.setup.destination_id,
        address=row.setup.address,
        mode=row.mode,
        is_mode_fixed=row.setup.is_mode_fixed,
        mode_since=row.since.since if row.since and row.since.mode is row.mode else None,
        credential=row.setup.credential.words,
        counts=dict(row.figures.counts),
        reasons=tuple(HeldFor(state=state, reason=why, count=count) for state, why, count in row.figures.reasons),
        oldest_waiting=row.figures.oldest_waiting,
        last_delivered=row.figures.last_delivered,
        paused=row.paused,
        open_until=row.open_until,
        sent_today=row.sent_today,
    )


ROUTES: Final = (
    ApiRoute("GET", "/destinations", list_destinations, policies.MANAGES),
    ApiRoute("GET", "/destinations/{destination_id}", get_destination, policies.MANAGES),
    ApiRoute("POST", "/destinations/{destination_id}/mode", choose_mode, policies.CHANGES_CLINIC, changes=True),
    ApiRoute("POST", "/destinations/{destination_id}/pause", pause_destination, policies.MANAGES, changes=True),
    ApiRoute(
        "POST", "/destinations/{destination_id}/resume", resume_destination, policies.CHANGES_CLINIC, changes=True
    ),
    ApiRoute("POST", "/destinations/{destination_id}/release", release_held, policies.CHANGES_CLINIC, changes=True),
    ApiRoute("POST", "/destinations/{destination_id}/probe", probe_destination, policies.MANAGES, changes=True),
)
