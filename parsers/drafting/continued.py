"""Lines of a sample that repeat whose page it is, where a person's rows go on without the labels of the first page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from parsers.drafting.fields import Guess
from parsers.labels import find_labels, read_values
from parsers.lines import Line, lines_of
from parsers.template_parts import IDENTITY, Field, LabelledField
from records.document import Document, Page
from records.geometry import Region

_SHAPES = {Field.MRN: r"\S+", Field.SEX: r"\S+"}
_ENOUGH = frozenset({Field.NAME, Field.MRN})  # one of them at least tells whose page it is


def continued_lines(documents: Sequence[Document], guesses: Sequence[Guess]) -> tuple[str, ...]:
    """Patterns of whole lines with what the labelled values of the page before say as named groups.

    Args:
        documents: The samples.
        guesses: The labelled values of their pages.
    """
    fields = [
        LabelledField(label=guess.heading, field=guess.field, place=guess.place, optional=True)
        for guess in guesses
        if guess.field in IDENTITY
    ]
    found = (pattern for document in documents for pattern in _patterns(document, fields))
    return tuple(dict.fromkeys(found))


def _patterns(document: Document, fields: Sequence[LabelledField]) -> Iterator[str]:
    known: dict[Field, str] = {}
    for page in document.pages:
        lines = lines_of(page.words)
        said = _values(page, lines, fields)
        if said:
            known = said
            continue
        for line in lines:
            pattern = _pattern(line.text, known)
            if pattern is not None:
                yield pattern


def _values(page: Page, lines: Sequence[Line], fields: Sequence[LabelledField]) -> dict[Field, str]:
    whole = Region(page.number, 0, 0, page.width, page.height)
    values = read_values(lines, find_labels(lines, fields), fields, within=whole)
    return {wanted.field: cell.text for wanted, cell in values.cells if cell.text}


def _pattern(text: str, known: dict[Field, str]) -> str | None:
    """The line with each known value in it as a group, or None if it does not say whose it is."""
    pieces: dict[str, Field] = {}
    for field, value in known.items():
        if len(value) > 1 and len(re.findall(rf"(?<!\S){re.escape(value)}(?!\S)", text)) == 1:
            pieces[value] = field
    if not _ENOUGH & set(pieces.values()):
        return None
    parts = re.split("|".join(rf"(?<!\S)({re.escape(value)})(?!\S)" for value in sorted(pieces, key=len)), text)
    return "".join(
        f"(?P<{pieces[part]}>{_SHAPES.get(pieces[part], '.+')})" if part in pieces else _between(part)
        for part in parts
        if part is not None
    )


def _between(text: str) -> str:
    return re.sub(r"\d+", r"\\d+", re.escape(text).replace(r"\ ", " "))
