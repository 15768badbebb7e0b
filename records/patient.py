"""Who a record says it is about, and whom the clinic knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientIdentity:
    """The person a row is about, as printed. Nothing here says that this person exists.

    Attributes:
        name: The name cell as printed, line breaks as spaces; empty when none is printed.
        family: Family name as printed, without suffix.
        given: Given name as printed, without middle names and title.
        middle: Middle names or initials.
        suffix: Generational suffix ("Jr", "III").
        birth_date: Date of birth, or None if not printed.
        birth_date_other_reading: The other reading of a date whose day and month cannot be told apart.
        mrn: Medical record number as printed, unique within a site only.
        sex: "F", "M", "X" or None.
        phone: As printed, or None.
        clinician: Who treats the patient, as printed, or None.
        visit_date: Day of the visit the report belongs to, or None.
        cut_off: Which of family, given and middle name the print cuts off: only their beginnings are known.
    """

    name: str = ""
    family: str | None = None
    given: str | None = None
    middle: str | None = None
    suffix: str | None = None
    birth_date: date | None = None
    birth_date_other_reading: date | None = None
    mrn: str | None = None
    sex: str | None = None
    phone: str | None = None
    clinician: str | None = None
    visit_date: date | None = None
    cut_off: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPatient:
    """One patient of the clinic's roster.

    Attributes:
        patient_id: The portal's id of the patient; unique over all sites.
        former_family: Family name from before, such as the maiden name; several are separated by semicolons.
        clinician: Who usually treats the patient, or None.
        last_visit: Day of the latest visit, or None.
        active: False for patients the clinic marks inactive, merged or deceased.
        merged_into: `patient_id` of the record that replaced this one, or None.
    """

    patient_id: str
    site: str
    family: str
    given: str
    mrn: str | None = None
    middle: str | None = None
    suffix: str | None = None
    preferred: str | None = None
    former_family: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    phone: str | None = None
    clinician: str | None = None
    last_visit: date | None = None
    active: bool = True
    merged_into: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """The patients of one site at one moment.

    Attributes:
        as_of: When the clinic's list was made or imported, in UTC.
    """

    site: str
    patients: tuple[RosterPatient, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Veto:
    """A person's earlier "not this patient": it beats any score.

    Attributes:
        fingerprint: `matching.normalisation.fingerprint` of the printed identity it was said of.
        patient_id: The roster patient that this print is not.
    """

    fingerprint: str
    patient_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A person's earlier "this print is that patient", replayed while nothing it rests on has changed.

    Attributes:
        fingerprint: `matching.normalisation.fingerprint` of the printed identity it was said of.
        patient_id: The roster patient that this print is.
        roster_fingerprint: `matching.aliases.roster_fingerprint` of that patient when it was said.
        rivals: Patients the person saw beside this one whose odds were at least a twentieth of this one's.
    """

    fingerprint: str
    patient_id: str
    roster_fingerprint: str
    rivals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPolicy:
    """When a match needs no person.

    Attributes:
        threshold: Least probability of a certain match, 0.5 < threshold < 1.
        vetoes: Earlier "not this patient" decisions of this site.
        aliases: Earlier "this print is that patient" decisions that stand for this site and source, by fingerprint.
        calibration: Points (log2 odds as computed, log2 odds as they proved), ascending in both; empty for the
            computed odds as they are.
    """

    threshold: float = 0.999
    vetoes: frozenset[Veto] = field(default_factory=frozenset)
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    calibration: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if not 0.5 < self.threshold < 1:
            raise ValueError("the matching threshold lies between 0.5 and 1")
