"""Which patient of the roster is which patient at a portal, as it was last looked up there."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from store import roster
from store.outbox_entries import submission_row
from store.portal_patient_tables import PortalPatientRow


def known(session: Session, destination: str, patient_id: str, *, since: datetime) -> str | None:
    """The portal's own id of a patient, or None unless it was verified at `since` or later."""
    row = session.get(PortalPatientRow, (destination, patient_id))
    return row.portal_id if row is not None and row.verified_at >= since else None


def keep(session: Session, destination: str, patient_id: str, portal_id: str, *, now: datetime) -> None:
    """Remember the portal's own id of a patient, verified at `now`."""
    session.merge(
        PortalPatientRow(destination=destination, patient_id=patient_id, portal_id=portal_id, verified_at=now)
    )
    session.flush()


def birth_date(session: Session, submission_id: int) -> date | None:
    """The roster's birth date of the patient a submission goes to, or None where it has none."""
    row = submission_row(session, submission_id)
    listed = roster.patient(session, row.site, row.patient_id)
    return None if listed is None else listed.birth_date


def forget(session: Session, destination: str, patient_id: str) -> None:
    """Have the patient looked up again at the next delivery."""
    row = session.get(PortalPatientRow, (destination, patient_id))
    if row is not None:
        session.delete(row)
        session.flush()
