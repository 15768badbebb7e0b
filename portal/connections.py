"""Destinations as they are set: file read, certificates loaded, tokens at hand; and a client for each thread."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from portal.auth import ClientCredentials, PortalAuth, ReferredToken, TokenSource
from portal.client import PortalClient
from portal.csv_drop import CsvDrop
from portal.destination import CsvDestination, Destination, HttpDestination
from portal.destination_files import load_destination
from portal.destination_patients import PatientSearch
from portal.http import make_client, tls_context
from portal.settings import DestinationSettings
from records.errors import DestinationPausedError, SettingsError
from records.submission import DestinationMode

_USUAL_RATE = 50.0
# What takes submissions to a portal.
Deliverer = PortalClient | CsvDrop


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredDestination:
    """One portal, ready to be talked to.

    Attributes:
        file: The destination file.
        tokens: Where its token comes from, or None for a portal without.
    """

    settings: DestinationSettings
    file: Destination
    tls: ssl.SSLContext | None = field(repr=False)
    tokens: TokenSource | None = field(repr=False)

    @property
    def destination_id(self) -> str:
        """Its name in the outbox."""
        return self.settings.destination_id

    @property
    def patients(self) -> PatientSearch | None:
        """How the portal's own id of a patient is found, or None where the roster has it."""
        return self.file.patients if isinstance(self.file, HttpDestination) else None

    @property
    def most_in_batch(self) -> int:
        """How many new values one request may carry; 1 for a destination without batches."""
        batch = self.file.batch if isinstance(self.file, HttpDestination) else None
        return 1 if batch is None else batch.most

    @property
    def rate(self) -> float:
        """Requests per second, all threads together: as set, and never more than the portal allows."""
        allowed = self.file.rate if isinstance(self.file, HttpDestination) else None
        wanted = self.settings.rate_per_second or allowed or _USUAL_RATE
        return wanted if allowed is None else min(wanted, allowed)


def configure(settings: Sequence[DestinationSettings], *, folder: Path) -> tuple[ConfiguredDestination, ...]:
    """Everything needed to deliver, checked; relative files are relative to `folder`.

    Raises:
        SettingsError: Something is wrong; every fault of every destination is listed.
    """
    faults, ready = [], []
    seen: set[str] = set()
    for destination in settings:
        if destination.destination_id in seen:
            faults.append(f"destination {destination.destination_id}: this id is given twice")
        seen.add(destination.destination_id)
        try:
            ready.append(_configured(destination, folder=folder))
        except SettingsError as error:
            faults.append(f"destination {destination.destination_id}: {error}")
    if faults:
        raise SettingsError("\n".join(faults))
    return tuple(ready)


def _configured(settings: DestinationSettings, *, folder: Path) -> ConfiguredDestination:
    tls = None
    if settings.ca_file is not None or settings.client_certificate is not None:
        tls = tls_context(
            ca_file=_beside(settings.ca_file, folder),
            client_certificate=_beside(settings.client_certificate, folder),
            client_key=_beside(settings.client_key, folder),
        )
    tokens: TokenSource | None = None
    if settings.token is not None:
        tokens = ReferredToken(settings.token)
        if settings.mode in (DestinationMode.LIVE, DestinationMode.STAGING):
            try:
                tokens.token()
            except DestinationPausedError as error:
                raise SettingsError(error.message, next_step=error.next_step) from None
    elif settings.oauth2 is not None:
        tokens = ClientCredentials(settings.oauth2, tls=tls)
    file = load_destination(settings.file, folder=folder).with_variables(settings.variables)
    if isinstance(file, CsvDestination) != (settings.folder is not None):
        raise SettingsError(
            f"The destination file {settings.file} needs folder, not base_url."
            if isinstance(file, CsvDestination)
            else f"The destination file {settings.file} needs base_url, not folder."
        )
    if settings.folder is not None:
        settings = settings.model_copy(update={"folder": folder / settings.folder})
    return ConfiguredDestination(settings=settings, file=file, tls=tls, tokens=tokens)


def _beside(path: Path | None, folder: Path) -> Path | None:
    return None if path is None else folder / path


@contextmanager
def connected(
    destination: ConfiguredDestination,
    *,
    clock: Callable[[], datetime],
    pace: Callable[[], None] = lambda: None,
    read_seconds: float = 30.0,
) -> Iterator[Deliverer]:
    """A client for one thread, closed at the end."""
    file, base_url, drop = destination.file, destination.settings.base_url, destination.settings.folder
    if isinstance(file, CsvDestination):
        assert drop is not None, "checked when it was configured"
        yield CsvDrop(drop, clock=clock)
        return
    assert base_url is not None, "checked when it was configured"
    tokens = destination.tokens
    auth = None if tokens is None else PortalAuth(tokens, header=file.token)
    with make_client(auth=auth, tls=destination.tls, read_seconds=read_seconds) as http:
        yield PortalClient(
            destination=file,
            base_url=base_url,
            http=http,
            clock=clock,
            pace=pace,
            read_back=destination.settings.read_back,
        )
