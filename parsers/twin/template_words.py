"""Which words of a page are the template's own: headers, labels, anchors, furniture, questions. They stay in a twin."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from parsers.claims import described_runs, describes
from parsers.header import find_headers
from parsers.labels import find_labels
from parsers.lines import Line, find_on_line, find_wrapped, folded, lines_of
from parsers.template import Template
from records.document import Page, Word

_LETTERS = re.compile(r"[^\W\d_]+")


def template_words(page: Page, template: Template, *, pages: int) -> frozenset[int]:
    """The `id` of each word of the page that the template itself spells out.

    Args:
        page: The page.
        template: The template.
        pages: Pages of the document: "Page 2 of 3" keeps its numbers, else the twin would seem to lack pages.
    """
    lines = lines_of(page.words)
    kept = {id(word) for words in _phrases(lines, template) for word in words}
    for words, pattern in _described(lines, template):
        kept |= {id(word) for word in words if is_spelt_out(word.text, pattern.pattern)}
        kept |= {id(word) for word in words if _counts_pages(word.text, {page.number, pages})}
    return frozenset(kept)


def _phrases(lines: Sequence[Line], template: Template) -> Iterator[Sequence[Word]]:
    for anchor in template.anchors:
        yield from find_wrapped(lines, anchor)
    for clinic in template.clinics:
        for line in lines:
            yield from find_on_line(line, clinic)
    for columns in template.headers:
        for header in find_headers(lines, columns):
            yield (*header.words, *header.over)
    for place in find_labels(lines, template.labelled):
        yield place.words
    for text in (piece.text for piece in template.unread if piece.text is not None):
        yield from find_wrapped(lines, text)
    for items in template.items:
        for text in (*items.wording, *(row.label for row in items.summary)):
            yield from find_wrapped(lines, text)


def _described(lines: Sequence[Line], template: Template) -> Iterator[tuple[Sequence[Word], re.Pattern[str]]]:
    """Runs of words with the pattern that describes them as a whole."""
    pieces = [piece for piece in template.unread if piece.pattern is not None]
    for line in lines:
        for words in (line.words, *described_runs(line, pieces)):
            text = " ".join(word.text for word in words)
            for piece in pieces:
                if piece.pattern is not None and describes(piece, text):
                    yield words, piece.pattern
        for pattern in template.patterns:
            if pattern.fullmatch(line.text):
                yield line.words, pattern


def is_spelt_out(word: str, pattern: str) -> bool:
    """Whether the pattern says this very word: what it leaves open may be a name."""
    runs = {folded(run) for run in _LETTERS.findall(word)}
    if not runs:
        return False
    if any(character.isdigit() for character in word):
        return word in pattern.replace("\\", "")
    return runs <= set(_literals(pattern))


def _literals(pattern: str) -> Iterable[str]:
    bare = re.sub(r"\\[a-zA-Z]|\[[^\]]*\]|\(\?P<\w+>|\(\?[a-z:=!<]+|\{[^}]*\}", " ", pattern)
    return (folded(run) for run in _LETTERS.findall(bare))


def _counts_pages(word: str, numbers: set[int]) -> bool:
    return word.isdecimal() and len(word) <= 3 and int(word) in numbers
