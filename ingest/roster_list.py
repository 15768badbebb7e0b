"""A list of patients made consistent, whatever it came from, and what is odd about it in words without values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from matching.normalisation import normalise_mrn
from records.patient import Roster, RosterPatient

_NAMED_PLACES: Final = 5

Remark = tuple[int, str]
"""The number of a line or entry, and what is odd about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterListing:
    """A roster as its source gives it, ready to be imported.

    Attributes:
        source: File name or address.
        warnings: What is odd, without values; such a patient is left out, lacks the field, or waits for a person.
    """

    roster: Roster
    source: str
    warnings: tuple[str, ...]


def settled(
    patients: Sequence[RosterPatient], places: Mapping[str, int], *, place: str
) -> tuple[tuple[RosterPatient, ...], list[Remark]]:
    """The patients with merged ones inactive and led to the record that replaced them, and what is odd about them.

    Args:
        patients: `merged_into` may name a patient id or a record number of the list, perhaps one merged itself.
        places: Patient id to the number of its line or entry.
        place: What such a number counts: "line" or "entry".
    """
    remarks: list[Remark] = []
    named = _replacements(patients)
    active = {patient.patient_id: patient.active and patient.patient_id not in named for patient in patients}
    made = tuple(
        _led_on(patient, named, active, remarks, places[patient.patient_id])
        if patient.patient_id in named
        else replace(patient, merged_into=None) if patient.merged_into else patient
        for patient in patients
    )  # fmt: skip
    return made, remarks + _shared_numbers(made, places, place)


def told(remarks: Iterable[Remark], *, place: str) -> tuple[str, ...]:
    """Remarks as sentences, those of one kind together: "lines 12, 80 and 3 more: the birth date is no date"."""
    kinds: dict[str, list[int]] = {}
    for number, what in remarks:
        kinds.setdefault(what, []).append(number)
    return tuple(f"{_places(numbers, place)}: {what}" for what, numbers in kinds.items())


def _places(numbers: list[int], place: str) -> str:
    if len(numbers) == 1:
        return f"{place} {numbers[0]}"
    plural = "entries" if place == "entry" else f"{place}s"
    more = f" and {len(numbers) - _NAMED_PLACES} more" if len(numbers) > _NAMED_PLACES else ""
    return f"{plural} {', '.join(map(str, numbers[:_NAMED_PLACES]))}{more}"


def _replacements(patients: Sequence[RosterPatient]) -> dict[str, str]:
    """Merged patient to what replaced it: a patient id where there is one, or one is the only one with that number."""
    if not any(patient.merged_into for patient in patients):
        return {}
    ids = {patient.patient_id for patient in patients}
    holders = Counter(patient.mrn for patient in patients if patient.mrn)
    by_number = {p.mrn: p.patient_id for p in patients if p.mrn is not None and holders[p.mrn] == 1}
    found = {}
    for patient in patients:
        said = patient.merged_into
        into = said if said is None or said in ids else by_number.get(said, said)
        if into is not None and into != patient.patient_id:  # a survivor may name itself
            found[patient.patient_id] = into
    return found


def _led_on(
    patient: RosterPatient,
    named: Mapping[str, str],
    active: Mapping[str, bool],
    remarks: list[Remark],
    at: int,
) -> RosterPatient:
    seen = [patient.patient_id]
    while (following := named.get(seen[-1])) is not None:
        if following in seen:
            remarks.append((at, "its merging goes in a circle; it leads nowhere"))
            return replace(patient, active=False, merged_into=None)
        seen.append(following)
    if seen[-1] not in active:
        remarks.append((at, "the record it was merged into is not listed; its prints wait for a person"))
    elif not active[seen[-1]]:
        remarks.append((at, "the record it was merged into is inactive; its prints wait for a person"))
    elif len(seen) > 2:
        remarks.append((at, "the record it was merged into was merged itself; it is led on to the last one"))
    return replace(patient, active=False, merged_into=seen[-1])


def _shared_numbers(patients: Iterable[RosterPatient], places: Mapping[str, int], place: str) -> list[Remark]:
    numbered = [(normalise_mrn(patient.mrn), patient) for patient in patients if patient.active and patient.mrn]
    counts = Counter(mrn for mrn, _ in numbered if mrn)
    first: dict[str, int] = {}
    remarks: list[Remark] = []
    for mrn, patient in numbered:
        if counts[mrn] < 2:
            continue
        at = places[patient.patient_id]
        if mrn in first:
            remarks.append((at, f"another active patient, {place} {first[mrn]}, has the same record number"))
        else:
            first[mrn] = at
    return remarks
