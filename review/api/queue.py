"""The queue: what comes next, who has a case open, what is put behind, and taking one's last decisions back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import Request

from review import actions, locks, policies, registrations, undo
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Done, Id, Shape, Version, Wish
from review.office import Office, office_of
from review.site_scope import NotThereError
from store.decisions import DecisionKind, QueueDecision


class Next(Shape):
    """The case that comes next for the user of the token."""

    case_id: int | None
    """Null when nothing is left for them."""
    waiting: int
    """Cases that wait at the sites of the token."""


class Lock(Shape):
    """Who has a case open."""

    case_id: int
    holder: str | None
    since: datetime | None
    expires_at: datetime | None
    is_mine: bool


class Parking(Wish):
    """A case whose patient is on no roster yet."""

    version: Version


class Decision(Shape):
    """One thing that the user of the token did."""

    decision_id: int
    case_id: int
    record_id: int
    site: str
    kind: DecisionKind
    decided_at: datetime
    undone_at: datetime | None
    why_not: str
    """Why it cannot be taken back (any more); empty if it can."""


class Decisions(Shape):
    """The last decisions of the user of the token, newest first; at most ten."""

    items: tuple[Decision, ...]


class UndoWish(Wish):
    """Which of one's last decisions is taken back."""

    decision_id: Id


def next_case(request: Request, caller: Caller, after: Id | None = None) -> Next:
    """The case that comes next: answers about self-harm, then the oldest, then what was skipped."""
    office = office_of(request)
    found = actions.next_case(
        office.database, actor=caller.user.name, sites=caller.user.sites, after=after, now=office.now()
    )
    return Next(case_id=found, waiting=office.waiting(caller.user))


def open_case(request: Request, case_id: int, caller: Caller) -> Lock:
    """Hold a case for five minutes if nobody does, or go on holding it; else tell who does."""
    office = office_of(request)
    held = locks.open_case(office.database, case_id, actor=caller.user.name, now=office.now())
    return Lock.model_validate(held)


def take_case_over(request: Request, case_id: int, caller: Caller) -> Lock:
    """Hold a case whoever had it open; the other one's next step is refused."""
    office = office_of(request)
    held = locks.take_over(office.database, case_id, actor=caller.user.name, now=office.now())
    return Lock.model_validate(held)


def release_case(request: Request, case_id: int, caller: Caller) -> Done:
    """Give a case back; one that is somebody else's stays as it is."""
    locks.release(office_of(request).database, case_id, actor=caller.user.name)
    return Done()


def skip_case(request: Request, case_id: int, caller: Caller) -> Done:
    """Put a case behind the others for the user of the token, until the day ends."""
    office = office_of(request)
    actions.skip(office.database, case_id, actor=caller.user.name, now=office.now())
    return Done()


def park_case(request: Request, case_id: int, caller: Caller, wish: Parking) -> Done:
    """Set a case aside whose patient is on no roster yet; it comes back by itself when they are."""
    office = office_of(request)
    registrations.park(office.database, case_id, version=wish.version, actor=caller.user.name, now=office.now())
    return Done()


def bring_case_back(request: Request, case_id: int, caller: Caller) -> Done:
    """Let a parked case wait for a decision again."""
    office = office_of(request)
    registrations.bring_back(office.database, case_id, actor=caller.user.name, now=office.now())
    return Done()


def list_my_decisions(request: Request, caller: Caller) -> Decisions:
    """The last decisions of the user of the token, and which of them can be taken back."""
    office = office_of(request)
    with office.database.reading() as session:
        recent = undo.recent(session, actor=caller.user.name)
    return Decisions(
        items=tuple(_decision(one.decision, one.why_not) for one in recent if caller.sees(one.decision.site))
    )


def undo_my_decision(request: Request, caller: Caller, wish: UndoWish) -> Decision:
    """Take one of one's last ten decisions back, with what was learnt from it, until a portal has been told."""
    office = office_of(request)
    _seen(office, caller, wish.decision_id)
    done = undo.undo(office.database, wish.decision_id, actor=caller.user.name, now=office.now())
    return _decision(done, "")


def _seen(office: Office, caller: Caller, decision_id: int) -> None:
    """Whether the decision, if it is the caller's, is about a site that the token sees.

    Raises:
        NotThereError: It is not.
    """
    with office.database.reading() as session:
        mine = {one.decision.decision_id: one.decision for one in undo.recent(session, actor=caller.user.name)}
    if decision_id in mine and not caller.sees(mine[decision_id].site):
        raise NotThereError


def _decision(made: QueueDecision, why_not: str) -> Decision:
    plain = {name: getattr(made, name) for name in Decision.model_fields if name != "why_not"}
    return Decision.model_validate(plain | {"why_not": why_not})


ROUTES: Final = (
    ApiRoute("GET", "/cases/next", next_case, policies.DECIDES),
    ApiRoute("POST", "/cases/{case_id}/open", open_case, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/take-over", take_case_over, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/release", release_case, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/skip", skip_case, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/park", park_case, policies.DECIDES, changes=True),
    ApiRoute("POST", "/cases/{case_id}/bring-back", bring_case_back, policies.DECIDES, changes=True),
    ApiRoute("GET", "/decisions", list_my_decisions, policies.DECIDES),
    ApiRoute("POST", "/decisions/undo", undo_my_decision, policies.DECIDES, changes=True),
)
