"""How a site's list is read: as the settings file says, and where it says nothing, as a person has chosen."""

from __future__ import annotations

from ingest.roster_columns import FIELDS, fold
from ingest.roster_dates import is_date_format
from ingest.settings import SiteSettings
from records.errors import RosterError
from store import roster_layouts
from store.database import Session
from store.roster_layouts import ListLayout


def check(chosen: ListLayout) -> None:
    """Refuse a choice that is none.

    Raises:
        RosterError: A field or the date format is none that there is.
    """
    unknown = sorted(chosen.columns.keys() - set(FIELDS))
    if unknown:
        raise RosterError(f"There is no field {', '.join(unknown)}.", next_step=f"Fields are {', '.join(FIELDS)}.")
    if chosen.date_format is not None and not is_date_format(chosen.date_format):
        raise RosterError(
            "The date format does not name day, month and year.", next_step="Choose one such as %d/%m/%Y."
        )


def read_as(site: SiteSettings, chosen: ListLayout) -> SiteSettings:
    """The settings with a choice where the file says nothing: what is in the file wins, field by field.

    A header that the file gives to a field is no other field's, whatever was chosen before the file said so.
    """
    given = {fold(header) for header in site.roster_columns.values() if header}
    free = {name: header for name, header in chosen.columns.items() if not header or fold(header) not in given}
    return site.model_copy(
        update={
            "roster_columns": free | dict(site.roster_columns),
            "roster_date_format": site.roster_date_format or chosen.date_format,
        }
    )


def in_force(session: Session, site: SiteSettings) -> SiteSettings:
    """The settings with what people have chosen for the site."""
    return read_as(site, roster_layouts.in_use(session, site.id))
