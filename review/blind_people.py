"""Whom a person may choose between in a blind audit: the program's candidates among others who are like them."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase

from matching.normalisation import normalise_name
from records.patient import PatientIdentity, RosterPatient
from review.patient_search import PatientIndex
from store import blind_audit, roster
from store.blind_audit import BlindAudit
from store.database import Session

_LEAST = 4  # whoever stands alone would be known as the program's choice


def _alike(printed: PatientIdentity) -> Iterator[str]:
    """What to search for, the most alike first; in the end anybody whose name begins with some letter."""
    born = printed.birth_date.isoformat() if printed.birth_date else None
    names = [normalise_name(name) for name in (printed.family, printed.given) if name]
    yield from (query for query in (printed.family, born, printed.given, *(name[:3] for name in names)) if query)
    yield from (name[0] for name in names if name)
    yield from ascii_lowercase


def people_shown(session: Session, task: BlindAudit, index: PatientIndex | None) -> tuple[RosterPatient, ...]:
    """The patients shown, in the check's own order; where the program had few candidates, others who are alike fill up.

    Args:
        session: Where the present roster is read.
        task: The check.
        index: The site's patients made ready for searching, or None without a roster.
    """
    listed = [roster.patient(session, task.site, patient_id) for patient_id in task.candidates]
    people = {patient.patient_id: patient for patient in listed if patient is not None}
    for query in _alike(task.assessment.patient):
        if index is None or len(people) >= _LEAST:
            break
        for patient in index.find(query, limit=2 * _LEAST):
            if len(people) < _LEAST:
                people.setdefault(patient.patient_id, patient)
    return tuple(people[patient_id] for patient_id in blind_audit.in_its_order(session, task.task_id, people))
