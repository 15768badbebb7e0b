"""Following the audit chain: whether every event is as it was written.

Each event's code is HMAC-SHA256, with the audit key, over the canonical JSON of
`[seq, at, actor, action, kind, id, detail, code before]`. Editing, deleting in the middle and reordering break the
chain. Cutting off the end does not: that is found by the anchor file, which remembers heads outside the database and is
best copied to where only appending is possible.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from pathlib import Path
from typing import Final

from sqlmodel import Session, col, select

from store import audit_shown
from store.audit_shown import NAMED, Shown
from store.audit_tables import AuditRow
from store.context import keys_of

BEFORE_THE_FIRST: Final = (0, "0" * 64)
_BATCH: Final = 1000
_ANCHOR: Final = re.compile(r"(?P<seq>\d+) (?P<mac>[0-9a-f]{64}) \S+")
_NAMES: Final = f'["{NAMED}",'
_NOTHING: Final = Shown()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditVerdict:
    """Whether the trail is as it was written.

    Attributes:
        events: Events looked at.
        first_bad: Sequence number of the first event that is not as it must be (missing or altered), or None.
        head: Sequence number and code of the last event, or None in an empty trail; worth writing down elsewhere.
        anchored: Heads compared with the anchor file.
        reason: "altered", "missing", "truncated", "anchor-unreadable", or None.
    """

    intact: bool
    events: int
    first_bad: int | None
    head: tuple[int, str] | None
    anchored: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A stretch of the chain that was followed.

    Attributes:
        head: Sequence number and code of the last event that is as it must be.
        count: Events looked at that are.
        anchored: Heads among them compared with the anchor file.
        bad: Sequence number of the first event that is not, or None.
        reason: What is wrong with it, or None.
        ended: Whether the end of the trail was reached.
    """

    head: tuple[int, str]
    count: int
    anchored: int
    bad: int | None
    reason: str | None
    ended: bool


def verify(session: Session, *, anchor_file: Path | None) -> AuditVerdict:
    """Follow the whole chain and compare it with the anchored heads (`anchor_file` None or absent: none)."""
    anchors = anchored_heads(anchor_file)
    if anchors is None:
        return AuditVerdict(intact=False, events=0, first_bad=None, head=None, anchored=0, reason="anchor-unreadable")
    done = follow(session, BEFORE_THE_FIRST, anchors=anchors, limit=None)
    return AuditVerdict(
        intact=done.reason is None,
        events=done.count,
        first_bad=done.bad,
        head=done.head if done.count else None,
        anchored=done.anchored,
        reason=done.reason,
    )


def follow(session: Session, after: tuple[int, str], *, anchors: Mapping[int, str], limit: int | None) -> Followed:
    """Follow the chain from behind an event on that is known to be good.

    Args:
        after: Sequence number and code of that event.
        anchors: Heads to be compared on the way.
        limit: At most so many events; None for all.
    """
    key, head, count, compared = keys_of(session).audit, after, 0, 0
    for batch in _batches(session, after[0], limit):
        shown = audit_shown.of_events(session, batch[0].seq, batch[-1].seq)
        for row in batch:
            named = shown.get(row.seq, _NOTHING)
            reason = _fault(row, key=key, before=head, anchored=anchors.get(row.seq), named=named)
            if reason is not None:
                bad = head[0] + 1 if reason == "missing" else row.seq
                return Followed(head=head, count=count, anchored=compared, bad=bad, reason=reason, ended=False)
            compared += row.seq in anchors
            head, count = (row.seq, row.mac), count + 1
    ended = limit is None or count < limit
    cut = ended and max(anchors, default=0) > head[0]
    return Followed(
        head=head,
        count=count,
        anchored=compared,
        bad=head[0] + 1 if cut else None,
        reason="truncated" if cut else None,
        ended=ended,
    )


def code_of(key: bytes, chained: Sequence[object]) -> str:
    """The code of values that are chained, 64 hexadecimal digits."""
    canonical = json.dumps(chained, ensure_ascii=True, separators=(",", ":")).encode()
    return hmac_digest(key, canonical, sha256).hex()


def anchored_heads(anchor_file: Path | None) -> dict[int, str] | None:
    """Heads of the chain that the anchor file remembers; None if it is there and cannot be read."""
    if anchor_file is None or not anchor_file.exists():
        return {}
    try:
        lines = anchor_file.read_bytes().decode("ascii", "replace").splitlines()
    except OSError:
        return None
    heads = [found for line in lines if (found := _ANCHOR.fullmatch(line.strip()))]
    if not heads and any(line.strip() for line in lines):
        return None
    return {int(head["seq"]): head["mac"] for head in heads}


def all_rows(session: Session) -> Iterable[AuditRow]:
    """Every event, oldest first."""
    for batch in _batches(session, 0, None):
        yield from batch


def _batches(session: Session, after: int, limit: int | None) -> Iterator[Sequence[AuditRow]]:
    # In pages by key, so that millions of events need no memory and both engines stream alike.
    while limit is None or limit > 0:
        wanted = _BATCH if limit is None else min(_BATCH, limit)
        query = select(AuditRow).where(col(AuditRow.seq) > after).order_by(col(AuditRow.seq)).limit(wanted)
        batch = session.exec(query).all()
        if batch:
            yield batch
        if len(batch) < wanted:
            return
        after = batch[-1].seq
        limit = None if limit is None else limit - len(batch)
        for row in batch:
            session.expunge(row)


def _fault(row: AuditRow, *, key: bytes, before: tuple[int, str], anchored: str | None, named: Shown) -> str | None:
    if row.seq != before[0] + 1:
        return "missing"
    chained = [row.seq, row.at, row.actor, row.action, row.object_kind, row.object_id, row.detail, row.prev_mac]
    sound = compare_digest(row.prev_mac, before[1]) and compare_digest(row.mac, code_of(key, chained))
    if not sound or (anchored is not None and not compare_digest(anchored, row.mac)):
        return "altered"
    # What is not altered can be read.
    said = dict(json.loads(row.detail)).get(NAMED) if _NAMES in row.detail else None
    if said != (named.code(key) if named != _NOTHING else None):
        return "altered"
    return None
