"""Who a print is about: the chances of every candidate and of nobody, and whether a person must decide.

The chance of a candidate is its share among all candidates, their relatives who are not on the roster, and strangers
(the two classes of Fellegi and Sunter 1969, and one more for relatives). A second candidate therefore lowers the
first by itself. `matching.gates` then rules what no score may overrule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp2, fsum, log2
from typing import Final

import numpy as np

from matching.comparison import Comparison, compare, printed_name
from matching.gates import Print, doubts, has_namesake, has_near_twin
from matching.normalisation import fingerprint, is_test_patient
from matching.person import printed_person
from matching.roster_index import RosterIndex, Rows
from matching.shortlist import shortlist
from records.decision import Candidate, Evidence, MatchDecision, MatchGrade
from records.patient import LinkPolicy, PatientIdentity

_ON_ROSTER: Final = 0.8  # of the people on a print; the others are new, of another clinic, or misfiled
_RELATIVES: Final = 0.25  # of those who are not on the roster
_NEAR_SECOND: Final = log2(1000)
_BEYOND_DOUBT: Final = 30.0  # bits; the most of one rare family name and a near birth date is 20
_SHOWN: Final = 10
_ALWAYS_SHOWN: Final = 3
_HOPELESS: Final = 20.0  # bits behind the best
_NOBODY: Final = log2(1 - _ON_ROSTER)
_VETO_BITS: Final = -1000.0
_PROBABLE: Final = 0.5
_POSSIBLE: Final = 0.01
_POSSIBLE_ODDS: Final = log2(_POSSIBLE / (1 - _POSSIBLE))


@dataclass(frozen=True, slots=True)
class _Chance:
    """A candidate before all chances are made to sum to 1; `joint` is log2 of its chance."""

    patient_id: str
    found: Comparison
    joint: float
    vetoed: bool


def decide(identity: PatientIdentity, index: RosterIndex, policy: LinkPolicy) -> MatchDecision:
    """Tell which roster patient a print is about, and how sure that is. Never raises.

    Certain means: the probability reaches the policy's threshold, every gate passes, and no second candidate is
    within a thousandth. The order of the roster plays no part. Vetoed patients are certainly not; a print whose best
    candidate has less than one chance in a hundred is about nobody.
    """
    person = printed_person(identity)
    digits = index.with_mrn_digits(person.mrn)
    about = Print(
        person=person,
        mrn_rows=tuple(row for row in digits if index.has_mrn(row, person.mrn)),
        mrn_digit_rows=digits,
        index=index,
    )
    chances = _chances(identity, about, policy)
    if not chances:
        return _decision((), _reasons_for_nobody(identity, index))
    people = len(index)
    shares = [exp2(chance.joint) for chance in chances]
    nobody = _share_of_nobody(chances, people=people)
    whole = fsum([nobody, *shares])
    threshold = log2(policy.threshold) - log2(1 - policy.threshold)
    named_for_a_test = ("test-patient",) if is_test_patient(identity) else ()
    candidates = []
    for position, chance in enumerate(chances[:_SHOWN]):
        if position >= _ALWAYS_SHOWN and chance.joint < chances[0].joint - _HOPELESS:
            break
        bars = _waterfall(chance, against=fsum([nobody, *shares[:position], *shares[position + 1 :]]), people=people)
        score = fsum(bar.weight for bar in bars)
        reasons = _reasons(chance, chances, about, score=score, threshold=threshold) + named_for_a_test
        probability = shares[position] / whole
        candidates.append(
            Candidate(
                patient_id=chance.patient_id,
                grade=_grade(probability, vetoed=chance.vetoed, certain=not reasons),
                probability=probability,
                score=score,
                evidence=bars,
                reasons=reasons,
            )
        )
    return _decision(tuple(candidates), candidates[0].reasons)


def _chances(identity: PatientIdentity, about: Print, policy: LinkPolicy) -> list[_Chance]:
    """All candidates, likeliest first."""
    index = about.index
    vetoed: frozenset[str] = frozenset()
    if policy.vetoes:
        said_of = fingerprint(identity)
        vetoed = frozenset(veto.patient_id for veto in policy.vetoes if veto.fingerprint == said_of)
    names = printed_name(about.person, index.frequency)
    prior = log2(_ON_ROSTER / max(len(index), 1))

    def chances_of(rows: Iterable[int]) -> list[_Chance]:
        chances = []
        for row in rows:
            patient_id = index.patient_id(row)
            found = compare(about.person, index.person(row), row=row, names=names, frequency=index.frequency)
            refused = patient_id in vetoed
            joint = prior + fsum(found.bits) + (_VETO_BITS if refused else 0.0)
            chances.append(_Chance(patient_id, found, joint, refused))
        return chances

    def found_by(rows: Rows, known: Rows) -> list[_Chance]:
        fresh = np.setdiff1d(rows, known, assume_unique=True) if len(known) else rows
        numbered = about.mrn_digit_rows
        return chances_of(shortlist(fresh, about.person, index.columns, index.pool, numbered=numbered).tolist())

    sure = index.sure(about.person)
    chances = found_by(sure, sure[:0])
    if not any(chance.joint - prior > _BEYOND_DOUBT and not doubts(chance.found, about) for chance in chances):
        near = index.near(about.person)
        chances += found_by(near, sure)
        if all(chance.joint < _NOBODY for chance in chances):
            chances += found_by(index.named(about.person), np.union1d(sure, near))
    return sorted(chances, key=lambda chance: (-chance.joint, chance.patient_id))


def _share_of_nobody(chances: Sequence[_Chance], *, people: int) -> float:
    relatives = fsum(chance.found.relative for chance in chances) / people
    return (1 - _ON_ROSTER) * (1 - _RELATIVES + _RELATIVES * relatives)


def _waterfall(chance: _Chance, *, against: float, people: int) -> tuple[Evidence, ...]:
    """The bars of a candidate; they add up to log2 of its odds against all others and nobody."""
    return (
        Evidence(identifier="prior", level="on-roster", weight=log2(_ON_ROSTER / people) - log2(1 - _ON_ROSTER)),
        *chance.found.evidence,
        *([Evidence(identifier="prior", level="vetoed", weight=_VETO_BITS)] if chance.vetoed else []),
        Evidence(identifier="alternatives", level="others", weight=log2(1 - _ON_ROSTER) - log2(against)),
    )


def _reasons(
    chance: _Chance, chances: Sequence[_Chance], about: Print, *, score: float, threshold: float
) -> tuple[str, ...]:
    others = [other for other in chances if other is not chance]
    reasons = ["vetoed"] if chance.vetoed else []
    reasons += doubts(chance.found, about)
    if score >= _POSSIBLE_ODDS and has_near_twin(chance.found, about):
        reasons.append("twin")
    if has_namesake(chance.found, [other.found for other in others if not other.vetoed], about):
        reasons.append("namesake")
    if any(chance.joint - other.joint < _NEAR_SECOND for other in others):
        reasons.append("near-second")
    if score < threshold:
        reasons.append("patient-below-threshold")
    return tuple(dict.fromkeys(reasons))


def _grade(probability: float, *, vetoed: bool, certain: bool) -> MatchGrade:
    if vetoed or probability < _POSSIBLE:
        return MatchGrade.CERTAINLY_NOT
    if certain:
        return MatchGrade.CERTAIN
    return MatchGrade.PROBABLE if probability >= _PROBABLE else MatchGrade.POSSIBLE


def _decision(candidates: tuple[Candidate, ...], reasons: tuple[str, ...]) -> MatchDecision:
    grade = candidates[0].grade if candidates else MatchGrade.CERTAINLY_NOT
    found = grade is not MatchGrade.CERTAINLY_NOT
    return MatchDecision(
        grade=grade,
        patient_id=candidates[0].patient_id if found else None,
        probability=candidates[0].probability if candidates else 0.0,
        runner_up=candidates[1].probability if len(candidates) > 1 else 0.0,
        candidates=candidates,
        reasons=reasons if found or not candidates else tuple(dict.fromkeys(("patient-not-found", *reasons))),
    )


def _reasons_for_nobody(identity: PatientIdentity, index: RosterIndex) -> tuple[str, ...]:
    reasons = ["patient-not-found" if len(index) else "roster-missing"]
    if is_test_patient(identity):
        reasons.append("test-patient")
    if not (identity.family or identity.given or identity.name):
        reasons.append("name-incomplete")
    return tuple(reasons)
