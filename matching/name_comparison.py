"""How alike two personal names are, as one of a few levels.

The printed name is compared as it stands and with its columns swapped. An error of the pen and the name of a sister
look the same to a string distance; what tells them apart is that the sister's name is a name: one that others bear too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from matching.called_names import called, full_names
from matching.given_names import GIVEN_NAMES
from matching.person import Person

PARTICLES: Final = frozenset({
    "van", "von", "der", "den", "de", "del", "la", "las", "los", "le", "du", "di", "da", "dos", "das", "bin", "ibn",
    "al", "el", "st", "san",
})  # fmt: skip
_LEAST_SLIPPED: Final = 4  # letters; the shorter name may have lost one
_ALIKE: Final = 0.88  # Jaro-Winkler similarity
_LEAST_CUT_OFF: Final = 4  # letters of a column that was too narrow


class NameLevel(StrEnum):
    """From equal to different; the names are those of the evidence."""

    EXACT = "exact"
    PREFERRED = "preferred"  # the name the roster says the person is called by
    FORMER = "former"  # a family name the roster knows from before
    NICKNAME = "nickname"
    ONE_EDIT = "one-edit"  # one slip of the keyboard; two in long names; but no other name that people bear
    PART = "part"  # one of several names, half of a hyphenated one, a particle left out
    MIDDLE = "middle"  # goes by the middle name
    CUT_OFF = "cut-off"  # a column too narrow
    INITIAL = "initial"
    SIMILAR = "similar"
    OTHER_NAME = "other-name"  # as near as a slip, but a name of its own: Marie and Maria
    DIFFERENT = "different"
    MISSING = "missing"


IsKnown = Callable[[str], bool]

_SAME_GIVEN: Final = frozenset(
    {NameLevel.EXACT, NameLevel.PREFERRED, NameLevel.NICKNAME, NameLevel.ONE_EDIT, NameLevel.PART, NameLevel.MIDDLE,
     NameLevel.CUT_OFF}
)  # fmt: skip
_SAME_FAMILY: Final = frozenset(
    {NameLevel.EXACT, NameLevel.FORMER, NameLevel.ONE_EDIT, NameLevel.PART, NameLevel.CUT_OFF}
)


class NameAgreement(NamedTuple):
    """The levels of given and family name, and whether they hold with the printed columns swapped."""

    given: NameLevel
    family: NameLevel
    swapped: bool = False

    @property
    def given_equal(self) -> bool:
        """The given name is the patient's, letter for letter."""
        return self.given in (NameLevel.EXACT, NameLevel.PREFERRED)

    @property
    def given_agrees(self) -> bool:
        """The given name can be taken for the patient's."""
        return self.given in _SAME_GIVEN

    @property
    def family_agrees(self) -> bool:
        """The family name can be taken for the patient's."""
        return self.family in _SAME_FAMILY

    @property
    def family_near(self) -> bool:
        """The family name is the patient's, or as near as a slip."""
        return self.family in _SAME_FAMILY or self.family in (NameLevel.OTHER_NAME, NameLevel.SIMILAR)

    @property
    def equal(self) -> bool:
        """First and last name are the patient's, letter for letter."""
        return self.given_equal and self.family is NameLevel.EXACT

    @property
    def agrees(self) -> bool:
        """First and last name can both be taken for the patient's, at most one of them with a doubt."""
        if self.swapped and not (self.given_equal or self.family is NameLevel.EXACT):
            return False
        return (self.given_agrees and self.family is NameLevel.EXACT) or (self.given_equal and self.family_agrees)

    @property
    def label(self) -> str:
        """The level as shown in the evidence."""
        if self.equal and self.given is NameLevel.EXACT:
            return "swapped" if self.swapped else "exact"
        levels = f"given {self.given}, family {self.family}"
        return f"swapped, {levels}" if self.swapped else levels


class PrintedName:
    """A printed name that is compared with many patients; names met before are not compared again."""

    __slots__ = ("_cut_off", "_families", "_family_known", "_family_levels", "_given_known", "_given_levels", "_givens")

    def __init__(self, printed: Person, *, given_known: IsKnown, family_known: IsKnown) -> None:
        """Prepare a comparison.

        Args:
            printed: The person of the print.
            given_known: Whether others bear a given name.
            family_known: Whether others bear a family name.
        """
        middle = printed.middle if len(printed.middle) > 1 else ""
        givens = _with_and_without(printed.given, middle, after=True)
        # Without and with columns swapped. A middle name may be the second half of either name ("Mary Ann", "Garcia
        # Lopez"); swapped, it stands behind the family name.
        self._givens = {False: givens, True: (printed.family,)}
        self._families = {False: _with_and_without(printed.family, middle, after=False), True: givens}
        # Whether given and family name are beginnings only.
        given_cut, family_cut = "given" in printed.cut_off, "family" in printed.cut_off
        self._cut_off = {False: (given_cut, family_cut), True: (family_cut, given_cut)}
        self._given_known = given_known
        self._family_known = family_known
        self._given_levels: dict[tuple[bool, str, str, str], NameLevel] = {}
        self._family_levels: dict[tuple[bool, str, tuple[str, ...]], NameLevel] = {}

    def against(self, known: Person, *, swapped: bool) -> NameAgreement:
        """The levels against a patient's names, with the printed columns as they are or taken for each other."""
        given_cut, family_cut = self._cut_off[swapped]
        given_key = (swapped, known.given, known.middle, known.preferred)
        given = self._given_levels.get(given_key)
        if given is None:
            given = given_level(self._givens[swapped], known, is_known=self._given_known)
            if given_cut:
                given = beginning_level(self._givens[swapped], (known.given, known.preferred))
            self._given_levels[given_key] = given
        family_key = (swapped, known.family, known.former)
        family = self._family_levels.get(family_key)
        if family is None:
            family = family_level(self._families[swapped], known, is_known=self._family_known)
            if family_cut:
                family = beginning_level(self._families[swapped], (known.family, *known.former))
            self._family_levels[family_key] = family
        return NameAgreement(given, family, swapped)


def given_level(printed: Iterable[str], known: Person, *, is_known: IsKnown) -> NameLevel:
    """The best level of a printed given name, in any of its readings, against a patient's."""
    readings = [name for name in printed if name]
    if not readings or not known.given:
        return NameLevel.MISSING
    if known.given in readings:
        return NameLevel.EXACT if len(known.given) > 1 else NameLevel.INITIAL
    return best(_given_level(reading, known, is_known) for reading in readings)


def _given_level(name: str, known: Person, is_known: IsKnown) -> NameLevel:
    compact = _compact(name)
    if compact in (_compact(known.given), _compact(known.given + known.middle)):
        return NameLevel.EXACT
    words = name.split()
    # "Lucy M" in the given column: the rest is a middle name, which is compared on its own.
    if words[0] == known.given and _rest_is_middle(words[1:], known.middle):
        return NameLevel.EXACT
    if known.preferred and name == known.preferred:
        return NameLevel.PREFERRED
    first, known_first = words[0], known.given.split()[0]
    if len(first) == 1 or len(known_first) == 1:
        return NameLevel.INITIAL if first[0] == known_first[0] else NameLevel.DIFFERENT
    if first != known_first and (known_first in called(first) or first in called(known_first)):
        return NameLevel.NICKNAME
    if first == known_first or (" " in name + known.given and _long_words(name) & _long_words(known.given)):
        return NameLevel.PART
    if len(known.middle) > 2 and name == known.middle:
        return NameLevel.MIDDLE
    near = _given_slip(name, known.given, is_known)
    if near is not NameLevel.ONE_EDIT and (first, known_first) != (name, known.given):
        near = best((near, _given_slip(first, known_first, is_known)))
    if near is NameLevel.DIFFERENT and not full_names(first).isdisjoint(full_names(known_first)):
        return NameLevel.NICKNAME  # Bob and Rob; Marie and Maria, near as they are, were told apart above
    if near is NameLevel.DIFFERENT and known.preferred:
        return spelling_level(name, known.preferred, is_known=is_known)
    return near


def _given_slip(name: str, known: str, is_known: IsKnown) -> NameLevel:
    """The level of two spellings of a given name.

    That nobody bears a spelling says little where the lists know few names: Xiaoming's sister is Xiaoling. So a slip
    is one only of a name that the lists know.
    """
    level = spelling_level(name, known, is_known=is_known)
    listed = known in GIVEN_NAMES or bool(called(known))
    return NameLevel.OTHER_NAME if level is NameLevel.ONE_EDIT and not listed else level


def _rest_is_middle(rest: list[str], middle: str) -> bool:
    if not rest:
        return True
    return rest[0][0] == middle[0] if middle else len(rest[0]) == 1


def family_level(printed: Iterable[str], known: Person, *, is_known: IsKnown) -> NameLevel:
    """The best level of a printed family name, in any of its readings, against a patient's present and former one."""
    readings = [name for name in printed if name]
    if not readings or not known.family:
        return NameLevel.MISSING
    if known.family in readings:
        return NameLevel.EXACT
    return best(_family_level(reading, known, is_known) for reading in readings)


def _family_level(name: str, known: Person, is_known: IsKnown) -> NameLevel:
    if _compact(name) == _compact(known.family):
        return NameLevel.EXACT
    if any(_compact(name) == _compact(former) for former in known.former):
        return NameLevel.FORMER
    if len(name) == 1 or len(known.family) == 1:
        return NameLevel.INITIAL if name[0] == known.family[0] else NameLevel.DIFFERENT
    if any(_ends_amid(name, borne) for borne in (known.family, *known.former)):
        return NameLevel.CUT_OFF
    if any(_long_words(name) & _long_words(borne) for borne in (known.family, *known.former)):
        return NameLevel.PART
    near = spelling_level(name, known.family, is_known=is_known)
    if near is NameLevel.DIFFERENT and known.former:
        near = best(spelling_level(name, former, is_known=is_known) for former in known.former)
    halves = known.family.split()
    if near is NameLevel.DIFFERENT and len(halves) > 1:
        slips = {spelling_level(name, half, is_known=is_known) for half in halves if len(half) > 2}
        return NameLevel.SIMILAR if NameLevel.ONE_EDIT in slips else NameLevel.DIFFERENT
    return near


def beginning_level(printed: Iterable[str], known: Iterable[str]) -> NameLevel:
    """The level of what a print leaves of a name: at best a beginning, even where it is a whole name of its own."""
    beginnings = [_compact(name) for name in printed if name]
    names = [_compact(name) for name in known if name]
    if not beginnings or not names:
        return NameLevel.MISSING
    shared = [len(start) for start in beginnings if any(name.startswith(start) for name in names)]
    if not shared:
        return NameLevel.DIFFERENT
    return NameLevel.CUT_OFF if max(shared) > 1 else NameLevel.INITIAL


def spelling_level(a: str, b: str, *, is_known: IsKnown) -> NameLevel:
    """How near two different spellings are: a slip, a cut, another name, similar, or different."""
    a, b = _compact(a), _compact(b)
    shorter, longer = (a, b) if len(a) <= len(b) else (b, a)
    distance = OSA.distance(a, b, score_cutoff=2) if len(longer) - len(shorter) <= 2 else 3
    slip = (distance <= 1 and len(longer) >= _LEAST_SLIPPED) or (distance <= 2 and len(shorter) >= 8)
    cut = len(shorter) >= _LEAST_CUT_OFF and longer.startswith(shorter)
    alike = distance <= 1 or (a[:1] == b[:1] and JaroWinkler.similarity(a, b, score_cutoff=_ALIKE) > 0)
    if not (slip or cut or alike):
        return NameLevel.DIFFERENT
    if is_known(a) and is_known(b):
        return NameLevel.OTHER_NAME
    if slip:
        return NameLevel.ONE_EDIT
    return NameLevel.CUT_OFF if cut else NameLevel.SIMILAR


def best(levels: Iterable[NameLevel]) -> NameLevel:
    """The level nearest to equal; different if there is none."""
    found = tuple(levels)
    return found[0] if len(found) == 1 else min(found, key=_RANK.__getitem__, default=NameLevel.DIFFERENT)


_RANK: Final = {level: rank for rank, level in enumerate(NameLevel)}


def _with_and_without(name: str, middle: str, *, after: bool) -> tuple[str, ...]:
    if not (name and middle):
        return (name,)
    return name, f"{name} {middle}" if after else f"{middle} {name}"


@lru_cache(maxsize=65_536)
def _long_words(name: str) -> frozenset[str]:
    return frozenset(word for word in name.split() if len(word) > 2 and word not in PARTICLES)


def _ends_amid(name: str, longer: str) -> bool:
    """Whether a name is another one cut off amid a later word: "gonzalez ram" of "gonzalez ramirez"."""
    return " " in name and longer.startswith(name) and longer[len(name) : len(name) + 1] not in ("", " ")


def _compact(name: str) -> str:
    return name.replace(" ", "") if " " in name else name
