"""Templates that somebody has brought to the pages and nobody has published yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import StoreError
from store import audit
from store.context import stored_id
from store.work_tables import TemplateDraftRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDraft:
    """A template's text that is not in use.

    Attributes:
        text: The YAML as it was brought; it has no fault.
        sha256: Of the text in UTF-8.
    """

    draft_id: int
    template_id: str
    revision: int
    text: str
    sha256: str
    brought_by: str
    brought_at: datetime


def bring(session: Session, template_id: str, revision: int, text: str, *, actor: str, now: datetime) -> TemplateDraft:
    """Keep a draft; the same text again is the same draft."""
    digest = sha256(text.encode()).hexdigest()
    query = select(TemplateDraftRow).where(
        col(TemplateDraftRow.template_id) == template_id, col(TemplateDraftRow.sha256) == digest
    )
    row = session.exec(query).first()
    if row is None:
        row = TemplateDraftRow(
            template_id=template_id, revision=revision, text=text, sha256=digest, brought_by=actor, brought_at=now
        )
        session.add(row)
        session.flush()
        _audit(session, row, "template.draft-brought", actor=actor, now=now)
    return _draft(row)


def get(session: Session, draft_id: int) -> TemplateDraft:
    """One draft.

    Raises:
        StoreError: There is none with this id.
    """
    return _draft(_row(session, draft_id))


def list_drafts(session: Session) -> list[TemplateDraft]:
    """All drafts, newest first."""
    query = select(TemplateDraftRow).order_by(col(TemplateDraftRow.id).desc())
    return [_draft(row) for row in session.exec(query)]


def drop(session: Session, draft_id: int, *, actor: str, now: datetime) -> None:
    """Give a draft up, or let it go once it is published.

    Raises:
        StoreError: There is none with this id.
    """
    row = _row(session, draft_id)
    _audit(session, row, "template.draft-dropped", actor=actor, now=now)
    session.delete(row)
    session.flush()


def _row(session: Session, draft_id: int) -> TemplateDraftRow:
    row = session.get(TemplateDraftRow, draft_id)
    if row is None:
        raise StoreError(f"There is no draft {draft_id}.", next_step="Go back to the templates.")
    return row


def _draft(row: TemplateDraftRow) -> TemplateDraft:
    return TemplateDraft(
        draft_id=stored_id(row.id),
        template_id=row.template_id,
        revision=row.revision,
        text=row.text,
        sha256=row.sha256,
        brought_by=row.brought_by,
        brought_at=row.brought_at,
    )


def _audit(session: Session, row: TemplateDraftRow, action: str, *, actor: str, now: datetime) -> None:
    event = AuditEvent(
        actor=actor,
        action=action,
        object_kind="template",
        object_id=f"{row.template_id}@{row.revision}",
        detail=(("sha256", row.sha256),),
    )
    audit.append(session, event, now=now)
