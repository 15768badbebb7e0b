"""One record from the file it was printed in to what each portal says of it, and what can still be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from parsers.instrument_library import load_instruments
from records.errors import DecisionRefusedError, StaleCaseError
from records.patient import RosterPatient
from records.submission import DeliveryState, delivery_sentence
from review import amendments, policies
from review.access import Form, SignedIn, Visitor
from review.amendments import AfterWithdrawal, ApprovedAs
from review.audit_names import changes_of, values_text
from review.case_summary import display_name
from review.evidence_words import words_of
from review.office import Office, office_of
from review.page_views import PageView, page_view
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import alerts, cases, kept_records, record_messages, reports, roster
from store import amendments as kept_amendments
from store.database import Session
from store.kept_records import RecordState, StoredRecord
from store.record_messages import RecordMessage

_MOST_FOUND: Final = 8
_TOLD: Final = frozenset({DeliveryState.DELIVERED, DeliveryState.SENDING, DeliveryState.UNKNOWN})
_CHANGED: Final = "This record changed since you opened it. Nothing was saved; what you entered is still here."
_WHICH: Final = ("instrument", "authored_on", "authored_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """Why a form was not taken, and what the person had entered; nothing of it is lost.

    Attributes:
        form: Name of the form that stays open: "correct", "move", "reassign", "withdraw", or empty.
        confirm: The change reaches a chart, and the person is asked once more.
        stale: The record has changed since the form was shown: what was entered stands under the new version.
    """

    form: str = ""
    sentence: str = ""
    entered: Mapping[str, str] | None = None
    found: Sequence[RosterPatient] = ()
    searched: bool = False
    confirm: bool = False
    stale: bool = False


def show_record(request: Request, record_id: int, visitor: SignedIn) -> Response:
    """The story of one record."""
    return _record_page(request, visitor, record_id, _Trouble())


def correct(request: Request, record_id: int, visitor: SignedIn, form: Form) -> Response:
    """Give the record other values, because they were read wrongly."""
    kept = _seen(request, visitor, record_id)
    if kept is None:
        return _no_such(request, visitor)
    changes = _changed(kept, form, fields=[name for name in shown_values(kept) if name not in _WHICH])
    trouble = _Trouble(form="correct", entered=form)
    if not changes:
        return _again(request, visitor, record_id, trouble, "Change a value first.")
    if _must_confirm(request, record_id, form):
        return _ask(request, visitor, record_id, trouble)
    office = office_of(request)
    try:
        amendments.correct(
            office.database, record_id, version=_version(form), changes=changes, actor=visitor.user.name,
            now=office.now(), today=office.today(kept.site), destinations=office.destinations_of(kept.site),
        )  # fmt: skip
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, record_id, refusal, trouble)
    return go_to(f"/records/{record_id}", said="record-corrected")


def find(request: Request, record_id: int, visitor: SignedIn, form: Form) -> Response:
    """Search the roster for the right patient. The answer comes with this page, not in an address."""
    kept = _seen(request, visitor, record_id)
    if kept is None:
        return _no_such(request, visitor)
    found = _search(request, visitor, kept, form.get("query", ""))
    return _record_page(request, visitor, record_id, _Trouble(form="move", entered=form, found=found, searched=True))


def move(request: Request, record_id: int, visitor: SignedIn, form: Form) -> Response:
    """Give the record to the patient it is really about."""
    kept = _seen(request, visitor, record_id)
    if kept is None:
        return _no_such(request, visitor)
    found = _search(request, visitor, kept, form.get("query", ""))
    trouble = _Trouble(form="move", entered=form, found=found, searched=True)
    if not form.get("patient_id"):
        return _again(request, visitor, record_id, trouble, "Choose a patient first.")
    if _must_confirm(request, record_id, form):
        return _ask(request, visitor, record_id, trouble)
    office = office_of(request)
    try:
        amendments.move(
            office.database, record_id, version=_version(form), patient_id=form["patient_id"],
            reason=_reason(form, "wrong patient"), actor=visitor.user.name, now=office.now(),
            today=office.today(kept.site), destinations=office.destinations_of(kept.site), as_=_as(form),
        )  # fmt: skip
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, record_id, refusal, trouble)
    return go_to(f"/records/{record_id}", said="record-moved")


def reassign(request: Request, record_id: int, visitor: SignedIn, form: Form) -> Response:
    """Give the record another day, time or questionnaire."""
    kept = _seen(request, visitor, record_id)
    if kept is None:
        return _no_such(request, visitor)
    changes = _changed(kept, form, fields=_WHICH)
    trouble = _Trouble(form="reassign", entered=form)
    if not changes:
        return _again(request, visitor, record_id, trouble, "Change the day, the time or the questionnaire first.")
    if _must_confirm(request, record_id, form):
        return _ask(request, visitor, record_id, trouble)
    office = office_of(request)
    try:
        amendments.reassign(
            office.database, record_id, version=_version(form), changes=changes,
            reason=_reason(form, "read wrongly"), actor=visitor.user.name, now=office.now(),
            today=office.today(kept.site), destinations=office.destinations_of(kept.site), as_=_as(form),
        )  # fmt: skip
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, record_id, refusal, trouble)
    return go_to(f"/records/{record_id}", said="record-reassigned")


def withdraw(request: Request, record_id: int, visitor: SignedIn, form: Form) -> Response:
    """Take the record back from every portal."""
    if _seen(request, visitor, record_id) is None:
        return _no_such(request, visitor)
    trouble, then = _Trouble(form="withdraw", entered=form), _AFTER.get(form.get("after", ""))
    if then is None:
        return _again(request, visitor, record_id, trouble, "Choose what is to become of the record.")
    if not form.get("reason", "").strip():
        return _again(request, visitor, record_id, trouble, "Say why in a few words.")
    if _must_confirm(request, record_id, form):
        return _ask(request, visitor, record_id, trouble)
    office = office_of(request)
    try:
        amendments.withdraw(
            office.database, record_id, version=_version(form), reason=_reason(form, ""), after=then,
            actor=visitor.user.name, now=office.now(),
        )  # fmt: skip
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, record_id, refusal, trouble)
    return go_to(f"/records/{record_id}", said="record-withdrawn")


def undo(request: Request, record_id: int, visitor: SignedIn, form: Form) -> Response:
    """Take the last decision back, before any portal has heard of it."""
    if _seen(request, visitor, record_id) is None:
        return _no_such(request, visitor)
    office = office_of(request)
    try:
        amendments.undo(office.database, record_id, version=_version(form), actor=visitor.user.name, now=office.now())
    except DecisionRefusedError as refusal:
        return _refused(request, visitor, record_id, refusal, _Trouble())
    return go_to(f"/records/{record_id}", said="record-undone")


_AFTER: Final = {
    "review": AfterWithdrawal(reopen=True, wrong_patient=False),
    "wrong-patient": AfterWithdrawal(reopen=True, wrong_patient=True),
    "close": AfterWithdrawal(reopen=False, wrong_patient=False),
}


def _record_page(
    request: Request, visitor: Visitor, record_id: int, trouble: _Trouble, *, status: int = 200
) -> HTMLResponse:
    office = office_of(request)
    with office.database.session() as session:
        kept = _of_site(session, visitor, record_id)
        if kept is None:
            return _no_such(request, visitor)
        report = reports.get(session, kept.report_id)
        told = record_messages.messages(session, record_id)
        case = cases.of_record(session, record_id)
        people = _people(session, kept, told)
        shown = [(kept.site, one) for one in people] + [(kept.site, one.patient_id) for one in trouble.found]
        values = {
            "report": report,
            "template_sha256": record_messages.template_sha256(session, report.template or ""),
            "case": case,
            "automatic": record_messages.automatic_match(session, record_id),
            "raised": alerts.of_record(session, record_id),
            "changes": changes_of(session, record_id, now_is=kept.assessment),
            "version": kept_amendments.version_of(session, record_id),
        }
        note_view(session, visitor, "record.viewed", "record", str(record_id), now=office.now(), patients=shown)
    held = shown_values(kept)
    entered = trouble.entered or {}
    return page(
        request, "record.html", visitor=visitor, status=status, kept=kept, told=told, people=people,
        trouble=trouble, drawn=_drawn(office, kept), inputs={name: entered.get(name, held[name]) for name in held},
        entered=entered, stands=kept.state is RecordState.CONFIRMED,
        may_undo=kept.state is RecordState.CONFIRMED and not _is_told(told), values_text=values_text,
        display_name=display_name, words_of=words_of, delivery_sentence=delivery_sentence,
        instruments=sorted(load_instruments()), instrument=load_instruments().get(kept.assessment.instrument or ""),
        **values,
    )  # fmt: skip


def _people(session: Session, kept: StoredRecord, told: Sequence[RecordMessage]) -> dict[str, RosterPatient | None]:
    """Everybody whom the record names, by patient id, as on the roster."""
    ids = [kept.patient_id, *(one.patient_id for one in told), *(one.patient_id for one in kept.match.candidates[:3])]
    return {one: roster.patient(session, kept.site, one) for one in dict.fromkeys(ids) if one is not None}


def shown_values(kept: StoredRecord) -> dict[str, str]:
    """The fields of a record that can be changed, as their inputs show them."""
    assessment = kept.assessment
    held = {
        "instrument": assessment.instrument or "",
        "authored_on": assessment.authored_on.isoformat() if assessment.authored_on else "",
        "authored_time": assessment.authored_time or "",
        "total": "" if assessment.total is None else str(assessment.total),
        "result": assessment.result or "",
    }
    for item in assessment.items or ():
        held[f"item-{item.link_id}"] = "" if item.points is None else str(item.points)
    return held


def _changed(kept: StoredRecord, form: Mapping[str, str], *, fields: Sequence[str]) -> dict[str, str]:
    held = shown_values(kept)
    return {name: form[name].strip() for name in fields if name in form and form[name].strip() != held[name]}


def _is_told(told: Sequence[RecordMessage]) -> bool:
    """Whether a portal has the record, or may have it."""
    return any(one.state in _TOLD for one in told)


def _must_confirm(request: Request, record_id: int, form: Mapping[str, str]) -> bool:
    """Whether the person is to be asked once more, because the change reaches a chart."""
    if form.get("confirmed") == form.get("version", ""):
        return False
    with office_of(request).database.reading() as session:
        return _is_told(record_messages.messages(session, record_id))


def _search(request: Request, visitor: Visitor, kept: StoredRecord, query: str) -> tuple[RosterPatient, ...]:
    office = office_of(request)
    if not query.strip():
        return ()
    with office.database.session() as session:
        index = office.rosters.index(session, kept.site)
        found = index.find(query[:200], limit=_MOST_FOUND) if index else ()
        note_view(
            session, visitor, "patient.searched", "record", str(kept.record_id), now=office.now(), shown=len(found),
            patients=[(kept.site, patient.patient_id) for patient in found],
        )  # fmt: skip
    return found


def _seen(request: Request, visitor: Visitor, record_id: int) -> StoredRecord | None:
    with office_of(request).database.reading() as session:
        return _of_site(session, visitor, record_id)


def _of_site(session: Session, visitor: Visitor, record_id: int) -> StoredRecord | None:
    """The record, or None if there is none or it is another site's."""
    try:
        kept = kept_records.get(session, record_id)
    except DecisionRefusedError:
        return None
    return kept if visitor.sees(kept.site) else None


def _drawn(office: Office, kept: StoredRecord) -> PageView | None:
    number = kept.as_read.page
    image = office.images.page(kept.report_id, number) if number is not None else None
    return page_view(image, number, [kept.as_read]) if image and number is not None else None


def _no_such(request: Request, visitor: Visitor) -> HTMLResponse:
    return page(
        request, "message.html", visitor=visitor, status=404, heading="No such record",
        sentence="There is no record with this number.", link="/queue", link_words="Go to the queue",
    )  # fmt: skip


def _again(request: Request, visitor: Visitor, record_id: int, trouble: _Trouble, problem: str) -> HTMLResponse:
    return _record_page(request, visitor, record_id, replace(trouble, sentence=problem), status=422)


def _ask(request: Request, visitor: Visitor, record_id: int, trouble: _Trouble) -> HTMLResponse:
    return _record_page(request, visitor, record_id, replace(trouble, confirm=True))


def _refused(
    request: Request, visitor: Visitor, record_id: int, refusal: DecisionRefusedError, trouble: _Trouble
) -> HTMLResponse:
    stale = isinstance(refusal, StaleCaseError)
    said = _CHANGED if stale else str(refusal)
    return _record_page(request, visitor, record_id, replace(trouble, sentence=said, stale=stale), status=409)


def _version(form: Mapping[str, str]) -> int:
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _as(form: Mapping[str, str]) -> ApprovedAs:
    words = {str(one): one for one in ApprovedAs}
    return words.get(form.get("approved_as", ""), ApprovedAs.CONFIRMATION)


def _reason(form: Mapping[str, str], otherwise: str) -> str:
    return " ".join(form.get("reason", "").split())[:300] or otherwise


ROUTES: Final = (
    Route("GET", "/records/{record_id}", show_record, policies.READS_PATIENTS),
    Route("POST", "/records/{record_id}/correct", correct, policies.DECIDES),
    Route("POST", "/records/{record_id}/find", find, policies.DECIDES),
    Route("POST", "/records/{record_id}/move", move, policies.DECIDES),
    Route("POST", "/records/{record_id}/reassign", reassign, policies.DECIDES),
    Route("POST", "/records/{record_id}/withdraw", withdraw, policies.DECIDES),
    Route("POST", "/records/{record_id}/undo", undo, policies.DECIDES),
)
