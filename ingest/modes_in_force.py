"""The modes of destinations: as the settings file names them, and where it names none, as people have chosen."""

from __future__ import annotations

from datetime import datetime

from ingest.settings import Settings
from records.submission import DestinationMode
from store import chosen_modes
from store.database import Session
from store.handover import SERVICE


def fixed(settings: Settings, destination: str) -> bool:
    """Whether the settings file names the mode of a destination."""
    return any(d.destination_id == destination and "mode" in d.model_fields_set for d in settings.destination)


def give_up_fixed(session: Session, settings: Settings, *, now: datetime) -> None:
    """Forget what was chosen for destinations whose mode the settings file names by now."""
    for destination in settings.destination:
        if "mode" in destination.model_fields_set:
            chosen_modes.give_up(session, destination.destination_id, actor=SERVICE, now=now)


def with_chosen_modes(session: Session, settings: Settings) -> Settings:
    """The settings with the modes in force."""
    found = {
        d.destination_id: chosen_modes.chosen(session, d.destination_id)
        for d in settings.destination
        if "mode" not in d.model_fields_set
    }
    chosen = {name: one.mode for name, one in found.items() if one is not None}
    if not chosen:
        return settings
    destinations = tuple(
        d.model_copy(update={"mode": chosen[d.destination_id]}) if d.destination_id in chosen else d
        for d in settings.destination
    )
    return settings.model_copy(update={"destination": destinations})


def served(session: Session, settings: Settings) -> tuple[str, ...]:
    """The destinations that confirmed records go to at this moment: those that are not off."""
    in_force = with_chosen_modes(session, settings).destination
    return tuple(d.destination_id for d in in_force if d.mode is not DestinationMode.OFF)
