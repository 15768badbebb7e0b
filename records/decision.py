"""Which patient a print is about, how sure that is, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from records.assessment import SymptomAssessment


class MatchGrade(StrEnum):
    """FHIR match-grade, http://hl7.org/fhir/valueset-match-grade.html."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    CERTAINLY_NOT = "certainly-not"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one identifier says about one candidate: a bar of the waterfall.

    Attributes:
        identifier: "name", "birth_date", "mrn", "sex", "suffix", "middle", "prior", "alternatives".
        level: Comparison level ("exact", "one-edit", "nickname", "missing", …).
        weight: log2 of the likelihood ratio; the weights of a candidate add up to its score exactly.
    """

    identifier: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A roster patient who may be the person on the print.

    Attributes:
        score: log2 odds; the sum of the evidence.
        probability: 0..1; over all candidates and "nobody on the roster" they sum to 1.
        reasons: Codes of what keeps this candidate from being certain; empty if nothing does.
    """

    patient_id: str
    grade: MatchGrade
    probability: float
    score: float
    evidence: tuple[Evidence, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchDecision:
    """The answer to "who is this?".

    Attributes:
        grade: Of the best candidate; certainly-not when there is none.
        patient_id: Best candidate at any grade but certainly-not, else None.
        probability: Of the best candidate, 0 when there is none.
        runner_up: Probability of the second best, 0 when there is none.
        candidates: Best first, at most six; those who come near the best, and three at least where a person decides.
        reasons: Why it is not certain; empty if and only if the grade is certain.
    """

    grade: MatchGrade
    patient_id: str | None
    probability: float
    runner_up: float
    candidates: tuple[Candidate, ...]
    reasons: tuple[str, ...]


class Decision(StrEnum):
    """Where a record goes."""

    CONFIRMED = "confirmed"
    REVIEW = "review"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedRecord:
    """One record with everything needed to hand it over.

    Attributes:
        reasons: Codes, blocking ones first, then notes.
    """

    assessment: SymptomAssessment
    match: MatchDecision
    decision: Decision
    reasons: tuple[str, ...]
