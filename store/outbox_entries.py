"""Look into the outbox: entries, counts, what is oldest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy
from sqlalchemy import Row, func
from sqlmodel import Session, col, select

from records.errors import DecisionRefusedError
from records.submission import DeliveryReceipt, DeliveryState, ResultStatus, Submission
from store.context import stored_id
from store.tables import SubmissionRow, table_of

_AT_ITS_END = (DeliveryState.DELIVERED, DeliveryState.CANCELLED)
_SUBMISSION: Final = table_of(SubmissionRow)
_SUBMISSIONS: Final = (
    sqlalchemy.select(_SUBMISSION)
    .where(_SUBMISSION.c.id.in_(sqlalchemy.bindparam("numbers", expanding=True)))
    .order_by(_SUBMISSION.c.id)
)

# A person has seen that somebody changed the result at the portal, and sends it all the same.
OVERWRITE: Final = "overwrite"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """A submission and how it fares.

    Attributes:
        reason: Why it is held, dead, deferred or unknown; a code or a sentence without patient data. None otherwise.
        due_at: Not tried before this.
        receipt: The portal's word, once delivered.
    """

    submission: Submission
    site: str
    state: DeliveryState
    reason: str | None
    due_at: datetime
    created_at: datetime
    receipt: DeliveryReceipt | None


def entry(session: Session, submission_id: int) -> OutboxEntry:
    """One entry.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    return entry_of(session, submission_row(session, submission_id))


def list_submissions(
    session: Session,
    *,
    site: str | None = None,
    state: DeliveryState | None = None,
    destination: str | None = None,
    record_id: int | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[OutboxEntry]:
    """Entries, oldest first."""
    query = select(SubmissionRow)
    if site is not None:
        query = query.where(col(SubmissionRow.site) == site)
    if state is not None:
        query = query.where(col(SubmissionRow.state) == state)
    if destination is not None:
        query = query.where(col(SubmissionRow.destination) == destination)
    if record_id is not None:
        query = query.where(col(SubmissionRow.record_id) == record_id)
    page = query.order_by(col(SubmissionRow.id)).offset(offset).limit(limit)
    return [entry_of(session, row) for row in session.exec(page)]


def latest_submissions(
    session: Session,
    *,
    limit: int,
    state: DeliveryState | None = None,
    destination: str | None = None,
    record_id: int | None = None,
) -> tuple[list[OutboxEntry], int]:
    """The newest `limit` entries, oldest of them first, and how many there are in all."""
    wanted = [
        column == value
        for column, value in (
            (col(SubmissionRow.state), state),
            (col(SubmissionRow.destination), destination),
            (col(SubmissionRow.record_id), record_id),
        )
        if value is not None
    ]
    newest = select(SubmissionRow).where(*wanted).order_by(col(SubmissionRow.id).desc()).limit(limit)
    entries = [entry_of(session, row) for row in session.exec(newest)]
    total = session.exec(select(func.count()).select_from(SubmissionRow).where(*wanted)).one()
    return entries[::-1], total


def newest_submissions(
    session: Session,
    *,
    sites: Collection[str] | None,
    limit: int,
    state: DeliveryState | None = None,
    destination: str | None = None,
    before: int | None = None,
) -> list[OutboxEntry]:
    """Entries of these sites (None: of all), newest first, a page at a time.

    Args:
        before: Older than the entry with this number only.
    """
    query = select(SubmissionRow)
    if sites is not None:
        query = query.where(col(SubmissionRow.site).in_(sites))
    if state is not None:
        query = query.where(col(SubmissionRow.state) == state)
    if destination is not None:
        query = query.where(col(SubmissionRow.destination) == destination)
    if before is not None:
        query = query.where(col(SubmissionRow.id) < before)
    return [entry_of(session, row) for row in session.exec(query.order_by(col(SubmissionRow.id).desc()).limit(limit))]


def counts(session: Session, site: str | None = None) -> dict[str, int]:
    """How many submissions are in each `DeliveryState`; every state is listed."""
    query = select(SubmissionRow.state, func.count()).group_by(col(SubmissionRow.state))
    if site is not None:
        query = query.where(col(SubmissionRow.site) == site)
    found = dict(session.exec(query).all())
    return {state.value: found.get(state, 0) for state in DeliveryState}


def oldest_waiting(session: Session) -> datetime | None:
    """When the oldest submission that is not at its end was made, or None."""
    query = select(func.min(col(SubmissionRow.created_at))).where(col(SubmissionRow.state).not_in(_AT_ITS_END))
    return session.exec(query).one()


def waiting_places(session: Session, record_id: int) -> set[str]:
    """Destinations for which something about a record is still on its way."""
    query = select(SubmissionRow.destination).where(
        col(SubmissionRow.record_id) == record_id, col(SubmissionRow.state).not_in(_AT_ITS_END)
    )
    return set(session.exec(query))


def submission_row(session: Session, submission_id: int) -> SubmissionRow:
    """The row of a submission, for changing it.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    row = session.get(SubmissionRow, submission_id)
    if row is None:
        raise DecisionRefusedError(
            f"There is no submission {submission_id}.",
            next_step="“scorebridge submission list” shows which there are; the number of a record is another one.",
        )
    return row


def entry_of(session: Session, row: SubmissionRow) -> OutboxEntry:
    """The entry of a row."""
    return OutboxEntry(
        submission=submission_of(session, row),
        site=row.site,
        state=DeliveryState(row.state),
        reason=row.reason,
        due_at=row.due_at,
        created_at=row.created_at,
        receipt=receipt_of(row),
    )


def receipt_of(row: SubmissionRow) -> DeliveryReceipt | None:
    """The portal's word, once delivered."""
    if row.remote_id is None or row.received_at is None:
        return None
    return DeliveryReceipt(
        remote_id=row.remote_id,
        version=row.remote_version,
        http_status=row.http_status or 0,
        received_at=row.received_at,
        found=row.found,
    )


def submissions(session: Session, numbers: Sequence[int]) -> list[Submission]:
    """The submissions with these ids, oldest first."""
    rows = session.connection().execute(_SUBMISSIONS, {"numbers": list(numbers)}).all()
    return [submission_of(session, row) for row in rows]


def submission_of(session: Session, row: SubmissionRow | Row[tuple[object, ...]]) -> Submission:
    """The submission of a row, with the id its destination gave to the assessment before."""
    remote_id, remote_version = _remote(session, row)
    return Submission(
        submission_id=stored_id(row.id),
        record_id=row.record_id,
        destination=row.destination,
        patient_id=row.patient_id,
        sequence=row.sequence,
        external_id=row.external_id,
        revision=row.revision,
        status=ResultStatus(row.status),
        payload=row.payload,
        idempotency_key=row.idempotency_key,
        attempts=row.attempts,
        remote_id=remote_id,
        remote_version=remote_version,
        was_unknown=row.was_unknown,
        created_at=row.created_at,
    )


def _remote(session: Session, row: SubmissionRow | Row[tuple[object, ...]]) -> tuple[str | None, str | None]:
    if row.revision == 1:
        return row.remote_id, row.remote_version
    query = select(SubmissionRow.status, SubmissionRow.remote_id, SubmissionRow.remote_version).where(
        col(SubmissionRow.destination) == row.destination,
        col(SubmissionRow.external_id) == row.external_id,
        col(SubmissionRow.revision) <= row.revision,
        col(SubmissionRow.state) == DeliveryState.DELIVERED,
        col(SubmissionRow.remote_id).is_not(None),
    )
    last = session.exec(query.order_by(col(SubmissionRow.revision).desc()).limit(1)).first()
    if last is None:
        return None, None
    status, remote_id, version = last
    # What was withdrawn may be hidden, deleted, or never have been there: only a look can tell.
    unsure = status == ResultStatus.ENTERED_IN_ERROR and row.state != DeliveryState.DELIVERED
    if unsure or not remote_id:
        return None, None
    return remote_id, None if row.reason == OVERWRITE else version
