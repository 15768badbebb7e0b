"""Which of several scores of one questionnaire is the one to send: the last, not the one at the start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parsers.drafting.words import heading_means, named_instrument, plain, share
from parsers.template_parts import Field

# The newest score, the surest word first. "Last" beside "Score" is the one before; beside "Base" it is the newest.
_NEWEST: Final = (
    "current", "latest", "most recent", "recent", "now", "today", "this visit", "last",
)  # fmt: skip
_EARLIER: Final = frozenset({
    "base", "baseline", "bl", "initial", "first", "start", "intake", "admission", "admit", "enrollment", "prior",
    "previous", "prev", "before", "pre", "change", "chg", "diff", "difference", "delta", "trend", "goal", "target",
    "best", "lowest", "highest",
})  # fmt: skip
_SCORES: Final = 0.6  # of the values below a heading look like scores
_NOISE: Final = frozenset({"score", "total", "result", "value"})


def scores_by_time(
    found: Sequence[tuple[str, Sequence[str]]], under: Sequence[str | None]
) -> tuple[tuple[str, Field] | None, ...]:
    """For each heading its instrument and whether it is that instrument's newest score or one to ignore, else None.

    Args:
        found: Headings with the values below them.
        under: For each the heading above it that spans several, or None.
    """
    told = [_told(heading, over) for (heading, _), over in zip(found, under, strict=True)]
    meant: list[tuple[str, Field] | None] = [None] * len(found)
    for instrument in {each[0] for each in told if each is not None}:
        own = {n: each[1] for n, each in enumerate(told) if each is not None and each[0] == instrument}
        if not any(word in _EARLIER for word in own.values()):
            continue
        newest = _newest({n: word for n, word in own.items() if share(Field.TOTAL, found[n][1]) >= _SCORES})
        for n, word in own.items():
            if n == newest:
                meant[n] = instrument, Field.TOTAL
            elif word in _EARLIER or word in _NEWEST:
                meant[n] = instrument, Field.IGNORE
    return tuple(meant)


def _told(heading: str, over: str | None) -> tuple[str, str] | None:
    """The instrument of a column and what its heading says besides, in plain words; None without an instrument."""
    if over is not None and (instrument := named_instrument(over)) is not None:
        return instrument, _said(heading)
    words = heading.replace("_", " ").split()
    for n in range(len(words) - 1, 0, -1):
        instrument = named_instrument(" ".join(words[:n]))
        if instrument is not None:
            return instrument, _said(" ".join(words[n:]))
    return None


def _said(heading: str) -> str:
    """A heading without the words that every score's heading may have: "Last Score" is "last"."""
    words = plain(heading).split()
    return " ".join(word for word in words if word not in _NOISE) or plain(heading)


def _newest(words: dict[int, str]) -> int | None:
    """The column of the newest score, or None where no heading or more than one says so."""
    if any(heading_means(word) is Field.TOTAL and word not in _NEWEST for word in words.values()):
        return None
    for newest in _NEWEST:
        columns = [n for n, word in words.items() if word == newest]
        if columns:
            return columns[0] if len(columns) == 1 else None
    return None
