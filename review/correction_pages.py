"""Correcting what was read wrongly: saved, or only looked at while a person types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from parsers.instrument_library import load_instruments
from records.case import ReviewCase
from records.errors import DecisionRefusedError, StoreError
from review import actions, policies
from review.access import Form, SignedIn, Visitor
from review.case_pages import approve, version_of
from review.case_screen import Trouble, refused, seen_case, shown_values, summary_of
from review.case_summary import CaseSummary
from review.case_walk import Walk
from review.evidence_table import Line, evidence_table
from review.live_check import CheckedValues, checked
from review.office import Office, office_of
from review.rematching import IDENTITY, rematch, typed_identity
from review.rendering import go_to, page
from review.routing import Route
from review.viewing import note_view
from store import reports
from store.database import Session


def correct(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """Keep other values; with "then" set to "approve", approve the record for the chosen patient as well."""
    office = office_of(request)
    with office.database.reading() as session:
        case = seen_case(session, visitor, case_id)
    version, changes = version_of(form), _changes(office, case, form)
    approves = form.get("then") == "approve"
    if changes or not approves:
        try:
            version = actions.correct(
                office.database,
                case_id,
                version=version,
                changes=changes,
                actor=visitor.user.name,
                now=office.now(),
                today=office.today(case.site),
                rosters=office.matching,
            ).version
        except DecisionRefusedError as refusal:
            return refused(request, visitor, case_id, refusal, Trouble(entered=form, chosen=form.get("chosen", "")))
    # Who it may be was asked anew: nobody has seen the patient who was chosen beside what the print says now.
    if not approves or changes.keys() & set(IDENTITY):
        return go_to(f"/cases/{case_id}{Walk.of(request, visitor).query}", said="corrected")
    return approve(request, case_id, visitor, {"version": str(version), "patient_id": form.get("chosen", "")})


def check(request: Request, case_id: int, visitor: SignedIn, form: Form) -> Response:
    """What the clinical rules say of the values as typed, and whom a corrected identity may be. Nothing is saved."""
    office = office_of(request)
    with office.database.reading() as session:
        case = seen_case(session, visitor, case_id)
        shown = _looked_at(office, session, case, _changes(office, case, form))
    with office.database.session() as session:
        note_view(session, visitor, "case.checked", "case", str(case_id), now=office.now())
    return page(
        request, "checked.html", visitor=visitor, case=case, chosen=form.get("chosen", ""), checks=shown.values,
        fault=shown.fault, summary=shown.summary, lines=shown.lines,
    )  # fmt: skip


def page_words(request: Request, report_id: int, number: int, visitor: SignedIn) -> Response:
    """The words of a page and their boxes in points, for putting one into a field by a click."""
    office = office_of(request)
    with office.database.session() as session:
        _seen_report(session, visitor, report_id)
        note_view(session, visitor, "page.viewed", "report", str(report_id), now=office.now(), shown=number)
    image = office.images.page(report_id, number)
    words = image.words if image else ()
    return JSONResponse([[word.text, *word.region.box] for word in words])


def _seen_report(session: Session, visitor: Visitor, report_id: int) -> None:
    try:
        site = reports.get(session, report_id).site
    except StoreError:
        raise HTTPException(status_code=404) from None
    if not visitor.sees(site):
        raise HTTPException(status_code=404)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What there is to say of a correction before it is saved.

    Attributes:
        fault: Why the identity cannot be kept like this, or empty.
        summary: The case with today's patients for the identity as typed; None where that is as it was.
    """

    values: CheckedValues
    fault: str = ""
    summary: CaseSummary | None = None
    lines: tuple[Line, ...] = ()


def _looked_at(office: Office, session: Session, case: ReviewCase, changes: Mapping[str, str]) -> _Looked:
    texts = {field: text for field, text in changes.items() if field not in IDENTITY}
    values = checked(case.assessment, texts, load_instruments(), today=office.today(case.site))
    if not changes.keys() & set(IDENTITY) or office.matching is None:
        return _Looked(values=values)
    try:
        identity = typed_identity(case.assessment.patient, changes)
    except DecisionRefusedError as refusal:
        return _Looked(values=values, fault=refusal.message)
    source = reports.get(session, case.report_id).source
    match = rematch(office.matching, case, identity, source=source, now=office.now())
    as_typed = replace(case, match=match, assessment=replace(case.assessment, patient=identity))
    summary = summary_of(session, as_typed, ())
    return _Looked(values=values, summary=summary, lines=evidence_table(summary))


def _changes(office: Office, case: ReviewCase, form: Mapping[str, str]) -> dict[str, str]:
    """The fields that differ from what the case holds: untouched ones are not judged again."""
    held = shown_values(case, identity=office.matching is not None)
    return {field: form[field].strip() for field in held if field in form and form[field].strip() != held[field]}


ROUTES: Final = (
    Route("POST", "/cases/{case_id}/correct", correct, policies.DECIDES),
    Route("POST", "/cases/{case_id}/check", check, policies.DECIDES),
    Route("GET", "/reports/{report_id}/pages/{number}/words", page_words, policies.DECIDES),
)
