"""This program, and what a clinic could pick instead: fuzzy names alone, or weighted with birth dates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache, lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from bench.matching_answers import Answer
from bench.matching_people import PeopleSet, TruePrint
from bench.misprints import without_accents
from matching.decision import decide
from matching.roster_index import RosterIndex
from records.patient import LinkPolicy, PatientIdentity, RosterPatient

CUT = 90
_MOST_PAIRS = 30_000_000  # of names compared per set; beyond, a random sample of the prints


def scorebridge(people: PeopleSet) -> Iterator[Answer]:
    """This program, through its public functions, as shipped."""
    index, policy = RosterIndex.build(people.roster), LinkPolicy()
    for printed in people.prints:
        decided = decide(printed.identity, index, policy)
        best = decided.candidates[0] if decided.candidates else None
        yield Answer(
            printed=printed,
            best=best and best.patient_id,
            score=best.score if best else float("-inf"),
            probability=best.probability if best else 0.0,
            automatic=decided.grade == "certain",
            reasons=decided.reasons,
        )


def fuzzy_names(people: PeopleSet) -> Iterator[Answer]:
    """The best `WRatio` of the whole name, automatic from 90 on."""
    return _weighted(people, name=1.0, birth_date=0.0)


def fuzzy_names_and_birth_dates(people: PeopleSet) -> Iterator[Answer]:
    """0.6 of the name's `WRatio` and 0.4 for the same birth date, automatic from 90 of 100 on."""
    return _weighted(people, name=0.6, birth_date=0.4)


def _weighted(people: PeopleSet, *, name: float, birth_date: float) -> Iterator[Answer]:
    born = np.array([_ordinal(patient.birth_date) or -1 for patient in people.patients])
    for printed, row in zip(sampled(people), _ratios(people), strict=True):
        scores = name * row + birth_date * 100 * (born == _ordinal(printed.identity.birth_date))
        best = int(scores.argmax())
        score = float(scores[best])
        yield Answer(
            printed=printed,
            best=people.patients[best].patient_id,
            score=score,
            probability=score / 100,
            automatic=score >= CUT,
        )


@lru_cache(maxsize=1)
def _ratios(people: PeopleSet) -> NDArray[np.float32]:
    """`WRatio` of the name of every sampled print, in rows, with every patient's."""
    printed = [plain_name(each.identity) for each in sampled(people)]
    names = [plain_name(patient) for patient in people.patients]
    return process.cdist(printed, names, scorer=fuzz.WRatio, workers=-1)


def sampled(people: PeopleSet) -> tuple[TruePrint, ...]:
    """As many prints as may be compared with every patient."""
    most = max(200, _MOST_PAIRS // len(people.patients))
    if len(people.prints) <= most:
        return people.prints
    return tuple(Random(len(people.prints)).sample(people.prints, k=most))


def plain_name(who: PatientIdentity | RosterPatient) -> str:
    return _plain(f"{who.given or ''} {who.family or ''}")


@cache
def _plain(name: str) -> str:
    return without_accents(name).casefold().strip()


def _ordinal(day: date | None) -> int:
    return day.toordinal() if day else 0
