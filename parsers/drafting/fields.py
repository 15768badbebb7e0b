"""What each column or label of a sample means, by its words and by its values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from types import MappingProxyType

from parsers.drafting.person_cells import PersonCells, person_cells
from parsers.drafting.times import scores_by_time
from parsers.drafting.words import (
    agrees_with_severities,
    begins_with_instrument,
    date_formats,
    heading_hints,
    heading_means,
    is_no_visit,
    is_other_time,
    item_number,
    lists_answers,
    middle_year,
    named_instrument,
    plain,
    share,
)
from parsers.lines import folded
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
        under: Words of a heading that spans this column and its neighbours.
        item: For the column of one question: its id.
        points: For the column of one answer: what it stands for.
        pattern: For cells that hold several fields: the regular expression that takes them apart.
        stack: For cells with a field on each line: the guess for each line.
        person: For cells that hold a name with labelled values: what they hold.
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
    under: str | None = None
    item: str | None = None
    points: int | None = None
    pattern: str | None = None
    stack: tuple[Guess, ...] = ()
    person: PersonCells | None = None

    @property
    def single(self) -> tuple[Guess, ...]:
        """Itself, or the guesses for its lines."""
        return self.stack or (self,)


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
_MARK = re.compile(r"\S ?([*†‡§])$")
_MOSTLY = 0.5  # of the values look like it
_FEWEST_QUESTIONS = 3
_NUMBERS = frozenset({"no", "nr", "#"})  # of a record, or of the row
_LONG_NUMBER = 5  # digits that no row of a page is numbered with
_DATES = (Field.BIRTH_DATE, Field.AUTHORED_ON)


def guess_fields(
    found: Sequence[tuple[str, Sequence[str]]],
    *,
    under: Sequence[str | None] = (),
    legend: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Guess, ...]:
    """A guess for each heading with its values, each field at most once for each instrument.

    Args:
        found: Headings from left to right with the values below them.
        under: For each heading the heading above it that spans several, or None; may be left out.
        legend: Abbreviations that the samples explain, with the instruments they stand for.
    """
    spans = under or [None] * len(found)
    guesses = [
        _by_time(heading, tuple(values), over, told)
        or _by_legend(heading, tuple(values), legend)
        or _guess(heading, tuple(values), over)
        for (heading, values), over, told in zip(found, spans, scores_by_time(found, spans), strict=True)
    ]
    guesses = _scores_by_severity(_unknown_scores(_questions(guesses)))
    return tuple(_without_doubles(_of_instruments(_dates_told_apart(guesses))))


def stacked(heading: str, lines: Sequence[Guess]) -> Guess:
    """The guess for a column whose cells hold a field on each line; ignored as a whole where no line is used."""
    why = "; ".join(f"“{line.heading}”: {line.why}" for line in lines)
    if all(line.field is Field.IGNORE for line in lines):
        return Guess(heading=heading, values=(), field=Field.IGNORE, certainty=Certainty.SURE, why=why)
    return Guess(
        heading=heading, values=(), field=Field.PARTS, certainty=min(line.certainty for line in lines), why=why,
        stack=tuple(lines), dates=next((line.dates for line in lines if line.dates), ()),
    )  # fmt: skip


def _questions(guesses: list[Guess]) -> list[Guess]:
    """The guesses, columns headed by the numbers of all questions of a form ("Q1", "Q2" …) made its answers."""
    numbers = [
        None if guess.certainty is Certainty.SURE and guess.field is not Field.TOTAL else item_number(guess.heading)
        for guess in guesses
    ]
    answers = [
        number if number is not None and _are_answers(guess.values) and guess.instrument is None else None
        for number, guess in zip(numbers, guesses, strict=True)
    ]
    asked = [number for number in answers if number is not None]
    if len(asked) < _FEWEST_QUESTIONS or asked != list(range(1, len(asked) + 1)):
        return guesses
    return [
        replace(
            guess, field=Field.ITEM, item=str(number), certainty=Certainty.SURE, dates=(), why="one answer a column"
        )
        if number is not None
        else guess
        for number, guess in zip(answers, guesses, strict=True)
    ]


def _unknown_scores(guesses: list[Guess]) -> list[Guess]:
    """The guesses, columns that seem to be scores of instruments the library does not know by this name made that.

    Beside columns of known instruments a short heading over scores is an instrument's too ("AUDC"). To ignore it would
    lose scores without a word; with an unknown name they wait for a person.
    """
    known = sum(guess.field is Field.TOTAL and guess.instrument is not None for guess in guesses)
    return [
        replace(
            guess, field=Field.TOTAL, instrument=guess.heading.casefold(), certainty=Certainty.GUESS,
            why="seems to be scores; CHECK and name the questionnaire",
        )
        if known and guess.certainty <= Certainty.GUESS and guess.instrument is None
        and heading_means(guess.heading) is None
        and re.fullmatch(r"[A-Za-z]{3,6}\d{0,2}", guess.heading) and share(Field.TOTAL, guess.values) >= 0.6
        and any(value.strip(" -") for value in guess.values)
        else guess
        for guess in guesses
    ]  # fmt: skip


def _scores_by_severity(guesses: list[Guess]) -> list[Guess]:
    """The guesses; where none is a score, the numbers that go with the severities beside them are made it."""
    named = next((guess for guess in guesses if guess.field is Field.INSTRUMENT), None)
    worded = next((guess for guess in guesses if guess.field is Field.SEVERITY), None)
    if named is None or worded is None or any(guess.field in (Field.TOTAL, Field.RESULT) for guess in guesses):
        return guesses
    agreed = [
        n
        for n, guess in enumerate(guesses)
        if guess.field is Field.IGNORE and agrees_with_severities(guess.values, worded.values, named.values)
    ]
    if len(agreed) != 1:
        return guesses
    found = replace(
        guesses[agreed[0]], field=Field.TOTAL, certainty=Certainty.LIKELY,
        why="its numbers go with the severities beside them: check",
    )  # fmt: skip
    return [found if n == agreed[0] else guess for n, guess in enumerate(guesses)]


def _are_answers(values: Sequence[str]) -> bool:
    filled = [value for value in values if value.strip()]
    return bool(filled) and sum(value.isdigit() and len(value) == 1 for value in filled) >= 0.9 * len(filled)


def _of_instruments(guesses: list[Guess]) -> list[Guess]:
    """The guesses, columns beside a named score made its own: "Severity" right of "PHQ-9", "PHQ9_Date"."""
    whole: list[Guess] = []
    last: str | None = None
    scores = sum(guess.field is Field.TOTAL and guess.instrument is not None for guess in guesses)
    for guess in guesses:
        if guess.field is Field.TOTAL:
            last = guess.instrument
        elif guess.field is Field.SEVERITY and scores > 1 and guess.instrument is None and last is not None:
            guess = replace(guess, instrument=last)
        elif guess.field is Field.IGNORE:
            pass
        elif guess.field is not Field.SEVERITY and guess.instrument is None:
            last = last if guess.field is Field.AUTHORED_ON else None
        whole.append(guess)
    return whole


def _guess(heading: str, values: tuple[str, ...], under: str | None) -> Guess:
    over = named_instrument(under) if under else None
    made = _own_guess(heading, values)
    if under is None:
        return made
    belongs = over if made.field in (Field.TOTAL, Field.SEVERITY, Field.AUTHORED_ON) else None
    why = f"{made.why}; under “{under}”" if belongs else made.why
    return replace(made, under=under, instrument=made.instrument or belongs, why=why)


def _by_time(heading: str, values: tuple[str, ...], under: str | None, told: tuple[str, Field] | None) -> Guess | None:
    """A guess for one of several scores of the same questionnaire; None for others."""
    if told is None:
        return None
    instrument, field = told
    if field is Field.IGNORE:
        why = f"not the newest score of {instrument}"
        return Guess(
            heading=heading, values=values, field=field, certainty=Certainty.SURE, why=why, under=under,
        )  # fmt: skip
    return Guess(
        heading=heading, values=values, field=field, certainty=Certainty.LIKELY, instrument=instrument, under=under,
        why=f"the newest score of {instrument}: check",
    )  # fmt: skip


def _by_legend(heading: str, values: tuple[str, ...], legend: Mapping[str, str]) -> Guess | None:
    """A guess for a heading that the samples themselves explain; None for others."""
    instrument = legend.get(folded(heading))
    if instrument is None or share(Field.TOTAL, values) < _MOSTLY:
        return None
    return Guess(
        heading=heading, values=values, field=Field.TOTAL, certainty=Certainty.LIKELY, instrument=instrument,
        why=f"a legend of the sample says that it is {instrument}: check",
    )  # fmt: skip


def _own_guess(heading: str, values: tuple[str, ...]) -> Guess:
    person = person_cells(values)
    if person is not None:
        return Guess(
            heading=heading, values=values, field=Field.PARTS, certainty=Certainty.LIKELY, pattern=person.pattern,
            why="a name with labelled values below it", person=person,
        )  # fmt: skip
    if lists_answers(values):
        return Guess(
            heading=heading, values=values, field=Field.ANSWERS, certainty=Certainty.SURE,
            why="its cells list the answers in order",
        )  # fmt: skip
    return _by_instrument(heading, values) or _by_meaning(heading, values)


def _by_instrument(heading: str, values: tuple[str, ...]) -> Guess | None:
    """A guess for a heading that names an instrument, or for cells that do; None for others."""
    instrument = named_instrument(heading)
    if instrument is not None and share(Field.TOTAL, values) >= 0.5 and not _says_when(values):
        return Guess(
            heading=heading, values=values, field=Field.TOTAL, certainty=Certainty.SURE, instrument=instrument,
            why=f"the heading names {instrument}, the values are scores",
        )  # fmt: skip
    if instrument is not None and not _says_when(values) and _begin_with_digits(values):
        # To ignore scores in a shape that is not known would lose them without a word.
        return Guess(
            heading=heading, values=values, field=Field.TOTAL, certainty=Certainty.GUESS, instrument=instrument,
            why=f"the heading names {instrument}; CHECK what its cells say",
        )  # fmt: skip
    if _names_and_scores(values):
        return Guess(
            heading=heading, values=values, field=Field.PARTS, certainty=Certainty.SURE, pattern=_NAME_AND_SCORE,
            why="its cells name the questionnaire and its score",
        )  # fmt: skip
    begins, rest = begins_with_instrument(heading)
    if begins is not None and rest in (Field.AUTHORED_ON, Field.SEVERITY) and share(rest, values) >= 0.6:
        return replace(
            _made(heading, values, rest, Certainty.SURE, f"the heading begins with {begins}, its values agree"),
            instrument=begins,
        )
    return None


def _by_meaning(heading: str, values: tuple[str, ...]) -> Guess:
    meant = heading_means(heading)
    other = is_other_time(heading) or is_no_visit(heading)
    if meant is Field.IGNORE and not other and _says_when(values):
        return _made(
            heading, values, Field.AUTHORED_ON, Certainty.GUESS, "a date beside a word that may mean the visit"
        )
    if meant is Field.IGNORE and plain(heading) in _NUMBERS and _are_record_numbers(values):
        return _made(heading, values, Field.MRN, Certainty.GUESS, "only by the look of its numbers: check it")
    if meant is Field.SEVERITY and share(Field.TOTAL, values) > 0.8 and any(values):
        meant = Field.TOTAL
    if meant is not None:
        look = share(meant, values)
        filled = any(value.strip() for value in values)
        if look >= 0.6 and filled:
            return _made(heading, values, meant, Certainty.SURE, "heading and values agree")
        if not filled:
            return _made(heading, values, meant, Certainty.LIKELY, "by its heading; the sample has no value here")
        numbered = meant is Field.MRN and all(any(char.isdigit() for char in v) for v in values if v.strip())
        if look >= 0.3 or meant is Field.SEVERITY or numbered:
            return _made(heading, values, meant, Certainty.LIKELY, "by its heading; its values look unusual")
    hint = heading_hints(heading)
    if hint is not None and share(hint, values) >= 0.6:
        return _made(heading, values, hint, Certainty.GUESS, "by one word of its heading and the look of its values")
    if any(value.strip() for value in values):
        look_alike = next((field for field in _BY_LOOK if share(field, values) >= 0.8), None)
        if look_alike is Field.TOTAL and not _says_more_than_a_number(values):
            # A grade, an age and a room look like scores too, and a record made of them looks right.
            why = "numbers like scores, but nothing says so: CHECK, field: total if they are"
            return _made(heading, values, Field.IGNORE, Certainty.NONE, why)
        if look_alike is not None:
            return _made(heading, values, look_alike, Certainty.GUESS, "only by the look of its values: check it")
    return _made(heading, values, Field.IGNORE, Certainty.NONE, "not known: name its field, or leave it ignored")


def _are_record_numbers(values: Sequence[str]) -> bool:
    """Whether values are as long as record numbers and do not count the rows."""
    filled = [value.strip() for value in values if value.strip()]
    numbers = [int(value) for value in filled if value.isdigit()]
    counted = any(abs(low - high) == 1 for low, high in itertools.pairwise(numbers))
    long_enough = all(sum(char.isdigit() for char in value) >= _LONG_NUMBER for value in filled)
    return bool(filled) and long_enough and not counted and share(Field.MRN, filled) == 1


def _says_more_than_a_number(values: Sequence[str]) -> bool:
    """Whether most scores are printed with their maximum or their severity: "14 / 27", "14 (Moderate)"."""
    numbers = [value for value in values if any(character.isdigit() for character in value)]
    told = [value for value in numbers if re.fullmatch(r"\d{1,3} ?(?:(?:/|of) ?\d{1,3}|\([^\W\d][^()\d]*\))", value)]
    return len(told) > _MOSTLY * len(numbers)


def _made(heading: str, values: tuple[str, ...], field: Field, certainty: Certainty, why: str) -> Guess:
    dates = date_formats(values) if field in _DATES else ()
    marks = sorted({mark for value in values for mark in _MARK.findall(value)}) if dates else []
    if marks:
        # What the mark says of the visit is for the author to know; marks that no sample prints are no part of a date.
        why = f"{why}; CHECK what “{' '.join(marks)}” behind it means"
        pattern = rf"(?P<{field}>.+?)(?: ?[{''.join(marks)}])?"
        return Guess(
            heading=heading, values=values, field=field, certainty=certainty, why=why, dates=dates, pattern=pattern
        )
    return Guess(heading=heading, values=values, field=field, certainty=certainty, why=why, dates=dates)


def _dates_told_apart(guesses: list[Guess]) -> list[Guess]:
    """Of two date columns of which one only looks like a date, the earlier one is the date of birth."""
    dated = [n for n, guess in enumerate(guesses) if guess.field in _DATES]
    named = {guesses[n].field for n in dated if guesses[n].certainty > Certainty.GUESS}
    # Where each score has a date of its own, a date that nothing names is none of them.
    own = any(guesses[n].field is Field.AUTHORED_ON and guesses[n].instrument for n in dated)
    for n in dated:
        guess = guesses[n]
        if guess.certainty > Certainty.GUESS or not guess.dates or (Field.BIRTH_DATE in named and not own):
            continue
        years = {m: middle_year(guesses[m].values, guesses[m].dates[0]) for m in dated if guesses[m].dates}
        earliest = (
            Field.BIRTH_DATE not in named
            and len(years) > 1
            and years[n] == min(years.values())
            and years[n] < max(years.values()) - 3
        )
        if earliest:
            guesses[n] = replace(guess, field=Field.BIRTH_DATE, why="a date long before the other dates")
        elif own and guess.instrument is None:
            why = "a date that is no score's: name its field, or leave it ignored"
            guesses[n] = replace(guess, field=Field.IGNORE, certainty=Certainty.NONE, dates=(), why=why)
    return guesses


# "PHQ-9: 14", with the mark of a footnote perhaps.
_NAME_AND_SCORE = r"(?P<instrument>[^:=]+?)\s*[:=]\s*(?P<total>\d{1,3}(?:\s*/\s*\d{1,3})?|[^\d:=]+?)(?:\s*[*†‡]+)?"


def _names_and_scores(values: Sequence[str]) -> bool:
    """Whether cells hold the name of an instrument, a colon and a score."""
    filled = [value for value in values if value.strip()]
    found = [match for value in filled if (match := re.fullmatch(_NAME_AND_SCORE, value)) is not None]
    return bool(found) and sum(named_instrument(m["instrument"]) is not None for m in found) >= 0.8 * len(filled)


def _begin_with_digits(values: Sequence[str]) -> bool:
    filled = [value.strip() for value in values if value.strip()]
    return bool(filled) and sum(value[0].isdigit() for value in filled) > _MOSTLY * len(filled)


def _says_when(values: Sequence[str]) -> bool:
    return share(Field.AUTHORED_ON, values) >= 0.6 and any(value.strip() for value in values)


def _without_rival_dates(guesses: list[Guess]) -> list[Guess]:
    """The guesses; of several dates for which nothing but their look speaks, none is taken."""
    dated = [guess for guess in guesses if guess.field is Field.AUTHORED_ON and guess.instrument is None]
    if len(dated) < 2 or max(guess.certainty for guess in dated) > Certainty.GUESS:
        return guesses
    return [
        replace(
            guess, field=Field.IGNORE, certainty=Certainty.NONE, dates=(),
            why="one of several dates that no word explains: CHECK which is the day of the questionnaire",
        )
        if guess in dated
        else guess
        for guess in guesses
    ]  # fmt: skip


def _without_doubles(guesses: list[Guess]) -> list[Guess]:
    guesses = _without_rival_dates(guesses)
    best: dict[tuple[Field, str | None], int] = {}
    for n, guess in enumerate(guesses):
        key = guess.field, guess.instrument
        if guess.field in (Field.IGNORE, Field.ITEM, Field.CHOICE):
            continue
        if key not in best or guess.certainty > guesses[best[key]].certainty:
            best[key] = n
    named_totals = any(guess.field is Field.TOTAL and guess.instrument for guess in guesses)
    kept: list[Guess] = []
    for n, guess in enumerate(guesses):
        first = best.get((guess.field, guess.instrument))
        lost = first is not None and first != n
        lost = lost or (guess.field is Field.TOTAL and guess.instrument is None and named_totals)
        other = guesses[first].heading if lost and first is not None and first != n else ""
        why = f"looks like {guess.field.value}, which “{other}” already is" if other else "no questionnaire named"
        if lost and guess.field is Field.TOTAL:
            why += ": CHECK, scores below it are not read"
        kept.append(
            replace(guess, field=Field.IGNORE, instrument=None, certainty=Certainty.NONE, why=why) if lost else guess
        )
    return kept
