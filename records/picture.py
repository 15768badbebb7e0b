"""A page as a person looks at it on a screen."""

from __future__ import annotations

from dataclasses import dataclass

from records.document import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPage:
    """A drawn page, or parts of it one below the other.

    Attributes:
        picture: The picture's bytes.
        media_type: "image/png" or "image/jpeg".
        width: In points: of the page as displayed, or of the widest part.
        height: In points: of the page as displayed, or of all parts together.
        words: What is printed on the page, for finding a value's place; empty for a scan and for parts.
    """

    picture: bytes
    media_type: str
    width: float
    height: float
    words: tuple[Word, ...] = ()
