"""The gates of an automatic confirmation, all in one place. Pure: what it needs to know is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from records.assessment import SymptomAssessment
from records.decision import DecidedRecord, Decision, MatchDecision, MatchGrade
from records.finding import Finding


class Known(Enum):
    """What is known of an assessment from earlier prints."""

    NEW = "new"
    SAME_VALUES = "the same values"
    OTHER_VALUES = "other values"


def decide_record(
    assessment: SymptomAssessment,
    match: MatchDecision,
    *,
    file_findings: Sequence[Finding],
    known: Known,
    also: Sequence[str] = (),
) -> DecidedRecord:
    """Confirm a record if every gate passes; otherwise leave it to a person, with every reason.

    Args:
        assessment: The record as read, with its own findings.
        match: Who it is about.
        file_findings: Findings about the file or its pages; those with a place concern the records of that page.
        known: What earlier prints said about the same assessment.
        also: Reason codes of the shell: a template on hold, a stale roster.
    """
    own = [*assessment.findings, *findings_for(assessment, file_findings)]
    blocking = [finding.code for finding in own if finding.blocking]
    notes = [finding.code for finding in own if not finding.blocking]
    if known is Known.SAME_VALUES:
        return _decided(assessment, match, Decision.DUPLICATE, ["duplicate", *blocking, *notes])
    reasons = [*also, *blocking, *match.reasons]
    if match.grade is not MatchGrade.CERTAIN and not match.reasons:
        reasons.append("patient-below-threshold")
    if known is Known.OTHER_VALUES:
        reasons.append("correction")
    decision = Decision.REVIEW if reasons else Decision.CONFIRMED
    return _decided(assessment, match, decision, [*reasons, *notes])


def findings_for(assessment: SymptomAssessment, file_findings: Sequence[Finding]) -> list[Finding]:
    """The findings about a file that concern one of its records."""
    return [
        finding
        for finding in file_findings
        if finding.region is None or assessment.page is None or finding.region.page == assessment.page
    ]


def _decided(
    assessment: SymptomAssessment, match: MatchDecision, decision: Decision, reasons: list[str]
) -> DecidedRecord:
    return DecidedRecord(assessment=assessment, match=match, decision=decision, reasons=tuple(dict.fromkeys(reasons)))
