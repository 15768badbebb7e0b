"""Who looked at which patient data goes into the audit chain like any decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from records.audit import AuditEvent
from review.access import Visitor
from store import audit, audit_shown
from store.audit import Shown
from store.database import Session


def note_view(
    session: Session, visitor: Visitor, action: str, object_kind: str, object_id: str, *, now: datetime,
    shown: int | None = None, records: Iterable[int] = (), cases: Iterable[int] = (),
    patients: Iterable[tuple[str, str]] = (),
) -> None:  # fmt: skip
    """Record that a person was shown something.

    Args:
        action: "case.viewed", "page.viewed", …
        object_kind: Kind of the object shown.
        object_id: Its row id.
        shown: How many entries a list had, or None for a single object.
        records: Row ids of the records that were shown, where the object does not say: those of a list.
        cases: The same for the cases of a list.
        patients: Site and id of every patient of the roster that was shown: candidates, what a search found.
    """
    detail = () if shown is None else (("shown", str(shown)),)
    event = AuditEvent(
        actor=visitor.user.name, action=action, object_kind=object_kind, object_id=object_id, detail=detail
    )
    listed = frozenset(records) | audit_shown.records_of_cases(session, tuple(cases))
    audit.append_view(session, event, Shown(records=listed, patients=frozenset(patients)), now=now)
