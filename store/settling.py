"""How attempts ended, written down many at a time: receipts come faster than a disk can sync each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Row, Table, bindparam, func, select, update
from sqlmodel import Session

from records.audit import AuditEvent
from records.submission import DeliveryReceipt, DeliveryState, ResultStatus
from store import audit
from store.context import stored_id
from store.queueing import of_assessment
from store.tables import SubmissionRow, table_of

SERVICE: Final = "service"
_SUBMISSION: Final[Table] = table_of(SubmissionRow)
_WRITTEN: Final = (
    "state", "reason", "due_at", "was_unknown", "attempts", "remote_id", "remote_version", "http_status",
    "received_at", "found",
)  # fmt: skip
_LEASED: Final = select(
    *(_SUBMISSION.c[name] for name in ("id", "revision", "status", "external_id", "destination", *_WRITTEN))
).where(
    _SUBMISSION.c.id.in_(bindparam("numbers", expanding=True)),
    _SUBMISSION.c.state == DeliveryState.SENDING,
    _SUBMISSION.c.lease_owner == bindparam("owner"),
)
_WITHDRAWALS: Final = (
    select(_SUBMISSION.c.external_id, _SUBMISSION.c.destination, func.max(_SUBMISSION.c.revision).label("revision"))
    .where(
        _SUBMISSION.c.external_id.in_(bindparam("ids", expanding=True)),
        _SUBMISSION.c.destination.in_(bindparam("places", expanding=True)),
        _SUBMISSION.c.status == ResultStatus.ENTERED_IN_ERROR,
        _SUBMISSION.c.state != DeliveryState.CANCELLED,
    )
    .group_by(_SUBMISSION.c.external_id, _SUBMISSION.c.destination)
)
_NOT_ARRIVED: Final = (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.DEAD)
_WRITE: Final = (
    update(_SUBMISSION)
    .where(_SUBMISSION.c.id == bindparam("number"))
    .values(lease_owner=None, lease_until=None, **{name: bindparam(f"new_{name}") for name in _WRITTEN})
)
_FREEZE: Final = (
    update(_SUBMISSION)
    .where(_SUBMISSION.c.id == bindparam("number"), _SUBMISSION.c.payload.is_(None))
    .values(payload=bindparam("bytes"), mapping_revision=bindparam("mapping"))
)
_AUDITED: Final = {
    DeliveryState.DELIVERED: "submission.delivered",
    DeliveryState.UNKNOWN: "submission.answer-lost",
    DeliveryState.HELD: "submission.held",
    DeliveryState.DEAD: "submission.dead",
    DeliveryState.CANCELLED: "submission.cancelled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How one attempt ended.

    Attributes:
        state: Delivered, unknown, held, dead, or pending for "nothing arrived, again later".
        reason: Why, unless delivered.
        due_at: When pending and unknown ones are looked at again; None leaves the time as it is.
        receipt: The portal's word, if delivered.
        attempt: Number of the attempt that ended; if a later one is under way, this one came too late. None: whichever.
        may_be_there: The portal has the value, or may have it, although it did not say so: a gateway's 504, an answer
            that shows something else. It is looked for before anything else is done.
        attempted: False if nothing was tried after all, so that the attempt does not count.
    """

    submission_id: int
    state: DeliveryState
    reason: str | None = None
    due_at: datetime | None = None
    receipt: DeliveryReceipt | None = None
    attempt: int | None = None
    may_be_there: bool = False
    attempted: bool = True


def settle(session: Session, settlements: Sequence[Settlement], *, owner: str, now: datetime) -> frozenset[int]:
    """Write down how attempts ended; the ids of those that `owner` still had leased. The others stay untouched.

    An answer lost on an earlier attempt is still lost after one that did not arrive: `was_unknown` stays, so that the
    next attempt looks first. What certainly did not arrive, and was withdrawn meanwhile, is cancelled. Earlier messages
    about the same assessment that were refused for good are replaced by one that is delivered, and so cancelled; by a
    withdrawal also those that are held or wait.
    """
    session.flush()
    by_id = {settlement.submission_id: settlement for settlement in settlements}
    leased = _leased(session, list(by_id), owner)
    rows = [row for row in leased if by_id[row.id].attempt in (None, row.attempts)]
    if not rows:
        return frozenset()
    for row in _withdrawn_meanwhile(session, rows, by_id):
        by_id[row.id] = replace(by_id[row.id], state=DeliveryState.CANCELLED, reason="withdrawn")
    written = [_new_values(row, by_id[row.id]) for row in rows]
    session.connection().execute(_WRITE, written)
    forget(session)
    # What failed for a moment is not audited: an outage would fill the trail with what the row says already.
    told = [(row, by_id[row.id]) for row in rows if by_id[row.id].attempted and by_id[row.id].state in _AUDITED]
    superseding = [row for row, settled in told if settled.receipt is not None and row.revision > 1]
    audit.append_many(session, [_event(settled, row.destination) for row, settled in told], now=now)
    for row in superseding:
        _supersede(session, row, now=now)
    return frozenset(row.id for row in rows)


def freeze(session: Session, payloads: Mapping[int, bytes], mapping_revision: str, *, owner: str) -> frozenset[int]:
    """Keep payloads before the first attempt; one frozen before stays. The ids that `owner` has leased."""
    session.flush()
    leased = [row.id for row in _leased(session, list(payloads), owner)]
    if leased:
        values = [{"number": number, "bytes": payloads[number], "mapping": mapping_revision} for number in leased]
        session.connection().execute(_FREEZE, values)
        forget(session)
    return frozenset(leased)


def forget(session: Session) -> None:
    """Rows this session has read before are read anew: they were changed past it."""
    for row in list(session.identity_map.values()):
        if isinstance(row, SubmissionRow):
            session.expire(row)


def _leased(session: Session, numbers: Sequence[int], owner: str) -> Sequence[Row[tuple[object, ...]]]:
    return session.connection().execute(_LEASED, {"numbers": list(numbers), "owner": owner}).all()


def _withdrawn_meanwhile(
    session: Session, rows: Sequence[Row[tuple[object, ...]]], by_id: Mapping[int, Settlement]
) -> list[Row[tuple[object, ...]]]:
    """Those that certainly did not arrive and that a later message takes back already: trying again would be wrong."""
    failed = [
        row
        for row in rows
        if by_id[row.id].state in _NOT_ARRIVED
        and row.status != ResultStatus.ENTERED_IN_ERROR
        and not (row.was_unknown or by_id[row.id].may_be_there)
    ]
    if not failed:
        return []
    named = {"ids": [row.external_id for row in failed], "places": list({row.destination for row in failed})}
    found = session.connection().execute(_WITHDRAWALS, named).all()
    last = {(one.external_id, one.destination): one.revision for one in found}
    return [row for row in failed if last.get((row.external_id, row.destination), 0) > row.revision]


def _new_values(row: Row[tuple[object, ...]], settled: Settlement) -> dict[str, object]:
    values: dict[str, object] = {f"new_{name}": getattr(row, name) for name in _WRITTEN}
    values |= {"number": row.id, "new_state": settled.state, "new_reason": settled.reason}
    if settled.due_at is not None:
        values["new_due_at"] = settled.due_at
    if settled.state is DeliveryState.UNKNOWN or settled.may_be_there:
        values["new_was_unknown"] = True
    if not settled.attempted:
        values["new_attempts"] = max(row.attempts - 1, 0)
    receipt = settled.receipt
    if receipt is not None:
        values |= {
            "new_remote_id": receipt.remote_id,
            "new_remote_version": receipt.version,
            "new_http_status": receipt.http_status,
            "new_received_at": receipt.received_at,
            "new_found": receipt.found,
            "new_was_unknown": False,
        }
    return values


def _event(settled: Settlement, destination: str) -> AuditEvent:
    detail: tuple[tuple[str, str], ...] = ()
    if settled.receipt is not None:
        told = (("http", str(settled.receipt.http_status)), ("found", str(settled.receipt.found)))
        detail = (("destination", destination), *told)
    elif settled.state is not DeliveryState.UNKNOWN:
        detail = (("reason", settled.reason or ""),)
    return AuditEvent(
        actor=SERVICE,
        action=_AUDITED[settled.state],
        object_kind="submission",
        object_id=str(settled.submission_id),
        detail=detail,
    )


def _supersede(session: Session, row: Row[tuple[object, ...]], *, now: datetime) -> None:
    events = list(_superseded(session, row))
    if events:
        session.flush()
        audit.append_many(session, events, now=now)


def _superseded(session: Session, row: Row[tuple[object, ...]]) -> Iterator[AuditEvent]:
    for earlier in of_assessment(session, row.external_id, row.destination):
        # What was taken back must not be sent any more, whatever it waits for.
        is_over = _NOT_ARRIVED if row.status == ResultStatus.ENTERED_IN_ERROR else (DeliveryState.DEAD,)
        if earlier.revision < row.revision and earlier.state in is_over:
            earlier.state, earlier.reason = DeliveryState.CANCELLED, "superseded"
            earlier.lease_owner = earlier.lease_until = None
            session.add(earlier)
            yield AuditEvent(
                actor=SERVICE,
                action="submission.superseded",
                object_kind="submission",
                object_id=str(stored_id(earlier.id)),
                detail=(("by", str(row.id)),),
            )
