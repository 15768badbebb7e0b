"""Where a site's roster comes from: its file, or a FHIR server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ingest.roster_file import RosterFile, read_roster
from ingest.roster_list import RosterListing, settled, told
from ingest.settings import SiteSettings
from portal.patient_search import search_patients
from portal.settings import PatientSearchSettings
from records.errors import RosterError
from records.patient import Roster

# More entries that are nobody than this share, and the server's data or these settings are wrong.
_TOLERATED: Final = 0.05


def read_file(site: SiteSettings, path: Path) -> RosterFile:
    """A roster file as the site's settings say that it is to be read.

    Raises:
        RosterError: As `ingest.roster_file.read_roster`.
    """
    return read_roster(path, site=site.id, layout=site.roster_layout)


def read_listing(site: SiteSettings, *, now: datetime) -> RosterListing:
    """The patients of a site from where its settings say.

    Raises:
        RosterError: There is no such place, it cannot be read, or what it gives cannot be right.
    """
    if site.roster is not None:
        return read_file(site, site.roster).listing(site.roster.name)
    if site.roster_fhir is not None:
        return _found(site.roster_fhir, site=site.id, now=now)
    raise RosterError(
        f"Site {site.id} names neither a roster file nor a FHIR server.",
        next_step="Name a file, or set roster or roster_fhir in its [[site]] section.",
    )


def _found(settings: PatientSearchSettings, *, site: str, now: datetime) -> RosterListing:
    found = search_patients(settings, site=site, now=now)
    entries = len(found.patients) + found.left_out
    if found.left_out > _TOLERATED * entries:
        raise RosterError(
            f"{found.left_out} of {entries} patients of the FHIR server cannot be used: "
            f"{'; '.join(told(found.remarks, place='entry')[:5])}.",
            next_step="Check patient_id of roster_fhir, and the names in the server.",
        )
    patients, remarks = settled(found.patients, found.places, place="entry")
    return RosterListing(
        roster=Roster(site=site, patients=patients, as_of=now.astimezone(UTC)),
        source=urlsplit(settings.base_url).netloc,
        warnings=told([*found.remarks, *remarks], place="entry"),
    )
