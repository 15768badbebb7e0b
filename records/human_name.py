"""A printed personal name, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

NameOrder = Literal["family-first", "given-first", "auto"]

_SUFFIXES: Final = {
    "jr": "Jr", "sr": "Sr", "jnr": "Jr", "snr": "Sr", "ii": "II", "iii": "III", "iv": "IV",
    "2nd": "II", "3rd": "III", "4th": "IV", "5th": "V",
}  # fmt: skip
# Words that are just as often a name or an initial: a suffix only where no name can stand.
_DOUBTFUL_SUFFIXES: Final = {"V": "V", "VI": "VI", "JUNIOR": "Jr", "SENIOR": "Sr"}
_TITLES: Final = frozenset({
    "dr", "mr", "mrs", "ms", "miss", "mx", "prof", "professor", "rev", "reverend", "hon", "sir", "dame",
})  # fmt: skip
_CREDENTIALS: Final = frozenset({
    "phd", "psyd", "edd", "dds", "dmd", "dvm", "lcsw", "lmft", "lpc", "lmhc", "facp", "esq", "msw",
})  # fmt: skip
# Printed in capitals only: "Md" is a given name, "Do" and "Ma" are family names.
_DOUBTFUL_CREDENTIALS: Final = frozenset({
    "MD", "DO", "MA", "BA", "BS", "MS", "RN", "NP", "PA", "LPN", "JD",
})  # fmt: skip
_TRAILING_CREDENTIALS: Final = frozenset({"MD", "RN", "NP", "LPN"})
_PARTICLES: Final = frozenset({
    "van", "von", "vom", "zu", "zur", "der", "den", "de", "del", "dela", "la", "las", "los", "le", "du", "des",
    "di", "do", "da", "dos", "das", "ter", "af", "av", "bin", "ibn", "bint", "al", "el", "st",
})  # fmt: skip
# Also given names ("Della", "San"), so a particle only as a Dutch, Italian or Arabic speaker prints it.
_LOWER_PARTICLES: Final = frozenset({
    "della", "dello", "degli", "ten", "te", "san", "santa", "ben", "abu", "y", "e",
})  # fmt: skip
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|“[^“”]*”|\"[^\"]*\"|(?<!\S)'[^']+'(?!\S)")
_BROKEN_HYPHEN = re.compile(r"(?<=[^\W\d_])\s*[-‐‑]\s+(?=[^\W\d_])|(?<=[^\W\d_])\s+[-‐‑]\s*(?=[^\W\d_])|[‐‑]")
_GLUED_INITIAL = re.compile(r"(?<![^\W\d_])([^\W\d_]\.)(?=[^\W\d_]{2})")
_SMALL_LEAD = re.compile(r"^(?:Mac|Mc|De|Di|La|Le|Van)(?=[^\W\d_a-z]{2})")
_NAME_CHARACTER = re.compile(r"[^\W_]")
# What a column too narrow leaves of a name ends so; a space before the ellipsis says that the word before it is whole,
# or that the program puts one there.
_ELLIPSIS = re.compile(r"\s*(?:…|\.\.)[\s.…]*(?=,|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NameParts:
    """The parts of one printed name. Swapped columns are not swapped back.

    Attributes:
        family: As printed, with its particles ("de la Cruz"); None if the print has none.
        given: First given name as printed; a single initial loses its dot. None if the print has none.
        middle: Everything between given and family name, or after the given name; None if there is nothing.
        suffix: Generational suffix: "Jr", "Sr", "II", "III", "IV", "V" or "VI", however it is printed; or None.
        title: Titles and credentials, without dots, joined by a space; or None.
        cut_off: Which of family, given and middle name end with an ellipsis: only their beginnings are printed.
    """

    family: str | None = None
    given: str | None = None
    middle: str | None = None
    suffix: str | None = None
    title: str | None = None
    cut_off: tuple[str, ...] = ()


def is_cut_off(text: str) -> bool:
    """Whether a name, or one of its parts, ends with an ellipsis: "Gonzalez-Ram…", "Okafor, Christoph..."."""
    return _ELLIPSIS.search(text) is not None


def split_name(name: str, *, order: NameOrder) -> NameParts:
    """Take a printed name apart; never fails.

    Args:
        name: The name cell; names in brackets or quotes (called names, maiden names) are left out.
        order: How a name without a comma is read. "auto" reads the given name first, unless the other part alone
            is printed in capitals. A comma always ends the family name, whatever the order says.

    A single word counts as the family name, unless it is the beginning of a given name that comes first. Nothing
    readable gives parts that are all None.
    """
    if is_cut_off(name):
        return _split_cut_off(name, order=order)
    text = _BRACKETS.sub(" ", name).strip() or re.sub(r"[()\[\]\"“”]", " ", name)
    text = _BROKEN_HYPHEN.sub("-", text.replace("，", ",").replace(";", ","))
    segments = [_words(segment) for segment in _GLUED_INITIAL.sub(r"\1 ", text).split(",")]
    given_only = not segments[0] and len(segments) > 1
    segments = [segment for segment in segments if segment]
    if not segments:
        return NameParts()

    titles: list[str] = []
    suffixes: list[str] = []
    ended_by_comma = "," in text
    segments = _without_extras(segments, titles, suffixes)
    ends_in_extras = ended_by_comma and len(segments) == 1 and bool(titles or suffixes)
    family, rest = _family_and_rest(
        segments, order=order, comma=ended_by_comma and not ends_in_extras, given_only=given_only, suffixes=suffixes
    )
    while len(rest) > 1 and rest[-1].islower() and _is_particle(rest[-1]):  # "Berg, Jan van den"
        family.insert(0, rest.pop())
    return NameParts(
        family=_joined(family),
        given=_joined(rest[:1]),
        middle=_joined(rest[1:]),
        suffix=suffixes[0] if suffixes else None,
        title=" ".join(titles) or None,
    )


def _split_cut_off(name: str, *, order: NameOrder) -> NameParts:
    """The parts of a name that ends with an ellipsis, or whose family name before the comma does; without it."""
    before, comma, _ = name.partition(",")
    text = _ELLIPSIS.sub("", name)
    parts = split_name(text, order=order)
    if parts.given is None and not comma and order == "given-first":
        return replace(parts, family=None, given=parts.family, cut_off=("given",))
    cut_off = ["family"] if comma and is_cut_off(before) else []
    if is_cut_off(name.rpartition(",")[2]):
        cut_off.append(_part_at_the_end(text, parts))
    return replace(parts, cut_off=tuple(cut_off))


def _part_at_the_end(text: str, parts: NameParts) -> str:
    """Which part of the name the text ends with; the given name if nothing of the part is left."""
    last = [word.strip(".") for word in text.split()][-1:]
    named = (("middle", parts.middle), ("given", parts.given), ("family", parts.family))
    return next((part for part, words in named if words and words.split()[-1:] == last), "given")


def _family_and_rest(
    segments: list[list[str]], *, order: NameOrder, comma: bool, given_only: bool, suffixes: list[str]
) -> tuple[list[str], list[str]]:
    """The words of the family name, and the given names in their order."""
    first = segments[0]
    if given_only:
        return [], [word for segment in segments for word in segment]
    if comma:
        if len(first) > 1 and (doubtful := _doubtful_suffix(first[-1])):
            suffixes.append(doubtful)
            first = first[:-1]
        return first, [word for segment in segments[1:] for word in segment]
    if len(first) > 2 and (doubtful := _doubtful_suffix(first[-1])):
        suffixes.append(doubtful)
        first = first[:-1]
    if len(first) == 1:
        return first, []
    capitals = order == "auto" and _capitals_lead(first)
    if order == "family-first" or capitals or (order == "auto" and _particles_lead(first)):
        end = _family_length(first, capitals=capitals)
        return first[:end], first[end:]
    start = _family_start(first)
    return first[start:], first[:start]


def _words(segment: str) -> list[str]:
    """The words of a segment; an initial loses its dot, loose punctuation falls away."""
    words = [word.strip("*.:/·") if len(word.strip(".")) == 1 else word.strip("*:/·") for word in segment.split()]
    return [word for word in words if _NAME_CHARACTER.search(word)]


def _without_extras(segments: list[list[str]], titles: list[str], suffixes: list[str]) -> list[list[str]]:
    """The segments without titles, credentials and clear suffixes, which go to `titles` and `suffixes`."""
    several_words = len(segments[0]) > 1 or len(segments) > 2
    kept: list[list[str]] = []
    for position, segment in enumerate(segments):
        words = segment
        while words and _plain(words[0]) in _TITLES and (len(words) > 1 or position > 0):
            titles.append(words[0].strip("."))
            words = words[1:]
        if position > 0 and several_words and all(_bare(word) in _DOUBTFUL_CREDENTIALS for word in words):
            titles.extend(_bare(word) for word in words)
            words = []
        if len(segments) == 1 and len(words) > 2 and _bare(words[-1]) in _TRAILING_CREDENTIALS:
            titles.append(_bare(words[-1]))
            words = words[:-1]
        words = _sorted_out(words, titles, suffixes, alone_allowed=position > 0)
        if words:
            kept.append(words)
    return kept


def _sorted_out(words: list[str], titles: list[str], suffixes: list[str], *, alone_allowed: bool) -> list[str]:
    """`words` without credentials and suffixes; one word of a first segment always stays."""
    kept: list[str] = []
    for index, word in enumerate(words):
        removable = alone_allowed or index > 0
        if removable and _suffix(word):
            suffixes.append(_SUFFIXES[_suffix(word)])
        elif removable and _plain(word) in _CREDENTIALS:
            titles.append(_bare(word))
        else:
            kept.append(word)
    return kept


def _family_start(words: list[str]) -> int:
    """Where the family name begins in a name printed given name first: at its last word or first particle."""
    capitals = len(words)
    while capitals > 1 and _is_shouted(words[capitals - 1]):
        capitals -= 1
    if capitals < len(words) and not any(_is_shouted(word) for word in words[:capitals]):
        return _particles_before(words, capitals)
    inner = range(1, len(words) - 1)
    return next((index for index in inner if _is_particle(words[index])), len(words) - 1)


def _particles_before(words: list[str], start: int) -> int:
    while start > 1 and _is_particle(words[start - 1]):
        start -= 1
    return start


def _family_length(words: list[str], *, capitals: bool) -> int:
    """How many words the family name has in a name printed family name first."""
    if capitals:
        shouted = [_is_shouted(word) or _is_particle(word) for word in words]
        return shouted.index(False) if False in shouted else len(words) - 1  # "GARCIA y": something is the given name
    end = 0
    while end < len(words) - 2 and _is_particle(words[end]):
        end += 1
    return end + 1


def _capitals_lead(words: list[str]) -> bool:
    """Whether the first word, and not the last, is printed in capitals, as French offices print family names."""
    lead = 0
    while lead < len(words) - 1 and _is_particle(words[lead]):
        lead += 1
    return _is_shouted(words[lead]) and not any(word.isupper() and len(word) > 1 for word in words[lead + 1 :][-1:])


def _particles_lead(words: list[str]) -> bool:
    """Whether two particles come first ("DE LA CRUZ MARIA"): no given name does that."""
    return len(words) > 3 and _is_particle(words[0]) and _is_particle(words[1])


def _is_shouted(word: str) -> bool:
    return len(word) > 2 and _SMALL_LEAD.sub("", word).isupper()


def _is_particle(word: str) -> bool:
    return _plain(word) in _PARTICLES or (word.islower() and _plain(word) in _LOWER_PARTICLES)


def _suffix(word: str) -> str:
    """The suffix a word spells, lower-case, or nothing: "Jr." is one, the initials "J.R." are not."""
    plain = word.removesuffix(".").lower()
    return plain if plain in _SUFFIXES else ""


def _doubtful_suffix(word: str) -> str | None:
    roman = len(word.strip(".")) <= 2  # "Vi" is a given name, "VI" a number
    return _DOUBTFUL_SUFFIXES.get(_bare(word) if roman else word.upper())


def _plain(word: str) -> str:
    return word.replace(".", "").lower()


def _bare(word: str) -> str:
    return word.replace(".", "")


def _joined(words: list[str]) -> str | None:
    return " ".join(words) or None
