"""Submissions: the messages to the portals, and what can be done about one that does not get through."""

from __future__ import annotations

from typing import Final

from fastapi import Request

from records.submission import DeliveryState
from review import policies
from review.api.record_operations import SubmissionShown, submission_shown
from review.api.routing import ApiRoute
from review.api.shapes import After, Caller, Id, Limit, Part, Wish, Word, part
from review.office import office_of
from store import listings, outbox


class Cancelling(Wish):
    """Whether a person has put the portal right by hand: only then is a message given up that may have arrived."""

    done_by_hand: bool = False


def list_submissions(
    request: Request,
    caller: Caller,
    state: DeliveryState | None = None,
    destination: Word | None = None,
    record: Id | None = None,
    after: After = 0,
    limit: Limit = 50,
) -> Part[SubmissionShown]:
    """Messages to the portals by their id, without patient and content."""
    with office_of(request).database.reading() as session:
        found = listings.submissions_after(
            session,
            sites=caller.user.sites,
            after=after,
            limit=limit + 1,
            state=state,
            destination=destination,
            record_id=record,
        )
    return part((submission_shown(one) for one in found), key="submission_id", limit=limit)


def get_submission(request: Request, submission_id: int, caller: Caller) -> SubmissionShown:
    """One message to a portal, without patient and content."""
    del caller
    with office_of(request).database.reading() as session:
        return submission_shown(outbox.entry(session, submission_id))


def resend_submission(request: Request, submission_id: int, caller: Caller) -> SubmissionShown:
    """Try a dead or held message once more, at once."""
    office = office_of(request)
    with office.database.session() as session:
        return submission_shown(outbox.resend(session, submission_id, actor=caller.user.name, now=office.now()))


def cancel_submission(request: Request, submission_id: int, caller: Caller, wish: Cancelling) -> SubmissionShown:
    """Take a message back that is not under way."""
    office = office_of(request)
    with office.database.session() as session:
        entry = outbox.cancel(
            session, submission_id, actor=caller.user.name, now=office.now(), done_by_hand=wish.done_by_hand
        )
        return submission_shown(entry)


ROUTES: Final = (
    ApiRoute("GET", "/submissions", list_submissions, policies.READS_PATIENTS),
    ApiRoute("GET", "/submissions/{submission_id}", get_submission, policies.READS_PATIENTS),
    ApiRoute("POST", "/submissions/{submission_id}/resend", resend_submission, policies.DECIDES, changes=True),
    ApiRoute("POST", "/submissions/{submission_id}/cancel", cancel_submission, policies.DECIDES, changes=True),
)
