"""What people found of the program's best candidates: the only thing that calibration learns from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlmodel import Session, col, select

from matching.calibration import Label
from records.case import CaseState
from records.decision import Candidate, MatchDecision
from store import blind_audit
from store.learning_tables import AutomaticMatchRow, BlindAuditRow
from store.serialised import match_of
from store.tables import CaseRow, RecordRow, VetoRow

# Bars that are no evidence of this print: what people said before, and an earlier calibration.
_ADDED: Final = frozenset({"person", "calibration"})


def computed_score(candidate: Candidate) -> float | None:
    """log2 odds of a candidate as computed from its evidence alone; None where a veto decided instead."""
    if any(bar.level == "vetoed" for bar in candidate.evidence):
        return None
    return candidate.score - sum(bar.weight for bar in candidate.evidence if bar.identifier in _ADDED)


def labels(session: Session) -> list[Label]:
    """One label for each reviewed match and each answered blind audit that says something."""
    return [*_reviewed(session), *_audited(session)]


def decided_matches(session: Session, *, limit: int) -> Iterator[MatchDecision]:
    """The matches of the latest records, newest first."""
    query = select(RecordRow.match).order_by(col(RecordRow.id).desc()).limit(limit)
    return (match_of(text) for text in session.exec(query))


def _reviewed(session: Session) -> Iterator[Label]:
    """Of approved cases whether the best candidate was chosen; of other ones only that it was ruled out."""
    said = {(veto.site, veto.fingerprint, veto.patient_id) for veto in session.exec(select(VetoRow))}
    audited = select(BlindAuditRow.record_id).where(col(BlindAuditRow.agrees).is_not(None))
    query = (
        select(CaseRow, RecordRow)
        .join(RecordRow, col(RecordRow.id) == col(CaseRow.record_id))
        .where(col(RecordRow.id).not_in(audited))
        .order_by(col(RecordRow.id))
    )
    for case, record in session.exec(query):
        best = _best(match_of(record.match))
        if best is None:
            continue
        if case.state == CaseState.APPROVED and record.patient_id is not None:
            yield Label(score=best[1], right=best[0] == record.patient_id)
        elif (record.site, record.fingerprint, best[0]) in said:
            yield Label(score=best[1], right=False)


def _audited(session: Session) -> Iterator[Label]:
    query = (
        select(BlindAuditRow, RecordRow)
        .join(AutomaticMatchRow, col(AutomaticMatchRow.record_id) == col(BlindAuditRow.record_id))
        .join(RecordRow, col(RecordRow.id) == col(BlindAuditRow.record_id))
        .where(col(BlindAuditRow.agrees).is_not(None), col(AutomaticMatchRow.alias_id).is_(None))
        .order_by(col(BlindAuditRow.id))
    )
    for row, record in session.exec(query):
        best = _best(match_of(record.match))
        if best is not None and row.share > 0:
            right = row.agrees is True or row.settled == blind_audit.Settled.MATCH_WAS_RIGHT
            yield Label(score=best[1], right=right, weight=1 / row.share)


def _best(match: MatchDecision) -> tuple[str, float] | None:
    if not match.candidates:
        return None
    best = match.candidates[0]
    score = computed_score(best)
    return None if score is None else (best.patient_id, score)
