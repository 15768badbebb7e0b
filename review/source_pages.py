"""The watched folders: what lies in them, what waits and why, and reports that come through the browser instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from review import policies
from review.access import SignedIn, Visitor
from review.office import Office, office_of
from review.rendering import go_to, page
from review.routing import Route
from review.setup import SourceSetup
from review.uploads import MOST_REPORT_BYTES, Upload, UploadForm, form_bytes
from review.viewing import note_view
from store import backlog, reports, sightings, work_requests
from store.database import Session
from store.reports import StoredReport
from store.sightings import Sighting, SightingState
from store.work_requests import WorkKind

_LISTED: Final = 100
_ENDINGS: Final = (".pdf", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One folder as it is at this moment.

    Attributes:
        counts: Files in each state of a sighting.
        last_scan: When it was last read, or None.
        is_deaf: It has not been read for too long, or never; None where nobody knows.
        last_report: When its latest report was taken, or None.
    """

    setup: SourceSetup
    counts: Mapping[SightingState, int]
    last_scan: datetime | None
    is_deaf: bool | None
    last_report: datetime | None


def show_sources(request: Request, visitor: SignedIn) -> Response:
    """Every folder of the visitor's sites, the form for uploads, and what became of the latest."""
    office = office_of(request)
    sites = office.sites_seen(visitor.user)
    with office.database.session() as session:
        rows = [_row(session, office, one, number) for number, one in _seen(office, visitor)]
        uploads = work_requests.latest(session, sites=sites, kinds=(WorkKind.TAKE_REPORT,))
        note_view(session, visitor, "source.listed", "source", "all", now=office.now(), shown=len(uploads))
    return page(
        request, "sources.html", visitor=visitor, rows=rows, uploads=uploads, sites=sites,
        most_megabytes=_most_bytes(office) // (1024 * 1024),
    )  # fmt: skip


def show_source(request: Request, key: str, visitor: SignedIn) -> Response:
    """One folder: which files wait, are ignored or are in quarantine, and why."""
    office = office_of(request)
    number, setup = _known(office, visitor, key)
    with office.database.session() as session:
        files = list(sightings.known(session, setup.name).values())
        quarantine = _quarantine(session, setup)
        scans = work_requests.latest(
            session, sites=(setup.site,), kinds=(WorkKind.SCAN_SOURCE,), subject=setup.name, limit=1
        )
        note_view(session, visitor, "source.viewed", "source", setup.key, now=office.now(), shown=len(files))
        row = _row(session, office, setup, number)
    return page(
        request, "source.html", visitor=visitor, row=row, quarantine=quarantine, scan=next(iter(scans), None),
        waiting=_in_state(files, SightingState.PENDING), ignored=_in_state(files, SightingState.IGNORED),
        backlog=_in_state(files, SightingState.BACKLOG), name_of=lambda path: PurePath(path).name, listed=_LISTED,
    )  # fmt: skip


def scan(request: Request, key: str, visitor: SignedIn) -> Response:
    """Have a folder read now."""
    office = office_of(request)
    _, setup = _known(office, visitor, key)
    with office.database.session() as session:
        work_requests.ask(
            session, WorkKind.SCAN_SOURCE, setup.name, site=setup.site, actor=visitor.user.name, now=office.now()
        )
    office.setup.work_asked()
    return go_to(f"/sources/{key}", said="scan-asked")


def take_backlog(request: Request, key: str, visitor: SignedIn) -> Response:
    """Have the files taken that were there before the first day of the folder."""
    office = office_of(request)
    _, setup = _known(office, visitor, key)
    actor, now = visitor.user.name, office.now()
    with office.database.session() as session:
        backlog.release(session, setup.name, actor=actor, now=now)
        work_requests.ask(session, WorkKind.SCAN_SOURCE, setup.name, site=setup.site, actor=actor, now=now)
    office.setup.work_asked()
    return go_to(f"/sources/{key}", said="backlog-released")


def upload(request: Request, visitor: SignedIn, form: Upload) -> Response:
    """Take report files, all of them or none, as if they had been printed into a folder of the site."""
    office = office_of(request)
    site = form.fields.get("site", "")
    if site not in office.sites_seen(visitor.user):
        raise HTTPException(404)
    faults = _faults(form, most_bytes=_most_bytes(office))
    if faults:
        return page(request, "upload_refused.html", visitor=visitor, status=422, faults=faults)
    kept = [(file.name, office.database.archive.put(file.content)) for file in form.files]
    with office.database.session() as session:
        for name, archived in kept:
            work_requests.ask(
                session, WorkKind.TAKE_REPORT, f"{site}:upload", site=site, actor=visitor.user.name, now=office.now(),
                document=archived, file_name=name,
            )  # fmt: skip
    office.setup.work_asked()
    return go_to("/sources", said="uploaded")


def _faults(form: UploadForm, *, most_bytes: int) -> list[str]:
    if not form.files:
        return ["No file was chosen."]
    faults = []
    for file in form.files:
        if not file.name.lower().endswith(_ENDINGS):
            faults.append(f"{file.name}: only PDF and CSV files are reports.")
        elif not file.content:
            faults.append(f"{file.name}: the file is empty.")
        elif len(file.content) > most_bytes:
            faults.append(f"{file.name}: larger than {most_bytes // (1024 * 1024)} MB.")
    return faults


def _most_bytes(office: Office) -> int:
    return min(office.setup.largest_report, MOST_REPORT_BYTES)


def _seen(office: Office, visitor: Visitor) -> list[tuple[int, SourceSetup]]:
    sites = office.sites_seen(visitor.user)
    return [(number, one) for number, one in enumerate(office.setup.sources) if one.site in sites]


def _known(office: Office, visitor: Visitor, key: str) -> tuple[int, SourceSetup]:
    for number, one in _seen(office, visitor):
        if one.key == key:
            return number, one
    raise HTTPException(404)


def _row(session: Session, office: Office, setup: SourceSetup, number: int) -> SourceRow:
    scanned, is_deaf = _hearing(office, number)
    return SourceRow(
        setup=setup,
        counts=sightings.counts(session, setup.name),
        last_scan=scanned,
        is_deaf=is_deaf,
        last_report=reports.last_seen(session, setup.name),
    )


def _hearing(office: Office, number: int) -> tuple[datetime | None, bool | None]:
    """When a folder was last read and whether that is too long ago, as `/health` says."""
    listed = (office.health() if office.health else {}).get("sources")
    if not isinstance(listed, list) or number >= len(listed):
        return None, None
    scanned = listed[number].get("last_good_scan")
    return datetime.fromisoformat(scanned) if scanned else None, bool(listed[number].get("deaf"))


def _quarantine(session: Session, setup: SourceSetup) -> list[StoredReport]:
    return [one for one in reports.quarantined(session, site=setup.site) if one.source == setup.name]


def _in_state(files: Sequence[Sighting], state: SightingState) -> list[Sighting]:
    return sorted((one for one in files if one.state is state), key=lambda one: one.first_seen)


ROUTES: Final = (
    Route("GET", "/sources", show_sources, policies.READS_SOURCES),
    Route("POST", "/sources/upload", upload, policies.UPLOADS, form_bytes(MOST_REPORT_BYTES)),
    Route("GET", "/sources/{key}", show_source, policies.READS_SOURCES),
    Route("POST", "/sources/{key}/scan", scan, policies.READS_SOURCES),
    Route("POST", "/sources/{key}/backlog", take_backlog, policies.READS_SOURCES),
)
