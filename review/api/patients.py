"""Patients of a site's roster: found by what is remembered of them, and what was ever told about one.

Whom a search is for stands in the body, never in an address.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

from fastapi import Request
from pydantic import StringConstraints

from records.patient import RosterPatient
from records.submission import DeliveryState, ResultStatus
from review import patient_trails, policies
from review.api.record_operations import AmendmentShown, ReceiptShown
from review.api.routing import ApiRoute
from review.api.shapes import Caller, Shape, Values, Wish, Word, values_of
from review.office import office_of
from review.viewing import note_view
from store.patient_trail import ToldEntry

_MOST_FOUND: Final = 20


class Search(Wish):
    """Names, a birth date and a record number, in any order."""

    query: Annotated[str, StringConstraints(min_length=2, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class PatientShown(Shape):
    """One patient of the roster."""

    patient_id: str
    family: str
    given: str
    middle: str | None
    suffix: str | None
    preferred: str | None
    former_family: str | None
    birth_date: date | None
    mrn: str | None
    sex: str | None
    active: bool
    merged_into: str | None


class Found(Shape):
    """Who fits, best first; at most twenty."""

    has_roster: bool
    patients: tuple[PatientShown, ...]


class TrailWish(Wish):
    """Whose trail."""

    patient_id: Word


class ToldShown(Shape):
    """One message to one portal about the patient, sent or not."""

    submission_id: int
    record_id: int
    document_sha256: str
    destination: str
    status: ResultStatus
    revision: int
    values: Values
    confirmed_by: str
    at: datetime
    state: DeliveryState
    reason: str | None
    receipt: ReceiptShown | None
    other_patients: tuple[str, ...]


class TrailAmendment(AmendmentShown):
    """What a person changed of a record that was, or became, this patient's."""

    record_id: int


class TrailShown(Shape):
    """All that any portal was ever told about one patient; each list oldest first."""

    patient_id: str
    told: tuple[ToldShown, ...]
    amended: tuple[TrailAmendment, ...]


def find_patients(request: Request, site: str, caller: Caller, wish: Search) -> Found:
    """Search the roster of a site. The search is kept in the audit trail, what was searched for is not."""
    office = office_of(request)
    with office.database.session() as session:
        index = office.rosters.index(session, site)
        found = index.find(wish.query, limit=_MOST_FOUND) if index else ()
        note_view(
            session,
            caller,
            "patient.searched",
            "site",
            site,
            now=office.now(),
            shown=len(found),
            patients=[(site, one.patient_id) for one in found],
        )
    return Found(has_roster=index is not None, patients=tuple(_patient(one) for one in found))


def get_patient_trail(request: Request, site: str, caller: Caller, wish: TrailWish) -> TrailShown:
    """What was ever told about one patient, and what people changed. The look is kept in the audit trail."""
    office = office_of(request)
    trail = patient_trails.look(
        office.database, site=site, patient_id=wish.patient_id, actor=caller.user.name, now=office.now()
    )
    return TrailShown(
        patient_id=trail.patient_id,
        told=tuple(_told(entry) for entry in trail.told),
        amended=tuple(TrailAmendment.model_validate(one) for one in trail.amended),
    )


def _patient(patient: RosterPatient) -> PatientShown:
    return PatientShown.model_validate(patient)


def _told(entry: ToldEntry) -> ToldShown:
    plain = {name: getattr(entry, name) for name in ToldShown.model_fields if name not in ("values", "receipt")}
    receipt = None if entry.receipt is None else ReceiptShown.model_validate(entry.receipt)
    return ToldShown.model_validate(plain | {"values": values_of(entry.assessment), "receipt": receipt})


ROUTES: Final = (
    ApiRoute("POST", "/sites/{site}/patients/find", find_patients, policies.READS_PATIENTS),
    ApiRoute("POST", "/sites/{site}/patients/trail", get_patient_trail, policies.READS_PATIENTS),
)
