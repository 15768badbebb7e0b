"""Where one person's word is not enough: two people must say the same of one case.

The word of the first, "it is this patient" or "this row is to be rejected", is kept as a proposal, and the case stays
open. A second person who says something else leaves both words standing, until two agree.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from records.case import RejectReason
from store.queue_tables import CaseWordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one person has said of a case.

    Attributes:
        patient_id: Whom it is about, or None for "this row is to be rejected".
        reject_reason: Why it is to be rejected, or None.
        note: What they wrote about it; it may name a patient.
    """

    actor: str
    patient_id: str | None
    said_at: datetime
    reject_reason: RejectReason | None = None
    note: str | None = None


def of_case(session: Session, case_id: int) -> tuple[Word, ...]:
    """What people have said so far, oldest first; each person's latest."""
    return of_cases(session, (case_id,)).get(case_id, ())


def of_cases(session: Session, case_ids: Collection[int]) -> dict[int, tuple[Word, ...]]:
    """The same for many cases; those of which nobody has said anything are not there."""
    query = select(CaseWordRow).where(col(CaseWordRow.case_id).in_(case_ids))
    found: dict[int, tuple[Word, ...]] = {}
    for row in session.exec(query.order_by(col(CaseWordRow.said_at), col(CaseWordRow.actor))):
        found[row.case_id] = (*found.get(row.case_id, ()), _word(row))
    return found


def is_seconded(session: Session, case_id: int, *, patient_id: str | None, actor: str) -> bool:
    """Whether somebody else has said the same: this patient, or, with None, that the row is to be rejected."""
    return any(word.patient_id == patient_id and word.actor != actor for word in of_case(session, case_id))


def say(session: Session, case_id: int, *, patient_id: str, actor: str, now: datetime) -> None:
    """Keep one person's "it is this patient" in place of what they said before."""
    _keep(session, case_id, Word(actor=actor, patient_id=patient_id, said_at=now))


def say_reject(
    session: Session, case_id: int, *, reason: RejectReason, note: str | None, actor: str, now: datetime
) -> None:
    """Keep one person's "this row is to be rejected" in place of what they said before."""
    _keep(session, case_id, Word(actor=actor, patient_id=None, said_at=now, reject_reason=reason, note=note))


def withdraw(session: Session, case_id: int, *, patient_id: str | None = None) -> None:
    """Forget what was said: of this patient, or at all."""
    query = select(CaseWordRow).where(col(CaseWordRow.case_id) == case_id)
    for row in session.exec(query).all():
        if patient_id in (None, row.patient_id):
            session.delete(row)
    session.flush()


def restore(session: Session, case_id: int, words: tuple[Word, ...]) -> None:
    """What people had said stands again."""
    withdraw(session, case_id)
    for word in words:
        _keep(session, case_id, word)


def _keep(session: Session, case_id: int, word: Word) -> None:
    row = session.get(CaseWordRow, (case_id, word.actor))
    row = row or CaseWordRow(case_id=case_id, actor=word.actor, said_at=word.said_at)
    row.patient_id, row.said_at, row.reject_reason, row.note = (
        word.patient_id, word.said_at, word.reject_reason, word.note
    )  # fmt: skip
    session.add(row)
    session.flush()


def _word(row: CaseWordRow) -> Word:
    return Word(
        actor=row.actor,
        patient_id=row.patient_id,
        said_at=row.said_at,
        reject_reason=RejectReason(row.reject_reason) if row.reject_reason else None,
        note=row.note,
    )
