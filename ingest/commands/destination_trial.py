"""`destination try` and `destination probe`: what would be sent, and whether the portal does what its file says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ingest import clock
from ingest.commands.options import AsJson, Config
from ingest.report_json import Json
from ingest.settings import Settings, find_config, load_settings
from ingest.terminal import note, print_json
from parsers.instrument_library import load_instruments
from portal.access import open_access
from portal.connections import configure
from portal.destination import CsvDestination, Destination, HttpDestination
from portal.destination_file import TokenHeader
from portal.destination_files import load_destination
from portal.probing import Verdict, probe
from portal.settings import DestinationSettings
from portal.trial import Trial, try_destination
from records.errors import SettingsError
from records.instrument import Instrument
from records.submission import ResultStatus

_NO_ADDRESS = "https://portal.example.org"


def register(destinations: typer.Typer) -> None:
    """Add these commands."""
    destinations.command("try")(destination_try)
    destinations.command("probe")(destination_probe)


def destination_try(
    destination: Annotated[str, typer.Argument(help="Id of a destination of the settings, or a destination file.")],
    instrument: Annotated[str, typer.Option(help="Id of an instrument, or all.")] = "phq-9",
    status: Annotated[ResultStatus | None, typer.Option(help="One status only.")] = None,
    variables: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of a variable, for a file; may be repeated.")
    ] = None,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Show what would be sent of a made-up result: method, address, headers and exact bytes. Nothing is sent.

    Exit status 1 if a record would be held.
    """
    described, base_url, token = _described(destination, variables or [], config)
    trials = list(
        try_destination(
            described,
            _instruments(instrument),
            statuses=list(ResultStatus) if status is None else [status],
            base_url=base_url,
            token=token,
            now=clock.now(),
        )
    )
    for trial in trials:
        if as_json:
            print_json(_trial_json(trial))
        else:
            _print_trial(trial)
    raise typer.Exit(1 if any(trial.held for trial in trials) else 0)


def destination_probe(
    destination: Annotated[str, typer.Argument(help="Id of a destination of the settings.")],
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Create a made-up value of probe_patient twice, correct and withdraw it; prepare a folder."
        ),
    ] = False,
    as_json: AsJson = False,
    config: Config = None,
) -> None:
    """Check a portal: credential, encryption, clock, and whether a search finds what it is asked for.

    Exit status 1 if something is wrong, 3 if the portal cannot be reached.
    """
    settings, folder = _settings(config)
    (configured,) = configure([_chosen(settings, destination)], folder=folder)
    status = 0
    for check in probe(configured, _instruments("phq-9")[0], write=write, clock=clock.now):
        if check.verdict is Verdict.FAULT:
            status = 3 if check.unreachable else max(status, 1)
        if as_json:
            print_json(
                {
                    "check": check.name,
                    "verdict": check.verdict.value,
                    "message": check.message,
                    "next_step": check.next_step or None,
                }
            )
        else:
            sys.stdout.write(f"{check.verdict.value:8} {check.name}: {check.message} {check.next_step}".rstrip() + "\n")
    raise typer.Exit(status)


def _instruments(name: str) -> list[Instrument]:
    library = load_instruments()
    if name == "all":
        return list(library.values())
    if name not in library:
        raise SettingsError(f"There is no instrument {name}.", next_step=f"Known: {', '.join(sorted(library))}, all.")
    return [library[name]]


def _described(name: str, variables: list[str], config: Path | None) -> tuple[Destination, str, TokenHeader | None]:
    """The destination, where it would be sent to, and the header of the credential, None for requests without."""
    if name.endswith((".yaml", ".yml")):
        described = load_destination(name, folder=Path.cwd())
        where = "FOLDER" if isinstance(described, CsvDestination) else _NO_ADDRESS
        token = described.token if isinstance(described, HttpDestination) else None
        return described.with_variables(_values(variables, described)), where, token
    if variables:
        raise SettingsError("Variables of a destination are in the settings.", next_step="Use --set with a file only.")
    settings, folder = _settings(config)
    chosen = _chosen(settings, name)
    described = load_destination(chosen.file, folder=folder).with_variables(chosen.variables)
    where = chosen.base_url or str(chosen.folder)
    usual = described.token if isinstance(described, HttpDestination) else TokenHeader()
    access = open_access(chosen, folder=folder, header=usual, look_at_secrets=False)
    return described, where, None if access.tokens is None else access.header


def _values(given: list[str], described: Destination) -> dict[str, str | int | bool]:
    """The variables as typed, of the kind of their defaults."""
    values: dict[str, str | int | bool] = {}
    for pair in given:
        name, sign, text = pair.partition("=")
        if not sign:
            raise SettingsError(f"--set {pair} names no value.", next_step="Write --set NAME=VALUE.")
        usual = described.variables.get(name)
        if isinstance(usual, bool) and text in ("true", "false"):
            values[name] = text == "true"
        elif isinstance(usual, int) and not isinstance(usual, bool) and text.lstrip("-").isdecimal():
            values[name] = int(text)
        else:
            values[name] = text
    return values


def _settings(config: Path | None) -> tuple[Settings, Path]:
    path = find_config(config)
    return load_settings(path), path.absolute().parent


def _chosen(settings: Settings, name: str) -> DestinationSettings:
    found = next((d for d in settings.destination if d.destination_id == name), None)
    if found is None:
        known = ", ".join(d.destination_id for d in settings.destination) or "none"
        raise SettingsError(
            f"The settings have no destination {name}.", next_step=f"Known: {known}; a file ends in .yaml."
        )
    return found


def _print_trial(trial: Trial) -> None:
    note(f"# {trial.instrument}, {trial.status.value}")
    if trial.held is not None:
        note(f"held as {trial.held.code}: {trial.held}")
        return
    head = [f"{trial.method} {trial.url}", *(f"{name}: {value}" for name, value in trial.headers.items())]
    sys.stdout.write("\n".join(head) + "\n\n")
    sys.stdout.flush()
    sys.stdout.buffer.write(trial.body + b"\n\n")
    sys.stdout.buffer.flush()


def _trial_json(trial: Trial) -> Json:
    return {
        "instrument": trial.instrument,
        "status": trial.status.value,
        "held": None if trial.held is None else trial.held.code,
        "why": None if trial.held is None else trial.held.message,
        "method": trial.method or None,
        "url": trial.url or None,
        "headers": {**trial.headers},
        "body": trial.body.decode(),
    }
