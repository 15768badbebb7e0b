"""One spelling for what people, forms and programs spell in many ways.

What stands here decides which prints count as the same: vetoes and the search for duplicates build on `fingerprint`,
so a change to it makes old vetoes miss. Its first line holds a version for that reason.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from records.human_name import is_cut_off
from records.patient import PatientIdentity

_FINGERPRINT_VERSION: Final = "1"
# Letters that Unicode does not take apart into a base letter and a mark.
_LETTERS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)
_APOSTROPHES_AND_DOTS = re.compile(r"['’‘‛`´ʼʹʻ′.]")
# The vowels and tones of the scripts of South and South-East Asia are marks, which are no letters to `\\w`.
_NO_NAME_CHARACTER = re.compile(r"(?:[^\w\u0900-\u0fff\u1000-\u109f\u1780-\u17ff]|_)+")
_MARKS_ARE_LETTERS: Final = 0x0900  # from Devanagari on; below, accents and optional vowels are left out
_NO_MRN_CHARACTER = re.compile(r"[\W_]+")
_NO_DIGIT = re.compile(r"[^0-9]+")
_LEAST_PHONE_DIGITS: Final = 7
_MRN_LABEL = re.compile(r"^(?:MRN|MR|CHART|ACCT|ID|NO)(?=[A-Z]?\d)")
_MRN_PARTS = re.compile(r"([^\W\d_]*)0*(\d+)(\w*)")

_SUFFIXES: Final = {
    "jr": "jr", "jnr": "jr", "junior": "jr", "sr": "sr", "snr": "sr", "senior": "sr",
    "the second": "ii", "the third": "iii", "the fourth": "iv", "second": "ii", "third": "iii", "fourth": "iv",
    "ii": "ii", "2nd": "ii", "iii": "iii", "3rd": "iii", "iv": "iv", "4th": "iv", "v": "v", "5th": "v", "vi": "vi",
}  # fmt: skip
# "V", "Junior" and "Senior" are also an initial and given names, so they count in the suffix field only.
_SUFFIXES_IN_NAMES: Final = frozenset(_SUFFIXES) - {"v", "vi", "junior", "senior", "second", "third", "fourth"}

# Compared with the text lower-cased and without spaces, dots and slashes. "Null" and "Na" are family names of real
# people and therefore not here; "n/a" is known by its slash.
_NO_NAME: Final = frozenset({
    "unknown", "unk", "unknownpatient", "none", "notprovided", "notavailable", "notknown", "tbd", "missing", "blank",
    "child", "infantmale", "infantfemale", "malebaby", "femalebaby", "donotuse", "duplicate", "deceased",
    "anonymous", "declined", "refused", "withheld", "test", "testing", "testpatient", "noname", "nofirstname",
    "nolastname", "fnu", "lnu", "nfn", "nln", "babyboy", "babygirl", "boy", "girl", "infant", "newborn", "babyof", "bb",
    "bg", "xx", "xxx", "xxxx", "zz", "zzz",
})  # fmt: skip
_OF_A_NEWBORN: Final = ("babyboy", "babygirl", "babyof")
_LONGEST_NAME: Final = 120  # letters; more is a paragraph in the wrong column
_NUMBERED_CHILD = re.compile(r"(?:baby|boy|girl|twin|triplet|infant|newborn|male|female)(?:boy|girl)?[abc123]?")
_NOT_APPLICABLE = re.compile(r"\s*(?:n\s*/\s*a|[-–—?*.#]+)\s*", re.IGNORECASE)
_NO_MRN: Final = frozenset({
    "NONE", "NA", "UNKNOWN", "UNK", "TBD", "PENDING", "NEW", "NULL", "NIL", "MISSING", "NOTAVAILABLE", "NOTASSIGNED",
    "TEMP", "TEST", "SELF", "MRN",
})  # fmt: skip
# Days that programs write when they know none: the least days of common databases and spreadsheets, and 1900.
_NO_BIRTH_DATE: Final = frozenset({
    date(1, 1, 1), date(1753, 1, 1), date(1800, 1, 1), date(1899, 12, 30), date(1899, 12, 31), date(1900, 1, 1),
    date(1900, 12, 31), date(1901, 1, 1), date(9999, 12, 31),
})  # fmt: skip
_TEST_NAMES = re.compile(r"(?:zz+|xx+)?(?:test|testing|testpatient|dummy|demo ?patient|fake ?patient)\d*|zz+\w*")
_TEST_PEOPLE: Final = frozenset({
    ("mouse", "mickey"), ("mouse", "minnie"), ("duck", "donald"), ("doe", "john"), ("doe", "jane"), ("patient", "test"),
    ("patient", "demo"), ("patient", "sample"), ("patient", "fake"), ("example", "patient"),
})  # fmt: skip


def normalise_name(text: str) -> str:
    """Lower-case letters without accents, apostrophes and dots; hyphens and other signs become single spaces.

    Names in other scripts keep their letters. Applying it twice changes nothing.
    """
    if text.isascii():
        return text.lower() if text.isalpha() else _spaced(_APOSTROPHES_AND_DOTS.sub("", text).lower())
    plain = _fold(text)
    while (folded := _fold(plain)) != plain and len(folded) <= len(plain):  # rare letters need a second look
        plain = folded
    return plain


def _fold(text: str) -> str:
    lower = _APOSTROPHES_AND_DOTS.sub("", text).casefold().translate(_LETTERS)
    decomposed = unicodedata.normalize("NFKD", lower)
    kept: list[str] = []
    base = ""
    for letter in decomposed:
        category = unicodedata.category(letter)
        if category == "Cf" or (category == "Mn" and (not base or ord(base) < _MARKS_ARE_LETTERS)):
            continue
        base = base if category == "Mn" else letter
        kept.append(letter)
    return _spaced(unicodedata.normalize("NFKC", "".join(kept)))


def _spaced(text: str) -> str:
    return _NO_NAME_CHARACTER.sub(" ", text).strip()


@lru_cache(maxsize=65_536)
def known_name(text: str | None) -> str:
    """The normalised name, or an empty text for nothing, a placeholder such as "Unknown", "Baby Boy" or "n/a", and what
    is too long for a name."""
    if text is None or _NOT_APPLICABLE.fullmatch(text):
        return ""
    name = normalise_name(text)
    compact = name.replace(" ", "")
    nameless = (
        compact in _NO_NAME
        or _NUMBERED_CHILD.fullmatch(compact)
        or compact.startswith(("babyboy", "babygirl", "babyof"))
    )
    return "" if nameless or len(name) > _LONGEST_NAME else name


def split_last_suffix(name: str) -> tuple[str, str]:
    """The same of a family or middle name, at whose end "Junior" and "Senior" are no names."""
    bare, suffix = split_suffix(name)
    words = bare.split()
    if not suffix and len(words) > 1 and words[-1] in ("junior", "senior"):
        return " ".join(words[:-1]), _SUFFIXES[words[-1]]
    return bare, suffix


def split_suffix(name: str) -> tuple[str, str]:
    """A normalised name without its generational suffix, and the suffix ("jr", "iii") or an empty text."""
    if " " not in name:
        return name, ""
    words = name.split()
    for index in range(len(words) - 1, 0, -1):
        if words[index] in _SUFFIXES_IN_NAMES:
            return " ".join(words[:index] + words[index + 1 :]), _SUFFIXES[words[index]]
    return name, ""


def normalise_suffix(text: str | None) -> str:
    """One spelling per generational suffix ("Jr.", "Junior" → "jr"); empty for nothing or no known suffix."""
    return _SUFFIXES.get(normalise_name(text or ""), "")


def normalise_mrn(text: str | None) -> str:
    """Upper-case letters and digits of a record number; empty for nothing or a placeholder. Leading zeros stay."""
    if not text:
        return ""
    if text.isdecimal() and text.isascii():  # almost every one: a roster has a million
        return "" if not text.strip("0") or (len(text) > 3 and not text.strip("9")) else text
    plain = text.isascii() and text.isalnum()
    bare = text.upper() if plain else _NO_MRN_CHARACTER.sub("", unicodedata.normalize("NFKC", text).upper())
    bare = _MRN_LABEL.sub("", bare)
    placeholder = bare in _NO_MRN or not bare.strip("0") or (len(bare) > 3 and not bare.strip("9"))
    return "" if placeholder else bare


def strip_mrn_zeros(mrn: str) -> str:
    """A normalised record number without the zeros that pad its digits: spreadsheets lose them ("W00123" → "W123")."""
    parts = _MRN_PARTS.fullmatch(mrn)
    return "".join(parts.groups()) if parts else mrn


def mrn_core(mrn: str) -> str:
    """The digits of a normalised record number without padding and without the letters around them.

    Prints leave out the letters that all numbers of a clinic share. A number without digits is its own core.
    """
    if mrn.isdecimal() and mrn.isascii():
        return mrn.lstrip("0")
    parts = _MRN_PARTS.fullmatch(mrn)
    return parts[2] if parts and not any(map(str.isdigit, parts[3])) else mrn


def known_birth_date(day: date | None) -> date | None:
    """The birth date, or None for nothing or a day that programs write when they know none."""
    return None if day in _NO_BIRTH_DATE else day


def normalise_sex(text: str | None) -> str:
    """ "F" or "M"; empty for everything else, which is compared with nothing."""
    letter = (text or "").strip().upper()
    return letter if letter in ("F", "M") else ""


def normalise_phone(text: str | None) -> str:
    """The last ten digits of a phone number, without leading zeros; empty for fewer than seven or all alike.

    Ten are a North American number without its country; elsewhere, what is left still tells numbers apart.
    """
    if not text:
        return ""
    digits = (text if text.isdecimal() and text.isascii() else _NO_DIGIT.sub("", text))[-10:].lstrip("0")
    return digits if len(digits) >= _LEAST_PHONE_DIGITS and len(set(digits)) > 1 else ""


def cut_off_parts(identity: PatientIdentity) -> tuple[str, ...]:
    """Which of family, given and middle name the print cuts off, by its reader or by an ellipsis."""
    named = (("family", identity.family), ("given", identity.given), ("middle", identity.middle))
    return tuple(part for part, text in named if part in identity.cut_off or is_cut_off(text or ""))


def fingerprint(identity: PatientIdentity) -> str:
    """Hexadecimal SHA-256 over every identity field that is compared, normalised: the same print, the same text.

    The order of the fields is fixed, absent and placeholder values are alike, `phone` is not part of it. The cell
    as printed (`name`) counts only where no part of a name was read. A digest is still patient data: it can be
    found out by trying names, so it stays in the store.
    """
    family, family_suffix = split_suffix(known_name(identity.family))
    given, given_suffix = split_suffix(known_name(identity.given))
    suffix = normalise_suffix(identity.suffix) or family_suffix or given_suffix
    whole = "" if family or given else known_name(identity.name)
    days = (identity.birth_date, identity.birth_date_other_reading)
    fields: Iterable[str] = (
        _FINGERPRINT_VERSION, family, given, known_name(identity.middle), suffix, whole,
        *(day.isoformat() if day else "" for day in map(known_birth_date, days)),
        strip_mrn_zeros(normalise_mrn(identity.mrn)), normalise_sex(identity.sex),
        # Only where there are any, so that what was said of whole names stays said.
        *(f"cut-off {part}" for part in cut_off_parts(identity)),
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(fields).encode()).hexdigest()


def is_test_patient(identity: PatientIdentity) -> bool:
    """Whether the name is one that people make up to try a program ("Test, Test", "ZZTest", "Mickey Mouse")."""
    parts = [normalise_name(part or "") for part in (identity.family, identity.given)]
    if not any(parts):
        parts = normalise_name(identity.name).split()
    return (
        any(_TEST_NAMES.fullmatch(part) for part in parts)
        or tuple(parts) in _TEST_PEOPLE
        or tuple(reversed(parts)) in _TEST_PEOPLE
    )
