"""What the portals are told of: the record behind each message, as it stood when the message was queued."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Row
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, or_, select

from records.assessment import SymptomAssessment
from records.errors import StoreError
from store.kept_records import record_row
from store.reports import report_row
from store.serialised import assessment_of
from store.tables import RecordRow, ReportRow, RosterPatientRow, SubmissionRow, table_of

SERVICE: Final = "service"
_SUBMISSION, _RECORD, _REPORT, _LISTED = (
    table_of(kind).c for kind in (SubmissionRow, RecordRow, ReportRow, RosterPatientRow)
)
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
        _LISTED.merged_into,
    )
    .join(table_of(RecordRow), _RECORD.id == _SUBMISSION.record_id)
    .join(table_of(ReportRow), _REPORT.id == _RECORD.report_id)
    .outerjoin(
        table_of(RosterPatientRow),
        (_LISTED.site == _SUBMISSION.site) & (_LISTED.patient_id == _SUBMISSION.patient_id),
    )
    .where(_SUBMISSION.id.in_(sqlalchemy.bindparam("numbers", expanding=True)))
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedRecord:
    """What a payload is made from.

    Attributes:
        patient_id: The portal's id of the patient.
        document_sha256: Identity of the printed file.
        earlier_documents: SHA-256 of other files the destination was told of for this assessment, oldest first.
        earlier_items: Whether the destination was ever told of answers to its questions.
        file_name: Name of the printed file.
        template: "id@revision" that read it.
        confirmed_by: User name, or "service".
        confirmed_at: When it was confirmed, corrected or withdrawn; None only for what waits.
        merged_into: Whose chart the patient's has become part of by now, as the roster says; or None.
    """

    record_id: int
    report_id: int
    site: str
    assessment: SymptomAssessment
    patient_id: str
    document_sha256: str
    earlier_documents: tuple[str, ...]
    earlier_items: bool
    file_name: str
    template: str
    confirmed_by: str
    confirmed_at: datetime | None
    merged_into: str | None = None


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
        earlier_documents=(),
        earlier_items=False,
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
        earlier = _told_earlier(session, row) if row.revision > 1 else []
        told[row.id] = ConfirmedRecord(
            record_id=row.record_id,
            report_id=row.report_id,
            site=row.site,
            assessment=assessment_of(row.assessment),
            patient_id=row.patient_id,
            document_sha256=row.sha256,
            earlier_documents=tuple(dict.fromkeys(sha256 for sha256, _ in earlier if sha256 != row.sha256)),
            earlier_items=any(assessment_of(printed).items is not None for _, printed in earlier),
            file_name=row.file_name,
            template=row.template or "",
            confirmed_by=row.confirmed_by or SERVICE,
            confirmed_at=row.created_at,
            merged_into=row.merged_into,
        )
    return told


def _told_earlier(session: Session, row: Row[*tuple[Any, ...]]) -> list[tuple[str, str]]:
    """SHA-256 of the file and the assessment of each earlier message that arrived, or may have, oldest first."""
    earlier = aliased(SubmissionRow)
    query = (
        select(ReportRow.sha256, earlier.assessment)
        .join(RecordRow, col(RecordRow.report_id) == col(ReportRow.id))
        .join(earlier, col(earlier.record_id) == col(RecordRow.id))
        .where(
            col(earlier.destination) == row.destination,
            col(earlier.external_id) == row.external_id,
            col(earlier.revision) < row.revision,
            or_(col(earlier.remote_id).is_not(None), col(earlier.was_unknown)),
        )
        .order_by(col(earlier.revision))
    )
    return [(sha256, printed) for sha256, printed in session.exec(query)]
