"""One case, and the decisions about it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from records.case import RejectReason, ReviewCase
from records.errors import DecisionRefusedError
from records.patient import RosterPatient
from review import actions, locks, policies, registrations
from review.access import Form, SignedIn, Visitor
from review.actions import RejectionOutcome
from review.case_screen import Trouble, case_screen, print_of, refused, seen_case, summary_of
from review.case_walk import Walk
from review.office import Office, office_of
from review.rendering import go_to
from review.routing import Route
from review.viewing import note_view
from store import roster
from store.cases import ApprovedAs
from store.database import Session

_MOST_FOUND: Final = 6  # beside the three of the matching: nine columns, and a digit for each
_LONGEST_NOTE: Final = 1000


def show_case(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """One case with everything needed to decide it."""
    return case_screen(request, visitor, case_id, Trouble())


def row_picture(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """The printed row of a case, enlarged, below the headers of its table."""
    office = office_of(request)
    with office.database.reading() as session:
        case = seen_case(session, visitor, case_id)
        shown = print_of(session, office, case)
    with office.database.session() as session:
        note_view(session, visitor, "row.viewed", "case", str(case_id), now=office.now())
    image = office.images.parts(case.report_id, shown.strip.parts) if shown and shown.strip else None
    if image is None:
        return Response("There is no row to show.", status_code=404, media_type="text/plain")
    return Response(image.picture, media_type=image.media_type)


def approve(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Confirm the record for the chosen patient; a patient who differs is asked about once more."""
    office = office_of(request)
    patient_id = form.get("patient_id", "")
    if not patient_id:
        return case_screen(request, visitor, case_id, Trouble(sentence="Choose a patient first."))
    with office.database.reading() as session:
        case = seen_case(session, visitor, case_id)
        found = _found(office, session, case, form.get("query", ""), patient_id)
        chosen = summary_of(session, case, found).candidate(patient_id)
        following = _following(request, visitor, session, case_id)
    trouble = Trouble(
        chosen=patient_id, approved_as=form.get("approved_as", ""), query=form.get("query", ""), found=found
    )
    was_asked = form.get("confirmed") == patient_id or case.version != version_of(form)
    if chosen is not None and chosen.is_doubtful and not was_asked:
        asked = Trouble(confirm=patient_id, approved_as=trouble.approved_as, query=trouble.query, found=found)
        return case_screen(request, visitor, case_id, asked)
    try:
        approval = actions.approve(
            office.database,
            case_id,
            version=version_of(form),
            patient_id=patient_id,
            actor=visitor.user.name,
            now=office.now(),
            today=office.today(case.site),
            destinations=office.destinations_of(case.site),
            as_=_approved_as(form),
        )
    except DecisionRefusedError as refusal:
        return refused(request, visitor, case_id, refusal, trouble)
    said = {"duplicate": "known", "awaits-second": "awaits-second"}.get(approval.outcome, "approved")
    return _on_to(request, visitor, following, said=said)


def reject(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Keep the record out of the portal."""
    office = office_of(request)
    words = {str(reason): reason for reason in RejectReason}
    reason, note = words.get(form.get("reason", "")), form.get("note", "")[:_LONGEST_NOTE]
    with office.database.reading() as session:
        seen_case(session, visitor, case_id)
        following = _following(request, visitor, session, case_id)
    if reason is None:
        return case_screen(request, visitor, case_id, Trouble(sentence="Choose why the row is rejected.", note=note))
    try:
        outcome = actions.reject(
            office.database,
            case_id,
            version=version_of(form),
            reason=reason,
            note=note,
            actor=visitor.user.name,
            now=office.now(),
        )
    except DecisionRefusedError as refusal:
        return refused(request, visitor, case_id, refusal, Trouble(note=note))
    said = "rejected" if outcome is RejectionOutcome.REJECTED else "rejection-awaits-second"
    return _on_to(request, visitor, following, said=said)


def skip(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """Put the case behind the others for this person, until the day ends."""
    office = office_of(request)
    with office.database.reading() as session:
        case = seen_case(session, visitor, case_id)
        following = _following(request, visitor, session, case_id)
    try:
        actions.skip(
            office.database, case_id, actor=visitor.user.name, now=office.now(), until=office.day_ends(case.site)
        )
    except DecisionRefusedError as refusal:
        return refused(request, visitor, case_id, refusal, Trouble())
    return _on_to(request, visitor, following, said="skipped")


def not_registered(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Say that there is no such patient: the front desk registers them first."""
    office = office_of(request)
    with office.database.reading() as session:
        seen_case(session, visitor, case_id)
        following = _following(request, visitor, session, case_id)
    try:
        registrations.park(
            office.database, case_id, version=version_of(form), actor=visitor.user.name, now=office.now()
        )
    except DecisionRefusedError as refusal:
        return refused(request, visitor, case_id, refusal, Trouble())
    return _on_to(request, visitor, following, said="parked")


def take_over(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """Have a case open that somebody else had."""
    office = office_of(request)
    with office.database.reading() as session:
        seen_case(session, visitor, case_id)
    locks.take_over(office.database, case_id, actor=visitor.user.name, now=office.now())
    return go_to(f"/cases/{case_id}{Walk.of(request, visitor).query}")


def renew(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """A sign of life of the person who has the case open; says so if somebody took it over."""
    office = office_of(request)
    with office.database.reading() as session:
        seen_case(session, visitor, case_id)
    lock = locks.renew(office.database, case_id, actor=visitor.user.name, now=office.now())
    if lock.is_mine or lock.holder is None:
        return Response(status_code=204)
    sentence = f"{lock.holder} has taken this over. What you entered stays on this page, and is not saved."
    return HTMLResponse(f'<p class="bar-alert" id="bar-alert" role="alert">{escape(sentence)}</p>')


def reopen(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """Take a rejection back."""
    office = office_of(request)
    with office.database.reading() as session:
        seen_case(session, visitor, case_id)
    try:
        actions.reopen(office.database, case_id, actor=visitor.user.name, now=office.now())
    except DecisionRefusedError as refusal:
        return refused(request, visitor, case_id, refusal, Trouble())
    return go_to(f"/cases/{case_id}{Walk.of(request, visitor).query}", said="reopened")


def not_this_patient(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Rule a candidate out for this print and every later one like it."""
    office = office_of(request)
    with office.database.reading() as session:
        seen_case(session, visitor, case_id)
    try:
        actions.not_this_patient(
            office.database,
            case_id,
            form.get("patient_id", ""),
            version=version_of(form),
            actor=visitor.user.name,
            now=office.now(),
        )
    except DecisionRefusedError as refusal:
        return refused(request, visitor, case_id, refusal, Trouble())
    return go_to(f"/cases/{case_id}{Walk.of(request, visitor).query}", said="ruled-out")


def find(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Search the roster. The answer comes with this page: patient data has no place in an address."""
    office = office_of(request)
    query = form.get("query", "")[:200]
    with office.database.reading() as session:
        case = seen_case(session, visitor, case_id)
        index = office.rosters.index(session, case.site)
    found = index.find(query, limit=_MOST_FOUND) if index else ()
    with office.database.session() as session:
        people = [(case.site, patient.patient_id) for patient in found]
        note_view(
            session, visitor, "patient.searched", "case", str(case_id), now=office.now(), shown=len(found),
            patients=people,
        )  # fmt: skip
    return case_screen(request, visitor, case_id, Trouble(query=query, found=found, searched=True))


def version_of(form: Mapping[str, str]) -> int:
    """The version of the case that the person saw; -1 for what is none."""
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _following(request: Request, visitor: Visitor, session: Session, case_id: int) -> int | None:
    walk, now = Walk.of(request, visitor), office_of(request).now()
    return walk.next(session, actor=visitor.user.name, after=case_id, now=now)


def _on_to(request: Request, visitor: Visitor, case_id: int | None, *, said: str) -> Response:
    walk = Walk.of(request, visitor)
    path = f"/cases/{case_id}" if case_id is not None else "/queue"
    return go_to(f"{path}{walk.query}", said=said)


def _found(
    office: Office, session: Session, case: ReviewCase, query: str, patient_id: str
) -> tuple[RosterPatient, ...]:
    """Whom the person had found, and the one they chose of them."""
    index = office.rosters.index(session, case.site) if query else None
    found = index.find(query[:200], limit=_MOST_FOUND) if index else ()
    if any(one.patient_id == patient_id for one in found):
        return found
    if any(one.patient_id == patient_id for one in case.match.candidates[:3]):
        return found
    chosen = roster.patient(session, case.site, patient_id)
    return (*found, chosen) if chosen else found


def _approved_as(form: Mapping[str, str]) -> ApprovedAs:
    words = {str(one): one for one in ApprovedAs}
    return words.get(form.get("approved_as", ""), ApprovedAs.CONFIRMATION)


ROUTES: Final = (
    Route("GET", "/cases/{case_id}", show_case, policies.READS_PATIENTS),
    Route("GET", "/cases/{case_id}/row.png", row_picture, policies.READS_PATIENTS),
    Route("POST", "/cases/{case_id}/approve", approve, policies.DECIDES),
    Route("POST", "/cases/{case_id}/reject", reject, policies.DECIDES),
    Route("POST", "/cases/{case_id}/skip", skip, policies.DECIDES),
    Route("POST", "/cases/{case_id}/not-registered", not_registered, policies.DECIDES),
    Route("POST", "/cases/{case_id}/take-over", take_over, policies.DECIDES),
    Route("POST", "/cases/{case_id}/renew", renew, policies.DECIDES),
    Route("POST", "/cases/{case_id}/reopen", reopen, policies.DECIDES),
    Route("POST", "/cases/{case_id}/not-this-patient", not_this_patient, policies.DECIDES),
    Route("POST", "/cases/{case_id}/find", find, policies.DECIDES),
)
