"""What each identifier says about one roster patient, as a level and as a weight.

A weight is log2(m / u): m is how often the level occurs when both are the same person, u how often when they are not
(Fellegi and Sunter, "A Theory for Record Linkage", Journal of the American Statistical Association 64, 1969). A field
that is missing on either side weighs nothing. u of an equal name is that name's share of the roster (Winkler 1989,
frequency-based matching). The other m and u were set by hand after looking at synthetic data and are priors, not
measurements of a clinic; `matching.gates` decides what may never be confirmed, whatever the weights say.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from math import log2
from typing import Final, NamedTuple, TypeVar

from rapidfuzz.distance import OSA

from matching.name_comparison import PARTICLES, NameAgreement, NameLevel, PrintedName
from matching.name_frequency import NameFrequency
from matching.normalisation import mrn_core, strip_mrn_zeros
from matching.person import Person
from records.decision import Evidence


class BirthDateLevel(StrEnum):
    """From equal to different."""

    EXACT = "exact"
    EITHER_READING = "either-reading"  # equal in one of the two readings of an ambiguous print
    SWAPPED = "swapped"  # day and month
    TRANSPOSED = "transposed"  # two neighbouring digits
    ONE_DIGIT = "one-digit"  # one digit differs
    TWO_PARTS = "two-parts"  # two of year, month and day are equal
    YEAR_ONLY = "year-only"
    DIFFERENT = "different"
    MISSING = "missing"


class MrnLevel(StrEnum):
    """From equal to different."""

    EXACT = "exact"  # but for zeros that pad it
    WITHOUT_LETTERS = "without-letters"  # equal digits, and one of the two has no letters
    ONE_EDIT = "one-edit"
    TWO_EDITS = "two-edits"
    DIFFERENT = "different"
    MISSING = "missing"


class FieldLevel(StrEnum):
    """Of the fields that support or contradict, but identify nobody."""

    EXACT = "exact"
    INITIAL = "initial"
    ONLY_PRINTED = "only-printed"
    DIFFERENT = "different"
    MISSING = "missing"


_Level = TypeVar("_Level", bound=StrEnum)


def _in_bits(shares: Mapping[_Level, tuple[float, float]]) -> dict[_Level, float]:
    return {level: log2(m / u) for level, (m, u) in shares.items()}


# m and u of every level but the equal ones.
_GIVEN: Final = {
    NameLevel.PREFERRED: (0.02, 0.0008), NameLevel.NICKNAME: (0.03, 0.004), NameLevel.ONE_EDIT: (0.07, 0.0015),
    NameLevel.PART: (0.02, 0.003), NameLevel.MIDDLE: (0.01, 0.003), NameLevel.CUT_OFF: (0.01, 0.0008),
    NameLevel.INITIAL: (0.02, 0.0017), NameLevel.SIMILAR: (0.02, 0.008), NameLevel.OTHER_NAME: (0.004, 0.004),
    NameLevel.DIFFERENT: (0.016, 0.966), NameLevel.MISSING: (1.0, 1.0),
}  # fmt: skip
_FAMILY: Final = {
    NameLevel.FORMER: (0.01, 0.0005), NameLevel.ONE_EDIT: (0.065, 0.0006), NameLevel.PART: (0.02, 0.0015),
    NameLevel.CUT_OFF: (0.01, 0.0005), NameLevel.INITIAL: (0.005, 0.0004), NameLevel.SIMILAR: (0.02, 0.006),
    NameLevel.OTHER_NAME: (0.004, 0.002), NameLevel.DIFFERENT: (0.016, 0.98), NameLevel.MISSING: (1.0, 1.0),
}  # fmt: skip
_GIVEN_EXACT: Final = 0.80
_FAMILY_EXACT: Final = 0.86
_SWAPPED: Final = 0.015  # prints with given and family name in each other's column
_BIRTH_DATE_EXACT: Final = 0.93
_BIRTH_DATE: Final = {
    BirthDateLevel.SWAPPED: (0.005, 2.1e-5), BirthDateLevel.TRANSPOSED: (0.004, 1.2e-4),
    BirthDateLevel.ONE_DIGIT: (0.031, 0.0011),
    BirthDateLevel.TWO_PARTS: (0.01, 0.02), BirthDateLevel.YEAR_ONLY: (0.006, 0.012),
    BirthDateLevel.DIFFERENT: (0.014, 0.966), BirthDateLevel.MISSING: (1.0, 1.0),
}  # fmt: skip
_MRN: Final = {
    MrnLevel.EXACT: (0.95, 1e-6), MrnLevel.WITHOUT_LETTERS: (0.95, 1e-5), MrnLevel.ONE_EDIT: (0.03, 3e-5),
    MrnLevel.TWO_EDITS: (0.01, 1e-3), MrnLevel.DIFFERENT: (0.01, 0.999), MrnLevel.MISSING: (1.0, 1.0),
}  # fmt: skip
_MIDDLE: Final = {
    FieldLevel.EXACT: (0.6, 0.03), FieldLevel.INITIAL: (0.35, 0.08), FieldLevel.DIFFERENT: (0.05, 0.89),
    FieldLevel.MISSING: (1.0, 1.0),
}  # fmt: skip
_SUFFIX: Final = {
    FieldLevel.EXACT: (0.9, 0.3), FieldLevel.DIFFERENT: (0.005, 0.5), FieldLevel.ONLY_PRINTED: (0.1, 0.2),
    FieldLevel.MISSING: (1.0, 1.0),
}  # fmt: skip
_SEX: Final = {
    FieldLevel.EXACT: (0.985, 0.5),
    FieldLevel.DIFFERENT: (0.015, 0.5),
    FieldLevel.MISSING: (1.0, 1.0),
}

# A household shares its telephone and often its doctor, and comes on one day: these tell strangers apart, not a family.
_PHONE: Final = {FieldLevel.EXACT: (0.6, 2e-5), FieldLevel.DIFFERENT: (0.4, 0.99998), FieldLevel.MISSING: (1.0, 1.0)}
_CLINICIAN: Final = {FieldLevel.EXACT: (0.7, 0.1), FieldLevel.DIFFERENT: (0.3, 0.9), FieldLevel.MISSING: (1.0, 1.0)}
_VISIT: Final = {FieldLevel.EXACT: (0.5, 0.01), FieldLevel.DIFFERENT: (0.5, 0.99), FieldLevel.MISSING: (1.0, 1.0)}

_GIVEN_BITS: Final = _in_bits(_GIVEN)
_FAMILY_BITS: Final = _in_bits(_FAMILY)
_BIRTH_DATE_BITS: Final = _in_bits(_BIRTH_DATE)
_MRN_BITS: Final = _in_bits(_MRN)
_MIDDLE_BITS: Final = _in_bits(_MIDDLE)
_SUFFIX_BITS: Final = _in_bits(_SUFFIX)
_SEX_BITS: Final = _in_bits(_SEX)
_PHONE_BITS: Final = _in_bits(_PHONE)
_CLINICIAN_BITS: Final = _in_bits(_CLINICIAN)
_VISIT_BITS: Final = _in_bits(_VISIT)
_STRAIGHT_BITS: Final = log2(1 - _SWAPPED)
_SWAPPED_BITS: Final = log2(_SWAPPED)

# Relatives. Somebody who is not on the roster shares a family name with the patient this often, was born on the same
# day (a twin) this often, and then bears an equal or near given name this often.
_SHARES_FAMILY_NAME: Final = 0.85
_TWIN: Final = 0.03
_TWIN_SAME_GIVEN: Final = 1e-4
_TWIN_OTHER_NEAR_NAME: Final = 0.2  # Marie and Maria
_TWIN_NEAR_SPELLING: Final = 0.004  # a spelling that nobody else bears: a slip, or a rare name
_TWIN_NICKNAME: Final = 0.05
_NAMESAKE: Final = 0.03  # parent and child of one name
_NEAR_NAMESAKE: Final = 0.02
GENERATION: Final = 12  # years at least between parent and child
_TWIN_SOON: Final = 1e-3  # a brother or sister of the same name, born within a generation
# Families register together, so their numbers are neighbours: one slip, and a number is near or equal.
_RELATIVE_MRN: Final = {MrnLevel.EXACT: 100.0, MrnLevel.WITHOUT_LETTERS: 100.0, MrnLevel.ONE_EDIT: 700.0}
_RELATIVE_PHONE: Final = 0.5
_RELATIVE_CLINICIAN: Final = 0.4
_RELATIVE_VISIT: Final = 0.1
_NEAR_SPELLING: Final = frozenset({NameLevel.ONE_EDIT, NameLevel.CUT_OFF, NameLevel.MIDDLE})
_OTHER_NEAR_NAME: Final = frozenset({NameLevel.OTHER_NAME, NameLevel.PART, NameLevel.SIMILAR})


class Comparison(NamedTuple):
    """One roster row against a print.

    Attributes:
        row: Row of the roster index.
        bits: Weights of the identifiers in their order, in log2.
        relative: Likelihood that a relative of this patient, who is not on the roster, was printed like this;
            in the scale of 2 ** sum(bits).
    """

    row: int
    name: NameAgreement
    birth_date: BirthDateLevel
    mrn: MrnLevel
    middle: FieldLevel
    suffix: FieldLevel
    sex: FieldLevel
    phone: FieldLevel
    clinician: FieldLevel
    visit: FieldLevel
    bits: tuple[float, ...]
    relative: float

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The bars of the waterfall; fields that are missing on either side have none."""
        levels = (
            self.name.label, self.birth_date, self.mrn, self.middle, self.suffix, self.sex, self.phone, self.clinician,
            self.visit,
        )  # fmt: skip
        return tuple(
            bar(identifier, str(level), weight)
            for identifier, level, weight in zip(_IDENTIFIERS, levels, self.bits, strict=True)
            if level != "missing"
        )


@lru_cache(maxsize=16_384)
def bar(identifier: str, level: str, weight: float) -> Evidence:
    """A bar of the waterfall; most are the same for many prints."""
    return Evidence(identifier=identifier, level=level, weight=weight)


_IDENTIFIERS: Final = ("name", "birth_date", "mrn", "middle", "suffix", "sex", "phone", "clinician", "visit")


def printed_name(printed: Person, frequency: NameFrequency) -> PrintedName:
    """The name of a print, to be compared with patients of this roster."""
    return PrintedName(printed, given_known=frequency.is_given_name, family_known=frequency.is_family_name)


def compare(printed: Person, known: Person, *, row: int, names: PrintedName, frequency: NameFrequency) -> Comparison:
    """Compare a print with a roster patient, its names as printed or swapped, whichever fits better.

    Args:
        printed: The person of the print.
        known: The patient.
        row: The patient's row in the roster index.
        names: `printed_name` of the print, made once per print.
        frequency: Of the same roster.
    """
    name, given_bits, family_bits = _name(names, known, frequency)
    birth_date, birth_date_bits = _birth_date(printed, known, frequency)
    mrn = mrn_level(printed.mrn, known.mrn)
    middle, suffix = middle_level(printed, known), _suffix_level(printed, known)
    sex, phone = _equal(printed.sex, known.sex), _equal(printed.phone, known.phone)
    clinician, visit = _clinician_level(printed, known), _equal(printed.visit, known.visit)
    swap_bits = _SWAPPED_BITS if name.swapped else _STRAIGHT_BITS
    name_missing = NameLevel.MISSING in (name.given, name.family)
    relative = _relative(
        name, given_bits, family_bits, birth_date, birth_date_bits, years=_years_between(printed, known)
    )
    return Comparison(
        row=row,
        name=name,
        birth_date=birth_date,
        mrn=mrn,
        middle=middle,
        suffix=suffix,
        sex=sex,
        phone=phone,
        clinician=clinician,
        visit=visit,
        bits=(
            given_bits + family_bits + (swap_bits if name.swapped or not name_missing else 0.0),
            birth_date_bits, _MRN_BITS[mrn], _MIDDLE_BITS[middle], _SUFFIX_BITS[suffix], _SEX_BITS[sex],
            _PHONE_BITS[phone], _CLINICIAN_BITS[clinician], _VISIT_BITS[visit],
        ),
        relative=relative * _shared_by_a_family(mrn, phone, clinician, visit),
    )  # fmt: skip


def _shared_by_a_family(mrn: MrnLevel, phone: FieldLevel, clinician: FieldLevel, visit: FieldLevel) -> float:
    shares = (
        (phone, _PHONE, _RELATIVE_PHONE), (clinician, _CLINICIAN, _RELATIVE_CLINICIAN), (visit, _VISIT, _RELATIVE_VISIT)
    )  # fmt: skip
    factor = _RELATIVE_MRN.get(mrn, 1.0)
    for level, table, share in shares:
        if level is FieldLevel.EXACT:
            factor *= share / table[level][1]
    return factor


def _years_between(printed: Person, known: Person) -> int:
    if not printed.birth_dates or not known.birth_dates:
        return GENERATION
    return abs(printed.birth_dates[0].year - known.birth_dates[0].year)


def _name(names: PrintedName, known: Person, frequency: NameFrequency) -> tuple[NameAgreement, float, float]:
    straight = names.against(known, swapped=False)
    straight_bits = _name_bits(straight, known, frequency)
    if NameLevel.MISSING in (straight.given, straight.family) or straight.given_agrees or straight.family_agrees:
        return straight, *straight_bits
    swapped = names.against(known, swapped=True)
    swapped_bits = _name_bits(swapped, known, frequency)
    if sum(swapped_bits) + _SWAPPED_BITS > sum(straight_bits) + _STRAIGHT_BITS:
        return swapped, *swapped_bits
    return straight, *straight_bits


def _name_bits(name: NameAgreement, known: Person, frequency: NameFrequency) -> tuple[float, float]:
    given = (
        log2(_GIVEN_EXACT / frequency.given_share(known.given))
        if name.given is NameLevel.EXACT
        else _GIVEN_BITS[name.given]
    )  # fmt: skip
    family = (
        log2(_FAMILY_EXACT / frequency.family_share(known.family))
        if name.family is NameLevel.EXACT
        else _FAMILY_BITS[name.family]
    )  # fmt: skip
    return given, family


def birth_date_level(printed: date, known: date) -> BirthDateLevel:
    """The level of one reading of a printed birth date; never "either-reading" or "missing"."""
    if printed == known:
        return BirthDateLevel.EXACT
    equal_parts = (printed.year == known.year, printed.month == known.month, printed.day == known.day)
    if equal_parts[0] and (printed.month, printed.day) == (known.day, known.month):
        return BirthDateLevel.SWAPPED
    ours, theirs = printed.isoformat().replace("-", ""), known.isoformat().replace("-", "")
    # Same length, so one edit is one other digit or two neighbours transposed.
    if OSA.distance(ours, theirs, score_cutoff=1) == 1:
        differ = sum(a != b for a, b in zip(ours, theirs, strict=True))
        return BirthDateLevel.ONE_DIGIT if differ == 1 else BirthDateLevel.TRANSPOSED
    if sum(equal_parts) == 2:
        return BirthDateLevel.TWO_PARTS
    return BirthDateLevel.YEAR_ONLY if equal_parts[0] else BirthDateLevel.DIFFERENT


def _birth_date(printed: Person, known: Person, frequency: NameFrequency) -> tuple[BirthDateLevel, float]:
    if not printed.birth_dates or not known.birth_dates:
        return BirthDateLevel.MISSING, 0.0
    day = known.birth_dates[0]
    level = min((birth_date_level(reading, day) for reading in printed.birth_dates), key=_BIRTH_DATE_RANK.__getitem__)
    if level is not BirthDateLevel.EXACT:
        return level, _BIRTH_DATE_BITS[level]
    bits = log2(_BIRTH_DATE_EXACT / frequency.birth_date_share(day))
    if len(printed.birth_dates) == 1:
        return level, bits
    return BirthDateLevel.EITHER_READING, bits - 1  # two days would have fitted, not one


_BIRTH_DATE_RANK: Final = {level: rank for rank, level in enumerate(BirthDateLevel)}


def mrn_level(printed: str, known: str) -> MrnLevel:
    """The level of two normalised record numbers of one site."""
    if not printed or not known:
        return MrnLevel.MISSING
    a, b = strip_mrn_zeros(printed), strip_mrn_zeros(known)
    if a == b:
        return MrnLevel.EXACT
    if mrn_core(a) == mrn_core(b) and (a.isdigit() or b.isdigit()) and a[-1].isdigit() and b[-1].isdigit():
        return MrnLevel.WITHOUT_LETTERS
    distance = min(OSA.distance(printed, known, score_cutoff=2), OSA.distance(a, b, score_cutoff=2))
    if distance == 1:
        return MrnLevel.ONE_EDIT
    return MrnLevel.TWO_EDITS if distance == 2 and min(len(a), len(b)) >= 5 else MrnLevel.DIFFERENT


def middle_level(printed: Person, known: Person) -> FieldLevel:
    """The level of the middle names; a second word in the given column counts as one."""
    ours = printed.middle.split() or (printed.given.split()[1:] if " " not in known.given else [])
    theirs = known.middle.split()
    if not ours or not theirs:
        return FieldLevel.MISSING
    if any(len(word) > 1 and word in theirs and word not in PARTICLES for word in ours):
        return FieldLevel.EXACT
    if any(a[0] == b[0] and 1 in (len(a), len(b)) for a in ours for b in theirs):
        return FieldLevel.INITIAL
    return FieldLevel.DIFFERENT  # Hassan and Hussain are as near as a slip, and two brothers


def _suffix_level(printed: Person, known: Person) -> FieldLevel:
    if not printed.suffix:
        return FieldLevel.MISSING
    if not known.suffix:
        return FieldLevel.ONLY_PRINTED
    return FieldLevel.EXACT if printed.suffix == known.suffix else FieldLevel.DIFFERENT


def _equal(printed: str | date | None, known: str | date | None) -> FieldLevel:
    if not printed or not known:
        return FieldLevel.MISSING
    return FieldLevel.EXACT if printed == known else FieldLevel.DIFFERENT


def _clinician_level(printed: Person, known: Person) -> FieldLevel:
    if not printed.clinician or not known.clinician:
        return FieldLevel.MISSING
    ours, theirs = set(printed.clinician.split()), set(known.clinician.split())
    return FieldLevel.EXACT if ours <= theirs or theirs <= ours else FieldLevel.DIFFERENT


def _relative(
    name: NameAgreement,
    given_bits: float,
    family_bits: float,
    birth_date: BirthDateLevel,
    birth_date_bits: float,
    *,
    years: int,
) -> float:
    """The likelihood that a relative was printed like this: the family's share times the twin's or the namesake's.

    Without this, a twin who is no patient would be confirmed as the one who is: all but the given name agrees.
    """
    born_alike = birth_date in (BirthDateLevel.EXACT, BirthDateLevel.EITHER_READING)
    born = _TWIN * 2**birth_date_bits / _BIRTH_DATE_EXACT if born_alike else 1.0
    given = _twin_given(name.given, given_bits) if born_alike else _relative_given(name.given, given_bits, years=years)
    swap = _SWAPPED if name.swapped else 1.0
    return (_SHARES_FAMILY_NAME * 2**family_bits + 1 - _SHARES_FAMILY_NAME) * given * born * swap


def _twin_given(level: NameLevel, bits: float) -> float:
    """How much more often than strangers a twin of the patient is printed with such a given name."""
    if level in (NameLevel.EXACT, NameLevel.PREFERRED):
        return _TWIN_SAME_GIVEN * 2**bits / _GIVEN_EXACT
    if level in _NEAR_SPELLING:
        return _TWIN_NEAR_SPELLING / _GIVEN[level][1]
    if level in _OTHER_NEAR_NAME:
        return _TWIN_OTHER_NEAR_NAME / _GIVEN[level][1]
    if level is NameLevel.NICKNAME:
        return _TWIN_NICKNAME / _GIVEN[level][1]
    return 1.5 if level is NameLevel.INITIAL else 1.0


def _relative_given(level: NameLevel, bits: float, *, years: int) -> float:
    """The same of a relative who was born on another day."""
    apart = years >= GENERATION
    if level in (NameLevel.EXACT, NameLevel.PREFERRED):
        return (_NAMESAKE if apart else _TWIN_SOON) * 2**bits / _GIVEN_EXACT
    if level in _NEAR_SPELLING or level in _OTHER_NEAR_NAME:
        return _NEAR_NAMESAKE / _GIVEN[level][1]
    return 1.5 if level is NameLevel.INITIAL else 1.0
