"""What each column or label of a sample means, by its words and by its values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from parsers.drafting.words import (
    NO_SCORE,
    date_formats,
    heading_hints,
    heading_means,
    middle_year,
    named_instrument,
    share,
)
from parsers.lines import folded
from parsers.template import NameOrder
from parsers.template_parts import Field, Place


class Certainty(IntEnum):
    """How sure a guess is."""

    NONE = 0
    GUESS = 1  # by the look of the values, or by a word of the heading
    LIKELY = 2  # by the heading, without a value to check it by
    SURE = 3  # heading and values agree


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What one column or labelled value means.

    Attributes:
        heading: The printed header or label.
        values: Its values in the samples.
        instrument: For a score column: the instrument its heading names.
        dates: For a date: formats that read its values.
        why: A sentence for the template's author.
    """

    heading: str
    values: tuple[str, ...]
    field: Field
    certainty: Certainty
    why: str
    instrument: str | None = None
    dates: tuple[str, ...] = ()
    place: Place = Place.RIGHT


# What decides between fields when only values speak: the most telling look first.
_BY_LOOK = (
    Field.INSTRUMENT,
    Field.AUTHORED_ON,
    Field.SEX,
    Field.SEVERITY,
    Field.MRN,
    Field.TOTAL,
    Field.NAME,
)
_MANY = frozenset({Field.TOTAL, Field.SEVERITY, Field.IGNORE})
_DATES = (Field.BIRTH_DATE, Field.AUTHORED_ON)


def guess_fields(found: Sequence[tuple[str, Sequence[str]]]) -> tuple[Guess, ...]:
    """A guess for each heading with its values, each field at most once."""
    guesses = [_guess(heading, tuple(values)) for heading, values in found]
    return tuple(_without_doubles(_dates_told_apart(guesses)))


def _guess(heading: str, values: tuple[str, ...]) -> Guess:
    instrument = named_instrument(heading)
    if instrument is not None and share(Field.TOTAL, values) >= 0.5:
        return Guess(
            heading=heading, values=values, field=Field.TOTAL, certainty=Certainty.SURE, instrument=instrument,
            why=f"the heading names {instrument}, the values are scores",
        )  # fmt: skip
    meant = heading_means(heading)
    if meant is Field.SEVERITY and share(Field.TOTAL, values) > 0.8 and any(values):
        meant = Field.TOTAL
    if meant is not None:
        look = share(meant, values)
        filled = any(value.strip() for value in values)
        if look >= 0.6 and filled:
            return _made(heading, values, meant, Certainty.SURE, "heading and values agree")
        if not filled:
            return _made(heading, values, meant, Certainty.LIKELY, "by its heading; the sample has no value here")
        if look >= 0.3 or meant is Field.SEVERITY:
            return _made(heading, values, meant, Certainty.LIKELY, "by its heading; its values look unusual")
    hint = heading_hints(heading)
    if hint is not None and share(hint, values) >= 0.6:
        return _made(heading, values, hint, Certainty.GUESS, "by one word of its heading and the look of its values")
    if any(value.strip() for value in values):
        look_alike = next((field for field in _BY_LOOK if share(field, values) >= 0.8), None)
        if look_alike is not None and (look_alike is not Field.TOTAL or meant is None):
            return _made(heading, values, look_alike, Certainty.GUESS, "only by the look of its values: check it")
    return _made(heading, values, Field.IGNORE, Certainty.NONE, "not known: name its field, or leave it ignored")


def _made(heading: str, values: tuple[str, ...], field: Field, certainty: Certainty, why: str) -> Guess:
    dates = date_formats(values) if field in _DATES else ()
    return Guess(heading=heading, values=values, field=field, certainty=certainty, why=why, dates=dates)


def _dates_told_apart(guesses: list[Guess]) -> list[Guess]:
    """Of two date columns of which one only looks like a date, the earlier one is the date of birth."""
    dated = [n for n, guess in enumerate(guesses) if guess.field in _DATES]
    named = {guesses[n].field for n in dated if guesses[n].certainty > Certainty.GUESS}
    for n in dated:
        guess = guesses[n]
        if guess.certainty > Certainty.GUESS or not guess.dates or Field.BIRTH_DATE in named:
            continue
        years = {m: middle_year(guesses[m].values, guesses[m].dates[0]) for m in dated if guesses[m].dates}
        earliest = len(years) > 1 and years[n] == min(years.values()) and years[n] < max(years.values()) - 3
        if earliest:
            guesses[n] = replace(guess, field=Field.BIRTH_DATE, why="a date long before the other dates")
    return guesses


def _without_doubles(guesses: list[Guess]) -> list[Guess]:
    best: dict[Field, int] = {}
    for n, guess in enumerate(guesses):
        key = guess.field
        if key in (Field.IGNORE,) or (key is Field.TOTAL and guess.instrument is not None):
            continue
        if key not in best or guess.certainty > guesses[best[key]].certainty:
            best[key] = n
    named_totals = any(guess.field is Field.TOTAL and guess.instrument for guess in guesses)
    kept: list[Guess] = []
    for n, guess in enumerate(guesses):
        lost = guess.field in best and best[guess.field] != n and guess.instrument is None
        lost = lost or (guess.field is Field.TOTAL and guess.instrument is None and named_totals)
        other = guesses[best[guess.field]].heading if lost and guess.field in best else ""
        why = f"looks like {guess.field.value}, which “{other}” already is" if other else "no questionnaire named"
        kept.append(replace(guess, field=Field.IGNORE, certainty=Certainty.NONE, why=why) if lost else guess)
    return kept


def no_score_words(guesses: Sequence[Guess]) -> tuple[str, ...]:
    """What score cells say where there is no score, as printed."""
    values = [value for guess in guesses if guess.field is Field.TOTAL for value in guess.values]
    found = {value.strip() for value in values if folded(value) in {folded(word) for word in NO_SCORE}}
    return tuple(sorted(found))


def name_order(guesses: Sequence[Guess]) -> tuple[NameOrder, str]:
    """How names are written, with the reason."""
    values = [value for guess in guesses if guess.field is Field.NAME for value in guess.values if value.strip()]
    commas = sum(_comma_ends_family(value) for value in values)
    if not values:
        return NameOrder.FAMILY_FIRST, "no name in one cell; it does not matter"
    if commas * 2 >= len(values):
        return NameOrder.FAMILY_FIRST, f"{commas} of {len(values)} names have a comma after the first part"
    return NameOrder.GIVEN_FIRST, f"{commas} of {len(values)} names have a comma: check that given names come first"


def _comma_ends_family(value: str) -> bool:
    rest = value.partition(",")[2].strip().rstrip(".").casefold()
    return bool(rest) and rest not in {"jr", "sr", "ii", "iii", "iv", "v"}
