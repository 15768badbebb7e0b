"""Cases: what waits for a person, and the decisions about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final

from fastapi import Request

from records.case import CaseState, RejectReason, ReviewCase
from records.errors import DecisionRefusedError
from records.patient import Roster, RosterPatient
from review import actions, policies
from review.api.routing import ApiRoute
from review.api.shapes import (
    After,
    Caller,
    Limit,
    Part,
    Shape,
    Text,
    Values,
    Version,
    Wish,
    Word,
    part,
    values_of,
)
from review.case_summary import CandidateSummary, CaseSummary, case_summary
from review.desk import ApprovalOutcome
from review.evidence_words import Mark
from review.office import Office, office_of
from review.viewing import note_view
from store import cases, listings, roster
from store.cases import ApprovedAs
from store.database import Session


class ListedCase(Shape):
    """A case without what it is about."""

    case_id: int
    record_id: int
    site: str
    version: int
    state: CaseState
    critical: bool
    """It holds an answer about self-harm above 0."""
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None


class Evidence(Shape):
    """What one identifier says about one candidate."""

    identifier: str
    words: str
    mark: Mark


class Bar(Shape):
    """Part of the sum behind a probability, in log2."""

    identifier: str
    level: str
    weight: float


class CandidateShown(Shape):
    """A patient the print may be about."""

    patient_id: str
    name: str
    other_names: str
    birth_date: date | None
    mrn: str | None
    sex: str | None
    active: bool
    on_roster: bool
    ruled_out: bool
    probability: float | None
    is_doubtful: bool
    """Approving this patient needs `although_it_differs`."""
    evidence: tuple[Evidence, ...]
    bars: tuple[Bar, ...]
    reasons: tuple[str, ...]


class WhyShown(Shape):
    """Why a case waits."""

    code: str
    sentence: str
    detail: str


class CaseShown(Shape):
    """Everything needed to decide a case."""

    case_id: int
    version: int
    """To be named by the decision."""
    state: CaseState
    site: str
    report_id: int
    document_sha256: str
    file_name: str
    opened_at: datetime
    reasons: tuple[WhyShown, ...]
    values: Values
    severity_of_total: str | None
    candidates: tuple[CandidateShown, ...]
    preselected: str | None
    """The only candidate a page would choose by itself; null where a person must choose."""
    shares_identity: bool
    is_correction: bool


class Approval(Wish):
    """Whose record it is."""

    version: Version
    patient_id: Word
    approved_as: ApprovedAs = ApprovedAs.CONFIRMATION
    although_it_differs: bool = False
    """The caller has seen that an identifier differs, or that the patient was ruled out or is inactive."""


class Approved(Shape):
    """What became of an approved record."""

    case_id: int
    record_id: int
    outcome: ApprovalOutcome
    """duplicate: the same values were known already, so nothing is sent; awaits-second: another person must agree."""


class Correction(Wish):
    """Values that were read wrongly."""

    version: Version
    changes: dict[Word, Text]
    """Field to new text: total, authored_on, authored_time, instrument, result, item-N, items."""


class Rejection(Wish):
    """Why a row is kept out of every portal."""

    version: Version
    reason: RejectReason
    note: Text = ""


class RuledOut(Wish):
    """Whom a print is not about."""

    version: Version
    patient_id: Word


class Decided(Shape):
    """Where a case is now."""

    case_id: int
    version: int
    state: CaseState


def list_cases(
    request: Request, caller: Caller, state: CaseState | None = None, after: After = 0, limit: Limit = 50
) -> Part[ListedCase]:
    """Cases by their id, without what they are about."""
    with office_of(request).database.reading() as session:
        found = listings.cases_after(session, sites=caller.user.sites, after=after, limit=limit + 1, state=state)
    return part((ListedCase.model_validate(one) for one in found), key="case_id", limit=limit)


def get_case(request: Request, case_id: int, caller: Caller) -> CaseShown:
    """One case with everything needed to decide it. The look is kept in the audit trail."""
    office = office_of(request)
    with office.database.session() as session:
        shown = _shown(_summary(session, cases.get(session, case_id)))
        offered = [(shown.site, one.patient_id) for one in shown.candidates]
        note_view(session, caller, "case.viewed", "case", str(case_id), now=office.now(), patients=offered)
    return shown


def approve_case(request: Request, case_id: int, caller: Caller, wish: Approval) -> Approved:
    """Confirm the record for a patient of the site's roster, and queue it for delivery."""
    office = office_of(request)
    with office.database.reading() as session:
        case = cases.get(session, case_id)
        chosen = _summary(session, case, wish.patient_id).candidate(wish.patient_id)
    if chosen is not None and chosen.is_doubtful and not wish.although_it_differs and case.version == wish.version:
        raise DecisionRefusedError(
            "An identifier of this patient differs, or the patient was ruled out or is inactive.",
            next_step="Nothing was saved. Compare, and send “although_it_differs” if it is this patient all the same.",
            code="differs",
        )
    approval = actions.approve(
        office.database,
        case_id,
        version=wish.version,
        patient_id=wish.patient_id,
        actor=caller.user.name,
        now=office.now(),
        today=office.today(case.site),
        destinations=office.destinations_of(case.site),
        as_=wish.approved_as,
    )
    return Approved(case_id=case_id, record_id=approval.record_id, outcome=approval.outcome)


def correct_case(request: Request, case_id: int, caller: Caller, wish: Correction) -> Decided:
    """Change values that were read wrongly; the case stays open with a new version."""
    office = office_of(request)
    changed = actions.correct(
        office.database,
        case_id,
        version=wish.version,
        changes=wish.changes,
        actor=caller.user.name,
        now=office.now(),
        today=office.today(_site(office, case_id)),
    )
    return _decided(changed)


def reject_case(request: Request, case_id: int, caller: Caller, wish: Rejection) -> Decided:
    """Keep the record out of every portal; it is not deleted and can be reopened.

    One that holds, or held, an answer about self-harm stays open until a second person rejects it as well.
    """
    office = office_of(request)
    actions.reject(
        office.database,
        case_id,
        version=wish.version,
        reason=wish.reason,
        note=wish.note,
        actor=caller.user.name,
        now=office.now(),
    )
    return _now(office, case_id)


def reopen_case(request: Request, case_id: int, caller: Caller) -> Decided:
    """Take a rejection back: the record waits again."""
    office = office_of(request)
    return _decided(actions.reopen(office.database, case_id, actor=caller.user.name, now=office.now()))


def rule_patient_out(request: Request, case_id: int, caller: Caller, wish: RuledOut) -> Decided:
    """Say that this print, and every later one like it, is not about a patient."""
    office = office_of(request)
    changed = actions.not_this_patient(
        office.database, case_id, wish.patient_id, version=wish.version, actor=caller.user.name, now=office.now()
    )
    return _decided(changed)


def _site(office: Office, case_id: int) -> str:
    with office.database.reading() as session:
        return cases.get(session, case_id).site


def _now(office: Office, case_id: int) -> Decided:
    with office.database.reading() as session:
        return _decided(cases.get(session, case_id))


def _decided(case: ReviewCase) -> Decided:
    return Decided(case_id=case.case_id, version=case.version, state=case.state)


def _summary(session: Session, case: ReviewCase, chosen: str = "") -> CaseSummary:
    """The case with its candidates, and a chosen patient, as the roster knows them today."""
    ids = [candidate.patient_id for candidate in case.match.candidates[:3]]
    known = _on_roster(session, case.site, ids)
    ruled_out = {veto.patient_id for veto in roster.vetoes(session, case.site) if veto.fingerprint == case.fingerprint}
    return case_summary(
        case,
        Roster(site=case.site, patients=known, as_of=case.opened_at),
        found=_on_roster(session, case.site, [chosen]) if chosen else (),
        ruled_out=ruled_out,
    )


def _on_roster(session: Session, site: str, patient_ids: Collection[str]) -> tuple[RosterPatient, ...]:
    found = (roster.patient(session, site, patient_id) for patient_id in patient_ids)
    return tuple(patient for patient in found if patient is not None)


def _shown(summary: CaseSummary) -> CaseShown:
    case = summary.case
    return CaseShown(
        case_id=case.case_id,
        version=case.version,
        state=case.state,
        site=case.site,
        report_id=case.report_id,
        document_sha256=case.document_sha256,
        file_name=case.file_name,
        opened_at=case.opened_at,
        reasons=tuple(WhyShown.model_validate(reason) for reason in summary.reasons),
        values=values_of(case.assessment),
        severity_of_total=summary.severity_of_total,
        candidates=tuple(_candidate(one) for one in summary.candidates),
        preselected=summary.preselected,
        shares_identity=summary.shares_identity,
        is_correction=summary.is_correction,
    )


def _candidate(one: CandidateSummary) -> CandidateShown:
    fields: Mapping[str, object] = {
        name: getattr(one, name) for name in CandidateShown.model_fields if name not in ("evidence", "bars")
    }
    return CandidateShown.model_validate(
        {
            **fields,
            "evidence": [
                Evidence(identifier=identifier, words=found.words, mark=found.mark)
                for identifier, found in one.evidence.items()
            ],
            "bars": [Bar.model_validate(bar) for bar in one.bars],
        }
    )


ROUTES: Final = (
    ApiRoute("GET", "/cases", list_cases, policies.READS_PATIENTS),
    ApiRoute("GET", "/cases/{case_id}", get_case, policies.READS_PATIENTS),
    ApiRoute("POST", "/cases/{case_id}/approve", approve_case, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/correct", correct_case, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/reject", reject_case, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/reopen", reopen_case, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/not-this-patient", rule_patient_out, policies.DECIDES, changes=True),
)
