"""Hand a read report over: every printed record into exactly one place, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from records.assessment import SymptomAssessment
from records.audit import AuditEvent
from records.case import CaseState
from records.decision import DecidedRecord, Decision
from records.errors import StoreError
from records.finding import Finding
from store import alias_doubts, aliases, audit, automatic_matches, known, roster, vetoes
from store.confirming import Administration, administration, confirm, key_of
from store.context import keys_of, stored_id
from store.kept_records import RecordState, wait_for
from store.reports import ReportState, report_row
from store.serialised import assessment_text, codes_text, findings_text, match_text
from store.tables import AlertRow, CaseRow, RecordRow, ReportRow, SubmissionRow

SERVICE: Final = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordToStore:
    """A decided record and what the pipeline looked up for it.

    Attributes:
        fingerprint: `matching.normalisation.fingerprint` of the printed identity.
        repeats: Row id of the record it duplicates or corrects, or None.
        by_alias: Its match is certain only because a person said so of the same print before.
    """

    decided: DecidedRecord
    fingerprint: str
    repeats: int | None = None
    by_alias: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOutcome:
    """Everything reading and deciding one report gave.

    Attributes:
        template: "id@revision", or None if none fits.
        pages: Number of pages; 0 for CSV.
        no_score: Rows that say they have no score.
        findings: About the file or a page.
        records: In printed order.
        destinations: Ids of the destinations that confirmed records go to.
        day: The site's local day whose balance the report belongs to.
    """

    template: str | None
    pages: int
    no_score: int
    findings: tuple[Finding, ...]
    records: tuple[RecordToStore, ...]
    destinations: tuple[str, ...]
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """What became of a report.

    Attributes:
        records: Row ids of its records, in printed order.
        submissions: Messages put into the outbox.
        cases: Records that wait for a person.
        duplicates: Records known already.
    """

    records: tuple[int, ...]
    submissions: int
    cases: int
    duplicates: int


def hand_over(session: Session, report_id: int, outcome: ReadOutcome, *, now: datetime) -> HandedOver:
    """Keep all records of a report, with their submissions, review cases and audit events, and close the report.

    What was decided on older knowledge is looked at again here, where nobody else can write: a confirmed record that
    became known meanwhile turns into a duplicate (same values) or a case (other values, or taken back by a person), and
    a duplicate of nothing that stands turns into a case. So does a record whose patient was ruled out for this print
    meanwhile, or whose alias no longer stands. A report handed over before stays as it is.

    Raises:
        StoreError: The report is in quarantine or a duplicate, or holds a value that cannot be stored; nothing is kept.
    """
    report = report_row(session, report_id)
    if report.state == ReportState.HANDED_OVER:
        return _handed_over(session, report_id)
    if report.state not in (ReportState.WAITING, ReportState.READING):
        raise StoreError(f"Report {report_id} is {report.state} and takes no records.")
    rows = [_row(session, report, position, record, day=outcome.day) for position, record in enumerate(outcome.records)]
    session.add_all(rows)
    session.flush()
    for row, record in zip(rows, outcome.records, strict=True):
        _settle(session, row, record, source=report.source, destinations=outcome.destinations, now=now)
    _close(session, report, outcome, rows)
    _link_alerts(session, report_id, rows)
    handed = _handed_over(session, report_id)
    audit.append_many(session, tuple(_events(report_id, rows, handed)), now=now)
    return handed


def _row(session: Session, report: ReportRow, position: int, record: RecordToStore, *, day: date) -> RecordRow:
    keys, assessment = keys_of(session), record.decided.assessment
    text, digest = assessment_text(assessment), known.values_digest(keys_of(session), assessment)
    return RecordRow(
        report_id=stored_id(report.id),
        site=report.site,
        position=position,
        day=day,
        state=RecordState.REVIEW,
        fingerprint=record.fingerprint,
        printed_key=known.printed_key(keys, report.site, assessment, fingerprint=record.fingerprint),
        values_digest=digest,
        read_digest=digest,
        assessment=text,
        as_read=text,
        match=match_text(record.decided.match),
        reasons=codes_text(record.decided.reasons),
    )


def _settle(
    session: Session,
    row: RecordRow,
    record: RecordToStore,
    *,
    source: str,
    destinations: tuple[str, ...],
    now: datetime,
) -> None:
    decided = record.decided
    if "alias-suspended" in decided.match.reasons:
        _suspend_alias(session, row, source=source, now=now)
    which = None
    if decided.match.patient_id is not None:
        which = administration(decided.assessment, site=row.site, patient_id=decided.match.patient_id)
    match decided.decision:
        case Decision.REJECTED:
            row.state = RecordState.REJECTED
        case Decision.DUPLICATE:
            twin = _twin(session, row, which, repeats=record.repeats)
            if twin is None:
                _to_review(session, row, record, "duplicate", now=now)
            else:
                row.state, row.duplicate_of = RecordState.DUPLICATE, twin
        case Decision.CONFIRMED if which is not None:
            _confirm_if_new(session, row, record, which, source=source, destinations=destinations, now=now)
        case _:
            _to_review(session, row, record, None, now=now)
    session.add(row)
    session.flush()


def _suspend_alias(session: Session, row: RecordRow, *, source: str, now: datetime) -> None:
    alias_doubts.suspend_met(
        session,
        lambda patient_id: roster.patient(session, row.site, patient_id),
        site=row.site,
        source=source,
        fingerprint=row.fingerprint,
        now=now,
    )


def _confirm_if_new(
    session: Session,
    row: RecordRow,
    record: RecordToStore,
    which: Administration,
    *,
    source: str,
    destinations: tuple[str, ...],
    now: datetime,
) -> None:
    key = key_of(session, which)
    standing = known.standing(session, row.site, key)
    same = next((other for other in standing if row.values_digest in known.digests(other)), None)
    if same is not None:
        row.state, row.duplicate_of = RecordState.DUPLICATE, same.id
    elif standing:
        _to_review(session, row, record, "correction", now=now)
    elif known.was_refused(session, row.site, printed=row.printed_key, assessment=key, digest=row.values_digest):
        _to_review(session, row, record, "rejected-before", now=now)
    elif vetoes.stands(session, site=row.site, fingerprint=row.fingerprint, patient_id=which.patient_id):
        _to_review(session, row, record, "vetoed", now=now)
    else:
        _confirm(session, row, record, which, source=source, destinations=destinations, now=now)


def _confirm(
    session: Session,
    row: RecordRow,
    record: RecordToStore,
    which: Administration,
    *,
    source: str,
    destinations: tuple[str, ...],
    now: datetime,
) -> None:
    alias_id = None
    if record.by_alias:
        patient = roster.patient(session, row.site, which.patient_id)
        alias_id = aliases.confirm_by(session, row, patient, source=source, now=now)
        if alias_id is None:
            _to_review(session, row, record, "alias-suspended", now=now)
            return
    confirm(session, row, which, confirmed_by=SERVICE, destinations=destinations, now=now)
    automatic_matches.keep(session, row, alias_id=alias_id, now=now)


def _twin(session: Session, row: RecordRow, which: Administration | None, *, repeats: int | None) -> int | None:
    """The record that really carries these values, still stands or waits, and so lets this one be a duplicate."""
    keys = [col(RecordRow.printed_key) == row.printed_key]
    if which is not None:
        keys.append(col(RecordRow.assessment_key) == key_of(session, which))
    if repeats is not None:
        keys.append(col(RecordRow.id) == repeats)
    query = select(RecordRow.id).where(
        col(RecordRow.site) == row.site,
        or_(*keys),
        or_(col(RecordRow.report_id) != row.report_id, col(RecordRow.position) < row.position),
        or_(col(RecordRow.values_digest) == row.values_digest, col(RecordRow.read_digest) == row.values_digest),
        col(RecordRow.state).in_((RecordState.CONFIRMED, RecordState.REVIEW)),
    )
    named_first = (col(RecordRow.id) != (repeats or 0), col(RecordRow.id))
    return session.exec(query.order_by(*named_first).limit(1)).first()


def _to_review(session: Session, row: RecordRow, record: RecordToStore, reason: str | None, *, now: datetime) -> None:
    reasons = record.decided.reasons
    if reason is not None and reason not in reasons:
        reasons = (reason, *reasons)
    case = CaseRow(
        record_id=stored_id(row.id),
        report_id=row.report_id,
        site=row.site,
        state=CaseState.OPEN,
        critical=_is_critical(record.decided.assessment, reasons),
        opened_at=now,
    )
    row.state = RecordState.REVIEW
    wait_for(row, case, reasons)
    session.add(case)


def _is_critical(assessment: SymptomAssessment, reasons: Iterable[str]) -> bool:
    return assessment.critical is True or "critical-unreadable" in reasons


def _close(session: Session, report: ReportRow, outcome: ReadOutcome, rows: list[RecordRow]) -> None:
    blocking = tuple(dict.fromkeys(finding.code for finding in outcome.findings if finding.blocking))
    nothing = not rows and not outcome.no_score
    report.attention = nothing or _is_overlooked(outcome, rows)
    report.reasons = codes_text(blocking or (("no-records",) if nothing else ()))
    report.state, report.lease_until, report.day = ReportState.HANDED_OVER, None, outcome.day
    report.template, report.pages, report.no_score = outcome.template, outcome.pages, outcome.no_score
    report.findings, report.printed = findings_text(outcome.findings), len(rows)
    session.add(report)
    session.flush()


def _is_overlooked(outcome: ReadOutcome, rows: list[RecordRow]) -> bool:
    """Whether something is wrong that no case shows: it must be on somebody's screen, else on the report itself.

    A page that gave no records has no case, whatever waits of the other pages.
    """
    shown = {
        record.decided.assessment.page
        for row, record in zip(rows, outcome.records, strict=True)
        if row.state == RecordState.REVIEW
    }
    wrong = [finding for finding in outcome.findings if finding.blocking]
    return any(not shown if f.region is None or None in shown else f.region.page not in shown for f in wrong)


def _link_alerts(session: Session, report_id: int, rows: list[RecordRow]) -> None:
    by_position = {row.position: row.id for row in rows}
    for alert in session.exec(select(AlertRow).where(col(AlertRow.report_id) == report_id)):
        alert.record_id = by_position.get(alert.position)
        session.add(alert)


def _handed_over(session: Session, report_id: int) -> HandedOver:
    rows = session.exec(
        select(RecordRow.id, RecordRow.state)
        .where(col(RecordRow.report_id) == report_id)
        .order_by(col(RecordRow.position))
    ).all()
    ours = col(RecordRow.report_id) == report_id
    submissions = session.exec(select(func.count()).select_from(SubmissionRow).join(RecordRow).where(ours)).one()
    cases = session.exec(select(func.count()).select_from(CaseRow).join(RecordRow).where(ours)).one()
    return HandedOver(
        records=tuple(stored_id(record_id) for record_id, _ in rows),
        submissions=submissions,
        cases=cases,
        duplicates=sum(state == RecordState.DUPLICATE for _, state in rows),
    )


def _events(report_id: int, rows: list[RecordRow], handed: HandedOver) -> Iterable[AuditEvent]:
    counts = {"records": len(rows), "submissions": handed.submissions, "cases": handed.cases}
    yield AuditEvent(
        actor=SERVICE,
        action="report.handed-over",
        object_kind="report",
        object_id=str(report_id),
        detail=tuple((name, str(count)) for name, count in counts.items()),
    )
    event = AuditEvent(actor=SERVICE, action="", object_kind="record", object_id="")
    for row in rows:
        twin = () if row.duplicate_of is None else (("duplicate-of", str(row.duplicate_of)),)
        detail = (("report", str(report_id)), *twin)
        action = "record.sent-to-review" if row.state == RecordState.REVIEW else f"record.{row.state}"
        yield replace(event, action=action, object_id=str(row.id), detail=detail)
