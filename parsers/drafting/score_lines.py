"""Lines that are one score each ("PHQ-9 4 on 08/05/2026, minimal"), below a line that says whose they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parsers.drafting.conventions import USUAL_NO_SCORE
from parsers.drafting.logs import Log, Person, person_line
from parsers.drafting.vocabulary import SEVERITIES
from parsers.drafting.words import date_formats, is_severity, named_instrument
from parsers.lines import lines_of
from records.document import Document

_FEWEST: Final = 2  # lines of people, and of scores
_LONGEST_NAME: Final = 4  # words of an instrument's name
_LONGEST_DATE: Final = 3
_SCORE: Final = re.compile(r"\d{1,3}(?:/\d{1,3})?")
_GLUE: Final = frozenset({"on", "dated", "scored", "score", "total", "given", "completed", "taken", "is", "was", "="})


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScoreLine:
    """One such line as a pattern that holds no value of it.

    Attributes:
        day: Its date as printed.
    """

    pattern: str
    day: str


def find_score_lines(documents: Sequence[Document]) -> Log | None:
    """How the samples list people with a line for each of their scores, or None where they do not.

    Each line with a score must stand below a person's, with nothing but further scores of this person between.
    """
    people: list[Person] = []
    scored: list[_ScoreLine] = []
    for document in documents:
        owned = False
        for line in (line for page in document.pages for line in lines_of(page.words)):
            person, score = person_line(line), _score_line(line.text)
            if score is not None and not owned:
                return None
            people += [person] if person is not None else []
            scored += [score] if score is not None else []
            owned = person is not None or (owned and score is not None)
    patterns = Counter(score.pattern for score in scored)
    if len(people) < _FEWEST or len(scored) < _FEWEST or len(patterns) > 1:
        return None
    return Log(
        sentence=next(iter(patterns)),
        headings=tuple(dict.fromkeys(person.pattern for person in people)),
        names=tuple(person.name for person in people),
        dates=tuple(
            dict.fromkeys(
                (*date_formats([p.born for p in people])[:1], *date_formats([score.day for score in scored])[:1])
            )
        ),
        no_score=tuple(word.lower() for word in USUAL_NO_SCORE),
    )


def _score_line(text: str) -> _ScoreLine | None:
    """A line that names an instrument and holds its score, a day, and perhaps a severity, and nothing else."""
    words = text.split()
    lengths = range(min(_LONGEST_NAME, len(words) - 1), 0, -1)
    at = next((n for n in lengths if named_instrument(" ".join(words[:n]).rstrip(":")) is not None), None)
    if at is None:
        return None
    pieces = [r"(?P<instrument>[^\W\d][^:=]*?)" + (":" if words[at - 1].endswith(":") else "")]
    found: dict[str, str] = {}
    while at < len(words):
        name, body, count = _value(words, at, found) or ("", "", 0)
        if count == 0 and words[at].casefold() not in _GLUE:
            return None
        if count == 0:
            pieces.append(re.escape(words[at]))
            at += 1
            continue
        last = words[at + count - 1]
        found[name] = " ".join(words[at : at + count]).rstrip(",;.")
        pieces.append(f"(?P<{name}>{body})" + re.escape(last[len(last.rstrip(",;.")) :]))
        at += count
    if not found.keys() >= {"total", "authored_on"}:
        return None
    return _ScoreLine(pattern=" ".join(pieces), day=found["authored_on"])


def _severities(printed: str) -> str:
    """The usual words for a severity in the letters of one of them: what follows in the next line is none of it."""
    style = str.lower if printed.islower() else str.upper if printed.isupper() else str.capitalize
    return "|".join(
        re.escape(style(word)).replace(r"\ ", " ") for word in sorted(SEVERITIES, key=lambda w: (-len(w), w))
    )


def _value(words: Sequence[str], at: int, found: dict[str, str]) -> tuple[str, str, int] | None:
    """What a value that begins at a word is, what describes it, and of how many words it is."""
    for count in range(min(_LONGEST_DATE, len(words) - at), 0, -1):
        text = " ".join(words[at : at + count]).rstrip(",;.")
        if "authored_on" not in found and date_formats([text]):
            return "authored_on", " ".join([r"\S+"] * count), count
        if "severity" not in found and "total" in found and is_severity(text):
            return "severity", _severities(text), count
    if "total" not in found and _SCORE.fullmatch(words[at].rstrip(",;")):
        return "total", r"\d{1,3}(?:/\d{1,3})?", 1
    return None
