"""A configured clinic opened for a command: its settings and its store."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from ingest.modes_in_force import served
from ingest.settings import Settings, find_config, load_settings
from store import database as databases
from store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """What a command works with.

    Attributes:
        folder: Where the settings file lies; relative files start there.
    """

    settings: Settings
    database: Database
    folder: Path

    @property
    def actor(self) -> str:
        """Who is at the keyboard, for the audit: the account the system knows."""
        try:
            return f"{getpass.getuser()}@terminal"
        except (KeyError, OSError):  # a container's account may have a number and no name
            return f"uid-{os.getuid()}@terminal"

    @property
    def destinations(self) -> tuple[str, ...]:
        """Where confirmed records go at this moment."""
        with self.database.reading() as session:
            return served(session, self.settings)

    def today(self, site: str, now: datetime) -> date:
        """Today at a site."""
        return now.astimezone(self.settings.site_settings(site).zone).date()

    def day_began(self, site: str, now: datetime) -> datetime:
        """When today began at a site."""
        return datetime.combine(self.today(site, now), time.min, tzinfo=self.settings.site_settings(site).zone)

    def day_ends(self, site: str, now: datetime) -> datetime:
        """When today ends at a site."""
        zone = self.settings.site_settings(site).zone
        return datetime.combine(self.today(site, now) + timedelta(days=1), time.min, tzinfo=zone)


@contextmanager
def opened(config: Path | None) -> Iterator[Clinic]:
    """The clinic of a settings file.

    Raises:
        SettingsError: There is no settings file, or it is wrong.
        StoreError: The database or its key is not as it must be.
    """
    path = find_config(config)
    settings = load_settings(path)
    database = databases.open_existing(settings.store)
    try:
        yield Clinic(settings=settings, database=database, folder=path.absolute().parent)
    finally:
        database.close()
