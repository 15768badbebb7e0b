"""The audit trail: its events, and whether the chain is as it was written. No event names a patient."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import Query, Request

from records.errors import DecisionRefusedError
from review import policies
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Id, Limit, Shape, Wish, Word
from review.office import office_of
from review.site_scope import NotThereError
from review.viewing import note_view
from store import audit_checking, audit_search
from store.audit import ChainedEvent
from store.audit_search import Wanted


class Event(Shape):
    """One link of the chain."""

    seq: int
    at: datetime
    actor: str
    action: str
    object_kind: str
    object_id: str
    detail: dict[str, str]
    mac: str
    """Its code in the chain."""


class Events(Shape):
    """Some events, newest first."""

    items: tuple[Event, ...]
    older: int | None
    """`before` of the following part; null where the trail ends."""


class Filter(Wish):
    """Which events."""

    actor: Word | None = None
    action: Word | None = None
    object_kind: Word | None = None
    """Together with `object_id`."""
    object_id: Word | None = None
    first: datetime | None = None
    """Not before this instant."""
    until: datetime | None = None
    """Before this instant."""


class Chain(Shape):
    """What is known of the chain."""

    intact: bool | None
    """Null before it was followed to its end for the first time."""
    events: int
    checked_at: datetime | None
    first_bad: int | None
    reason: str | None


def search_events(
    request: Request, caller: Caller, wish: Filter, before: Annotated[Id | None, Query()] = None, limit: Limit = 50
) -> Events:
    """Events of the sites that the token sees, and those about no one site, newest first. The search is kept itself."""
    office = office_of(request)
    wanted = wanted_of(wish)
    with office.database.session() as session:
        start = None
        if before is not None:
            start = audit_search.key_of(audit_search.event(session, before, sites=caller.user.sites)[0])
        found = audit_search.find(session, wanted, sites=caller.user.sites, before=start, limit=limit)
        note_view(session, caller, "audit.listed", "audit", "all", now=office.now(), shown=len(found.events))
    return Events(
        items=tuple(event_of(link) for link in found.events), older=None if found.older is None else found.older.seq
    )


def wanted_of(wish: Filter) -> Wanted:
    """The events that a filter asks for.

    Raises:
        DecisionRefusedError: Half of it is missing.
    """
    if (wish.object_kind is None) != (wish.object_id is None):
        raise DecisionRefusedError("A kind and an id belong together.", next_step="Give both, or neither.")
    if any(moment is not None and moment.tzinfo is None for moment in (wish.first, wish.until)):
        raise DecisionRefusedError("An instant needs its time zone.", next_step="Write it as 2026-11-26T07:45:00Z.")
    objects = ((wish.object_kind, wish.object_id),) if wish.object_kind and wish.object_id else ()
    return Wanted(actor=wish.actor, action=wish.action, objects=objects, first=wish.first, until=wish.until)


def get_event(request: Request, seq: int, caller: Caller) -> Event:
    """One event."""
    with office_of(request).database.reading() as session:
        try:
            link, _ = audit_search.event(session, min(seq, _HIGHEST), sites=caller.user.sites)
        except DecisionRefusedError:
            raise NotThereError from None
    return event_of(link)


def get_chain(request: Request, caller: Caller) -> Chain:
    """Whether the trail is as it was written, and when that was last looked at."""
    del caller
    with office_of(request).database.reading() as session:
        return Chain.model_validate(audit_checking.state(session))


def event_of(link: ChainedEvent) -> Event:
    """A link of the chain as an answer."""
    return Event(
        seq=link.seq,
        at=link.at,
        actor=link.event.actor,
        action=link.event.action,
        object_kind=link.event.object_kind,
        object_id=link.event.object_id,
        detail=dict(link.event.detail),
        mac=link.mac,
    )


_HIGHEST: Final = 2**63 - 1
ROUTES: Final = (
    ApiRoute("POST", "/audit/search", search_events, policies.READS_AUDIT),
    ApiRoute("GET", "/audit/chain", get_chain, policies.READS_AUDIT),
    ApiRoute("GET", "/audit/events/{seq}", get_event, policies.READS_AUDIT),
)
