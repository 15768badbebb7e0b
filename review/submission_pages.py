"""What goes to the portals: every message with its state, and getting it going again or giving it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from records.errors import DecisionRefusedError
from records.submission import DeliveryState, delivery_sentence
from review import policies
from review.access import Form, SignedIn, Visitor
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import outbox
from store.database import Session
from store.outbox import OutboxEntry

_LISTED: Final = 100
_STATES: Final = {str(state): state for state in DeliveryState}


def show_submissions(
    request: Request, visitor: SignedIn, state: str = "", destination: str = "", before: int | None = None
) -> Response:
    """Messages of one state or all, the latest first. They name records, no patients."""
    return _list_page(request, visitor, state=state, destination=destination, before=before)


def resend(request: Request, submission_id: int, visitor: SignedIn, form: Form) -> Response:
    """Send a held or refused message once more."""
    office = office_of(request)
    try:
        with office.database.session() as session:
            record_id = _of_site(session, visitor, submission_id).submission.record_id
            outbox.resend(session, submission_id, actor=visitor.user.name, now=office.now())
    except DecisionRefusedError as refusal:
        return _list_page(request, visitor, problem=str(refusal), status=409)
    return go_to(_back(form, record_id), said="submission-resent")


def cancel(request: Request, submission_id: int, visitor: SignedIn, form: Form) -> Response:
    """Give a message up that has not been sent."""
    office = office_of(request)
    try:
        with office.database.session() as session:
            record_id = _of_site(session, visitor, submission_id).submission.record_id
            outbox.cancel(
                session, submission_id, actor=visitor.user.name, now=office.now(),
                done_by_hand=form.get("done_by_hand") == "yes",
            )  # fmt: skip
    except DecisionRefusedError as refusal:
        return _list_page(request, visitor, problem=str(refusal), refused=submission_id, status=409)
    return go_to(_back(form, record_id), said="submission-cancelled")


def _list_page(
    request: Request, visitor: Visitor, *, state: str = "", destination: str = "", before: int | None = None,
    problem: str = "", refused: int | None = None, status: int = 200,
) -> HTMLResponse:  # fmt: skip
    office = office_of(request)
    sites = office.sites_seen(visitor.user)
    with office.database.session() as session:
        listed = outbox.newest_submissions(
            session, sites=sites, state=_STATES.get(state), destination=destination or None, before=before,
            limit=_LISTED + 1,
        )  # fmt: skip
        counts = [outbox.counts(session, site) for site in sites]
        paused = outbox.paused(session)
        records = [entry.submission.record_id for entry in listed[:_LISTED]]
        note_view(
            session, visitor, "submission.listed", "submission", "all", now=office.now(), shown=len(records),
            records=records,
        )  # fmt: skip
    return page(
        request, "submissions.html", visitor=visitor, status=status, listed=listed[:_LISTED], state=state,
        destination=destination, has_more=len(listed) > _LISTED, problem=problem, refused=refused, paused=paused,
        counts={name: sum(one.get(name, 0) for one in counts) for name in _STATES},
        places=sorted({place for site in sites for place in office.destinations_of(site)}),
        delivery_sentence=delivery_sentence,
    )  # fmt: skip


def _of_site(session: Session, visitor: Visitor, submission_id: int) -> OutboxEntry:
    entry = outbox.entry(session, submission_id)
    if not visitor.sees(entry.site):
        raise DecisionRefusedError(f"There is no submission {submission_id}.", next_step="Reload the list.")
    return entry


def _back(form: Mapping[str, str], record_id: int) -> str:
    return f"/records/{record_id}" if form.get("back") == "record" else "/submissions"


ROUTES: Final = (
    Route("GET", "/submissions", show_submissions, policies.READS_PATIENTS),
    Route("POST", "/submissions/{submission_id}/resend", resend, policies.DECIDES),
    Route("POST", "/submissions/{submission_id}/cancel", cancel, policies.DECIDES),
)
