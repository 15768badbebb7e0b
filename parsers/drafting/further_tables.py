"""Headers of a sample's further tables of records, where another header than the first stands below or beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parsers.drafting.headings import PERSON, FoundHeader, Heading
from parsers.drafting.words import heading_hints, heading_means, named_instrument
from parsers.lines import folded, joined, lines_of
from parsers.template_parts import Field
from records.document import Document

_FEWEST: Final = 3  # headings that are known for sure


def further_tables(document: Document, first: FoundHeader) -> tuple[FoundHeader, ...]:
    """The headers of the other tables on the first pages, from top to bottom, each once.

    Every text of such a line is a heading, at least one of a person and one of a score, and one at least differs from
    those of the first table: the same header again is that table going on.
    """
    seen = {frozenset(folded(heading.text) for heading in first.headings)}
    found: list[FoundHeader] = []
    for line in (line for page in document.pages[:2] for line in lines_of(page.words)):
        texts = [joined(run) for run in line.runs()]
        own = frozenset(map(folded, texts))
        if _is_header(texts) and not any(own <= other for other in seen):
            seen.add(own)
            found.append(FoundHeader(headings=tuple(Heading(text=text) for text in texts)))
    return tuple(found)


def _is_header(texts: Sequence[str]) -> bool:
    fields = [Field.TOTAL if named_instrument(text) is not None else heading_means(text) for text in texts]
    known = [field for field in fields if field is not None]
    sure = len(known) >= _FEWEST and Field.TOTAL in known and bool(PERSON & set(known))
    return sure and all(f is not None or heading_hints(text) is not None for f, text in zip(fields, texts, strict=True))
