"""`destination new-key` and `destination jwks`: the key pair a portal knows this program by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from ingest.commands.options import Config
from ingest.settings import Settings, find_config, load_settings
from ingest.terminal import note, print_json
from portal.access_settings import SmartSettings
from portal.signing_keys import Algorithm, load_signing_key, new_private_key
from records.errors import SettingsError

_OWNER_ONLY: Final = 0o600


def register(destinations: typer.Typer) -> None:
    """Add these commands to `destination`."""
    destinations.command("new-key")(destination_new_key)
    destinations.command("jwks")(destination_jwks)


def destination_new_key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes; must not exist yet.")],
    algorithm: Annotated[Algorithm, typer.Option(help="What the portal asks for.")] = "ES384",
) -> None:
    """Make a private key for SMART Backend Services, readable by its owner only."""
    private = new_private_key(algorithm)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(private)
    except FileExistsError:
        raise SettingsError(
            f"{file} exists already, and a key is never overwritten.", next_step="Name another file for the new key."
        ) from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be written ({error.strerror}).") from None
    note(f"{file} holds a new private key ({algorithm}). Name it in smart.key as file:{file.absolute()}, then give the")
    note("portal what “scorebridge destination jwks DESTINATION” prints.")


def destination_jwks(
    destination: Annotated[str, typer.Argument(help="Id of a destination, or of a site with roster_fhir.")],
    also: Annotated[
        list[Path] | None, typer.Option("--also", help="File of another key to list, while one replaces the other.")
    ] = None,
    config: Config = None,
) -> None:
    """Print the public keys of a destination as a JWK Set, to be registered at the portal."""
    smart = _smart_settings(load_settings(find_config(config)), destination)
    keys = [load_signing_key(smart.key, key_id=smart.key_id)]
    keys += [load_signing_key(f"file:{file}") for file in also or ()]
    print_json({"keys": [{**key.public_jwk()} for key in keys]})


def _smart_settings(settings: Settings, name: str) -> SmartSettings:
    """The signing settings of a destination, or of a site's roster.

    Raises:
        SettingsError: There are none.
    """
    signing = {d.destination_id: d.smart for d in settings.destination if d.smart is not None}
    rosters = {s.id: s.roster_fhir.smart for s in settings.site if s.roster_fhir and s.roster_fhir.smart}
    found = (rosters | signing).get(name)
    if found is None:
        there = ", ".join([*signing, *rosters])
        raise SettingsError(
            f"{name} signs nothing: it has no smart = {{…}} in the settings.",
            next_step=f"These sign: {there}." if there else "Set smart as in the settings reference first.",
        )
    return found
