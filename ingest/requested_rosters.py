"""Lists of patients that people upload or ask for: first shown in numbers, then imported as they were shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ingest.requested_work import Outcome, Upload, content_of
from ingest.roster_columns import COSTS
from ingest.roster_file import RosterFile, roster_of
from ingest.roster_imports import import_listing
from ingest.roster_layouts import check, read_as
from ingest.roster_list import RosterListing
from ingest.roster_sources import read_file, read_listing
from ingest.settings import Settings, SiteSettings
from records.errors import RosterError
from store import roster, roster_layouts, work_requests
from store.database import Database
from store.roster_diff import RosterDiff, RosterLimits, refusal
from store.work_requests import WorkRequest

UPLOADED: Final = "an uploaded file"
_SHOWN_WARNINGS: Final = 30
_NO_LIMITS: Final = RosterLimits(removed_share=1.0, identity_share=1.0)


class RequestedRosters:
    """Shows what a list would change, and imports what was shown."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def preview(self, request: WorkRequest, now: datetime) -> Outcome:
        """What a list would change, in numbers; the list itself is kept until it is imported or a day has passed."""
        try:
            read, listing, diff = self._proposal(request, request.arguments, now)
        except RosterError as error:
            # The columns may only have to be named: the file is kept for the next look.
            return Outcome(sentence=error.message, went_well=False, upload=Upload.KEEP)
        site = self._site(request)
        refused = refusal(diff, site.roster_limits, site=site.id)
        found = _counts(diff) | _columns(read) | {
            "patients": str(len(listing.roster.patients)),
            "warnings": "\n".join(listing.warnings[:_SHOWN_WARNINGS]),
            "more_warnings": str(max(0, len(listing.warnings) - _SHOWN_WARNINGS)),
            "refused": "" if refused is None else refused.message,
        }  # fmt: skip
        said = f"{len(listing.roster.patients)} patients; nothing is changed yet."
        return Outcome(sentence=said, found=found, upload=Upload.KEEP)

    def take(self, request: WorkRequest, now: datetime) -> Outcome:
        """Import the list of a preview, if it still changes what the preview showed."""
        with self._database.reading() as session:
            shown = work_requests.get(session, int(request.arguments["preview"]), sites=None)
        _, listing, diff = self._proposal(shown, shown.arguments, now)
        site = self._site(shown)
        is_as_shown = all(shown.found.get(name) == value for name, value in _counts(diff).items())
        # A list that is in use already may be the one that a stopped service has just imported.
        if not is_as_shown and not diff.is_empty:
            return Outcome(sentence="It would change other patients than was shown. Look again.", went_well=False)
        accepted = request.arguments.get("accepted") == "yes"
        change = import_listing(
            self._database,
            site,
            listing,
            actor=request.asked_by,
            now=now,
            limits=_NO_LIMITS if accepted else site.roster_limits,
            by_hand=True,
        )
        self._keep_columns(shown, actor=request.asked_by, now=now)
        self._let_go(shown)
        return Outcome(
            sentence=f"The list is in use as version {change.version}: {change.added} patients added, "
            f"{change.changed} changed, {change.removed} removed.",
            found={"version": str(change.version)},
        )

    def _proposal(
        self, asked: WorkRequest, arguments: Mapping[str, str], now: datetime
    ) -> tuple[RosterFile | None, RosterListing, RosterDiff]:
        site = self._read_as(asked, arguments)
        read: RosterFile | None = None
        if asked.file_name is not None:
            content = content_of(self._database, asked)
            as_of = min(datetime.fromisoformat(arguments["as_of"]), now)
            read = roster_of(content, site=site.id, layout=site.roster_layout, as_of=as_of)
            listing = read.listing(UPLOADED)
        elif site.roster is not None:
            read = read_file(site, site.roster)
            listing = read.listing(site.roster.name)
        else:
            listing = read_listing(site, now=now)
        with self._database.reading() as session:
            return read, listing, roster.compare(session, site.id, listing.roster.patients)

    def _read_as(self, asked: WorkRequest, arguments: Mapping[str, str]) -> SiteSettings:
        """The site's settings with what was chosen for this list, else with what was chosen before."""
        chosen = roster_layouts.of_arguments(arguments)
        if chosen is None:
            with self._database.reading() as session:
                chosen = roster_layouts.in_use(session, asked.site or asked.subject)
        check(chosen)
        return read_as(self._site(asked), chosen)

    def _keep_columns(self, shown: WorkRequest, *, actor: str, now: datetime) -> None:
        """Read every later list of the site in the same way, once a list that was read so is in use."""
        chosen = roster_layouts.of_arguments(shown.arguments)
        if chosen is not None:
            with self._database.session() as session:
                roster_layouts.keep(session, shown.site or shown.subject, chosen, actor=actor, now=now)

    def _site(self, request: WorkRequest) -> SiteSettings:
        return self._settings.site_settings(request.site or request.subject)

    def _let_go(self, shown: WorkRequest) -> None:
        with self._database.session() as session:
            released = work_requests.let_go(session, shown.request_id)
        if released is not None:
            self._database.archive.forget(released)


def _counts(diff: RosterDiff) -> dict[str, str]:
    return {
        "present": str(diff.present),
        "added": str(len(diff.added)),
        "changed": str(len(diff.changed)),
        "removed": str(len(diff.removed)),
        "unchanged": str(diff.unchanged),
        "deactivated": str(diff.deactivated),
        "reidentified": str(diff.reidentified),
        "fields": "\n".join(f"{name}\t{count}" for name, count in diff.fields.items()),
    }


def _columns(read: RosterFile | None) -> dict[str, str]:
    if read is None:
        return {}
    return {
        "columns": "\n".join(f"{field}\t{header}" for field, header in read.columns.items()),
        "ignored": "\n".join(read.ignored),
        "missing": "\n".join(f"{field}\t{COSTS.get(field, '')}" for field in read.missing),
        "dates": read.dates,
        "other_sites": str(read.other_sites),
    }
