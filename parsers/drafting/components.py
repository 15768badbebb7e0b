"""Columns that say what the value beside them is, and columns that list all answers of a questionnaire."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from parsers.drafting.fields import Certainty, Guess
from parsers.drafting.words import behind_name, share
from parsers.lines import folded
from parsers.template_parts import IDENTITY, Field

_MOST: Final = 0.7  # of the cells have the look
_TOTALS: Final = frozenset({"total", "totalscore", "score", "sum", "sumscore", "totalpoints", "overallscore"})
_SEVERITIES: Final = frozenset({"severity", "severitylevel", "interpretation", "level", "category", "severitycategory"})
_QUESTION: Final = re.compile(r"(?P<cue>q|item|question|#)?[ .]?(?P<number>\d{1,2})(?P<rest>(?!\d).*)", re.IGNORECASE)
_KEPT: Final = IDENTITY | {Field.AUTHORED_ON, Field.AUTHORED_TIME}
_WHY: Final = "its cells say what the value beside them is"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundComponents:
    """A table whose rows each give one value of a record.

    Attributes:
        guesses: Its columns.
        components: Pattern of each kind of row with what it gives.
    """

    guesses: tuple[Guess, ...]
    components: tuple[tuple[str, Field], ...]


def find_components(guesses: Sequence[Guess]) -> FoundComponents | None:
    """The columns of such a table, or None where no column names questionnaires with what is told of them."""
    at = next((n for n, guess in enumerate(guesses) if _kinds(guess.values)), None)
    if at is None or guesses[at].stack:
        return None
    numbered = [
        (share(Field.TOTAL, guess.values), n) for n, guess in enumerate(guesses) if n > at and any(guess.values)
    ]
    likeliest = max(numbered, key=lambda found: (found[0] > _MOST / 2, -found[1]), default=None)
    if likeliest is None or likeliest[0] <= _MOST / 2:
        return None
    made = [_other(guess) for guess in guesses]
    for n, field in ((at, Field.COMPONENT), (likeliest[1], Field.VALUE)):
        made[n] = replace(
            guesses[n], field=field, certainty=Certainty.LIKELY, instrument=None, dates=(), pattern=None, why=_WHY
        )
    return FoundComponents(guesses=tuple(made), components=_kinds(guesses[at].values))


def _other(guess: Guess) -> Guess:
    if guess.field is Field.IGNORE or (guess.field in _KEPT and guess.certainty > Certainty.GUESS):
        return guess
    return replace(guess, field=Field.IGNORE, instrument=None, pattern=None, dates=(), why="printed beside every value")


def _kinds(values: Sequence[str]) -> tuple[tuple[str, Field], ...]:
    """The kinds of rows; none unless most of them name a questionnaire, and one its total."""
    filled = [value for value in values if value.strip()]
    told = [rest for value in filled if (rest := behind_name(value))]
    if not filled or len(told) < _MOST * len(filled):
        return ()
    kinds: dict[str, Field] = {}
    questions = Counter(
        (match["cue"] or "") for rest in told if (match := _QUESTION.fullmatch(rest)) and folded(rest) not in _TOTALS
    )
    for rest in dict.fromkeys(told):
        if folded(rest) in _TOTALS:
            kinds[f"(?P<instrument>.+?) {_plain(rest)}"] = Field.TOTAL
        elif folded(rest) in _SEVERITIES:
            kinds[f"(?P<instrument>.+?) {_plain(rest)}"] = Field.SEVERITY
    if Field.TOTAL not in kinds.values():
        return ()
    for cue in questions:
        kinds[f"(?P<instrument>.+?) {_plain(cue)}[ .]?(?P<item>\\d{{1,2}})(?!\\d).*"] = Field.ITEM
    return tuple(kinds.items())


def _plain(text: str) -> str:
    return re.escape(text).replace(r"\ ", " ").replace(r"\-", "-")


def without_answers(guesses: Sequence[Guess]) -> tuple[str, ...]:
    """What the samples print in place of answers and of the score; an empty string where the score is blank."""
    listed = next((guess for guess in guesses if guess.field is Field.ANSWERS), None)
    total = next((guess for guess in guesses if guess.field is Field.TOTAL), None)
    if listed is None or total is None or len(listed.values) != len(total.values):
        return ()
    words = [
        (said.strip(), score.strip())
        for said, score in zip(listed.values, total.values, strict=True)
        if said.strip() and not any(char.isdigit() for char in said + score)
    ]
    return tuple(dict.fromkeys(text for pair in words for text in pair))
