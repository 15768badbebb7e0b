"""The header of a table found in a sample without a template: a line, or several, of known headings."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parsers.drafting.close_headings import two_headings
from parsers.drafting.words import (
    behind_name,
    date_formats,
    heading_hints,
    heading_means,
    is_item_number,
    item_heading_means,
    named_instrument,
)
from parsers.header import find_headers
from parsers.lines import Line, joined, lines_of
from parsers.template_parts import Column, Field
from records.document import Document, Page, Word
from records.geometry import Region, around

_DEEPEST = 4  # lines of a heading
_LINE_GAP = 0.9  # widest gap between the lines of one heading, in line heights
_ROW_GAP = 2.5  # widest gap between two rows of a header, in line heights
_MOST_COLUMNS = 40
_FEWEST_CHOICES = 3
_FEWEST_STACKED = 3  # columns with a heading on each of two lines
_SAME_LEFT = 3.0  # points
_MOST = 0.8
_ROWS_BELOW = 8  # lines below a header that tell its columns apart
_NEAR_ROWS = 6  # lines below a header among which its rows begin
_FEWEST_COMPONENTS = 3
_ANSWERED: Final = frozenset({Field.POINTS, Field.ANSWER, Field.RINGED})
PERSON: Final = frozenset({Field.NAME, Field.FAMILY, Field.GIVEN, Field.BIRTH_DATE, Field.MRN})

Rank = Callable[[str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """The heading of one column.

    Attributes:
        text: Its words.
        under: Words of a heading that spans this column and its neighbours; or None.
        lines: Where each line of it heads a line of the cells ("Patient Name" over "Date of Birth"): these; else none.
    """

    text: str
    under: str | None = None
    lines: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """Its words with those above them."""
        return f"{self.under} {self.text}" if self.under else self.text

    def column(self) -> Column:
        """A column to find it by."""
        if self.lines:
            meant = tuple(heading_means(text) or Field.IGNORE for text in self.lines)
            return Column(header=self.text, under=self.under, field=Field.PARTS, lines=meant)
        return Column(header=self.text, under=self.under, field=Field.IGNORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHeader:
    """The likeliest header of a sample.

    Attributes:
        headings: From left to right.
        above: Headings of a line above it that have columns of their own, of lines about a person; mostly empty.
        dates: Date formats of further headings across the page that are dates; empty where there are none.
        days: How many such headings there are.
    """

    headings: tuple[Heading, ...]
    above: tuple[Heading, ...] = ()
    dates: tuple[str, ...] = ()
    days: int = 0


def find_table(document: Document) -> FoundHeader | None:
    """The likeliest header of a table of records, or None."""
    best: tuple[float, FoundHeader] | None = None
    for page in document.pages[:2]:
        lines = lines_of(page.words)
        for start, end, cells, score in _windows(lines, page, _rank, least=3):
            if best is None or score > best[0]:
                headings, first = _whole(lines, start, end, cells, page)
                found = FoundHeader(headings=_once(headings), above=_person_line(lines, first, headings, page))
                best = score, found
    return best[1] if best else None


def lists_people(header: FoundHeader | None) -> bool:
    """Whether a header is surely that of a list of people with their scores."""
    texts = [text for h in header.headings for text in h.lines or (h.text,)] if header is not None else []
    fields = [heading_means(text) for text in texts]
    return len(PERSON & {field for field in fields if field is not None}) >= 2 and len(fields) > 3


def find_flowsheet(document: Document) -> FoundHeader | None:
    """A header whose columns are dates, above rows that begin with the name of an instrument; or None."""
    for page in document.pages[:2]:
        lines = lines_of(page.words)
        for line, below in itertools.pairwise(lines):
            texts = [joined(run) for run in line.runs()]
            formats = date_formats(texts[1:])
            begins = named_instrument(joined(below.runs()[0])) is not None
            if len(texts) > 1 and formats and not date_formats(texts[:1]) and begins:
                return FoundHeader(headings=(Heading(text=texts[0]),), dates=formats, days=len(texts) - 1)
    return None


def find_component_header(document: Document) -> FoundHeader | None:
    """A header above rows that begin with an instrument's name and what of it they give; or None."""
    for page in document.pages[:2]:
        lines = lines_of(page.words)
        for number, line in enumerate(lines):
            texts = [joined(run) for run in line.runs()]
            below = [other for other in lines[number + 1 : number + 1 + _NEAR_ROWS] if _gives_component(other)]
            spoken = not any(character.isdigit() or character == ":" for character in line.text)
            if len(texts) > 1 and spoken and len(below) >= _FEWEST_COMPONENTS:
                return FoundHeader(headings=tuple(Heading(text=text) for text in texts))
    return None


def _gives_component(line: Line) -> bool:
    runs = line.runs()
    return len(runs) > 1 and bool(behind_name(joined(runs[0])))


def find_item_headers(page: Page) -> tuple[tuple[Heading, ...], ...]:
    """The headers of tables of questions on a page, from top to bottom, each arrangement once."""
    found: dict[tuple[Heading, ...], None] = {}
    lines = lines_of(page.words)
    taken = -1
    for start, end, cells, _ in sorted(_windows(lines, page, _item_rank, least=2), key=lambda w: (w[0], -w[3], w[1])):
        if start <= taken:
            continue
        headings, _ = _taller(lines, start, end, cells, page)
        if _asks(headings):
            found[headings] = None
            taken = end
    return tuple(found)


def _asks(headings: Sequence[Heading]) -> bool:
    fields = [item_heading_means(heading.text) for heading in headings]
    about_people = any(heading_means(h.text) in (*PERSON, Field.AUTHORED_ON) for h in headings)
    answered = bool(_ANSWERED & set(fields)) or fields.count(Field.CHOICE) >= _FEWEST_CHOICES
    return Field.LABEL in fields and answered and not about_people


def _item_rank(text: str) -> float:
    return 1.0 if item_heading_means(text) else -0.3


def _rank(text: str) -> float:
    meant = heading_means(text)
    if meant is not None or named_instrument(text) is not None or is_item_number(text):
        return 0.5 if meant is Field.IGNORE else 1.0
    return 0.3 if heading_hints(text) is not None else -0.3


def _windows(
    lines: Sequence[Line], page: Page, rank: Rank, *, least: int
) -> Iterator[tuple[int, int, tuple[Heading, ...], float]]:
    """First and last line of everything that may be a header, its headings, and how well they are known."""
    for start in range(len(lines)):
        for end in range(start, min(start + _DEEPEST, len(lines))):
            window = lines[start : end + 1]
            if not _together(window) or not any(c.isalnum() for c in window[-1].text):
                break
            below = lines[end + 1 : end + 1 + _ROWS_BELOW]
            cells = _cells(window, page, ruler=below[0] if below else None, below=below)
            known = [rank(cell.text) for cell in cells]
            if sum(value >= 1.0 for value in known) >= least and len(cells) <= _MOST_COLUMNS:
                # A line more that leaves every heading known ("Assessment", "Assessment Name") belongs to it.
                torn = _torn(lines, start, end, cells, page, rank) if end > start else 0
                yield start, end, cells, sum(known) + 0.02 * (end - start + 1) - torn


def _torn(lines: Sequence[Line], start: int, end: int, cells: Sequence[Heading], page: Page, rank: Rank) -> int:
    """How many headings known from one line alone are not known any more when the lines are put together."""
    single = {cell.text for line in lines[start : end + 1] for cell in _cells([line], page, ruler=None)}
    whole = {cell.text for cell in cells}
    unknown = [text for text in whole if rank(text) < 1.0]
    return sum(any(part in text and rank(part) >= 1.0 for part in single - whole) for text in unknown)


def _whole(
    lines: Sequence[Line], start: int, end: int, cells: tuple[Heading, ...], page: Page
) -> tuple[tuple[Heading, ...], int]:
    """A header with what stands above its line and belongs to it, and where it begins."""
    other = _repeated(lines, end, len(cells), page) or _stacked(lines, start, end, cells, page)
    headings, first = other or _taller(lines, start, end, cells, page)
    if (
        first < start
        and other is None
        and _person_line(lines, start, cells, page)
        and not _grown_known(cells, headings)
    ):
        return cells, start
    return headings, first


def _repeated(lines: Sequence[Line], end: int, count: int, page: Page) -> tuple[tuple[Heading, ...], int] | None:
    """The header below a line of instruments, each above the same headings as the others ("Base", "Last"), and its top.

    Without printed lines only this repetition says how far such a name reaches.
    """
    # What stands above in cells of its own may be farther away than a further line of the same heading.
    if end == 0 or not _together(lines[end - 1 : end + 1], gap=_ROW_GAP):
        return None
    cells = _cells(lines[end : end + 1], page, ruler=None)
    over = lines[end - 1].runs()
    found = find_headers(lines[end : end + 1], [cell.column() for cell in cells])
    if (
        len(cells) != count
        or len(over) < 2
        or any(named_instrument(joined(run)) is None for run in over)
        or len(found) != 1
    ):
        return None
    boxes = [cell.region for cell in found[0].cells]
    for size in range(2, len(cells) // len(over) + 1):
        for first in range(len(cells) - size * len(over) + 1):
            blocks = [range(first + size * n, first + size * (n + 1)) for n in range(len(over))]
            alike = {tuple(cells[at].text for at in block) for block in blocks}
            placed = all(
                boxes[block[0]].x0 <= _box(run).center[0] <= boxes[block[-1]].x1
                for block, run in zip(blocks, over, strict=True)
            )
            if len(alike) == 1 and placed:
                under = {at: joined(run) for block, run in zip(blocks, over, strict=True) for at in block}
                return tuple(replace(cell, under=under.get(at)) for at, cell in enumerate(cells)), end - 1
    return None


def _taller(
    lines: Sequence[Line], start: int, end: int, cells: tuple[Heading, ...], page: Page
) -> tuple[tuple[Heading, ...], int]:
    """The header with the lines above that are the first lines of its headings, and where it begins.

    A line above belongs to it if each of its runs stands over one heading, and no heading loses its meaning.
    """
    below = lines[end + 1] if end + 1 < len(lines) else None
    while start > 0 and end - start + 1 < _DEEPEST and _together(lines[start - 1 : start + 1]):
        taller = _cells(lines[start - 1 : end + 1], page, ruler=below)
        if len(taller) != len(cells) or len(lines[start - 1].runs()) < 2:
            break
        pairs = list(zip(cells, taller, strict=True))
        grown = [(old, new) for old, new in pairs if old != new]
        lost = [new for old, new in grown if _meant(old) is not None and _meant(new) is None]
        if not grown or len(lost) * 2 > len(grown):
            break
        cells, start = taller, start - 1
    return cells, start


def _grown_known(cells: Sequence[Heading], taller: Sequence[Heading]) -> bool:
    """Whether most headings that a line above made longer are known ones as they are then."""
    grown = [new.text for old, new in zip(cells, taller, strict=False) if old != new]
    known = sum(heading_means(text) is not None or named_instrument(text) is not None for text in grown)
    return known * 2 >= len(grown)


def _stacked(
    lines: Sequence[Line], start: int, end: int, cells: tuple[Heading, ...], page: Page
) -> tuple[tuple[Heading, ...], int] | None:
    """The header with the line above or below it whose headings are those of each cell's other line, and its top.

    Every heading of that line begins where one of this line begins, and together they are no heading of their own.
    """
    if end > start or any(cell.under for cell in cells):
        return None
    for first, second in ((start, start + 1), (start - 1, start)):
        if first < 0 or second >= len(lines) or not _together(lines[first : second + 1]):
            continue
        upper, lower = (_by_left(lines[n], page) for n in (first, second))
        pairs = [(text, next((other for y, other in lower if abs(x - y) <= _SAME_LEFT), None)) for x, text in upper]
        both = [(text, below) for text, below in pairs if below is not None]
        known = [pair for pair in both if all(heading_means(text) is not None for text in pair)]
        apart = [pair for pair in both if heading_means(" ".join(pair)) is None]
        fields = [heading_means(text) for pair in both for text in pair if heading_means(text) is not Field.IGNORE]
        if (
            len(both) >= _FEWEST_STACKED and len(both) == len(lower) and len(upper) == len(cells)
            and len(known) >= _MOST * len(both) and len(apart) >= _MOST * len(both) and len(set(fields)) == len(fields)
        ):  # fmt: skip
            headings = (
                Heading(text=f"{text} {below}", lines=(text, below)) if below is not None else Heading(text=text)
                for text, below in pairs
            )
            return tuple(headings), first
    return None


def _by_left(line: Line, page: Page) -> list[tuple[float, str]]:
    """The headings of one line with where each begins."""
    found: list[tuple[float, str]] = []
    rest = list(line.words)
    for cell in _cells([line], page, ruler=None):
        found.append((rest[0].region.x0, cell.text))
        rest = rest[len(cell.text.split()) :]
    return found


def _meant(heading: Heading) -> object:
    return (
        heading_means(heading.text)
        or item_heading_means(heading.text)
        or named_instrument(heading.whole)
        or heading_hints(heading.text)
    )


def _person_line(lines: Sequence[Line], first: int, headings: Sequence[Heading], page: Page) -> tuple[Heading, ...]:
    """The headings of a line above the header that is about persons, where the header itself is not."""
    if first == 0 or any(heading_means(h.text) in PERSON for h in headings):
        return ()
    cells = _cells(lines[first - 1 : first], page, ruler=None)
    known = [heading_means(cell.text) for cell in cells]
    about = sum(field in PERSON for field in known)
    return cells if about >= 2 and _together(lines[first - 1 : first + 1]) else ()


def _once(headings: tuple[Heading, ...]) -> tuple[Heading, ...]:
    """The headings of one table, where the page prints the same table twice or more beside itself."""
    for times in (4, 3, 2):
        count, rest = divmod(len(headings), times)
        if not rest and count >= 2 and headings == headings[:count] * times:
            return headings[:count]
    return headings


def _together(window: Sequence[Line], *, gap: float = _LINE_GAP) -> bool:
    return all(
        low.region.top - high.region.bottom <= gap * (high.region.bottom - high.region.top)
        for high, low in itertools.pairwise(window)
    )


def _cells(
    window: Sequence[Line], page: Page, *, ruler: Line | None, below: Sequence[Line] = ()
) -> tuple[Heading, ...]:
    """The words of some lines put together by what stands above each other, from left to right.

    Args:
        window: The lines.
        page: Their page.
        ruler: The line below them, which may be a ruler of dashes.
        below: The lines below them: headings that stand as close as words are told apart by the cells below.
    """
    top, bottom = window[0].region.top, max(line.region.bottom for line in window)
    drawn = [rule.region for rule in page.rules if not rule.is_horizontal]
    upright = [rule.x0 for rule in drawn if rule.top < bottom and rule.bottom > top]
    marks = [word.region for word in ruler.words] if ruler is not None and _is_ruler(ruler) else []
    runs = [piece for line in window for run in line.runs() for piece in _cut(run, upright, marks)]
    reaching = [(run, _reach(run, drawn)) for run in runs]
    spanning = [(run, reach) for run, reach in reaching if _spans(run, reach, runs)]
    over = {id(run) for run, _ in spanning}
    merged: list[list[Word]] = []
    for group in sorted((list(run) for run in runs if id(run) not in over), key=lambda words: words[0].region.x0):
        box, last = _box(group), _box(merged[-1]) if merged else None
        if last is not None and min(box.x1, last.x1) - max(box.x0, last.x0) > 0.5:
            merged[-1] += group
        else:
            merged.append(group)
    return tuple(
        Heading(
            text=joined(piece),
            under=next((joined(run) for run, reach in spanning if _share(reach, _box(piece)) > 0.5), None),
        )
        for words in merged
        for piece in two_headings(sorted(words, key=lambda w: (round(w.region.center[1]), w.region.x0)), upright, below)
    )


def _is_ruler(line: Line) -> bool:
    return len(line.words) > 2 and all(set(word.text) <= set("-=_") for word in line.words)


def _spans(run: Sequence[Word], reach: Region, runs: Sequence[Sequence[Word]]) -> bool:
    """Whether a run is an instrument's name above several headings."""
    below = [_box(other) for other in runs if _box(other).center[1] > reach.bottom and _share(_box(other), reach) > 0.5]
    beside = any(abs(one.center[1] - two.center[1]) < 2 for one, two in itertools.combinations(below, 2))
    return beside and named_instrument(joined(run)) is not None


def _reach(run: Sequence[Word], drawn: Sequence[Region]) -> Region:
    """What a run stands over: as far as the printed lines on both sides of it, else its own width."""
    box = _box(run)
    beside = [rule.x0 for rule in drawn if rule.top < box.center[1] < rule.bottom]
    left = max((x for x in beside if x <= box.x0), default=None)
    right = min((x for x in beside if x >= box.x1), default=None)
    return box if left is None or right is None else replace(box, x0=left, x1=right)


def _share(one: Region, other: Region) -> float:
    return min(one.x1, other.x1) - max(one.x0, other.x0)


def _box(words: Sequence[Word]) -> Region:
    return around([word.region for word in words])


def _cut(run: tuple[Word, ...], upright: Sequence[float], marks: Sequence[Region]) -> list[tuple[Word, ...]]:
    pieces: list[list[Word]] = [[run[0]]]
    for left, right in itertools.pairwise(run):
        ruled = any(left.region.x1 - 1 <= x <= right.region.x0 + 1 for x in upright)
        if ruled or _marked(left, marks) != _marked(right, marks):
            pieces.append([])
        pieces[-1].append(right)
    return [tuple(piece) for piece in pieces]


def _marked(word: Word, marks: Sequence[Region]) -> int | None:
    """Which stroke of a ruler made of dashes stands below the word."""
    return next((n for n, mark in enumerate(marks) if _share(word.region, mark) > 0), None)
