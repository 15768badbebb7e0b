"""Cases whose patient is not on the roster: the front desk registers the patient, and the case comes back by itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from records.assessment import SymptomAssessment
from records.audit import AuditEvent
from records.case import CaseState
from records.errors import DecisionRefusedError, StaleCaseError
from store import audit, case_locks, roster
from store.queue_tables import RegistrationRow
from store.serialised import assessment_of
from store.tables import CaseRow, RecordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A person on a print whom nobody has registered yet.

    Attributes:
        assessment: The record, with who it is about as printed.
        parked_by: Who said that there is no such patient.
        roster_version: Of the roster they looked at.
    """

    case_id: int
    site: str
    report_id: int
    assessment: SymptomAssessment
    parked_by: str
    parked_at: datetime
    roster_version: int


def park(session: Session, case_id: int, *, version: int, actor: str, now: datetime) -> None:
    """Put a case aside until its patient is registered; its version counts up, and it counts as waiting.

    Raises:
        StaleCaseError: The case is decided or parked, or has changed since `version`.
        DecisionRefusedError: There is no such case.
    """
    case = session.get(CaseRow, case_id)
    if case is None:
        raise DecisionRefusedError(f"There is no case {case_id}.", next_step="Reload the list.")
    if case.state != CaseState.OPEN or case.parked or case.version != version:
        raise StaleCaseError(f"Case {case_id} has changed since it was shown.", next_step="Look at it again.")
    case_locks.close(session, case_id)
    case.parked, case.version = True, case.version + 1
    session.add(case)
    seen = roster.version(session, case.site)
    session.add(RegistrationRow(case_id=case_id, site=case.site, parked_by=actor, parked_at=now, roster_version=seen))
    _audit(session, case_id, "case.parked", actor=actor, now=now)


def bring_back(session: Session, case_id: int, *, actor: str, now: datetime) -> None:
    """Let a parked case wait for a decision again; one that is not parked stays as it is."""
    parked = session.get(RegistrationRow, case_id)
    case = session.get(CaseRow, case_id)
    if parked is None or case is None:
        return
    session.delete(parked)
    case.parked, case.version = False, case.version + 1
    session.add(case)
    _audit(session, case_id, "case.brought-back", actor=actor, now=now)


def list_parked(session: Session, *, sites: Collection[str] | None, limit: int = 200) -> tuple[Registration, ...]:
    """Who is to be registered, oldest first."""
    query = (
        select(RegistrationRow, RecordRow)
        .join(CaseRow, col(CaseRow.id) == col(RegistrationRow.case_id))
        .join(RecordRow, col(RecordRow.id) == col(CaseRow.record_id))
    )
    if sites is not None:
        query = query.where(col(RegistrationRow.site).in_(sorted(sites)))
    order = (col(RegistrationRow.parked_at), col(RegistrationRow.case_id))
    return tuple(_registration(parked, row) for parked, row in session.exec(query.order_by(*order).limit(limit)))


def count(session: Session, *, sites: Collection[str] | None) -> int:
    """How many cases are parked."""
    query = select(RegistrationRow.case_id)
    if sites is not None:
        query = query.where(col(RegistrationRow.site).in_(sorted(sites)))
    return len(session.exec(query).all())


def overtaken(session: Session) -> tuple[int, ...]:
    """Parked cases whose site has a newer roster than the one that was looked at."""
    versions: dict[str, int] = {}
    found = []
    for row in session.exec(select(RegistrationRow).order_by(col(RegistrationRow.case_id))):
        if row.site not in versions:
            versions[row.site] = roster.version(session, row.site)
        if versions[row.site] > row.roster_version:
            found.append(row.case_id)
    return tuple(found)


def looked_again(session: Session, case_id: int, *, roster_version: int) -> None:
    """Nobody near was found on this roster either."""
    row = session.get(RegistrationRow, case_id)
    if row is not None:
        row.roster_version = roster_version
        session.add(row)


def _registration(parked: RegistrationRow, row: RecordRow) -> Registration:
    return Registration(
        case_id=parked.case_id,
        site=parked.site,
        report_id=row.report_id,
        assessment=assessment_of(row.assessment),
        parked_by=parked.parked_by,
        parked_at=parked.parked_at,
        roster_version=parked.roster_version,
    )


def _audit(session: Session, case_id: int, action: str, *, actor: str, now: datetime) -> None:
    event = AuditEvent(actor=actor, action=action, object_kind="case", object_id=str(case_id))
    audit.append(session, event, now=now)
