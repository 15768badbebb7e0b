"""FEBRL4 with a quarter of the roster removed, and the same with people who are nearly, but not, on the roster.

FEBRL4 has 5,000 invented people twice, the second time with heavy errors; it knows neither families nor record
numbers. Every person gets a number of the same site, given in order of registration with few gaps, so that a misprint
often is another patient's. What is added follows what clinics know: twins, siblings, father and son, namesakes,
relatives registered one after the other.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from random import Random

from bench.matching_names import febrl_file, nicknames_of, one_edit_away
from bench.matching_people import SITE, PeopleSet, TruePrint, name_cell, printed_key
from bench.misprints import misprinted_date, printed_mrn, typo
from records.patient import PatientIdentity, RosterPatient

REMOVED = 0.25
STRANGERS = 500
BOTH_LISTED = 250
_FIRST_NUMBER = 48_211
# How twins are named, of twenty pairs: 8, 5, 4 and 3.
_TWINS = ("other", "same-letter", "one-edit", "other", "nickname") * 3 + ("other", "same-letter") * 2 + ("one-edit",)


def febrl_set(seed: int, *, hard: bool) -> PeopleSet:
    """T1, or T2 if `hard`: prints by name, birth date and number; see `PeopleSet.printing` to drop the number."""
    return _Clinic(seed).people(hard=hard)


@cache
def _rows(name: str) -> tuple[PatientIdentity, ...]:
    with febrl_file(name).open(encoding="utf-8", newline="") as file:
        return tuple(map(_identity, csv.DictReader(file, skipinitialspace=True)))


def _identity(row: dict[str, str]) -> PatientIdentity:
    """The person of a row; `mrn` is the number of the true person until a set gives one."""
    family, given = (row[column].strip() or None for column in ("surname", "given_name"))
    return PatientIdentity(family=family, given=given, birth_date=_day(row), mrn=row["rec_id"].split("-")[1])


def _day(row: dict[str, str]) -> date | None:
    """The date as a reader takes it: 24/05/1965 can only be the 24th of May, and a day 45 is none."""
    digits = row["date_of_birth"].strip()
    for month, day in ((digits[4:6], digits[6:]), (digits[6:], digits[4:6])):
        with suppress(ValueError):
            return date(int(digits[:4]), int(month), int(day))
    return None


class _Clinic:
    def __init__(self, seed: int) -> None:
        self._chance = Random(f"febrl {seed}")
        originals = _rows("dataset4a.csv")
        self._mrns = self._numbers([person.mrn or "" for person in originals])
        self._used = set(self._mrns.values())
        kept = self._chance.sample(originals, k=round(len(originals) * (1 - REMOVED)))
        self._patients = {person.mrn or "": self._patient(person) for person in kept}
        self._whole = [p for p in self._patients.values() if p.given and p.family and p.birth_date]
        self._families = [p.family for p in self._whole]
        self._givens = Counter(p.given for p in self._whole)
        # Nobody is invented whom a row or a print of FEBRL4 describes word for word.
        self._taken = {printed_key(p) for p in (*self._patients.values(), *_rows("dataset4b.csv"))}
        self._twins = 0
        self._born: set[str] = set()  # patients to whom a relative was invented: one each, so that kinds stay apart

    def _numbers(self, people: list[str]) -> dict[str, str]:
        """A number of seven digits for each, in a random order of registration."""
        self._chance.shuffle(people)
        number, numbers = _FIRST_NUMBER, {}
        for person in people:
            number += self._chance.choice((1, 1, 1, 2, 2, 3, 6))
            numbers[person] = f"{number:07}"
        return numbers

    def _patient(self, person: PatientIdentity) -> RosterPatient:
        mrn = self._mrns[person.mrn or ""]
        return RosterPatient(
            patient_id=f"P{mrn}", site=SITE, family=person.family or "", given=person.given or "", mrn=mrn,
            birth_date=person.birth_date,
        )  # fmt: skip

    def people(self, *, hard: bool) -> PeopleSet:
        prints = list(map(self._second, _rows("dataset4b.csv")))
        if hard:
            prints += self._strangers()
            prints += self._both_listed()
        self._chance.shuffle(prints)
        named = (replace(each, identity=replace(each.identity, name=name_cell(each.identity))) for each in prints)
        return PeopleSet(name="T2" if hard else "T1", patients=tuple(self._patients.values()), prints=tuple(named))

    def _second(self, person: PatientIdentity) -> TruePrint:
        """The person as FEBRL4 prints it the second time."""
        true = self._patients.get(person.mrn or "")
        kind = "febrl" if true else "removed"
        return self._print(person, true and true.patient_id, kind, self._mrns[person.mrn or ""])

    def _print(self, person: PatientIdentity, patient_id: str | None, kind: str, number: str) -> TruePrint:
        mrn, befell = printed_mrn(self._chance, number, prefix=SITE, missing=0.03, misprinted=0.02)
        kind = f"{kind}+{befell}" if befell else kind
        return TruePrint(identity=replace(person, mrn=mrn), patient_id=patient_id, kind=kind)

    # People who are not on the roster

    def _strangers(self) -> Iterator[TruePrint]:
        makers: tuple[Callable[[RosterPatient], TruePrint | None], ...] = (
            self._twin_stranger, self._sibling_stranger, self._junior_stranger, self._namesake_stranger,
            self._neighbour_stranger, self._number_stranger,
        )  # fmt: skip
        for count in range(STRANGERS):
            made = self._made(makers[count % len(makers)])
            misprinted = made.kind == "number-of-another"
            yield made if misprinted else self._print(made.identity, None, made.kind, made.identity.mrn or "")

    def _made(self, maker: Callable[[RosterPatient], TruePrint | None]) -> TruePrint:
        """What `maker` makes of the first patient it has a use for; `mrn` is the true number."""
        while True:
            patient = self._chance.choice(self._whole)
            if patient.patient_id not in self._born and (made := maker(patient)) is not None:
                self._born.add(patient.patient_id)
                return made

    def _stranger(self, patient: RosterPatient, kind: str, *, given: str, born: date, **more: str) -> TruePrint | None:
        """A person of the patient's family name who is not on the roster, or None if a patient is printed so."""
        person = PatientIdentity(
            family=more.get("family", patient.family), given=given, birth_date=born, suffix=more.get("suffix")
        )
        if printed_key(person) in self._taken:
            return None
        person = replace(person, mrn=more.get("number") or self._free_number())
        return TruePrint(identity=person, patient_id=None, kind=kind)

    def _free_number(self, beside: str | None = None) -> str:
        """A number nobody has; within nine of `beside`, if given and one is free."""
        while True:
            number = self._chance.randrange(_FIRST_NUMBER, _FIRST_NUMBER + 20_000)
            if beside is not None:
                steps = [step for step in range(1, 10) for step in (step, -step)]
                near = (int(beside) + step for step in steps)
                number = next((n for n in near if f"{n:07}" not in self._used), number)
            if f"{number:07}" not in self._used:
                self._used.add(f"{number:07}")
                return f"{number:07}"

    def _twin_stranger(self, patient: RosterPatient) -> TruePrint | None:
        given = self._twin_name(patient.given)
        if given is None or patient.birth_date is None:
            return None
        beside = patient.mrn if self._chance.random() < 0.5 else None
        return self._twin(patient, "twin", given, self._free_number(beside))

    def _twin(self, patient: RosterPatient, kind: str, given: str, number: str) -> TruePrint | None:
        kind = f"{kind}-{_TWINS[self._twins % len(_TWINS)]}"
        made = self._stranger(patient, kind, given=given, born=patient.birth_date or date.min, number=number)
        self._twins += made is not None
        return made

    def _twin_name(self, given: str) -> str | None:
        """What a twin of somebody of this name may be called, in the manner whose turn it is; None if nothing is."""
        match _TWINS[self._twins % len(_TWINS)]:
            case "other":
                return self._other_given(given)
            case "same-letter":
                names = {name for name in self._givens if name[0] == given[0]} - {given}
            case "one-edit":
                names = {*one_edit_away(given, "F"), *one_edit_away(given, "M")}
            case _:
                names = set(nicknames_of(given))
        return self._chance.choice(sorted(names)).lower() if names else None

    def _other_given(self, given: str) -> str:
        while True:
            other = self._chance.choice(self._whole).given
            if other != given:
                return other

    def _sibling_stranger(self, patient: RosterPatient) -> TruePrint | None:
        return self._stranger(
            patient, "sibling", given=self._other_given(patient.given), born=self._years_from(patient, 1, 9)
        )

    def _years_from(self, patient: RosterPatient, least: int, most: int) -> date:
        days = self._chance.randint(least * 365, most * 365)
        born = patient.birth_date or date(1960, 1, 1)
        later, earlier = born + timedelta(days=days), born - timedelta(days=days)
        return earlier if later > date(2020, 1, 1) or self._chance.random() < 0.5 else later

    def _junior_stranger(self, patient: RosterPatient) -> TruePrint | None:
        """The patient's father or son of the same name; half of them print the suffix, half of the rosters know it."""
        born = self._years_from(patient, 19, 38)
        elder = born < (patient.birth_date or born)
        suffix = {"suffix": "Sr" if elder else "Jr"} if self._chance.random() < 0.5 else {}
        made = self._stranger(patient, "junior-senior", given=patient.given, born=born, **suffix)
        if made is not None and self._chance.random() < 0.5:
            self._amend(patient, "Jr" if elder else "Sr")
        return made

    def _amend(self, patient: RosterPatient, suffix: str) -> None:
        key = next(key for key, each in self._patients.items() if each.patient_id == patient.patient_id)
        self._patients[key] = replace(patient, suffix=suffix)

    def _namesake_stranger(self, patient: RosterPatient) -> TruePrint | None:
        born = date(1920, 1, 1) + timedelta(days=self._chance.randrange(95 * 365))
        return self._stranger(patient, "namesake", given=patient.given, born=born)

    def _neighbour_stranger(self, patient: RosterPatient) -> TruePrint | None:
        """A relative registered right before or after the patient."""
        number = self._free_number(patient.mrn)
        draw = self._chance.random()
        if draw < 0.35:  # husband, wife, parent, child
            years = self._chance.choice(((0, 8), (18, 40)))
            return self._stranger(
                patient, "neighbour-family", given=self._other_given(patient.given),
                born=self._years_from(patient, *years), number=number,
            )  # fmt: skip
        if draw < 0.6:
            return self._stranger(
                patient, "neighbour-sibling", given=self._other_given(patient.given),
                born=self._years_from(patient, 1, 9), number=number,
            )  # fmt: skip
        if draw < 0.8 and patient.birth_date:
            given = self._twin_name(patient.given)
            return given and self._twin(patient, "neighbour-twin", given, number)
        return self._stranger(
            patient, "neighbour-junior", given=patient.given, born=self._years_from(patient, 19, 38), number=number
        )

    def _number_stranger(self, patient: RosterPatient) -> TruePrint | None:
        """Somebody whose misprinted number is the patient's: a stranger, a namesake in part, or a relative."""
        draw = self._chance.random()
        family = {} if draw < 0.35 else {"family": str(self._chance.choice(self._families))}
        given = patient.given if 0.35 <= draw < 0.6 else self._other_given(patient.given)
        born = date(1920, 1, 1) + timedelta(days=self._chance.randrange(95 * 365))
        if draw < 0.1:
            born = self._years_from(patient, 1, 30)
        mrn = (patient.mrn or "") if self._chance.random() < 0.8 else (patient.mrn or "").lstrip("0")
        return self._stranger(patient, "number-of-another", given=given, born=born, number=mrn, **family)

    # Relatives who are both on the roster

    def _both_listed(self) -> Iterator[TruePrint]:
        makers = (self._twin_stranger, self._twin_stranger, self._junior_stranger, self._sibling_stranger)
        for count in range(BOTH_LISTED):
            yield self._listed(self._made(makers[count % len(makers)]))

    def _listed(self, made: TruePrint) -> TruePrint:
        """The same person, listed, printed with an error in three of ten cases."""
        person, number = made.identity, made.identity.mrn or ""
        patient = RosterPatient(
            patient_id=f"P{number}", site=SITE, family=person.family or "", given=person.given or "", mrn=number,
            birth_date=person.birth_date, suffix=person.suffix,
        )  # fmt: skip
        self._patients[patient.patient_id] = patient
        self._taken.add(printed_key(patient))
        shown = self._misprinted(person) if self._chance.random() < 0.3 else person
        if printed_key(shown) in self._taken:
            shown = person
        kind = f"both-listed-{made.kind}" + ("" if shown == person else "+misprinted")
        return self._print(shown, patient.patient_id, kind, number)

    def _misprinted(self, person: PatientIdentity) -> PatientIdentity:
        draw = self._chance.random()
        if draw < 0.35:
            return replace(person, given=typo(self._chance, person.given or ""))
        if draw < 0.7 or person.birth_date is None:
            return replace(person, family=typo(self._chance, person.family or ""))
        return replace(person, birth_date=misprinted_date(self._chance, person.birth_date))
