"""Which decisions about answers on self-harm two people must make."""

from __future__ import annotations

from typing import Final

from records.assessment import SymptomAssessment
from records.case import ReviewCase
from records.errors import DecisionRefusedError

LIKELY: Final = 0.8
_TO_THE_QUEUE: Final = "Nothing was saved. Withdraw the record into the review queue, where two people decide it."


def needs_second(case: ReviewCase, patient_id: str) -> bool:
    """Whether one person's word that it is this patient is not enough.

    It is for a record with an answer about self-harm and a patient who is less than likely by the print as it was
    read: one whom the person found, or who became likely only by what the person typed, rests on one pair of eyes.
    It is as well for any patient where somebody has corrected such an answer away.
    """
    if not case.critical:
        return False
    if case.is_answer_gone:
        return True
    chosen = next((one for one in case.match.candidates if one.patient_id == patient_id), None)
    if case.is_identity_typed or chosen is None or not chosen.evidence:
        return True
    return chosen.probability < LIKELY


def needs_second_to_reject(case: ReviewCase) -> bool:
    """Whether one person's word that a row is to be rejected is not enough: an answer about self-harm is lost by it."""
    return case.critical


def refuse_alone(before: SymptomAssessment, after: SymptomAssessment | None) -> None:
    """Refuse what takes an answer about self-harm out of a confirmed record at one person's word.

    Args:
        after: The values that would stand; None if none would.

    Raises:
        DecisionRefusedError: There was such an answer, and there would be none.
    """
    if before.critical and not (after and after.critical):
        raise DecisionRefusedError(
            "Two people must say that an answer about self-harm does not count.",
            next_step=_TO_THE_QUEUE,
            code="two-people",
        )


def refuse_unseconded(case: ReviewCase, patient_id: str) -> None:
    """Refuse one person's word that a confirmed record is this patient's, where it would not do in the queue either.

    Raises:
        DecisionRefusedError: Two people must say it.
    """
    if needs_second(case, patient_id):
        raise DecisionRefusedError(
            "Two people must say whose answer about self-harm this is.", next_step=_TO_THE_QUEUE, code="two-people"
        )
