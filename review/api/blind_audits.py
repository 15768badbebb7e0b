"""The blind audit: automatic matches that a person checks without knowing them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from fastapi import Request

from review import actions, policies
from review.api.patients import PatientShown
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Limit, Shape, Values, Wish, Word, values_of
from review.blind_people import people_shown
from review.office import office_of
from review.viewing import note_view
from store import blind_audit
from store.blind_audit import AuditState, BlindAudit, Settled, Verdict
from store.database import Session


class ListedCheck(Shape):
    """A check without whom it is about."""

    task_id: int
    site: str
    report_id: int
    drawn_at: datetime
    state: AuditState
    answered_by: str | None
    answered_at: datetime | None
    agrees: bool | None
    """Whether the answer is what the program chose; null before the answer, or where nobody can tell."""
    settled: Settled | None


class CheckFigures(Shape):
    """What the blind audit has found so far at the sites that the token sees."""

    automatic: int
    drawn: int
    waiting: int
    agreed: int
    wrong: int
    unsettled: int
    cannot_tell: int
    error_rate: float | None
    bound: float
    """One-sided 95 % upper bound of the error rate."""


class CheckList(Shape):
    """What is to be checked and what is to be settled, oldest first."""

    waiting: tuple[ListedCheck, ...]
    differing: tuple[ListedCheck, ...]
    figures: CheckFigures


class CheckShown(ListedCheck):
    """A check: what is printed, and whom a person may choose between. The order tells nothing."""

    values: Values
    people: tuple[PatientShown, ...]
    program_said: str | None
    """The patient of the automatic match; told only where the answer differs and nobody has settled that."""
    person_said: str | None


class CheckVerdict(StrEnum):
    """What the person says the print is."""

    PATIENT = "patient"
    NONE_OF_THESE = "none-of-these"
    CANNOT_TELL = "cannot-tell"


class CheckAnswer(Wish):
    """What the print is."""

    verdict: CheckVerdict
    patient_id: Word | None = None
    """With the verdict "patient"."""


class CheckSettling(Wish):
    """What a second look at a disagreement found."""

    found: Settled


def list_blind_audits(request: Request, caller: Caller, limit: Limit = 50) -> CheckList:
    """Checks that wait, answers that differ, and what was found so far."""
    office, sites = office_of(request), caller.user.sites
    with office.database.session() as session:
        waiting = blind_audit.list_tasks(session, sites=sites, limit=limit)
        differing = blind_audit.list_tasks(session, sites=sites, unsettled=True, limit=limit)
        found = blind_audit.figures(session, sites=sites)
        records = [task.record_id for task in (*waiting, *differing)]
        note_view(
            session, caller, "blind-audit.listed", "blind-audit", "open", now=office.now(), shown=len(records),
            records=records,
        )  # fmt: skip
    return CheckList(
        waiting=tuple(ListedCheck.model_validate(one) for one in waiting),
        differing=tuple(ListedCheck.model_validate(one) for one in differing),
        figures=CheckFigures.model_validate(found),
    )


def get_blind_audit(request: Request, task_id: int, caller: Caller) -> CheckShown:
    """One check. The look is kept in the audit trail."""
    office = office_of(request)
    with office.database.session() as session:
        task = blind_audit.get(session, task_id)
        people = people_shown(session, task, office.rosters.index(session, task.site))
        told = _choices(session, task)
        shown = [(task.site, one.patient_id) for one in people]
        note_view(session, caller, "blind-audit.viewed", "blind-audit", str(task_id), now=office.now(), patients=shown)
    plain = {name: getattr(task, name) for name in ListedCheck.model_fields}
    seen = {"values": values_of(task.assessment), "people": [PatientShown.model_validate(one) for one in people]}
    return CheckShown.model_validate(plain | seen | {"program_said": told[0], "person_said": told[1]})


def answer_blind_audit(request: Request, task_id: int, caller: Caller, wish: CheckAnswer) -> ListedCheck:
    """Say what a print is; nothing is changed at a portal by it."""
    office = office_of(request)
    verdict = Verdict(wish.verdict.value)
    task = actions.answer_blind_audit(
        office.database, task_id, verdict, patient_id=wish.patient_id, actor=caller.user.name, now=office.now()
    )
    return ListedCheck.model_validate(task)


def settle_blind_audit(request: Request, task_id: int, caller: Caller, wish: CheckSettling) -> ListedCheck:
    """Say which was wrong where an answer differs from the match."""
    office = office_of(request)
    actions.settle_blind_audit(office.database, task_id, wish.found, actor=caller.user.name, now=office.now())
    with office.database.reading() as session:
        return ListedCheck.model_validate(blind_audit.get(session, task_id))


def _choices(session: Session, task: BlindAudit) -> tuple[str | None, str | None]:
    return blind_audit.choices(session, task.task_id) if task.needs_second_look else (None, None)


ROUTES: Final = (
    ApiRoute("GET", "/blind-audits", list_blind_audits, policies.DECIDES),
    ApiRoute("GET", "/blind-audits/{task_id}", get_blind_audit, policies.DECIDES),
    ApiRoute("POST", "/blind-audits/{task_id}/answer", answer_blind_audit, policies.DECIDES, changes=True),
    ApiRoute("POST", "/blind-audits/{task_id}/settle", settle_blind_audit, policies.DECIDES, changes=True),
)
