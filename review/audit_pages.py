"""The audit trail: finding events, who saw a patient, the state of the chain, and taking the trail out of the house.

The list names users, actions and numbers, no patient. Names are opened one event at a time, and every opening is an
event itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from records.errors import DecisionRefusedError
from records.patient import RosterPatient
from review import audit_actions, audit_words, policies
from review.access import Form, SignedIn, Visitor
from review.audit_names import NamedPatient, NamedRecord, named_patients, named_records
from review.audit_questions import Question, meant, question
from review.case_summary import display_name
from review.office import Office, office_of
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import audit_checking, audit_looks, audit_search, roster, users
from store.audit_checking import ChainState
from store.audit_looks import Look
from store.audit_search import EventPage
from store.database import Session

_MOST_FOUND: Final = 8
_MOST_LOOKS: Final = 500
_MOST_NAMES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What a search gave: a page of events, or patients to choose from."""

    events: EventPage | None = None
    patients: Sequence[tuple[RosterPatient, str]] = ()
    problem: str = ""


def show_audit(request: Request, visitor: SignedIn) -> Response:
    """The newest events."""
    return _audit_page(request, visitor, Question())


def search(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Find events. What is asked for may name a patient, so it comes as a form and never stands in an address."""
    return _audit_page(request, visitor, question(form))


def _audit_page(
    request: Request, visitor: Visitor, asked: Question, *, problem: str = "", status: int = 200
) -> HTMLResponse:
    office = office_of(request)
    with office.database.session() as session:
        found = _found(session, office, visitor, asked)
        chain = audit_checking.state(session)
        people = audit_search.actors(session)
        actions = audit_search.actions(session)
        roles = {user.name: user.role.value.replace("-", " ") for user in users.list_users(session)}
    return page(
        request, "audit.html", visitor=visitor, status=status, asked=asked, found=found, chain=chain, people=people,
        actions=actions, roles=roles, words=audit_words, problem=problem, zone=_zone(office, visitor),
        display_name=display_name,
    )  # fmt: skip


def _found(session: Session, office: Office, visitor: Visitor, asked: Question) -> _Found:
    what = meant(session, asked, zone=_zone(office, visitor))
    if what.wanted is not None:
        sites = visitor.user.sites
        return _Found(events=audit_search.find(session, what.wanted, sites=sites, before=asked.before))
    found: list[tuple[RosterPatient, str]] = []
    for site in office.sites_seen(visitor.user):
        index = office.rosters.index(session, site)
        found += [(patient, site) for patient in index.find(what.patient, limit=_MOST_FOUND)] if index else []
    listed = found[:_MOST_FOUND]
    note_view(
        session, visitor, "patient.searched", "audit", "all", now=office.now(), shown=len(listed),
        patients=[(site, patient.patient_id) for patient, site in listed],
    )  # fmt: skip
    return _Found(patients=listed)


def who_saw(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Every look at one patient."""
    office = office_of(request)
    site, patient_id = form.get("site", ""), form.get("patient_id", "")
    everything = form.get("everything") == "yes"
    if site not in office.sites_seen(visitor.user):
        return _audit_page(request, visitor, Question(), problem="Choose a patient of the list.", status=404)
    with office.database.session() as session:
        looks = audit_looks.who_saw(session, site=site, patient_id=patient_id, everything=everything)
        patient = roster.patient(session, site, patient_id)
        roles = {user.name: user.role.value.replace("-", " ") for user in users.list_users(session)}
        note_view(
            session, visitor, "patient.looks-viewed", "site", site, now=office.now(), shown=len(looks),
            patients=[(site, patient_id)],
        )  # fmt: skip
    return page(
        request, "audit_patient.html", visitor=visitor, looks=looks[:_MOST_LOOKS], count=len(looks), patient=patient,
        site=site, patient_id=patient_id, everything=everything, words=audit_words, people=_by_person(looks),
        roles=roles, banner=display_name(patient) if patient else "A patient who left the roster",
    )  # fmt: skip


def _by_person(looks: Sequence[Look]) -> list[tuple[str, int, Look]]:
    """Who looked, how often, and the latest look, most looks first."""
    latest: dict[str, Look] = {}
    counted: dict[str, int] = {}
    for look in looks:
        if audit_looks.is_look(look.link.event.action):
            latest.setdefault(look.link.event.actor, look)
            counted[look.link.event.actor] = counted.get(look.link.event.actor, 0) + 1
    return sorted(((who, number, latest[who]) for who, number in counted.items()), key=lambda one: -one[1])


def show_event(request: Request, seq: int, visitor: SignedIn) -> Response:
    """One event as it is kept."""
    return _event_page(request, visitor, seq, names=False)


def show_names(request: Request, seq: int, visitor: SignedIn) -> Response:
    """The same with the names of whom it is about; having opened them is an event."""
    return _event_page(request, visitor, seq, names=True)


def _event_page(request: Request, visitor: Visitor, seq: int, *, names: bool) -> HTMLResponse:
    office = office_of(request)
    sites = office.sites_seen(visitor.user)
    records: Sequence[NamedRecord] = ()
    patients: Sequence[NamedPatient] = ()
    with office.database.session() as session:
        try:
            link, line = audit_search.event(session, seq, sites=visitor.user.sites)
        except DecisionRefusedError as fault:
            return page(
                request, "message.html", visitor=visitor, status=404, heading="No such event", sentence=str(fault),
                link="/audit", link_words="Go to the audit log",
            )  # fmt: skip
        about = audit_looks.named_by(session, link)
        if names:
            records = named_records(session, sorted(about.records)[:_MOST_NAMES], sites=sites)
            patients = named_patients(session, sorted(about.patients)[:_MOST_NAMES], sites=sites)
            note_view(
                session, visitor, "audit.names-shown", "event", str(seq), now=office.now(),
                records=[one.record_id for one in records],
                patients=[(one.site, one.patient_id) for one in patients],
            )  # fmt: skip
    return page(
        request, "audit_event.html", visitor=visitor, link=link, words=audit_words, about=about, names=names,
        records=records, patients=patients, text=json.dumps(json.loads(line), indent=2, ensure_ascii=False),
        site=next(iter(sites), None), most=_MOST_NAMES,
    )  # fmt: skip


def verify(request: Request, visitor: SignedIn) -> Response:
    """Begin to follow the whole chain; a short one is followed to its end at once."""
    return go_to("/audit", said=_verified(audit_actions.verify(office_of(request), visitor)))


def _verified(state: ChainState) -> str:
    if state.under_way is not None:
        return "chain-under-way"
    return "chain-verified" if state.intact else ""


def export(request: Request, visitor: SignedIn, form: Form) -> Response:
    """The events that were asked for, as a file. Taking them out is an event itself, with its reason."""
    office = office_of(request)
    asked, reason = question(form), form.get("reason", "").strip()
    kind = "jsonl" if form.get("format") == "jsonl" else "csv"
    if not reason:
        return _audit_page(request, visitor, asked, problem="Say why the events are taken out.", status=422)
    with office.database.session() as session:
        what = meant(session, asked, zone=_zone(office, visitor))
        if what.wanted is None:
            return _audit_page(request, visitor, asked, problem="Choose events first, not a patient.", status=422)
        audit_actions.note_export(session, visitor, what.wanted, office, kind=kind, reason=reason)
    stamped = office.now().strftime("%Y%m%d-%H%M")
    return StreamingResponse(
        audit_actions.exported(office, what.wanted, visitor, kind=kind),
        media_type="application/x-ndjson" if kind == "jsonl" else "text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="audit-{stamped}.{kind}"'},
    )


def _zone(office: Office, visitor: Visitor) -> tzinfo:
    """The clocks that days and hours are meant by: those of the first site that the person sees."""
    return next((office.sites[site] for site in office.sites_seen(visitor.user)), UTC)


ROUTES: Final = (
    Route("GET", "/audit", show_audit, policies.READS_AUDIT),
    Route("POST", "/audit", search, policies.READS_AUDIT),
    Route("POST", "/audit/patient", who_saw, policies.READS_AUDIT),
    Route("POST", "/audit/verify", verify, policies.READS_AUDIT),
    Route("POST", "/audit/export", export, policies.EXPORTS_AUDIT),
    Route("GET", "/audit/{seq}", show_event, policies.READS_AUDIT),
    Route("POST", "/audit/{seq}/names", show_names, policies.READS_AUDIT),
)
