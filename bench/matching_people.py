"""The people that matching is tried on: a roster, and prints of which the true patient is known."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from records.patient import PatientIdentity, Roster, RosterPatient

SITE = "WCP"
AS_OF = datetime(2026, 11, 20, tzinfo=UTC)
TUNING_SEEDS = (1, 2, 3, 4, 5)
FRESH_SEEDS = (101, 102, 103, 104, 105)


@dataclass(frozen=True, slots=True, kw_only=True)
class TruePrint:
    """A printed person and who that truly is.

    Attributes:
        identity: As printed.
        patient_id: The true patient, or None if the person is not on the roster.
        kind: What makes the print hard ("twin-one-edit", "given-typo", "clean"), several joined with "+".
    """

    identity: PatientIdentity
    patient_id: str | None
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeopleSet:
    """A roster and the prints to be matched against it.

    Attributes:
        ordinary: Prints of the same roster with everyday errors, where `prints` are none; what learns without being
            told the truth may learn from them.
    """

    name: str
    patients: tuple[RosterPatient, ...]
    prints: tuple[TruePrint, ...]
    ordinary: tuple[TruePrint, ...] = ()

    @property
    def roster(self) -> Roster:
        return Roster(site=SITE, patients=self.patients, as_of=AS_OF)

    @property
    def listed(self) -> int:
        """Prints whose person is on the roster."""
        return sum(each.patient_id is not None for each in self.prints)

    def printing(self, *fields: str, name: str) -> PeopleSet:
        """The same people by names with suffix, birth dates and those of mrn, sex and middle that `fields` names."""
        absent = {field: None for field in ("mrn", "sex", "middle") if field not in fields}
        parts = (tuple(_without(absent, each) for each in part) for part in (self.prints, self.ordinary))
        prints, ordinary = parts
        return replace(self, name=name, prints=prints, ordinary=ordinary)


def _without(absent: dict[str, None], printed: TruePrint) -> TruePrint:
    identity = replace(printed.identity, **absent)
    return replace(printed, identity=replace(identity, name=name_cell(identity)))


def name_cell(identity: PatientIdentity) -> str:
    """The name as the column prints it: "Family Suffix, Given Middle"."""
    last = " ".join(filter(None, (identity.family, identity.suffix)))
    first = " ".join(filter(None, (identity.given, identity.middle)))
    return ", ".join(filter(None, (last, first)))


def folded(text: str | None) -> str:
    """Letters only, without case and accents: two names that fold alike are printed alike."""
    plain = unicodedata.normalize("NFKD", text or "").casefold()
    return "".join(filter(str.isalpha, plain))


def printed_key(who: PatientIdentity | RosterPatient) -> tuple[str, str, object]:
    """Both names, in whichever order they are printed, and the birth date."""
    first, second = sorted((folded(who.given), folded(who.family)))
    return first, second, who.birth_date


def decidable(prints: Iterable[TruePrint], patients: Iterable[RosterPatient]) -> tuple[TruePrint, ...]:
    """`prints` without those that say, word for word and to the day, what another patient's row says.

    A person who has the name and birth date of a patient cannot be told from that patient by anybody or anything;
    a set that asked for it would measure chance.
    """
    owners: dict[tuple[str, str, object], set[str]] = {}
    for patient in patients:
        owners.setdefault(printed_key(patient), set()).add(patient.patient_id)
    return tuple(p for p in prints if owners.get(printed_key(p.identity), {p.patient_id}) == {p.patient_id})
