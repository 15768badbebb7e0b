"""The people behind the numbers of an event, for whoever may open them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from records.assessment import SymptomAssessment
from records.errors import DecisionRefusedError
from review.case_summary import display_name
from review.rendering import format_day
from store import amendments, kept_records, roster
from store.amendments import Amendment
from store.database import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRecord:
    """A record with its person.

    Attributes:
        printed: The name as printed.
        patient: The confirmed patient as on the roster, or None.
        changes: What people changed about it, oldest first, each with the values before and after.
    """

    record_id: int
    printed: str
    patient: str | None
    values: str
    changes: tuple[tuple[Amendment, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPatient:
    """A patient of the roster."""

    site: str
    patient_id: str
    name: str
    birth_date: date | None


def named_records(session: Session, record_ids: Iterable[int], *, sites: Collection[str]) -> list[NamedRecord]:
    """The records among these that belong to the sites."""
    found = []
    for record_id in record_ids:
        try:
            kept = kept_records.get(session, record_id)
        except DecisionRefusedError:
            continue
        if kept.site not in sites:
            continue
        patient = roster.patient(session, kept.site, kept.patient_id) if kept.patient_id else None
        found.append(
            NamedRecord(
                record_id=record_id,
                printed=kept.assessment.patient.name,
                patient=display_name(patient) if patient else kept.patient_id,
                values=values_text(kept.assessment),
                changes=changes_of(session, record_id, now_is=kept.assessment),
            )
        )
    return found


def changes_of(
    session: Session, record_id: int, *, now_is: SymptomAssessment
) -> tuple[tuple[Amendment, str, str], ...]:
    """What people changed about a record, oldest first, with the values before and after each change."""
    made = amendments.of_record(session, record_id)
    after = [*(values_text(one.before) for one in made[1:]), values_text(now_is)]
    return tuple((one, values_text(one.before), then) for one, then in zip(made, after, strict=False))


def named_patients(
    session: Session, patients: Iterable[tuple[str, str]], *, sites: Collection[str]
) -> list[NamedPatient]:
    """The patients among these that belong to the sites."""
    found = []
    for site, patient_id in patients:
        if site in sites:
            known = roster.patient(session, site, patient_id)
            found.append(
                NamedPatient(
                    site=site,
                    patient_id=patient_id,
                    name=display_name(known) if known else "No longer on the roster",
                    birth_date=known.birth_date if known else None,
                )
            )
    return found


def values_text(assessment: SymptomAssessment) -> str:
    """The values of a record on one line: "PHQ-9 17, 18-Nov-2026, answers 2 3 2"."""
    score = assessment.result if assessment.total is None else assessment.total
    points = assessment.item_points
    answers = "" if points is None else "answers " + " ".join("–" if one is None else str(one) for one in points)
    day = format_day(assessment.authored_on) if assessment.authored_on else "no date"
    name = (assessment.instrument or assessment.instrument_printed or "unknown").upper()
    return ", ".join(part for part in (f"{name} {score if score is not None else 'no score'}", day, answers) if part)
