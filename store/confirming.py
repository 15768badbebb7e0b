"""Make a record the confirmed one of its assessment: by the gates, or by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from records.assessment import SymptomAssessment
from store import known
from store.context import keys_of
from store.kept_records import RecordState
from store.queueing import enqueue
from store.tables import RecordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    """Which administration to which patient: what a portal value is identified by."""

    site: str
    patient_id: str
    instrument: str
    authored_on: date
    time: str | None


def administration(assessment: SymptomAssessment, *, site: str, patient_id: str) -> Administration | None:
    """The administration, or None while the questionnaire, its day or every value is missing: nothing to send then."""
    if assessment.instrument is None or assessment.authored_on is None:
        return None
    if assessment.total is None and assessment.result is None:
        return None
    return Administration(
        site=site,
        patient_id=patient_id,
        instrument=assessment.instrument,
        authored_on=assessment.authored_on,
        time=assessment.authored_time,
    )


def key_of(session: Session, which: Administration) -> str:
    """The assessment key of an administration."""
    return known.assessment_key(
        keys_of(session),
        site=which.site,
        patient_id=which.patient_id,
        instrument=which.instrument,
        authored_on=which.authored_on,
        time=which.time,
    )


def confirm(
    session: Session,
    row: RecordRow,
    which: Administration,
    *,
    confirmed_by: str,
    destinations: Sequence[str],
    now: datetime,
    corrects: RecordRow | None = None,
    occurrence: int = 1,
    hold: timedelta = timedelta(0),
) -> list[int]:
    """Confirm a flushed record and put it into the outbox; return the submissions' ids.

    Args:
        corrects: The standing record whose values this one replaces; it decides the occurrence.
        occurrence: 1, or the next number for a further administration that nothing printed tells apart.
        hold: How long nothing is sent.
    """
    row.state = RecordState.CONFIRMED
    row.patient_id = which.patient_id
    row.assessment_key = key_of(session, which)
    row.confirmed_by, row.confirmed_at = confirmed_by, now
    row.duplicate_of = None
    row.occurrence, row.revision = occurrence, 1
    if corrects is not None:
        row.corrects, row.occurrence, row.revision = corrects.id, corrects.occurrence, corrects.revision + 1
        corrects.superseded_by = row.id
        session.add(corrects)
    row.external_id = known.external_id(
        keys_of(session),
        site=which.site,
        patient_id=which.patient_id,
        instrument=which.instrument,
        authored_on=which.authored_on,
        time=which.time,
        occurrence=row.occurrence,
    )
    if corrects is not None and corrects.external_id is not None:
        row.external_id = corrects.external_id
    session.add(row)
    session.flush()
    return enqueue(session, row, destinations, now=now, hold=hold)
