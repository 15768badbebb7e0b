"""Who did what, when, in a chain that shows every later change; `store.audit_chain` follows it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert
from sqlmodel import Session, col, select

from records.audit import AuditEvent
from records.errors import StoreError
from store import audit_shown
from store.audit_chain import BEFORE_THE_FIRST, AuditVerdict, all_rows, code_of, verify
from store.audit_shown import NAMED, Shown
from store.audit_tables import AuditRow
from store.context import keys_of
from store.keys import sync_folder
from store.serialised import encodable
from store.tables import table_of

__all__ = [
    "AuditVerdict",
    "ChainedEvent",
    "Shown",
    "anchor",
    "append",
    "append_many",
    "append_view",
    "chained",
    "events",
    "export",
    "line_of",
    "stamp",
    "verify",
]

# One statement for many events, past the mapper: the trail grows with every record.
_APPEND = insert(table_of(AuditRow))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedEvent:
    """One link of the chain.

    Attributes:
        seq: From 1, without gaps.
        prev_mac: Code of the event before.
        mac: Its code, 64 hexadecimal digits.
    """

    seq: int
    at: datetime
    event: AuditEvent
    prev_mac: str
    mac: str


def append(session: Session, event: AuditEvent, *, now: datetime) -> None:
    """Add an event, in the transaction of the change it tells of."""
    append_many(session, (event,), now=now)


def append_view(session: Session, event: AuditEvent, shown: Shown, *, now: datetime) -> None:
    """Add an event of having looked, and keep beside the chain which records and patients it showed."""
    if shown == Shown():
        append(session, event, now=now)
        return
    code = shown.code(keys_of(session).audit)
    seq = append_many(session, [replace(event, detail=(*event.detail, (NAMED, code)))], now=now)
    audit_shown.keep(session, seq, shown)


def append_many(session: Session, events: Sequence[AuditEvent], *, now: datetime) -> int:
    """Add events in their order, in the transaction of the change they tell of; the number of the last one."""
    session.flush()
    head = session.exec(select(AuditRow.seq, AuditRow.mac).order_by(col(AuditRow.seq).desc()).limit(1)).first()
    seq, mac = head if head is not None else BEFORE_THE_FIRST
    key, at, links = keys_of(session).audit, stamp(now), []
    for event in events:
        seq += 1
        link = _link(event, seq=seq, at=at, prev_mac=mac)
        mac = code_of(key, tuple(link.values()))
        links.append(link | {"mac": mac})
    if links:
        session.connection().execute(_APPEND, links)
    return seq


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
    return [chained(row) for row in session.exec(query.order_by(col(AuditRow.seq)).limit(limit))]


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
            file.write(f"\n{head[0]} {head[1]} {stamp(now)}\n".encode())
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
    for row in all_rows(session):
        yield line_of(row)


def line_of(row: AuditRow) -> str:
    """An event as one line of JSON, just as it is kept."""
    return json.dumps(
        {
            "seq": row.seq,
            "at": row.at,
            "actor": row.actor,
            "action": row.action,
            "kind": row.object_kind,
            "id": row.object_id,
            "detail": dict(_detail(row)),
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


def chained(row: AuditRow) -> ChainedEvent:
    """The link of a row; of one that somebody has altered, whatever can still be read."""
    return ChainedEvent(
        seq=row.seq,
        at=_instant(row.at),
        event=AuditEvent(
            actor=row.actor,
            action=row.action,
            object_kind=row.object_kind,
            object_id=row.object_id,
            detail=_detail(row),
        ),
        prev_mac=row.prev_mac,
        mac=row.mac,
    )


def _detail(row: AuditRow) -> tuple[tuple[str, str], ...]:
    try:
        return tuple((str(name), str(value)) for name, value in json.loads(row.detail))
    except (ValueError, TypeError):
        return (("unreadable", row.detail),)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)


def stamp(instant: datetime) -> str:
    """An instant as the chain holds it; the texts sort as the instants do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")
