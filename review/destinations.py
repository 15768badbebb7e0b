"""The portals, for the pages and the API: how far each is, and stopping or resuming what is sent there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from records.errors import DecisionRefusedError
from records.submission import DestinationMode
from review.access import Visitor
from review.office import Office
from review.setup import DestinationSetup
from review.site_scope import NotThereError
from review.work import ask_for
from store import breakers, chosen_modes, destination_figures, destination_modes, notices, outbox, work_requests
from store.chosen_modes import ChosenMode
from store.database import Session
from store.destination_figures import DestinationFigures
from store.destination_modes import ModeSince
from store.work_requests import WorkKind, WorkRequest

_PAUSED: Final = "destination-paused"
_SHARED: Final = "Other sites send there too, and you do not see them all."
_WHO_MAY: Final = "An administrator of all its sites can pause and resume it."


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRow:
    """One portal as it is at this moment.

    Attributes:
        mode: The mode in force.
        chosen: Who chose it and when; None where the settings file names it, or nobody has chosen.
        paused: Reason code of why nothing is sent there, or None.
        open_until: It failed time after time and is left alone until then; or None.
        since: In which mode the service was last started, and since when.
        sent_today: New values since midnight at the first site.
        probe: The latest check, or None.
    """

    setup: DestinationSetup
    mode: DestinationMode
    chosen: ChosenMode | None
    figures: DestinationFigures
    paused: str | None
    open_until: datetime | None
    since: ModeSince | None
    sent_today: int
    probe: WorkRequest | None


def known(office: Office, destination_id: str) -> DestinationSetup:
    """A portal of the settings.

    Raises:
        NotThereError: There is none with this id.
    """
    setup = office.setup.destination(destination_id)
    if setup is None:
        raise NotThereError
    return setup


def row(session: Session, office: Office, setup: DestinationSetup, visitor: Visitor) -> DestinationRow:
    """A portal as it is, with the figures of the sites that the visitor sees."""
    name = setup.destination_id
    midnight = office.local(office.now(), None).replace(hour=0, minute=0, second=0, microsecond=0)
    probes = work_requests.latest(session, sites=None, kinds=(WorkKind.PROBE_DESTINATION,), subject=name, limit=1)
    chosen = None if setup.is_mode_fixed else chosen_modes.chosen(session, name)
    return DestinationRow(
        setup=setup,
        mode=chosen.mode if chosen else setup.mode,
        chosen=chosen,
        figures=destination_figures.figures(session, name, sites=office.sites_seen(visitor.user)),
        paused=outbox.paused(session).get(name),
        open_until=breakers.open_ones(session).get(name),
        since=destination_modes.current(session, name),
        sent_today=destination_modes.sent_since(session, name, midnight),
        probe=next(iter(probes), None),
    )


def missing_for(
    session: Session, office: Office, setup: DestinationSetup, visitor: Visitor, mode: DestinationMode
) -> tuple[str, ...]:
    """What is missing before this person may have a portal in a mode, in sentences; empty if nothing is."""
    faults = _faults(office, setup, visitor, mode)
    return faults or chosen_modes.unmet(session, mode, sites=tuple(office.sites))


def choose_mode(office: Office, visitor: Visitor, destination_id: str, mode: DestinationMode) -> None:
    """Choose how far a portal goes; the service takes it up by itself.

    Raises:
        NotThereError: There is no such portal.
        DecisionRefusedError: Something is missing; the mode stays.
    """
    setup = known(office, destination_id)
    faults = _faults(office, setup, visitor, mode)
    with office.database.session() as session:
        chosen = None if setup.is_mode_fixed else chosen_modes.chosen(session, destination_id)
        chosen_modes.choose(
            session, destination_id, mode, before=chosen.mode if chosen else setup.mode, faults=faults,
            sites=() if faults else tuple(office.sites), actor=visitor.user.name, now=office.now(),
        )  # fmt: skip


def _faults(office: Office, setup: DestinationSetup, visitor: Visitor, mode: DestinationMode) -> tuple[str, ...]:
    # Another site's records go there too, and nobody is told what that site has signed.
    if not all(visitor.sees(site) for site in office.sites):
        return ("Sites that you do not see send there too: an administrator of all sites sets its mode.",)
    return office.setup.mode_faults(setup.destination_id, mode)


def why_fixed(office: Office, visitor: Visitor, destination_id: str) -> str:
    """Why the visitor may neither pause nor resume a portal, as sentences; empty if they may.

    It stops and starts what every site sends there, so it is for who sees all of these sites; where none sends there
    now, of all sites.
    """
    served = [site for site in office.sites if destination_id in office.destinations_of(site)]
    return "" if all(map(visitor.sees, served or office.sites)) else f"{_SHARED} {_WHO_MAY}"


def pause(office: Office, visitor: Visitor, destination_id: str) -> None:
    """Send nothing there until somebody resumes it, whatever restarts in between.

    Raises:
        NotThereError: There is none with this id.
        DecisionRefusedError: It serves a site that the visitor does not see.
    """
    _check_all_sites(office, visitor, destination_id)
    actor, now = visitor.user.name, office.now()
    with office.database.session() as session:
        outbox.pause(session, destination_id, reason=outbox.BY_PERSON, now=now, actor=actor)
        sentence = f"Nothing is sent to {destination_id}: {actor} has paused it. Resume it on the page of destinations."
        notices.leave(session, _PAUSED, destination_id, sentence, now=now)


def resume(office: Office, visitor: Visitor, destination_id: str) -> None:
    """Send there again.

    Raises:
        NotThereError: There is none with this id.
        DecisionRefusedError: It serves a site that the visitor does not see.
    """
    _check_all_sites(office, visitor, destination_id)
    with office.database.session() as session:
        outbox.resume(session, destination_id, actor=visitor.user.name, now=office.now())
        notices.resolve(session, _PAUSED, destination_id, now=office.now())


def release(office: Office, visitor: Visitor, destination_id: str, reason: str) -> int:
    """Let what is held for one reason be tried again; how many."""
    known(office, destination_id)
    with office.database.session() as session:
        released = outbox.release_held(
            session, destination_id, reason, sites=visitor.user.sites, actor=visitor.user.name, now=office.now()
        )
        notices.resolve(session, "held-from-trial", destination_id, now=office.now())
    return released


def probe(office: Office, visitor: Visitor, destination_id: str) -> WorkRequest:
    """Have the portal asked whether it does what its file says; nothing is written there."""
    known(office, destination_id)
    return ask_for(office, visitor, WorkKind.PROBE_DESTINATION, destination_id)


def _check_all_sites(office: Office, visitor: Visitor, destination_id: str) -> None:
    known(office, destination_id)
    if why_fixed(office, visitor, destination_id):
        raise DecisionRefusedError(_SHARED, next_step=_WHO_MAY, code="other-sites")
