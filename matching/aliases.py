"""A person's earlier "this print is that patient", and when it may be said again without asking.

It is never said of a bare name: two identifiers must be printed. It holds while the patient is as they were, and while
nobody whom the person did not see comes near: twenty times less likely than the patient at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from math import log2
from typing import Final

from matching.normalisation import strip_mrn_zeros
from matching.person import Person
from matching.roster_columns import known_person
from records.patient import Alias, RosterPatient

RIVAL_BITS: Final = log2(20)
_VERSION: Final = "2"
_IDENTIFIERS: Final = 2


def roster_fingerprint(patient: RosterPatient) -> str:
    """Hexadecimal SHA-256 over what identifies a roster patient, normalised; whoever changes in it is looked at anew.

    A phone number, a clinician or a visit may change without that. A digest is still patient data.
    """
    return fingerprint_of(known_person(patient))


def fingerprint_of(patient: Person) -> str:
    """The same of a patient who is normalised already."""
    fields = (
        _VERSION, patient.family, patient.given, patient.middle, patient.suffix, *patient.former,
        *(day.isoformat() for day in patient.birth_dates), strip_mrn_zeros(patient.mrn), patient.sex,
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(fields).encode("utf-8", "surrogatepass")).hexdigest()


def holds(alias: Alias, *, printed: Person, patient: Person, odds: Mapping[str, float]) -> bool:
    """Whether an alias of this print may confirm its patient.

    Args:
        alias: Its fingerprint is the print's.
        printed: The print.
        patient: The alias's patient as the roster has them now.
        odds: log2 of the chance of every candidate by patient id, the alias's patient among them.
    """
    if fingerprint_of(patient) != alias.roster_fingerprint or _identifiers(printed) < _IDENTIFIERS:
        return False
    least = odds[alias.patient_id] - RIVAL_BITS
    near = {patient_id for patient_id, chance in odds.items() if chance >= least}
    return near <= alias.rivals | {alias.patient_id}


def _identifiers(printed: Person) -> int:
    """How many independent identifiers are printed: first and last name together are one."""
    named = len(printed.family) > 1 and len(printed.given) > 1
    return sum((named, len(printed.birth_dates) == 1, bool(printed.mrn)))
