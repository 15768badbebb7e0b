"""Automatic matches that a person checks without knowing what the program chose, and how wrong it may be by that.

Each automatic match has a lot, a number between 0 and 1 that only the store's key can tell: those below the share are
checked at once. When a week is over, the lowest lots fill its sample up to the least number, so that a sample is always
a random one of all matches of its week, taken back since or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, func, select

from matching.error_bound import upper_bound
from records.assessment import SymptomAssessment
from records.audit import AuditEvent
from records.errors import DecisionRefusedError
from store import alias_doubts, audit, corrections, kept_records, notices, roster
from store.alias_states import AliasReason
from store.context import keys_of, stored_id
from store.kept_records import RecordState
from store.learning_tables import AutomaticMatchRow, BlindAuditRow, BlindAuditWeekRow
from store.serialised import assessment_of, match_of
from store.tables import RecordRow

_WEEK: Final = timedelta(days=7)
_LATE: Final = timedelta(hours=1)  # a report that began to be read on Sunday is handed over by then
_SHOWN: Final = 5
_DISAGREES: Final = "blind-audit-disagrees"


class AuditState(StrEnum):
    """Whether somebody has answered."""

    OPEN = "open"
    ANSWERED = "answered"


class Verdict(StrEnum):
    """What the person says the print is."""

    PATIENT = "patient"
    NONE_OF_THESE = "none-of-these"
    CANNOT_TELL = "cannot-tell"


class Settled(StrEnum):
    """What a second look at a disagreement found."""

    MATCH_WAS_WRONG = "match-was-wrong"
    MATCH_WAS_RIGHT = "match-was-right"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindAudit:
    """One check. Nothing here tells what the program chose before it is answered.

    Attributes:
        assessment: The record as read.
        candidates: Patient ids that the print may be about, in an order of this check's own.
        answered_by: User name, or None while open.
        agrees: Whether the answer is the program's choice; None while open, and where the person cannot tell.
        settled: What a second look at a disagreement found, or None.
    """

    task_id: int
    record_id: int
    report_id: int
    site: str
    assessment: SymptomAssessment
    candidates: tuple[str, ...]
    drawn_at: datetime
    state: AuditState
    answered_by: str | None
    answered_at: datetime | None
    agrees: bool | None
    settled: Settled | None

    @property
    def needs_second_look(self) -> bool:
        """Whether the answer differs from the match and nobody has settled that."""
        return self.agrees is False and self.settled is None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFigures:
    """What the blind audit has found so far.

    Attributes:
        automatic: Records that went out without a person.
        drawn: How many of them were chosen to be checked.
        waiting: Of those, not yet answered.
        agreed: Answers that chose the same patient, or proved to be wrong themselves at the second look.
        wrong: Answers that chose another patient or none; those not settled yet count as wrong.
        unsettled: How many of `wrong` still need their second look.
        cannot_tell: Answers that say nothing; they are not counted as checked.
    """

    automatic: int
    drawn: int
    waiting: int
    agreed: int
    wrong: int
    unsettled: int
    cannot_tell: int

    @property
    def checked(self) -> int:
        """Answers that say something."""
        return self.agreed + self.wrong

    @property
    def error_rate(self) -> float | None:
        """Wrong of checked, 0..1; None before the first check."""
        return self.wrong / self.checked if self.checked else None

    @property
    def bound(self) -> float:
        """One-sided 95 % upper bound of the error rate, 0..1 (Clopper and Pearson); 1 before the first check."""
        return upper_bound(self.wrong, self.checked)


def draw_due(session: Session, *, share: float, per_week: int, now: datetime) -> int:
    """Choose what is to be checked among the automatic matches; return how many were added. Nothing is held up by it.

    Args:
        share: Part of the automatic matches, 0..1.
        per_week: Least number of each week's matches, or all where there are fewer.
    """
    closed = select(col(BlindAuditWeekRow.week))
    weeks = select(col(AutomaticMatchRow.week)).where(col(AutomaticMatchRow.week).not_in(closed)).distinct()
    added = 0
    for week in sorted(session.exec(weeks)):
        matches = session.exec(select(AutomaticMatchRow).where(col(AutomaticMatchRow.week) == week)).all()
        lots = sorted((_lot(session, match.record_id), match.record_id) for match in matches)
        is_over = (now - _LATE).date() >= week + _WEEK
        wanted = sum(lot < share for lot, _ in lots)
        if is_over:
            wanted = max(wanted, min(per_week, len(lots)))
        by_record = {match.record_id: match for match in matches}
        chosen = [by_record[record_id] for _, record_id in lots[:wanted]]
        added += _add(session, chosen, share=share, now=now)
        if is_over:
            _close_week(session, week=week, automatic=len(matches), now=now)
    return added


def list_tasks(
    session: Session, *, sites: Collection[str] | None = None, unsettled: bool = False, limit: int = 200
) -> list[BlindAudit]:
    """Checks that wait for an answer, oldest first; with `unsettled`, answers that differ and need a second look.

    Args:
        sites: Of these sites, or None for all.
    """
    query = select(BlindAuditRow)
    if unsettled:
        query = query.where(col(BlindAuditRow.agrees).is_(False), col(BlindAuditRow.settled).is_(None))
    else:
        query = query.where(col(BlindAuditRow.state) == AuditState.OPEN)
    if sites is not None:
        query = query.where(col(BlindAuditRow.site).in_(sites))
    return [_task(session, row) for row in session.exec(query.order_by(col(BlindAuditRow.id)).limit(limit))]


def get(session: Session, task_id: int) -> BlindAudit:
    """One check.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    return _task(session, _row(session, task_id))


def choices(session: Session, task_id: int) -> tuple[str, str | None]:
    """The patient the program chose, and the one the person did, or None for nobody.

    Raises:
        DecisionRefusedError: It is not answered yet, and blind until then.
    """
    row = _row(session, task_id)
    if row.state == AuditState.OPEN:
        raise DecisionRefusedError(f"Blind audit {task_id} is not answered yet.", next_step="Answer it first.")
    return session.get_one(AutomaticMatchRow, row.record_id).patient_id, row.patient_id


def in_its_order(session: Session, task_id: int, patient_ids: Iterable[str]) -> tuple[str, ...]:
    """Patient ids in an order of this check's own, which tells nothing about them and is the same every time."""
    keys = keys_of(session)
    return tuple(sorted(set(patient_ids), key=lambda one: keys.opaque("blind-audit-order", (task_id, one))))


def answer(
    session: Session, task_id: int, verdict: Verdict, *, patient_id: str | None, actor: str, now: datetime
) -> BlindAudit:
    """Take a person's answer. One that differs suspends the alias behind the match and leaves a notice; no more.

    Args:
        patient_id: The patient, where the verdict is that it is one; else None.

    Raises:
        DecisionRefusedError: It is answered already, or the patient is not on the site's roster.
    """
    row = _row(session, task_id)
    if row.state != AuditState.OPEN:
        raise DecisionRefusedError(f"Blind audit {task_id} is answered already.", next_step="Go on with the next one.")
    if verdict is Verdict.PATIENT and (patient_id is None or roster.patient(session, row.site, patient_id) is None):
        raise DecisionRefusedError("This patient is not on the roster of the site.", next_step="Choose another.")
    row.state, row.verdict = AuditState.ANSWERED, verdict
    row.patient_id = patient_id if verdict is Verdict.PATIENT else None
    row.answered_by, row.answered_at = actor, now
    row.agrees = None if verdict is Verdict.CANNOT_TELL else _is_the_choice(session, row)
    session.add(row)
    session.flush()
    _audit(session, row, "blind-audit.answered", actor=actor, now=now, detail=(("agrees", str(row.agrees)),))
    if row.agrees is False:
        _disagree(session, row, actor=actor, now=now)
    return _task(session, row)


def settle(session: Session, task_id: int, found: Settled, *, actor: str, now: datetime) -> BlindAudit:
    """Take the second look at an answer that differs. A wrong match is withdrawn and its record put back into review.

    Raises:
        DecisionRefusedError: There is nothing to settle; whoever answered wants to call the match right after all,
            which takes another person; or the record was replaced by a correction.
    """
    row = _row(session, task_id)
    if not _task(session, row).needs_second_look:
        raise DecisionRefusedError(f"Blind audit {task_id} has nothing to settle.", next_step="Reload the list.")
    if found is Settled.MATCH_WAS_RIGHT and row.answered_by == actor:
        raise DecisionRefusedError(
            "Your own answer says that the match was wrong.", next_step="Ask another person to look at it."
        )
    if found is Settled.MATCH_WAS_WRONG and kept_records.get(session, row.record_id).state is RecordState.CONFIRMED:
        reason = f"blind audit {task_id}"
        corrections.enqueue_withdrawal(session, row.record_id, reason=reason, actor=actor, now=now, reopen=True)
    row.settled, row.settled_by, row.settled_at = found, actor, now
    session.add(row)
    session.flush()
    notices.resolve(session, _DISAGREES, f"blind audit {task_id}", now=now)
    _audit(session, row, "blind-audit.settled", actor=actor, now=now, detail=(("found", found),))
    return _task(session, row)


def figures(session: Session, *, sites: Collection[str] | None = None) -> AuditFigures:
    """What the blind audit has found, of these sites or, with None, of all."""
    matches = select(func.count()).select_from(AutomaticMatchRow)
    audits = select(BlindAuditRow.state, BlindAuditRow.agrees, BlindAuditRow.settled, func.count())
    if sites is not None:
        matches = matches.where(col(AutomaticMatchRow.site).in_(sites))
        audits = audits.where(col(BlindAuditRow.site).in_(sites))
    groups = audits.group_by(col(BlindAuditRow.state), col(BlindAuditRow.agrees), col(BlindAuditRow.settled))
    kinds: Counter[str] = Counter()
    for state, agrees, settled, number in session.exec(groups):
        kinds[_kind(state, agrees=agrees, settled=settled)] += number
    return AuditFigures(
        automatic=session.exec(matches).one(),
        drawn=kinds.total(),
        waiting=kinds["waiting"],
        agreed=kinds["agreed"],
        wrong=kinds["wrong"] + kinds["unsettled"],
        unsettled=kinds["unsettled"],
        cannot_tell=kinds["cannot tell"],
    )


def _kind(state: str, *, agrees: bool | None, settled: str | None) -> str:
    if state == AuditState.OPEN:
        return "waiting"
    if agrees is None:
        return "cannot tell"
    if agrees or settled == Settled.MATCH_WAS_RIGHT:
        return "agreed"
    return "unsettled" if settled is None else "wrong"


def _lot(session: Session, record_id: int) -> float:
    return int.from_bytes(keys_of(session).opaque("blind-audit", (record_id,))[:8]) / 2**64


def _add(session: Session, matches: list[AutomaticMatchRow], *, share: float, now: datetime) -> int:
    added = 0
    for match in matches:
        known = select(BlindAuditRow.id).where(col(BlindAuditRow.record_id) == match.record_id)
        if session.exec(known).first() is None:
            session.add(
                BlindAuditRow(
                    record_id=match.record_id,
                    site=match.site,
                    week=match.week,
                    share=share,
                    drawn_at=now,
                    state=AuditState.OPEN,
                )
            )
            added += 1
    session.flush()
    return added


def _close_week(session: Session, *, week: date, automatic: int, now: datetime) -> None:
    """Keep the share that was really drawn: what an answer of this week stands for."""
    drawn = session.exec(select(BlindAuditRow).where(col(BlindAuditRow.week) == week)).all()
    for row in drawn:
        row.share = len(drawn) / automatic
        session.add(row)
    session.add(BlindAuditWeekRow(week=week, automatic=automatic, drawn=len(drawn), closed_at=now))
    session.flush()


def _is_the_choice(session: Session, row: BlindAuditRow) -> bool:
    """Whether the answer names the program's patient, under their present record where two were merged since."""
    chosen = session.get_one(AutomaticMatchRow, row.record_id).patient_id
    listed = roster.patient(session, row.site, chosen)
    return row.patient_id is not None and row.patient_id in (chosen, listed and listed.merged_into)


def _disagree(session: Session, row: BlindAuditRow, *, actor: str, now: datetime) -> None:
    alias_id = session.get_one(AutomaticMatchRow, row.record_id).alias_id
    if alias_id is not None:
        alias_doubts.doubt_used(session, alias_id, AliasReason.BLIND_AUDIT, actor=actor, now=now)
    sentence = (
        f"A blind audit at site {row.site} does not agree with the automatic match of record {row.record_id}. "
        f"Somebody must look at it: “scorebridge blind-audit show {row.id}”."
    )
    notices.leave(session, _DISAGREES, f"blind audit {row.id}", sentence, now=now)


def _row(session: Session, task_id: int) -> BlindAuditRow:
    row = session.get(BlindAuditRow, task_id)
    if row is None:
        raise DecisionRefusedError(f"There is no blind audit {task_id}.", next_step="Reload the list.")
    return row


def _task(session: Session, row: BlindAuditRow) -> BlindAudit:
    record = session.get_one(RecordRow, row.record_id)
    chosen = session.get_one(AutomaticMatchRow, row.record_id).patient_id
    likeliest = [one.patient_id for one in match_of(record.match).candidates[:_SHOWN]]
    return BlindAudit(
        task_id=stored_id(row.id),
        record_id=row.record_id,
        report_id=record.report_id,
        site=row.site,
        assessment=assessment_of(record.as_read),
        candidates=in_its_order(session, stored_id(row.id), [chosen, *likeliest]),
        drawn_at=row.drawn_at,
        state=AuditState(row.state),
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        agrees=row.agrees,
        settled=None if row.settled is None else Settled(row.settled),
    )


def _audit(
    session: Session,
    row: BlindAuditRow,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...],
) -> None:
    detail = (*detail, ("record", str(row.record_id)))
    event = AuditEvent(actor=actor, action=action, object_kind="blind-audit", object_id=str(row.id), detail=detail)
    audit.append(session, event, now=now)
