"""How the samples write names, questionnaires, and what stands where there is no score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parsers.drafting.fields import Guess
from parsers.drafting.vocabulary import NO_SCORE
from parsers.drafting.words import instruments_in, named_instrument, share
from parsers.lines import folded
from parsers.template import NameOrder
from parsers.template_parts import Field

# What a score cell says where there is no score, in reports of many layouts; a draft knows them all.
USUAL_NO_SCORE = ("Declined", "Refused", "N/A", "Not done", "Not given", "Incomplete", "Unable to complete")
_LONGEST_WORDS = 3


def no_score_words(guesses: Sequence[Guess]) -> tuple[str, ...]:
    """What score cells of the samples say where there is no score, as printed, and the usual words for it."""
    values = [value.strip() for guess in guesses if guess.field in (Field.TOTAL, Field.VALUE) for value in guess.values]
    headings = {folded(word) for guess in guesses for word in (guess.heading, *guess.heading.split())}
    nothing = {folded(word) for word in NO_SCORE}
    found = {value for value in values if folded(value) in nothing}
    # Beside a blank score its severity may say so: "** DECLINED **".
    levels = {value.strip() for guess in guesses if guess.field is Field.SEVERITY for value in guess.values}
    found |= {value for value in levels if folded(value.strip("*<>()[] ")) in nothing and folded(value) != "none"}
    # Words without a digit ("UTC") are no score either; a severity alone may be one, a letter may be a misread digit.
    found |= {
        value
        for value in values
        if len(value) > 2 and folded(value) not in headings and all(char.isalpha() or char in " /.-" for char in value)
        and len(value.split()) <= _LONGEST_WORDS and share(Field.SEVERITY, [value]) < 1
    }  # fmt: skip
    known = {folded(value) for value in found}
    named = [guess for guess in guesses if guess.field is Field.TOTAL and guess.instrument]
    # With a column per questionnaire a blank cell says that this one was not given.
    blank = [""] if len(named) > 1 and any(not value.strip() for guess in named for value in guess.values) else []
    return (*sorted(found), *blank, *(word for word in USUAL_NO_SCORE if folded(word) not in known))


def instrument_names(guesses: Sequence[Guess], legend: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Names in instrument columns that a legend explains, or that hold one instrument's and more ("PHQ-9 Depression").

    Args:
        guesses: All columns and labels.
        legend: Abbreviations that the samples explain, with the instruments they stand for.
    """
    names = {value for guess in guesses if guess.field is Field.INSTRUMENT for value in guess.values if value.strip()}
    partly = {name: instruments_in(name) for name in names if named_instrument(name) is None}
    explained = {name: legend[folded(name)] for name in names if folded(name) in legend}
    return tuple(sorted(({name: found[0] for name, found in partly.items() if len(found) == 1} | explained).items()))


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
