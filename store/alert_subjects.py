"""Who an alert is about: the patient of the record that stands for its answer now, and "not this patient"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from records.alert import CriticalAlert
from records.errors import DecisionRefusedError, StaleCaseError
from store import alerts, cases, vetoes
from store.corrections import enqueue_withdrawal
from store.kept_records import RecordState, StoredRecord, record_row, stored_record
from store.tables import RecordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSubject:
    """The record that stands for an alert's answer now, and its patient.

    Attributes:
        record: The alert's own record, or the one that replaced it, or that it repeats.
        patient_id: Who is shown for it: the confirmed patient or, in review, the best candidate nobody has ruled out;
            None if there is none.
        is_confirmed: The patient is confirmed, by the gates or by a person.
    """

    record: StoredRecord
    patient_id: str | None
    is_confirmed: bool


def subject_of(session: Session, alert: CriticalAlert) -> AlertSubject | None:
    """Who an alert is about now, or None until its report is handed over."""
    if alert.record_id is None:
        return None
    row = _standing(session, alert.record_id)
    confirmed = row.state == RecordState.CONFIRMED
    record = stored_record(row)
    shown = row.patient_id if confirmed else _best_candidate(session, record)
    return AlertSubject(record=record, patient_id=shown, is_confirmed=confirmed)


def rule_out(session: Session, alert_id: int, *, patient_id: str, actor: str, now: datetime) -> CriticalAlert:
    """The patient shown for an alert is not the right one.

    A confirmed record is taken back from every portal and waits for review again, its patient excluded by a veto; one
    in review gets the veto, and its case a new version. The alert is open again, and people are told anew.

    Args:
        patient_id: Whom the person saw.

    Raises:
        StaleCaseError: Another patient is shown for it by now.
        DecisionRefusedError: The report is not read to its end, or the record was rejected or withdrawn.
    """
    alert = alerts.get(session, alert_id)
    subject = subject_of(session, alert)
    if subject is None:
        raise DecisionRefusedError(
            "The report of this alert is not read to its end, so nobody is matched yet.",
            next_step="Look again in a minute.",
        )
    record = subject.record
    if record.state not in (RecordState.CONFIRMED, RecordState.REVIEW):
        raise DecisionRefusedError(f"The record of this alert is {record.state}.", next_step="Nothing was changed.")
    if subject.patient_id is None:
        raise DecisionRefusedError("No patient is shown for this alert.", next_step="Nothing was changed.")
    if subject.patient_id != patient_id:
        raise StaleCaseError(
            "Another patient, or nobody, is shown for this alert by now.",
            next_step="Nothing was changed. Look at it again.",
        )
    if subject.is_confirmed:
        enqueue_withdrawal(session, record.record_id, reason="not-this-patient", actor=actor, now=now, reopen=True)
    else:
        _exclude(session, record, patient_id, actor=actor, now=now)
    current = alerts.get(session, alert_id)
    if current.round > alert.round:  # withdrawing its record has begun it anew already
        return current
    return alerts.begin_again(session, alert_id, patient_id=patient_id, actor=actor, now=now)


def _standing(session: Session, record_id: int) -> RecordRow:
    """The record that a correction put in its place, or that it repeats; itself for most."""
    row, seen = record_row(session, record_id), {record_id}
    while True:
        later = row.superseded_by if row.superseded_by is not None else row.duplicate_of
        if later is None or later in seen:
            return row
        seen.add(later)
        row = record_row(session, later)


def _best_candidate(session: Session, record: StoredRecord) -> str | None:
    for candidate in record.match.candidates:
        excluded = vetoes.stands(
            session, site=record.site, fingerprint=record.fingerprint, patient_id=candidate.patient_id
        )
        if not excluded:
            return candidate.patient_id
    return None


def _exclude(session: Session, record: StoredRecord, patient_id: str, *, actor: str, now: datetime) -> None:
    case = cases.of_record(session, record.record_id)
    if case is None:
        raise DecisionRefusedError("The record of this alert has no case.", next_step="Nothing was changed.")
    cases.not_this_patient(session, case.case_id, patient_id, actor=actor, now=now)
