"""Deciding many cases at once, where that is safe: they wait for one cause, and the cause is settled.

Two things only are offered. All rows of one report can be rejected, since one look shows that they are no patients or
belong elsewhere. And records that waited for nothing but the roster or their template can be approved once that is
settled and today's matching is certain of each patient. Whoever decides sees every record first. Doubt about a patient,
an answer about self-harm and two people who resemble each other are decided one by one, always.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from secrets import token_hex
from typing import Final

from parsers.instrument_library import load_instruments
from records.case import RejectReason, ReviewCase
from records.decision import MatchDecision, MatchGrade
from records.errors import DecisionRefusedError
from review.correction import faults_of
from review.desk import ApprovalOutcome, approve_at, at_desk, reject_at
from review.rematching import Rosters, rematch
from store import case_groups, cases, reports
from store.case_groups import CaseGroup, Cause
from store.cases import ApprovedAs
from store.database import Database, Session

__all__ = [
    "Approve",
    "BulkCase",
    "BulkDone",
    "CaseGroup",
    "Cause",
    "Chosen",
    "Left",
    "Reject",
    "decide",
    "groups",
    "looked_at",
    "members",
]

MOST: Final = 200
"""How many cases one decision may settle; what nobody has scrolled through is not decided."""
_ROSTER: Final = frozenset({"roster-stale", "roster-missing", "patient-not-found", "patient-registered"})
_TEMPLATE: Final = frozenset({"template-held", "template-shadow"})
_SETTLED: Final = _ROSTER | _TEMPLATE
_NOTES: Final = frozenset({"severity-not-checked"})
_FOR_A_REPORT: Final = frozenset({RejectReason.NOT_A_PATIENT_ROW, RejectReason.WRONG_REPORT, RejectReason.UNREADABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Reject every row: `reason` is one that concerns the whole report."""

    reason: RejectReason

    def __post_init__(self) -> None:
        if self.reason not in _FOR_A_REPORT:
            raise DecisionRefusedError("This reason is about one row.", next_step="Decide these cases one by one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Approve every record for the patient that today's matching is certain of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A case as the person saw it in the list; `patient_id` is whom the list showed for it, None for a rejection."""

    case_id: int
    version: int
    patient_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkCase:
    """One case of a group.

    Attributes:
        patient_id: Whom today's matching is certain of, or None.
        why_not: Why it must be decided by itself, as a sentence; empty if it may go with the others.
    """

    case: ReviewCase
    patient_id: str | None
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A case that was not decided, and why."""

    case_id: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDone:
    """What became of many cases.

    Attributes:
        batch: Names this decision in the history of each case.
        decided: Cases that were.
        left: Cases that still wait.
    """

    batch: str
    decided: tuple[int, ...]
    left: tuple[Left, ...]


def groups(session: Session, *, sites: Collection[str] | None) -> tuple[CaseGroup, ...]:
    """Cases that wait for one cause, or on one report, the largest groups first; single cases are no group."""
    return case_groups.list_groups(session, sites=sites, settled=_SETTLED | _NOTES)


def members(session: Session, group: CaseGroup, *, limit: int = MOST) -> tuple[ReviewCase, ...]:
    """The cases of a group that wait, oldest first."""
    return tuple(cases.get(session, case_id) for case_id in case_groups.case_ids(session, group, limit=limit))


def looked_at(
    database: Database,
    found: Iterable[ReviewCase],
    what: Approve | Reject,
    *,
    rosters: Rosters | None,
    today_of: Callable[[str], date],
    now: datetime,
) -> tuple[BulkCase, ...]:
    """Which of these cases may be decided together, each looked at by today's roster, templates and rules."""
    return tuple(_looked_at(database, case, what, rosters=rosters, today_of=today_of, now=now)[0] for case in found)


def decide(
    database: Database,
    chosen: Sequence[Chosen],
    what: Approve | Reject,
    *,
    rosters: Rosters | None,
    today_of: Callable[[str], date],
    destinations_of: Callable[[str], tuple[str, ...]],
    sites: Collection[str] | None,
    actor: str,
    now: datetime,
) -> BulkDone:
    """Decide each of these cases if it is still as it was shown and still safe; the others stay as they are.

    Each is a decision of its own, with its event of the audit trail, and is taken back by itself.

    Args:
        chosen: What the person saw and ticked, at most `MOST`.
        rosters: Who can be matched; needed for approvals.
        today_of: Today at a site.
        destinations_of: Where confirmed records of a site go.
        sites: Whose cases the person sees; None for all.

    Raises:
        DecisionRefusedError: Nothing, or too much, is chosen.
    """
    if not 0 < len(chosen) <= MOST:
        raise DecisionRefusedError(f"Choose 1 to {MOST} cases.", next_step="Nothing was changed.")
    batch = token_hex(8)
    decided: list[int] = []
    left: list[Left] = []
    for one in chosen:
        try:
            with database.reading() as session:
                case = cases.get(session, one.case_id)
            if sites is not None and case.site not in sites:
                raise DecisionRefusedError(f"There is no case {one.case_id}.")
            seen, match = _looked_at(database, case, what, rosters=rosters, today_of=today_of, now=now)
            why = seen.why_not or ("" if one.patient_id == seen.patient_id else "Another patient was shown for it.")
            if why:
                left.append(Left(case_id=one.case_id, why=why))
                continue
            _decide_one(
                database, one, what, match, today_of(case.site), destinations_of(case.site), batch, actor=actor, now=now
            )
            decided.append(one.case_id)
        except DecisionRefusedError as refused:
            left.append(Left(case_id=one.case_id, why=refused.message))
    return BulkDone(batch=batch, decided=tuple(decided), left=tuple(left))


def _decide_one(
    database: Database,
    one: Chosen,
    what: Approve | Reject,
    match: MatchDecision | None,
    today: date,
    destinations: tuple[str, ...],
    batch: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    with database.session() as session:
        desk = at_desk(session, one.case_id, one.version, actor=actor, now=now, batch=batch)
        if isinstance(what, Reject):
            reject_at(desk, reason=what.reason, note="")
            return
        if match is None or match.patient_id is None:
            raise DecisionRefusedError("Nobody is certain.", next_step="Decide this case by itself.")
        again = cases.match_anew(session, one.case_id, match, because=None, actor=actor, now=now)
        done = approve_at(
            replace(desk, case=again),
            patient_id=match.patient_id,
            today=today,
            destinations=destinations,
            as_=ApprovedAs.CONFIRMATION,
        )
        if done.outcome is ApprovalOutcome.AWAITS_SECOND:
            raise DecisionRefusedError("Two people must say this.", next_step="Decide this case by itself.")


def _looked_at(
    database: Database,
    case: ReviewCase,
    what: Approve | Reject,
    *,
    rosters: Rosters | None,
    today_of: Callable[[str], date],
    now: datetime,
) -> tuple[BulkCase, MatchDecision | None]:
    if case.critical:
        return BulkCase(case=case, patient_id=None, why_not="It holds an answer about self-harm."), None
    if isinstance(what, Reject):
        return BulkCase(case=case, patient_id=None, why_not=""), None
    with database.reading() as session:
        why = _still_waits_for(session, case)
        source = reports.get(session, case.report_id).source
    faults = faults_of(case.assessment, load_instruments(), today=today_of(case.site))
    if why or faults or rosters is None:
        why = why or (faults[0] if faults else "There is no roster to match with.")
        return BulkCase(case=case, patient_id=None, why_not=why), None
    if rosters.of(case.site, now=now).reasons:
        return BulkCase(case=case, patient_id=None, why_not="The roster is older than allowed."), None
    match = rematch(rosters, case, case.assessment.patient, source=source, now=now)
    if match.grade is not MatchGrade.CERTAIN or match.reasons:
        return BulkCase(case=case, patient_id=None, why_not="Today's matching is not certain of the patient."), None
    return BulkCase(case=case, patient_id=match.patient_id, why_not=""), match


def _still_waits_for(session: Session, case: ReviewCase) -> str:
    """What is not settled, as a sentence; empty if everything is but the patient, whom matching is asked for."""
    blocking = {finding.code for finding in case.assessment.findings if finding.blocking}
    notes = {finding.code for finding in case.assessment.findings if not finding.blocking}
    if case.is_identity_typed:
        return "A person has corrected who it is about."
    if blocking or set(case.reasons) - notes - _SETTLED:
        return "It waits for something else as well."
    if not set(case.reasons) & _SETTLED:
        return "It does not wait for the roster or its template."
    if set(case.reasons) & _TEMPLATE and not case_groups.is_released(session, case.case_id):
        return "Its template has not been released since."
    return ""
