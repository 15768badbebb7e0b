"""What was asked of the service, and what became of it; the folders it reads, and what it has to say."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import Request

from review import policies, sources
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Id, Limit, Shape
from review.day_view import notices_of
from review.office import office_of
from review.viewing import note_view
from review.work import ask_for, kinds_seen, work_seen
from store import sightings, work_requests
from store.sightings import SightingState
from store.work_requests import WorkKind, WorkRequest, WorkState


class Asked(Shape):
    """One thing that somebody asked of the service. It goes on by itself; ask again for its state."""

    request_id: int
    kind: WorkKind
    subject: str
    site: str | None
    asked_by: str
    asked_at: datetime
    state: WorkState
    ended_at: datetime | None
    outcome: str
    """What became of it, in a sentence; empty before that."""
    found: dict[str, str]
    """Figures and texts by name."""


class AskedList(Shape):
    """The latest requests that the token may see, newest first."""

    items: tuple[Asked, ...]


class SourceShown(Shape):
    """A watched folder."""

    key: str
    name: str
    site: str
    folder: str
    patterns: tuple[str, ...]
    expected_by: str
    files: dict[SightingState, int]
    """How many files are in each state."""
    last_scan: datetime | None
    is_deaf: bool | None
    """It has not been read for too long; null where nobody knows."""
    last_report: datetime | None


class SourceList(Shape):
    """The watched folders of the sites that the token sees."""

    items: tuple[SourceShown, ...]


class SeenFile(Shape):
    """One file that lies in a folder. Its name may be that of a patient."""

    path: str
    size: int
    state: SightingState
    first_seen: datetime
    report_id: int | None
    reason: str | None


class SourceFiles(SourceShown):
    """A watched folder with the files that are not taken, at most a thousand."""

    waiting: tuple[SeenFile, ...]


class NoticeShown(Shape):
    """Something the service has to say."""

    notice_id: int
    kind: str
    subject: str
    sentence: str
    left_at: datetime
    sent_at: datetime | None


class NoticeList(Shape):
    """What is not over, oldest first."""

    items: tuple[NoticeShown, ...]


class Health(Shape):
    """How the service is."""

    ok: bool
    parts: dict[str, object]
    """As `/health` says it."""


_MOST_FILES: Final = 1000


def list_work(request: Request, caller: Caller, limit: Limit = 50) -> AskedList:
    """The latest requests to the service."""
    office = office_of(request)
    with office.database.reading() as session:
        found = work_requests.latest(
            session, sites=office.sites_seen(caller.user), kinds=kinds_seen(caller), limit=limit
        )
    return AskedList(items=tuple(asked(one) for one in found))


def get_work(request: Request, work_id: Id, caller: Caller) -> Asked:
    """One request to the service, and what became of it."""
    return asked(work_seen(office_of(request), caller, work_id))


def list_sources(request: Request, caller: Caller) -> SourceList:
    """The watched folders."""
    office = office_of(request)
    with office.database.reading() as session:
        rows = [sources.row(session, office, one, number) for number, one in sources.seen(office, caller)]
    return SourceList(items=tuple(SourceShown.model_validate(_plain(row)) for row in rows))


def get_source(request: Request, key: str, caller: Caller) -> SourceFiles:
    """A watched folder and its files that are not taken. The look is kept in the audit trail."""
    office = office_of(request)
    number, setup = sources.known(office, caller, key)
    with office.database.session() as session:
        files = [one for one in sightings.known(session, setup.name).values() if one.state is not SightingState.TAKEN]
        row = sources.row(session, office, setup, number)
        note_view(session, caller, "source.viewed", "source", setup.key, now=office.now(), shown=len(files))
    listed = sorted(files, key=lambda one: (one.first_seen, one.path))[:_MOST_FILES]
    return SourceFiles.model_validate(_plain(row) | {"waiting": listed})


def scan_source(request: Request, key: str, caller: Caller) -> Asked:
    """Have a folder read now."""
    return asked(sources.scan(office_of(request), caller, key))


def take_source_backlog(request: Request, key: str, caller: Caller) -> Asked:
    """Have the files taken that were there before the first day of a folder."""
    return asked(sources.take_backlog(office_of(request), caller, key))


def list_notices(request: Request, caller: Caller) -> NoticeList:
    """What the service has to say about the sites that the token sees, and about none in particular."""
    office = office_of(request)
    with office.database.reading() as session:
        found = notices_of(session, office, office.sites_seen(caller.user))
    return NoticeList(items=tuple(NoticeShown.model_validate(one) for one in found))


def get_health(request: Request, caller: Caller) -> Health:
    """How the service is, as `/health` tells a monitor; always 200."""
    del caller
    ask = office_of(request).health
    told = dict(ask()) if ask else {}
    return Health(ok=told.get("ok", True) is True, parts=told)


def send_test_alert(request: Request, caller: Caller) -> Asked:
    """Have a test message sent over every channel."""
    return asked(ask_for(office_of(request), caller, WorkKind.TEST_ALERT, "alerts"))


def asked(work: WorkRequest) -> Asked:
    """A request as an answer."""
    return Asked.model_validate(work)


def _plain(row: sources.SourceRow) -> dict[str, object]:
    setup = {name: getattr(row.setup, name) for name in ("key", "name", "site", "folder", "patterns", "expected_by")}
    seen = {name: getattr(row, name) for name in ("last_scan", "is_deaf", "last_report")}
    return setup | seen | {"files": dict(row.counts)}


ROUTES: Final = (
    ApiRoute("GET", "/work", list_work, policies.ASKS_FOR_WORK),
    ApiRoute("GET", "/work-requests/{work_id}", get_work, policies.ASKS_FOR_WORK),
    ApiRoute("GET", "/sources", list_sources, policies.READS_SOURCES),
    ApiRoute("GET", "/sources/{key}", get_source, policies.READS_SOURCES),
    ApiRoute("POST", "/sources/{key}/scan", scan_source, policies.READS_SOURCES, changes=True),
    ApiRoute("POST", "/sources/{key}/backlog", take_source_backlog, policies.READS_SOURCES, changes=True),
    ApiRoute("GET", "/notices", list_notices, policies.MANAGES),
    ApiRoute("GET", "/health", get_health, policies.EVERYBODY),
    ApiRoute("POST", "/test-alert", send_test_alert, policies.MANAGES, changes=True),
)
