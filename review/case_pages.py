"""The queue, one case, and the decisions about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from parsers.instrument_library import load_instruments
from records.alert import CriticalAlert
from records.case import CaseState, RejectReason, ReviewCase
from records.errors import DecisionRefusedError, StaleCaseError
from records.patient import Roster, RosterPatient
from review import actions, policies
from review.access import Form, SignedIn, Visitor
from review.case_summary import CaseSummary, case_summary
from review.office import Office, office_of
from review.page_views import PageView, page_view
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import alerts, aliases, cases, reports, roster
from store.cases import ApprovedAs
from store.database import Session

_LISTED = 50
_LOOK_AHEAD = 200
_MOST_FOUND = 8  # side by side; whoever sees more compares none of them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """Why a form was not taken, and what the person had entered."""

    sentence: str = ""
    entered: Mapping[str, str] | None = None
    confirm: str = ""
    query: str = ""
    found: Sequence[RosterPatient] = ()
    searched: bool = False


def queue(request: Request, visitor: SignedIn, part: int = 1) -> Response:
    """What waits for a person, as a list."""
    office = office_of(request)
    start = (max(1, min(part, 10_000)) - 1) * _LISTED
    with office.database.session() as session:
        waiting = cases.count_open(session)
        listed = cases.list_open(session, limit=_LISTED, offset=start)
        ids = [case.case_id for case in listed]
        note_view(session, visitor, "case.listed", "case", "open", now=office.now(), shown=len(listed), cases=ids)
    summaries = [case_summary(case, None) for case in listed]
    return page(
        request, "queue.html", visitor=visitor, cases=summaries, waiting=waiting, start=start,
        part=start // _LISTED + 1, has_more=start + len(listed) < waiting,
    )  # fmt: skip


def show_case(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """One case with everything needed to decide it."""
    with office_of(request).database.reading() as session:
        if not _exists(session, case_id):
            return page(
                request, "message.html", visitor=visitor, status=404, heading="No such case",
                sentence=f"There is no case {case_id}.", link="/queue", link_words="Go to the queue",
            )  # fmt: skip
    return _case_page(request, visitor, case_id, _Trouble())


def approve(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Confirm the record for the chosen patient; a patient who differs is asked about once more."""
    office = office_of(request)
    patient_id = form.get("patient_id", "")
    if not patient_id:
        return _case_page(request, visitor, case_id, _Trouble(sentence="Choose a patient first."))
    with office.database.reading() as session:
        case = cases.get(session, case_id)
        summary = _summary(session, case, _chosen(session, case, patient_id))
    chosen = summary.candidate(patient_id)
    was_asked = form.get("confirmed") == patient_id or case.version != _version(form)
    if chosen is not None and chosen.is_doubtful and not was_asked:
        found = _patients(office, case, patient_id) if chosen.found else ()
        return _case_page(request, visitor, case_id, _Trouble(confirm=patient_id, found=found))
    try:
        approval = actions.approve(
            office.database,
            case_id,
            version=_version(form),
            patient_id=patient_id,
            actor=visitor.user.name,
            now=office.now(),
            today=office.today(case.site),
            destinations=office.destinations_of(case.site),
            as_=_approved_as(form),
        )
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, case_id, refusal, _Trouble(found=_patients(office, case, patient_id)))
    said = {"duplicate": "known", "awaits-second": "awaits-second"}.get(approval.outcome, "approved")
    return _on_to_the_next(office, said=said)


def correct(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Change values that were read wrongly."""
    office = office_of(request)
    with office.database.reading() as session:
        case = cases.get(session, case_id)
    try:
        actions.correct(
            office.database,
            case_id,
            version=_version(form),
            changes=_changes(case, form),
            actor=visitor.user.name,
            now=office.now(),
            today=office.today(case.site),
        )
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, case_id, refusal, _Trouble(entered=form))
    return go_to(f"/cases/{case_id}", said="corrected")


def reject(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Keep the record out of the portal."""
    office = office_of(request)
    words = {str(reason): reason for reason in RejectReason}
    reason = words.get(form.get("reason", ""))
    if reason is None:
        return _case_page(request, visitor, case_id, _Trouble(sentence="Choose why the row is rejected."))
    try:
        actions.reject(
            office.database,
            case_id,
            version=_version(form),
            reason=reason,
            note=form.get("note", "")[:1000],
            actor=visitor.user.name,
            now=office.now(),
        )
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, case_id, refusal, _Trouble())
    return _on_to_the_next(office, said="rejected")


def reopen(request: Request, case_id: int, visitor: SignedIn) -> Response:
    """Take a rejection back."""
    office = office_of(request)
    try:
        actions.reopen(office.database, case_id, actor=visitor.user.name, now=office.now())
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, case_id, refusal, _Trouble())
    return go_to(f"/cases/{case_id}", said="reopened")


def not_this_patient(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Rule a candidate out for this print and every later one like it."""
    office = office_of(request)
    try:
        actions.not_this_patient(
            office.database,
            case_id,
            form.get("patient_id", ""),
            version=_version(form),
            actor=visitor.user.name,
            now=office.now(),
        )
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, case_id, refusal, _Trouble())
    return go_to(f"/cases/{case_id}", said="ruled-out")


def find(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Search the roster. The answer comes with this page: patient data has no place in an address."""
    office = office_of(request)
    query = form.get("query", "")[:200]
    with office.database.session() as session:
        case = cases.get(session, case_id)
        index = office.rosters.index(session, case.site)
        found = index.find(query, limit=_MOST_FOUND) if index else ()
        people = [(case.site, patient.patient_id) for patient in found]
        note_view(
            session, visitor, "patient.searched", "case", str(case_id), now=office.now(), shown=len(found),
            patients=people,
        )  # fmt: skip
    return _case_page(request, visitor, case_id, _Trouble(query=query, found=found, searched=True))


def _case_page(
    request: Request, visitor: Visitor, case_id: int, trouble: _Trouble, *, status: int = 200
) -> HTMLResponse:
    office = office_of(request)
    with office.database.session() as session:
        case = cases.get(session, case_id)
        summary = _summary(session, case, trouble.found)
        ahead = [one.case_id for one in cases.list_open(session, limit=_LOOK_AHEAD)]
        waiting = cases.count_open(session)
        urgent = _alert(session, case)
        proposed = _proposed(session, case)
        people = [(case.site, candidate.patient_id) for candidate in summary.candidates]
        note_view(session, visitor, "case.viewed", "case", str(case_id), now=office.now(), patients=people)
    drawn = _page_view(office, summary)
    place = ahead.index(case_id) + 1 if case_id in ahead else None
    return page(
        request, "case.html", visitor=visitor, status=status, summary=summary, case=case, trouble=trouble,
        assessment=case.assessment, drawn=drawn, urgent=urgent, place=place, waiting=waiting, proposed=proposed,
        previous_case=ahead[place - 2] if place and place > 1 else None,
        next_case=ahead[place] if place and place < len(ahead) else None,
        chosen=trouble.confirm or (summary.preselected or ""), values=_inputs(case, trouble.entered),
        instruments=sorted(load_instruments()),
        instrument=load_instruments().get(case.assessment.instrument or ""),
    )  # fmt: skip


def _exists(session: Session, case_id: int) -> bool:
    try:
        cases.get(session, case_id)
    except DecisionRefusedError:
        return False
    return True


def _summary(session: Session, case: ReviewCase, found: Sequence[RosterPatient]) -> CaseSummary:
    """The case with its candidates as the roster knows them today; the roster itself is not needed for that."""
    ids = [candidate.patient_id for candidate in case.match.candidates[:3]]
    known = [roster.patient(session, case.site, patient_id) for patient_id in ids]
    few = Roster(site=case.site, patients=tuple(one for one in known if one is not None), as_of=case.opened_at)
    ruled_out = {veto.patient_id for veto in roster.vetoes(session, case.site) if veto.fingerprint == case.fingerprint}
    return case_summary(case, few, found=found, ruled_out=ruled_out)


def _chosen(session: Session, case: ReviewCase, patient_id: str) -> tuple[RosterPatient, ...]:
    patient = roster.patient(session, case.site, patient_id)
    return (patient,) if patient else ()


def _patients(office: Office, case: ReviewCase, patient_id: str) -> tuple[RosterPatient, ...]:
    with office.database.reading() as session:
        return _chosen(session, case, patient_id)


def _alert(session: Session, case: ReviewCase) -> CriticalAlert | None:
    """The newest alert about this very record."""
    raised = [a for a in alerts.list_alerts(session, open_only=False, site=case.site) if a.report_id == case.report_id]
    for alert in sorted(raised, key=lambda one: one.alert_id, reverse=True):
        about = cases.of_record(session, alert.record_id) if alert.record_id is not None else None
        if about is not None and about.case_id == case.case_id:
            return alert
    return None


def _proposed(session: Session, case: ReviewCase) -> tuple[str, RosterPatient] | None:
    """Who has said of the same print that it is which patient, where a second person must say it too."""
    if case.state is not CaseState.OPEN:
        return None
    source = reports.get(session, case.report_id).source
    alias = aliases.proposal(session, site=case.site, source=source, fingerprint=case.fingerprint)
    patient = roster.patient(session, case.site, alias.patient_id) if alias else None
    return (alias.said_by, patient) if alias and patient else None


def _page_view(office: Office, summary: CaseSummary) -> PageView | None:
    number = summary.assessment.page
    if number is None:
        return None
    image = office.images.page(summary.case.report_id, number)
    return page_view(image, number, [summary.assessment]) if image else None


def _refused(
    request: Request, visitor: Visitor, case_id: int, refusal: DecisionRefusedError, trouble: _Trouble
) -> HTMLResponse:
    if isinstance(refusal, StaleCaseError):
        return page(
            request, "message.html", visitor=visitor, status=409, heading="This record changed",
            sentence="This record changed since you opened it. Nothing was saved.",
            link=f"/cases/{case_id}", link_words="Show the new version",
        )  # fmt: skip
    said = _Trouble(
        sentence=str(refusal), entered=trouble.entered, confirm=trouble.confirm, query=trouble.query,
        found=trouble.found,
    )  # fmt: skip
    return _case_page(request, visitor, case_id, said, status=409)


def _on_to_the_next(office: Office, *, said: str) -> Response:
    with office.database.reading() as session:
        following = cases.list_open(session, limit=1)
    return go_to(f"/cases/{following[0].case_id}" if following else "/queue", said=said)


def _version(form: Mapping[str, str]) -> int:
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _approved_as(form: Mapping[str, str]) -> ApprovedAs:
    words = {str(one): one for one in ApprovedAs}
    return words.get(form.get("approved_as", ""), ApprovedAs.CONFIRMATION)


def _changes(case: ReviewCase, form: Mapping[str, str]) -> dict[str, str]:
    """The fields that differ from what the case holds: untouched ones are not judged again."""
    held = shown_values(case)
    return {field: form[field].strip() for field in held if field in form and form[field].strip() != held[field]}


def shown_values(case: ReviewCase) -> dict[str, str]:
    """The correctable fields of a case as their inputs show them."""
    assessment = case.assessment
    held = {
        "instrument": assessment.instrument or "",
        "authored_on": assessment.authored_on.isoformat() if assessment.authored_on else "",
        "total": "" if assessment.total is None else str(assessment.total),
        "result": assessment.result or "",
    }
    for item in assessment.items or ():
        held[f"item-{item.link_id}"] = "" if item.points is None else str(item.points)
    return held


def _inputs(case: ReviewCase, entered: Mapping[str, str] | None) -> dict[str, str]:
    held = shown_values(case)
    return held if entered is None else {field: entered.get(field, value) for field, value in held.items()}


ROUTES: Final = (
    Route("GET", "/queue", queue, policies.READS_PATIENTS),
    Route("GET", "/cases/{case_id}", show_case, policies.READS_PATIENTS),
    Route("POST", "/cases/{case_id}/approve", approve, policies.DECIDES),
    Route("POST", "/cases/{case_id}/correct", correct, policies.DECIDES),
    Route("POST", "/cases/{case_id}/reject", reject, policies.DECIDES),
    Route("POST", "/cases/{case_id}/reopen", reopen, policies.DECIDES),
    Route("POST", "/cases/{case_id}/not-this-patient", not_this_patient, policies.DECIDES),
    Route("POST", "/cases/{case_id}/find", find, policies.DECIDES),
)
