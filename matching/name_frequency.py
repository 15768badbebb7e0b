"""How common each name is at a clinic: two Andersons are a coincidence, two Abernathys hardly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from matching.called_names import called
from matching.given_names import GIVEN_NAMES
from matching.name_pool import NamePool
from matching.roster_columns import Ints, RosterColumns, former_names

# A roster says little about names it lacks: it counts as much as this many further people with average names.
_PRIOR_PEOPLE: Final = 50
_AVERAGE_GIVEN: Final = 1 / 300
_AVERAGE_FAMILY: Final = 1 / 2000
# More than this many times the share of one day in the year, and 1 January is not a birthday.
_TOO_MANY: Final = 3
_ENOUGH_ON_A_DAY: Final = 10
_CROWD: Final = 20
_BIRTH_DAYS: Final = 29_200  # days in eighty years


@dataclass(frozen=True, slots=True, eq=False)
class NameFrequency:
    """Counts over the people of one roster; a name counts however its words are spaced.

    Attributes:
        people: How many there are.
    """

    people: int
    _given: dict[str, int]
    _family: dict[str, int]
    _crowded_days: dict[int, int]
    _new_years_children: int

    @classmethod
    def of(cls, columns: RosterColumns, pool: NamePool) -> NameFrequency:
        """Count given names (preferred ones too), family names (each half and former ones too) and birth dates."""
        listed = columns.listed
        people = int(listed.sum())
        given = _counts(pool, columns.given[listed], columns.preferred[listed])
        for first in {name.split()[0] for name, _ in _borne(pool, columns.given[listed])}:
            given.setdefault(first, 0)  # a spelling of somebody, though nobody's whole name
        family: dict[str, int] = {}
        for name, count in _borne(pool, columns.family[listed]):
            for spelling in {_compact(name), *name.split()}:
                family[spelling] = family.get(spelling, 0) + count
        for name, count in _borne(pool, columns.former[listed]):
            for spelling in {_compact(part) for part in former_names(name)}:
                family[spelling] = family.get(spelling, 0) + count
        days, counts = np.unique(columns.birth_date[listed], return_counts=True)
        crowd = max(3, 4 * people / _BIRTH_DAYS)
        crowded = {int(day): int(count) for day, count in zip(days, counts, strict=True) if day and count > crowd}
        first_of_january = int((columns.birth_date[listed] % 10_000 == 101).sum())
        return cls(people, given, family, crowded, first_of_january)

    def given_count(self, name: str) -> int:
        """How many people bear this given name, or are called by it."""
        return self._given.get(_compact(name), 0)

    def family_count(self, name: str) -> int:
        """How many people bear this family name, as one of several too, or bore it."""
        return self._family.get(_compact(name), 0)

    def is_borne(self, name: str) -> bool:
        """Whether somebody bears this name, or it is one of somebody's names."""
        compact = _compact(name)
        return compact in self._given or compact in self._family

    def given_share(self, name: str) -> float:
        """Probability that somebody else bears this given name."""
        return (self.given_count(name) + _PRIOR_PEOPLE * _AVERAGE_GIVEN) / (self.people + _PRIOR_PEOPLE)

    def family_share(self, name: str) -> float:
        """Probability that somebody else bears this family name."""
        return (self.family_count(name) + _PRIOR_PEOPLE * _AVERAGE_FAMILY) / (self.people + _PRIOR_PEOPLE)

    def birth_date_share(self, day: date) -> float:
        """Probability that somebody else has this birth date; higher for days that a clinic enters by default."""
        count = self._crowded_days.get(day.year * 10_000 + day.month * 100 + day.day)
        return (
            1 / _BIRTH_DAYS if count is None else (count + _PRIOR_PEOPLE / _BIRTH_DAYS) / (self.people + _PRIOR_PEOPLE)
        )

    def is_default_day(self, day: date) -> bool:
        """Whether so many are born on this day that it must stand for "unknown": 1 January, or any other.

        Refugees and others without papers are given 1 January of their year.
        """
        usual = max(_ENOUGH_ON_A_DAY, _TOO_MANY * self.people / 365)
        if (day.month, day.day) == (1, 1) and self._new_years_children > usual:
            return True
        count = self._crowded_days.get(day.year * 10_000 + day.month * 100 + day.day, 0)
        return count > max(_ENOUGH_ON_A_DAY, _CROWD * self.people / _BIRTH_DAYS)

    def is_given_name(self, name: str) -> bool:
        """Whether this spelling is a given name that people bear, not a slip: here, in a census, or as a nickname."""
        return name in GIVEN_NAMES or self.given_count(name) > 0 or bool(called(name))

    def is_family_name(self, name: str) -> bool:
        """Whether this spelling is a family name that people bear, not a slip."""
        return self.family_count(name) > 0


def _counts(pool: NamePool, *columns: Ints) -> dict[str, int]:
    counts: dict[str, int] = {}
    for column in columns:
        for name, count in _borne(pool, column):
            counts[_compact(name)] = counts.get(_compact(name), 0) + count
    return counts


def _borne(pool: NamePool, ids: Ints) -> list[tuple[str, int]]:
    """The names of a column and how many rows have each, without the empty one."""
    counts = np.bincount(ids, minlength=1)
    return [(pool.names[at], int(counts[at])) for at in np.flatnonzero(counts).tolist() if at]


def _compact(name: str) -> str:
    return name.replace(" ", "")
