"""What a person can do about a day; the pages and the command line call these."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from records.errors import DecisionRefusedError
from store import day_signing
from store.database import Database
from store.day_signing import DaySignOff
from store.day_sources import WatchedSource


def sign_day(
    database: Database,
    *,
    site: str,
    day: date,
    zone: tzinfo,
    watched: Sequence[WatchedSource],
    name: str,
    note: str,
    sha256_seen: str,
    actor: str,
    now: datetime,
) -> DaySignOff:
    """Freeze a site's day under a person's name.

    Raises:
        DecisionRefusedError: The day has not begun, the name is missing, something is open and the note is missing, or
            what is signed is not what was shown.
    """
    if day > now.astimezone(zone).date():
        raise DecisionRefusedError("This day has not begun.", next_step="Sign it when it is over.")
    with database.session() as session:
        shown = day_signing.present(session, site=site, day=day, zone=zone, watched=watched, now=now)
        return day_signing.sign(session, shown, name=name, note=note, sha256_seen=sha256_seen, actor=actor, now=now)
