"""What the pages show of the settings: everything that is in force, and no secret."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from ingest.mode_faults import mode_faults
from ingest.roster_sample import sample_of
from ingest.settings import Settings, SiteSettings, SourceSettings
from portal.access_settings import AccessSettings
from portal.alert_settings import AlertSettings
from portal.certificate_files import certificate_end
from portal.settings import DestinationSettings
from records.errors import SettingsError
from review.setup import (
    CredentialSetup,
    DestinationSetup,
    Fact,
    PatientListSetup,
    SettingsSection,
    Setup,
    SourceSetup,
)

_MEGABYTE: Final = 1024 * 1024
_LEAST_FREE: Final = 1024**3
# Values that name a patient or may hold a secret: whether they are set is shown, nothing else.
_ONLY_WHETHER: Final = frozenset({"allow_list", "probe_patient", "variables", "database_url", "query"})
# Whoever knows the path of a webhook can often send to it.
_ONLY_HOST: Final = frozenset({"webhook"})
_LISTS: Final = ("site", "source", "destination")
_AFTER: Final = {"leave": "stays where it is", "delete": "is deleted"}


def clinic_setup(
    settings: Settings,
    *,
    folder: Path,
    health: Callable[[], Mapping[str, object]],
    work_asked: Callable[[], None],
) -> Setup:
    """The settings for the pages.

    Args:
        folder: Where the settings file lies; relative files of destinations start there.
        health: As `/health` says it.
        work_asked: Wakes whoever does what people ask for.
    """
    return Setup(
        sources=tuple(_source(one) for one in settings.source),
        destinations=tuple(_destination(one, folder=folder) for one in settings.destination),
        patient_lists=tuple(_patient_list(site) for site in settings.site),
        channels=_channels(settings),
        settings=tuple(_sections(settings)),
        largest_report=int(settings.reading.max_file_mb * _MEGABYTE),
        template_text=lambda template_id, revision: _text(settings.templates_folder, template_id, revision),
        mode_faults=lambda name, mode: mode_faults(settings, name, mode, folder=folder),
        list_columns=lambda site, content, chosen: sample_of(settings, site, content, chosen),
        facts=lambda: tuple(_facts(settings, health())),
        work_asked=work_asked,
    )


def _source(source: SourceSettings) -> SourceSetup:
    return SourceSetup(
        name=source.name,
        site=source.site,
        folder=str(source.folder),
        patterns=source.patterns,
        expected_by=f"{source.expected_by:%H:%M}" if source.expected_by else "",
        after=_AFTER.get(source.after, f"is moved to {source.move_to}"),
        quiet_seconds=source.quiet_seconds,
        incomplete_after=timedelta(minutes=source.incomplete_after_minutes),
    )


def _destination(portal: DestinationSettings, *, folder: Path) -> DestinationSetup:
    return DestinationSetup(
        destination_id=portal.destination_id,
        address=str(portal.base_url or portal.folder),
        file=Path(portal.file).name,
        mode=portal.mode,
        is_mode_fixed="mode" in portal.model_fields_set,
        hold=timedelta(minutes=portal.hold_minutes),
        daily_limit=portal.daily_limit,
        daily_limit_days=portal.daily_limit_days,
        credential=_credential(portal, folder=folder),
    )


def _credential(access: AccessSettings, *, folder: Path) -> CredentialSetup:
    words, place = _shown_to_server(access)
    return CredentialSetup(
        words=words,
        changed_at=_written_at(place),
        ends_at=_ends_at(folder / access.client_certificate) if access.client_certificate else None,
    )


def _shown_to_server(access: AccessSettings) -> tuple[str, str]:
    """In words what a server is shown, and the place of the secret."""
    if access.token is not None:
        return f"{access.token_header or 'bearer token'} at {access.token}", access.token
    if access.basic is not None:
        return f"user name and password at {access.basic.password}", access.basic.password
    if access.oauth2 is not None:
        return f"OAuth 2 client secret at {access.oauth2.client_secret}", access.oauth2.client_secret
    if access.smart is not None:
        return f"SMART signing key at {access.smart.key}", access.smart.key
    return "client certificate" if access.client_certificate else "none", ""


def _written_at(place: str) -> datetime | None:
    kind, _, path = place.partition(":")
    try:
        return datetime.fromtimestamp(Path(path).stat().st_mtime, UTC) if kind == "file" else None
    except OSError:
        return None


def _ends_at(file: Path) -> datetime | None:
    try:
        return certificate_end(file)
    except SettingsError:
        return None


def _patient_list(site: SiteSettings) -> PatientListSetup:
    origin = ""
    if site.roster is not None:
        origin = site.roster.name
    elif site.roster_fhir is not None:
        origin = urlsplit(site.roster_fhir.base_url).netloc
    return PatientListSetup(
        site=site.id,
        origin=origin,
        max_age=timedelta(hours=site.roster_max_age_hours),
        removed_share=site.roster_max_removed_share,
        identity_share=site.roster_max_identity_share,
    )


def _channels(settings: Settings) -> tuple[str, ...]:
    alerts = settings.alerts
    return tuple(one.name for one in alerts.channels) if isinstance(alerts, AlertSettings) else ()


def _sections(settings: Settings) -> Iterator[SettingsSection]:
    general = {name: value for name in type(settings).model_fields if not _is_section(value := getattr(settings, name))}
    yield SettingsSection(heading="general", values=tuple(_values(general)))
    for name in _LISTS:
        for one in getattr(settings, name):
            yield SettingsSection(heading=f"{name} {_called(one)}", values=tuple(_values(_as_named(one))))
    for name in ("matching", "reading", "web", "alerts"):
        section = getattr(settings, name)
        if isinstance(section, BaseModel):
            yield SettingsSection(heading=name, values=tuple(_values(dict(section))))


def _as_named(section: BaseModel) -> dict[str, object]:
    """The values of a section; a mode that the file does not name is not its to tell."""
    values = dict(section)
    if isinstance(section, DestinationSettings) and "mode" not in section.model_fields_set:
        values["mode"] = "chosen on the page of the destination"
    return values


def _is_section(value: object) -> bool:
    return isinstance(value, BaseModel) or (isinstance(value, tuple) and any(isinstance(v, BaseModel) for v in value))


def _called(one: object) -> str:
    for name in ("destination_id", "id", "folder"):
        if (value := getattr(one, name, None)) is not None:
            return str(value)
    return ""


def _values(section: Mapping[str, object], within: str = "") -> Iterator[tuple[str, str]]:
    for name, value in section.items():
        shown = f"{within}{name}"
        if name in _ONLY_WHETHER or isinstance(value, SecretStr):
            yield shown, _whether(value)
        elif name in _ONLY_HOST and value is not None:
            yield shown, urlsplit(str(value)).netloc
        elif isinstance(value, BaseModel):
            yield from _values(dict(value), f"{shown}.")
        elif isinstance(value, tuple) and any(isinstance(one, BaseModel) for one in value):
            for number, one in enumerate(value, start=1):
                yield from _values(dict(one), f"{shown}[{number}].")
        else:
            yield shown, _plain(value)


def _whether(value: object) -> str:
    if isinstance(value, Sequence | Mapping) and not isinstance(value, str):
        return f"{len(value)} set, not shown" if value else "not set"
    return "not set" if value is None else "set, not shown"


def _plain(value: object) -> str:
    if value is None or value == "":
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(str(one) for one in value) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {one}" for name, one in value.items()) or "none"
    return str(value)


def _text(folder: Path, template_id: str, revision: int) -> str | None:
    """The YAML of a published revision; None for a name that leads out of the folder, or a file that is gone."""
    place = folder / template_id / f"{revision}.yaml"
    if place.resolve().parent.parent != folder.resolve():
        return None
    try:
        return place.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _facts(settings: Settings, health: Mapping[str, object]) -> Iterator[Fact]:
    stopped = health.get("stopped_threads")
    names = ", ".join(str(name) for name in stopped) if isinstance(stopped, list) else ""
    yield Fact(
        name="Threads",
        words=f"Stopped: {names}" if names else "All of them run.",
        is_well=not names,
        next_step="Restart the service, and read its log for the reason." if names else "",
    )
    yield _free_space(settings.home)
    yield Fact(name="Version", words=_version())


def _free_space(home: Path) -> Fact:
    try:
        free = shutil.disk_usage(home).free
    except OSError:
        return Fact(name="Disk", words="The home folder cannot be looked at.", is_well=False, next_step="Check it.")
    is_well = free >= _LEAST_FREE
    next_step = "" if is_well else "Make room: with a full disk nothing is taken any more."
    return Fact(name="Disk", words=f"{free / 1024**3:.1f} GB free.", is_well=is_well, next_step=next_step)


def _version() -> str:
    try:
        return f"Scorebridge {version('scorebridge')}"
    except PackageNotFoundError:
        return "Scorebridge, not installed as a package"
