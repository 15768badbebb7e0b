"""What the settings say against a mode of a destination, before anybody chooses it."""

from __future__ import annotations

from pathlib import Path

from ingest.modes_in_force import fixed
from ingest.settings import Settings
from portal.connections import configure
from records.errors import SettingsError
from records.submission import DestinationMode


def mode_faults(settings: Settings, destination: str, mode: DestinationMode, *, folder: Path) -> tuple[str, ...]:
    """What is against it, in sentences without a secret; empty if nothing is.

    Args:
        folder: Where the settings file lies; relative files of destinations start there.
    """
    known = next((d for d in settings.destination if d.destination_id == destination), None)
    if known is None:
        return (f"There is no destination {destination} in the settings.",)
    if fixed(settings, destination):
        return (f"scorebridge.toml sets the mode to {known.mode.value}: take it out there to choose it here.",)
    if mode is DestinationMode.STAGING and not known.allow_list:
        return ("Its allow_list in scorebridge.toml names no patient who may be sent.",)
    try:
        configure((known.model_copy(update={"mode": mode}),), folder=folder)
    except SettingsError as error:
        return tuple(error.message.splitlines())
    return ()
