"""What is kept of one printed record, from the day it was read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from records.assessment import SymptomAssessment
from records.decision import MatchDecision
from records.errors import DecisionRefusedError
from store.context import stored_id
from store.serialised import assessment_of, codes_of, codes_text, match_of
from store.tables import CaseRow, RecordRow


class RecordState(StrEnum):
    """Where one printed record is; in the balance, delivery splits `confirmed` and `withdrawn` further."""

    CONFIRMED = "confirmed"
    REVIEW = "review"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"  # was confirmed and is taken back, for good


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """One printed record.

    Attributes:
        position: Place in its report, from 0.
        assessment: As it stands: as read, or as a person corrected it.
        as_read: As read from the print; never changed.
        reasons: Codes, blocking ones first, then notes.
        patient_id: The confirmed patient; None unless confirmed or withdrawn.
        external_id: Opaque id that the portals know the assessment by; None before it is confirmed.
        occurrence: 1, or more for a further administration on the same day that nothing printed tells apart.
        revision: 1 for the first print, then counted up by corrections.
        duplicate_of: Row id of the record it repeats, or None.
        corrects: Row id of the record it replaces, or None.
        confirmed_by: User name, or "service".
        day: The day whose balance it belongs to.
        fingerprint: Of the printed identity.
    """

    record_id: int
    report_id: int
    site: str
    position: int
    state: RecordState
    assessment: SymptomAssessment
    as_read: SymptomAssessment
    match: MatchDecision
    reasons: tuple[str, ...]
    patient_id: str | None
    external_id: str | None
    occurrence: int
    revision: int
    duplicate_of: int | None
    corrects: int | None
    confirmed_by: str | None
    confirmed_at: datetime | None
    day: date
    fingerprint: str


def get(session: Session, record_id: int) -> StoredRecord:
    """One record.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    return stored_record(record_row(session, record_id))


def of_report(session: Session, report_id: int) -> list[StoredRecord]:
    """The records of a report, as printed."""
    query = select(RecordRow).where(col(RecordRow.report_id) == report_id).order_by(col(RecordRow.position))
    return [stored_record(row) for row in session.exec(query)]


def record_row(session: Session, record_id: int) -> RecordRow:
    """The row of a record, for changing it.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    row = session.get(RecordRow, record_id)
    if row is None:
        raise DecisionRefusedError(
            f"There is no record {record_id}.",
            next_step="“scorebridge submission list” and “patient trail” show the numbers of records.",
        )
    return row


def wait_for(row: RecordRow, case: CaseRow, reasons: tuple[str, ...]) -> None:
    """Say what a record waits for, on itself and on its case, which the queue counts by."""
    row.reasons = case.reasons = codes_text(reasons)


def stored_record(row: RecordRow) -> StoredRecord:
    """The frozen value of a row."""
    return StoredRecord(
        record_id=stored_id(row.id),
        report_id=row.report_id,
        site=row.site,
        position=row.position,
        state=RecordState(row.state),
        assessment=assessment_of(row.assessment),
        as_read=assessment_of(row.as_read),
        match=match_of(row.match),
        reasons=codes_of(row.reasons),
        patient_id=row.patient_id,
        external_id=row.external_id,
        occurrence=row.occurrence,
        revision=row.revision,
        duplicate_of=row.duplicate_of,
        corrects=row.corrects,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        day=row.day,
        fingerprint=row.fingerprint,
    )
