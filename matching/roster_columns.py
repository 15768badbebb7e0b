"""The patients of a roster as columns: a million of them need no objects."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt

from matching.name_pool import NamePool
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
from matching.person import Person, clinician_words
from records.patient import RosterPatient

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]

_SEXES: Final = ("", "F", "M")
_SUFFIXES: Final = ("", "jr", "sr", "ii", "iii", "iv", "v", "vi")
_BETWEEN_FORMER: Final = ";"
_Value = TypeVar("_Value", bound=Hashable)


def _code(text: str) -> np.uint32:
    return np.uint32(crc32(text.encode("utf-8", "surrogatepass")))


class TextColumn:
    """One text per row, in one piece."""

    __slots__ = ("_codes", "_ends", "_text")

    def __init__(self, texts: Sequence[str]) -> None:
        """A column of these texts."""
        self._text = "".join(texts)
        self._codes: tuple[npt.NDArray[np.uint32], Ints] | None = None
        self._ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))

    def __getitem__(self, row: int) -> str:
        return self._text[int(self._ends[row - 1]) if row else 0 : int(self._ends[row])]

    def __len__(self) -> int:
        return len(self._ends)

    def find(self, text: str) -> list[int]:
        """The rows with this text, ascending; an empty text is not looked for."""
        if not text:
            return []
        if self._codes is None:
            codes = np.fromiter((_code(each) for each in self), dtype=np.uint32, count=len(self))
            order = np.argsort(codes, kind="stable").astype(np.int32)
            self._codes = codes[order], order
        codes, order = self._codes
        start, end = codes.searchsorted(_code(text)), codes.searchsorted(_code(text), side="right")
        return sorted(row for row in order[start:end].tolist() if self[row] == text)

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in self._ends.tolist():
            yield self._text[start:end]
            start = end

    def followed_by(self, more: TextColumn) -> TextColumn:
        """This column with further rows."""
        longer = TextColumn(())
        longer._text = self._text + more._text
        longer._ends = np.concatenate([self._ends, more._ends + len(self._text)])
        return longer


@dataclass(frozen=True, slots=True, eq=False)
class RosterColumns:
    """One row per patient; names are ids of the pool, 0 where there is none.

    Attributes:
        former: Id of the former family names, joined by semicolons.
        birth_date: Day as the number yyyymmdd, 0 where unknown.
        sex: Position in `_SEXES`.
        suffix: Position in `_SUFFIXES`.
        phone: Its last digits as a number, 0 where unknown.
        last_visit: Day as yyyymmdd, 0 where unknown.
        active: Whether the clinic lists the patient as active.
        merged_into: Id of the patient who replaced a row's, for the rows that were merged.
        listed: False for rows whose patient was removed or replaced by a later row.
    """

    patient_ids: TextColumn
    mrns: TextColumn
    family: Ints
    given: Ints
    middle: Ints
    preferred: Ints
    former: Ints
    birth_date: Ints
    sex: Bytes
    suffix: Bytes
    phone: npt.NDArray[np.int64]
    clinician: Ints
    last_visit: Ints
    active: npt.NDArray[np.bool_]
    merged_into: Mapping[int, str]
    listed: npt.NDArray[np.bool_]

    def followed_by(self, others: RosterColumns) -> RosterColumns:
        """These rows and, behind them, others of the same pool."""
        return RosterColumns(
            patient_ids=self.patient_ids.followed_by(others.patient_ids),
            mrns=self.mrns.followed_by(others.mrns),
            family=np.concatenate([self.family, others.family]),
            given=np.concatenate([self.given, others.given]),
            middle=np.concatenate([self.middle, others.middle]),
            preferred=np.concatenate([self.preferred, others.preferred]),
            former=np.concatenate([self.former, others.former]),
            birth_date=np.concatenate([self.birth_date, others.birth_date]),
            sex=np.concatenate([self.sex, others.sex]),
            suffix=np.concatenate([self.suffix, others.suffix]),
            phone=np.concatenate([self.phone, others.phone]),
            clinician=np.concatenate([self.clinician, others.clinician]),
            last_visit=np.concatenate([self.last_visit, others.last_visit]),
            active=np.concatenate([self.active, others.active]),
            merged_into={**self.merged_into, **{len(self.listed) + row: to for row, to in others.merged_into.items()}},
            listed=np.concatenate([self.listed, others.listed]),
        )

    def person(self, row: int, names: Sequence[str]) -> Person:
        """The patient of a row; `names` are those of the pool."""
        day, former, visit = int(self.birth_date[row]), names[self.former[row]], int(self.last_visit[row])
        phone = int(self.phone[row])
        return Person(
            names[self.family[row]],
            names[self.given[row]],
            names[self.middle[row]],
            names[self.preferred[row]],
            former_names(former),
            _SUFFIXES[self.suffix[row]],
            (_day(day),) if day else (),
            self.mrns[row],
            _SEXES[self.sex[row]],
            str(phone) if phone else "",
            names[self.clinician[row]],
            _day(visit) if visit else None,
        )


def former_names(joined: str) -> tuple[str, ...]:
    """The former family names that the pool keeps as one."""
    return tuple(joined.split(_BETWEEN_FORMER)) if joined else ()


def columns_of(patients: Sequence[RosterPatient], pool: NamePool) -> RosterColumns:
    """The columns of these patients; their names are added to the pool."""
    family, family_suffix = _names([patient.family for patient in patients], pool, split_last_suffix)
    given, given_suffix = _names([patient.given for patient in patients], pool, split_suffix)
    middle, middle_suffix = _names([patient.middle for patient in patients], pool, split_last_suffix)
    suffix = _each([patient.suffix for patient in patients], lambda text: _SUFFIXES.index(normalise_suffix(text)))
    for further in (family_suffix, given_suffix, middle_suffix):
        suffix = np.where(suffix > 0, suffix, further)
    return RosterColumns(
        patient_ids=TextColumn([patient.patient_id for patient in patients]),
        mrns=TextColumn([normalise_mrn(patient.mrn) for patient in patients]),
        family=family,
        given=given,
        middle=middle,
        preferred=_each([patient.preferred for patient in patients], lambda text: pool.add(known_name(text))),
        former=_each([patient.former_family for patient in patients], lambda text: pool.add(_former(text))),
        birth_date=_each([patient.birth_date for patient in patients], lambda day: _number(known_birth_date(day))),
        sex=_each([patient.sex for patient in patients], lambda text: _SEXES.index(normalise_sex(text))).astype(
            np.uint8
        ),
        suffix=suffix.astype(np.uint8),
        phone=np.fromiter(
            (int(normalise_phone(patient.phone) or 0) if patient.phone else 0 for patient in patients),
            dtype=np.int64,
            count=len(patients),
        ),
        clinician=_each([patient.clinician for patient in patients], lambda text: pool.add(clinician_words(text))),
        last_visit=_each([patient.last_visit for patient in patients], _number),
        active=np.fromiter((patient.active for patient in patients), dtype=np.bool_, count=len(patients)),
        merged_into={row: patient.merged_into for row, patient in enumerate(patients) if patient.merged_into},
        listed=np.ones(len(patients), dtype=np.bool_),
    )


def _names(texts: Sequence[str | None], pool: NamePool, split: Callable[[str], tuple[str, str]]) -> tuple[Ints, Ints]:
    """Ids of names without their suffixes, and the suffixes."""
    places, different = _places(texts)
    parted = [split(known_name(text)) for text in different]
    ids = np.array([pool.add(name) for name, _ in parted], dtype=np.int32)
    suffixes = np.array([_SUFFIXES.index(suffix) for _, suffix in parted], dtype=np.int32)
    return ids[places], suffixes[places]


def _each(values: Sequence[_Value], number: Callable[[_Value], int]) -> Ints:
    """A number for every value, computed once for equal ones."""
    places, different = _places(values)
    numbers = np.array([number(value) for value in different], dtype=np.int32)
    if len(numbers) == 1:  # a column that the clinic does not fill takes no room
        return np.broadcast_to(numbers, len(places))
    return numbers[places]


class _Places(dict[_Value, int]):
    def __missing__(self, value: _Value) -> int:
        place = self[value] = len(self)
        return place


def _places(values: Sequence[_Value]) -> tuple[Ints, Iterable[_Value]]:
    """For every value its place among the different ones, and these."""
    places: _Places[_Value] = _Places()
    found = np.fromiter(map(places.__getitem__, values), dtype=np.int32, count=len(values))
    return found, places


def _former(text: str | None) -> str:
    names = (known_name(part) for part in (text or "").split(_BETWEEN_FORMER))
    return _BETWEEN_FORMER.join(dict.fromkeys(name for name in names if name))


def _number(day: date | None) -> int:
    return day.year * 10_000 + day.month * 100 + day.day if day else 0


def _day(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


def known_person(patient: RosterPatient) -> Person:
    """One roster patient, normalised."""
    pool = NamePool()
    return columns_of([patient], pool).person(0, pool.names)
