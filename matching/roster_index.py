"""Finds the few roster patients worth comparing with a print, without looking at all of them.

Every patient is filed under several keys, each made of parts that survive some kind of error; a print is looked up
under all of its own. Keys are whole numbers in one sorted array, so a look-up is one binary search and a roster of a
million needs no objects per key. Only a print whose every key is wrong finds nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product
from typing import Final

import jellyfish
import numpy as np
import numpy.typing as npt

from matching.name_comparison import called
from matching.name_frequency import NameFrequency
from matching.normalisation import mrn_core, strip_mrn_zeros
from matching.person import Person, known_person, printed_person
from records.patient import PatientIdentity, Roster, RosterPatient

Rows = npt.NDArray[np.int32]

# A key that this many patients share tells nothing (a day entered by default, a family name in a large clinic).
_CROWDED: Final = 5_000
_NAME_BITS: Final = 28
_KIND_SHIFT: Final = 2 * _NAME_BITS
_FIRST_LETTERS: Final = 3


class _Key:
    """What a key is made of; it fills the topmost bits."""

    BIRTH_DATE: Final = 1
    SOUNDS: Final = 2  # of family and given name
    FAMILY_YEAR: Final = 3
    FAMILY_DAY: Final = 4  # month and day
    GIVEN_YEAR: Final = 5
    GIVEN_DAY: Final = 6
    BEGINNINGS: Final = 7  # of family and given name
    FAMILY_INITIAL: Final = 8  # sound of the family name, first letter of the given name
    MRN: Final = 9


@dataclass(frozen=True, slots=True, eq=False)
class RosterIndex:
    """The roster of one site, ready for `matching.decision.decide`. Build it once per roster, share it freely.

    Attributes:
        patients: The roster's patients; a row is a position in here.
        people: The same patients normalised.
        frequency: How common names and birth dates are among them.
    """

    patients: tuple[RosterPatient, ...]
    people: tuple[Person, ...]
    frequency: NameFrequency
    _keys: npt.NDArray[np.int64]
    _rows: Rows

    @classmethod
    def build(cls, roster: Roster) -> RosterIndex:
        """File every patient. Takes seconds for a hundred thousand; the order of the roster does not matter."""
        patients = tuple(sorted(roster.patients, key=lambda patient: patient.patient_id))
        people = tuple(known_person(patient) for patient in patients)
        keys: list[int] = []
        counts: list[int] = []
        for person in people:
            filed = set(_roster_keys(person))
            keys.extend(filed)
            counts.append(len(filed))
        unsorted = np.array(keys, dtype=np.int64)
        rows = np.repeat(np.arange(len(people), dtype=np.int32), np.array(counts, dtype=np.int64))
        order = np.argsort(unsorted, kind="stable")
        return cls(patients, people, NameFrequency.of(people), unsorted[order], rows[order])

    def candidates(self, identity: PatientIdentity) -> Rows:
        """Rows of the patients who share at least one key with the print, ascending, each once."""
        printed = printed_person(identity)
        return np.union1d(self.nearest(printed), self.near(printed))

    def sure(self, printed: Person) -> Rows:
        """Rows of the candidates with the record number's digits or the birth date of the print."""
        return self._filed_under(_sure_keys(printed))

    def nearest(self, printed: Person) -> Rows:
        """Rows of the candidates who share a key that few patients share: whoever can be certain is among them."""
        return self._filed_under(_sharp_keys(printed))

    def near(self, printed: Person) -> Rows:
        """Rows of the candidates who share one name and a part of the birth date, or a nickname."""
        return self._filed_under(_blunt_keys(printed))

    def born_on(self, day: date) -> Rows:
        """Rows of the patients born on this day."""
        return self._filed_under([_pack(_Key.BIRTH_DATE, day.toordinal())])

    def with_mrn(self, mrn: str) -> tuple[int, ...]:
        """Rows of the patients whose normalised record number this is, but for padding zeros."""
        if not mrn:
            return ()
        bare = strip_mrn_zeros(mrn)
        found = self._filed_under([_mrn_key(mrn)])
        return tuple(int(row) for row in found if strip_mrn_zeros(self.people[row].mrn) == bare)

    def with_mrn_digits(self, mrn: str) -> tuple[int, ...]:
        """Rows of the patients whose record number has the same digits, whatever letters stand around them."""
        if not mrn:
            return ()
        core = mrn_core(mrn)
        return tuple(int(row) for row in self._filed_under([_mrn_key(mrn)]) if mrn_core(self.people[row].mrn) == core)

    def _filed_under(self, keys: Iterable[int]) -> Rows:
        wanted = np.fromiter(set(keys), dtype=np.int64)
        starts = np.searchsorted(self._keys, wanted, side="left")
        ends = np.searchsorted(self._keys, wanted, side="right")
        slices = [
            self._rows[start:end]
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
            if 0 < end - start <= _CROWDED
        ]
        return np.unique(np.concatenate(slices)) if slices else np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class _Codes:
    """Numbers of the spellings a name may be printed with: how each sounds, begins, and its first letter."""

    sounds: tuple[int, ...]
    beginnings: tuple[int, ...]
    initials: tuple[int, ...]


@lru_cache(maxsize=262_144)
def _codes(*names: str) -> _Codes:
    spellings = {name.replace(" ", "") for name in names} - {""}
    return _Codes(
        tuple({_sound(name) for name in spellings}),
        tuple({_code(name[:_FIRST_LETTERS]) for name in spellings}),
        tuple({_code(name[0]) for name in spellings}),
    )


def _roster_keys(person: Person) -> list[int]:
    """Under what a patient is filed: each of the names it may be printed with."""
    families = _codes(person.family, *person.family.split(), person.former)
    middle = person.middle if len(person.middle) > 2 else ""
    givens = _codes(person.given, *person.given.split()[:1], person.preferred, middle)
    keys = _name_keys(families, givens)
    keys += _pairs(_Key.FAMILY_INITIAL, families.sounds, givens.initials)
    keys += _dated_keys(person.birth_dates, families, givens)
    return keys + _sure_keys(person)


def _sharp_keys(printed: Person) -> list[int]:
    """Under what a print is looked up first: keys that few share, with columns as they stand and swapped."""
    families, givens = _printed_codes(printed)
    keys = _sure_keys(printed) + _name_keys(families, givens) + _name_keys(givens, families)
    keys += [_pack(_Key.BIRTH_DATE, day.toordinal()) for day in _swapped(printed.birth_dates)]
    if len(printed.given) == 1:
        keys += _pairs(_Key.FAMILY_INITIAL, families.sounds, givens.initials)
    return keys


def _blunt_keys(printed: Person) -> list[int]:
    """Under what a print is looked up besides: one name and part of the birth date, or a name somebody is called."""
    families, givens = _printed_codes(printed)
    keys = _dated_keys(printed.birth_dates, families, givens) + _dated_keys(printed.birth_dates, givens, families)
    if not printed.birth_dates:  # with a birth date, family name and year find a nickname
        keys += _pairs(_Key.SOUNDS, families.sounds, [_sound(name) for name in called(printed.given)])
    return keys


def _printed_codes(printed: Person) -> tuple[_Codes, _Codes]:
    # A middle name may be the second half of either name: "Mary Ann", "Garcia Lopez".
    second = len(printed.middle) > 2
    family_second = printed.middle + printed.family if second else ""
    given_second = printed.given + printed.middle if second else ""
    families = _codes(printed.family, *printed.family.split(), family_second)
    return families, _codes(printed.given, *printed.given.split()[:1], given_second)


def _sure_keys(person: Person) -> list[int]:
    keys = [_pack(_Key.BIRTH_DATE, day.toordinal()) for day in person.birth_dates]
    return [*keys, _mrn_key(person.mrn)] if person.mrn else keys


def _name_keys(families: _Codes, givens: _Codes) -> list[int]:
    keys = _pairs(_Key.SOUNDS, families.sounds, givens.sounds)
    return keys + _pairs(_Key.BEGINNINGS, families.beginnings, givens.beginnings)


def _dated_keys(days: Iterable[date], families: _Codes, givens: _Codes) -> list[int]:
    keys: list[int] = []
    for day in days:
        month_day = day.month * 100 + day.day
        for sound in families.sounds:
            keys += (_pack(_Key.FAMILY_YEAR, sound, day.year), _pack(_Key.FAMILY_DAY, sound, month_day))
        for sound in givens.sounds:
            keys += (_pack(_Key.GIVEN_YEAR, sound, day.year), _pack(_Key.GIVEN_DAY, sound, month_day))
    return keys


def _pairs(kind: int, firsts: Iterable[int], seconds: Iterable[int]) -> list[int]:
    return [_pack(kind, first, second) for first, second in product(firsts, seconds)]


def _swapped(days: Iterable[date]) -> Iterator[date]:
    for day in days:
        if day.day <= 12:
            yield day.replace(month=day.day, day=day.month)


@lru_cache(maxsize=262_144)
def _sound(name: str) -> int:
    """A number for how a Latin name sounds; other scripts count by their beginning."""
    sound = jellyfish.soundex(name) if name.isascii() and name[:1].isalpha() else name[:_FIRST_LETTERS]
    return _code(sound)


@lru_cache(maxsize=262_144)
def _code(text: str) -> int:
    """A number of `_NAME_BITS` bits, the same in every process."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest) >> (32 - _NAME_BITS)


def _mrn_key(mrn: str) -> int:
    digest = hashlib.blake2b(mrn_core(mrn).encode("utf-8", "surrogatepass"), digest_size=7).digest()
    return (_Key.MRN << _KIND_SHIFT) | int.from_bytes(digest)


def _pack(kind: int, first: int, second: int = 0) -> int:
    return (kind << _KIND_SHIFT) | (first << _NAME_BITS) | second
