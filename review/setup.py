"""How the clinic is set up, as the pages show it: what the settings say, without a secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Self

from records.errors import RosterError
from records.submission import DestinationMode
from review.list_columns import ListColumns
from store.roster_layouts import ListLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSetup:
    """One watched folder.

    Attributes:
        name: What the store calls it.
        expected_by: Local time "06:30", or "" for none.
        after: What happens to a file once it is safely kept, in words.
    """

    name: str
    site: str
    folder: str
    patterns: tuple[str, ...]
    expected_by: str
    after: str
    quiet_seconds: float
    incomplete_after: timedelta

    @property
    def key(self) -> str:
        """Its name in addresses, which say no path of the clinic's machines."""
        return sha256(self.name.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSetup:
    """What a server is shown.

    Attributes:
        words: Its kind and its place, never itself ("bearer token at env:PORTAL_TOKEN").
        changed_at: When the file that holds it was last written, or None where it is in no file.
        ends_at: When the client certificate ends, or None.
    """

    words: str
    changed_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSetup:
    """One portal of the settings.

    Attributes:
        address: Its base URL or folder.
        file: Destination file.
        mode: As the settings file names it, or the one without any choice.
        is_mode_fixed: The settings file names it, so that nobody chooses another one.
        hold: How long a decision can be undone before its value is sent.
    """

    destination_id: str
    address: str
    file: str
    mode: DestinationMode
    hold: timedelta
    daily_limit: int | None
    daily_limit_days: int
    credential: CredentialSetup
    is_mode_fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientListSetup:
    """Where a site's patients come from.

    Attributes:
        origin: The file's name or the server's host; "" if neither is set.
        max_age: An older list confirms nobody by itself.
        removed_share: 0..1, as `store.roster_diff.RosterLimits`; so is `identity_share`.
    """

    site: str
    origin: str
    max_age: timedelta
    removed_share: float
    identity_share: float

    @classmethod
    def unset(cls, site: str) -> Self:
        """Of a site whose settings nobody has given the pages."""
        return cls(site=site, origin="", max_age=timedelta(days=7), removed_share=0.1, identity_share=0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsSection:
    """One part of the settings file: a heading, and names with values as they are in force."""

    heading: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something about the running service.

    Attributes:
        is_well: False shows it as a fault, with `next_step`.
    """

    name: str
    words: str
    is_well: bool = True
    next_step: str = ""


def _nobody() -> None:
    return None


def _nothing() -> tuple[Fact, ...]:
    return ()


def _no_columns(_site: str, _content: bytes | None, _chosen: ListLayout) -> ListColumns:
    raise RosterError("No list can be looked at here.", next_step="Look at it where the service runs.")


def _no_faults(_destination_id: str, _mode: DestinationMode) -> tuple[str, ...]:
    return ()


def _no_text(_template_id: str, _revision: int) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Everything around the pages that the settings decide.

    Attributes:
        channels: Names of the channels that alerts go out by.
        largest_report: Bytes; a larger file is not taken.
        template_text: The YAML of a published revision, or None if its file cannot be read.
        mode_faults: What the settings say against a mode of a destination, in sentences.
        list_columns: The columns of a site's list with a few cells, as they are understood with what was chosen; of the
            site's usual file where no bytes are given. Raises `RosterError`.
        facts: How the service is at this moment.
        work_asked: Called once a request was committed, so that the service need not look for it.
    """

    sources: tuple[SourceSetup, ...] = ()
    destinations: tuple[DestinationSetup, ...] = ()
    patient_lists: tuple[PatientListSetup, ...] = ()
    channels: tuple[str, ...] = ()
    settings: tuple[SettingsSection, ...] = ()
    largest_report: int = 64 * 1024 * 1024
    template_text: Callable[[str, int], str | None] = _no_text
    mode_faults: Callable[[str, DestinationMode], tuple[str, ...]] = _no_faults
    list_columns: Callable[[str, bytes | None, ListLayout], ListColumns] = _no_columns
    facts: Callable[[], tuple[Fact, ...]] = _nothing
    work_asked: Callable[[], None] = _nobody

    def source(self, name: str) -> SourceSetup | None:
        """The source of a name, or None."""
        return next((one for one in self.sources if one.name == name), None)

    def destination(self, name: str) -> DestinationSetup | None:
        """The destination of an id, or None."""
        return next((one for one in self.destinations if one.destination_id == name), None)

    def patient_list(self, site: str) -> PatientListSetup | None:
        """Where a site's patients come from, or None."""
        return next((one for one in self.patient_lists if one.site == site), None)
