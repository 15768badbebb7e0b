"""The chain followed a piece at a time, so that nobody waits for millions of events, and its last verdict kept.

A pass begins at the first event. Once at the end it goes on with what is added; after a day the next pass begins, since
an event that was sound yesterday may have been altered since. The verdict is sealed with the audit key: whoever can
write into the database alone cannot say that all is well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Final

from sqlmodel import Session, col, func, select

from store import notices
from store.audit import stamp
from store.audit_chain import BEFORE_THE_FIRST, anchored_heads, code_of, follow
from store.audit_tables import AuditRow, ChainCheckRow
from store.context import keys_of
from store.database import Database

BROKEN: Final = "audit-chain-broken"
"""Kind of the notice that somebody altered the trail."""

_PASS: Final = timedelta(hours=24)
_SENTENCE: Final = (
    "The audit trail is not as it was written. Keep the database and the anchor file as they are, and look at the page "
    "Audit, or run: scorebridge audit verify"
)
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """What is known of the chain.

    Attributes:
        intact: Whether every event up to `events` is as it was written; None before the first pass has ended.
        events: How many events the verdict covers.
        checked_at: When the end was last reached, or the fault found; None before.
        first_bad: The first event that is not as it must be, or None.
        reason: "altered", "missing", "truncated", "anchor-unreadable", "verdict-altered", or None.
        under_way: The event that a pass has come to, or None if none is under way.
        newest: Number of the newest event.
    """

    intact: bool | None
    events: int
    checked_at: datetime | None
    first_bad: int | None
    reason: str | None
    under_way: int | None
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """Where a pass is, and what was found last.

    Attributes:
        head: The last event that is known to be good in this pass.
        checked_seq: The newest event when the end was last reached, and `checked_at` when that was.
    """

    began_at: datetime
    head: tuple[int, str]
    checked_seq: int
    checked_at: datetime
    bad: int | None
    reason: str | None

    @property
    def is_under_way(self) -> bool:
        """Whether it has not come to an end yet."""
        return self.checked_at < self.began_at

    @property
    def chained(self) -> list[object]:
        """What is sealed."""
        began, checked = stamp(self.began_at), stamp(self.checked_at)
        return [began, *self.head, self.checked_seq, checked, self.bad, self.reason]


_NEW: Final = _Pass(began_at=_NEVER, head=BEFORE_THE_FIRST, checked_seq=0, checked_at=_NEVER, bad=None, reason=None)


def state(session: Session) -> ChainState:
    """What is known of the chain."""
    kept = _kept(session)
    newest = session.exec(select(func.max(col(AuditRow.seq)))).one() or 0
    reason = "verdict-altered" if kept is None else kept.reason
    kept = kept or _NEW
    looked = kept.checked_at > _NEVER
    return ChainState(
        intact=reason is None if looked or reason else None,
        events=kept.checked_seq,
        checked_at=kept.checked_at if looked else None,
        first_bad=kept.bad,
        reason=reason,
        under_way=kept.head[0] if kept.is_under_way else None,
        newest=newest,
    )


def begin(database: Database, *, now: datetime) -> None:
    """Begin a new pass; the last verdict stands until it has ended."""
    with database.session() as session:
        _keep(session, replace(_kept(session) or _NEW, began_at=now, head=BEFORE_THE_FIRST))


def advance(database: Database, *, limit: int, now: datetime) -> ChainState:
    """Follow the chain by at most `limit` events from where the pass is, keep how it stands, and say so.

    A fault leaves a notice; an end without one resolves it.
    """
    with database.reading() as session:
        kept = _kept(session) or _NEW
        if now - kept.began_at >= _PASS and not kept.is_under_way:
            kept = replace(kept, began_at=now, head=BEFORE_THE_FIRST)
        found = _followed(session, kept, anchors=anchored_heads(database.anchor_file), limit=limit, now=now)
    with database.session() as session:
        _keep(session, found)
        _tell(session, found, now=now)
        return state(session)


def _followed(session: Session, kept: _Pass, *, anchors: dict[int, str] | None, limit: int, now: datetime) -> _Pass:
    if anchors is None:
        return replace(kept, checked_at=now, bad=None, reason="anchor-unreadable")
    if kept.head[0]:
        row = session.get(AuditRow, kept.head[0])
        if row is None or not compare_digest(row.mac, kept.head[1]):
            reason = "truncated" if row is None else "altered"
            return replace(kept, checked_at=now, bad=kept.head[0], reason=reason)
    done = follow(session, kept.head, anchors=anchors, limit=limit)
    if done.reason is not None:
        return replace(kept, head=done.head, checked_at=now, bad=done.bad, reason=done.reason)
    if not done.ended:
        return replace(kept, head=done.head)
    if kept.checked_seq > done.head[0]:
        return replace(kept, head=done.head, checked_at=now, bad=done.head[0] + 1, reason="truncated")
    return replace(kept, head=done.head, checked_seq=done.head[0], checked_at=now, bad=None, reason=None)


def _tell(session: Session, found: _Pass, *, now: datetime) -> None:
    if found.reason is not None:
        notices.leave(session, BROKEN, "audit trail", _SENTENCE, now=now)
    elif not found.is_under_way:
        notices.resolve(session, BROKEN, "audit trail", now=now)


def _kept(session: Session) -> _Pass | None:
    """What was kept last, a new pass if nothing was, or None if somebody else wrote it."""
    row = session.get(ChainCheckRow, 1, populate_existing=True)
    if row is None:
        return _NEW
    try:
        kept = _Pass(
            began_at=datetime.fromisoformat(row.began_at),
            head=(row.seq, row.mac),
            checked_seq=row.checked_seq,
            checked_at=datetime.fromisoformat(row.checked_at),
            bad=row.bad_seq,
            reason=row.reason,
        )
    except ValueError:
        return None
    return kept if compare_digest(row.seal, code_of(keys_of(session).audit, kept.chained)) else None


def _keep(session: Session, found: _Pass) -> None:
    row = ChainCheckRow(
        id=1,
        began_at=stamp(found.began_at),
        seq=found.head[0],
        mac=found.head[1],
        checked_seq=found.checked_seq,
        checked_at=stamp(found.checked_at),
        bad_seq=found.bad,
        reason=found.reason,
        seal=code_of(keys_of(session).audit, found.chained),
    )
    session.merge(row)
    session.flush()
