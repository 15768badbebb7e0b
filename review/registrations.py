"""Prints about people whom nobody has registered yet: a list for the front desk, and the way back into the queue."""

from __future__ import annotations

from datetime import datetime

from records.decision import MatchGrade
from review.desk import at_desk
from review.rematching import Rosters, rematch
from store import cases, registrations, reports, roster
from store.database import Database
from store.decisions import DecisionKind
from store.registrations import Registration, count, list_parked

__all__ = ["Registration", "bring_back", "bring_back_registered", "count", "list_parked", "park"]

_SERVICE = "service"


def park(database: Database, case_id: int, *, version: int, actor: str, now: datetime) -> None:
    """Say that there is no such patient: the case is put on the front desk's list and counts as waiting.

    Raises:
        StaleCaseError: The case has changed since it was shown.
        CaseTakenError: Somebody else has the case open.
    """
    with database.session() as session:
        desk = at_desk(session, case_id, version, actor=actor, now=now)
        registrations.park(session, case_id, version=version, actor=actor, now=now)
        desk.keep(DecisionKind.PARKED)


def bring_back(database: Database, case_id: int, *, actor: str, now: datetime) -> None:
    """Put a parked case back into the queue by hand; one that is not parked stays as it is."""
    with database.session() as session:
        registrations.bring_back(session, case_id, actor=actor, now=now)


def bring_back_registered(database: Database, rosters: Rosters, *, now: datetime) -> int:
    """Put every parked case back whose site's roster has since got somebody near the print; how many.

    Near is a patient with more than one chance in two, or one who was not among those that were shown before. The case
    then shows today's candidates; a person decides it.
    """
    with database.reading() as session:
        overtaken = registrations.overtaken(session)
    return sum(_looked_again(database, rosters, case_id, now=now) for case_id in overtaken)


def _looked_again(database: Database, rosters: Rosters, case_id: int, *, now: datetime) -> bool:
    with database.reading() as session:
        case = cases.get(session, case_id)
        source = reports.get(session, case.report_id).source
        version = roster.version(session, case.site)
    match = rematch(rosters, case, case.assessment.patient, source=source, now=now)
    shown = {candidate.patient_id for candidate in case.match.candidates}
    is_new = match.patient_id is not None and match.patient_id not in shown
    is_near = is_new or match.grade in (MatchGrade.CERTAIN, MatchGrade.PROBABLE)
    with database.session() as session:
        if cases.get(session, case_id).version != case.version:
            return False  # somebody has decided it meanwhile
        if not is_near:
            registrations.looked_again(session, case_id, roster_version=version)
            return False
        registrations.bring_back(session, case_id, actor=_SERVICE, now=now)
        cases.match_anew(session, case_id, match, because="patient-registered", actor=_SERVICE, now=now)
        return True
