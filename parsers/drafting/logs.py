"""Logs: a line that names a person, and below it a line with several scores and whatever else was noted."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from parsers.drafting.conventions import USUAL_NO_SCORE
from parsers.drafting.group_lines import of_dates
from parsers.drafting.vocabulary import NO_SCORE
from parsers.drafting.words import date_formats, heading_means, named_instrument, share
from parsers.instrument_library import load_instruments, resolve
from parsers.lines import Line, folded, lines_of
from parsers.template_parts import Field
from records.document import Document

_FEWEST = 2  # lines of people, and of scores
_MOST: Final = 0.8  # of the lines of scores stand below a person's line
_LONGEST_NAME: Final = 4  # words of an instrument's name
_NAME: Final = r"[^\W\d_][\w'’.-]*,?(?: [^\W\d_][\w'’.-]*,?)*"
_TIME: Final = r"(?:\d{1,2}:?\d{2}(?: ?[ap]\.?m?\.?)? )?"
_BORN: Final = re.compile(r"\b(?P<cue>born|b\.|dob:?|d\.o\.b\.:?|birth ?date:?|date of birth:?) ", re.IGNORECASE)
_NUMBER: Final = re.compile(
    r"(?<!\S)(?P<cue>mrn:?|mr ?#:?|chart(?: no\.?| #)?:?|record(?: no\.?| #)?:?|id:?|no\.?:?|#) "
    r"(?P<mrn>[A-Z]{0,4}-?\d[\d-]+)(?!\S)",
    re.IGNORECASE,
)
_END: Final = r"(?:[;,]| \|)?"  # what stands between two scores
_SEX: Final = re.compile(r"(?<!\S)(?P<sex>[MFX]|Male|Female)(?!\S)")
_SCORE: Final = re.compile(
    r"(?P<name>[^=:]+?)(?P<sign> ?[=:] ?| )(?P<score>\d{1,3}(?: ?/ ?\d{1,3})?|[^\W\d][^()\d=:]*?)"
    r"(?: \((?P<word>[^()\d]+)\))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A layout of this kind.

    Attributes:
        sentence: Pattern of one score with what else is noted beside it.
        headings: Patterns of the lines that say whose scores follow, and of which day.
        names: The names in them.
        dates: Formats that read birth dates, and days.
        no_score: What stands in place of a score.
    """

    sentence: str
    headings: tuple[str, ...]
    names: tuple[str, ...]
    dates: tuple[str, ...]
    no_score: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A piece of a line between two marks.

    Attributes:
        sign: What stands between the instrument's name and its score; None for what is no score.
        words: How many words the instrument's name has.
        nothing: What stands in place of a score, or None.
    """

    text: str
    sign: str | None = None
    words: int = 0
    nothing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A line about a person.

    Attributes:
        pattern: Regular expression of the whole line.
    """

    pattern: str
    name: str
    born: str
    seen: str | None


def find_log(documents: Sequence[Document]) -> Log | None:
    """How the samples log people and their scores, or None where they do not."""
    lines = [line for document in documents for page in document.pages for line in lines_of(page.words)]
    scored = [(n, parts) for n, line in enumerate(lines) if (parts := _parts_of(line.text))]
    people = {n: person for n, line in enumerate(lines) if (person := person_line(line)) is not None}
    parts = [part for _, each in scored for part in each]
    signs = Counter(part.sign for part in parts if part.sign and part.nothing is None)
    below = [n for n, _ in scored if n - 1 in people]
    # Of a line without a day that of the person before would hold.
    mixed = len({person.seen is None for person in people.values()}) > 1
    if mixed or len(people) < _FEWEST or len(signs) != 1 or len(below) < max(_FEWEST, _MOST * len(scored)):
        return None
    sign = next(iter(signs))
    assert sign is not None
    days = [line.text for line in lines if date_formats([line.text])]
    born = [person.born for person in people.values()]
    seen = [person.seen for person in people.values() if person.seen]
    nothing = tuple(
        dict.fromkeys([part.nothing for part in parts if part.nothing] + [w.lower() for w in USUAL_NO_SCORE])
    )
    headings = [person.pattern for person in people.values()]
    days_pattern = [of_dates(days).pattern] if days else []
    return Log(
        sentence=_sentence(parts, sign, nothing),
        headings=tuple(dict.fromkeys([*days_pattern, *headings])),
        names=tuple(person.name for person in people.values()),
        dates=tuple(dict.fromkeys((*date_formats(born)[:1], *date_formats(days)[:1], *date_formats(seen)[:1]))),
        no_score=nothing,
    )


def _parts_of(text: str) -> list[_Part]:
    """The pieces of a line with scores; none for another line."""
    parts = [_part(piece) for piece in re.split(r"[;,]\s+|\s+\|\s+|;$", text) if piece.strip()]
    return parts if any(part.sign is not None for part in parts) else []


def _part(text: str) -> _Part:
    match = _SCORE.fullmatch(text)
    if match is None or named_instrument(match["name"]) is None or len(match["name"].split()) > _LONGEST_NAME:
        return _Part(text=text)
    score, words = match["score"], len(match["name"].split())
    if score[0].isdigit():
        return _Part(text=text, sign=match["sign"], words=words)
    if folded(score) in {folded(word) for word in NO_SCORE}:
        return _Part(text=text, sign=match["sign"], words=words, nothing=score)
    return _Part(text=text)


def _sentence(parts: Sequence[_Part], sign: str, nothing: Sequence[str]) -> str:
    """One score; what else is noted, in the same shape again and again, stands before or behind it."""
    longest = max(part.words for part in parts)
    more = rf"(?: [\w-]+){{0,{longest - 1}}}?" if longest > 1 else ""
    signs = {part.sign for part in parts if part.nothing is not None and part.sign is not None} | {" "}
    none = "|".join(re.escape(word).replace(r"\ ", " ") for word in sorted(nothing, key=len, reverse=True))
    before = "|".join(sorted(map(re.escape, signs), key=len, reverse=True)).replace(r"\ ", " ")
    shown = re.escape(sign).replace(r"\ ", " ")
    score = rf"(?:{shown}(?=\d)|(?:{before})(?={none}))(?P<total>\d{{1,3}}(?: ?/ ?\d{{1,3}})?|{none})"
    notes = "|".join(_notes(parts))
    ahead = rf"(?:(?:{notes}){_END} )*" if notes else ""
    behind = rf"(?: (?:{notes}){_END})*" if notes else ""
    return rf"{ahead}(?P<instrument>[^\W\d][\w-]*{more}){score}(?: \((?P<severity>[^()\d]+)\))?{_END}{behind}"


def _notes(parts: Sequence[_Part]) -> Iterator[str]:
    """What is noted beside scores more than once, its numbers made general.

    What may be a score of something unknown ("K6 = 12", "PHQ 14") is none of it: it stays for a person.
    """
    counted = Counter(_general(part.text) for part in parts if part.sign is None and not _may_be_a_score(part.text))
    yield from (text for text, count in counted.items() if count >= _FEWEST)


def _general(text: str) -> str:
    """A note with its numbers and months made general: "BP 112/83", "return 30MAR2026"."""
    return re.sub(r"\d+(?:[A-Z]{3}(?=\d))?", lambda n: r"\d+[A-Z]{3}" if n[0][-1].isalpha() else r"\d+", _plain(text))


def _plain(text: str) -> str:
    return re.escape(text).replace(r"\ ", " ").replace(r"\-", "-")


def _may_be_a_score(text: str) -> bool:
    """Whether a note may be the score of something that is not known by this name."""
    over = re.search(r"(?<!\S)(\d{1,3}) ?/ ?(\d{1,3})(?!\S)", text)
    if over is not None and int(over[1]) > int(over[2]):
        # No score exceeds its own maximum: a blood pressure.
        text = text[: over.start()] + "0" * 4 + text[over.end() :]
    alone = re.search(r"(?<!\S)\d{1,3}(?: ?/ ?\d{1,3})?(?!\S)", text) is not None
    named = any(resolve(word, load_instruments()).candidates or named_instrument(word) for word in text.split())
    return alone or named or "=" in text or ":" in text or not re.match(r"[^\W\d_]{2,} \d", text)


def person_line(line: Line) -> Person | None:
    """A line that begins with a name, and goes on with a birth date or a record number behind a word that says so."""
    text = line.text
    number = _NUMBER.search(text)
    dated = [(cue, day) for cue in _BORN.finditer(text) if (day := _day(text[cue.end() :])) is not None]
    if not dated or number is None:
        return None
    born, day = dated[0]
    found = [
        (born.start(), born.end() + len(day), f"{_plain(born['cue'])} (?P<birth_date>{_of_words(len(day.split()))})"),
        (number.start(), number.end(), f"{_plain(number['cue'])} (?P<mrn>\\S+)"),
    ]
    sex = _SEX.search(text)
    if sex is not None and all(sex.end() <= start or sex.start() >= end for start, end, _ in found):
        found.append((sex.start(), sex.end(), r"(?P<sex>[MFX]|Male|Female)"))
    found.sort()
    begins, at = _beginning(text)
    name = text[at : found[0][0]].strip(" ,")
    between = [text[end:start] for (_, end, _), (start, _, _) in itertools.pairwise(found)]
    plain = re.fullmatch(_NAME, name) is not None and share(Field.NAME, [name]) == 1
    if not plain or any(gap.strip(" ,;") for gap in between) or re.search(r"[\d=]", text[found[-1][1] :]):
        return None
    comma = "," if text[: found[0][0]].rstrip().endswith(",") else ""
    rest = "(?: [^\\d=;]+)?"
    pattern = rf"{begins}(?P<name>\D+?){comma} " + "".join(
        piece + (_plain(gap) if number < len(between) else "")
        for number, ((_, _, piece), gap) in enumerate(zip(found, [*between, ""], strict=True))
    )
    return Person(pattern=pattern + rest, name=name, born=day, seen=_day(text))


def _beginning(text: str) -> tuple[str, int]:
    """The pattern of a day, a time of day or a label before the name, and where the name begins."""
    label = text.split()[0]
    if heading_means(label.rstrip(":")) is Field.NAME:
        return f"{_plain(label)} ", len(label) + 1
    day = _day(text)
    begins = _TIME if day is None else rf"(?P<authored_on>{_of_words(len(day.split()))}) {_TIME}"
    match = re.match(begins, text)
    return begins, match.end() if match else 0


def _day(text: str) -> str | None:
    """The date that a text begins with, or None."""
    words = text.split()
    return next((day for n in (1, 2, 3) if date_formats([day := " ".join(words[:n])])), None)


def _of_words(count: int) -> str:
    return r"\S+" + r" \S+" * (count - 1)
