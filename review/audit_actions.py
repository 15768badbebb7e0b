"""What a person can do with the audit trail, for the pages and the API: taking it out of the house, following it."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Final

from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from review import audit_words, policies
from review.access import NotAllowedError, Visitor
from review.office import Office
from store import audit, audit_checking, audit_search, users
from store.audit_checking import ChainState
from store.audit_search import Wanted
from store.database import Session

_CHECK_SECONDS: Final = 3.0  # a person waits that long; the rest is done by the service's housekeeping
_CHECK_STEP: Final = 20_000
_LONGEST_REASON: Final = 200


def of_all_sites(visitor: Visitor) -> None:
    """Let somebody pass who may know about all sites, for figures that are of all of them together.

    Raises:
        NotAllowedError: They see certain sites only.
    """
    if visitor.user.sites is not None:
        raise NotAllowedError


def week_signers(session: Session) -> tuple[str, ...]:
    """Names of the enabled users who may sign a week of activity."""
    found = users.list_users(session)
    return tuple(
        one.name for one in found if one.enabled and one.role in policies.READS_AUDIT.roles and one.sites is None
    )


def verify(office: Office, visitor: Visitor) -> ChainState:
    """Begin to follow the whole chain; a short one is followed to its end at once."""
    with office.database.session() as session:
        event = AuditEvent(actor=visitor.user.name, action="audit.verified", object_kind="audit", object_id="all")
        audit.append(session, event, now=office.now())
    audit_checking.begin(office.database, now=office.now())
    until = monotonic() + _CHECK_SECONDS
    state = audit_checking.advance(office.database, limit=_CHECK_STEP, now=office.now())
    while state.under_way is not None and monotonic() < until:
        state = audit_checking.advance(office.database, limit=_CHECK_STEP, now=office.now())
    return state


def note_export(session: Session, visitor: Visitor, wanted: Wanted, office: Office, *, kind: str, reason: str) -> None:
    """Keep that events are taken out, and why: an event itself.

    Raises:
        DecisionRefusedError: The reason is missing.
    """
    said = " ".join(reason.split())[:_LONGEST_REASON]
    if not said:
        raise DecisionRefusedError("Say why the events are taken out.", next_step="Nothing was taken out.")
    detail = (("format", kind), ("reason", said), *_filter(session, wanted))
    event = AuditEvent(
        actor=visitor.user.name, action="audit.exported", object_kind="audit", object_id="search", detail=detail
    )
    audit.append(session, event, now=office.now())


def exported(office: Office, wanted: Wanted, visitor: Visitor, *, kind: str) -> Iterator[str]:
    """The lines of the file: "jsonl", or a table with "csv"."""
    with office.database.reading() as session:
        found = audit_search.every(session, wanted, sites=visitor.user.sites)
        if kind == "jsonl":
            yield from (f"{line}\n" for _, line in found)
        else:
            yield from audit_words.csv_lines(link for link, _ in found)


def _filter(session: Session, wanted: Wanted) -> Iterator[tuple[str, str]]:
    """What was asked for, for the event of the export; only words that the trail itself holds, and numbers."""
    if wanted.actor and wanted.actor in audit_search.actors(session):
        yield "who", wanted.actor
    if wanted.action and wanted.action in audit_search.actions(session):
        yield "action", wanted.action
    if wanted.objects and wanted.objects[0][1].isdecimal():
        yield "about", " ".join(wanted.objects[0])
    if wanted.first:
        yield "first", wanted.first.isoformat()
    if wanted.until:
        yield "until", wanted.until.isoformat()
