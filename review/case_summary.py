"""Everything a screen or a terminal shows about one case."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from parsers.instrument_library import load_instruments
from records.assessment import SymptomAssessment
from records.case import CaseState, ReviewCase
from records.decision import Candidate, Evidence
from records.finding import sentence
from records.instrument import Instrument
from records.patient import PatientIdentity, Roster, RosterPatient
from review.correction import is_about_values
from review.evidence_words import FieldEvidence, Mark, from_comparison, from_match

_SHOWN: Final = 3
_PRESELECT_FROM: Final = 0.8
_RUNNER_UP_BELOW: Final = 0.2
# Where two people can be taken for each other, no key press may choose one of them by default.
_NEVER_PRESELECT: Final = frozenset({"twin", "namesake", "near-second", "vetoed", "patient-inactive", "test-patient"})
_MIX_UPS: Final = frozenset({"twin", "namesake"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a case waits.

    Attributes:
        code: Reason code.
        sentence: The same for people.
        detail: More from the stage that found it, or empty; may hold patient data.
    """

    code: str
    sentence: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateSummary:
    """A patient the print may be about.

    Attributes:
        name: "SURNAME, Given Middle Suffix".
        other_names: Called name and former family name, or empty.
        birth_date: None if the roster has none; the same for the other fields of the roster.
        on_roster: False if the patient left the roster after the match.
        found: True if a person found the patient; then there is no probability.
        ruled_out: A person has said that this print is not this patient.
        probability: 0..1, or None.
        evidence: By identifier.
        bars: The sum behind the probability, in log2; empty for a found patient.
        reasons: Sentences about what keeps this candidate from being certain.
    """

    patient_id: str
    name: str
    other_names: str
    birth_date: date | None
    mrn: str | None
    sex: str | None
    phone: str | None
    clinician: str | None
    last_visit: date | None
    active: bool
    on_roster: bool
    found: bool
    ruled_out: bool
    probability: float | None
    evidence: dict[str, FieldEvidence]
    bars: tuple[Evidence, ...]
    reasons: tuple[str, ...]

    @property
    def likelihood(self) -> str:
        """The probability in one word, with the grades of the match behind it."""
        if self.probability is None:
            return "Found by you"
        words = ((0.95, "Very likely"), (0.8, "Likely"), (0.3, "Possible"))
        return next((word for floor, word in words if self.probability >= floor), "Unlikely")

    @property
    def differing(self) -> tuple[str, ...]:
        """Identifiers that differ."""
        return tuple(field for field, found in self.evidence.items() if found.mark is Mark.DIFFERENT)

    @property
    def is_doubtful(self) -> bool:
        """Whether approving this patient needs a second look."""
        return bool(self.differing) or self.ruled_out or not self.active


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """One case.

    Attributes:
        reasons: Why it waits, in the order of the pipeline.
        patient: Who the print says it is about.
        instrument_title: Full name of the instrument, or None if it is unknown.
        severity_of_total: Band the total belongs to by the library, or None where that cannot be said.
        candidates: At most three, best first; then those that a person found.
        preselected: Patient id, or None: a person must choose.
        shares_identity: Two patients share name or birth date: compare every identifier.
        is_correction: The assessment is known with other values.
    """

    case: ReviewCase
    reasons: tuple[Reason, ...]
    instrument_title: str | None
    severity_of_total: str | None
    candidates: tuple[CandidateSummary, ...]
    preselected: str | None
    shares_identity: bool
    is_correction: bool

    @property
    def assessment(self) -> SymptomAssessment:
        """The record as it stands now."""
        return self.case.assessment

    @property
    def patient(self) -> PatientIdentity:
        """Who the print says it is about."""
        return self.case.assessment.patient

    @property
    def opened_at(self) -> datetime:
        """Since when it waits."""
        return self.case.opened_at

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self.case.state is CaseState.OPEN

    def candidate(self, patient_id: str) -> CandidateSummary | None:
        """The candidate with this id, or None."""
        return next((candidate for candidate in self.candidates if candidate.patient_id == patient_id), None)


def case_summary(
    case: ReviewCase,
    roster: Roster | None,
    *,
    found: Iterable[RosterPatient] = (),
    ruled_out: Collection[str] = (),
) -> CaseSummary:
    """What is shown of a case.

    Args:
        case: The case.
        roster: Patients of the case's site (the candidates suffice), or None if there is no roster.
        found: Patients whom a person found by search, offered after the candidates.
        ruled_out: Patients of whom a person has said that this print is not about them.
    """
    known = {patient.patient_id: patient for patient in roster.patients} if roster else {}
    shown = [_candidate(one, known.get(one.patient_id), ruled_out) for one in case.match.candidates[:_SHOWN]]
    proposed = {candidate.patient_id for candidate in shown}
    shown += [_found(case, patient, ruled_out) for patient in found if patient.patient_id not in proposed]
    instrument = load_instruments().get(case.assessment.instrument or "")
    return CaseSummary(
        case=case,
        reasons=_reasons(case),
        instrument_title=instrument.title if instrument else None,
        severity_of_total=_severity(case.assessment, instrument),
        candidates=tuple(shown),
        preselected=_preselected(case, shown),
        shares_identity=bool(_codes(case) & _MIX_UPS),
        is_correction="correction" in case.reasons,
    )


def display_name(patient: RosterPatient) -> str:
    """ "SURNAME, Given Middle Suffix", as in a patient banner."""
    given = " ".join(part for part in (patient.given, patient.middle, patient.suffix) if part)
    return f"{patient.family.upper()}, {given}" if given else patient.family.upper()


def reason_sentence(code: str) -> str:
    """The sentence of a code; a code that this version does not know is shown as it is."""
    try:
        return sentence(code)
    except ValueError:
        return f"A reason this version has no words for: {code}."


def _codes(case: ReviewCase) -> frozenset[str]:
    first = case.match.candidates[:1]
    return frozenset(case.reasons) | frozenset(case.match.reasons) | frozenset(c for one in first for c in one.reasons)


def _reasons(case: ReviewCase) -> tuple[Reason, ...]:
    """The reasons of the case as it stands: those that a correction has settled are gone, new ones are there."""
    details = {finding.code: finding.detail for finding in case.assessment.findings if finding.detail}
    raised = {finding.code for finding in case.assessment.findings}
    standing = [code for code in case.reasons if code in raised or not is_about_values(code)]
    standing += [finding.code for finding in case.assessment.findings if finding.blocking]
    return tuple(
        Reason(code=code, sentence=reason_sentence(code), detail=details.get(code, ""))
        for code in dict.fromkeys(standing)
    )


def _severity(assessment: SymptomAssessment, instrument: Instrument | None) -> str | None:
    if instrument is None or assessment.total is None:
        return None
    band = instrument.band(assessment.total)
    return band.label if band else None


def _candidate(candidate: Candidate, patient: RosterPatient | None, ruled_out: Collection[str]) -> CandidateSummary:
    return CandidateSummary(
        patient_id=candidate.patient_id,
        name=display_name(patient) if patient else "No longer on the roster",
        other_names=_other_names(patient) if patient else "",
        birth_date=patient.birth_date if patient else None,
        mrn=patient.mrn if patient else None,
        sex=patient.sex if patient else None,
        phone=patient.phone if patient else None,
        clinician=patient.clinician if patient else None,
        last_visit=patient.last_visit if patient else None,
        active=patient.active if patient else False,
        on_roster=patient is not None,
        found=False,
        ruled_out=candidate.patient_id in ruled_out or "vetoed" in candidate.reasons,
        probability=candidate.probability,
        evidence=from_match(candidate.evidence),
        bars=candidate.evidence,
        reasons=tuple(reason_sentence(code) for code in candidate.reasons),
    )


def _found(case: ReviewCase, patient: RosterPatient, ruled_out: Collection[str]) -> CandidateSummary:
    return CandidateSummary(
        patient_id=patient.patient_id,
        name=display_name(patient),
        other_names=_other_names(patient),
        birth_date=patient.birth_date,
        mrn=patient.mrn,
        sex=patient.sex,
        phone=patient.phone,
        clinician=patient.clinician,
        last_visit=patient.last_visit,
        active=patient.active,
        on_roster=True,
        found=True,
        ruled_out=patient.patient_id in ruled_out,
        probability=None,
        evidence=from_comparison(case.assessment.patient, patient),
        bars=(),
        reasons=(),
    )


def _other_names(patient: RosterPatient) -> str:
    names = []
    if patient.preferred:
        names.append(f"called {patient.preferred}")
    if patient.former_family:
        names.append(f"formerly {patient.former_family.upper()}")
    return ", ".join(names)


def _preselected(case: ReviewCase, shown: list[CandidateSummary]) -> str | None:
    if not shown or shown[0].found or shown[0].ruled_out or not (shown[0].on_roster and shown[0].active):
        return None
    sure = case.match.probability >= _PRESELECT_FROM and case.match.runner_up < _RUNNER_UP_BELOW
    if not sure or case.match.patient_id != shown[0].patient_id or _codes(case) & _NEVER_PRESELECT:
        return None
    return shown[0].patient_id
