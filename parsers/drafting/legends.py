"""What a sample itself says its score cells mean: signs for no score, and an earlier score in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from parsers.drafting.fields import Guess
from parsers.drafting.vocabulary import NO_SCORE
from parsers.drafting.words import named_instrument, plain
from parsers.lines import folded
from parsers.template_parts import Field

# "D = student declined", "Blank = not assigned"; where a hyphen or colon stands between, a short sign in capitals.
_SIGN: Final = re.compile(r"(?:^|[\s,;.(])(?P<sign>[^\s\d=:,;.()]{1,5})\s*=\s*(?P<meaning>[^\d=:,;.()]+)")
_SHORT: Final = re.compile(r"(?:^|[\s,;.(])(?P<sign>[A-Z]{1,3})(?: [-–—]|:) (?P<meaning>[^\d=:,;.()–—]+)")
# "None" is a level too: "Min = none to few symptoms".
_NONE: Final = frozenset(plain(word) for word in NO_SCORE if plain(word)) - {"none"} | {
    "not assigned", "not administered", "not asked", "not due", "not taken", "not screened", "no answer", "missing",
    "not applicable", "not available", "skipped", "no show", "did not complete", "unable to complete",
}  # fmt: skip
_BLANK: Final = frozenset({"blank", "empty"})
_EARLIER: Final = r"(?:previous|prior|earlier|preceding|baseline)"
# The brackets, and what they are called.
_BRACKETS: Final = {
    ("[", "]"): r"\[ ?\]|(?:square )?brackets",
    ("(", ")"): r"\( ?\)|parenthes[ei]s|round brackets",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLegend:
    """What the print says of its score cells.

    Attributes:
        no_score: What stands in place of a score, as printed; the empty text where a blank is said to be that.
        earlier: The brackets around an earlier score behind the score; None where the print says of none.
    """

    no_score: tuple[str, ...] = ()
    earlier: tuple[str, str] | None = None


def cell_legend(texts: Iterable[str]) -> CellLegend:
    """What lines of the samples say about score cells."""
    lines = tuple(texts)
    found = [match for text in lines for match in _SIGN.finditer(text)]
    short = [match for text in lines for match in _SHORT.finditer(text) if plain(match["meaning"]) in _NONE]
    signs = [match["sign"] for match in (*(m for m in found if _says_none(m["meaning"])), *short)]
    said = ["" if sign.casefold() in _BLANK else sign for sign in signs]
    earlier = next((pair for pair in _BRACKETS if any(_explained(pair, text) for text in lines)), None)
    return CellLegend(no_score=tuple(dict.fromkeys(said)), earlier=earlier)


def without_earlier(values: Sequence[str], legend: CellLegend) -> tuple[str, ...]:
    """Cells without an earlier score behind the score, where the print says that it is one."""
    if legend.earlier is None:
        return tuple(values)
    return tuple(re.sub(rf"(?<=\d) ?{_behind(legend.earlier)}$", "", value) for value in values)


def with_earlier(guess: Guess, legend: CellLegend) -> Guess:
    """The guess for a score column, its cells taken apart where an earlier score may stand behind the score."""
    if legend.earlier is None or guess.field is not Field.TOTAL or guess.pattern is not None:
        return guess
    opened, closed = legend.earlier
    why = f"{guess.why}; the print says that {opened}…{closed} is an earlier score"
    return replace(guess, pattern=rf"(?P<total>\d{{1,3}})(?: ?{_behind(legend.earlier)})?", why=why)


def named_beside(guesses: Sequence[Guess]) -> dict[str, str]:
    """Names in the instrument column that another column explains in every row ("AUDC" beside "AUDIT-C"), folded.

    A column that once names another instrument than the instrument column does explains nothing.
    """
    names = next((guess.values for guess in guesses if guess.field is Field.INSTRUMENT), ())
    found: dict[str, str] = {}
    for beside in (guess.values for guess in guesses if guess.field is Field.IGNORE):
        if len(beside) != len(names):
            continue
        told = [(name, named_instrument(text)) for name, text in zip(names, beside, strict=True) if name.strip()]
        known = [(named_instrument(name), other) for name, other in told if other is not None]
        if any(own not in (None, other) for own, other in known):
            continue
        for name in {name for name, _ in told if named_instrument(name) is None}:
            meant = {other for other_name, other in told if other_name == name}
            if len(meant) == 1 and (instrument := meant.pop()) is not None:
                found[folded(name)] = instrument
    return found


def _explained(brackets: tuple[str, str], text: str) -> bool:
    """Whether a line says that an earlier score stands in these brackets."""
    opened, closed = map(re.escape, brackets)
    named = _BRACKETS[brackets]
    shown = rf"{opened}(?:the )?{_EARLIER}\b[^\d\[\]()]*{closed}"
    called = rf"\b{_EARLIER}\b[^.;]*\bin (?:{named})|(?:{named})[^.;]*\b{_EARLIER}\b"
    return re.search(f"{shown}|{called}", text, re.IGNORECASE) is not None


def _behind(brackets: tuple[str, str]) -> str:
    opened, closed = map(re.escape, brackets)
    return rf"{opened}\d{{1,3}}{closed}"


def _says_none(meaning: str) -> bool:
    words = plain(meaning).split()
    # "student declined", "declined by patient": who did it does not matter, "not declined" would.
    ends = {" ".join(words[-n:]) for n in (1, 2, 3)} | {" ".join(words[:n]) for n in (1, 2, 3)}
    return bool(ends & _NONE) and ("not" not in words or bool({" ".join(words), " ".join(words[-2:])} & _NONE))
