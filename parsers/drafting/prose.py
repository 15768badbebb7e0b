"""Sentences of running text that are a record each, found in a sample without a template."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from parsers.drafting.vocabulary import NO_SCORE
from parsers.drafting.words import date_formats, is_severity, named_instrument
from parsers.lines import lines_of
from parsers.sentence_extraction import paragraphs
from parsers.template_parts import Field
from records.document import Document

_FEWEST = 2  # sentences that make a pattern
_DATE: Final = re.compile(
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}[- ][A-Z][a-z]{2,8}[- ,]{1,2}\d{2,4}|[A-Z][a-z]{2,8} \d{1,2},? \d{4}"
)
_BORN: Final = re.compile(r"(dob|d\.o\.b\.|born|birth|birthdate|date of birth)\W*(on )?$", re.IGNORECASE)
_NUMBER: Final = re.compile(
    r"(?<=\b)(MRN|MR ?#|chart(?: no\.?| number| #)?|record(?: no\.?| number| #)?|ID|#|no\.)[:#]? ?"
    r"(?P<mrn>[A-Z]{0,4}-?\d[\d-]{2,})",
    re.IGNORECASE,
)
_POINTS: Final = r"\d{1,3}(?: ?/ ?\d{1,3}| (?:out )?of \d{1,3})?"  # "9", "9/27", "9 out of 27"
_TOTAL: Final = re.compile(
    r"\b(?:scored?|total|result|sum|points|score of|score was|score is)\b\D{0,12}?"
    rf"(?P<total>{_POINTS})(?![\d/.-]*\d)",
    re.IGNORECASE,
)
_SEVERITY: Final = re.compile(r" \((?P<severity>[^()\d]+)\)")
_NAME: Final = re.compile(
    r"(?P<name>[^\W\d_][\w'’.-]*,?(?: [^\W\d_][\w'’.-]*,?){1,5})(?= \(| ?,? (?:DOB|born|MRN|completed|scored|took))"
)
# A sentence ends with a word of two letters or digits at least, or a bracket, that is no abbreviation in a name.
_ENDS: Final = re.compile(
    r"(?<=[\w)][\w)][.!?])(?<!\bJr\.)(?<!\bSr\.)(?<!\bSt\.)(?<!\bDr\.)(?<!\bMr\.)(?<!\bMs\.) (?=[A-Z])"
)
_BEGINNING: Final = r"(?:^|(?<=[.!?] ))"
_SHORT: Final = r"[^\W\d_](?:[\w'’-]*|\w{0,2}\.),?"
_SHORT_NAME: Final = rf"(?P<name>{_SHORT}(?: {_SHORT}){{1,5}}?)"
_PHRASES: Final = 7  # words of an instrument's name


class _Piece(NamedTuple):
    start: int
    end: int
    field: Field
    pattern: str


_VALUES: Final = {
    Field.NAME: r"(?P<name>[^\W\d_][\w'’.-]*,?(?: [^\W\d_][\w'’.-]*,?){1,5}?)",
    Field.BIRTH_DATE: r"(?P<birth_date>[\w/.,-]+(?: [\w.,-]+){0,2}?)",
    Field.AUTHORED_ON: r"(?P<authored_on>[\w/.,-]+(?: [\w.,-]+){0,2}?)",
    Field.MRN: r"(?P<mrn>[A-Z]{0,4}-?\d[\d-]+)",
    Field.INSTRUMENT: r"(?P<instrument>.+?)",
    Field.SEVERITY: r"(?: \((?P<severity>[^()]+)\))?",
}


def sentence_patterns(documents: Sequence[Document]) -> list[str]:
    """Patterns of sentences that name a person, an instrument and a score, or say that there is none."""
    texts = [
        text.joined for document in documents for page in document.pages for text in paragraphs(lines_of(page.words))
    ]
    return _scored(_pattern(text) for text in texts) or _scored(
        _pattern(sentence, one_of_many=True) for text in texts for sentence in _ENDS.split(text)
    )


def _scored(patterns: Iterable[str | None]) -> list[str]:
    """Those patterns that come again with a score, and with them those that say there is none."""
    counted = Counter(pattern for pattern in patterns if pattern is not None)
    scored = [pattern for pattern, count in counted.most_common() if r"\d{1,3}" in pattern and count >= _FEWEST]
    if not scored:
        return []
    return [*scored, *(p for p, _ in counted.most_common() if r"\d{1,3}" not in p)]


def _pattern(text: str, *, one_of_many: bool = False) -> str | None:
    """A paragraph as a pattern, or None if it is no record.

    Args:
        text: Its words joined by single spaces.
        one_of_many: It is one sentence of a paragraph: no value may reach into another one.
    """
    pieces: list[_Piece] = []
    for piece in _pieces(text):
        free = all(piece.end <= other.start or piece.start >= other.end for other in pieces)
        new = piece.field is Field.SEVERITY or all(piece.field is not other.field for other in pieces)
        if free and new:
            pieces.append(piece)
    fields = {piece.field for piece in pieces}
    if not {Field.NAME, Field.INSTRUMENT, Field.TOTAL} <= fields or len(fields) < 4:
        return None
    pattern, at = "", 0
    for piece in sorted(pieces):
        pattern += re.escape(text[at : piece.start]).replace(r"\ ", " ") + piece.pattern
        at = piece.end
        if piece.field is Field.TOTAL and Field.SEVERITY not in fields:
            # Another sentence may print a severity where this one has none.
            pattern += _VALUES[Field.SEVERITY]
    pattern += re.escape(text[at:]).replace(r"\ ", " ")
    return _within_sentence(pattern) if one_of_many else pattern


def _within_sentence(pattern: str) -> str:
    """The pattern with values that end with their sentence, at the beginning of one."""
    return _BEGINNING + pattern.replace(_VALUES[Field.NAME], _SHORT_NAME).replace(
        _VALUES[Field.INSTRUMENT], r"(?P<instrument>[^.?!;]+?)"
    )


def _pieces(text: str) -> Iterator[_Piece]:
    """Everything in a text that may be a value, what is surest first."""
    name = _NAME.match(text)
    if name is not None:
        yield _Piece(name.start("name"), name.end("name"), Field.NAME, _VALUES[Field.NAME])
    for found in _DATE.finditer(text):
        if date_formats([found[0]]):
            field = Field.BIRTH_DATE if _BORN.search(text[: found.start()]) else Field.AUTHORED_ON
            yield _Piece(found.start(), found.end(), field, _VALUES[field])
    for found in _NUMBER.finditer(text):
        yield _Piece(found.start("mrn"), found.end("mrn"), Field.MRN, _VALUES[Field.MRN])
    yield from _instruments(text)
    for found in _TOTAL.finditer(text):
        yield _Piece(found.start("total"), found.end("total"), Field.TOTAL, f"(?P<total>{_POINTS})")
    for found in _SEVERITY.finditer(text):
        if is_severity(found["severity"]):
            yield _Piece(found.start(), found.end(), Field.SEVERITY, _VALUES[Field.SEVERITY])
    for found in re.finditer(r"\w+", text):
        if found[0].casefold() in NO_SCORE:
            yield _Piece(found.start(), found.end(), Field.TOTAL, f"(?P<total>{re.escape(found[0])})")


def _instruments(text: str) -> Iterator[_Piece]:
    words = list(re.finditer(r"\S+", text))
    for length in range(_PHRASES, 0, -1):
        for start in range(len(words) - length + 1):
            a, b = words[start].start(), words[start + length - 1].end()
            phrase = text[a:b].rstrip(".,;:")
            if named_instrument(phrase) is not None:
                yield _Piece(a, a + len(phrase), Field.INSTRUMENT, _VALUES[Field.INSTRUMENT])
                return
