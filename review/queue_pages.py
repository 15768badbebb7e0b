"""What waits for a person, as a list; taking back; and what one person has set for the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fastapi import Request, Response

from records.errors import DecisionRefusedError
from records.patient import RosterPatient
from review import pace, policies, registrations, undo
from review.access import Form, SignedIn, Visitor
from review.bulk import CaseGroup, groups
from review.case_screen import Trouble, case_screen, seen_case
from review.case_summary import case_summary, display_name, reason_sentence
from review.case_walk import Walk, cause_of
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.site_scope import NotThereError
from review.viewing import note_view
from store import cases, roster, second_words
from store.database import Session

_LISTED: Final = 50
_KINDS: Final = {
    "approved": "Approved", "rejected": "Rejected", "skipped": "Skipped", "corrected": "Corrected",
    "not-this-patient": "Ruled a patient out", "proposed": "Decided, waits for a second person",
    "parked": "Sent to the front desk",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One of a person's last decisions, for people.

    Attributes:
        why_not: Why it cannot be taken back, or empty.
    """

    decision_id: int
    case_id: int
    site: str
    words: str
    about: str
    decided_at: datetime
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A cause to go through, for people."""

    cause: str
    site: str
    words: str
    number: int
    is_safe: bool


def queue(request: Request, visitor: SignedIn, part: int = 1) -> Response:
    """What waits for a person, as a list; of one site or one cause if the address says so."""
    return _list(request, visitor, part=part, problem="")


def _list(request: Request, visitor: Visitor, *, part: int, problem: str, status: int = 200) -> Response:
    office, walk, actor = office_of(request), Walk.of(request, visitor), visitor.user.name
    start = (max(1, min(part, 10_000)) - 1) * _LISTED
    with office.database.reading() as session:
        if walk.cause:
            of_cause = walk.ids(session)
            waiting, listed = len(of_cause), cases.get_many(session, of_cause[start : start + _LISTED])
        else:
            waiting = cases.count_open(session, sites=walk.sites)
            listed = cases.list_open(session, sites=walk.sites, limit=_LISTED, offset=start)
        first = walk.next(session, actor=actor, after=None, now=office.now())
        found = [_group(one) for one in groups(session, sites=walk.sites)] if waiting else []
        past = _past(session, visitor)
        today = pace.pace_of(session, actor=actor, since=office.day_began(None))
        parked = registrations.count(session, sites=walk.sites)
        said = _who_said(session, [one.case_id for one in listed if one.critical])
    ids = [case.case_id for case in listed]
    with office.database.session() as session:
        note_view(session, visitor, "case.listed", "case", "open", now=office.now(), shown=len(ids), cases=ids)
    return page(
        request, "queue.html", visitor=visitor, status=status, cases=[case_summary(case, None) for case in listed],
        waiting=waiting, start=start, part=start // _LISTED + 1, has_more=start + len(listed) < waiting, first=first,
        groups=found, past=past, today=today, parked=parked, walk=walk, problem=problem,
        said_by=said, sites=office.sites_seen(visitor.user), back="/queue", filter=walk.query,
    )  # fmt: skip


def _who_said(session: Session, case_ids: list[int]) -> dict[int, str]:
    """Who has said what it is already where two must, so that the other one sees where they are needed."""
    words = second_words.of_cases(session, case_ids)
    return {case_id: " and ".join(word.actor for word in said) for case_id, said in words.items()}


def undo_decision(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Take one of one's last ten decisions back: the one that the page offered."""
    office, actor = office_of(request), visitor.user.name
    number, back = form.get("decision", ""), form.get("back", "")
    with office.database.reading() as session:
        foreign = [one for one in undo.recent(session, actor=actor) if not visitor.sees(one.decision.site)]
    if number in {str(one.decision.decision_id) for one in foreign}:
        raise NotThereError
    try:
        # The one that the page showed: another page of the same person may have decided something since.
        if not _is_number(number) or int(number) == 0:
            raise DecisionRefusedError("There is nothing to undo.", next_step="Nothing was changed.")
        undone = undo.undo(office.database, int(number), actor=actor, now=office.now())
    except DecisionRefusedError as refusal:
        if _is_number(back):
            return case_screen(request, visitor, int(back), Trouble(sentence=str(refusal)), status=409)
        return _list(request, visitor, part=1, problem=str(refusal), status=409)
    return go_to(f"/cases/{undone.case_id}{Walk.of(request, visitor).query}", said="undone")


def show_registrations(request: Request, visitor: SignedIn) -> Response:
    """Who is to be registered by the front desk."""
    office = office_of(request)
    with office.database.session() as session:
        parked = registrations.list_parked(session, sites=visitor.user.sites)
        note_view(session, visitor, "registration.listed", "case", "parked", now=office.now(), shown=len(parked))
    return page(request, "registrations.html", visitor=visitor, parked=parked)


def bring_back(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """Put a case back into the queue whose patient is registered by now."""
    office = office_of(request)
    with office.database.reading() as session:
        seen_case(session, visitor, case_id)
    registrations.bring_back(office.database, case_id, actor=visitor.user.name, now=office.now())
    return go_to(f"/cases/{case_id}", said="reopened")


def _group(group: CaseGroup) -> Group:
    said = " ".join(reason_sentence(code) for code in group.reasons) or f"On the report {group.file_name}"
    return Group(cause=cause_of(group), site=group.site, words=said, number=group.number, is_safe=group.is_safe)


def _past(session: Session, visitor: Visitor) -> list[Past]:
    found = [one for one in undo.recent(session, actor=visitor.user.name) if visitor.sees(one.decision.site)]
    named: dict[str, set[str]] = {}
    for one in found:
        named.setdefault(one.decision.site, set()).update([one.decision.patient_id] if one.decision.patient_id else [])
    known = {(site, one): who for site, ids in named.items() for one, who in roster.few(session, site, ids).items()}
    return [
        Past(
            decision_id=one.decision.decision_id,
            case_id=one.decision.case_id,
            site=one.decision.site,
            words=_KINDS.get(one.decision.kind, one.decision.kind),
            about=_about(session, one.decision, known),
            decided_at=one.decision.decided_at,
            why_not=one.why_not,
        )
        for one in found
    ]


def _about(session: Session, made: undo.QueueDecision, known: Mapping[tuple[str, str], RosterPatient]) -> str:
    patient = known.get((made.site, made.patient_id or ""))
    return display_name(patient) if patient else cases.get(session, made.case_id).assessment.patient.name


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


ROUTES: Final = (
    Route("GET", "/queue", queue, policies.READS_PATIENTS),
    Route("POST", "/queue/undo", undo_decision, policies.DECIDES),
    Route("GET", "/registrations", show_registrations, policies.READS_PATIENTS),
    Route("POST", "/registrations/{case_id}", bring_back, policies.DECIDES),
)
