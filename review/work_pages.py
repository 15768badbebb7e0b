"""What people asked of the service, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

from review import policies
from review.access import SignedIn
from review.office import office_of
from review.rendering import page
from review.routing import Route
from review.work import checks_of, work_seen
from store.work_requests import WorkKind

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


def show_request(request: Request, work_id: int, visitor: SignedIn) -> Response:
    """One request with its outcome."""
    found = work_seen(office_of(request), visitor, work_id)
    back, back_words = _BACK[found.kind]
    return page(
        request, "work.html", visitor=visitor, work=found, title=KIND_WORDS[found.kind], back=back,
        back_words=back_words, checks=checks_of(found),
    )  # fmt: skip


def show_state(request: Request, work_id: int, visitor: SignedIn) -> Response:
    """How far a request is, as the piece of a page that asks again until it is at its end."""
    found = work_seen(office_of(request), visitor, work_id)
    return page(request, "work_state.html", visitor=visitor, work=found)


ROUTES: Final = (
    Route("GET", "/work-requests/{work_id}", show_request, policies.ASKS_FOR_WORK),
    Route("GET", "/work-requests/{work_id}/state", show_state, policies.ASKS_FOR_WORK),
)
