"""What a person can do about a record that was confirmed. The web pages and the command line call these functions.

Each is one transaction: the checks, the change, what the portals are told and the audit event happen together or not
at all. `version` is that of the record when the person looked at it, from `record_version`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from parsers.instrument_library import load_instruments
from records.errors import DecisionRefusedError, StaleCaseError
from review.correction import corrected, faults_of
from review.graver_answers import raise_if_graver
from review.second_word import refuse_alone, refuse_unseconded
from store import amendments, cases, corrections, kept_records, reassigning, roster, undoing
from store.cases import ApprovedAs
from store.database import Database, Session
from store.kept_records import RecordState, StoredRecord
from store.undoing import Undone

__all__ = [
    "AfterWithdrawal",
    "Amended",
    "ApprovedAs",
    "Undone",
    "correct",
    "move",
    "reassign",
    "record_version",
    "undo",
    "withdraw",
]

_WHICH: Final = frozenset({"authored_on", "authored_time", "instrument"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """What became of the record.

    Attributes:
        state: Where the record is now.
        told: Submissions that are on their way with other values, or that take the old ones back.
        duplicate_of: The record that has these values already, so that nothing new is sent; None otherwise.
    """

    record_id: int
    state: RecordState
    told: int
    duplicate_of: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterWithdrawal:
    """What is to become of a withdrawn record.

    Attributes:
        reopen: It returns to the review queue; otherwise it is closed for good.
        wrong_patient: Its patient is ruled out for this print; only together with `reopen`.
    """

    reopen: bool
    wrong_patient: bool

    def __post_init__(self) -> None:
        if self.wrong_patient and not self.reopen:
            raise ValueError("a patient is ruled out for a record that is decided again")


def record_version(database: Database, record_id: int) -> int:
    """The version of a record as it stands, to be named by whoever changes it."""
    with database.reading() as session:
        kept_records.get(session, record_id)
        return amendments.version_of(session, record_id)


def correct(
    database: Database,
    record_id: int,
    *,
    version: int,
    changes: Mapping[str, str],
    actor: str,
    now: datetime,
    today: date,
    destinations: tuple[str, ...],
) -> Amended:
    """Give a confirmed record other values because they were read wrongly, and correct them at the portals.

    An answer about self-harm that becomes graver than it was read raises an alert in the same transaction. One that
    would be gone is refused, here and in what follows: two people decide that, in the review queue.

    Args:
        version: The version of the record the person saw.
        changes: Field to new text, as `review.correction.corrected` describes.
        today: Today at the site.
        destinations: Where confirmed records of the site go; a portal that has the old value is told in any case.

    Raises:
        StaleCaseError: The record has changed since it was shown.
        DecisionRefusedError: The record does not stand, a new value cannot be read or breaks a clinical rule, the
            values are the same, or day, time or questionnaire would change.
    """
    if changes.keys() & _WHICH:
        raise DecisionRefusedError(
            "Another day, time or questionnaire is another assessment, not a correction.",
            next_step="Nothing was saved. Use “scorebridge submission reassign”.",
        )
    with database.session() as session:
        kept = _as_seen(session, record_id, version)
        revised = corrected(kept.assessment, changes, load_instruments(), today=today)
        refuse_alone(kept.assessment, revised)
        raise_if_graver(session, kept, revised, keys=database.keys, now=now)
        told = corrections.enqueue_correction(
            session, record_id, assessment=revised, actor=actor, now=now, destinations=destinations
        )
        return _amended(session, record_id, told=told)


def move(
    database: Database,
    record_id: int,
    *,
    version: int,
    patient_id: str,
    reason: str,
    actor: str,
    now: datetime,
    today: date,
    destinations: tuple[str, ...],
    as_: ApprovedAs = ApprovedAs.CONFIRMATION,
) -> Amended:
    """Give a record that went to the wrong patient to the right one.

    It is withdrawn where it was told; what is sent for the right patient waits, at each portal, until a look has shown
    that the withdrawal arrived. The old patient is ruled out for this print, and what is learnt of prints is as after
    a withdrawal and an approval. If the right patient has the assessment with the same values, the record becomes a
    duplicate and nothing is sent for them.

    Args:
        as_: What the record is to an assessment of the right patient that is known with other values.

    Raises:
        StaleCaseError: The record has changed since it was shown.
        DecisionRefusedError: The record does not stand, it is this patient's already, the patient is not on the site's
            roster, a value may not go to a chart like this, the patient has other values and `as_` does not say what
            this is, or two people must say whose answer about self-harm it is.
    """
    with database.session() as session:
        kept = _as_seen(session, record_id, version)
        _check_move(session, kept, patient_id, today=today)
        told = corrections.enqueue_withdrawal(
            session, record_id, reason=reason, actor=actor, now=now, reopen=True, to_patient_id=patient_id
        )
        case = cases.of_record(session, record_id)
        if case is None:
            raise RuntimeError(f"record {record_id} was reopened and has no case")
        refuse_unseconded(case, patient_id)
        cases.approve(
            session,
            case.case_id,
            version=case.version,
            patient_id=patient_id,
            actor=actor,
            now=now,
            destinations=destinations,
            as_=as_,
        )
        return _amended(session, record_id, told=told)


def reassign(
    database: Database,
    record_id: int,
    *,
    version: int,
    changes: Mapping[str, str],
    reason: str,
    actor: str,
    now: datetime,
    today: date,
    destinations: tuple[str, ...],
    as_: ApprovedAs = ApprovedAs.CONFIRMATION,
) -> Amended:
    """Give a confirmed record another day, time or questionnaire: the old value is withdrawn, then the new one sent.

    Args:
        changes: Field to new text: "authored_on", "authored_time", "instrument", and values that differ with it.
        as_: What the record is to an assessment of that day that is known with other values.

    Raises:
        StaleCaseError: The record has changed since it was shown.
        DecisionRefusedError: As for `correct` and `move`.
    """
    with database.session() as session:
        kept = _as_seen(session, record_id, version)
        revised = corrected(kept.assessment, changes, load_instruments(), today=today)
        refuse_alone(kept.assessment, revised)
        raise_if_graver(session, kept, revised, keys=database.keys, now=now)
        done = reassigning.reassign(
            session,
            record_id,
            assessment=revised,
            reason=reason,
            actor=actor,
            now=now,
            destinations=destinations,
            as_=as_,
        )
        return _amended(session, record_id, told=done.withdrawals)


def withdraw(
    database: Database,
    record_id: int,
    *,
    version: int,
    reason: str,
    after: AfterWithdrawal,
    actor: str,
    now: datetime,
) -> Amended:
    """Take a confirmed record back from every portal that has it or may have it.

    Raises:
        StaleCaseError: The record has changed since it was shown.
        DecisionRefusedError: The record does not stand, no reason is given, or an answer about self-harm would be
            closed for good.
    """
    if not reason.strip():
        raise DecisionRefusedError("The reason is missing.", next_step="Nothing was saved. Say why in a few words.")
    with database.session() as session:
        kept = _as_seen(session, record_id, version)
        if not after.reopen:
            refuse_alone(kept.as_read, None)
            refuse_alone(kept.assessment, None)
        told = corrections.enqueue_withdrawal(
            session,
            record_id,
            reason=reason.strip(),
            actor=actor,
            now=now,
            reopen=after.reopen,
            wrong_patient=after.wrong_patient,
        )
        return _amended(session, record_id, told=told)


def undo(database: Database, record_id: int, *, version: int, actor: str, now: datetime) -> Undone:
    """Take the last decision about a record back before any portal has heard of it.

    A correction goes first: the earlier values stand again. Else the confirmation: the record waits for review.

    Raises:
        StaleCaseError: The record has changed since it was shown.
        DecisionRefusedError: The record does not stand, or a portal has been told, or may have been.
    """
    with database.session() as session:
        kept = _as_seen(session, record_id, version)
        undone = undoing.undo(session, record_id, actor=actor, now=now)
        if undone is Undone.CORRECTION:
            refuse_alone(kept.assessment, kept_records.get(session, record_id).assessment)
        return undone


def _as_seen(session: Session, record_id: int, version: int) -> StoredRecord:
    kept = kept_records.get(session, record_id)
    if amendments.version_of(session, record_id) != version:
        raise StaleCaseError(
            "This record changed since it was opened.", next_step="Nothing was saved. Look at it again."
        )
    corrections.confirmed_row(session, record_id)
    return kept


def _check_move(session: Session, kept: StoredRecord, patient_id: str, *, today: date) -> None:
    if kept.patient_id == patient_id:
        raise DecisionRefusedError("The record is this patient's already.", next_step="Nothing was changed.")
    if roster.patient(session, kept.site, patient_id) is None:
        raise DecisionRefusedError(
            "This patient is not on the roster of the site.", next_step="Nothing was changed. Find the patient."
        )
    faults = faults_of(kept.assessment, load_instruments(), today=today)
    if faults:
        raise DecisionRefusedError(" ".join(faults), next_step="Nothing was changed. Correct the value first.")


def _amended(session: Session, record_id: int, *, told: int) -> Amended:
    kept = kept_records.get(session, record_id)
    return Amended(record_id=record_id, state=kept.state, told=told, duplicate_of=kept.duplicate_of)
