"""The watched folders: what lies in them, what waits and why, and reports that come through the browser instead."""

from __future__ import annotations

from pathlib import PurePath
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from review import policies, sources
from review.access import SignedIn
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.sources import UploadRefusedError
from review.uploads import MOST_REPORT_BYTES, Upload, form_bytes
from review.viewing import note_view
from store import sightings, work_requests
from store.sightings import SightingState
from store.work_requests import WorkKind

_LISTED: Final = 100


def show_sources(request: Request, visitor: SignedIn) -> Response:
    """Every folder of the visitor's sites, the form for uploads, and what became of the latest."""
    office = office_of(request)
    sites = office.sites_seen(visitor.user)
    with office.database.session() as session:
        rows = [sources.row(session, office, one, number) for number, one in sources.seen(office, visitor)]
        uploads = work_requests.latest(session, sites=sites, kinds=(WorkKind.TAKE_REPORT,))
        note_view(session, visitor, "source.listed", "source", "all", now=office.now(), shown=len(uploads))
    return page(
        request, "sources.html", visitor=visitor, rows=rows, uploads=uploads, sites=sites,
        most_megabytes=sources.most_bytes(office) // (1024 * 1024),
    )  # fmt: skip


def show_source(request: Request, key: str, visitor: SignedIn) -> Response:
    """One folder: which files wait, are ignored or are in quarantine, and why."""
    office = office_of(request)
    number, setup = sources.known(office, visitor, key)
    with office.database.session() as session:
        files = list(sightings.known(session, setup.name).values())
        quarantine = sources.quarantine(session, setup)
        scans = work_requests.latest(
            session, sites=(setup.site,), kinds=(WorkKind.SCAN_SOURCE,), subject=setup.name, limit=1
        )
        note_view(session, visitor, "source.viewed", "source", setup.key, now=office.now(), shown=len(files))
        row = sources.row(session, office, setup, number)
    return page(
        request, "source.html", visitor=visitor, row=row, quarantine=quarantine, scan=next(iter(scans), None),
        waiting=sources.in_state(files, SightingState.PENDING), ignored=sources.in_state(files, SightingState.IGNORED),
        backlog=sources.in_state(files, SightingState.BACKLOG), name_of=lambda path: PurePath(path).name,
        listed=_LISTED,
    )  # fmt: skip


def scan(request: Request, key: str, visitor: SignedIn) -> Response:
    """Have a folder read now."""
    sources.scan(office_of(request), visitor, key)
    return go_to(f"/sources/{key}", said="scan-asked")


def take_backlog(request: Request, key: str, visitor: SignedIn) -> Response:
    """Have the files taken that were there before the first day of the folder."""
    sources.take_backlog(office_of(request), visitor, key)
    return go_to(f"/sources/{key}", said="backlog-released")


def upload(request: Request, visitor: SignedIn, form: Upload) -> Response:
    """Take report files, all of them or none, as if they had been printed into a folder of the site."""
    office = office_of(request)
    site = form.fields.get("site", "")
    if site not in office.sites_seen(visitor.user):
        raise HTTPException(404)
    try:
        sources.upload(office, visitor, site, form.files)
    except UploadRefusedError as refused:
        faults = [f"{one.file_name}: {one.words}." for one in refused.faults] or ["No file was chosen."]
        return page(request, "upload_refused.html", visitor=visitor, status=422, faults=faults)
    return go_to("/sources", said="uploaded")


ROUTES: Final = (
    Route("GET", "/sources", show_sources, policies.READS_SOURCES),
    Route("POST", "/sources/upload", upload, policies.UPLOADS, form_bytes(MOST_REPORT_BYTES)),
    Route("GET", "/sources/{key}", show_source, policies.READS_SOURCES),
    Route("POST", "/sources/{key}/scan", scan, policies.READS_SOURCES),
    Route("POST", "/sources/{key}/backlog", take_backlog, policies.READS_SOURCES),
)
