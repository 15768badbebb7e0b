"""Which of many candidates are worth a full comparison: those that share enough with the print at a glance.

A glance is a sum of the bits that names, birth date and record number are good for at best. Whoever is far behind the
best at a glance adds nothing that a probability would show. The cut depends on the sums alone, so neither the order of
the roster nor its size decides who is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA, JaroWinkler
from rapidfuzz.process import cdist

from matching.called_names import called
from matching.name_pool import NamePool
from matching.person import Person
from matching.roster_columns import Ints, RosterColumns

Rows = npt.NDArray[np.int32]
_Bits = npt.NDArray[np.float32]

_FEW: Final = 3  # comparing these costs less than a glance at them
_BEHIND: Final = 14.0  # bits behind the best at a glance
_MOST: Final = 4
_MOST_ALIKE: Final = 64
_EQUAL_NAME: Final = 8.0
_NEAR_NAME: Final = 5.0
_PER_SLIP: Final = 1.0
_INITIAL: Final = 3.0
_OTHER_NAME: Final = -5.0
_SIMILAR: Final = 0.86  # Jaro-Winkler, below what a comparison calls similar
_EQUAL_DAY: Final = 14.0
_SWAPPED_DAY: Final = 8.0
_TWO_PARTS: Final = 4.0
_OTHER_DAY: Final = -6.0
_EQUAL_MRN: Final = 20.0


def shortlist(rows: Rows, printed: Person, columns: RosterColumns, pool: NamePool, *, numbered: Sequence[int]) -> Rows:
    """The rows that deserve a comparison with the print.

    Args:
        rows: Candidates.
        printed: The print.
        columns: The roster.
        pool: Its names.
        numbered: Rows whose record number has the printed digits.
    """
    if len(rows) <= 1:
        return rows
    obvious = _obvious(rows, printed, columns, pool, numbered)
    if obvious is not None and len(obvious) <= _MOST_ALIKE:
        return obvious
    if len(rows) <= _FEW:
        return rows
    bits = _names_at_a_glance(rows, printed, columns, pool) + _days_at_a_glance(rows, printed, columns)
    has_number = np.isin(rows, numbered)
    bits[has_number] += _EQUAL_MRN
    cut = bits.max() - _BEHIND
    if len(bits) > _MOST:
        cut = max(cut, float(np.partition(bits, -_MOST)[-_MOST]))
    chosen: Rows = rows[(bits >= cut) | has_number]
    if len(chosen) <= _MOST_ALIKE:
        return chosen
    # So many alike are all near each other: a person decides, and the ids settle whom they see.
    first = sorted(chosen.tolist(), key=columns.patient_ids.__getitem__)[:_MOST_ALIKE]
    return np.array(sorted(first), dtype=np.int32)


def _obvious(
    rows: Rows, printed: Person, columns: RosterColumns, pool: NamePool, numbered: Sequence[int]
) -> Rows | None:
    """The rows that share the sound of a name or the number with the print, if one has both names and the birth date.

    Whoever shares the birth date alone is then out of the question. None if there is no such row.
    """
    family, given = pool.find(printed.family), pool.find(printed.given)
    if not family or not given or len(printed.birth_dates) != 1:
        return None
    day = printed.birth_dates[0]
    same_family, same_given = columns.family[rows] == family, columns.given[rows] == given
    born = columns.birth_date[rows] == day.year * 10_000 + day.month * 100 + day.day
    if not (same_family & same_given & born).any():
        return None
    sounds = pool.codes.sound
    like = (sounds[columns.family[rows]] == sounds[family]) | (sounds[columns.given[rows]] == sounds[given])
    former, preferred = columns.former[rows], columns.preferred[rows]
    by_other_name = (
        (sounds[former] == sounds[family]) | pool.codes.several[former] | (sounds[preferred] == sounds[given])
    )
    related = like | by_other_name | np.isin(rows, numbered)
    chosen: Rows = rows[related]
    return chosen


def _names_at_a_glance(rows: Rows, printed: Person, columns: RosterColumns, pool: NamePool) -> _Bits:
    families, givens = [columns.family[rows]], [columns.given[rows]]
    for further, borne in ((columns.former[rows], families), (columns.preferred[rows], givens)):
        if further.any():
            borne.append(further)
    ids = np.unique(np.concatenate([*families, *givens]))
    alike_family, alike_given = _alike(printed, ids, pool)

    def best(alike: _Bits, borne: Sequence[Ints]) -> _Bits:
        most: _Bits = np.maximum.reduce([alike[ids.searchsorted(name)] for name in borne])
        return most

    straight = best(alike_family, families) + best(alike_given, givens)
    swapped = best(alike_family, givens) + best(alike_given, families)
    both: _Bits = np.maximum(straight, swapped)
    return both


def _alike(printed: Person, ids: Ints, pool: NamePool) -> tuple[_Bits, _Bits]:
    """How much the printed family and given name share with each of these names."""
    names = [pool.names[at] for at in ids.tolist()]
    ours = [printed.family, printed.given]
    distances = cdist(ours, names, scorer=OSA.distance, score_cutoff=2, dtype=np.uint8)
    likeness = cdist(ours, names, scorer=JaroWinkler.similarity, dtype=np.float32)
    near = (distances <= 2) | (likeness >= _SIMILAR)
    # The likeness itself only parts those who would be alike at a glance.
    bits: _Bits = np.where(near, _NEAR_NAME + _PER_SLIP * (1.0 - np.minimum(distances, 2)), _OTHER_NAME) + likeness
    bits = bits.astype(np.float32)
    bits[distances == 0] = _EQUAL_NAME
    initials, several = pool.codes.initial[ids], pool.codes.several[ids]
    for which, our in enumerate(ours):
        if not our:
            bits[which] = 0.0
            continue
        # Only names that begin alike, and those of several words, can share what no distance shows.
        unlike = np.flatnonzero(~near[which] & ((initials == ord(our[0])) | several)).tolist()
        for place in unlike:
            bits[which, place] = max(bits[which, place], _by_letters(our, names[place]))
    related = called(printed.given)
    for place, name in enumerate(names) if related else ():
        if name in related:
            bits[1, place] = max(bits[1, place], _NEAR_NAME)
    bits[:, ids == 0] = _OTHER_NAME  # an absent former or preferred name is no likeness
    return bits[0], bits[1]


def _by_letters(our: str, name: str) -> float:
    if our[0] == name[0]:
        if 1 in (len(name), len(our)):
            return _INITIAL
        if name.startswith(our) or our.startswith(name):
            return _NEAR_NAME
    shared = not set(our.split()).isdisjoint(name.replace(";", " ").split())
    return _NEAR_NAME if shared else _OTHER_NAME


def _days_at_a_glance(rows: Rows, printed: Person, columns: RosterColumns) -> _Bits:
    known = columns.birth_date[rows]
    bits = np.zeros(len(rows), dtype=np.float32)
    if not printed.birth_dates:
        return bits
    bits[known > 0] = _OTHER_DAY
    for day in printed.birth_dates:
        whole = day.year * 10_000 + day.month * 100 + day.day
        equal = (known // 10_000 == day.year).astype(np.int8)
        equal += known // 100 % 100 == day.month
        equal += known % 100 == day.day
        bits[(equal == 2)] = np.maximum(bits[equal == 2], _TWO_PARTS)
        if day.day <= 12:
            bits[known == day.year * 10_000 + day.day * 100 + day.month] = _SWAPPED_DAY
        bits[known == whole] = _EQUAL_DAY
    return bits
