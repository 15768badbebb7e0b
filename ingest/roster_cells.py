"""What single cells of a roster mean: protected numbers, words for sex and for who has left."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

# How a workbook protects a number from losing its zeros: ="00123".
_PROTECTED: Final = re.compile(r'="([^"]*)"')
_SCIENTIFIC: Final = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
_NOT_GIVEN: Final = frozenset({"", "-", "u", "unk", "unknown", "n/a", "undisclosed", "not specified", "null", "none"})
_FEMALE: Final = frozenset({
    "f", "female", "woman", "w", "weiblich", "frau", "mujer", "femenino", "feminin", "femme", "feminino",
})  # fmt: skip
_MALE: Final = frozenset({"m", "male", "man", "hombre", "masculino", "masculin", "homme", "mannlich", "mann"})
_OTHER: Final = frozenset({"x", "o", "other", "d", "divers", "nonbinary", "non-binary", "nb", "otro", "autre"})
_YES: Final = frozenset({"yes", "y", "true", "t", "1", "si", "oui", "ja", "j", "x"})
_NO: Final = frozenset({"", "no", "n", "false", "f", "0", "non", "nein", "alive", "-", "null", "none", "n/a"})
_ACTIVE: Final = _YES | frozenset({
    "", "active", "a", "act", "current", "enrolled", "open", "established", "new", "activo", "activa", "alta", "actif",
    "active patient", "aktiv",
})  # fmt: skip
_INACTIVE: Final = frozenset({
    "inactive", "i", "ina", "no", "n", "false", "f", "0", "non", "nein", "merged", "deceased", "dead", "died",
    "expired", "discharged", "closed", "archived", "disabled", "terminated", "transferred", "moved", "left",
    "duplicate", "inactivo", "inactiva", "baja", "fallecido", "fallecida", "fusionado", "inactif", "decede", "decedee",
    "archive", "fusionne", "inaktiv", "verstorben", "entlassen", "archiviert",
})  # fmt: skip


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """A word without accents and letter case."""
    return "".join(
        sign for sign in unicodedata.normalize("NFKD", text.strip().casefold()) if not unicodedata.combining(sign)
    )


def unprotected(cell: str) -> str:
    """The text of a cell; ="00123" is 00123."""
    found = _PROTECTED.fullmatch(cell) if cell.startswith("=") else None
    return found[1].strip() if found else cell


def is_spoilt_number(cell: str) -> bool:
    """Whether a spreadsheet has turned a number into a floating-point one ("1.23E+05")."""
    return "+" in cell and _SCIENTIFIC.fullmatch(cell) is not None


def sex_reader(cells: Iterable[str], *, header: str) -> Callable[[str], str | None]:
    """Reads "F", "M" or "X"; None for what is not given. The reader raises ValueError for a word nobody knows.

    One letter means different things in different languages: with H for *hombre*, M is *mujer*; in a Spanish column
    where everybody is M, nobody knows.
    """
    letters = {plain(cell) for cell in cells}
    meaning = dict.fromkeys(_FEMALE, "F") | dict.fromkeys(_MALE, "M") | dict.fromkeys(_OTHER, "X")
    if "h" in letters:
        meaning["h"] = "M"
        del meaning["m"]
        if "f" not in letters:
            meaning["m"] = "F"
    elif plain(header) in ("sexo", "genero") and "f" not in letters:
        del meaning["m"]

    def read(cell: str) -> str | None:
        word = plain(cell)
        if word in _NOT_GIVEN:
            return None
        if word not in meaning:
            raise ValueError("no word for a sex")
        return meaning[word]

    return read


def is_active(cell: str, *, active_words: frozenset[str]) -> bool | None:
    """Whether a status word means an active patient; None if nobody knows the word."""
    word = plain(cell)
    if word in active_words or word in _ACTIVE:
        return True
    return False if word in _INACTIVE else None


def is_said(cell: str) -> bool:
    """Whether a column such as "deceased" or "date of death" says so: anything but a no."""
    return plain(cell) not in _NO
