"""What must hold before a match needs no person, however high it scores.

Two identifiers that do not depend on each other must agree: first and last name together are one, the birth date is
one, the record number is one (the Joint Commission asks for two in NPSG.01.01.01). Whatever contradicts sends the
record to a person. The weights cannot be trusted with this: they know how often people slip, not who is a twin.
The beginning of a name that is cut off counts beside an equal record number and birth date only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matching.comparison import GENERATION, BirthDateLevel, Comparison, FieldLevel, MrnLevel
from matching.name_comparison import PARTICLES, NameLevel, given_level
from matching.normalisation import mrn_core
from matching.person import Person
from matching.roster_index import RosterIndex, Rows

_NEAR_BIRTH_DATES = frozenset(
    {BirthDateLevel.EITHER_READING, BirthDateLevel.SWAPPED, BirthDateLevel.TRANSPOSED, BirthDateLevel.ONE_DIGIT}
)
# One other day than the patient's, out of a lifetime: no namesake was born just then. Of days with a digit changed or
# two transposed there are dozens, and a common name has a namesake on one of them.
_SAME_DIGITS = frozenset({BirthDateLevel.EITHER_READING, BirthDateLevel.SWAPPED})
_LONGEST_NUMBER = 18  # digits of a number that can have neighbours
_MOST_SIBLINGS = 50
_NEIGHBOURS = 5  # numbers before and after, among which a family that registers together is found
_UNLIKE = frozenset({NameLevel.DIFFERENT, NameLevel.MISSING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """What the gates know about the print besides one candidate.

    Attributes:
        person: The print, normalised.
        mrn_rows: Rows whose record number is the printed one.
        mrn_digit_rows: Rows whose record number has the printed digits.
        sure: Rows that share the birth date among others, as `RosterIndex.sure` finds them.
        index: The roster.
    """

    person: Person
    mrn_rows: tuple[int, ...]
    mrn_digit_rows: tuple[int, ...]
    sure: Rows
    index: RosterIndex


def doubts(found: Comparison, about: Print) -> list[str]:
    """Reason codes of what keeps this candidate from a match without a person, gravest first; or nothing."""
    return list(dict.fromkeys([*_identifiers(found, about), *_contradictions(found, about)]))


def has_near_twin(found: Comparison, about: Print) -> bool:
    """A twin on the roster bears a given name that the printed one may be a slip of."""
    if mrn_agrees(found, about) and found.name.given is NameLevel.EXACT:
        return False
    is_known = about.index.frequency.is_given_name
    printed = about.person.family if found.name.swapped else about.person.given
    patient = about.index.person(found.row)
    return any(
        given_level((name,), twin, is_known=is_known) not in _UNLIKE
        for twin in _siblings(found, about)
        for name in (printed, patient.given)
    )


def has_namesake(found: Comparison, others: Iterable[Comparison], about: Print) -> bool:
    """Somebody else on the roster bears the printed name, and what else is printed does not tell the two apart."""
    if mrn_agrees(found, about):
        # The number may be the slip: then the name, or the name and the birth date, point at the other one.
        if found.birth_date is BirthDateLevel.EXACT:
            return False
        if found.birth_date is BirthDateLevel.MISSING:
            return not found.name.equal and any(other.name.equal for other in others)
        return any(other.name.agrees and other.birth_date is BirthDateLevel.EXACT for other in others)
    return any(other.name.equal and _may_be_born(other) for other in others)


def _may_be_born(found: Comparison) -> bool:
    return found.birth_date in (BirthDateLevel.EXACT, BirthDateLevel.MISSING, *_NEAR_BIRTH_DATES)


def mrn_agrees(found: Comparison, about: Print) -> bool:
    """The printed record number is this patient's alone; without its letters, no other patient has its digits."""
    if found.mrn is MrnLevel.WITHOUT_LETTERS:
        return _is_alone_in(about.mrn_digit_rows, found, about)
    return found.mrn is MrnLevel.EXACT and _is_alone_in(about.mrn_rows, found, about)


def _is_alone_in(rows: Iterable[int], found: Comparison, about: Print) -> bool:
    """Whether all these rows are of the candidate's patient, records that were merged into theirs among them."""
    return {about.index.patient_id(row) for row in rows} == {about.index.patient_id(found.row)}


def _identifiers(found: Comparison, about: Print) -> list[str]:
    if mrn_agrees(found, about):
        return _beside_equal_mrn(found, about)
    if found.mrn in (MrnLevel.MISSING, MrnLevel.EXACT):  # a number that several patients have tells nobody apart
        return _without_mrn(found, about)
    if about.mrn_rows or len(about.mrn_digit_rows) > 1:
        return ["mrn-conflict", *_without_mrn(found, about)]
    if found.mrn is MrnLevel.ONE_EDIT:
        return _beside_near_mrn(found, about)
    # Whoever has the name and the birth date is the patient, or is registered twice: a new number, or a misprint.
    if found.name.equal and found.birth_date is BirthDateLevel.EXACT:
        return []
    return ["mrn-unknown", *_without_mrn(found, about)]


def _beside_equal_mrn(found: Comparison, about: Print) -> list[str]:
    name, birth_date = found.name, found.birth_date
    by_default = any(map(about.index.frequency.is_default_day, about.person.birth_dates))
    if birth_date is BirthDateLevel.EXACT and not by_default:
        return _names_beside_two_identifiers(found, about)
    if birth_date in (BirthDateLevel.EXACT, BirthDateLevel.MISSING) or birth_date in _NEAR_BIRTH_DATES:
        return _names_beside_number(found)
    if name.agrees:
        # Name and number are two identifiers; but father and son may share a name, and one have the other's number.
        kin = _has_suffix(found, about) or _is_a_generation_apart(found, about)
        return ["birth-date-conflict"] if kin or _is_cut_off(found) or not _is_no_twin(found) else []
    return ["mrn-conflict", "birth-date-conflict", "name-conflict"]


def _names_beside_number(found: Comparison) -> list[str]:
    """Record number equal, birth date near, missing, or one that says nothing."""
    name, birth_date = found.name, found.birth_date
    if name.agrees:
        return ["name-cut-off", "one-identifier"] if _is_cut_off(found) else []
    if birth_date in _SAME_DIGITS and name.given_equal:  # married since, and a slip in the day
        return []
    if NameLevel.MISSING in (name.given, name.family) or NameLevel.INITIAL in (name.given, name.family):
        return ["name-incomplete", "one-identifier"]
    return ["name-conflict", "one-identifier"]


def _names_beside_two_identifiers(found: Comparison, about: Print) -> list[str]:
    """Record number and birth date agree: the name may differ like a married, a mistyped or a changed one."""
    name = found.name
    if name.given is NameLevel.MISSING:
        if name.family is NameLevel.MISSING or not name.family_agrees:
            return ["name-incomplete"]
        return ["name-incomplete", "twin"] if _siblings(found, about) else []
    if name.given_agrees:
        return []
    if not name.family_agrees:
        return ["name-incomplete"] if name.family is NameLevel.MISSING else ["name-conflict"]
    # A twin has the birth date and the family name, and a number one slip away where families register together.
    unlike = name.given is NameLevel.DIFFERENT and _registered_with_family(found, about)
    return ["name-conflict"] if unlike or _siblings(found, about) or _is_named_like_another(found, about) else []


def _beside_near_mrn(found: Comparison, about: Print) -> list[str]:
    # Twins who register together have neighbouring numbers: only the given name tells a slip from a sister.
    agrees = _is_no_twin(found) and not _is_cut_off(found)
    if agrees and found.birth_date is BirthDateLevel.EXACT:
        return []
    return ["mrn-near", *_without_mrn(found, about)]


def _is_named_like_another(found: Comparison, about: Print) -> bool:
    """Whether the print bears another patient's name to the letter: a name may stand in its neighbour's row.

    In a list that is sorted by name, the neighbour often has the same family name.
    """
    index, person = about.index, about.person
    others = (row for row in about.sure.tolist() if index.patient_id(row) != index.patient_id(found.row))
    names = {person.given, person.family}
    return any(names == {other.given, other.family} for other in map(index.person, others))


def _is_a_generation_apart(found: Comparison, about: Print) -> bool:
    """Whether the birth dates are as far apart as those of parent and child."""
    known = about.index.person(found.row).birth_dates
    return any(abs(ours.year - theirs.year) >= GENERATION for ours in about.person.birth_dates for theirs in known)


def _without_mrn(found: Comparison, about: Print) -> list[str]:
    """Name and birth date alone: whoever else could have both is a twin, so the given name must be the patient's.

    A slip in the family name or a day exchanged with its month leaves less than two identifiers that agree: nothing
    but their rarity says that the patient is meant, and that is for a person to weigh.
    """
    name, birth_date = found.name, found.birth_date
    reasons: list[str] = []
    if NameLevel.MISSING in (name.given, name.family) or NameLevel.INITIAL in (name.given, name.family):
        reasons.append("name-incomplete")
    elif _is_cut_off(found) and name.agrees:
        reasons.append("name-cut-off")
    elif not (name.equal or (birth_date is BirthDateLevel.EXACT and _is_called_so(found))):
        reasons.append("name-conflict")
    if birth_date is BirthDateLevel.MISSING:
        reasons.append("birth-date-missing")
    elif birth_date not in (BirthDateLevel.EXACT, BirthDateLevel.EITHER_READING):
        reasons.append("birth-date-near" if birth_date in _NEAR_BIRTH_DATES else "birth-date-conflict")
    elif any(map(about.index.frequency.is_default_day, about.person.birth_dates)):
        reasons.append("birth-date-default")
    return [*reasons, "one-identifier"] if reasons else []


def _is_no_twin(found: Comparison) -> bool:
    """Whether beside an equal birth date the name differs in a way that a twin's name would not.

    Twins share a family name, not a given name or a whole middle name; and no twin is called by a spelling that nobody
    bears, or by the other's middle name.
    """
    return found.name.family_near if found.name.given_equal else _is_called_so(found)


def _is_called_so(found: Comparison) -> bool:
    """Whether beside an equal family name the given name is the patient's: a slip of it, or another name of theirs."""
    name = found.name
    called = name.given is NameLevel.NICKNAME and found.middle is FieldLevel.EXACT
    return (called or name.given in (NameLevel.ONE_EDIT, NameLevel.MIDDLE)) and name.family is NameLevel.EXACT


def _is_cut_off(found: Comparison) -> bool:
    """Whether given or family name agree as far as they are printed: names of others may begin like that."""
    return NameLevel.CUT_OFF in (found.name.given, found.name.family)


def _contradictions(found: Comparison, about: Print) -> list[str]:
    reasons: list[str] = []
    equal_mrn = mrn_agrees(found, about)
    same_day = found.birth_date is BirthDateLevel.EXACT
    if found.suffix is FieldLevel.DIFFERENT or (found.suffix is FieldLevel.ONLY_PRINTED and not same_day):
        reasons.append("suffix-conflict")
    if found.sex is FieldLevel.DIFFERENT and not (equal_mrn and found.name.given_equal):
        reasons.append("sex-conflict")
    if found.middle is FieldLevel.DIFFERENT and not (equal_mrn and same_day):
        reasons.append("middle-conflict")
    if not about.index.is_active(found.row):
        reasons.append("patient-inactive")
    survivor = about.index.survivor(found.row)
    if survivor is not None and not _may_be_one(about.index.person(found.row), survivor):
        reasons.append("merged-unlike")
    return reasons


def _may_be_one(merged: Person, survivor: Person) -> bool:
    """Whether two records that the clinic merged are of one person by what they say: some merges are mistakes."""
    same_name = merged.given == survivor.given and not _families(merged).isdisjoint(_families(survivor))
    some_name = merged.given == survivor.given or not _families(merged).isdisjoint(_families(survivor))
    same_day = bool(merged.birth_dates) and merged.birth_dates == survivor.birth_dates
    return same_name or (some_name and same_day)


def _has_suffix(found: Comparison, about: Print) -> bool:
    """Whether a generational suffix says that others of the family bear the name."""
    return bool(about.person.suffix or about.index.person(found.row).suffix)


def _registered_with_family(found: Comparison, about: Print) -> bool:
    """Whether patients with the next record numbers bear this patient's family name."""
    patient = about.index.person(found.row)
    core = mrn_core(patient.mrn)
    if not core.isdecimal() or len(core) > _LONGEST_NUMBER:
        return False
    steps = (step for step in range(-_NEIGHBOURS, _NEIGHBOURS + 1) if step)
    neighbours = (row for step in steps for row in about.index.with_mrn_digits(str(max(int(core) + step, 0))))
    others = (row for row in neighbours if about.index.patient_id(row) != about.index.patient_id(found.row))
    return any(not _families(patient).isdisjoint(_families(about.index.person(row))) for row in others)


def _siblings(found: Comparison, about: Print) -> Sequence[Person]:
    """Others on the roster with this patient's birth date and family name."""
    patient = about.index.person(found.row)
    if not patient.birth_dates:
        return ()
    born = patient.birth_dates[0]
    rows = about.sure if born in about.person.birth_dates else about.index.born_on(born)
    relatives = about.index.maybe_of_family(rows, found.row).tolist()[:_MOST_SIBLINGS]
    self_id = about.index.patient_id(found.row)
    others = [about.index.person(row) for row in relatives if about.index.patient_id(row) != self_id]
    return [
        other
        for other in others
        if other.birth_dates == patient.birth_dates and not _families(patient).isdisjoint(_families(other))
    ]


def _families(person: Person) -> set[str]:
    return {*person.family.split(), *person.former} - PARTICLES
