"""Take back what an alias has caused."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from store import alias_doubts
from store.alias_states import alias_row
from store.automatic_matches import caused_by
from store.corrections import enqueue_withdrawal


def revoke(session: Session, alias_id: int, *, actor: str, now: datetime) -> tuple[int, ...]:
    """Revoke an alias, and withdraw and put back into review every record that stands on it alone; return those.

    One transaction with the caller's. An alias that is revoked or suspended already gives back what it confirmed too.

    Raises:
        DecisionRefusedError: There is no such alias.
    """
    alias_doubts.mark_revoked(session, alias_row(session, alias_id), actor=actor, now=now)
    recalled = tuple(one.record_id for one in caused_by(session, alias_id) if one.stands)
    for record_id in recalled:
        reason = f"alias {alias_id} revoked"
        enqueue_withdrawal(session, record_id, reason=reason, actor=actor, now=now, reopen=True)
    return recalled
