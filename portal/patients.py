"""Finds a patient of the roster at a portal, and makes sure that it is the same person before anything is sent.

Nobody is ever created (ADR 0007). What is not found, is found more than once, or differs from the roster is held with
a reason of its own; names are not compared, because portals keep them in their own way. What was found is remembered
for half a day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from pydantic import JsonValue

from portal.client import PortalClient
from portal.destination_patients import PatientSearch
from records.errors import DeliveryDeferredError, DeliveryHeldError
from records.submission import ResultStatus, Submission
from store import portal_patients
from store.database import Database, Session

# A day's reports need one look for each patient; a chart that was merged at noon is noticed in the evening.
_GOOD_FOR: Final = timedelta(hours=12)
_LONGEST_ID: Final = 200


def known_id(session: Session, submission: Submission, *, now: datetime) -> str | None:
    """The portal's own id of a submission's patient as it was found within half a day, or None.

    A withdrawal goes to whom the value was sent to, whatever became of them since.
    """
    is_withdrawal = submission.status is ResultStatus.ENTERED_IN_ERROR
    if not is_withdrawal and not portal_patients.is_settled(session, submission.destination, submission.patient_id):
        return None
    since = datetime.min.replace(tzinfo=UTC) if is_withdrawal else now - _GOOD_FOR
    return portal_patients.known(session, submission.destination, submission.patient_id, since=since)


def resolve(client: PortalClient, database: Database, submission: Submission, *, now: datetime) -> str:
    """Ask the portal for its own id of a submission's patient, and remember it; call it outside of any transaction.

    Raises:
        DeliveryHeldError, DeliveryDeferredError: As `verified_id`; also when the portal does not answer.
        DestinationPausedError: The credential is not accepted.
    """
    search, patient_id = client.patient_search, submission.patient_id
    assert search is not None, "only asked where the destination file says how"
    with database.reading() as session:
        birth_date = portal_patients.birth_date(session, submission.submission_id)
    answer = client.look_up_patient(patient_id)
    found = verified_id(search, answer, patient_id=patient_id, birth_date=birth_date)
    with database.session() as session:
        portal_patients.keep(session, submission.destination, patient_id, found, now=now)
    return found


def verified_id(search: PatientSearch, answer: JsonValue | None, *, patient_id: str, birth_date: date | None) -> str:
    """The portal's own id of the patient whom the roster knows as `patient_id`.

    Args:
        answer: What the portal says to the search; None if it says that there is none.
        birth_date: As the roster has it, or None; then, as without one at the portal, it is not compared.

    Raises:
        DeliveryHeldError: There is none, several, or one who is not the roster's: `patient-not-at-portal`,
            `patient-several-at-portal`, `patient-differs-at-portal`, `patient-inactive-at-portal`.
        DeliveryDeferredError: The answer is no list of patients.
    """
    entries = [] if answer is None else search.entries(answer)
    if entries is None:
        raise DeliveryDeferredError("The portal's answer to a look for the patient is no list.", code="search-unclear")
    asked_for = f"{search.asked_as}{patient_id}"
    ours = [entry for entry in entries if asked_for in _words(search.known_as.read(entry))]
    if not ours:
        raise _held("does not know this patient", "Have the patient registered there", code="patient-not-at-portal")
    if len(ours) > 1:
        raise _held("knows this patient more than once", "Have them merged there", code="patient-several-at-portal")
    patient = ours[0]
    if search.inactive.holds(patient):
        raise _held(
            "has closed or replaced this patient's record",
            "Bring the roster up to date",
            code="patient-inactive-at-portal",
        )
    if _contradicts(search, patient, birth_date):
        raise _held(
            "has another birth date for this patient than the roster",
            "Find out which is right, and whether it is the same person",
            code="patient-differs-at-portal",
        )
    portal_id = search.portal_id.read(patient)
    if not isinstance(portal_id, str) or not portal_id.isprintable() or not 0 < len(portal_id) <= _LONGEST_ID:
        raise DeliveryDeferredError("The portal shows no id of its own for the patient.", code="search-unclear")
    return portal_id


def _contradicts(search: PatientSearch, patient: JsonValue, birth_date: date | None) -> bool:
    """A date that the portal keeps only in part (1980, 1980-05) contradicts by what it says."""
    shown = None if search.birth_date is None else search.birth_date.read(patient)
    if birth_date is None or not isinstance(shown, str) or not shown:
        return False
    return not (birth_date.isoformat() == shown[:10] or birth_date.isoformat().startswith(f"{shown}-"))


def _words(found: object) -> list[str]:
    if isinstance(found, list):
        return [str(one) for one in found if isinstance(one, str | int)]
    return [str(found)] if isinstance(found, str | int) else []


def _held(what: str, next_step: str, *, code: str) -> DeliveryHeldError:
    return DeliveryHeldError(f"The portal {what}.", next_step=f"{next_step}, then send the record again.", code=code)
