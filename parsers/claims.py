"""The ledger of a page: every printed word belongs to something, or it is a finding."""

from __future__ import annotations

from collections.abc import Iterable

from parsers.lines import Line, folded, lines_of
from parsers.template_parts import Furniture
from records.document import Page, Word
from records.finding import Finding
from records.geometry import Region, around


class Claims:
    """Which words of one page have been claimed so far."""

    def __init__(self, page: Page) -> None:
        self._words = page.words
        self._claimed: set[int] = set()

    def claim(self, words: Iterable[Word]) -> None:
        """Mark words as belonging to a field, a heading or page furniture."""
        self._claimed.update(id(word) for word in words)

    def is_free(self, word: Word) -> bool:
        """Whether nothing has claimed the word."""
        return id(word) not in self._claimed

    def free_lines(self, within: Region | None = None) -> tuple[Line, ...]:
        """What nothing has claimed, as lines; of a part of the page if a box is given."""
        return lines_of(
            word for word in self._words if self.is_free(word) and (within is None or within.holds(*word.region.center))
        )

    def all_lines(self, within: Region) -> tuple[Line, ...]:
        """What stands in a part of the page, claimed or not, as lines."""
        return lines_of(word for word in self._words if within.holds(*word.region.center))

    def claim_furniture(self, furniture: Iterable[Furniture], *, rows_from: float | None) -> None:
        """Claim every run, or neighbouring runs of a line, that a piece of furniture describes as a whole.

        Args:
            furniture: What may be printed besides records. It may repeat words that are claimed already, such as a
                clinic's name.
            rows_from: Where the rows of a table begin, in points from the top; None where there is no table. From
                there on furniture fills whole lines: "1 / 2" is a page number at the foot and a score in a row.
        """
        pieces = tuple(furniture)
        for line in lines_of(self._words):
            in_rows = rows_from is not None and line.region.center[1] > rows_from
            free = tuple(word for word in line.words if self.is_free(word))
            for part in (line.words, free):
                found = [word for words in described_runs(Line(part), pieces) for word in words] if part else []
                rest = {id(word) for word in free} - {id(word) for word in found}
                if found and not (in_rows and rest):
                    self.claim(found)
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


def described_runs(line: Line, furniture: Iterable[Furniture]) -> tuple[tuple[Word, ...], ...]:
    """The word groups of a line that furniture describes: whole runs, the longest first, none twice."""
    pieces = tuple(furniture)
    runs = line.runs()
    taken: set[int] = set()
    found: list[tuple[Word, ...]] = []
    spans = [(start, end) for start in range(len(runs)) for end in range(start + 1, len(runs) + 1)]
    for start, end in sorted(spans, key=lambda span: span[0] - span[1]):
        if taken.intersection(range(start, end)):
            continue
        words = tuple(word for run in runs[start:end] for word in run)
        if any(describes(piece, " ".join(word.text for word in words)) for piece in pieces):
            taken.update(range(start, end))
            found.append(words)
    return tuple(found)


def describes(piece: Furniture, text: str) -> bool:
    """Whether the piece of furniture is this text as a whole."""
    if piece.text is not None:
        return folded(piece.text) == folded(text)
    return piece.pattern is not None and piece.pattern.fullmatch(text) is not None
