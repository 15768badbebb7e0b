"""A printed or known person in the one spelling in which they are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from matching.normalisation import (
    known_birth_date,
    known_name,
    normalise_mrn,
    normalise_sex,
    normalise_suffix,
    split_suffix,
)
from records.human_name import is_cut_off, split_name
from records.patient import PatientIdentity, RosterPatient


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Normalised identity; an empty text or None says that a field is missing or held a placeholder.

    Attributes:
        family: Words of the family name, without suffix.
        given: Words of the given name.
        middle: Words or initials of the middle name.
        preferred: What the roster says the person is called; empty for a print.
        former: A family name the roster knows from before; empty for a print.
        suffix: "jr", "sr", "ii", …
        cut_off: Which of family and given name are beginnings only; empty for the roster.
        birth_dates: The birth date, and its other reading where day and month cannot be told apart.
    """

    family: str
    given: str
    middle: str
    preferred: str
    former: str
    suffix: str
    birth_dates: tuple[date, ...]
    mrn: str
    sex: str
    cut_off: tuple[str, ...] = ()


def printed_person(identity: PatientIdentity) -> Person:
    """The person of a print. A name that was not taken apart is taken apart here."""
    family, given, middle, suffix = identity.family, identity.given, identity.middle, identity.suffix
    cut_off = identity.cut_off
    if family is None and given is None and identity.name:
        parts = split_name(identity.name, order="auto")
        family, given, cut_off = parts.family, parts.given, parts.cut_off
        middle, suffix = middle or parts.middle, suffix or parts.suffix
    named = (("family", family), ("given", given), ("middle", middle))
    cut_off = tuple(part for part, text in named if part in cut_off or is_cut_off(text or ""))
    if middle and "middle" in cut_off:  # its last word supports no more than an initial does
        *whole, last = middle.split()
        middle = " ".join([*whole, last[:1]])
    days = (known_birth_date(identity.birth_date), known_birth_date(identity.birth_date_other_reading))
    return _person(
        family=family, given=given, middle=middle, suffix=suffix, preferred=None, former=None,
        birth_dates=tuple(dict.fromkeys(day for day in days if day is not None)), mrn=identity.mrn, sex=identity.sex,
        cut_off=cut_off,
    )  # fmt: skip


def known_person(patient: RosterPatient) -> Person:
    """The person of a roster row."""
    day = known_birth_date(patient.birth_date)
    return _person(
        family=patient.family, given=patient.given, middle=patient.middle, suffix=patient.suffix,
        preferred=patient.preferred, former=patient.former_family,
        birth_dates=(day,) if day else (), mrn=patient.mrn, sex=patient.sex,
    )  # fmt: skip


def _person(
    *, family: str | None, given: str | None, middle: str | None, suffix: str | None, preferred: str | None,
    former: str | None, birth_dates: tuple[date, ...], mrn: str | None, sex: str | None, cut_off: tuple[str, ...] = (),
) -> Person:  # fmt: skip
    family_name, family_suffix = split_suffix(known_name(family))
    given_name, given_suffix = split_suffix(known_name(given))
    return Person(
        family=family_name,
        given=given_name,
        middle=split_suffix(known_name(middle))[0] if middle else "",
        preferred=known_name(preferred) if preferred else "",
        former=known_name(former) if former else "",
        suffix=(normalise_suffix(suffix) if suffix else "") or family_suffix or given_suffix,
        birth_dates=birth_dates,
        mrn=normalise_mrn(mrn),
        sex=normalise_sex(sex),
        cut_off=cut_off,
    )
