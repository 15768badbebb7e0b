"""Put confirmed records into the outbox."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid5

from sqlalchemy import func
from sqlmodel import Session, col, select

from records.submission import DeliveryState, ResultStatus
from store.context import deployment_of, stored_id
from store.tables import RecordRow, SubmissionRow

_SETTLED = (DeliveryState.DELIVERED, DeliveryState.CANCELLED)


def enqueue(session: Session, record: RecordRow, destinations: Iterable[str], *, now: datetime) -> list[int]:
    """One submission per destination for a confirmed record, due at once; return their row ids.

    It is a correction where the destination has, or may have, an earlier value of the same assessment. Where the same
    record is being withdrawn from another patient, it waits until that has arrived.
    """
    wanted = dict.fromkeys(destinations)
    return [_add(session, record, place, _next_status(session, record, place), now=now) for place in wanted]


def enqueue_taking_back(session: Session, record: RecordRow, destination: str, *, now: datetime) -> int:
    """A submission that withdraws the record's assessment from one destination; return its row id."""
    return _add(session, record, destination, ResultStatus.ENTERED_IN_ERROR, now=now)


def of_assessment(session: Session, external_id: str, destination: str | None = None) -> list[SubmissionRow]:
    """All submissions of one assessment, by destination and revision."""
    query = select(SubmissionRow).where(col(SubmissionRow.external_id) == external_id)
    if destination is not None:
        query = query.where(col(SubmissionRow.destination) == destination)
    return list(session.exec(query.order_by(col(SubmissionRow.destination), col(SubmissionRow.revision))))


def may_be_there(row: SubmissionRow) -> bool:
    """Whether the destination has this value, or may have it, or is about to get it."""
    if row.state in (DeliveryState.DELIVERED, DeliveryState.SENDING, DeliveryState.UNKNOWN):
        return True
    return row.was_unknown and row.state != DeliveryState.CANCELLED


def _add(session: Session, record: RecordRow, destination: str, status: ResultStatus, *, now: datetime) -> int:
    if record.external_id is None or record.patient_id is None:
        raise RuntimeError(f"record {record.id} is not confirmed")
    newest = func.max(col(SubmissionRow.revision))
    last = session.exec(
        select(newest).where(
            col(SubmissionRow.destination) == destination, col(SubmissionRow.external_id) == record.external_id
        )
    ).one()
    revision = (last or 0) + 1
    taking_back = status is ResultStatus.ENTERED_IN_ERROR
    after_id = None if taking_back else _withdrawal_under_way(session, record, destination)
    row = SubmissionRow(
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
        after_id=after_id,
    )
    session.add(row)
    session.flush()
    return stored_id(row.id)


def idempotency_key(session: Session, external_id: str, revision: int, status: str, destination: str) -> str:
    """The key under which a destination takes this message once, the same after restarts and on every attempt."""
    return str(uuid5(deployment_of(session), f"{external_id}|{revision}|{status}|{destination}"))


def _next_status(session: Session, record: RecordRow, destination: str) -> ResultStatus:
    earlier = of_assessment(session, record.external_id or "", destination)
    waiting = (DeliveryState.PENDING, DeliveryState.HELD)
    ahead = any(may_be_there(row) or row.state in waiting for row in earlier)
    return ResultStatus.CORRECTED if ahead else ResultStatus.FINAL


def _next_sequence(session: Session, destination: str, patient_id: str) -> int:
    last = session.exec(
        select(func.max(col(SubmissionRow.sequence))).where(
            col(SubmissionRow.destination) == destination, col(SubmissionRow.patient_id) == patient_id
        )
    ).one()
    return (last or 0) + 1


def _withdrawal_under_way(session: Session, record: RecordRow, destination: str) -> int | None:
    query = select(SubmissionRow.id).where(
        col(SubmissionRow.record_id) == record.id,
        col(SubmissionRow.destination) == destination,
        col(SubmissionRow.status) == ResultStatus.ENTERED_IN_ERROR,
        col(SubmissionRow.state).not_in(_SETTLED),
    )
    return session.exec(query.order_by(col(SubmissionRow.id).desc()).limit(1)).first()
