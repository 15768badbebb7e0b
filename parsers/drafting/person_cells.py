"""Cells that print a name with labelled values below it: "Justin Baker  Client ID H-7043  Born 1976-04-30"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parsers.drafting.words import date_formats, heading_means, share
from parsers.template_parts import Field

_SAID: Final = frozenset({Field.MRN, Field.BIRTH_DATE, Field.SEX, Field.PHONE})
_LONGEST_LABEL: Final = 3  # words
_LONGEST_DATE: Final = 3
_MOST: Final = 0.9  # of the cells have one form


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCells:
    """What such cells hold.

    Attributes:
        pattern: Regular expression of the whole cell.
        values: Field to what the samples print there.
    """

    pattern: str
    values: dict[Field, tuple[str, ...]]


def person_cells(cells: Sequence[str]) -> PersonCells | None:
    """How a column's cells print persons, or None where most of them are no name with labelled values behind it."""
    filled = [" ".join(cell.split()) for cell in cells if cell.strip()]
    read = [found for cell in filled if (found := _read(cell)) is not None]
    if not read or len(read) < _MOST * len(filled):
        return None
    pattern = Counter(pattern for pattern, _ in read).most_common(1)[0][0]
    alike = [values for own, values in read if own == pattern]
    if len(alike) < _MOST * len(filled) or share(Field.NAME, [values[Field.NAME] for values in alike]) < _MOST:
        return None
    return PersonCells(pattern=pattern, values={field: tuple(values[field] for values in alike) for field in alike[0]})


def _read(cell: str) -> tuple[str, dict[Field, str]] | None:
    words = cell.split()
    first = next((n for n in range(1, len(words)) if _label(words, n) is not None), None)
    if first is None:
        return None
    values = {Field.NAME: " ".join(words[:first]).rstrip(",;")}
    pieces = ["(?P<name>.+?)"]
    at = first
    while at < len(words):
        label = _label(words, at)
        if label is None:
            return None
        field, end, count = label
        if field in values:
            return None
        values[field] = " ".join(words[end : end + count]).strip(",;")
        body = " ".join([r"\S+"] * count)
        pieces.append(f"{_plain(' '.join(words[at:end]))} (?P<{field.value}>{body})")
        at = end + count
    return " ".join(pieces), values


def _label(words: Sequence[str], at: int) -> tuple[Field, int, int] | None:
    """The field of a label that begins at a word, where its value begins, and of how many words that is."""
    for end in range(min(at + _LONGEST_LABEL, len(words) - 1), at, -1):
        field = heading_means(" ".join(words[at:end]).rstrip(":#."))
        if field not in _SAID:
            continue
        longest = _LONGEST_DATE if field is Field.BIRTH_DATE else 1
        for count in range(1, longest + 1):
            text = " ".join(words[end : end + count])
            if bool(date_formats([text])) if field is Field.BIRTH_DATE else share(field, [text]) == 1:
                return field, end, count
    return None


def _plain(text: str) -> str:
    return re.escape(text).replace(r"\ ", " ").replace(r"\-", "-")
