"""A printed or known person in the one spelling in which they are compared."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from matching.normalisation import (
    known_birth_date,
    known_name,
    normalise_mrn,
    normalise_phone,
    normalise_sex,
    normalise_suffix,
    split_last_suffix,
    split_suffix,
)
from records.human_name import is_cut_off, split_name
from records.patient import PatientIdentity


class Person(NamedTuple):
    """Normalised identity; an empty text or None says that a field is missing or held a placeholder.

    A tuple, because many are made for every print and a tuple is made fastest.

    Attributes:
        family: Words of the family name, without suffix.
        given: Words of the given name.
        middle: Words or initials of the middle name.
        preferred: What the roster says the person is called; empty for a print.
        former: Family names the roster knows from before; empty for a print.
        suffix: "jr", "sr", "ii", …
        cut_off: Which of family and given name are beginnings only; empty for the roster.
        birth_dates: The birth date, and its other reading where day and month cannot be told apart.
        phone: Digits.
        clinician: Words of the clinician's name, in alphabetical order.
        visit: Day of the visit that is printed, or of the latest that the roster knows.
    """

    family: str = ""
    given: str = ""
    middle: str = ""
    preferred: str = ""
    former: tuple[str, ...] = ()
    suffix: str = ""
    birth_dates: tuple[date, ...] = ()
    mrn: str = ""
    sex: str = ""
    phone: str = ""
    clinician: str = ""
    visit: date | None = None
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
    family_name, family_suffix = split_last_suffix(known_name(family))
    given_name, given_suffix = split_suffix(known_name(given))
    middle_name, middle_suffix = split_last_suffix(known_name(middle))
    return Person(
        family=family_name,
        given=given_name,
        middle=middle_name,
        suffix=(normalise_suffix(suffix) if suffix else "") or family_suffix or given_suffix or middle_suffix,
        birth_dates=tuple(dict.fromkeys(day for day in days if day is not None)),
        mrn=normalise_mrn(identity.mrn),
        sex=normalise_sex(identity.sex),
        phone=normalise_phone(identity.phone),
        clinician=clinician_words(identity.clinician),
        visit=identity.visit_date,
        cut_off=cut_off,
    )


def clinician_words(text: str | None) -> str:
    """The words of a clinician's name of more than one letter, without titles, in alphabetical order."""
    if not text:
        return ""
    parts = split_name(text, order="auto")
    words = " ".join(known_name(part) for part in (parts.family, parts.given) if part).split()
    return " ".join(sorted(word for word in words if len(word) > 1))
