"""Prints of a clinic's people, with the errors that reports have: T3 to T5.

About 85 of 100 prints say what the roster says, apart from accents and suffixes. The others carry a slip in a name
(3.6 %) or the birth date (2.5 %; 0.7 % have none), a nickname (7 % of those who have one), a name of before or after a
marriage, one of two surnames, exchanged or cut names. Errors are drawn one by one, so that some prints have two. Of the
record numbers 2 % are wrong, a seventh of them those of somebody of the household, and 1 % missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random

from bench.matching_households import Clinic, Person, clinic
from bench.matching_names import NameStream, nicknames_of
from bench.matching_people import SITE, PeopleSet, TruePrint, decidable, name_cell
from bench.misprints import day_as_month, misprinted_date, printed_mrn, typo, without_accents
from records.patient import PatientIdentity, RosterPatient

UNLISTED = 0.10
_COLUMN = 9  # characters of a column that is too narrow


@dataclass(slots=True)
class Draft:
    """A print in the making; `kinds` names what befell it."""

    given: str
    family: str
    middle: str
    suffix: str
    born: date | None
    sex: str | None
    mrn: str | None = None
    other_born: date | None = None
    cut_off: tuple[str, ...] = ()
    kinds: list[str] = field(default_factory=list)


def household_set(seed: int, *, size: int = 9_000) -> PeopleSet:
    """T3: a clinic of `size` patients, each printed once; a tenth of the prints is of people not on its roster."""
    name = f"households {seed}"
    about = clinic(name, size=size)
    printer = Printer(name)
    prints = [printer.printed(person, patient) for person, patient in zip(about.people, about.patients, strict=True)]
    strangers = round(len(prints) * UNLISTED / (1 - UNLISTED))
    prints += printer.unlisted(about, count=strangers)
    return PeopleSet(name="T3", patients=about.patients, prints=_shuffled(name, prints, about.patients))


def battered_set(seed: int, *, size: int = 100_000, prints: int = 3_000) -> PeopleSet:
    """T4: prints by name and birth date of which family name, given name and birth date each have an error."""
    name = f"battered {seed}"
    about = clinic(name, size=size)
    printer = Printer(name)
    rows = Random(name).sample(range(size), k=prints)
    battered = [printer.battered(about.people[row], about.patients[row]) for row in rows]
    ordinary = [printer.printed(about.people[row], about.patients[row]) for row in rows]
    return PeopleSet(
        name="T4",
        patients=about.patients,
        prints=decidable(battered, about.patients),
        ordinary=decidable(ordinary, about.patients),
    )


def speed_set(seed: int, *, size: int, prints: int = 3_000, unlisted: float = 0.15) -> PeopleSet:
    """T5: a large roster and as many prints of it, a share of `unlisted` of people who are not on it."""
    name = f"speed {seed}"
    about = clinic(name, size=size)
    printer = Printer(name)
    rows = Random(name).sample(range(size), k=round(prints * (1 - unlisted)))
    found = [printer.printed(about.people[row], about.patients[row]) for row in rows]
    found += printer.unlisted(about, count=prints - len(found))
    return PeopleSet(name=f"T5 {size:,}", patients=about.patients, prints=_shuffled(name, found, about.patients))


def _shuffled(name: str, prints: list[TruePrint], patients: Iterable[RosterPatient]) -> tuple[TruePrint, ...]:
    Random(name).shuffle(prints)
    return decidable(prints, patients)


class Printer:
    """Prints people with the errors of an old system; the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self._chance = Random(f"{seed} prints")
        self._names = NameStream(f"{seed} prints")

    def printed(self, person: Person, patient: RosterPatient | None) -> TruePrint:
        """The person as a report prints them; `patient` is their row, if they are on the roster."""
        draft = self._draft(person)
        self._say_other_names(draft, person)
        self._slip(draft)
        self._drop(draft, person)
        draft.mrn, befell = printed_mrn(self._chance, person.number, prefix=SITE, missing=0.01, misprinted=0.017)
        if person.beside and self._chance.random() < 0.004:  # the desk picked the row of somebody of the household
            draft.mrn, befell = person.beside, "mrn-of-household"
        draft.kinds += [befell] if befell else []
        return _true_print(draft, patient)

    def battered(self, person: Person, patient: RosterPatient) -> TruePrint:
        """The person with an error in given name, family name and birth date each."""
        draft = self._draft(person)
        # What the roster row says is misprinted, not what the person is called: nothing survives by an accent.
        draft.given, draft.family = typo(self._chance, patient.given), typo(self._chance, patient.family)
        draft.born = misprinted_date(self._chance, person.born)
        draft.kinds.append("battered")
        return _true_print(draft, patient)

    def unlisted(self, about: Clinic, *, count: int) -> Iterator[TruePrint]:
        """Of a hundred people who are not on the roster, 55 are patients' relatives, three of the others namesakes."""
        relatives = round(count * 0.55)
        for person in self._chance.sample(about.relatives, k=relatives):
            yield _of_kind("twin" if person.twin else "relative", self.printed(person, None))
        for number, person in enumerate(self._chance.sample(about.strangers, k=count - relatives)):
            if number % 15 == 0:
                namesake = self._chance.choice(about.people)
                person.given, person.family, person.middle = namesake.given, namesake.family, ""
                person.sex = namesake.sex
            yield _of_kind("namesake" if number % 15 == 0 else "stranger", self.printed(person, None))

    def _draft(self, person: Person) -> Draft:
        suffix = person.suffix if self._chance.random() < 0.6 else ""
        draft = Draft(person.given, person.family, person.middle, suffix, person.born, person.sex)
        if self._chance.random() < 0.5:  # most old systems know no accents
            draft.given, draft.family, draft.middle = map(without_accents, (draft.given, draft.family, draft.middle))
        return draft

    def _say_other_names(self, draft: Draft, person: Person) -> None:
        """Names that are the person's, and not those of the roster."""
        chance = self._chance
        called = nicknames_of(person.given)
        if called and chance.random() < 0.07:
            draft.given = chance.choice(called)
            draft.kinds.append("nickname")
        elif person.middle and chance.random() < 0.004:
            draft.given, draft.middle = person.middle, ""
            draft.kinds.append("middle-as-given")
        if person.former and chance.random() < 0.025:
            draft.family = person.former
            draft.kinds.append("former-family")
        elif person.sex == "F" and not person.former and person.born.year < 2004 and chance.random() < 0.012:
            married = self._names.family()
            draft.family = married if chance.random() < 0.8 else f"{person.family}-{married}"
            draft.kinds.append("newly-married")
        parts = draft.family.replace("-", " ").split()
        if len(parts) == 2 and parts[0].lower() not in ("de", "del", "la") and chance.random() < 0.25:
            draft.family = parts[0] if chance.random() < 0.8 else parts[1]
            draft.kinds.append("one-of-two-families")
        elif "-" in draft.family and chance.random() < 0.3:
            draft.family = draft.family.replace("-", chance.choice((" ", "")))

    def _slip(self, draft: Draft) -> None:
        """Errors of typing, of narrow columns and of readers."""
        chance = self._chance
        if chance.random() < 0.018:
            draft.given = typo(chance, draft.given)
            draft.kinds.append("given-typo")
        if chance.random() < 0.018:
            draft.family = typo(chance, draft.family)
            draft.kinds.append("family-typo")
        if chance.random() < 0.008:
            draft.given, draft.family = draft.family, draft.given
            draft.kinds.append("swapped")
        elif chance.random() < 0.02:
            self._cut(draft)
        elif chance.random() < 0.002:
            draft.given = draft.given[:1]
            draft.kinds.append("initial")
        self._slip_of_date(draft)
        if chance.random() < 0.15:
            draft.given, draft.family, draft.middle = (t.upper() for t in (draft.given, draft.family, draft.middle))

    def _slip_of_date(self, draft: Draft) -> None:
        chance, born = self._chance, draft.born
        if born is None:
            return
        draw = chance.random()
        if draw < 0.022:
            draft.born = misprinted_date(chance, born)
            draft.kinds.append("birth-date-misprinted")
        elif draw < 0.027 and born.day <= 12 and born.day != born.month:
            draft.born = day_as_month(born)
            draft.kinds.append("day-as-month")
        elif draw < 0.034:
            draft.born = None
            draft.kinds.append("birth-date-missing")
        elif draw < 0.044 and born.day <= 12 and born.day != born.month:
            draft.other_born = day_as_month(born)
            draft.kinds.append("two-readings")

    def _cut(self, draft: Draft) -> None:
        """Names longer than the column, half of them with a sign that something is missing."""
        parts = [part for part in ("given", "family") if len(getattr(draft, part)) > _COLUMN]
        for part in parts:
            setattr(draft, part, getattr(draft, part)[: self._chance.randint(_COLUMN - 3, _COLUMN)].strip())
        if parts and self._chance.random() < 0.5:
            draft.cut_off = tuple(parts)
        draft.kinds += ["cut"] if parts else []

    def _drop(self, draft: Draft, person: Person) -> None:
        """Middle name and sex as reports have them: often an initial or nothing, rarely wrong."""
        draw = self._chance.random()
        if draw < 0.25:
            draft.middle = ""
        elif draw < 0.75:
            draft.middle = draft.middle[:1]
        draw = self._chance.random()
        if draw < 0.02:
            draft.sex = None
        elif draw < 0.024:
            draft.sex = "FM"[person.sex == "F"]
            draft.kinds.append("sex-wrong")


def _true_print(draft: Draft, patient: RosterPatient | None) -> TruePrint:
    identity = PatientIdentity(
        family=draft.family or None, given=draft.given or None, middle=draft.middle or None,
        suffix=draft.suffix or None, birth_date=draft.born, birth_date_other_reading=draft.other_born, mrn=draft.mrn,
        sex=draft.sex, cut_off=draft.cut_off,
    )  # fmt: skip
    identity = replace(identity, name=name_cell(identity))
    kind = "+".join(draft.kinds) or "clean"
    return TruePrint(identity=identity, patient_id=patient.patient_id if patient else None, kind=kind)


def _of_kind(who: str, printed: TruePrint) -> TruePrint:
    return replace(printed, kind=f"{who}+{printed.kind}")
