"""The sets of people by name, each a pure function of its seed.

t1, t1+mrn              FEBRL4 with a quarter of the roster removed
t2, t2+mrn              the same and 500 people who are nearly on the roster, 250 whose relative is on it too
t3, t3+sex, t3+mrn      a clinic with real households; with sex and middle name; with record number
t4                      100,000 patients; prints of which given name, family name and birth date each have an error
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from bench.matching_febrl import febrl_set
from bench.matching_people import PeopleSet
from bench.matching_prints import battered_set, household_set


@lru_cache(maxsize=2)
def _febrl(seed: int, *, hard: bool) -> PeopleSet:
    return febrl_set(seed, hard=hard)


@lru_cache(maxsize=2)
def _households(seed: int) -> PeopleSet:
    return household_set(seed)


SETS: Final[Mapping[str, Callable[[int], PeopleSet]]] = MappingProxyType(
    {
        "t1": lambda seed: _febrl(seed, hard=False).printing(name="t1"),
        "t1+mrn": lambda seed: _febrl(seed, hard=False).printing("mrn", name="t1+mrn"),
        "t2": lambda seed: _febrl(seed, hard=True).printing(name="t2"),
        "t2+mrn": lambda seed: _febrl(seed, hard=True).printing("mrn", name="t2+mrn"),
        "t3": lambda seed: _households(seed).printing(name="t3"),
        "t3+sex": lambda seed: _households(seed).printing("sex", "middle", name="t3+sex"),
        "t3+mrn": lambda seed: _households(seed).printing("mrn", name="t3+mrn"),
        "t4": lambda seed: battered_set(seed).printing(name="t4"),
    }
)


def people_set(name: str, seed: int) -> PeopleSet:
    """The set `name` of `SETS`; the same for the same seed."""
    return SETS[name](seed)
