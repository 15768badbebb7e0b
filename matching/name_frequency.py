"""How common each name is at a clinic: two Andersons are a coincidence, two Abernathys hardly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from matching.name_comparison import called
from matching.person import Person

# A roster says little about names it lacks: it counts as much as this many further people with average names.
_PRIOR_PEOPLE: Final = 50
_AVERAGE_GIVEN: Final = 1 / 300
_AVERAGE_FAMILY: Final = 1 / 2000
_BIRTH_DAYS: Final = 29_200  # days in eighty years
_BORNE_BY_OTHERS: Final = 2


@dataclass(frozen=True, slots=True)
class NameFrequency:
    """Counts over the people of one roster."""

    people: int
    given: Counter[str]
    family: Counter[str]
    birth_dates: Counter[date]

    @classmethod
    def of(cls, people: Iterable[Person]) -> NameFrequency:
        """Count given names (preferred ones too), family names (each half and former ones too) and birth dates."""
        size = 0
        given: Counter[str] = Counter()
        family: Counter[str] = Counter()
        birth_dates: Counter[date] = Counter()
        for person in people:
            size += 1
            for name in _spellings(person.given, person.preferred):
                given[name] += 1
            for name in _spellings(person.family, person.former, *person.family.split()):
                family[name] += 1
            for day in person.birth_dates:
                birth_dates[day] += 1
        return cls(size, given, family, birth_dates)

    def given_share(self, name: str) -> float:
        """Probability that somebody else bears this given name."""
        return (self.given[_compact(name)] + _PRIOR_PEOPLE * _AVERAGE_GIVEN) / (self.people + _PRIOR_PEOPLE)

    def family_share(self, name: str) -> float:
        """Probability that somebody else bears this family name."""
        return (self.family[_compact(name)] + _PRIOR_PEOPLE * _AVERAGE_FAMILY) / (self.people + _PRIOR_PEOPLE)

    def birth_date_share(self, day: date) -> float:
        """Probability that somebody else has this birth date; higher for days that a clinic enters by default."""
        count = self.birth_dates[day]
        if count <= max(3, 4 * self.people / _BIRTH_DAYS):
            return 1 / _BIRTH_DAYS
        return (count + _PRIOR_PEOPLE / _BIRTH_DAYS) / (self.people + _PRIOR_PEOPLE)

    def is_given_name(self, name: str) -> bool:
        """Whether this spelling is a given name that people bear, not a slip."""
        return self.given[name] >= _BORNE_BY_OTHERS or bool(called(name))

    def is_family_name(self, name: str) -> bool:
        """Whether this spelling is a family name that people bear, not a slip."""
        return self.family[name] >= _BORNE_BY_OTHERS


def _spellings(*names: str) -> set[str]:
    return {_compact(name) for name in names if name}


def _compact(name: str) -> str:
    return name.replace(" ", "")
