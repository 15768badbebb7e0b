"""The households of an invented clinic: who lives, is named and registers together. No real person is in it.

Families are grown from a couple or a single person downwards. Names have the frequencies of the US Census; of the
people, 18 % have a Spanish-speaking family, 3 % of births are twins, one in fourteen first sons is named after the
father, most wives and some others changed their family name when they married. Only some of a family are patients of
the clinic; those of one household mostly registered together, so that their numbers are neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from itertools import chain, pairwise
from random import Random

from bench.matching_names import NameStream, nicknames_of, one_edit_away
from bench.matching_people import SITE
from bench.misprints import without_accents
from records.patient import RosterPatient

TODAY = date(2026, 11, 20)
TWIN_BIRTHS = 0.03
_ADULT_YEARS = 24


@dataclass(slots=True, eq=False)
class Person:
    """Somebody of the invented town.

    Attributes:
        family: The name of today.
        former: Family name from before a marriage.
        number: Record number, seven digits.
        beside: That of somebody of the household.
    """

    given: str
    middle: str
    family: str
    sex: str
    born: date
    hispanic: bool
    former: str = ""
    suffix: str = ""
    number: str = ""
    beside: str = ""
    listed: bool = False
    twin: bool = False


@dataclass(slots=True, eq=False)
class Clan:
    """A family over up to three generations, household by household."""

    households: list[list[Person]] = field(default_factory=list)

    @property
    def people(self) -> Iterator[Person]:
        return chain.from_iterable(self.households)


class Town:
    """Grows families, one after the other; the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self._chance = Random(f"{seed} town")
        self._names = NameStream(seed)

    def clan(self) -> Clan:
        chance = self._chance
        hispanic = chance.random() < 0.18
        sex = chance.choice("FM")
        eldest = self._person(sex, self._family(hispanic), self._birthday(chance.randint(1934, 1996)), hispanic)
        clan = Clan()
        draw = chance.random()
        if draw < 0.25:
            clan.households.append([eldest])
        elif draw < 0.37:
            clan.households.append([eldest, self._married(eldest)])
        else:
            self._grow(clan, eldest)
        return clan

    def _grow(self, clan: Clan, elder: Person) -> None:
        """Add the household of `elder`, and those of the children who have grown up."""
        partner = self._married(elder) if self._chance.random() < 0.85 else None
        home = [elder] if partner is None else [elder, partner]
        clan.households.append(home)
        mother, father = (elder, partner) if elder.sex == "F" else (partner, elder)
        for child in self._children(mother, father):
            if child.born.year + _ADULT_YEARS > TODAY.year or self._chance.random() < 0.08:
                home.append(child)
            elif self._chance.random() < 0.45:
                clan.households.append([child])
            else:
                self._grow(clan, child)

    def _children(self, mother: Person | None, father: Person | None) -> Iterator[Person]:
        chance, first = self._chance, mother or father
        if first is None:
            return
        year, known = first.born.year + chance.randint(19, 33), {first.given, father.given if father else ""}
        named_after = False
        for _ in range(chance.choices((0, 1, 2, 3, 4, 5), (16, 24, 32, 17, 8, 3))[0]):
            if year > TODAY.year - 1:
                return
            born = self._birthday(year)
            siblings = [self._child(mother, father, born, known)]
            if chance.random() < TWIN_BIRTHS:
                siblings.append(self._twin(siblings[0], known))
            elif not named_after and father and siblings[0].sex == "M" and chance.random() < 0.07:
                named_after = True
                self._name_after(father, siblings[0])
            known |= {child.given for child in siblings}
            yield from siblings
            year += chance.randint(1, 5)

    def _child(self, mother: Person | None, father: Person | None, born: date, known: set[str]) -> Person:
        parent = father or mother
        assert parent is not None
        family = parent.family
        if mother and father and parent.hispanic and mother.hispanic and self._chance.random() < 0.5:
            link = self._chance.choice((" ", " ", "-"))
            family = f"{father.family.partition(' ')[0]}{link}{(mother.former or mother.family).partition(' ')[0]}"
        return self._person(self._chance.choice("FM"), family, born, parent.hispanic, unlike=known)

    def _twin(self, child: Person, known: set[str]) -> Person:
        """A twin; a third share the first letter, some differ in one letter only."""
        chance = self._chance
        twin = self._person(chance.choice((child.sex, child.sex, "F", "M")), child.family, child.born, child.hispanic)
        draw = chance.random()
        if draw < 0.06 and (near := one_edit_away(child.given, twin.sex)):
            twin.given = chance.choice(near)
        for _ in range(400):
            alike = draw >= 0.40 or twin.given[:1] == child.given[:1]
            if alike and twin.given != child.given and twin.given not in known:
                break
            twin.given = self._names.given(twin.sex, hispanic=child.hispanic)
        if draw < 0.15:  # one middle name for both
            twin.middle = child.middle if twin.sex == child.sex else twin.middle
        child.twin = twin.twin = True
        return twin

    def _name_after(self, father: Person, son: Person) -> None:
        son.given, son.middle = father.given, father.middle
        son.family = father.family
        son.suffix = {"": "Jr", "Sr": "Jr", "Jr": "III", "III": "IV"}.get(father.suffix, "Jr")
        father.suffix = father.suffix or ("Sr" if self._chance.random() < 0.5 else "")

    def _married(self, person: Person) -> Person:
        """Husband or wife, of whom one may have changed the name for the other's."""
        chance = self._chance
        hispanic = person.hispanic if chance.random() < 0.85 else not person.hispanic
        same = chance.random() < 0.02
        sex = person.sex if same else "FM"[person.sex == "F"]
        born = person.born + timedelta(days=round(chance.gauss(0, 1200)))
        spouse = self._person(sex, self._family(hispanic), min(born, date(2004, 1, 1)), hispanic)
        wife, husband = (spouse, person) if spouse.sex == "F" else (person, spouse)
        draw = chance.random() if not (wife.hispanic and husband.hispanic) else chance.random() + 0.25
        if draw < 0.70:
            wife.former, wife.family = wife.family, husband.family
        elif draw < 0.77:
            wife.former, wife.family = wife.family, f"{wife.family}-{husband.family}"
        elif draw < 0.79:
            husband.former, husband.family = husband.family, wife.family
        return spouse

    def _person(self, sex: str, family: str, born: date, hispanic: bool, unlike: set[str] = frozenset()) -> Person:
        given = self._names.given(sex, hispanic=hispanic)
        while given in unlike:
            given = self._names.given(sex, hispanic=hispanic)
        middle = self._names.given(sex, hispanic=hispanic) if self._chance.random() < 0.82 else ""
        if self._chance.random() < 0.015:  # two given names that go together
            given = f"{given}{self._chance.choice(' -')}{self._names.given(sex, hispanic=hispanic)}"
        return Person(given, middle if middle != given else "", family, sex, born, hispanic)

    def _family(self, hispanic: bool) -> str:
        name = self._names.family(hispanic=hispanic and self._chance.random() < 0.8)
        if hispanic and " " not in name and self._chance.random() < 0.25:
            name += f" {self._names.family(hispanic=True)}"
        return name

    def _birthday(self, year: int) -> date:
        return date(year, 1, 1) + timedelta(days=self._chance.randrange(365))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """The roster of a town's clinic, and the people behind it.

    Attributes:
        patients: The roster; `people` beside it is the person of each, in the same order.
        relatives: People of patients' families who are not on the roster.
        strangers: People without any relative on the roster.
    """

    patients: tuple[RosterPatient, ...]
    people: tuple[Person, ...]
    relatives: tuple[Person, ...]
    strangers: tuple[Person, ...]


def clinic(seed: str, *, size: int) -> Clinic:
    """A clinic with a roster of exactly `size`; everybody in it and around it has a number, as registered."""
    chance, town = Random(f"{seed} clinic"), Town(seed)
    homes: list[list[Person]] = []
    relatives: list[Person] = []
    strangers: list[Person] = []
    listed = 0
    while listed < size:
        clan = town.clan()
        joined = _register(chance, clan, most=size - listed)
        listed += joined
        (relatives if joined else strangers).extend(person for person in clan.people if not person.listed)
        homes += clan.households
    _number(chance, homes)
    people = [person for home in homes for person in home if person.listed]
    chance.shuffle(people)
    return Clinic(
        patients=tuple(map(partial(_row, chance), people)), people=tuple(people),
        relatives=tuple(relatives), strangers=tuple(strangers),
    )  # fmt: skip


def _register(chance: Random, clan: Clan, *, most: int) -> int:
    """Let some households come to the clinic, most of their members with them; how many people that are."""
    joined = 0
    for home in clan.households:
        if chance.random() < 0.6:
            for person in home:
                if joined < most and chance.random() < 0.75:
                    person.listed = True
                    joined += 1
    return joined


def _number(chance: Random, homes: list[list[Person]]) -> None:
    """Number everybody as the desk did: households in a row, a sixth of the people alone and later."""
    groups: list[list[Person]] = []
    for home in homes:
        late = [person for person in home if chance.random() < 0.16]
        groups += [[person for person in home if person not in late], *([person] for person in late)]
    chance.shuffle(groups)
    number = 4_100
    for person in chain.from_iterable(groups):
        number += 1 if chance.random() < 0.85 else chance.randint(2, 9)
        person.number = f"{number:07}"
    for home in homes:
        for one, other in pairwise(home):
            one.beside, other.beside = other.number, one.number


def _row(chance: Random, person: Person) -> RosterPatient:
    """The person as the roster has them: half of former names, a sixth of preferred names, most middle names known."""
    nicknames, draw = nicknames_of(person.given), chance.random()
    preferred = None
    if nicknames and draw < 0.30:
        preferred = chance.choice(nicknames)
    elif person.middle and draw > 0.96:
        preferred = person.middle
    middle = person.middle if chance.random() < 0.7 else person.middle[:1]
    sex = person.sex if chance.random() < 0.985 else chance.choice(("X", None))
    return RosterPatient(
        patient_id=f"D{person.number}", site=SITE, mrn=person.number if chance.random() < 0.995 else None,
        family=_kept(chance, person.family), given=_kept(chance, person.given), middle=middle or None,
        suffix=person.suffix or None if chance.random() < 0.75 else None, preferred=preferred,
        former_family=person.former or None if chance.random() < 0.5 else None,
        birth_date=person.born, sex=sex,
    )  # fmt: skip


def _kept(chance: Random, name: str) -> str:
    """A name as the desk typed it: every third accent is lost."""
    return name if name.isascii() or chance.random() < 0.65 else without_accents(name)
