"""Who did what, when, in a chain that shows every later change.

Each event's code is HMAC-SHA256, with the audit key, over the canonical JSON of
`[seq, at, actor, action, kind, id, detail, code before]`. Editing, deleting in the middle and reordering break the
chain. Cutting off the end does not: that is found by the anchor file, which remembers heads outside the database and is
best copied to where only appending is possible.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from pathlib import Path

from sqlalchemy import insert
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import StoreError
from store.context import keys_of
from store.keys import sync_folder
from store.serialised import encodable
from store.tables import AuditRow, table_of

_BEFORE_THE_FIRST = "0" * 64
_BATCH = 1000
# One statement for many events, past the mapper: the trail grows with every record.
_APPEND = insert(table_of(AuditRow))
_ANCHOR = re.compile(r"(?P<seq>\d+) (?P<mac>[0-9a-f]{64}) \S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedEvent:
    """One link of the chain.

    Attributes:
        seq: From 1, without gaps.
        mac: Its code, 64 hexadecimal digits.
    """

    seq: int
    at: datetime
    event: AuditEvent
    mac: str


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


def append(session: Session, event: AuditEvent, *, now: datetime) -> None:
    """Add an event, in the transaction of the change it tells of."""
    append_many(session, (event,), now=now)


def append_many(session: Session, events: Sequence[AuditEvent], *, now: datetime) -> None:
    """Add events in their order, in the transaction of the change they tell of."""
    session.flush()
    head = session.exec(select(AuditRow.seq, AuditRow.mac).order_by(col(AuditRow.seq).desc()).limit(1)).first()
    seq, mac = head if head is not None else (0, _BEFORE_THE_FIRST)
    key, at, links = keys_of(session).audit, _stamp(now), []
    for event in events:
        seq += 1
        link = _link(event, seq=seq, at=at, prev_mac=mac)
        mac = _code(key, tuple(link.values()))
        links.append(link | {"mac": mac})
    if links:
        session.connection().execute(_APPEND, links)


def events(
    session: Session,
    *,
    after: int = 0,
    limit: int = 100,
    object_kind: str | None = None,
    object_id: str | None = None,
    actor: str | None = None,
) -> list[ChainedEvent]:
    """Events with `seq > after`, oldest first, of one object or actor if asked."""
    query = select(AuditRow).where(col(AuditRow.seq) > after)
    for column, wanted in (
        (AuditRow.object_kind, object_kind),
        (AuditRow.object_id, object_id),
        (AuditRow.actor, actor),
    ):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    return [_chained(row) for row in session.exec(query.order_by(col(AuditRow.seq)).limit(limit))]


def verify(session: Session, *, anchor_file: Path | None) -> AuditVerdict:
    """Follow the whole chain and compare it with the anchored heads (`anchor_file` None or absent: none)."""
    key, head, count = keys_of(session).audit, (0, _BEFORE_THE_FIRST), 0
    anchors = _anchored(anchor_file)
    if anchors is None:
        return AuditVerdict(intact=False, events=0, first_bad=None, head=None, anchored=0, reason="anchor-unreadable")
    compared = 0
    for row in _all_rows(session):
        reason = _fault(row, key=key, before=head, anchored=anchors.get(row.seq))
        if reason is not None:
            bad = head[0] + 1 if reason == "missing" else row.seq
            return AuditVerdict(
                intact=False,
                events=count,
                first_bad=bad,
                head=head if count else None,
                anchored=compared,
                reason=reason,
            )
        compared += row.seq in anchors
        head, count = (row.seq, row.mac), count + 1
    cut = max(anchors, default=0) > head[0]
    return AuditVerdict(
        intact=not cut,
        events=count,
        first_bad=head[0] + 1 if cut else None,
        head=head if count else None,
        anchored=compared,
        reason="truncated" if cut else None,
    )


def anchor(session: Session, anchor_file: Path, *, now: datetime) -> int:
    """Write the head of the chain to the anchor file, and return its sequence number (0: nothing to anchor).

    Raises:
        StoreError: The file cannot be written.
    """
    head = session.exec(select(AuditRow.seq, AuditRow.mac).order_by(col(AuditRow.seq).desc()).limit(1)).first()
    if head is None:
        return 0
    try:
        descriptor = os.open(anchor_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            # A power cut may have torn the last line: a new one must not be glued to it.
            file.write(f"\n{head[0]} {head[1]} {_stamp(now)}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        sync_folder(anchor_file.parent)
    except OSError as fault:
        raise StoreError(
            f"The anchor file {anchor_file} cannot be written: {fault.strerror}.", next_step="Check the disk."
        ) from None
    return head[0]


def export(session: Session) -> Iterator[str]:
    """The whole trail, one JSON object per line, oldest first."""
    for row in _all_rows(session):
        yield json.dumps(
            {
                "seq": row.seq,
                "at": row.at,
                "actor": row.actor,
                "action": row.action,
                "kind": row.object_kind,
                "id": row.object_id,
                "detail": dict(json.loads(row.detail)),
                "prev_mac": row.prev_mac,
                "mac": row.mac,
            },
            ensure_ascii=False,
        )


def _link(event: AuditEvent, *, seq: int, at: str, prev_mac: str) -> dict[str, str | int]:
    """The columns of an event in the order in which they are chained."""
    return {
        "seq": seq,
        "at": at,
        "actor": encodable(event.actor),
        "action": event.action,
        "object_kind": event.object_kind,
        "object_id": encodable(event.object_id),
        "detail": encodable(json.dumps(event.detail, ensure_ascii=False, separators=(",", ":"))),
        "prev_mac": prev_mac,
    }


def _code(key: bytes, chained: Sequence[object]) -> str:
    canonical = json.dumps(chained, ensure_ascii=True, separators=(",", ":")).encode()
    return hmac_digest(key, canonical, sha256).hex()


def _fault(row: AuditRow, *, key: bytes, before: tuple[int, str], anchored: str | None) -> str | None:
    if row.seq != before[0] + 1:
        return "missing"
    chained = [row.seq, row.at, row.actor, row.action, row.object_kind, row.object_id, row.detail, row.prev_mac]
    sound = compare_digest(row.prev_mac, before[1]) and compare_digest(row.mac, _code(key, chained))
    if not sound or (anchored is not None and not compare_digest(anchored, row.mac)):
        return "altered"
    return None


def _anchored(anchor_file: Path | None) -> dict[int, str] | None:
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


def _all_rows(session: Session) -> Iterable[AuditRow]:
    # In pages by key, so that millions of events need no memory and both engines stream alike.
    after = 0
    while True:
        page = session.exec(
            select(AuditRow).where(col(AuditRow.seq) > after).order_by(col(AuditRow.seq)).limit(_BATCH)
        ).all()
        yield from page
        if len(page) < _BATCH:
            return
        after = page[-1].seq
        for row in page:
            session.expunge(row)


def _chained(row: AuditRow) -> ChainedEvent:
    detail = tuple((str(name), str(value)) for name, value in json.loads(row.detail))
    return ChainedEvent(
        seq=row.seq,
        at=datetime.fromisoformat(row.at),
        event=AuditEvent(
            actor=row.actor,
            action=row.action,
            object_kind=row.object_kind,
            object_id=row.object_id,
            detail=detail,
        ),
        mac=row.mac,
    )


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
