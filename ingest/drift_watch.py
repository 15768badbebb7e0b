"""Hold a template whose reports no longer look as usual, in the transaction that hands the report over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from parsers.drift import changes
from records.assessment import ReportReading
from records.audit import AuditEvent
from records.decision import Decision, MatchGrade
from records.layout import LayoutChange, LayoutSignature, Rate
from store import audit, notices, reports, roster, signatures
from store import templates as template_states
from store.database import Session
from store.handover import SERVICE, RecordToStore
from store.reports import ReportState, StoredReport
from store.templates import TemplateState

_log = structlog.get_logger()

HELD: Final = "template-held"
_NO_ROSTER: Final = frozenset({"roster-missing", "roster-stale"})
_TOLD: Final = 5


def watch(
    session: Session, report: StoredReport, reading: ReportReading, records: Sequence[RecordToStore], *, now: datetime
) -> tuple[RecordToStore, ...]:
    """Compare a reading with what is usual, and keep what it looked like; the records, held back where they must be.

    A template that is live is put on hold if anything that matters has changed, and its author told. Records that were
    decided on before another report put the template on hold are held back as well.
    """
    if reading.signature is None or reports.get(session, report.report_id).state is ReportState.HANDED_OVER:
        return tuple(records)
    signature = _with_unmatched(_quotable(session, reading.signature, report.site), records)
    found = changes(signature, signatures.usual(session, signature.template, site=report.site))
    signatures.keep(session, report.report_id, signature, site=report.site, changes=found, now=now)
    holding = tuple(change for change in found if change.holds)
    template_id, _, revision = signature.template.partition("@")
    key = (template_id, int(revision))
    state = template_states.states(session).get(key, TemplateState.DRAFT)
    if holding:
        notices.leave(
            session, signatures.DRIFTED, signature.template, _told(report, signature, holding, state), now=now
        )
        _audit(session, report, signature, holding, now=now)
        if state is TemplateState.LIVE:
            template_states.set_state(session, *key, TemplateState.HELD, actor=SERVICE, now=now)
            state = TemplateState.HELD
            _log.warning("template.held", template=signature.template, report_id=report.report_id, count=len(holding))
    return tuple(map(_held_back, records)) if state is TemplateState.HELD else tuple(records)


def leave_unknown(session: Session, report: StoredReport, why: str, *, now: datetime) -> None:
    """Tell of a report that no template could be chosen for: the nearest may have drifted away from its anchors."""
    told = f"Report {report.report_id} of {report.site} waits as a whole. {why}"
    notices.leave(session, reports.UNKNOWN_LAYOUT, f"report {report.report_id}", told, now=now)


def _quotable(session: Session, signature: LayoutSignature, site: str) -> LayoutSignature:
    """The signature without words that are in a patient's name: what changed is told outside the house.

    A table without its header gave no names to compare with; where there is no roster either, nothing is quoted.
    """
    if not any(stranger.printed for stranger in signature.strangers):
        return signature
    listed = roster.current(session, site)
    if listed is None and not signature.headless:
        return signature
    names = {
        word
        for patient in (listed.patients if listed else ())
        for part in (patient.family, patient.given, patient.middle, patient.preferred, patient.former_family)
        for word in _words(part or "")
    }
    quoted = tuple(
        replace(stranger, printed="") if listed is None or names & _words(stranger.printed) else stranger
        for stranger in signature.strangers
    )
    return replace(signature, strangers=quoted)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{2,}", text.casefold()))


def _with_unmatched(signature: LayoutSignature, records: Sequence[RecordToStore]) -> LayoutSignature:
    """The signature with the share of records whose patient is not certain; without a usable roster there is none."""
    decided = [record.decided for record in records if not _NO_ROSTER & set(record.decided.reasons)]
    if not decided:
        return signature
    unmatched = sum(record.match.grade is not MatchGrade.CERTAIN for record in decided)
    return replace(signature, rates=(*signature.rates, Rate(name="unmatched", hits=unmatched, of=len(decided))))


def _held_back(record: RecordToStore) -> RecordToStore:
    decided = record.decided
    if decided.decision not in (Decision.CONFIRMED, Decision.REVIEW) or HELD in decided.reasons:
        return record
    held = replace(decided, decision=Decision.REVIEW, reasons=(HELD, *decided.reasons))
    return replace(record, decided=held)


def _told(
    report: StoredReport, signature: LayoutSignature, holding: Sequence[LayoutChange], state: TemplateState
) -> str:
    sentences = [change.sentence for change in holding[:_TOLD]]
    more = len(holding) - len(sentences)
    rest = [f"{more} more changes."] if more else []
    held = "is on hold" if state in (TemplateState.LIVE, TemplateState.HELD) else "looks different"
    told = " ".join([*sentences, *rest])
    return f"Template {signature.template} {held}: report {report.report_id} of {report.site} is not as usual. {told}"


def _audit(
    session: Session,
    report: StoredReport,
    signature: LayoutSignature,
    holding: Sequence[LayoutChange],
    *,
    now: datetime,
) -> None:
    kinds = ",".join(sorted({change.kind.value for change in holding}))
    event = AuditEvent(
        actor=SERVICE,
        action="template.drifted",
        object_kind="template",
        object_id=signature.template,
        detail=(("report", str(report.report_id)), ("changes", kinds)),
    )
    audit.append(session, event, now=now)
