"""What people changed about confirmed records: kept for the patient's trail, and to take a correction back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from records.assessment import SymptomAssessment
from store.amendment_tables import AmendmentRow
from store.context import stored_id
from store.serialised import assessment_of, encodable
from store.tables import CaseRow, RecordRow


class AmendmentKind(StrEnum):
    """What a person did with a record that was confirmed."""

    CORRECTED = "corrected"  # other values
    MOVED = "moved"  # another patient
    REASSIGNED = "reassigned"  # another day, time or instrument
    WITHDRAWN = "withdrawn"
    UNDONE = "undone"  # its last decision, before anything had been sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """One change of a confirmed record.

    Attributes:
        reason: As the person gave it, or empty.
        patient_id: Whose record it was.
        to_patient_id: Whose it became, for a move; None otherwise.
        before: What the record held until then.
    """

    record_id: int
    kind: AmendmentKind
    at: datetime
    actor: str
    reason: str
    patient_id: str
    to_patient_id: str | None
    before: SymptomAssessment


def keep(
    session: Session,
    row: RecordRow,
    kind: AmendmentKind,
    *,
    reason: str,
    actor: str,
    now: datetime,
    to_patient_id: str | None = None,
) -> AmendmentRow:
    """Keep that a record is changed, before it is: the row holds what stood until then."""
    made = AmendmentRow(
        record_id=stored_id(row.id),
        site=row.site,
        kind=kind,
        at=now,
        actor=actor,
        reason=encodable(reason),
        patient_id=row.patient_id or "",
        to_patient_id=to_patient_id,
        before=row.assessment,
        before_by=row.confirmed_by or "",
        before_at=row.confirmed_at,
        queued="[]",
        open=kind is AmendmentKind.CORRECTED,
    )
    session.add(made)
    session.flush()
    return made


def set_queued(session: Session, row: AmendmentRow, submission_ids: Sequence[int]) -> None:
    """Keep which submissions tell of the change."""
    row.queued = json.dumps(list(submission_ids))
    session.add(row)
    session.flush()


def queued_by(row: AmendmentRow) -> list[int]:
    """Ids of the submissions that tell of the change."""
    return [int(number) for number in json.loads(row.queued)]


def last_open(session: Session, record_id: int) -> AmendmentRow | None:
    """The latest correction of a record that nothing later has overtaken, or None."""
    query = select(AmendmentRow).where(col(AmendmentRow.record_id) == record_id, col(AmendmentRow.open))
    return session.exec(query.order_by(col(AmendmentRow.id).desc()).limit(1)).first()


def close_all(session: Session, record_id: int) -> None:
    """Something later was decided of the record: no earlier correction of it can be taken back any more."""
    query = select(AmendmentRow).where(col(AmendmentRow.record_id) == record_id, col(AmendmentRow.open))
    for row in session.exec(query):
        row.open = False
        session.add(row)
    session.flush()


def version_of(session: Session, record_id: int) -> int:
    """Counts up with every decision about a record: a person's change names the version it was made on."""
    amended = select(func.count()).where(col(AmendmentRow.record_id) == record_id)
    decided = select(func.coalesce(func.max(col(CaseRow.version)), 0)).where(col(CaseRow.record_id) == record_id)
    return session.exec(amended).one() + session.exec(decided).one()


def of_patient(session: Session, *, site: str, patient_id: str) -> list[Amendment]:
    """Every change of a record that was, or became, this patient's, oldest first."""
    query = select(AmendmentRow).where(
        col(AmendmentRow.site) == site,
        or_(col(AmendmentRow.patient_id) == patient_id, col(AmendmentRow.to_patient_id) == patient_id),
    )
    return [_amendment(row) for row in session.exec(query.order_by(col(AmendmentRow.id)))]


def of_record(session: Session, record_id: int) -> list[Amendment]:
    """Every change of one record, oldest first."""
    query = select(AmendmentRow).where(col(AmendmentRow.record_id) == record_id).order_by(col(AmendmentRow.id))
    return [_amendment(row) for row in session.exec(query)]


def _amendment(row: AmendmentRow) -> Amendment:
    return Amendment(
        record_id=row.record_id,
        kind=AmendmentKind(row.kind),
        at=row.at,
        actor=row.actor,
        reason=row.reason,
        patient_id=row.patient_id,
        to_patient_id=row.to_patient_id,
        before=assessment_of(row.before),
    )
