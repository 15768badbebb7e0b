"""Answers about self-harm that nobody has taken yet, as the first thing on the day's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from records.alert import AlertTelling, CriticalAlert
from records.case import CaseState
from records.patient import RosterPatient
from review import policies
from review.access import Visitor
from review.case_summary import display_name
from review.day_surroundings import DaySurroundings
from store import alert_subjects, cases, day_urgent, roster
from store.alert_subjects import AlertSubject
from store.database import Session
from store.day_urgent import UrgentAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class UrgentFlag:
    """One open alert, for one visitor.

    Attributes:
        patient: "SURNAME, Given" of the confirmed patient; None where none is confirmed, or for whom may see no names.
        born: Of that patient.
        record_id: The record that stands for the answer, or None until its report is handed over.
        completed: Day of the questionnaire; None where it is not printed, or for whom may see no patients.
        case_id: The case it waits in, or None.
        sent: The last message that a channel took, or None.
        failing: What a channel has not taken.
        waiting: Since it was raised.
        is_late: Longer than the target.
        on_call: Channels that are told now.
        mark: What this visitor was shown, for the record of who looked.
    """

    alert: CriticalAlert
    patient: str | None
    born: date | None
    record_id: int | None
    completed: date | None
    case_id: int | None
    sent: AlertTelling | None
    failing: tuple[AlertTelling, ...]
    waiting: timedelta
    is_late: bool
    on_call: tuple[str, ...]
    mark: str

    @property
    def minutes(self) -> int:
        """Whole minutes it has waited."""
        return max(0, int(self.waiting.total_seconds() // 60))


def urgent_flags(
    session: Session, visitor: Visitor, surroundings: DaySurroundings, *, sites: tuple[str, ...], limit: int,
    now: datetime,
) -> list[UrgentFlag]:  # fmt: skip
    """The open alerts of these sites, longest waiting first."""
    found = day_urgent.open_answers(session, sites=sites, limit=limit)
    return [_flag(session, visitor, surroundings, one, now=now) for one in found]


def _flag(
    session: Session, visitor: Visitor, surroundings: DaySurroundings, answer: UrgentAnswer, *, now: datetime
) -> UrgentFlag:
    alert, names = answer.alert, visitor.may(policies.READS_PATIENTS)
    subject = alert_subjects.subject_of(session, alert)
    patient = _patient(session, alert, subject) if names else None
    case = cases.of_record(session, subject.record.record_id) if subject and visitor.may(policies.DECIDES) else None
    age = now - alert.raised_at
    target = surroundings.target
    return UrgentFlag(
        alert=alert,
        patient=display_name(patient) if patient else None,
        born=patient.birth_date if patient else None,
        record_id=subject.record.record_id if subject else None,
        completed=subject.record.assessment.authored_on if subject and names else None,
        case_id=case.case_id if case and case.state is CaseState.OPEN else None,
        sent=answer.told[-1] if answer.told else None,
        failing=answer.failing,
        waiting=age,
        is_late=target is not None and age > target,
        on_call=surroundings.on_call(now - alert.begun_at),
        mark=f"{alert.alert_id}.{patient.patient_id if patient else ''}",
    )


def _patient(session: Session, alert: CriticalAlert, subject: AlertSubject | None) -> RosterPatient | None:
    if subject is None or not subject.is_confirmed or subject.patient_id is None:
        return None
    return roster.patient(session, alert.site, subject.patient_id)
