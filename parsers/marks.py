"""Which of several printed answers is marked: by a cross, a tick, a filled box, or a ring around it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from parsers.lines import folded
from parsers.scores import UnreadableScoreError
from records.document import Mark, MarkKind, Word
from records.geometry import Region, around
from records.report import Choice, ItemRow

_MARKS = frozenset({
    "x", "✓", "✔", "☑", "☒", "✗", "✘", "✕", "✖", "●", "◉", "⦿", "■", "◼", "•", "⊗", "*",
    "[x]", "(x)", "{x}", "[✓]", "(✓)", "[•]", "(•)", "[*]", "(*)",
})  # fmt: skip
_EMPTY = frozenset({
    "", "☐", "○", "◯", "□", "❏", "❑", "◻", "▢", "[]", "()", "{}", "_", "__", "___", "-", "–", "—", ".", "·",
})  # fmt: skip


# A mark of which this share of its width lies in a cell may belong to it; one across a border belongs to both.
_SHARED = 0.2
# A mark stands beside a question if it is not farther from it than this share of the way to the next question …
_WAY_TO_NEXT = 0.6
# … and not farther than this many points left or right of its answers.
_ASIDE = 24.0


def marks_in(area: Region, marks: Sequence[Mark]) -> int:
    """How many marks stand in a box: on its height, and with more than a small part of their width in it."""
    return sum(_stands_in(area, mark) for mark in marks)


def _stands_in(area: Region, mark: Mark) -> bool:
    return _share_in(area, mark) > _SHARED


def _share_in(area: Region, mark: Mark) -> float:
    """How much of the mark's width lies in a box on whose height it stands, 0..1."""
    box = mark.region
    if box.page != area.page or not area.top <= box.center[1] <= area.bottom:
        return 0.0
    return max(0.0, min(box.x1, area.x1) - max(box.x0, area.x0)) / (box.x1 - box.x0)


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


def with_stray_marks(answers: Sequence[ItemRow], marks: Sequence[Mark]) -> list[ItemRow]:
    """The answers; a mark beside a question that belongs to none of its answers marks them all.

    A ring around two digits, or a cross beside the boxes, is no blank answer: a person must see what was meant.

    Args:
        answers: The questions of one table.
        marks: All marks of the page.
    """
    places = [[place for c in answer.choices if (place := c.cell.area or c.cell.region)] for answer in answers]
    boxes = {number: around(found) for number, found in enumerate(places) if found}
    heights = sorted(box.center[1] for box in boxes.values())
    pitch = min((low - high for high, low in itertools.pairwise(heights) if low - high > 1), default=0.0)
    strays: Counter[int] = Counter()
    for mark in marks:
        if any(_is_taken(answer, mark) for answer in answers):
            continue
        x, y = mark.region.center
        away = {n: abs(y - box.center[1]) for n, box in boxes.items() if box.x0 - _ASIDE < x < box.x1 + _ASIDE}
        strays.update(n for n, distance in away.items() if distance <= _WAY_TO_NEXT * pitch)
    return [_all_marked(answer, strays[number]) for number, answer in enumerate(answers)]


def _is_taken(answer: ItemRow, mark: Mark) -> bool:
    """Whether the mark belongs to one of these answers, or to two between which it stands."""
    cells = [choice.cell for choice in answer.choices]
    if sum(_share_in(cell.area, mark) for cell in cells if cell.area is not None) > 1 - _SHARED:
        return True
    ringed_ones = [c for c in cells if c.area is None and c.region and mark.region.holds(*c.region.center)]
    return mark.kind is MarkKind.RING and len(ringed_ones) == 1


def _all_marked(answer: ItemRow, more: int) -> ItemRow:
    choices = tuple(replace(c, cell=replace(c.cell, marks=c.cell.marks + more)) for c in answer.choices)
    return replace(answer, choices=choices)


def is_answered(item: ItemRow, *, marks: Sequence[str]) -> bool:
    """Whether a question has an answer, or something that cannot be read as none."""
    try:
        marked = chosen(item.choices, marks=marks) is not None
    except UnreadableScoreError:
        return True
    return marked or bool(item.points.text) or (item.answer is not None and bool(item.answer.text))


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
