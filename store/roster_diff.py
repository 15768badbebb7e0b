"""How a new list of patients differs from the one in use, and whether such a difference can be right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Final

from records.errors import RosterError
from records.patient import RosterPatient

FIELDS: Final = tuple(field.name for field in fields(RosterPatient))
"""What is known of a patient, in order."""

IDENTITY: Final = ("family", "given", "birth_date", "mrn")
"""What says who a patient is."""

# Marriages and corrected birth dates come in ones and twos, which in a small clinic are a large share.
_EVERYDAY_CORRECTIONS: Final = 2

FieldValue = str | bool | date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterLimits:
    """How much one import may change; what changes more is taken for a broken export.

    Attributes:
        removed_share: 0..1, the greatest part of the present patients that it may remove, and of the active ones that
            it may make inactive.
        identity_share: 0..1, the greatest part of the patients on both lists whose name, birth date or record number
            it may replace or take away.
    """

    removed_share: float
    identity_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterDiff:
    """A new list against the one in use.

    Attributes:
        present: Patients on the list in use.
        active: Of them, the active ones.
        changed: Each with the values in use first.
        unchanged: How many stay as they are.
    """

    present: int
    active: int
    added: tuple[RosterPatient, ...]
    changed: tuple[tuple[RosterPatient, RosterPatient], ...]
    removed: tuple[RosterPatient, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether both lists say the same."""
        return not (self.added or self.changed or self.removed)

    @property
    def fields(self) -> Mapping[str, int]:
        """Of how many patients each field changes; in the order of the fields, only those that change."""
        counts = Counter(name for before, after in self.changed for name in changed_fields(before, after))
        return {name: counts[name] for name in FIELDS if counts[name]}

    @property
    def reidentified(self) -> int:
        """Of how many patients a known name, birth date or record number becomes another or is gone."""
        return sum(_is_reidentified(before, after) for before, after in self.changed)

    @property
    def deactivated(self) -> int:
        """How many active patients become inactive."""
        return sum(before.active and not after.active for before, after in self.changed)


def difference(present: Mapping[str, RosterPatient], wanted: Mapping[str, RosterPatient]) -> RosterDiff:
    """What makes the list in use into the wanted one; both by patient id."""
    both = sorted(present.keys() & wanted.keys())
    changed = tuple((present[key], wanted[key]) for key in both if present[key] != wanted[key])
    return RosterDiff(
        present=len(present),
        active=sum(patient.active for patient in present.values()),
        added=tuple(wanted[key] for key in sorted(wanted.keys() - present.keys())),
        changed=changed,
        removed=tuple(present[key] for key in sorted(present.keys() - wanted.keys())),
        unchanged=len(both) - len(changed),
    )


def changed_fields(before: RosterPatient, after: RosterPatient) -> tuple[str, ...]:
    """Names of the fields that differ."""
    return tuple(name for name in FIELDS if getattr(before, name) != getattr(after, name))


def refusal(diff: RosterDiff, limits: RosterLimits, *, site: str) -> RosterError | None:
    """Why such a change is not made without a person, or None."""
    gone, both = len(diff.removed), diff.present - len(diff.removed)
    if diff.present and gone / diff.present > limits.removed_share:
        return RosterError(
            f"The new roster of {site} lacks {gone} of {diff.present} patients.",
            next_step="Check the export; if it is right, import it with a greater --max-removed-share.",
        )
    if diff.active and diff.deactivated / diff.active > limits.removed_share:
        return RosterError(
            f"The new roster of {site} makes {diff.deactivated} of {diff.active} active patients inactive.",
            next_step="Check its status column; if it is right, import it with a greater --max-removed-share.",
        )
    if diff.reidentified > max(limits.identity_share * both, _EVERYDAY_CORRECTIONS):
        return RosterError(
            f"The new roster of {site} gives {diff.reidentified} of {both} patients another name, birth date or record "
            "number, or takes it away: a shifted or missing column looks like this.",
            next_step="Look with --preview; if it is right, import it with a greater --max-identity-share.",
        )
    return None


def _is_reidentified(before: RosterPatient, after: RosterPatient) -> bool:
    pairs = ((getattr(before, name), getattr(after, name)) for name in IDENTITY)
    return any(known is not None and _same(known) != _same(said) for known, said in pairs)


def _same(value: FieldValue) -> FieldValue:
    """A value for comparing: an export in capitals names nobody else."""
    return " ".join(value.casefold().split()) if isinstance(value, str) else value


def by_id(patients: Iterable[RosterPatient]) -> dict[str, RosterPatient]:
    """Patients by their ids."""
    return {patient.patient_id: patient for patient in patients}
