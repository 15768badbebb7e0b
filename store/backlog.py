"""Files that were there before the first day of their source: they wait until a person has them taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from records.audit import AuditEvent
from store import audit, sightings
from store.sightings import Seen, Sighting, SightingState


def waiting(session: Session, source: str) -> list[Sighting]:
    """The files of a source's backlog, by path."""
    known = sightings.known(session, source)
    return [known[path] for path in sorted(known) if known[path].state is SightingState.BACKLOG]


def release(session: Session, source: str, *, actor: str, now: datetime) -> int:
    """Have the next scan take a source's backlog like any other file; return how many files that are."""
    found = waiting(session, source)
    released = [
        replace(_seen(sighting), state=SightingState.PENDING, report_id=None, reason=None) for sighting in found
    ]
    sightings.remember_all(session, source, released, now=now)
    if released:
        detail = (("files", str(len(released))),)
        event = AuditEvent(
            actor=actor, action="backlog.released", object_kind="source", object_id=source, detail=detail
        )
        audit.append(session, event, now=now)
    return len(released)


def _seen(sighting: Sighting) -> Seen:
    return Seen(path=sighting.path, size=sighting.size, mtime_ns=sighting.mtime_ns, state=sighting.state)
