"""Under what patients are filed and prints are looked up: each key is made of parts that survive some kind of error.

A key is a hash of 32 bits of its kind and its parts. Two keys that fall on one number cost a needless comparison,
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from enum import IntEnum
from itertools import product
from typing import Final
from zlib import crc32

import numpy as np
import numpy.typing as npt

from matching.called_names import called
from matching.name_pool import NameCodes, NamePool, beginning_code, sound_code, whole_code
from matching.normalisation import mrn_core
from matching.person import Person
from matching.roster_columns import Ints, RosterColumns, former_names

Keys = npt.NDArray[np.uint64]  # the hash in the upper half

_FIRST_INT: Final = 0x9E3779B97F4A7C15
_SECOND_INT: Final = 0xC2B2AE3D27D4EB4F
_THIRD_INT: Final = 0x165667B19E3779F9
_LAST_INT: Final = 0xD6E8FEB86659FD93
_UPPER_INT: Final = 0xFFFFFFFF00000000
_WHOLE_INT: Final = 0xFFFFFFFFFFFFFFFF
_FIRST, _SECOND, _THIRD, _LAST, _UPPER = map(np.uint64, (_FIRST_INT, _SECOND_INT, _THIRD_INT, _LAST_INT, _UPPER_INT))
_FEW_DIGITS: Final = 18
_MOST_NEAR: Final = 12  # spellings near a printed name that are looked up besides it


class _Key(IntEnum):
    BIRTH_DATE = 1
    MRN = 2
    NAMES = 3  # both, as spelled
    SOUNDS = 4  # of family and given name
    FAMILY_YEAR = 5
    FAMILY_DAY = 6  # sound of the family name, month and day
    GIVEN_YEAR = 7
    GIVEN_DAY = 8
    BEGINNINGS = 9  # three letters of both names
    FAMILY = 10  # as spelled
    GIVEN = 11
    PHONE = 12


NearNames = Callable[[str], list[str]]  # the names of the roster one slip from a name
_Wanted = tuple[int, int, int]  # kind, first part, second part


def filed_under(columns: RosterColumns, pool: NamePool) -> Keys:
    """The keys of all rows, each with its row in the lower half, unsorted."""
    families = _family_spellings(columns, pool)
    givens = _given_spellings(columns, pool)
    codes = pool.codes  # after the parts of names have joined the pool
    middles = np.where(_long(columns.middle, pool), columns.middle, 0)
    day = columns.birth_date.astype(np.uint64)
    found = [
        _filed(_Key.BIRTH_DATE, day, day, day > 0),
        _filed_numbers(columns),
        _filed(_Key.PHONE, columns.phone.astype(np.uint64), np.zeros_like(day), columns.phone > 0),
        *_pairs(_Key.NAMES, families, givens, codes.whole, codes.whole),
        *_pairs(_Key.SOUNDS, families, [*givens, middles], codes.sound, codes.sound),
        *_pairs(_Key.BEGINNINGS, families, givens, codes.beginning, codes.beginning),
        *_alone(_Key.FAMILY, families, codes),
        *_alone(_Key.GIVEN, [columns.given], codes),
        *_dated(_Key.FAMILY_YEAR, _Key.FAMILY_DAY, families, codes, day),
        *_dated(_Key.GIVEN_YEAR, _Key.GIVEN_DAY, givens, codes, day),
    ]
    return np.concatenate(found)


def sure_keys(printed: Person) -> Keys:
    """Keys of record number, birth date, telephone and both names as spelled: who has none of them is never certain."""
    wanted: list[_Wanted] = [(_Key.BIRTH_DATE, day, day) for day in map(_day, printed.birth_dates)]
    if printed.mrn:
        wanted.append((_Key.MRN, _number_code(mrn_core(printed.mrn)), 0))
    if printed.phone:
        wanted.append((_Key.PHONE, int(printed.phone), 0))
    families, givens = _printed_spellings(printed)
    wanted += _either_way(_Key.NAMES, [whole_code(name) for name in families], [whole_code(name) for name in givens])
    return _hashed(wanted)


def near_keys(printed: Person, near: NearNames) -> Keys:
    """Keys of what is left when both names, or a name and a part of the birth date, are misprinted."""
    families, givens = _printed_spellings(printed)
    days = [_day(day) for day in printed.birth_dates]
    sounds = _near_sounds(families, near), _near_sounds(givens, near)
    wanted = _either_way(_Key.SOUNDS, *sounds)
    beginnings = [[beginning_code(name) for name in names] for names in (families, givens)]
    wanted += _either_way(_Key.BEGINNINGS, *beginnings)
    wanted += [(_Key.BIRTH_DATE, day, day) for day in _swapped(printed.birth_dates)]
    for one, other in (sounds, sounds[::-1]):
        for day in days:
            year, month_day = day // 10_000, day % 10_000
            wanted += [(_Key.FAMILY_YEAR, sound, year) for sound in one]
            wanted += [(_Key.FAMILY_DAY, sound, month_day) for sound in one]
            wanted += [(_Key.GIVEN_YEAR, sound, year) for sound in other]
            wanted += [(_Key.GIVEN_DAY, sound, month_day) for sound in other]
    if not days:  # with a birth date, family name and year find a nickname
        wanted += product((_Key.SOUNDS,), sounds[0], {sound_code(name) for name in called(printed.given)})
    return _hashed(wanted)


def single_keys(printed: Person) -> Keys:
    """Keys of one name alone: all that is left when the other and the birth date are missing or wrong."""
    families, givens = _printed_spellings(printed)
    return _single([*families, *givens])


def near_single_keys(printed: Person, near: NearNames) -> Keys:
    """The same of names one slip from the printed ones."""
    families, givens = _printed_spellings(printed)
    return _single([other for name in (*families[:1], *givens[:1]) for other in near(name)[:_MOST_NEAR]])


def _single(names: Iterable[str]) -> Keys:
    codes = {whole_code(name) for name in names}
    return _hashed([(kind, code, 0) for kind in (_Key.FAMILY, _Key.GIVEN) for code in codes])


def mrn_keys(mrn: str) -> Keys:
    """The key of a normalised record number's digits."""
    return _hashed([(_Key.MRN, _number_code(mrn_core(mrn)), 0)])


def _number_code(core: str) -> int:
    """A number for the digits of a record number: themselves, if they are few."""
    if core.isdecimal() and core.isascii() and len(core) <= _FEW_DIGITS:
        return int(core)
    return crc32(core.encode("utf-8", "surrogatepass"))


def birth_date_keys(day: date) -> Keys:
    """The key of a birth date."""
    return _hashed([(_Key.BIRTH_DATE, _day(day), _day(day))])


def _printed_spellings(printed: Person) -> tuple[list[str], list[str]]:
    # A middle name may be the second half of either name: "Mary Ann", "Garcia Lopez".
    second = printed.middle if len(printed.middle) > 2 else ""
    families = [printed.family, *printed.family.split(), f"{second} {printed.family}" if second else ""]
    givens = [printed.given, *printed.given.split()[:1], f"{printed.given} {second}" if second else ""]
    return _each_once(families), _each_once(givens)


def _each_once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name.strip()))


def _near_sounds(names: Sequence[str], near: NearNames) -> list[int]:
    """How names sound, and the names of the roster that are one slip away."""
    slips = [other for name in names[:2] for other in near(name)[:_MOST_NEAR]]
    return list({sound_code(name) for name in [*names, *slips]})


def _either_way(kind: _Key, firsts: Iterable[int], seconds: Iterable[int]) -> list[_Wanted]:
    """Pairs with the printed columns as they stand and swapped."""
    pairs = list(product(set(firsts), set(seconds)))
    return [(int(kind), *pair) for a, b in pairs for pair in ((a, b), (b, a))]


def _swapped(days: Iterable[date]) -> Iterator[int]:
    for day in days:
        if day.day <= 12:
            yield _day(day.replace(month=day.day, day=day.month))


def _day(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _hashed(wanted: Iterable[_Wanted]) -> Keys:
    """The keys of a print, ascending, each once, with an empty lower half: as `_hash`, which is slower for a few."""
    keys = set()
    for kind, first, second in wanted:
        mixed = (kind * _THIRD_INT + first * _FIRST_INT + second * _SECOND_INT) & _WHOLE_INT
        keys.add(((mixed ^ (mixed >> 29)) * _LAST_INT) & _UPPER_INT)
    return np.array(sorted(keys), dtype=np.uint64)


def _hash(kind: Keys, first: Keys, second: Keys) -> Keys:
    mixed: Keys = kind * _THIRD + first * _FIRST + second * _SECOND
    mixed ^= mixed >> np.uint64(29)
    mixed *= _LAST
    mixed &= _UPPER
    return mixed


def _filed(kind: _Key, first: Keys, second: Keys, rows: npt.NDArray[np.bool_]) -> Keys:
    chosen = np.flatnonzero(rows).astype(np.uint64)
    return _hash(np.array([kind], dtype=np.uint64), first[rows], second[rows]) | chosen


def _filed_numbers(columns: RosterColumns) -> Keys:
    cores = [mrn_core(mrn) for mrn in columns.mrns]
    codes = np.fromiter(map(_number_code, cores), np.uint64, len(cores))
    known = np.fromiter(map(bool, cores), np.bool_, len(cores))
    return _filed(_Key.MRN, codes, np.zeros(len(cores), dtype=np.uint64), known)


def _pairs(
    kind: _Key, families: Sequence[Ints], givens: Sequence[Ints], first: npt.NDArray[np.uint32],
    second: npt.NDArray[np.uint32],
) -> Iterator[Keys]:  # fmt: skip
    for family, given in product(families, givens):
        rows = (family > 0) & (given > 0)
        yield _filed(kind, first[family].astype(np.uint64), second[given].astype(np.uint64), rows)


def _alone(kind: _Key, names: Sequence[Ints], codes: NameCodes) -> Iterator[Keys]:
    for name in names:
        whole = codes.whole[name].astype(np.uint64)
        yield _filed(kind, whole, np.zeros_like(whole), name > 0)


def _dated(year: _Key, month_day: _Key, names: Sequence[Ints], codes: NameCodes, day: Keys) -> Iterator[Keys]:
    myriad = np.uint64(10_000)
    for name in names:
        rows, sound = (name > 0) & (day > 0), codes.sound[name].astype(np.uint64)
        yield _filed(year, sound, day // myriad, rows)
        yield _filed(month_day, sound, day % myriad, rows)


def _family_spellings(columns: RosterColumns, pool: NamePool) -> list[Ints]:
    """The family name, each of its words, and the former ones: ids, 0 where a row has none."""
    return [
        columns.family,
        *_parts_of_names(columns.family, pool, str.split),
        *_parts_of_names(columns.former, pool, former_names, alone=True),
    ]


def _given_spellings(columns: RosterColumns, pool: NamePool) -> list[Ints]:
    return [
        columns.given,
        *_parts_of_names(columns.given, pool, lambda name: name.split()[:1]),
        columns.preferred,
    ]


def _parts_of_names(
    ids: Ints, pool: NamePool, parts: Callable[[str], Sequence[str]], *, alone: bool = False
) -> list[Ints]:
    """Columns of the ids of the parts of names that have several; with `alone`, also of those that have one."""
    borne = {
        at: [pool.add(part) for part in found]
        for at in np.unique(ids).tolist()
        if (found := _several(pool.names[at], parts, alone=alone))
    }
    columns = []
    for place in range(max(map(len, borne.values()), default=0)):
        part_of = np.zeros(len(pool.names), dtype=np.int32)
        for at, several in borne.items():
            part_of[at] = several[place] if place < len(several) else 0
        columns.append(part_of[ids])
    return columns


def _several(name: str, parts: Callable[[str], Sequence[str]], *, alone: bool) -> list[str]:
    found = [*parts(name)]
    return found if alone or found != [name] else []


def _long(ids: Ints, pool: NamePool) -> npt.NDArray[np.bool_]:
    long = np.fromiter((len(name) > 2 for name in pool.names), np.bool_, len(pool.names))
    return long[ids]
