"""Every name of a roster once: how often it is borne, how it sounds, and which others are one slip away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zlib import crc32

import jellyfish
import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]

_FIRST_LETTERS: Final = 3
_LEAST_SLIPPED: Final = 3  # letters; whatever is one letter from a shorter name is another name
_MOST_SLIPPED: Final = 60
_REMEMBERED: Final = 4096  # names whose near ones are kept
# Names are numbers in base _BASE modulo 2 ** 64. It is odd, so it can be divided by, and a letter can be taken out of
# the middle of all names at once.
_BASE: Final = 0x9E3779B97F4A7C15
_UNBASE: Final = pow(_BASE, -1, 1 << 64)
_MASK: Final = (1 << 64) - 1
_MIX: Final = 0xD6E8FEB86659FD93  # brings every letter into the upper half, which is all that is kept
_LOW: Final = np.uint64(0xFFFFFFFF)
_HALF: Final = np.uint64(32)


@dataclass(frozen=True, slots=True)
class NameCodes:
    """Numbers of 32 bits by name id: two names of one spelling, sound or beginning have the same.

    Attributes:
        several: Whether the name has several words.
    """

    whole: Codes
    sound: Codes
    beginning: Codes
    initial: Codes
    several: npt.NDArray[np.bool_]


class NamePool:
    """The distinct normalised names of a roster; id 0 is the empty name. Names are added, never taken away."""

    __slots__ = ("_codes", "_ids", "_near", "_slips", "names")

    def __init__(self, names: Iterable[str] = ("",)) -> None:
        """A pool of these names, the first of them empty, all different."""
        self.names = list(names)
        self._ids = {name: at for at, name in enumerate(self.names)}
        self._codes: NameCodes | None = None
        self._slips: npt.NDArray[np.uint64] | None = None
        self._near: dict[str, list[str]] = {}

    def copy(self) -> NamePool:
        """The same names with the same ids, to be added to."""
        return NamePool(self.names)

    def add(self, name: str) -> int:
        """The id of a name, which is new if the name is."""
        at = self._ids.get(name)
        if at is None:
            at = self._ids[name] = len(self.names)
            self.names.append(name)
            self._codes = self._slips = None
            self._near.clear()
        return at

    def find(self, name: str) -> int | None:
        """The id of a name, or None if nobody bears it."""
        return self._ids.get(name)

    @property
    def codes(self) -> NameCodes:
        """The codes of all names."""
        if self._codes is None:
            self._codes = NameCodes(
                self._each(whole_code),
                self._each(sound_code),
                self._each(beginning_code),
                self._each(initial_code),
                np.fromiter(
                    (name != "" and not name.isalpha() for name in self.names), dtype=np.bool_, count=len(self.names)
                ),
            )
        return self._codes

    def one_slip_away(self, name: str) -> list[str]:
        """Names that share with this one what is left when either loses one letter or none, itself not among them.

        These are all at one insertion, deletion, substitution or transposition of neighbours, and some at two.
        """
        if name not in self._near:
            if len(self._near) >= _REMEMBERED:
                self._near.clear()
            self._near[name] = self._one_slip_away(name)
        return self._near[name]

    def _one_slip_away(self, name: str) -> list[str]:
        compact = name.replace(" ", "")
        if not _LEAST_SLIPPED <= len(compact) <= _MOST_SLIPPED:
            return []
        if self._slips is None:
            self._slips = _slips_of(self.names)
        wanted = np.unique(np.array(_shortened(compact), dtype=np.uint64) >> _HALF) << _HALF
        starts, ends = self._slips.searchsorted(wanted), self._slips.searchsorted(wanted | _LOW, side="right")
        slices = [self._slips[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        found = set((np.concatenate(slices) & _LOW).tolist())
        return sorted(other for at in found if (other := self.names[at]) != name)

    def _each(self, code: Callable[[str], int]) -> Codes:
        return np.fromiter(map(code, self.names), dtype=np.uint32, count=len(self.names))


def whole_code(name: str) -> int:
    """A number for how a name is spelled, spaces aside."""
    return crc32(name.replace(" ", "").encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=65_536)
def sound_code(name: str) -> int:
    """A number for how a Latin name sounds; other scripts count by their beginning."""
    name = name.replace(" ", "")
    sound = jellyfish.soundex(name) if name.isascii() and name[:1].isalpha() else name[:_FIRST_LETTERS]
    return crc32(sound.encode("utf-8", "surrogatepass"))


def beginning_code(name: str) -> int:
    """A number for the first three letters."""
    return crc32(name.replace(" ", "")[:_FIRST_LETTERS].encode("utf-8", "surrogatepass"))


def initial_code(name: str) -> int:
    """A number for the first letter; 0 for an empty name."""
    return ord(name[0]) if name else 0


def has_several_words(name: str) -> int:
    """1 for a name of several words, or of several names, 0 for any other."""
    return int(name != "" and not name.isalpha())


def _shortened(name: str) -> list[int]:
    """The numbers of a name as it is and with each of its letters left out."""
    letters = [ord(letter) for letter in name]
    numbers = [_number(letters)]
    return numbers + [_number(letters[:at] + letters[at + 1 :]) for at in range(len(letters))]


def _number(letters: list[int]) -> int:
    number = 0
    for letter in reversed(letters):
        number = (number * _BASE + letter) & _MASK
    return number * _MIX & _MASK


def _slips_of(names: list[str]) -> npt.NDArray[np.uint64]:
    """For all names at once what `_shortened` gives for one, each with the name's id in its lower half, sorted."""
    compact = [name.replace(" ", "") for name in names]
    kept = [at for at, name in enumerate(compact) if len(name) >= _LEAST_SLIPPED]
    if not kept:
        return np.empty(0, dtype=np.uint64)
    lengths = np.array([len(compact[at]) for at in kept])
    text = "".join(compact[at] for at in kept)
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(kept)), lengths)
    starts = np.cumsum(lengths) - lengths
    place = np.arange(len(letters)) - starts[owner]
    powers = np.array([pow(_BASE, at, 1 << 64) for at in range(int(lengths.max()))], dtype=np.uint64)
    terms = letters * powers[place]
    running = np.cumsum(terms, dtype=np.uint64)
    before = running - terms - (running - terms)[starts][owner]
    whole = before[starts + lengths - 1] + terms[starts + lengths - 1]
    without = before + (whole[owner] - before - terms) * np.uint64(_UNBASE)
    whole, without = whole * np.uint64(_MIX), without * np.uint64(_MIX)
    ids = np.array(kept, dtype=np.uint64)
    packed = np.concatenate([(whole >> _HALF << _HALF) | ids, (without >> _HALF << _HALF) | ids[owner]])
    packed.sort()
    return packed
