"""Client certificates that are about to end: the operator hears of each 30 days before, and again 7 days before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from ingest.settings import Settings
from portal.certificate_files import certificate_end
from records.errors import SettingsError
from store import notices
from store.database import Database

KIND: Final = "certificate-ends"
DAYS_BEFORE: Final = (30, 7)
_log = structlog.get_logger()


def client_certificates(settings: Settings, *, folder: Path) -> dict[str, Path]:
    """The client certificate files in use, by who is shown them; relative ones of destinations start at `folder`."""
    portals = {
        f"destination {one.destination_id}": folder / one.client_certificate
        for one in settings.destination
        if one.client_certificate is not None
    }
    rosters = {
        f"roster of {site.id}": site.roster_fhir.client_certificate
        for site in settings.site
        if site.roster_fhir is not None and site.roster_fhir.client_certificate is not None
    }
    return portals | rosters


def tell_of_ends(database: Database, files: Mapping[str, Path], *, now: datetime) -> None:
    """Leave a notice for each certificate that is near its end, and take it back once it was renewed."""
    for name, file in files.items():
        try:
            ends = certificate_end(file)
        except SettingsError as error:
            # The service holds it in memory and goes on; at the next start this is a fault of the settings.
            _log.warning("certificate.unreadable", error=type(error).__name__)
            continue
        with database.session() as session:
            for days in DAYS_BEFORE:
                subject = f"{name}: {days} days"
                if ends - now > timedelta(days=days):
                    notices.resolve(session, KIND, subject, now=now)
                else:
                    verb = "ends" if ends > now else "has ended"
                    sentence = (
                        f"The client certificate of {name} {verb} on {ends:%Y-%m-%d}: then nothing can be delivered or "
                        "fetched there. Replace its files, then restart the service."
                    )
                    notices.leave(session, KIND, subject, sentence, now=now)
