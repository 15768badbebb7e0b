"""What people decide in the review queue: kept with the time it took, and with what taking it back needs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import func
from sqlmodel import Session, col, select

from records.errors import DecisionRefusedError
from store import second_words
from store.alias_states import AliasState, of_print
from store.amendment_tables import AmendmentRow
from store.context import stored_id
from store.kept_records import record_row
from store.queue_tables import CaseVisitRow, QueueDecisionRow
from store.second_words import Word
from store.serialised import codes_of
from store.tables import CaseRow, RecordRow, VetoRow

_LONGEST_PAUSE: Final = timedelta(minutes=5)  # longer, and the person was not at work


class DecisionKind(StrEnum):
    """What a person did."""

    APPROVED = "approved"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    CORRECTED = "corrected"
    NOT_THIS_PATIENT = "not-this-patient"
    PROPOSED = "proposed"  # the first word of two
    PARKED = "parked"  # the patient is to be registered first


DECIDING: Final = (DecisionKind.APPROVED, DecisionKind.REJECTED, DecisionKind.PROPOSED, DecisionKind.PARKED)
"""Decisions after which a case is off the person's desk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDecision:
    """One thing that a person did.

    Attributes:
        patient_id: Whom the person named, or None.
        seconds: From opening the case, or else from the person's decision before, to this one; None if neither is
            known.
        batch: The same for all that were decided at once, or None.
        undone_at: When the person took it back, or None.
    """

    decision_id: int
    case_id: int
    record_id: int
    site: str
    actor: str
    kind: DecisionKind
    patient_id: str | None
    decided_at: datetime
    seconds: float | None
    batch: str | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidVeto:
    """A "not this patient" that stood."""

    patient_id: str
    actor: str
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """How a case was before a decision.

    Attributes:
        version: Of the case.
        assessment: JSON of its values, as the row held it; likewise `match` and `reasons`.
        words: What people had said where two must say it.
        vetoes: Whom this print was said not to be.
        waiting_aliases: Aliases of this print that waited for a second person.
        skipped_until: Of the person who decides.
        last_amendment: Row id of the record's latest amendment, 0 for none.
    """

    version: int
    opened_at: datetime
    note: str | None
    assessment: str
    values_digest: str
    match: str
    reasons: tuple[str, ...]
    words: tuple[Word, ...]
    vetoes: tuple[SaidVeto, ...]
    waiting_aliases: tuple[int, ...]
    skipped_until: datetime | None
    last_amendment: int


_BEFORE: Final = TypeAdapter(Before)


def before(session: Session, case_id: int, *, actor: str) -> Before:
    """The state of a case, taken before it is changed.

    Raises:
        DecisionRefusedError: There is no such case.
    """
    case, row = case_and_record(session, case_id)
    aliases = of_print(session, row.site, row.fingerprint)
    visit = session.get(CaseVisitRow, (case_id, actor))
    return Before(
        version=case.version,
        opened_at=case.opened_at,
        note=case.note,
        assessment=row.assessment,
        values_digest=row.values_digest,
        match=row.match,
        reasons=codes_of(row.reasons),
        words=second_words.of_case(session, case_id),
        vetoes=_vetoes(session, row),
        waiting_aliases=tuple(stored_id(one.id) for one in aliases if one.state == AliasState.AWAITING_SECOND),
        skipped_until=None if visit is None else visit.skipped_until,
        last_amendment=last_amendment(session, stored_id(row.id)),
    )


def keep(
    session: Session,
    case_id: int,
    kind: DecisionKind,
    was: Before,
    *,
    opened_at: datetime | None,
    actor: str,
    now: datetime,
    patient_id: str | None = None,
    batch: str | None = None,
) -> int:
    """Keep a decision that has just been made; return its id.

    Args:
        was: The case before.
        opened_at: When the person opened the case, or None.
        patient_id: Whom the person named, or None.
        batch: The same for all that are decided at once.
    """
    session.flush()
    case = session.get_one(CaseRow, case_id)
    made = QueueDecisionRow(
        case_id=case_id,
        record_id=case.record_id,
        site=case.site,
        actor=actor,
        kind=kind,
        patient_id=patient_id,
        decided_at=now,
        seconds=None if batch else _seconds(session, opened_at, actor=actor, now=now),
        batch=batch,
        version_after=case.version,
        before=_BEFORE.dump_json(was).decode(),
    )
    session.add(made)
    session.flush()
    return stored_id(made.id)


def recent(session: Session, *, actor: str, limit: int) -> tuple[QueueDecision, ...]:
    """The latest decisions of one person that were not taken back, newest first."""
    query = select(QueueDecisionRow).where(
        col(QueueDecisionRow.actor) == actor, col(QueueDecisionRow.undone_at).is_(None)
    )
    return tuple(
        queue_decision(row) for row in session.exec(query.order_by(col(QueueDecisionRow.id).desc()).limit(limit))
    )


def last_seconds(session: Session, *, actor: str, kind: DecisionKind, limit: int) -> tuple[float | None, ...]:
    """How long the person's latest decisions took as long as they are all of one kind, newest first.

    One that was taken back counts as made; one made for many cases at once does not.
    """
    query = select(QueueDecisionRow.kind, QueueDecisionRow.seconds).where(
        col(QueueDecisionRow.actor) == actor, col(QueueDecisionRow.batch).is_(None)
    )
    found = session.exec(query.order_by(col(QueueDecisionRow.id).desc()).limit(limit)).all()
    row = next((at for at, (made, _) in enumerate(found) if made != kind), len(found))
    return tuple(seconds for _, seconds in found[:row])


def count_since(session: Session, *, actor: str, since: datetime) -> tuple[int, float | None]:
    """How many cases the person has taken off the desk since then and not taken back; mean seconds of those known."""
    query = select(func.count(), func.avg(col(QueueDecisionRow.seconds))).where(
        col(QueueDecisionRow.actor) == actor,
        col(QueueDecisionRow.decided_at) >= since,
        col(QueueDecisionRow.kind).in_(DECIDING),
        col(QueueDecisionRow.undone_at).is_(None),
    )
    number, mean = session.exec(query).one()
    return number, None if mean is None else float(mean)


def decided_since(session: Session, *, since: datetime, sites: Collection[str] | None) -> dict[str, int]:
    """How many cases each person has taken off the desk since then, by user name."""
    query = (
        select(QueueDecisionRow.actor, func.count())
        .where(
            col(QueueDecisionRow.decided_at) >= since,
            col(QueueDecisionRow.kind).in_(DECIDING),
            col(QueueDecisionRow.undone_at).is_(None),
        )
        .group_by(col(QueueDecisionRow.actor))
    )
    if sites is not None:
        query = query.where(col(QueueDecisionRow.site).in_(sorted(sites)))
    return dict(session.exec(query).all())


def decision_row(session: Session, decision_id: int) -> QueueDecisionRow:
    """The row of a decision, for taking it back.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    row = session.get(QueueDecisionRow, decision_id)
    if row is None:
        raise DecisionRefusedError(f"There is no decision {decision_id}.", next_step="Reload the page.")
    return row


def state_before(row: QueueDecisionRow) -> Before:
    """How the case was before a decision."""
    return _BEFORE.validate_json(row.before)


def case_and_record(session: Session, case_id: int) -> tuple[CaseRow, RecordRow]:
    """The rows of a case.

    Raises:
        DecisionRefusedError: There is no such case.
    """
    case = session.get(CaseRow, case_id)
    if case is None:
        raise DecisionRefusedError(f"There is no case {case_id}.", next_step="Reload the list.")
    return case, record_row(session, case.record_id)


def last_amendment(session: Session, record_id: int) -> int:
    """Row id of the latest amendment of a record, 0 for none."""
    return last_amendments(session, (record_id,)).get(record_id, 0)


def last_amendments(session: Session, record_ids: Collection[int]) -> dict[int, int]:
    """The same for many records; those that were never amended are not there."""
    query = select(AmendmentRow.record_id, func.max(col(AmendmentRow.id))).where(
        col(AmendmentRow.record_id).in_(record_ids)
    )
    return {number: latest or 0 for number, latest in session.exec(query.group_by(col(AmendmentRow.record_id)))}


def queue_decision(row: QueueDecisionRow) -> QueueDecision:
    """The frozen value of a row."""
    return QueueDecision(
        decision_id=stored_id(row.id),
        case_id=row.case_id,
        record_id=row.record_id,
        site=row.site,
        actor=row.actor,
        kind=DecisionKind(row.kind),
        patient_id=row.patient_id,
        decided_at=row.decided_at,
        seconds=row.seconds,
        batch=row.batch,
        undone_at=row.undone_at,
    )


def _vetoes(session: Session, row: RecordRow) -> tuple[SaidVeto, ...]:
    query = select(VetoRow).where(col(VetoRow.site) == row.site, col(VetoRow.fingerprint) == row.fingerprint)
    return tuple(
        SaidVeto(patient_id=one.patient_id, actor=one.actor, said_at=one.said_at) for one in session.exec(query)
    )


def _seconds(session: Session, opened_at: datetime | None, *, actor: str, now: datetime) -> float | None:
    if opened_at is not None:
        return max(0.0, (now - opened_at).total_seconds())
    query = select(func.max(col(QueueDecisionRow.id))).where(col(QueueDecisionRow.actor) == actor)
    last = session.exec(query).one()
    if last is None:
        return None
    pause = now - session.get_one(QueueDecisionRow, last).decided_at
    return pause.total_seconds() if timedelta(0) <= pause <= _LONGEST_PAUSE else None
