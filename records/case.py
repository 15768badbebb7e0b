"""What waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from records.assessment import SymptomAssessment
from records.decision import MatchDecision


class CaseState(StrEnum):
    """Whether somebody has decided."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"


class RejectReason(StrEnum):
    """Why a person keeps a row out of the portal."""

    NOT_A_PATIENT_ROW = "not-a-patient-row"
    DUPLICATE = "duplicate"
    UNREADABLE = "unreadable"
    WRONG_REPORT = "wrong-report"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCase:
    """A record that a person must decide.

    Attributes:
        case_id: Row id.
        version: Counts up with every change; a decision names the version it was made on.
        report_id: Row id of the report.
        document_sha256: Identity of the printed file.
        file_name: Name of the printed file, for people.
        reasons: Codes of why it waits.
        critical: It holds or held an answer about self-harm: as it was read, unread ones too, or at any time since.
        fingerprint: Of the printed identity, as it was read: what people have said of this print goes by it.
        is_identity_typed: A person has corrected who the print says it is about; the match is of that.
    """

    case_id: int
    version: int
    state: CaseState
    site: str
    report_id: int
    document_sha256: str
    file_name: str
    assessment: SymptomAssessment
    match: MatchDecision
    reasons: tuple[str, ...]
    opened_at: datetime
    critical: bool
    fingerprint: str
    is_identity_typed: bool

    @property
    def is_answer_gone(self) -> bool:
        """Whether people have corrected an answer about self-harm away."""
        return self.critical and not self.assessment.critical
