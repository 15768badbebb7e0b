"""Which of several printed answers is marked: by a cross, a tick, a filled box, or a ring around it."""

from __future__ import annotations

from collections.abc import Sequence

from parsers.lines import folded
from parsers.scores import UnreadableScoreError
from records.document import Mark, MarkKind, Word
from records.geometry import Region
from records.report import Choice

_MARKS = frozenset({
    "x", "✓", "✔", "☑", "☒", "✗", "✘", "✕", "✖", "●", "◉", "⦿", "■", "◼", "•", "⊗", "*",
    "[x]", "(x)", "{x}", "[✓]", "(✓)", "[•]", "(•)", "[*]", "(*)",
})  # fmt: skip
_EMPTY = frozenset({
    "", "☐", "○", "◯", "□", "❏", "❑", "◻", "▢", "[]", "()", "{}", "_", "__", "___", "-", "–", "—", ".", "·",
})  # fmt: skip


def marks_in(area: Region, marks: Sequence[Mark]) -> int:
    """How many marks have their middle in a box."""
    return sum(mark.region.page == area.page and area.holds(*mark.region.center) for mark in marks)


def rings_around(region: Region, marks: Sequence[Mark]) -> int:
    """How many rings go around the middle of a box."""
    return sum(
        mark.kind is MarkKind.RING and mark.region.page == region.page and mark.region.holds(*region.center)
        for mark in marks
    )


def ringed(word: Word, words: Sequence[Word], marks: Sequence[Mark]) -> int:
    """How many rings go around this word and no other one."""
    rings = [mark.region for mark in marks if mark.kind is MarkKind.RING and mark.region.holds(*word.region.center)]
    return sum(sum(ring.holds(*other.region.center) for other in words) == 1 for ring in rings)


def chosen(choices: Sequence[Choice], *, marks: Sequence[str]) -> int | None:
    """The points of the marked answer, or None if none is marked.

    Args:
        choices: All answers printed beside one question.
        marks: What the layout prints as a mark; the usual ones if empty.

    Raises:
        UnreadableScoreError: Several are marked, or something else is printed where a mark stands.
    """
    known = {folded(text) for text in marks} or _MARKS
    found: list[int] = []
    for choice in choices:
        text = folded(choice.cell.text)
        marked = choice.cell.marks > 0 or text in known
        if not marked and text not in _EMPTY and text != str(choice.points):
            raise UnreadableScoreError(f"no mark in a cell of {len(text)} characters")
        found += [choice.points] if marked else []
    if len(found) > 1:
        raise UnreadableScoreError(f"{len(found)} answers are marked")
    return found[0] if found else None
