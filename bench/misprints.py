"""What typists, narrow columns and scanners do to names, dates and numbers; one change per function."""

from __future__ import annotations

import unicodedata
from datetime import date
from random import Random

_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok", "o": "ipl", "p": "o",
    "a": "qsz", "s": "adw", "d": "sfe", "f": "dgr", "g": "fht", "h": "gjy", "j": "hku", "k": "jli", "l": "ko",
    "z": "xa", "x": "zcs", "c": "xvd", "v": "cbf", "b": "vng", "n": "bmh", "m": "nj",
}  # fmt: skip
_SEEN_AS = (
    ("rn", "m"), ("m", "rn"), ("cl", "d"), ("d", "cl"), ("li", "h"), ("h", "li"), ("vv", "w"), ("w", "vv"), ("l", "i"),
    ("i", "l"), ("e", "c"), ("c", "e"), ("u", "v"), ("v", "u"), ("n", "u"), ("g", "q"),
)  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def typo(chance: Random, text: str) -> str:
    """`text` with one slip of a typist or a scanner, its first letter included; never `text` itself."""
    if not text:
        return text
    slips = (_neighbour_hit, _neighbour_hit, _left_out, _exchanged, _doubled, _misheard, _misseen, _stray)
    for _ in range(20):
        changed = chance.choice(slips)(chance, text)
        if changed.casefold() != text.casefold() and changed.strip(" -'"):
            return changed
    return text + "e"


def _neighbour_hit(chance: Random, text: str) -> str:
    at = chance.randrange(len(text))
    return _set(text, at, chance.choice(_NEIGHBOURS.get(text[at].lower(), _LETTERS)))


def _left_out(chance: Random, text: str) -> str:
    at = chance.randrange(len(text))
    return text[:at] + text[at + 1 :] if len(text) > 2 else text


def _exchanged(chance: Random, text: str) -> str:
    if len(text) < 2:
        return text
    at = chance.randrange(len(text) - 1)
    swapped = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return swapped.capitalize() if text[:1].isupper() and at == 0 else swapped


def _doubled(chance: Random, text: str) -> str:
    at = chance.randrange(len(text))
    return text[: at + 1] + text[at].lower() + text[at + 1 :]


def _misheard(chance: Random, text: str) -> str:
    """Spelled as it sounds: "Stephens" and "Stevens", "Erik" and "Eric"."""
    sounds = [("ph", "f"), ("f", "ph"), ("ck", "k"), ("k", "c"), ("c", "k"), ("y", "i"), ("ie", "y"), ("ll", "l")]
    sounds += [("tt", "t"), ("s", "z"), ("z", "s"), ("ee", "ea"), ("en", "an"), ("on", "en"), ("er", "ar"), ("sh", "s")]
    found = [(old, new) for old, new in sounds if old in text]
    return text.replace(*chance.choice(found), 1) if found else text


def _misseen(chance: Random, text: str) -> str:
    found = [(old, new) for old, new in _SEEN_AS if old in text]
    return text.replace(*chance.choice(found), 1) if found else text


def _stray(chance: Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_LETTERS) + text[at:]


def _set(text: str, at: int, letter: str) -> str:
    return text[:at] + (letter.upper() if text[at].isupper() else letter) + text[at + 1 :]


def misprinted_date(chance: Random, day: date) -> date:
    """`day` with one slip: a digit (most often), neighbours exchanged, day and month exchanged, the year one off."""
    slips = (_wrong_digit, _wrong_digit, _wrong_digit, _exchanged_digits, _year_off, None)
    for _ in range(60):
        slip = chance.choice(slips)
        changed = slip(chance, day) if slip else day_as_month(day)
        if changed is not None and changed != day and 1900 <= changed.year <= 2025:
            return changed
    return day.replace(year=day.year - 1, day=min(day.day, 28))


def _wrong_digit(chance: Random, day: date) -> date | None:
    digits = f"{day:%Y%m%d}"
    at = chance.choice((2, 3, 3, 4, 5, 5, 6, 6, 7, 7, 7))
    return _date(digits[:at] + chance.choice("0123456789") + digits[at + 1 :])


def _exchanged_digits(chance: Random, day: date) -> date | None:
    digits = f"{day:%Y%m%d}"
    at = chance.choice((2, 4, 6))
    return _date(digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :])


def _year_off(chance: Random, day: date) -> date | None:
    return _date(f"{day.year + chance.choice((-1, 1))}{day:%m%d}")


def day_as_month(day: date) -> date | None:
    """`day` with day and month exchanged, if that is a day."""
    return _date(f"{day:%Y%d%m}")


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def misprinted_number(chance: Random, digits: str) -> str:
    """`digits` with one other digit, or two neighbours exchanged; as long as before, never `digits` itself."""
    while True:
        at = chance.randrange(1, len(digits))
        other = digits[:at] + chance.choice("0123456789") + digits[at + 1 :]
        if chance.random() < 0.4:
            other = digits[: at - 1] + digits[at] + digits[at - 1] + digits[at + 1 :]
        if other != digits:
            return other


def printed_mrn(chance: Random, mrn: str, *, prefix: str, missing: float, misprinted: float) -> tuple[str | None, str]:
    """How a report prints the number of seven digits `mrn`, and what befell it ("" if nothing).

    `missing` and `misprinted` are shares. Of a hundred printed numbers fifteen lose their leading zeros, eight carry
    the site's prefix, four are padded to ten digits, and the others look as on the roster.
    """
    draw, befell = chance.random(), ""
    if draw < missing:
        return None, "mrn-missing"
    if draw < missing + misprinted:
        mrn, befell = misprinted_number(chance, mrn), "mrn-misprinted"
    style = chance.random()
    if style < 0.15:
        return mrn.lstrip("0"), befell
    if style < 0.23:
        return f"{prefix}-{mrn}", befell
    return (mrn.zfill(10) if style < 0.27 else mrn), befell
