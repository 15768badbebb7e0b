"""Which answers about self-harm two people must give to one patient."""

from __future__ import annotations

from typing import Final

from records.case import ReviewCase

LIKELY: Final = 0.8


def needs_second(case: ReviewCase, patient_id: str) -> bool:
    """Whether one person's word that it is this patient is not enough.

    It is for a record with an answer about self-harm and a patient who is less than likely by the print as it was
    read: one whom the person found, or who became likely only by what the person typed, rests on one pair of eyes.
    """
    if not case.critical:
        return False
    chosen = next((one for one in case.match.candidates if one.patient_id == patient_id), None)
    if case.is_identity_typed or chosen is None or not chosen.evidence:
        return True
    return chosen.probability < LIKELY
