"""The review queue: records that a person decides, and what the decision does."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from records.assessment import SymptomAssessment
from records.audit import AuditEvent
from records.case import CaseState, RejectReason, ReviewCase
from records.decision import MatchDecision
from records.errors import DecisionRefusedError, StaleCaseError
from store import aliases, audit, case_locks, known, queue_order, roster, second_words, vetoes
from store.confirming import Administration, administration, confirm, key_of
from store.context import keys_of, stored_id
from store.kept_records import RecordState, record_row, wait_for
from store.reports import report_row
from store.serialised import (
    assessment_of,
    assessment_text,
    codes_of,
    encodable,
    match_of,
    match_text,
)
from store.tables import CaseRow, RecordRow, ReportRow


class ApprovedAs(StrEnum):
    """What a record is to an assessment that is known with other values."""

    CONFIRMATION = "confirmation"  # nothing else is known
    CORRECTION = "correction"
    SECOND_ADMINISTRATION = "second-administration"


def list_open(
    session: Session,
    *,
    site: str | None = None,
    sites: Collection[str] | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[ReviewCase]:
    """Open cases of one site, of these, or of all, but for parked ones: critical answers first, then the oldest."""
    return get_many(session, queue_order.waiting_ids(session, sites=_seen(site, sites), limit=limit, offset=offset))


def get_many(session: Session, wanted: Sequence[int]) -> list[ReviewCase]:
    """These cases, which exist, in the order given."""
    query = (
        select(CaseRow, RecordRow, ReportRow)
        .join(RecordRow, col(RecordRow.id) == col(CaseRow.record_id))
        .join(ReportRow, col(ReportRow.id) == col(RecordRow.report_id))
        .where(col(CaseRow.id).in_(wanted))
    )
    found = {case.id: _review_case(case, row, report) for case, row, report in session.exec(query)}
    return [found[case_id] for case_id in wanted]


def count_open(session: Session, *, site: str | None = None, sites: Collection[str] | None = None) -> int:
    """How many cases wait; parked ones do not."""
    return queue_order.count_waiting(session, sites=_seen(site, sites))


def get(session: Session, case_id: int) -> ReviewCase:
    """One case.

    Raises:
        DecisionRefusedError: There is none with this id.
    """
    return _loaded(session, _row(session, case_id))


def of_record(session: Session, record_id: int) -> ReviewCase | None:
    """The case of a record, open or closed, or None if it never needed a person."""
    row = session.exec(select(CaseRow).where(col(CaseRow.record_id) == record_id)).first()
    return None if row is None else _loaded(session, row)


def approve(
    session: Session,
    case_id: int,
    *,
    version: int,
    patient_id: str,
    actor: str,
    now: datetime,
    destinations: Sequence[str],
    corrected: SymptomAssessment | None = None,
    as_: ApprovedAs | str = ApprovedAs.CONFIRMATION,
    hold: timedelta = timedelta(0),
) -> int:
    """Confirm the record for a patient of the site's roster and queue it; return the record's id.

    If the assessment became known with the same values meanwhile, the record becomes a duplicate and nothing is sent.
    What the person says of the patient is learnt in the same transaction: see `store.aliases.teach`.

    Args:
        corrected: The values as the person set them, or None for the case's own.
        as_: Needed when the assessment is known with other values.
        hold: How long nothing is sent, so that the decision can be taken back.

    Raises:
        StaleCaseError: The case is decided, or has changed since `version`.
        DecisionRefusedError: The patient is not on the roster, a value that must be sent is missing, there is
            nothing to correct, or other values are known and `as_` does not say what this is.
    """
    case = _open_row(session, case_id, version=version)
    row = record_row(session, case.record_id)
    patient = roster.patient(session, row.site, patient_id)
    if patient is None:
        raise DecisionRefusedError("The patient is not on the roster of this site.", next_step="Choose another.")
    assessment = assessment_of(row.assessment) if corrected is None else corrected
    which = administration(assessment, site=row.site, patient_id=patient_id)
    if which is None:
        raise DecisionRefusedError(
            "The questionnaire, its day or its result is missing.", next_step="Correct the record first."
        )
    if corrected is not None:
        _set_values(session, row, corrected)
    outcome = confirm_as(
        session, row, which, ApprovedAs(as_), actor=actor, destinations=destinations, now=now, hold=hold
    )
    first = _said_first(session, case_id, patient_id=patient_id, actor=actor)
    disputed = vetoes.withdraw(session, site=row.site, fingerprint=row.fingerprint, patient_id=patient_id)
    _close(session, case, CaseState.APPROVED, actor=actor, now=now)
    detail = (("outcome", outcome), ("record", str(row.id)), ("corrected", str(corrected is not None)))
    _audit(session, case, "case.approved", actor=actor, now=now, detail=(*detail, *first))
    source = report_row(session, row.report_id).source
    aliases.teach(session, row, patient, source=source, disputed=disputed, actor=actor, now=now)
    return stored_id(row.id)


def correct(
    session: Session,
    case_id: int,
    *,
    version: int,
    assessment: SymptomAssessment,
    actor: str,
    now: datetime,
    match: MatchDecision | None = None,
) -> ReviewCase:
    """Keep other values for a case that stays open; its version counts up.

    What was read stays beside it, and what people say of the print goes on to be kept for the print as it was read.

    Args:
        match: Who the record is about now that its identity was corrected, or None where that is as it was.

    What people had said where two must say it is forgotten: they saw other values, or another identity. A record whose
    values ever held an answer about self-harm stays critical.

    Raises:
        StaleCaseError: The case is decided, or has changed since `version`.
    """
    case = _open_row(session, case_id, version=version)
    row = record_row(session, case.record_id)
    found = {finding.code for finding in assessment_of(row.assessment).findings}
    settled = found - {finding.code for finding in assessment.findings}
    _set_values(session, row, assessment)
    if match is not None:
        wait_for(row, case, _reasons_now(row, match, because="identity-corrected", settled=settled))
        row.match = match_text(match)
        session.add(row)
    second_words.withdraw(session, case_id)
    case.critical = case.critical or assessment.critical is True
    case.version += 1
    session.add(case)
    session.flush()
    _audit(session, case, "case.corrected", actor=actor, now=now)
    return _loaded(session, case)


def propose(session: Session, case_id: int, *, version: int, patient_id: str, actor: str, now: datetime) -> ReviewCase:
    """Keep one person's word where two must say it; the case stays open, and its version counts up.

    Raises:
        StaleCaseError: The case is decided, or has changed since `version`.
    """
    case = _open_row(session, case_id, version=version)
    second_words.say(session, case_id, patient_id=patient_id, actor=actor, now=now)
    return _left_to_another(session, case, actor=actor, now=now)


def propose_rejection(
    session: Session, case_id: int, *, version: int, reason: RejectReason, note: str, actor: str, now: datetime
) -> ReviewCase:
    """Keep one person's "reject this row" where two must say it; the case stays open, and its version counts up.

    Raises:
        StaleCaseError: The case is decided, or has changed since `version`.
    """
    case = _open_row(session, case_id, version=version)
    second_words.say_reject(session, case_id, reason=reason, note=encodable(note), actor=actor, now=now)
    return _left_to_another(session, case, actor=actor, now=now, detail=(("reason", reason),))


def match_anew(
    session: Session, case_id: int, match: MatchDecision, *, because: str | None, actor: str, now: datetime
) -> ReviewCase:
    """Keep who a print is about by today's roster; the case's version counts up.

    Args:
        because: Reason code of why it was looked at again, or None.

    Raises:
        StaleCaseError: The case is decided.
    """
    case = _open_row(session, case_id, version=None)
    row = record_row(session, case.record_id)
    wait_for(row, case, _reasons_now(row, match, because=because))
    row.match = match_text(match)
    case.version += 1
    session.add(row)
    session.add(case)
    session.flush()
    _audit(session, case, "case.matched-anew", actor=actor, now=now, detail=(("grade", match.grade),))
    return _loaded(session, case)


def reject(
    session: Session, case_id: int, *, version: int, reason: RejectReason, note: str, actor: str, now: datetime
) -> None:
    """Keep the record out of every portal. The note stays in the store, for it may name a patient.

    Raises:
        StaleCaseError: The case is decided, or has changed since `version`.
    """
    case = _open_row(session, case_id, version=version)
    row = record_row(session, case.record_id)
    row.state = RecordState.REJECTED
    session.add(row)
    case.reject_reason, case.note = reason, encodable(note)
    first = _said_first(session, case_id, patient_id=None, actor=actor)
    _close(session, case, CaseState.REJECTED, actor=actor, now=now)
    _audit(session, case, "case.rejected", actor=actor, now=now, detail=(("reason", reason), *first))


def reopen(session: Session, case_id: int, *, actor: str, now: datetime) -> ReviewCase:
    """Take a rejection back: the case waits for a decision again.

    Raises:
        DecisionRefusedError: The case was not rejected.
    """
    case = _row(session, case_id)
    row = record_row(session, case.record_id)
    if case.state != CaseState.REJECTED or row.state != RecordState.REJECTED:
        raise DecisionRefusedError(f"Case {case_id} was not rejected.", next_step="Reload the list.")
    row.state = RecordState.REVIEW
    case.state, case.version, case.opened_at = CaseState.OPEN, case.version + 1, now
    case.closed_at = case.closed_by = case.reject_reason = None
    session.add(row)
    session.add(case)
    session.flush()
    _audit(session, case, "case.reopened", actor=actor, now=now)
    return _loaded(session, case)


def not_this_patient(session: Session, case_id: int, patient_id: str, *, actor: str, now: datetime) -> ReviewCase:
    """Remember that this print is not that patient: no score will beat it, nor anybody's earlier word.

    The case's version counts up.

    Raises:
        StaleCaseError: The case is decided.
    """
    case = _open_row(session, case_id, version=None)
    row = record_row(session, case.record_id)
    vetoes.say(session, site=row.site, fingerprint=row.fingerprint, patient_id=patient_id, actor=actor, now=now)
    second_words.withdraw(session, case_id, patient_id=patient_id)
    case.version += 1
    session.add(case)
    session.flush()
    _audit(session, case, "case.patient-excluded", actor=actor, now=now)
    return _loaded(session, case)


def confirm_as(
    session: Session,
    row: RecordRow,
    which: Administration,
    as_: ApprovedAs,
    *,
    actor: str,
    destinations: Sequence[str],
    now: datetime,
    hold: timedelta = timedelta(0),
) -> str:
    """Confirm a flushed record as what a person says it is; "duplicate" if its values are known, else `as_`.

    Raises:
        DecisionRefusedError: There is nothing to correct or more than one thing, or other values are known and `as_`
            does not say what this is.
    """
    others = known.standing(session, row.site, key_of(session, which))
    same = next((other for other in others if other.values_digest == row.values_digest), None)
    corrects, occurrence = None, 1
    if as_ is ApprovedAs.SECOND_ADMINISTRATION and others:
        occurrence = max(other.occurrence for other in others) + 1
    elif same is not None:
        row.state, row.duplicate_of = RecordState.DUPLICATE, same.id
        session.add(row)
        session.flush()
        return RecordState.DUPLICATE
    elif as_ is ApprovedAs.CORRECTION:
        if not others:
            raise DecisionRefusedError("There is no earlier value to correct.", next_step="Confirm it as it is.")
        if len(others) > 1:
            raise DecisionRefusedError(
                "Several administrations of that day are known, and this does not say which one it corrects.",
                next_step="Correct the right one with “scorebridge submission correct”, then reject this print.",
            )
        corrects = others[-1]
    elif others:
        raise DecisionRefusedError(
            "This assessment is known with other values.",
            next_step="Say whether this is a correction or a second administration.",
            code="correction",
        )
    confirm(
        session,
        row,
        which,
        confirmed_by=actor,
        destinations=destinations,
        now=now,
        corrects=corrects,
        occurrence=occurrence,
        hold=hold,
    )
    return as_


def _set_values(session: Session, row: RecordRow, assessment: SymptomAssessment) -> None:
    row.assessment = assessment_text(assessment)
    row.values_digest = known.values_digest(keys_of(session), assessment)
    session.add(row)
    session.flush()


def _reasons_now(
    row: RecordRow, match: MatchDecision, *, because: str | None, settled: Collection[str] = ()
) -> tuple[str, ...]:
    """The reasons without those of the match before and those that are settled, with those of the new match."""
    before = match_of(row.match)
    gone = {"patient-below-threshold", *before.reasons, *settled}
    gone.update(code for candidate in before.candidates for code in candidate.reasons)
    kept = [code for code in codes_of(row.reasons) if code not in gone]
    return tuple(dict.fromkeys([*([because] if because else []), *kept, *match.reasons]))


def _said_first(session: Session, case_id: int, *, patient_id: str | None, actor: str) -> tuple[tuple[str, str], ...]:
    """Who else has said the same before, for the audit trail."""
    said = second_words.of_case(session, case_id)
    return tuple(("first-said-by", one.actor) for one in said if one.patient_id == patient_id and one.actor != actor)


def _left_to_another(
    session: Session, case: CaseRow, *, actor: str, now: datetime, detail: tuple[tuple[str, str], ...] = ()
) -> ReviewCase:
    case_locks.release(session, stored_id(case.id), actor=actor)
    case.version += 1
    session.add(case)
    session.flush()
    _audit(session, case, "case.proposed", actor=actor, now=now, detail=detail)
    return _loaded(session, case)


def _close(session: Session, case: CaseRow, state: CaseState, *, actor: str, now: datetime) -> None:
    case.state, case.version, case.closed_at, case.closed_by = state, case.version + 1, now, actor
    case.parked = False
    session.add(case)
    case_locks.close(session, stored_id(case.id))


def _row(session: Session, case_id: int) -> CaseRow:
    row = session.get(CaseRow, case_id)
    if row is None:
        raise DecisionRefusedError(f"There is no case {case_id}.", next_step="Reload the list.")
    return row


def _open_row(session: Session, case_id: int, *, version: int | None) -> CaseRow:
    row = _row(session, case_id)
    if row.state != CaseState.OPEN:
        raise StaleCaseError(f"Case {case_id} is decided already.", next_step="Go on with the next one.")
    if version is not None and row.version != version:
        raise StaleCaseError(f"Case {case_id} has changed since it was shown.", next_step="Look at it again.")
    return row


def _loaded(session: Session, case: CaseRow) -> ReviewCase:
    row = record_row(session, case.record_id)
    return _review_case(case, row, report_row(session, row.report_id))


def _review_case(case: CaseRow, row: RecordRow, report: ReportRow) -> ReviewCase:
    assessment = assessment_of(row.assessment)
    as_read = assessment if row.as_read == row.assessment else assessment_of(row.as_read)
    return ReviewCase(
        case_id=stored_id(case.id),
        version=case.version,
        state=CaseState(case.state),
        site=case.site,
        report_id=row.report_id,
        document_sha256=report.sha256,
        file_name=report.file_name,
        assessment=assessment,
        match=match_of(row.match),
        reasons=codes_of(row.reasons),
        opened_at=case.opened_at,
        critical=case.critical or assessment.critical is True or as_read.critical is True,
        fingerprint=row.fingerprint,
        is_identity_typed=assessment.patient != as_read.patient,
    )


def _seen(site: str | None, sites: Collection[str] | None) -> Collection[str] | None:
    return sites if site is None else [one for one in (site,) if sites is None or one in sites]


def _audit(
    session: Session,
    case: CaseRow,
    action: str,
    *,
    actor: str,
    now: datetime,
    detail: tuple[tuple[str, str], ...] = (),
) -> None:
    event = AuditEvent(actor=actor, action=action, object_kind="case", object_id=str(case.id), detail=detail)
    audit.append(session, event, now=now)
