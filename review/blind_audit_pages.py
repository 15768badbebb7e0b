"""Automatic matches checked blindly: no score, no order, and nothing that tells what the program chose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from records.errors import DecisionRefusedError
from records.patient import RosterPatient
from review import actions, policies
from review.access import Form, SignedIn, Visitor
from review.blind_people import people_shown
from review.case_summary import display_name
from review.office import Office, office_of
from review.page_views import PageView, page_view
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import blind_audit, roster
from store.blind_audit import BlindAudit, Settled, Verdict
from store.database import Session

_LISTED = 50
_MOST_FOUND = 8
_ELSEWHERE = {"-none-of-these": Verdict.NONE_OF_THESE, "-cannot-tell": Verdict.CANNOT_TELL}  # no patient ids


def show_list(request: Request, visitor: SignedIn) -> Response:
    """What is to be checked, what is to be settled, and what was found so far."""
    office = office_of(request)
    with office.database.session() as session:
        sites = visitor.user.sites
        waiting = blind_audit.list_tasks(session, sites=sites, limit=_LISTED)
        differing = blind_audit.list_tasks(session, sites=sites, unsettled=True, limit=_LISTED)
        found = blind_audit.figures(session, sites=sites)
        shown = len(waiting) + len(differing)
        records = [task.record_id for task in (*waiting, *differing)]
        note_view(
            session, visitor, "blind-audit.listed", "blind-audit", "open", now=office.now(), shown=shown,
            records=records,
        )  # fmt: skip
    return page(request, "blind_audits.html", visitor=visitor, waiting=waiting, differing=differing, audit=found)


def show_task(request: Request, task_id: int, visitor: SignedIn) -> Response:
    """One check, or what became of it."""
    return _task_page(request, visitor, task_id)


def answer(request: Request, task_id: int, visitor: SignedIn, form: Form) -> Response:
    """Take the answer; nothing is changed at a portal by it."""
    office = office_of(request)
    chosen = form.get("choice", "")
    verdict = _ELSEWHERE.get(chosen, Verdict.PATIENT)
    if not chosen:
        return _task_page(request, visitor, task_id, problem="Choose an answer first.")
    try:
        task = actions.answer_blind_audit(
            office.database,
            task_id,
            verdict,
            patient_id=chosen if verdict is Verdict.PATIENT else None,
            actor=visitor.user.name,
            now=office.now(),
        )
    except DecisionRefusedError as refusal:
        return _task_page(request, visitor, task_id, problem=str(refusal), status=409)
    if task.needs_second_look:
        return go_to(f"/blind-audit/{task_id}", said="differs")
    with office.database.reading() as session:
        following = blind_audit.list_tasks(session, sites=visitor.user.sites, limit=1)
    return go_to(f"/blind-audit/{following[0].task_id}" if following else "/blind-audit", said="answered")


def find(request: Request, task_id: int, visitor: SignedIn, form: Form) -> Response:
    """Search the roster. The answer comes with this page: patient data has no place in an address."""
    office = office_of(request)
    query = form.get("query", "")[:200]
    with office.database.session() as session:
        index = office.rosters.index(session, blind_audit.get(session, task_id).site)
        found = index.find(query, limit=_MOST_FOUND) if index else ()
        note_view(session, visitor, "patient.searched", "blind-audit", str(task_id), now=office.now(), shown=len(found))
    return _task_page(request, visitor, task_id, query=query, found=found, searched=True)


def settle(request: Request, task_id: int, visitor: SignedIn, form: Form) -> Response:
    """Take the second look at an answer that differs from the match."""
    office = office_of(request)
    words = {str(one): one for one in Settled}
    found = words.get(form.get("found", ""))
    if found is None:
        return _task_page(request, visitor, task_id, problem="Say which of them was wrong.")
    try:
        actions.settle_blind_audit(office.database, task_id, found, actor=visitor.user.name, now=office.now())
    except DecisionRefusedError as refusal:
        return _task_page(request, visitor, task_id, problem=str(refusal), status=409)
    return go_to("/blind-audit", said="settled-audit")


def _task_page(
    request: Request,
    visitor: Visitor,
    task_id: int,
    *,
    problem: str = "",
    query: str = "",
    found: Sequence[RosterPatient] = (),
    searched: bool = False,
    status: int = 200,
) -> HTMLResponse:
    office = office_of(request)
    with office.database.session() as session:
        task = blind_audit.get(session, task_id)
        people = people_shown(session, task, office.rosters.index(session, task.site))
        shown = {patient.patient_id for patient in people}
        others = [patient for patient in found if patient.patient_id not in shown]
        differing = _differing(session, task) if task.needs_second_look else ()
        all_shown = [(task.site, patient.patient_id) for patient in (*people, *others)]
        note_view(
            session, visitor, "blind-audit.viewed", "blind-audit", str(task_id), now=office.now(), patients=all_shown
        )
    return page(
        request, "blind_audit.html", visitor=visitor, status=status, task=task, problem=problem, query=query,
        searched=searched, found=len(found), differing=differing, drawn=_drawn(office, task),
        people=[(patient, display_name(patient), False) for patient in people]
        + [(patient, display_name(patient), True) for patient in others],
    )  # fmt: skip


def _differing(session: Session, task: BlindAudit) -> tuple[tuple[str, str], ...]:
    """What the program and the person said, in words."""
    program, person = blind_audit.choices(session, task.task_id)
    return (
        ("The automatic match", _named(session, task.site, program)),
        ("The blind answer", _named(session, task.site, person) if person else "none of the patients shown"),
    )


def _named(session: Session, site: str, patient_id: str) -> str:
    patient = roster.patient(session, site, patient_id)
    if patient is None:
        return "a patient who left the roster"
    born = patient.birth_date.isoformat() if patient.birth_date else "no birth date"
    return f"{display_name(patient)}, {born}, {patient.mrn or 'no record number'}"


def _drawn(office: Office, task: BlindAudit) -> PageView | None:
    number = task.assessment.page
    if number is None:
        return None
    image = office.images.page(task.report_id, number)
    return page_view(image, number, [task.assessment]) if image else None


ROUTES: Final = (
    Route("GET", "/blind-audit", show_list, policies.DECIDES),
    Route("GET", "/blind-audit/{task_id}", show_task, policies.DECIDES),
    Route("POST", "/blind-audit/{task_id}/answer", answer, policies.DECIDES),
    Route("POST", "/blind-audit/{task_id}/find", find, policies.DECIDES),
    Route("POST", "/blind-audit/{task_id}/settle", settle, policies.DECIDES),
)
