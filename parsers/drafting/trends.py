"""People with the course of their scores below them: a line per questionnaire, each score with its date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parsers.drafting.words import LONGEST_HEADING, date_formats, heading_means, named_instrument, share
from parsers.lines import Line, joined, lines_of
from parsers.template_parts import IDENTITY, Field
from records.document import Document

_FEWEST = 2  # lines of people, and of scores
_MOST = 0.8  # of the texts behind an instrument's name are a score with its date
_VALUES: Final = {Field.MRN: r"\S+", Field.SEX: r"\S+"}
_DATE: Final = (
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}|\d{1,2}[- ][A-Za-z]{3,9}[- ,]{1,2}\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4}"
)
# "12 (04/27/26)", "12 on 04/27/26", "04/27/26: 12".
_SHAPES: Final = (r"{total} \({date}\)", r"{total} (?:on )?{date}", r"{date}:? {total}")
_ANY_SCORE: Final = r"\d{1,3}|[^\W\d][^()\d]*?"
_WORD: Final = r"[^\W\d][\w-]*"
_LONGEST_NAME: Final = 3  # words of an instrument's name; a person's line is longer and never part of one
# Only where the print says so is the first score of a line its newest, and the rest known from earlier prints.
_NEWEST_FIRST: Final = re.compile(r"\b(newest|latest|most recent)\b[\w ]{0,20}\bfirst\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A layout of this kind.

    Attributes:
        sentence: Pattern of a line of scores; the first is the record.
        people: Patterns of the lines that name whose scores follow.
        names: The names in them.
        dates: Formats that read birth dates, and dates of scores.
        no_score: What stands in place of a score.
    """

    sentence: str
    people: tuple[str, ...]
    names: tuple[str, ...]
    dates: tuple[str, ...]
    no_score: tuple[str, ...]


def find_trend(documents: Sequence[Document]) -> Trend | None:
    """How the samples print people and their scores, or None where they do not, or not the newest first."""
    lines = [line for document in documents for page in document.pages for line in lines_of(page.words)]
    if not any(_NEWEST_FIRST.search(line.text) for line in lines):
        return None
    people = [(line, person) for line in lines if (person := _person(line)) is not None]
    everybody = [person for _, person in people]
    courses = [course for line in lines if (course := _course(line)) is not None]
    values = [value for _, each in courses for value in each]
    shape = next((each for each in _SHAPES if _fits(each, values)), None)
    longest = max((len(name.split()) for name, _ in courses), default=0)
    if len(everybody) < _FEWEST or len(courses) < _FEWEST or shape is None or longest > _LONGEST_NAME:
        return None
    born = [value for person in everybody for field, value in person if field is Field.BIRTH_DATE]
    read = [match for v in values if (match := re.fullmatch(_named(shape, _ANY_SCORE), v)) is not None]
    formats = (*date_formats(born)[:1], *date_formats([match["authored_on"] for match in read])[:1])
    words = tuple(dict.fromkeys(match["total"] for match in read if not match["total"].isdigit()))
    # Only words that a sample shows stand in place of a score: of any other the next line's name might be one.
    score = "|".join([r"\d{1,3}", *map(re.escape, words)])
    earlier = shape.replace("{total}", f"(?:{score})").replace("{date}", f"(?:{_DATE})")
    more = rf"(?: [\w-]+){{0,{longest - 1}}}" if longest > 1 else ""
    return Trend(
        sentence=rf"(?P<instrument>{_WORD}{more}) {_named(shape, score)}(?: {earlier})*",
        people=tuple(dict.fromkeys(_label(line) for line, _ in people)),
        names=tuple(value for person in everybody for field, value in person if field is Field.NAME),
        dates=tuple(dict.fromkeys(formats)),
        no_score=words,
    )


def _named(shape: str, score: str) -> str:
    return shape.replace("{total}", f"(?P<total>{score})").replace("{date}", f"(?P<authored_on>{_DATE})")


def _fits(shape: str, values: Sequence[str]) -> bool:
    fitting = sum(re.fullmatch(_named(shape, _ANY_SCORE), value) is not None for value in values)
    return bool(values) and fitting >= _MOST * len(values)


def _person(line: Line) -> tuple[tuple[Field, str], ...] | None:
    """A line that begins with a name and goes on with labelled values of the person; None for another line."""
    first, *rest = [joined(run) for run in line.runs()]
    labelled = [found for text in rest if (found := _labelled(text)) is not None]
    fields = [field for field, _, _ in labelled]
    whole = len(labelled) == len(rest) and len(set(fields)) == len(fields) and set(fields) <= IDENTITY
    if not whole or share(Field.NAME, [first]) < 1 or not {Field.MRN, Field.BIRTH_DATE} & set(fields):
        return None
    return (Field.NAME, first), *((field, value) for field, _, value in labelled)


def _label(line: Line) -> str:
    """The pattern of a person's line."""
    labelled = [found for run in line.runs()[1:] if (found := _labelled(joined(run))) is not None]
    pieces = [f"{re.escape(label)} (?P<{field}>{_VALUES.get(field, '.+')})" for field, label, _ in labelled]
    return " ".join(["(?P<name>.+?)", *pieces])


def _labelled(text: str) -> tuple[Field, str, str] | None:
    """The field, the label and the value of a text such as "DOB 08/18/1974"."""
    words = text.split()
    for n in range(min(LONGEST_HEADING, len(words) - 1), 0, -1):
        label, value = " ".join(words[:n]), " ".join(words[n:])
        field = heading_means(label.rstrip(":"))
        if field is not None and share(field, [value]) == 1:
            return field, label, value
    return None


def _course(line: Line) -> tuple[str, list[str]] | None:
    """The instrument that a line begins with and its further texts; None for another line."""
    first, *rest = [joined(run) for run in line.runs()]
    return (first, rest) if rest and named_instrument(first) is not None else None
