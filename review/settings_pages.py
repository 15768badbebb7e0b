"""Everything about the clinic that is set or runs, from one page."""

from __future__ import annotations

from typing import Final

from fastapi import Request, Response

from review import policies
from review.access import SignedIn
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.work import ask_for, checks_of
from store import notices, work_requests
from store.work_requests import WorkKind

# Address, words, what is there. A page that nobody has made, or this person may not see, is left out.
_LINKS: Final = (
    ("/sources", "Sources", "Watched folders, what lies in them, and reports to upload."),
    ("/destinations", "Destinations", "The portals: what waits, why, and stopping or resuming."),
    ("/patient-lists", "Patient lists", "How old each is, what changed, importing and taking back."),
    ("/templates", "Templates", "What is read how, publishing, holding and rolling back."),
    ("/users", "Users", "Who may sign in, and to what."),
    ("/settings/tokens", "API tokens", "Programs that do what people do, and what each may."),
    ("/submissions", "Submissions", "Every message to a portal: where it is and why."),
    ("/patients", "Patients", "What was ever told about one patient, and to whom."),
    ("/registrations", "Registrations", "People on reports whom no list knows."),
    ("/blind-audit", "Blind audit", "Automatic matches, checked without knowing them."),
    ("/shadow", "Shadow", "What would be sent, beside what was typed."),
    ("/day/signed", "Signed days", "What was signed of each day, and what changed since."),
    ("/audit", "Audit log", "Who saw, changed and sent what."),
)


def show_settings(request: Request, visitor: SignedIn) -> Response:
    """Where to go, what the service has to say, and the settings in force."""
    office = office_of(request)
    reachable = request.app.state.pages
    links = [one for one in _LINKS if one[0] in reachable and visitor.may(reachable[one[0]])]
    with office.database.reading() as session:
        told = notices.list_open(session) if visitor.may(policies.MANAGES) else []
        tests = work_requests.latest(session, sites=None, kinds=(WorkKind.TEST_ALERT,), limit=1)
    test = next(iter(tests), None)
    return page(
        request, "settings.html", visitor=visitor, links=links, notices=told, facts=office.setup.facts(),
        channels=office.setup.channels, sections=office.setup.settings, test=test,
        checks=checks_of(test) if test else [],
    )  # fmt: skip


def test_alert(request: Request, visitor: SignedIn) -> Response:
    """Have a test message sent over every channel."""
    ask_for(office_of(request), visitor, WorkKind.TEST_ALERT, "alerts")
    return go_to("/settings", said="asked")


ROUTES: Final = (
    Route("GET", "/settings", show_settings, policies.READS_SETTINGS),
    Route("POST", "/settings/test-alert", test_alert, policies.MANAGES),
)
