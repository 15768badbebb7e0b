"""Which patient of the roster is which patient at a portal, as it was last looked up there."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session, select

from store import roster
from store.outbox_entries import submission_row
from store.portal_patient_tables import PortalPatientRow
from store.tables import RosterRow


def known(session: Session, destination: str, patient_id: str, *, since: datetime) -> str | None:
    """The portal's own id of a patient, or None unless it was verified at `since` or later."""
    row = session.get(PortalPatientRow, (destination, patient_id))
    return row.portal_id if row is not None and row.verified_at >= since else None


def is_settled(session: Session, destination: str, patient_id: str) -> bool:
    """Whether what was verified still holds for every site that lists somebody by this id.

    Two sites may mean two people by one id, and a roster that came since may have another birth date.
    """
    row = session.get(PortalPatientRow, (destination, patient_id))
    rosters = session.exec(select(RosterRow)).all()
    if row is None or any(one.imported_at > row.verified_at for one in rosters):
        return False
    listed = (roster.patient(session, one.site, patient_id) for one in rosters)
    return len({one.birth_date for one in listed if one is not None}) <= 1


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
