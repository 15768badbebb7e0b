"""What people asked of the service, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from records.errors import StoreError
from review import policies
from review.access import SignedIn, Visitor
from review.office import office_of
from review.rendering import page
from review.routing import Route
from store import work_requests
from store.work_requests import WorkKind, WorkRequest

KIND_WORDS: Final[Mapping[WorkKind, str]] = {
    WorkKind.SCAN_SOURCE: "Scan of a folder",
    WorkKind.TAKE_REPORT: "Uploaded report",
    WorkKind.PROBE_DESTINATION: "Check of a destination",
    WorkKind.PREVIEW_ROSTER: "Patient list, shown before it is imported",
    WorkKind.IMPORT_ROSTER: "Import of a patient list",
    WorkKind.CHECK_TEMPLATE: "Golden cases of a template",
    WorkKind.PUBLISH_TEMPLATE: "Publishing of a template",
    WorkKind.ROLL_BACK_TEMPLATE: "Roll back of a template",
    WorkKind.TEST_ALERT: "Test alert",
}
# A kind that is missing here is one that its page shows itself.
_BACK: Final[Mapping[WorkKind, tuple[str, str]]] = {
    WorkKind.SCAN_SOURCE: ("/sources", "Sources"),
    WorkKind.TAKE_REPORT: ("/sources", "Sources"),
    WorkKind.PROBE_DESTINATION: ("/destinations", "Destinations"),
    WorkKind.PREVIEW_ROSTER: ("/patient-lists", "Patient lists"),
    WorkKind.IMPORT_ROSTER: ("/patient-lists", "Patient lists"),
    WorkKind.CHECK_TEMPLATE: ("/templates", "Templates"),
    WorkKind.PUBLISH_TEMPLATE: ("/templates", "Templates"),
    WorkKind.ROLL_BACK_TEMPLATE: ("/templates", "Templates"),
    WorkKind.TEST_ALERT: ("/settings", "Settings"),
}
# Who may ask for a kind may see what became of it.
_POLICIES: Final = {
    WorkKind.SCAN_SOURCE: policies.ASKS_FOR_WORK,  # numbers only
    WorkKind.TAKE_REPORT: policies.READS_SOURCES,
    WorkKind.PROBE_DESTINATION: policies.MANAGES,
    WorkKind.PREVIEW_ROSTER: policies.MANAGES,
    WorkKind.IMPORT_ROSTER: policies.MANAGES,
    WorkKind.CHECK_TEMPLATE: policies.AUTHORS,
    WorkKind.PUBLISH_TEMPLATE: policies.AUTHORS,
    WorkKind.ROLL_BACK_TEMPLATE: policies.AUTHORS,
    WorkKind.TEST_ALERT: policies.MANAGES,
}


def show_request(request: Request, work_id: int, visitor: SignedIn) -> Response:
    """One request with its outcome."""
    found = request_seen(request, work_id, visitor)
    back, back_words = _BACK[found.kind]
    return page(
        request, "work.html", visitor=visitor, work=found, title=KIND_WORDS[found.kind], back=back,
        back_words=back_words, checks=checks_of(found),
    )  # fmt: skip


def show_state(request: Request, work_id: int, visitor: SignedIn) -> Response:
    """How far a request is, as the piece of a page that asks again until it is at its end."""
    found = request_seen(request, work_id, visitor)
    return page(request, "work_state.html", visitor=visitor, work=found)


def request_seen(request: Request, request_id: int, visitor: Visitor) -> WorkRequest:
    """A request that a visitor may see; another one does not exist for them."""
    office = office_of(request)
    try:
        with office.database.reading() as session:
            found = work_requests.get(session, request_id, sites=office.sites_seen(visitor.user))
    except StoreError:
        raise HTTPException(404) from None
    if not visitor.may(_POLICIES[found.kind]):
        raise HTTPException(404)
    return found


def checks_of(work: WorkRequest) -> list[tuple[str, str, str]]:
    """Verdict, name and words of each check that a request has made."""
    lines = [line.split("\t", 2) for line in work.found.get("checks", "").splitlines()]
    return [(verdict, name, words) for verdict, name, words in (line for line in lines if len(line) == 3)]


ROUTES: Final = (
    Route("GET", "/work/{work_id}", show_request, policies.ASKS_FOR_WORK),
    Route("GET", "/work/{work_id}/state", show_state, policies.ASKS_FOR_WORK),
)
