"""Lines below the rows of a sample that say more about the row above them: "born 03/28/1995, F, Moderate"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parsers.drafting.words import date_formats, heading_means, is_severity, share
from parsers.lines import Line
from parsers.template_parts import Field

# The fields of such a line, with what describes one word of them, and of how many words they are at most.
_SHAPES: Final[dict[Field, tuple[str, int]]] = {
    Field.BIRTH_DATE: (r"\S+", 3),
    Field.AUTHORED_ON: (r"\S+", 3),
    Field.MRN: (r"\S+", 1),
    Field.SEX: ("[A-Za-z]+", 1),
    Field.SEVERITY: (r"[^\d,;|]+", 2),
}
_BARE: Final = (Field.SEX, Field.SEVERITY)  # need no label
_DATES: Final = (Field.BIRTH_DATE, Field.AUTHORED_ON)
_LONGEST_LABEL: Final = 3  # words
_SEPARATORS: Final = frozenset("|·•-–—;,/")
_FEWEST: Final = 2  # rows, to tell a line below a row from one above the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One such line.

    Attributes:
        pattern: Regular expression of the whole line; nothing of a person is in it.
        values: What the sample prints there.
    """

    pattern: str
    values: dict[Field, str]

    def without(self, known: frozenset[Field]) -> str:
        """The pattern that leaves out what the row itself says."""
        pattern = self.pattern
        for field in known & self.values.keys():
            pattern = pattern.replace(f"(?P<{field.value}>", "(?:")
        return pattern


def detail_of(text: str) -> Detail | None:
    """The values of a line that holds nothing else, at least one of them behind a word that says what it is."""
    words = text.split()
    values: dict[Field, str] = {}
    pieces: list[str] = []
    labelled = False
    at = 0
    while at < len(words):
        if words[at] in _SEPARATORS:
            pieces.append(re.escape(words[at]))
            at += 1
            continue
        found = _labelled(words, at) or _bare(words, at)
        if found is None or found[0] in values:
            return None
        field, start, end = found
        labelled = labelled or start > at
        value = " ".join(words[start:end])
        values[field] = value.rstrip(",;")
        behind = re.escape(value[len(values[field]) :])
        pieces += map(re.escape, words[at:start])
        pieces.append(f"(?P<{field.value}>{_body(field, end - start)}){behind}")
        at = end
    return Detail(pattern=" ".join(pieces), values=values) if labelled else None


def _body(field: Field, count: int) -> str:
    word, _ = _SHAPES[field]
    return word if field is Field.SEVERITY else " ".join([word] * count)


def _labelled(words: Sequence[str], at: int) -> tuple[Field, int, int] | None:
    """A field whose label begins at a word, where its value begins, and where it ends."""
    for start in range(min(at + _LONGEST_LABEL, len(words) - 1), at, -1):
        field = heading_means(" ".join(words[at:start]).rstrip(":#."))
        end = _end(field, words, start) if field in _SHAPES else None
        if field is not None and end is not None:
            return field, start, end
    return None


def _bare(words: Sequence[str], at: int) -> tuple[Field, int, int] | None:
    return next(((field, at, end) for field in _BARE if (end := _end(field, words, at)) is not None), None)


def _end(field: Field | None, words: Sequence[str], start: int) -> int | None:
    """Where a value of this field ends that begins at a word, or None if none does."""
    if field is None:
        return None
    for count in range(min(_SHAPES[field][1], len(words) - start), 0, -1):
        text = " ".join(words[start : start + count]).rstrip(",;")
        if text and _is_value(field, text):
            return start + count
    return None


def _is_value(field: Field, text: str) -> bool:
    if field in _DATES:
        return bool(date_formats([text]))
    return is_severity(text) if field is Field.SEVERITY else share(field, [text]) == 1 and any(map(str.isalnum, text))


def details_below(lines: Sequence[Line], rows: Sequence[Line], *, known: bool) -> list[tuple[Line, Detail]]:
    """The detail lines of a table, if there is exactly one below each of its rows; else none.

    What stands above the first row too, or not below the last, may be headings of the rows below them.

    Args:
        lines: What stands below the header, from top to bottom.
        rows: Those of these lines that look like rows.
        known: Whether other pages have such lines: then one row is enough.
    """
    found, kinds = _told_apart(lines, rows)
    pairs = len(kinds) // 2
    return found if kinds == [False, True] * pairs and pairs >= (1 if known else _FEWEST) else []


def doubtful_below(lines: Sequence[Line], rows: Sequence[Line]) -> list[tuple[Line, Detail]]:
    """Such lines of the first table of a sample, if a row stands above the first of them.

    Nobody knows whether they speak of the rows above or below them: they are left to a person.
    """
    found, kinds = _told_apart(lines, rows)
    return [] if kinds[:1] == [True] else found


def _told_apart(lines: Sequence[Line], rows: Sequence[Line]) -> tuple[list[tuple[Line, Detail]], list[bool]]:
    """The lines that hold values and nothing else, and for these and the rows in order whether each is one."""
    found = [(line, detail) for line in lines if (detail := detail_of(line.text)) is not None]
    theirs = {id(line) for line, _ in found}
    own = {id(line) for line in rows} - theirs
    return found, [id(line) in theirs for line in lines if id(line) in theirs | own]
