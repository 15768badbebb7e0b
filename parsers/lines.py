"""Words put into lines, lines into runs, and the search for printed phrases in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from records.document import Word
from records.geometry import Region, around

# Words stand on one line when their middles differ by less than this share of the smaller height. Cells that a
# browser centres beside a two-line cell are off by half a line, so it must stay below one half.
SAME_LINE = 0.35
_ANY = "any letter"
# A gap wider than this share of the height ends a run of words. A space of a fixed-pitch face is 0.6 of its height.
_RUN_GAP = 0.65


@dataclass(frozen=True, slots=True)
class Line:
    """Words on one height of a page, from left to right; never empty."""

    words: tuple[Word, ...]
    region: Region = field(init=False, repr=False, compare=False)  # the box around its words

    def __post_init__(self) -> None:
        object.__setattr__(self, "region", around([word.region for word in self.words]))

    @property
    def text(self) -> str:
        """Its words, one space between them."""
        return joined(self.words)

    def runs(self) -> tuple[tuple[Word, ...], ...]:
        """The words in groups without a wide gap, from left to right."""
        groups: list[list[Word]] = [[self.words[0]]]
        for left, right in zip(self.words, self.words[1:], strict=False):
            height = min(_height(left), _height(right))
            if right.region.x0 - left.region.x1 > _RUN_GAP * height:
                groups.append([])
            groups[-1].append(right)
        return tuple(tuple(group) for group in groups)


def joined(words: Iterable[Word]) -> str:
    """The words with one space between them; a word that a line break split after its hyphen is joined again."""
    text = ""
    last: Word | None = None
    for word in words:
        wrapped = last is not None and word.region.top > last.region.bottom - 0.5 * _height(last)
        glued = wrapped and len(text) > 1 and text.endswith("-") and not text.endswith(" -")
        text += word.text if not text or glued else f" {word.text}"
        last = word
    return text


def folded(text: str) -> str:
    """Text for comparing printed words: no case, no spaces, dashes and quotes of one kind, ligatures resolved."""
    if text.isascii():  # what follows changes none of these, and reports are made of them
        return "".join(text.lower().split())
    plain = unicodedata.normalize("NFKC", text).casefold()
    for dash in "‐‑‒–—−":
        plain = plain.replace(dash, "-")
    return "".join(plain.replace("’", "'").replace("‘", "'").split())


Placed = tuple[float, float, int, float, Word]
"""Middle of its height, left edge, number among its fellows, height, and the word."""


def lines_of(words: Iterable[Word]) -> tuple[Line, ...]:
    """The words as lines, from top to bottom."""
    return lines_of_placed(placed(words))


def placed(words: Iterable[Word]) -> list[Placed]:
    """The words by height and from left to right; words of one place stay in their order."""
    found = [
        ((box.top + box.bottom) / 2, box.x0, number, max(box.bottom - box.top, 0.1), word)
        for number, (word, box) in enumerate([(word, word.region) for word in words])
    ]
    found.sort()
    return found


def lines_of_placed(words: Iterable[Placed]) -> tuple[Line, ...]:
    """As `lines_of`, of words, or some of them, as `placed` has them."""
    rows: list[list[Word]] = []
    first_y = first_height = 0.0
    for y, _, _, height, word in words:
        if rows and abs(y - first_y) < SAME_LINE * min(height, first_height):
            rows[-1].append(word)
        else:
            rows.append([word])
            first_y, first_height = y, height
    return tuple([Line(tuple(sorted(row, key=_left))) for row in rows])


def _left(word: Word) -> float:
    return word.region.x0


def find_on_line(line: Line, phrase: str, *, colon: bool = False) -> tuple[tuple[Word, ...], ...]:
    """Every place on one line where the phrase is printed in whole words.

    Args:
        line: Where to look.
        phrase: Compared by `folded`.
        colon: Whether a colon may follow the phrase.
    """
    wanted = folded(phrase)
    endings = {wanted, wanted + ":"} if colon else {wanted}
    found: list[tuple[Word, ...]] = []
    for start in range(len(line.words)):
        text = ""
        for end in range(start, len(line.words)):
            text += folded(line.words[end].text)
            if text in endings:
                if colon and text == wanted and end + 1 < len(line.words) and line.words[end + 1].text == ":":
                    end += 1
                found.append(line.words[start : end + 1])
                break
            if not wanted.startswith(text):
                break
    return tuple(found)


class PhraseSearch:
    """Lines in which several phrases are looked for, their words by the first letter."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._words: dict[str, list[tuple[int, int, Word]]] = {}
        for number, line in enumerate(lines):
            for place, word in enumerate(line.words):
                # Any letter may be another one when folded, but for those of ASCII.
                letter = word.text[:1] if word.text.isascii() else _ANY
                self._words.setdefault(letter, []).append((number, place, word))

    def find(self, phrase: str) -> tuple[tuple[Word, ...], ...]:
        """As `find_wrapped`."""
        wanted = folded(phrase)
        begin = [*self._words.get(wanted[:1], ()), *self._words.get(_ANY, ())]
        if wanted[:1].isascii() and wanted[:1].upper() != wanted[:1]:
            begin += self._words.get(wanted[:1].upper(), ())
        found: list[tuple[Word, ...]] = []
        for number, place, word in sorted(begin, key=itemgetter(0, 1)):
            begins = folded(word.text)
            if begins and wanted.startswith(begins):
                found += _continued(self._lines, number, place, (word,), begins, wanted)
        return tuple(found)


def find_wrapped(lines: Sequence[Line], phrase: str) -> tuple[tuple[Word, ...], ...]:
    """Every place where the phrase is printed over one or more lines, as in the header of a narrow column."""
    return PhraseSearch(lines).find(phrase)


def _continued(
    lines: Sequence[Line], number: int, place: int, taken: tuple[Word, ...], text: str, wanted: str
) -> Iterator[tuple[Word, ...]]:
    if text == wanted:
        yield taken
        return
    last = taken[-1]
    line = lines[number]
    if place + 1 < len(line.words):
        right = line.words[place + 1]
        near = right.region.x0 - last.region.x1 <= 1.2 * _height(last)
        if near and wanted.startswith(text + folded(right.text)):
            yield from _continued(lines, number, place + 1, (*taken, right), text + folded(right.text), wanted)
    hull = around([word.region for word in taken])
    for below in range(number + 1, len(lines)):
        gap = lines[below].region.top - hull.bottom
        if gap > 1.2 * _height(last):
            break
        for there, word in enumerate(lines[below].words):
            starts_cell = word.region.x0 < hull.x1 and word.region.x1 > hull.x0
            # The next line of a cell begins about one line below, not half a line: that is a neighbour's.
            lower = word.region.center[1] - last.region.center[1] > 0.7 * _height(last)
            if starts_cell and lower and wanted.startswith(text + folded(word.text)):
                yield from _continued(lines, below, there, (*taken, word), text + folded(word.text), wanted)


def _height(word: Word) -> float:
    return max(word.region.bottom - word.region.top, 0.1)
