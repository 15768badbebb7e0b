"""Everything that any portal was told of one record, and by which rule it was confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from records.assessment import SymptomAssessment
from records.submission import DeliveryReceipt, DeliveryState, ResultStatus
from store.context import stored_id
from store.learning_tables import AutomaticMatchRow
from store.outbox_entries import receipt_of
from store.serialised import assessment_of
from store.tables import SubmissionRow, TemplateRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMessage:
    """One message to one portal about a record, sent or not.

    Attributes:
        patient_id: Whom it names.
        assessment: The values as they were confirmed when it was made.
        mapping_revision: Of the destination file that made the payload; None before the first attempt.
        payload: What is or was sent, as text; None before the first attempt.
        http_status: Of the last answer, or None.
        receipt: The portal's word that it has it, or None.
        after_id: The message that must arrive before it, or None.
    """

    submission_id: int
    destination: str
    patient_id: str
    external_id: str
    revision: int
    status: ResultStatus
    assessment: SymptomAssessment
    confirmed_by: str
    mapping_revision: str | None
    payload: str | None
    idempotency_key: str
    state: DeliveryState
    reason: str | None
    attempts: int
    due_at: datetime
    created_at: datetime
    http_status: int | None
    receipt: DeliveryReceipt | None
    after_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomaticMatch:
    """How a record went out without a person.

    Attributes:
        alias_id: Number of the alias behind it, or None if all gates passed by themselves.
        taken_back_at: When a person took it back, or None.
    """

    confirmed_at: datetime
    alias_id: int | None
    taken_back_at: datetime | None


def messages(session: Session, record_id: int) -> list[RecordMessage]:
    """What was told, or is to be told, of a record, oldest first."""
    query = select(SubmissionRow).where(col(SubmissionRow.record_id) == record_id).order_by(col(SubmissionRow.id))
    return [_message(row) for row in session.exec(query)]


def automatic_match(session: Session, record_id: int) -> AutomaticMatch | None:
    """How the record went out without a person, or None if a person confirmed it."""
    row = session.get(AutomaticMatchRow, record_id)
    if row is None:
        return None
    return AutomaticMatch(confirmed_at=row.confirmed_at, alias_id=row.alias_id, taken_back_at=row.taken_back_at)


def template_sha256(session: Session, template: str) -> str | None:
    """Hash of the file of a template revision ("id@revision"), or None if it was never published."""
    name, _, revision = template.rpartition("@")
    row = session.get(TemplateRow, (name, int(revision))) if revision.isdecimal() else None
    return None if row is None else row.sha256


def _message(row: SubmissionRow) -> RecordMessage:
    return RecordMessage(
        submission_id=stored_id(row.id),
        destination=row.destination,
        patient_id=row.patient_id,
        external_id=row.external_id,
        revision=row.revision,
        status=ResultStatus(row.status),
        assessment=assessment_of(row.assessment),
        confirmed_by=row.confirmed_by,
        mapping_revision=row.mapping_revision,
        payload=None if row.payload is None else row.payload.decode("utf-8", "replace"),
        idempotency_key=row.idempotency_key,
        state=DeliveryState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        due_at=row.due_at,
        created_at=row.created_at,
        http_status=row.http_status,
        receipt=receipt_of(row),
        after_id=row.after_id,
    )
