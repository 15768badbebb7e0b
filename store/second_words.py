"""Where one person's "it is this patient" is not enough: two people must say the same of one case.

The word of the first is kept as a proposal, and the case stays open. A second person who names another patient leaves
both words standing, until two agree.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from store.queue_tables import CaseWordRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one person has said of a case."""

    actor: str
    patient_id: str
    said_at: datetime


def of_case(session: Session, case_id: int) -> tuple[Word, ...]:
    """What people have said so far, oldest first; each person's latest."""
    return of_cases(session, (case_id,)).get(case_id, ())


def of_cases(session: Session, case_ids: Collection[int]) -> dict[int, tuple[Word, ...]]:
    """The same for many cases; those of which nobody has said anything are not there."""
    query = select(CaseWordRow).where(col(CaseWordRow.case_id).in_(case_ids))
    found: dict[int, tuple[Word, ...]] = {}
    for row in session.exec(query.order_by(col(CaseWordRow.said_at), col(CaseWordRow.actor))):
        word = Word(actor=row.actor, patient_id=row.patient_id, said_at=row.said_at)
        found[row.case_id] = (*found.get(row.case_id, ()), word)
    return found


def is_seconded(session: Session, case_id: int, *, patient_id: str, actor: str) -> bool:
    """Whether somebody else has said the same."""
    return any(word.patient_id == patient_id and word.actor != actor for word in of_case(session, case_id))


def say(session: Session, case_id: int, *, patient_id: str, actor: str, now: datetime) -> None:
    """Keep one person's word in place of what they said before."""
    row = session.get(CaseWordRow, (case_id, actor))
    row = row or CaseWordRow(case_id=case_id, actor=actor, patient_id=patient_id, said_at=now)
    row.patient_id, row.said_at = patient_id, now
    session.add(row)
    session.flush()


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
        say(session, case_id, patient_id=word.patient_id, actor=word.actor, now=word.said_at)
