"""Change or take back what a portal was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from records.assessment import SymptomAssessment
from records.audit import AuditEvent
from records.case import CaseState
from records.errors import DecisionRefusedError
from records.submission import DeliveryState, ResultStatus
from store import alerts, amendments, audit, automatic_matches, known, vetoes
from store.amendments import AmendmentKind
from store.confirming import administration, key_of
from store.context import keys_of, stored_id
from store.kept_records import RecordState, record_row, wait_for
from store.queueing import enqueue, enqueue_taking_back, never_left, of_assessment
from store.serialised import assessment_of, assessment_text, encodable
from store.tables import CaseRow, RecordRow, SubmissionRow


def enqueue_correction(
    session: Session,
    record_id: int,
    *,
    assessment: SymptomAssessment,
    actor: str,
    now: datetime,
    destinations: Sequence[str],
) -> int:
    """Give a confirmed record other values, and tell the portals; return the number of submissions.

    Raises:
        DecisionRefusedError: The record is not confirmed or was replaced, the values are the same, or it would become
            another administration (other questionnaire, day or time): that is withdrawn and confirmed anew.
    """
    row = confirmed_row(session, record_id)
    which = administration(assessment, site=row.site, patient_id=row.patient_id or "")
    if which is None or key_of(session, which) != row.assessment_key:
        raise DecisionRefusedError(
            "Another questionnaire, day or time, or no value at all, is no correction.",
            next_step="Withdraw the record and decide it again.",
        )
    digest = known.values_digest(keys_of(session), assessment)
    if digest == row.values_digest:
        raise DecisionRefusedError("The values are the same as before.", next_step="Change a value first.")
    kept = amendments.keep(session, row, AmendmentKind.CORRECTED, reason="", actor=actor, now=now)
    row.assessment, row.values_digest = assessment_text(assessment), digest
    row.revision, row.confirmed_by, row.confirmed_at = row.revision + 1, actor, now
    session.add(row)
    session.flush()
    queued = enqueue(session, row, destinations, now=now)
    amendments.set_queued(session, kept, queued)
    audit_record(session, row, "record.corrected", actor=actor, now=now, detail=(("submissions", str(len(queued))),))
    return len(queued)


def enqueue_withdrawal(
    session: Session,
    record_id: int,
    *,
    reason: str,
    actor: str,
    now: datetime,
    reopen: bool,
    wrong_patient: bool = True,
    to_patient_id: str | None = None,
) -> int:
    """Take a confirmed record back from wherever it is or may be; return the number of withdrawals on their way.

    What has certainly not arrived is cancelled. With `reopen` the record returns to the review queue; what is then sent
    for it waits until the withdrawal has arrived.

    Args:
        wrong_patient: With `reopen`, rule the patient out for this print by a veto, and tell of answers about self-harm
            anew: whoever took them has seen to somebody else.
        to_patient_id: Whose record it is said to be in the same breath, for the trail.

    Raises:
        DecisionRefusedError: The record is not confirmed, or was replaced by a correction: withdraw that one.
    """
    row = confirmed_row(session, record_id)
    kind = AmendmentKind.WITHDRAWN if to_patient_id is None else AmendmentKind.MOVED
    amendments.keep(session, row, kind, reason=reason, actor=actor, now=now, to_patient_id=to_patient_id)
    queued = take_back_everywhere(session, row, now=now)
    chain = [*earlier_records(session, row), row]
    for other in chain:
        other.state = RecordState.WITHDRAWN
        session.add(other)
    automatic_matches.taken_back(session, (stored_id(other.id) for other in chain), now=now)
    if reopen and wrong_patient and row.patient_id is not None:
        vetoes.say(session, site=row.site, fingerprint=row.fingerprint, patient_id=row.patient_id, actor=actor, now=now)
        told = [stored_id(other.id) for other in chain]
        alerts.begin_again_of(session, told, patient_id=row.patient_id, actor=actor, now=now)
    if reopen:
        reopen_record(session, row, because="vetoed" if wrong_patient else "taken-back", note=reason, now=now)
    session.flush()
    detail = (("reason", reason), ("withdrawals", str(queued)), ("reopened", str(reopen)))
    audit_record(session, row, "record.withdrawn", actor=actor, now=now, detail=detail)
    return queued


def confirmed_row(session: Session, record_id: int) -> RecordRow:
    """The row of a record that stands, for changing it.

    Raises:
        DecisionRefusedError: It is not confirmed, or was replaced by a correction.
    """
    row = record_row(session, record_id)
    if row.state != RecordState.CONFIRMED:
        raise DecisionRefusedError(f"Record {record_id} is {row.state}, not confirmed.", next_step="Reload the page.")
    if row.superseded_by is not None:
        raise DecisionRefusedError(
            f"Record {record_id} was replaced by record {row.superseded_by}.", next_step="Change that one."
        )
    return row


def take_back_everywhere(session: Session, row: RecordRow, *, now: datetime) -> int:
    """Cancel what certainly left nothing anywhere, and queue a withdrawal for every other place; how many of those."""
    amendments.close_all(session, stored_id(row.id))
    related = of_assessment(session, row.external_id or "")
    places = dict.fromkeys(other.destination for other in related)
    return sum(
        _take_back(session, row, place, [other for other in related if other.destination == place], now=now)
        for place in places
    )


def earlier_records(session: Session, row: RecordRow) -> list[RecordRow]:
    """The records that this one replaced: one value at the portal, so they are taken back together."""
    query = select(RecordRow).where(
        col(RecordRow.site) == row.site,
        col(RecordRow.external_id) == row.external_id,
        col(RecordRow.state) == RecordState.CONFIRMED,
        col(RecordRow.id) != row.id,
    )
    return list(session.exec(query))


def reopen_record(session: Session, row: RecordRow, *, because: str, note: str, now: datetime) -> None:
    """Put a record that was confirmed back into the review queue, for no patient.

    Args:
        because: Reason code of the case.
        note: As the person gave it.
    """
    row.state = RecordState.REVIEW
    row.patient_id = row.assessment_key = row.external_id = None
    row.occurrence, row.revision, row.corrects = 1, 1, None
    row.confirmed_by = row.confirmed_at = None
    session.add(row)
    critical = any(assessment_of(values).critical is True for values in (row.assessment, row.as_read))
    case = session.exec(select(CaseRow).where(col(CaseRow.record_id) == row.id)).first()
    if case is None:
        number = stored_id(row.id)
        case = CaseRow(
            record_id=number,
            report_id=row.report_id,
            site=row.site,
            version=0,
            state="",
            critical=critical,
            opened_at=now,
        )
    case.state, case.version, case.opened_at, case.note = CaseState.OPEN, case.version + 1, now, encodable(note)
    case.critical = case.critical or critical
    case.closed_at = case.closed_by = case.reject_reason = None
    wait_for(row, case, (because,))
    session.add(case)
    session.flush()


def _take_back(session: Session, row: RecordRow, place: str, rows: list[SubmissionRow], *, now: datetime) -> int:
    for other in rows:
        if never_left(other) and other.status != ResultStatus.ENTERED_IN_ERROR:
            other.state, other.reason = DeliveryState.CANCELLED, "withdrawn"
            session.add(other)
    session.flush()
    told = [other for other in rows if other.state != DeliveryState.CANCELLED]
    if not told:
        return 0
    if told[-1].status == ResultStatus.ENTERED_IN_ERROR and told[-1].state != DeliveryState.DEAD:
        return 0
    enqueue_taking_back(session, row, place, now=now)
    return 1


def audit_record(
    session: Session, row: RecordRow, action: str, *, actor: str, now: datetime, detail: tuple[tuple[str, str], ...]
) -> None:
    """Add an event about a record to the audit trail."""
    event = AuditEvent(actor=actor, action=action, object_kind="record", object_id=str(row.id), detail=detail)
    audit.append(session, event, now=now)
