"""Put confirmed records into the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid5

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

from records.submission import DeliveryState, ResultStatus
from store.context import deployment_of, stored_id
from store.tables import RecordRow, SubmissionRow

# Written once: building a statement costs more than running it, and these run for every record.
_OF_ASSESSMENT: Final = (
    select(SubmissionRow)
    .where(col(SubmissionRow.external_id) == bindparam("external_id"))
    .order_by(col(SubmissionRow.destination), col(SubmissionRow.revision))
)
_LAST_SEQUENCE: Final = select(func.max(col(SubmissionRow.sequence))).where(
    col(SubmissionRow.destination) == bindparam("destination"),
    col(SubmissionRow.patient_id) == bindparam("patient_id"),
)
_WITHDRAWAL_UNDER_WAY: Final = select(func.max(col(SubmissionRow.id))).where(
    col(SubmissionRow.record_id) == bindparam("record_id"),
    col(SubmissionRow.destination) == bindparam("destination"),
    # One of the same assessment is overwritten by what is queued now, so that waiting for it could be for ever.
    col(SubmissionRow.external_id) != bindparam("external_id"),
    col(SubmissionRow.status) == ResultStatus.ENTERED_IN_ERROR,
    col(SubmissionRow.state).not_in((DeliveryState.DELIVERED, DeliveryState.CANCELLED)),
)


def enqueue(
    session: Session,
    record: RecordRow,
    destinations: Iterable[str],
    *,
    now: datetime,
    hold: timedelta = timedelta(0),
) -> list[int]:
    """One submission per destination for a confirmed record, due after `hold`; return their row ids.

    It is a correction where the destination has, or may have, an earlier value of the same assessment; such a
    destination is told even if it is no longer among `destinations`. Where the same record is being withdrawn from
    another patient, it waits until that has arrived.
    """
    earlier = of_assessment(session, record.external_id or "")
    return enqueue_at(session, record, (*destinations, *_with_a_value(earlier)), now=now, hold=hold)


def enqueue_at(
    session: Session,
    record: RecordRow,
    destinations: Iterable[str],
    *,
    now: datetime,
    hold: timedelta = timedelta(0),
) -> list[int]:
    """The same for just these destinations."""
    earlier = of_assessment(session, record.external_id or "")
    rows = []
    for destination in dict.fromkeys(destinations):
        before = [row for row in earlier if row.destination == destination]
        row = _row(session, record, destination, _status(before), before, now=now)
        row.after_id = _withdrawal_under_way(session, record, destination)
        row.due_at = now + hold
        rows.append(row)
    session.add_all(rows)
    session.flush()
    return [stored_id(row.id) for row in rows]


def enqueue_taking_back(session: Session, record: RecordRow, destination: str, *, now: datetime) -> int:
    """A submission that withdraws the record's assessment from one destination; return its row id."""
    before = of_assessment(session, record.external_id or "", destination)
    row = _row(session, record, destination, ResultStatus.ENTERED_IN_ERROR, before, now=now)
    session.add(row)
    session.flush()
    return stored_id(row.id)


def of_assessment(session: Session, external_id: str, destination: str | None = None) -> list[SubmissionRow]:
    """All submissions of one assessment, by destination and revision."""
    rows = session.exec(_OF_ASSESSMENT, params={"external_id": external_id})
    return [row for row in rows if destination in (None, row.destination)]


def may_be_there(row: SubmissionRow) -> bool:
    """Whether the destination has this value, or may have it, or is about to get it."""
    if row.state in (DeliveryState.DELIVERED, DeliveryState.SENDING, DeliveryState.UNKNOWN):
        return True
    return row.was_unknown and row.state != DeliveryState.CANCELLED


def never_left(row: SubmissionRow) -> bool:
    """Whether this message can be taken back because the destination certainly has nothing of it."""
    return row.state != DeliveryState.CANCELLED and not may_be_there(row)


def idempotency_key(session: Session, external_id: str, revision: int, status: str, destination: str) -> str:
    """The key under which a destination takes this message once, the same after restarts and on every attempt."""
    return str(uuid5(deployment_of(session), f"{external_id}|{revision}|{status}|{destination}"))


def _row(
    session: Session,
    record: RecordRow,
    destination: str,
    status: ResultStatus,
    before: list[SubmissionRow],
    *,
    now: datetime,
) -> SubmissionRow:
    if record.external_id is None or record.patient_id is None:
        raise RuntimeError(f"record {record.id} is not confirmed")
    revision = max((row.revision for row in before), default=0) + 1
    return SubmissionRow(
        record_id=stored_id(record.id),
        site=record.site,
        destination=destination,
        patient_id=record.patient_id,
        sequence=_next_sequence(session, destination, record.patient_id),
        external_id=record.external_id,
        revision=revision,
        status=status,
        idempotency_key=idempotency_key(session, record.external_id, revision, status, destination),
        assessment=record.assessment,
        confirmed_by=record.confirmed_by or "",
        state=DeliveryState.PENDING,
        due_at=now,
        created_at=now,
    )


def _with_a_value(earlier: list[SubmissionRow]) -> list[str]:
    """Destinations that have a value of the assessment, or may get one, and were not told to drop it."""
    last = {row.destination: row for row in earlier if row.state != DeliveryState.CANCELLED}
    return [place for place, row in last.items() if row.status != ResultStatus.ENTERED_IN_ERROR]


def _status(before: list[SubmissionRow]) -> ResultStatus:
    waiting = (DeliveryState.PENDING, DeliveryState.HELD)
    ahead = any(may_be_there(row) or row.state in waiting for row in before)
    return ResultStatus.CORRECTED if ahead else ResultStatus.FINAL


def _next_sequence(session: Session, destination: str, patient_id: str) -> int:
    last = session.exec(_LAST_SEQUENCE, params={"destination": destination, "patient_id": patient_id}).one()
    return (last or 0) + 1


def _withdrawal_under_way(session: Session, record: RecordRow, destination: str) -> int | None:
    named = {
        "record_id": stored_id(record.id), "destination": destination, "external_id": record.external_id
    }  # fmt: skip
    return session.exec(_WITHDRAWAL_UNDER_WAY, params=named).one()
