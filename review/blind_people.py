"""Whom a person may choose between in a blind audit: the program's candidates among others who are like them."""

from __future__ import annotations

from records.patient import RosterPatient
from review.patient_search import PatientIndex
from store import blind_audit, roster
from store.blind_audit import BlindAudit
from store.database import Session

_LEAST = 4  # whoever stands alone would be known as the program's choice


def people_shown(session: Session, task: BlindAudit, index: PatientIndex | None) -> tuple[RosterPatient, ...]:
    """The patients shown, in the check's own order; where the program had few candidates, others who are alike fill up.

    Args:
        session: Where the present roster is read.
        task: The check.
        index: The site's patients made ready for searching, or None without a roster.
    """
    listed = [roster.patient(session, task.site, patient_id) for patient_id in task.candidates]
    people = {patient.patient_id: patient for patient in listed if patient is not None}
    printed = task.assessment.patient
    looks = (printed.family, printed.birth_date and printed.birth_date.isoformat(), printed.given)
    for query in looks if index is not None else ():
        for alike in index.find(query, limit=2 * _LEAST) if query and index is not None else ():
            if len(people) >= _LEAST:
                break
            people.setdefault(alike.patient_id, alike)
    return tuple(people[patient_id] for patient_id in blind_audit.in_its_order(session, task.task_id, people))
