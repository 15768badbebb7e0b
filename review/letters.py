"""Which letters of two values differ, so that the eye lands on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import Levenshtein

_ALIKE: Final = 0.5  # below it the values have so little in common that single letters would mislead: all is marked
# Pairs that a printer, a typist or an eye takes for each other; the letter first.
_LOOK_ALIKES: Final = frozenset({("O", "0"), ("I", "1"), ("L", "1"), ("S", "5"), ("B", "8"), ("Z", "2"), ("G", "6")})


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of letters.

    Attributes:
        differs: Whether these letters are not those of the other value.
    """

    text: str
    differs: bool


def marked(shown: str, other: str) -> tuple[Piece, ...]:
    """`shown` in pieces: what differs from `other`, whatever the case of the letters. A letter that `shown` lacks is
    marked on its neighbour, since nothing can be marked where it is missing.
    """
    ours, theirs = shown.upper(), other.upper()
    if len(ours) != len(shown) or not theirs or ours == theirs:
        return (Piece(shown, differs=False),) if shown else ()
    if Levenshtein.normalized_similarity(ours, theirs) < _ALIKE:
        return (Piece(shown, differs=True),)
    differs = [False] * len(shown)
    for step in Levenshtein.opcodes(theirs, ours):
        if step.tag in ("replace", "insert"):
            differs[step.dest_start : step.dest_end] = [True] * (step.dest_end - step.dest_start)
        elif step.tag == "delete":
            differs[max(step.dest_start - 1, 0)] = True
    return _pieces(shown, differs)


def marked_words(shown: str, other: str) -> tuple[Piece, ...]:
    """As `marked`, name by name: each word of `shown` beside the word of `other` that is most like it."""
    theirs = other.replace(",", " ").split()
    pieces: list[Piece] = []
    for number, word in enumerate(shown.split()):
        bare = word.rstrip(",")
        nearest = max(theirs, key=lambda one: Levenshtein.normalized_similarity(one.upper(), bare.upper()), default="")
        pieces += [Piece(" ", differs=False)] if number else []
        pieces += marked(bare, nearest) if nearest else [Piece(bare, differs=False)]
        pieces += [Piece(",", differs=False)] if bare != word else []
    return _joined(pieces)


def misread(printed: str, known: str) -> str | None:
    """ "O read as 0" where two values of one length differ by letters that look like digits alone; else None."""
    ours, theirs = printed.upper(), known.upper()
    if len(ours) != len(theirs) or ours == theirs:
        return None
    pairs = {(one, other) for one, other in zip(ours, theirs, strict=True) if one != other}
    if any(pair not in _LOOK_ALIKES and pair[::-1] not in _LOOK_ALIKES for pair in pairs):
        return None
    return ", ".join(f"{one} read as {other}" for one, other in sorted(pairs))


def _pieces(text: str, differs: list[bool]) -> tuple[Piece, ...]:
    return _joined([Piece(letter, differs=mark) for letter, mark in zip(text, differs, strict=True)])


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].differs == piece.differs:
            joined[-1] = Piece(joined[-1].text + piece.text, piece.differs)
        else:
            joined.append(piece)
    return tuple(joined)
