"""Making tokens of the API good for nothing, one or all of a user's."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from records.audit import AuditEvent
from store import audit
from store.token_tables import ApiTokenRow


def revoke_row(
    session: Session, row: ApiTokenRow, *, actor: str, now: datetime, detail: tuple[tuple[str, str], ...] = ()
) -> None:
    """Revoke a token, with its event of the audit trail. A second time changes nothing."""
    if row.revoked_at is not None:
        return
    row.revoked_at, row.revoked_by = now, actor
    session.add(row)
    session.flush()
    event = AuditEvent(
        actor=actor,
        action="token.revoked",
        object_kind="token",
        object_id=str(row.id),
        detail=(("name", row.name), *detail),
    )
    audit.append(session, event, now=now)


def revoke_all(session: Session, account_id: int, *, because: str, actor: str, now: datetime) -> int:
    """Revoke every token that acts for a user; how many of them could still have let somebody in.

    Args:
        because: What has happened to the user, as a word for the audit trail.
    """
    query = select(ApiTokenRow).where(col(ApiTokenRow.account_id) == account_id, col(ApiTokenRow.revoked_at).is_(None))
    rows = session.exec(query.order_by(col(ApiTokenRow.id))).all()
    for row in rows:
        revoke_row(session, row, actor=actor, now=now, detail=(("because", because),))
    return sum(now < row.expires_at for row in rows)
