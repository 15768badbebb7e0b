"""Records out of running text: a sentence per record, over as many lines as it takes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from parsers.claims import Claims
from parsers.group_headings import Groups, cells_of_pattern
from parsers.lines import Line, folded
from parsers.template_parts import SCORES, Sentences
from records.document import Page, Word
from records.finding import Finding
from records.geometry import around
from records.report import Cell, ExtractedRow

# Lines of one paragraph stand closer than this many line heights.
_PARAGRAPH_GAP = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePage:
    """The records of a page's sentences.

    Attributes:
        no_score: Sentences that say there is no score.
    """

    rows: tuple[ExtractedRow, ...]
    no_score: int


def extract_sentences(
    page: Page, sentences: Sentences, claims: Claims, groups: Groups, *, no_score: Sequence[str]
) -> SentencePage:
    """The records of a page, in reading order; claims their words.

    A sentence begins and ends with whole words of one paragraph. What stands between sentences stays unclaimed.

    Args:
        page: The page.
        sentences: How a record is written.
        claims: What of the page is taken already.
        groups: What headings on the pages before say; updated.
        no_score: What the score says where there is none; such a sentence is counted and is no record.
    """
    nothing = {folded(text) for text in no_score}
    rows: list[ExtractedRow] = []
    without = 0
    for known in paragraphs(claims.furniture_lines()):
        for match in sentences.pattern.finditer(known.joined):
            # A record is never furniture, whatever else describes its lines.
            claims.release(known.words_of(match.start(), match.end()) or ())
    for text in _texts(claims.free_lines(), sentences):
        if isinstance(text, Line):
            groups.take(_heard(text, sentences))
            claims.claim(text.words)
            continue
        for match in sentences.pattern.finditer(text.joined):
            words = text.words_of(match.start(), match.end())
            if words is None:
                continue
            claims.claim(words)
            groups.row_taken()
            own = tuple(_cells(match, text))
            named = {name for name, _ in own}
            told = [(name, cell) for name, cell in groups.said.items() if name not in named]
            cells = (*own, *told)
            if any(name in SCORES and folded(cell.text) in nothing for name, cell in cells):
                without += 1
                continue
            box = around([word.region for word in words])
            row = ExtractedRow(page=page.number, region=box, cells=cells, instrument=sentences.instrument)
            if any(name in groups.doubted for name, _ in told):
                row = replace(row, findings=(Finding(code="row-ambiguous", region=box),))
            rows.append(row)
    return SentencePage(rows=tuple(rows), no_score=without)


def _texts(lines: Sequence[Line], sentences: Sentences) -> Iterator[Line | RunningText]:
    """Headings as lines, and what stands between them as texts."""
    between: list[Line] = []
    for line in lines:
        if any(group.pattern is not None and group.pattern.fullmatch(line.text) for group in sentences.groups):
            yield from paragraphs(between)
            yield line
            between = []
        else:
            between.append(line)
    yield from paragraphs(between)


def _heard(line: Line, sentences: Sentences) -> dict[str, Cell]:
    """What a heading says."""
    patterns = [group.pattern for group in sentences.groups if group.pattern is not None]
    return next((cells for pattern in patterns if (cells := cells_of_pattern(line, pattern)) is not None), {})


@dataclass(frozen=True, slots=True)
class RunningText:
    """Words of a paragraph joined by single spaces, and where each begins."""

    words: tuple[Word, ...]

    @property
    def joined(self) -> str:
        """The whole text."""
        return " ".join(word.text for word in self.words)

    @property
    def starts(self) -> list[int]:
        """Where each word begins, and one past the end."""
        return [0, *itertools.accumulate(len(word.text) + 1 for word in self.words)]

    def words_of(self, start: int, end: int) -> tuple[Word, ...] | None:
        """The words that a piece of the text fills, or None if it begins or ends inside a word."""
        starts = self.starts
        if start not in starts or end + 1 not in starts:
            return None
        return self.words[starts.index(start) : starts.index(end + 1)]

    def words_around(self, start: int, end: int) -> tuple[Word, ...]:
        """The words that a piece of the text touches."""
        return tuple(
            word
            for word, begin in zip(self.words, self.starts, strict=False)
            if begin < end and begin + len(word.text) > start
        )


def paragraphs(lines: Sequence[Line]) -> Iterator[RunningText]:
    """The lines put together, a new text where a gap is wider than between lines."""
    words: list[Word] = []
    last: Line | None = None
    for line in lines:
        if last is not None:
            height = min(last.region.bottom - last.region.top, line.region.bottom - line.region.top)
            if line.region.top - last.region.bottom > _PARAGRAPH_GAP * height:
                yield RunningText(tuple(words))
                words = []
        words += line.words
        last = line
    if words:
        yield RunningText(tuple(words))


def _cells(match: re.Match[str], text: RunningText) -> Iterator[tuple[str, Cell]]:
    for name, value in match.groupdict().items():
        if value:
            words = text.words_around(match.start(name), match.end(name))
            yield name, Cell(text=value.strip(), region=around([word.region for word in words]))
