"""Who looked at which patient data goes into the audit chain like any decision."""

from __future__ import annotations

from datetime import datetime

from records.audit import AuditEvent
from review.access import Visitor
from store import audit
from store.database import Session


def note_view(
    session: Session, visitor: Visitor, action: str, object_kind: str, object_id: str, *, now: datetime,
    shown: int | None = None,
) -> None:  # fmt: skip
    """Record that a person was shown something.

    Args:
        action: "case.viewed", "page.viewed", …
        object_kind: Kind of the object shown.
        object_id: Its row id.
        shown: How many entries a list had, or None for a single object.
    """
    detail = () if shown is None else (("shown", str(shown)),)
    audit.append(
        session,
        AuditEvent(actor=visitor.user.name, action=action, object_kind=object_kind, object_id=object_id, detail=detail),
        now=now,
    )
