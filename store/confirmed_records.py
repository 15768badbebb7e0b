"""What the portals are told of: the record behind each message, as it stood when the message was queued."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Row
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from records.assessment import SymptomAssessment
from records.errors import StoreError
from store.kept_records import record_row
from store.reports import report_row
from store.serialised import assessment_of
from store.tables import RecordRow, ReportRow, SubmissionRow, table_of

SERVICE: Final = "service"
_SUBMISSION, _RECORD, _REPORT = (table_of(kind).c for kind in (SubmissionRow, RecordRow, ReportRow))
_TOLD: Final = (
    sqlalchemy.select(
        *(_SUBMISSION[name] for name in (
            "id", "record_id", "site", "assessment", "patient_id", "revision", "confirmed_by", "created_at",
            "destination", "external_id",
        )),
        _RECORD.report_id,
        _REPORT.sha256,
        _REPORT.file_name,
        _REPORT.template,
    )
    .join(table_of(RecordRow), _RECORD.id == _SUBMISSION.record_id)
    .join(table_of(ReportRow), _REPORT.id == _RECORD.report_id)
    .where(_SUBMISSION.id.in_(sqlalchemy.bindparam("numbers", expanding=True)))
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedRecord:
    """What a payload is made from.

    Attributes:
        patient_id: The portal's id of the patient.
        document_sha256: Identity of the printed file.
        previous_document_sha256: Of the file whose value this one replaces at the destination, where it is another; or
            None.
        file_name: Name of the printed file.
        template: "id@revision" that read it.
        confirmed_by: User name, or "service".
        confirmed_at: When it was confirmed, corrected or withdrawn; None only for what waits.
    """

    record_id: int
    report_id: int
    site: str
    assessment: SymptomAssessment
    patient_id: str
    document_sha256: str
    previous_document_sha256: str | None
    file_name: str
    template: str
    confirmed_by: str
    confirmed_at: datetime | None


def confirmed_record(session: Session, record_id: int) -> ConfirmedRecord:
    """The record as it stands now.

    Raises:
        StoreError: It was never confirmed.
    """
    record = record_row(session, record_id)
    report = report_row(session, record.report_id)
    if record.patient_id is None:
        raise StoreError(f"Record {record_id} is not confirmed.", next_step="Decide it in the review queue.")
    return ConfirmedRecord(
        record_id=record_id,
        report_id=record.report_id,
        site=record.site,
        assessment=assessment_of(record.assessment),
        patient_id=record.patient_id,
        document_sha256=report.sha256,
        previous_document_sha256=None,
        file_name=report.file_name,
        template=report.template or "",
        confirmed_by=record.confirmed_by or SERVICE,
        confirmed_at=record.confirmed_at,
    )


def told_by(session: Session, submission_ids: Collection[int]) -> dict[int, ConfirmedRecord]:
    """By submission id, the record as it stood for that message.

    Only this is right for a message that waited while the record was corrected or given to another patient.
    """
    told = {}
    for row in session.connection().execute(_TOLD, {"numbers": list(submission_ids)}):
        told[row.id] = ConfirmedRecord(
            record_id=row.record_id,
            report_id=row.report_id,
            site=row.site,
            assessment=assessment_of(row.assessment),
            patient_id=row.patient_id,
            document_sha256=row.sha256,
            previous_document_sha256=_previous_document(session, row) if row.revision > 1 else None,
            file_name=row.file_name,
            template=row.template or "",
            confirmed_by=row.confirmed_by or SERVICE,
            confirmed_at=row.created_at,
        )
    return told


def _previous_document(session: Session, row: Row[*tuple[Any, ...]]) -> str | None:
    earlier = aliased(SubmissionRow)
    query = (
        select(ReportRow.sha256)
        .join(RecordRow, col(RecordRow.report_id) == col(ReportRow.id))
        .join(earlier, col(earlier.record_id) == col(RecordRow.id))
        .where(
            col(earlier.destination) == row.destination,
            col(earlier.external_id) == row.external_id,
            col(earlier.revision) < row.revision,
            col(earlier.remote_id).is_not(None),
        )
        .order_by(col(earlier.revision).desc())
        .limit(1)
    )
    before = session.exec(query).first()
    return None if before == row.sha256 else before
