"""The ledger of a page: every printed word belongs to something, or it is a finding."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from operator import itemgetter

from parsers.lines import Line, Placed, folded, lines_of_placed, placed
from parsers.template_parts import Furniture
from records.document import Page, Word
from records.finding import Finding
from records.geometry import Region, around


class Claims:
    """Which words of one page have been claimed so far."""

    def __init__(self, page: Page) -> None:
        self._words = page.words
        self._placed = placed(page.words)
        self._claimed: set[int] = set()
        self._furniture: set[int] = set()
        self._free: tuple[Line, ...] | None = None

    def claim(self, words: Iterable[Word]) -> None:
        """Mark words as belonging to a field, a heading or page furniture."""
        self._claimed.update(id(word) for word in words)
        self._free = None

    def release(self, words: Iterable[Word]) -> None:
        """Take back a claim: the words may be part of a record."""
        self._claimed.difference_update(id(word) for word in words)
        self._free = None

    def is_free(self, word: Word) -> bool:
        """Whether nothing has claimed the word."""
        return id(word) not in self._claimed

    def free_lines(self, within: Region | None = None) -> tuple[Line, ...]:
        """What nothing has claimed, as lines; of a part of the page if a box is given."""
        if within is not None:
            return lines_of_placed([each for each in self._inside(within) if id(each[-1]) not in self._claimed])
        if self._free is None:
            self._free = lines_of_placed([each for each in self._placed if id(each[-1]) not in self._claimed])
        return self._free

    def all_lines(self, within: Region) -> tuple[Line, ...]:
        """What stands in a part of the page, claimed or not, as lines."""
        return lines_of_placed(self._inside(within))

    def _inside(self, within: Region) -> list[Placed]:
        low, high = within.x0, within.x1
        first = bisect.bisect_left(self._placed, within.top, key=itemgetter(0))
        last = bisect.bisect_right(self._placed, within.bottom, key=itemgetter(0))
        return [each for each in self._placed[first:last] if low <= each[-1].region.center[0] <= high]

    def furniture_lines(self, within: Region | None = None) -> tuple[Line, ...]:
        """What furniture has claimed, as lines; of a part of the page if a box is given."""
        near = self._placed if within is None else self._inside(within)
        taken = self._furniture & self._claimed
        return lines_of_placed([each for each in near if id(each[-1]) in taken])

    def claim_furniture(self, furniture: Iterable[Furniture], *, rows_from: float | None) -> None:
        """Claim every run, or neighbouring runs of a line, that a piece of furniture describes as a whole.

        Args:
            furniture: What may be printed besides records. It may repeat words that are claimed already, such as a
                clinic's name.
            rows_from: Where the rows of a table begin, in points from the top; None where there is no table. From
                there on furniture fills whole lines: "1 / 2" is a page number at the foot and a score in a row.
        """
        pieces = tuple(furniture)
        for line in lines_of_placed(self._placed):
            in_rows = rows_from is not None and line.region.center[1] > rows_from
            free = tuple(word for word in line.words if self.is_free(word))
            for part in (line.words, free) if len(free) < len(line.words) else (free,):
                whole = in_rows and part is free
                found = (
                    [word for words in described_runs(Line(part), pieces, whole=whole) for word in words]
                    if part
                    else []
                )
                rest = {id(word) for word in free} - {id(word) for word in found}
                if found and not (in_rows and rest):
                    self.claim(found)
                    self._furniture.update(id(word) for word in found)
                    break

    def findings(self) -> tuple[Finding, ...]:
        """One finding per run of words that nothing claims."""
        return tuple(
            Finding(
                code="unclaimed-word",
                region=around([word.region for word in run]),
                detail=" ".join(word.text for word in run),
            )
            for line in self.free_lines()
            for run in line.runs()
        )


def described_runs(line: Line, furniture: Iterable[Furniture], *, whole: bool = False) -> tuple[tuple[Word, ...], ...]:
    """The word groups of a line that furniture describes: whole runs, the longest first, none twice.

    Args:
        line: Where to look.
        furniture: What to look for.
        whole: Whether to look no further where they cannot be the line as a whole.
    """
    pieces = tuple(furniture)
    texts = frozenset([folded(piece.text) for piece in pieces if piece.text is not None])
    patterns = [piece.pattern for piece in pieces if piece.text is None and piece.pattern is not None]
    runs = line.runs()
    printed = [" ".join([word.text for word in run]) for run in runs]

    def is_described(start: int, end: int) -> bool:
        text = " ".join(printed[start:end])
        return any(pattern.fullmatch(text) for pattern in patterns) or (bool(texts) and folded(text) in texts)

    if whole and not any(is_described(0, end) for end in range(1, len(runs) + 1)):
        return ()
    taken: set[int] = set()
    found: list[tuple[Word, ...]] = []
    spans = [(start, end) for start in range(len(runs)) for end in range(start + 1, len(runs) + 1)]
    for start, end in sorted(spans, key=lambda span: span[0] - span[1]):
        if taken and not taken.isdisjoint(range(start, end)):
            continue
        if is_described(start, end):
            taken.update(range(start, end))
            found.append(tuple(word for run in runs[start:end] for word in run))
    return tuple(found)


def describes(piece: Furniture, text: str) -> bool:
    """Whether the piece of furniture is this text as a whole."""
    if piece.text is not None:
        return folded(piece.text) == folded(text)
    return piece.pattern is not None and piece.pattern.fullmatch(text) is not None
