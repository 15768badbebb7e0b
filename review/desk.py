"""One case on one person's desk, inside one transaction: what every decision checks, does and keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from parsers.instrument_library import load_instruments
from records.case import RejectReason, ReviewCase
from records.errors import DecisionRefusedError, StaleCaseError
from review.correction import faults_of
from review.second_word import needs_second, needs_second_to_reject
from review.undo import HOLD
from store import case_locks, cases, decisions, kept_records, roster, second_words
from store.cases import ApprovedAs
from store.database import Session
from store.decisions import Before, DecisionKind
from store.kept_records import RecordState


class ApprovalOutcome(StrEnum):
    """What an approval came to."""

    CONFIRMED = "confirmed"
    DUPLICATE = "duplicate"  # the same values are known already: nothing is sent
    AWAITS_SECOND = "awaits-second"  # another person must say the same; the case stays open


class RejectionOutcome(StrEnum):
    """What a rejection came to."""

    REJECTED = "rejected"
    AWAITS_SECOND = "awaits-second"  # another person must reject it too; the case stays open


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What became of an approved record."""

    record_id: int
    outcome: ApprovalOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A case as a person has it before them.

    Attributes:
        session: The transaction of the decision.
        was: The case before the decision.
        opened_at: When the person opened it, or None.
        batch: The same for all cases decided at once, or None.
    """

    session: Session
    case: ReviewCase
    actor: str
    now: datetime
    was: Before
    opened_at: datetime | None
    batch: str | None

    @classmethod
    def of(cls, session: Session, case: ReviewCase, *, actor: str, now: datetime, batch: str | None = None) -> Desk:
        """The desk, with how the case is now."""
        return cls(
            session=session,
            case=case,
            actor=actor,
            now=now,
            was=decisions.before(session, case.case_id, actor=actor),
            opened_at=case_locks.opened_at(session, case.case_id, actor=actor),
            batch=batch,
        )

    def keep(self, kind: DecisionKind, *, patient_id: str | None = None) -> None:
        """Keep what was decided, to be counted and to be taken back."""
        decisions.keep(
            self.session,
            self.case.case_id,
            kind,
            self.was,
            opened_at=self.opened_at,
            actor=self.actor,
            now=self.now,
            patient_id=patient_id,
            batch=self.batch,
        )


def at_desk(
    session: Session, case_id: int, version: int, *, actor: str, now: datetime, batch: str | None = None
) -> Desk:
    """The case as the person saw it, held by them.

    Raises:
        StaleCaseError: It has changed since it was shown.
        CaseTakenError: Somebody else has it open.
        DecisionRefusedError: There is no such case.
    """
    case = cases.get(session, case_id)
    if case.version != version:
        raise StaleCaseError(
            "This record changed since it was opened.", next_step="Nothing was saved. Look at it again."
        )
    case_locks.hold(session, case_id, actor=actor, now=now)
    return Desk.of(session, case, actor=actor, now=now, batch=batch)


def approve_at(desk: Desk, *, patient_id: str, today: date, destinations: tuple[str, ...], as_: ApprovedAs) -> Approval:
    """Confirm the record for a patient, or keep the first of two people's words.

    Raises:
        StaleCaseError: The case is decided.
        DecisionRefusedError: The patient is not on the site's roster, or a value may not go to a chart like this.
    """
    session, case = desk.session, desk.case
    if roster.patient(session, case.site, patient_id) is None:
        raise DecisionRefusedError(
            "This patient is not on the roster of the site.", next_step="Nothing was saved. Find the patient."
        )
    faults = faults_of(case.assessment, load_instruments(), today=today)
    if faults:
        raise DecisionRefusedError(" ".join(faults), next_step="Nothing was saved. Correct the value first.")
    seconded = second_words.is_seconded(session, case.case_id, patient_id=patient_id, actor=desk.actor)
    if needs_second(case, patient_id) and not seconded:
        return _proposed(desk, patient_id)
    record_id = cases.approve(
        session,
        case.case_id,
        version=case.version,
        patient_id=patient_id,
        actor=desk.actor,
        now=desk.now,
        destinations=destinations,
        as_=as_,
        hold=HOLD,
    )
    desk.keep(DecisionKind.APPROVED, patient_id=patient_id)
    known = kept_records.get(session, record_id).state is RecordState.DUPLICATE
    return Approval(record_id=record_id, outcome=ApprovalOutcome.DUPLICATE if known else ApprovalOutcome.CONFIRMED)


def reject_at(desk: Desk, *, reason: RejectReason, note: str) -> RejectionOutcome:
    """Keep the record out of every portal, or keep the first of two people's words.

    Raises:
        StaleCaseError: The case is decided.
        DecisionRefusedError: The reason is "other" and no note says why.
    """
    if reason is RejectReason.OTHER and not note.strip():
        raise DecisionRefusedError("The reason is missing.", next_step="Nothing was saved. Say why in a few words.")
    session, case = desk.session, desk.case
    seconded = second_words.is_seconded(session, case.case_id, patient_id=None, actor=desk.actor)
    is_enough = seconded or not needs_second_to_reject(case)
    (cases.reject if is_enough else cases.propose_rejection)(
        session,
        case.case_id,
        version=case.version,
        reason=reason,
        note=note.strip(),
        actor=desk.actor,
        now=desk.now,
    )
    desk.keep(DecisionKind.REJECTED if is_enough else DecisionKind.PROPOSED)
    return RejectionOutcome.REJECTED if is_enough else RejectionOutcome.AWAITS_SECOND


def _proposed(desk: Desk, patient_id: str) -> Approval:
    cases.propose(
        desk.session,
        desk.case.case_id,
        version=desk.case.version,
        patient_id=patient_id,
        actor=desk.actor,
        now=desk.now,
    )
    desk.keep(DecisionKind.PROPOSED, patient_id=patient_id)
    record_id = decisions.case_and_record(desk.session, desk.case.case_id)[0].record_id
    return Approval(record_id=record_id, outcome=ApprovalOutcome.AWAITS_SECOND)
