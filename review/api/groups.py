"""Cases of one cause, decided together where that is safe; and the people whom nobody has registered yet."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Request
from pydantic import Field

from records.case import RejectReason
from records.errors import DecisionRefusedError
from review import bulk, policies, registrations
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Id, Limit, PrintedPatient, Shape, Version, Wish, Word
from review.bulk import Approve, BulkCase, Cause, Chosen, Reject
from review.case_walk import Walk, cause_of
from review.office import office_of
from review.site_scope import NotThereError
from review.viewing import note_view


class GroupShown(Shape):
    """Cases that wait for one cause."""

    site: str
    cause: str
    """Reason codes with commas, or "report-" and a number."""
    number: int
    critical: int
    """How many of them hold an answer about self-harm, and are decided one by one."""
    oldest: datetime
    is_safe: bool
    why_not: str


class GroupList(Shape):
    """Groups of two cases or more, the largest first."""

    items: tuple[GroupShown, ...]


class GroupMember(Shape):
    """One case of a group."""

    case_id: int
    version: int
    patient_id: str | None
    """Whom today's matching is certain of."""
    why_not: str
    """Why it must be decided by itself; empty if it may go with the others."""


class GroupMembers(Shape):
    """The cases of a group, oldest first; at most a hundred."""

    items: tuple[GroupMember, ...]


class GroupDecision(StrEnum):
    """What is done with all of them."""

    APPROVE = "approve"
    NOT_A_PATIENT_ROW = "not-a-patient-row"
    WRONG_REPORT = "wrong-report"
    UNREADABLE = "unreadable"


class ChosenCase(Wish):
    """A case as it was looked at."""

    case_id: Id
    version: Version
    patient_id: Word | None = None
    """Whom the list showed for it; null for a rejection."""


class DecidingTogether(Wish):
    """What is decided for which cases."""

    what: GroupDecision
    cases: Annotated[tuple[ChosenCase, ...], Field(min_length=1, max_length=bulk.MOST)]


class LeftOver(Shape):
    """A case that was not decided, and why."""

    case_id: int
    why: str


class DecidedTogether(Shape):
    """What became of them."""

    decided: tuple[int, ...]
    left: tuple[LeftOver, ...]


class ToRegister(Shape):
    """A person on a print whom nobody has registered yet."""

    case_id: int
    site: str
    report_id: int
    patient: PrintedPatient
    parked_by: str
    parked_at: datetime


class ToRegisterList(Shape):
    """Who is to be registered, oldest first."""

    items: tuple[ToRegister, ...]


_LISTED: Final = 100


def list_groups(request: Request, caller: Caller) -> GroupList:
    """Groups of cases that wait for one cause, or are on one report."""
    with office_of(request).database.reading() as session:
        found = bulk.groups(session, sites=caller.user.sites)
    return GroupList(items=tuple(_group(one) for one in found))


def list_group_members(request: Request, site: str, caller: Caller, cause: Word) -> GroupMembers:
    """The cases of one group, each looked at by today's roster, templates and rules. The look is kept."""
    office = office_of(request)
    with office.database.session() as session:
        group = Walk(sites=(site,), site=site, cause=cause).group(session)
        if group is None:
            raise NotThereError
        found = bulk.members(session, group, limit=_LISTED)
        ids = [one.case_id for one in found]
        note_view(session, caller, "case.listed", "case", "group", now=office.now(), shown=len(ids), cases=ids)
    what = Reject(reason=RejectReason.WRONG_REPORT) if group.cause is Cause.REPORT else Approve()
    looked = bulk.looked_at(
        office.database, found, what, rosters=office.matching, today_of=office.today, now=office.now()
    )
    return GroupMembers(items=tuple(_member(one) for one in looked))


def decide_together(request: Request, caller: Caller, wish: DecidingTogether) -> DecidedTogether:
    """Decide each of these cases if it is still as it was shown and still safe; the others stay as they are."""
    office = office_of(request)
    if wish.what is GroupDecision.APPROVE and office.matching is None:
        raise DecisionRefusedError("Nobody can be matched at this moment.", next_step="Decide these one by one.")
    done = bulk.decide(
        office.database,
        [Chosen(case_id=one.case_id, version=one.version, patient_id=one.patient_id) for one in wish.cases],
        Approve() if wish.what is GroupDecision.APPROVE else Reject(reason=RejectReason(wish.what.value)),
        rosters=office.matching,
        today_of=office.today,
        destinations_of=office.destinations_of,
        sites=caller.user.sites,
        actor=caller.user.name,
        now=office.now(),
    )
    return DecidedTogether.model_validate(done)


def list_registrations(request: Request, caller: Caller, limit: Limit = 50) -> ToRegisterList:
    """The people on prints whom nobody has registered yet. The look is kept in the audit trail."""
    office = office_of(request)
    with office.database.session() as session:
        parked = registrations.list_parked(session, sites=caller.user.sites, limit=limit)
        ids = [one.case_id for one in parked]
        note_view(session, caller, "registration.listed", "case", "parked", now=office.now(), shown=len(ids), cases=ids)
    return ToRegisterList(items=tuple(_registration(one) for one in parked))


def _group(one: bulk.CaseGroup) -> GroupShown:
    plain = {name: getattr(one, name) for name in GroupShown.model_fields if name != "cause"}
    return GroupShown.model_validate(plain | {"cause": cause_of(one)})


def _member(one: BulkCase) -> GroupMember:
    return GroupMember(
        case_id=one.case.case_id, version=one.case.version, patient_id=one.patient_id, why_not=one.why_not
    )


def _registration(one: registrations.Registration) -> ToRegister:
    plain = {name: getattr(one, name) for name in ToRegister.model_fields if name != "patient"}
    return ToRegister.model_validate(plain | {"patient": one.assessment.patient})


ROUTES: Final = (
    ApiRoute("GET", "/groups", list_groups, policies.DECIDES),
    ApiRoute("GET", "/sites/{site}/group", list_group_members, policies.DECIDES),
    ApiRoute("POST", "/groups/decide", decide_together, policies.DECIDES, changes=True),
    ApiRoute("GET", "/registrations", list_registrations, policies.DECIDES),
)
