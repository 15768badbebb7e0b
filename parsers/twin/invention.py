"""What a printed value becomes in a twin. The same print becomes the same invention everywhere in a report.

Every invention is *drawn*, in the order in which values are met, and never computed from the value: besides its form
(length, letter case, format, prefix), the year or so of a birth date, and that it differs from the original, an
invention says nothing about what it stands for, not even to somebody who knows the seed.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from parsers.dates import UnreadableDateError, read_date
from parsers.lines import folded
from parsers.twin.invented_names import fresh_names
from parsers.twin.vocabulary import word_set

_RUN: Final = re.compile(r"[^\W\d_]+")
_CLOCK: Final = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)")
# Parts of a name that say how to read it and belong to nobody.
_SUFFIXES: Final = word_set("jr sr jnr snr ii iii iv nd rd th")
_TITLES: Final = word_set("dr mr mrs ms miss mx prof professor rev hon md do phd psyd rn np lcsw lmft esq")
_PARTICLES: Final = word_set(
    "van von vom zu zur der den de del dela della la las los le du des di do da dos das ter af av bin ibn bint al el "
    "st san santa ten te y e"
)
_ACCENTED: Final = {"a": "á", "e": "é", "i": "í", "o": "ö", "u": "ü", "n": "ñ", "c": "ç", "y": "ý"}
_AS_WIDE: Final = ("iljtfr", "mwoqg", "abcdehknpsuvxyz")  # an initial stays about as wide
_LEAST_SHIFT, _MOST_SHIFT = 40, 400  # days: far enough that no printed day stays, near enough to look alike
_OLDER = 1500  # days a person is made older at most


class Invention:
    """The inventions of one report. Holds the originals it has met: it must not outlive the making of the twin.

    Args:
        seed: What is drawn; equal seeds and equal reports give equal twins.
        avoid: Every word of the report: no invented name, number or mask equals one, nor contains a longer one.
    """

    def __init__(self, *, seed: int, avoid: Iterable[str]) -> None:
        self._random = Random(seed)  # noqa: S311 - what is drawn says nothing about the original, whoever knows it
        self._avoid = {folded(word) for word in avoid}
        self._avoid |= {folded(run) for word in avoid for run in _RUN.findall(word)}
        self._within: frozenset[str] = frozenset()
        self._shift = self._random.randint(_LEAST_SHIFT, _MOST_SHIFT)
        self._runs: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._days: dict[tuple[date, bool], date] = {}
        self._taken: set[str] = set()

    @property
    def random(self) -> Random:
        """For what is drawn without a map: scores, answers."""
        return self._random

    def avoid_within(self, names: Iterable[str]) -> None:
        """No invention may contain one of these names' parts of three letters or more."""
        runs = {folded(run) for name in names for run in _RUN.findall(name)}
        self._within = frozenset(run for run in runs if len(run) > 2)

    def name(self, text: str) -> str:
        """A name of the same form: particles, suffixes, titles, initials, hyphens, letter case and accents stay."""
        runs = list(_RUN.finditer(text))
        made, at = "", 0
        for number, run in enumerate(runs):
            after = text[run.end() : runs[number + 1].start()] if number + 1 < len(runs) else ","
            made += text[at : run.start()] + self._name_run(run[0], followed="," not in after)
            at = run.end()
        return made + text[at:]

    def _name_run(self, run: str, *, followed: bool) -> str:
        plain = run.casefold()
        if plain in _SUFFIXES or plain in _TITLES or (plain in _PARTICLES and followed and len(run) > 1):
            return run
        return _cased(run, self._run(plain, named=True))

    def masked(self, text: str) -> str:
        """Other letters for letters, other digits for digits; what this report calls a person or a number, by that."""
        key = folded(text)
        if key in self._numbers:
            return self._numbers[key]
        made = _RUN.sub(lambda run: _cased(run[0], self._run(run[0].casefold(), named=False)), text)
        return re.sub(r"\d+", lambda digits: self._digits(digits[0]), made)

    def number(self, text: str, *, prefixes: frozenset[str] = frozenset()) -> str:
        """A record or phone number of the same form, with its prefix if that is one of `prefixes`."""
        key = folded(text)
        if key not in self._numbers:
            start = re.match(r"[^\W\d_]+", text)
            kept = start[0] if start and start[0] in prefixes else ""
            for _ in range(1000):
                rest = re.sub(r"[^\W\d_]", lambda m: _cased(m[0], self._letter()), text[len(kept) :])
                made = kept + re.sub(r"\d+", lambda digits: self._digits(digits[0]), rest)
                if folded(made) not in self._avoid | self._taken:
                    break
            self._taken.add(folded(made))
            self._numbers[key] = made
        return self._numbers[key]

    def day(self, day: date, *, birth: bool, fits: Callable[[date], bool] = lambda _: True) -> date:
        """The invented day; a birth date becomes one of somebody older, so that nothing happens before it.

        Args:
            day: The original.
            birth: Whether it is a date of birth.
            fits: Which days can be printed like the original.
        """
        if (day, birth) not in self._days:
            made = day
            for _ in range(1000):
                older = self._random.randint(30, _OLDER) if birth else self._random.randint(0, 3)
                made = day - timedelta(days=self._shift + older)
                if fits(made) and made.isoformat() not in self._avoid:
                    break
            self._days[(day, birth)] = made
        return self._days[(day, birth)]

    def date_text(self, text: str, formats: Sequence[str], *, birth: bool, not_after: date) -> tuple[str, date] | None:
        """A printed date as an invented one in the same format, and the day; None if no format reads it."""
        plain = " ".join(text.split())
        try:
            printed = read_date(plain, formats, not_after=not_after if birth else None)
        except UnreadableDateError:
            return None
        form = next((form for form in formats if _reads(plain, form)), None)
        if printed is None or form is None:
            return None
        clock = printed.time

        def fits(day: date) -> bool:
            written = _written(day, form, like=plain, clock=clock)
            try:
                again = read_date(written, formats, not_after=not_after if birth else None)
            except UnreadableDateError:
                return False
            return (
                again is not None
                and again.day == day
                and (again.other is None) == (printed.other is None)
                and folded(written) not in self._avoid
            )

        day = self.day(printed.day, birth=birth, fits=fits)
        return _CLOCK.sub(self._clock, _written(day, form, like=plain, clock=clock)), day

    def time(self, text: str) -> str:
        """A time of day of the same form; anything else masked."""
        return _CLOCK.sub(self._clock, text) if _CLOCK.search(text) else self.masked(text)

    def _clock(self, found: re.Match[str]) -> str:
        hour = self._random.randint(10, 12) if len(found[1]) == 2 else self._random.randint(1, 9)
        return f"{hour}:{self._random.randint(0, 59):02}"

    def _run(self, plain: str, *, named: bool) -> str:
        """What a run of letters becomes; one map for names and masks, so that a person is the same everywhere."""
        if plain not in self._runs:
            self._runs[plain] = self._drawn(plain, named=named)
        return self._runs[plain]

    def _drawn(self, plain: str, *, named: bool) -> str:
        if len(plain) < 2:
            alike = next((letters for letters in _AS_WIDE if plain in letters), string.ascii_lowercase)
            return self._random.choice([letter for letter in alike if letter != plain])
        names = fresh_names(self._random, len(plain))
        for _ in range(5000):
            made = next(names).casefold() if named else "".join(self._letter() for _ in plain)
            key = folded(made)
            reserved = key in _SUFFIXES | _TITLES | _PARTICLES
            if reserved or key in self._taken or key in self._avoid or any(part in key for part in self._within):
                continue
            self._taken.add(key)
            return made
        # Two letters give 676 names: a report of more must repeat one.
        return "".join(self._letter() for _ in plain)

    def _letter(self) -> str:
        return self._random.choice(string.ascii_lowercase)

    def _digits(self, digits: str) -> str:
        lead = string.digits if len(digits) == 1 else "0" if digits[0] == "0" else "123456789"
        choices = [lead, *[string.digits] * (len(digits) - 1)]
        made = digits
        while made == digits:
            made = "".join(self._random.choice(choice) for choice in choices)
        return made


def _cased(like: str, text: str) -> str:
    """The text with the letter case and the accents of another of the same length."""
    letters = [_letter_like(old, new) for old, new in zip(like, text.ljust(len(like), "x"), strict=False)]
    return "".join(letters)


def _letter_like(old: str, new: str) -> str:
    if unicodedata.normalize("NFD", old) != old:
        new = _ACCENTED.get(new, "é")
    return new.upper() if old.isupper() else new


def _reads(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - dates on paper have no zone
    except ValueError:
        return False
    return True


def _written(day: date, form: str, *, like: str, clock: str | None) -> str:
    """A day in a format, with leading zeros and capitals only where the original has them."""
    hour, minute = (int(part) for part in (clock or "0:0").split(":"))
    text = datetime(day.year, day.month, day.day, hour, minute).strftime(form)  # noqa: DTZ001
    if not re.search(r"(?<!\d)0\d(?!\d)", like) and re.search(r"(?<![\d:])\d(?!\d)", like):
        text = re.sub(r"(?<![\d:])0(?=\d(?!\d))", "", text)
    return text.upper() if like.isupper() else text
