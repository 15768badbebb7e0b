"""Everything that any portal was ever told about one patient, and what people changed about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from records.assessment import SymptomAssessment
from records.submission import DeliveryReceipt, DeliveryState, ResultStatus
from store import amendments
from store.amendments import Amendment
from store.context import stored_id
from store.outbox_entries import receipt_of
from store.serialised import assessment_of
from store.tables import RecordRow, ReportRow, SubmissionRow

_CHUNK: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEntry:
    """One message to one portal about the patient, sent or not.

    Attributes:
        record_id: The record it tells of.
        document_sha256: Identity of the printed file.
        assessment: The values as they were confirmed when the message was made.
        confirmed_by: User name, or "service".
        at: When the message was made.
        reason: Why it is where it is; None if there is nothing to say.
        receipt: The portal's word that it has it, or None.
        other_patients: Whom messages about the same record named as well: it was moved.
    """

    submission_id: int
    record_id: int
    document_sha256: str
    destination: str
    status: ResultStatus
    revision: int
    assessment: SymptomAssessment
    confirmed_by: str
    at: datetime
    state: DeliveryState
    reason: str | None
    attempts: int
    receipt: DeliveryReceipt | None
    other_patients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientTrail:
    """What is known of one patient of a site, each list oldest first.

    Attributes:
        told: Messages to the portals.
        amended: What people changed about records that were, or became, this patient's.
    """

    site: str
    patient_id: str
    told: tuple[ToldEntry, ...]
    amended: tuple[Amendment, ...]

    def entries(self) -> list[ToldEntry | Amendment]:
        """Both as one story: by time, and a person's change before the messages that it caused."""
        both: list[ToldEntry | Amendment] = [*self.amended, *self.told]
        return sorted(both, key=lambda entry: entry.at)


def patient_trail(session: Session, *, site: str, patient_id: str) -> PatientTrail:
    """The trail of one patient; empty lists if nothing was ever confirmed for them. The caller audits the look."""
    query = (
        select(SubmissionRow, ReportRow.sha256)
        .join(RecordRow, col(RecordRow.id) == col(SubmissionRow.record_id))
        .join(ReportRow, col(ReportRow.id) == col(RecordRow.report_id))
        .where(col(SubmissionRow.site) == site, col(SubmissionRow.patient_id) == patient_id)
        .order_by(col(SubmissionRow.created_at), col(SubmissionRow.id))
    )
    found = list(session.exec(query))
    others = _patients_of(session, {row.record_id for row, _ in found})
    return PatientTrail(
        site=site,
        patient_id=patient_id,
        told=tuple(_told(row, sha256, others[row.record_id] - {patient_id}) for row, sha256 in found),
        amended=tuple(amendments.of_patient(session, site=site, patient_id=patient_id)),
    )


def _patients_of(session: Session, record_ids: Iterable[int]) -> dict[int, set[str]]:
    """For each record, every patient whom a message about it names."""
    ids = sorted(record_ids)
    named: dict[int, set[str]] = {number: set() for number in ids}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        query = select(SubmissionRow.record_id, SubmissionRow.patient_id).where(col(SubmissionRow.record_id).in_(chunk))
        for record_id, patient_id in session.exec(query.distinct()):
            named[record_id].add(patient_id)
    return named


def _told(row: SubmissionRow, sha256: str, others: set[str]) -> ToldEntry:
    return ToldEntry(
        submission_id=stored_id(row.id),
        record_id=row.record_id,
        document_sha256=sha256,
        destination=row.destination,
        status=ResultStatus(row.status),
        revision=row.revision,
        assessment=assessment_of(row.assessment),
        confirmed_by=row.confirmed_by,
        at=row.created_at,
        state=DeliveryState(row.state),
        reason=row.reason,
        attempts=row.attempts,
        receipt=receipt_of(row),
        other_patients=tuple(sorted(others)),
    )
