"""Destinations as they are set: file read, certificates loaded, tokens at hand; and a client for each thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from portal.access import Access, open_access
from portal.client import PortalClient
from portal.csv_drop import CsvDrop
from portal.destination import CsvDestination, Destination, HttpDestination
from portal.destination_file import TokenHeader
from portal.destination_files import load_destination
from portal.destination_patients import PatientSearch
from portal.settings import DestinationSettings
from records.errors import SettingsError
from records.submission import DestinationMode

_USUAL_RATE = 50.0
# What takes submissions to a portal.
Deliverer = PortalClient | CsvDrop


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredDestination:
    """One portal, ready to be talked to.

    Attributes:
        file: The destination file.
        access: What it is shown, and how it is trusted.
    """

    settings: DestinationSettings
    file: Destination
    access: Access

    @property
    def destination_id(self) -> str:
        """Its name in the outbox."""
        return self.settings.destination_id

    @property
    def address(self) -> str:
        """Where it is: its base URL, or its folder."""
        return str(self.settings.base_url or self.settings.folder).rstrip("/")

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
    file = load_destination(settings.file, folder=folder).with_variables(settings.variables)
    if isinstance(file, CsvDestination) != (settings.folder is not None):
        raise SettingsError(
            f"The destination file {settings.file} needs folder, not base_url."
            if isinstance(file, CsvDestination)
            else f"The destination file {settings.file} needs base_url, not folder."
        )
    if settings.folder is not None:
        settings = settings.model_copy(update={"folder": folder / settings.folder})
    header = file.token if isinstance(file, HttpDestination) else TokenHeader()
    sends = settings.mode in (DestinationMode.LIVE, DestinationMode.STAGING)
    access = open_access(settings, folder=folder, header=header, look_at_secrets=sends)
    return ConfiguredDestination(settings=settings, file=file, access=access)


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
    with destination.access.client(read_seconds=read_seconds) as http:
        yield PortalClient(
            destination=file,
            base_url=base_url,
            http=http,
            clock=clock,
            pace=pace,
            read_back=destination.settings.read_back,
        )
