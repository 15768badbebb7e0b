"""States of template revisions; the templates themselves are files."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, select

from records.audit import AuditEvent
from records.errors import TemplateError
from store import audit, signatures
from store.tables import TemplateRow


class TemplateState(StrEnum):
    """How far a template revision is trusted."""

    DRAFT = "draft"
    SHADOW = "shadow"  # reads, but sends nothing without a person
    LIVE = "live"
    HELD = "held"  # was trusted, until something looked wrong


def register(
    session: Session,
    template_id: str,
    revision: int,
    *,
    sha256: str,
    state: TemplateState,
    actor: str,
    now: datetime,
) -> None:
    """Book a revision. Booking the same file again changes nothing, not even its state.

    Raises:
        TemplateError: This revision is booked with another content: a published revision never changes.
    """
    row = session.get(TemplateRow, (template_id, revision))
    if row is not None:
        if row.sha256 != sha256:
            raise TemplateError(
                f"{template_id}@{revision} was published with another content.",
                next_step="Restore the file, or publish the change as a new revision.",
            )
        return
    session.add(
        TemplateRow(
            template_id=template_id, revision=revision, sha256=sha256, state=state, changed_at=now, changed_by=actor
        )
    )
    detail = (("state", state.value), ("sha256", sha256))
    _audit(session, template_id, revision, "template.registered", actor=actor, now=now, detail=detail)


def states(session: Session) -> dict[tuple[str, int], TemplateState]:
    """State of every booked revision, by template id and revision."""
    return {(row.template_id, row.revision): TemplateState(row.state) for row in session.exec(select(TemplateRow))}


def count_held(session: Session) -> int:
    """How many templates are on hold; a revision that a higher one has replaced does not count."""
    found = states(session)
    newest = {name: max(revision for other, revision in found if other == name) for name, _ in found}
    return sum(found[key] is TemplateState.HELD for key in newest.items())


def hashes(session: Session) -> dict[tuple[str, int], str]:
    """SHA-256 of every booked revision's file, by template id and revision."""
    return {(row.template_id, row.revision): row.sha256 for row in session.exec(select(TemplateRow))}


def set_state(
    session: Session, template_id: str, revision: int, state: TemplateState, *, actor: str, now: datetime
) -> None:
    """Change how far a revision is trusted.

    Raises:
        TemplateError: It is not booked.
    """
    row = session.get(TemplateRow, (template_id, revision))
    if row is None:
        raise TemplateError(f"There is no {template_id}@{revision}.", next_step="Run: scorebridge template list")
    before, row.state, row.changed_at, row.changed_by = row.state, state, now, actor
    session.add(row)
    detail = (("from", before), ("to", state.value))
    _audit(session, template_id, revision, "template.state-changed", actor=actor, now=now, detail=detail)


def release(session: Session, template_id: str, revision: int, *, actor: str, now: datetime) -> None:
    """Let a revision's records go out, and take what its reports look like now as usual from here on.

    Raises:
        TemplateError: It is not booked.
    """
    set_state(session, template_id, revision, TemplateState.LIVE, actor=actor, now=now)
    signatures.accept(session, f"{template_id}@{revision}", now=now)


def rolled_back(
    session: Session, template_id: str, revision: int, *, to: int, published_as: int, actor: str, now: datetime
) -> None:
    """Book that a revision was given up for the contents of an earlier one, under a new number."""
    detail = (("to", str(to)), ("published-as", str(published_as)))
    _audit(session, template_id, revision, "template.rolled-back", actor=actor, now=now, detail=detail)


def _audit(
    session: Session,
    template_id: str,
    revision: int,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...],
) -> None:
    event = AuditEvent(
        actor=actor, action=action, object_kind="template", object_id=f"{template_id}@{revision}", detail=detail
    )
    audit.append(session, event, now=now)
