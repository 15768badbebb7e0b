"""Deciding records of one cause together: every record is shown first, and only what is safe can be ticked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response

from records.case import RejectReason
from records.errors import DecisionRefusedError
from review import bulk, policies
from review.access import Form, SignedIn, Visitor
from review.bulk import Approve, Cause, Chosen, Reject
from review.case_summary import display_name, reason_sentence
from review.case_walk import Walk
from review.office import office_of
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import roster

_LISTED: Final = 100  # a form's fields have a limit; the rest comes when these are decided
_WORDS: Final = {
    RejectReason.NOT_A_PATIENT_ROW: "Not patient rows",
    RejectReason.WRONG_REPORT: "Wrong report",
    RejectReason.UNREADABLE: "Unreadable",
}


def show_group(request: Request, visitor: SignedIn) -> Response:
    """The records of one cause, with what can be decided for all of them."""
    return _shown(request, visitor)


def decide_group(request: Request, visitor: SignedIn, form: Form) -> Response:
    """Decide the records that were ticked, each as it was shown; what is no longer safe stays and says why."""
    office, walk = office_of(request), Walk.of(request, visitor)
    try:
        done = bulk.decide(
            office.database,
            _chosen(form),
            _what(form),
            rosters=office.matching,
            today_of=office.today,
            destinations_of=office.destinations_of,
            sites=visitor.user.sites,
            actor=visitor.user.name,
            now=office.now(),
        )
    except DecisionRefusedError as refusal:
        return _shown(request, visitor, problem=str(refusal), status=409)
    if not done.left:
        return go_to("/queue", said="decided-together")
    left = " ".join(f"Record {one.case_id}: {one.why}" for one in done.left[:10])
    said = f"{len(done.decided)} decided, {len(done.left)} still wait. {left}"
    return _shown(request, visitor, problem=said) if walk.cause else go_to("/queue")


def _shown(request: Request, visitor: Visitor, *, problem: str = "", status: int = 200) -> Response:
    office, walk = office_of(request), Walk.of(request, visitor)
    with office.database.session() as session:
        group = walk.group(session)
        if group is None:
            return go_to("/queue", said="decided-together" if problem else "")
        found = bulk.members(session, group, limit=_LISTED)
        note_view(session, visitor, "case.listed", "case", "group", now=office.now(), shown=len(found))
    is_report = group.cause is Cause.REPORT
    what = Reject(reason=RejectReason.WRONG_REPORT) if is_report else Approve()
    looked = bulk.looked_at(
        office.database, found, what, rosters=office.matching, today_of=office.today, now=office.now()
    )
    with office.database.reading() as session:
        known = {
            one.case.case_id: roster.patient(session, one.case.site, one.patient_id)
            for one in looked
            if one.patient_id is not None
        }
    names = {case_id: display_name(patient) for case_id, patient in known.items() if patient}
    words = " ".join(reason_sentence(code) for code in group.reasons) or f"On the report {group.file_name}"
    return page(
        request, "group.html", visitor=visitor, status=status, group=group, looked=looked, names=names, walk=walk,
        problem=problem, is_report=is_report, reasons=_WORDS, words=words,
    )  # fmt: skip


def _what(form: Mapping[str, str]) -> Approve | Reject:
    what = form.get("what", "")
    if what == "approve":
        return Approve()
    reason = next((reason for reason in _WORDS if reason == what), None)
    if reason is None:
        raise DecisionRefusedError("Choose what to do.", next_step="Nothing was changed.")
    return Reject(reason=reason)


def _chosen(form: Mapping[str, str]) -> list[Chosen]:
    """The ticked records: "case-7" holds the version and the patient that were shown."""
    chosen = []
    for field, shown in form.items():
        number, (version, _, patient_id) = field.removeprefix("case-"), shown.partition(":")
        if field.startswith("case-") and _is_number(number) and _is_number(version):
            chosen.append(Chosen(case_id=int(number), version=int(version), patient_id=patient_id or None))
    return chosen


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


ROUTES: Final = (
    Route("GET", "/queue/groups", show_group, policies.DECIDES),
    Route("POST", "/queue/groups", decide_group, policies.DECIDES),
)
