"""Who a print is about: the chances of every candidate and of nobody, and whether a person must decide.

The chance of a candidate is its share among all candidates, their relatives who are not on the roster, and strangers
(the two classes of Fellegi and Sunter 1969, and one more for relatives). A second candidate therefore lowers the
first by itself. `matching.gates` then rules what no score may overrule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp2, fsum, log2
from typing import Final, NamedTuple

import numpy as np

from matching.aliases import holds
from matching.calibration import calibrated
from matching.comparison import BirthDateLevel, Comparison, bar, compare, printed_name
from matching.gates import Print, doubts, has_namesake, has_near_twin, mrn_agrees
from matching.normalisation import fingerprint, is_test_patient
from matching.person import printed_person
from matching.roster_index import RosterIndex, Rows
from matching.shortlist import shortlist
from records.decision import Candidate, Evidence, MatchDecision, MatchGrade
from records.patient import Alias, LinkPolicy, PatientIdentity

_ON_ROSTER: Final = 0.8  # of the people on a print; the others are new, of another clinic, or misfiled
_RELATIVES: Final = 0.25  # of those who are not on the roster
_NEAR_SECOND: Final = log2(1000)
_SETTLED: Final = 24.0  # bits; a name with a slip and a birth date with one come to 14, or more for a rare name
_SHOWN: Final = 6
_ALWAYS_SHOWN: Final = 3
_HOPELESS: Final = 20.0  # bits behind the best
_NOBODY: Final = log2(1 - _ON_ROSTER)
_VETO_BITS: Final = -1000.0
_ALIAS_BITS: Final = 60.0  # more than a whole print that agrees is worth
_LEAST_SCORE: Final = 1000.0  # below it a probability is 0 to a float
_PROBABLE: Final = 0.5
_POSSIBLE: Final = 0.001
_POSSIBLE_ODDS: Final = log2(_POSSIBLE / (1 - _POSSIBLE))


class _Chance(NamedTuple):
    """A candidate before all chances are made to sum to 1.

    Attributes:
        joint: log2 of its chance, `said` included.
        said: What people have said of this print and this patient, if anything, and its weight.
    """

    patient_id: str
    found: Comparison
    joint: float
    said: Evidence | None = None


_VETOED: Final = Evidence(identifier="person", level="vetoed", weight=_VETO_BITS)
_ALIAS: Final = Evidence(identifier="person", level="alias", weight=_ALIAS_BITS)


def decide(identity: PatientIdentity, index: RosterIndex, policy: LinkPolicy) -> MatchDecision:
    """Tell which roster patient a print is about, and how sure that is. Never raises.

    Certain means: the probability reaches the policy's threshold, every gate passes, and no second candidate is
    within a thousandth; or a person has said so of this very print, and nothing has changed since. The order of the
    roster plays no part. Vetoed patients are certainly not; a print whose best candidate has less than one chance in a
    thousand is about nobody.
    """
    person = printed_person(identity)
    digits = index.with_mrn_digits(person.mrn)
    about = Print(
        person=person,
        mrn_rows=tuple(row for row in digits if index.has_mrn(row, person.mrn)),
        mrn_digit_rows=digits,
        sure=index.sure(person),
        index=index,
    )
    said_of = fingerprint(identity) if policy.vetoes or policy.aliases else ""
    chances = _Search(about).chances()
    alias = policy.aliases.get(said_of)
    if alias is not None:
        chances = _with_patient(chances, alias.patient_id, about)
    vetoed = {veto.patient_id for veto in policy.vetoes if veto.fingerprint == said_of}
    replayed = alias is not None and alias.patient_id not in vetoed and _alias_holds(alias, chances, about)
    if vetoed or replayed:
        chances = _as_people_said(chances, vetoed=vetoed, confirmed=alias.patient_id if alias and replayed else None)
    if not chances:
        return _decision((), _reasons_for_nobody(identity, index), runner_up=0.0)
    doubts_of_print = (("test-patient",) if is_test_patient(identity) else ()) + (
        ("alias-suspended",) if alias is not None and not replayed else ()
    )
    candidates, runner_up = _candidates(chances, about, policy, doubts_of_print)
    return _decision(candidates, candidates[0].reasons, runner_up=runner_up)


class _Search:
    """The candidates of one print, found by ever weaker keys until one is beyond doubt."""

    def __init__(self, about: Print) -> None:
        self._about = about
        self._names = printed_name(about.person, about.index.frequency)
        self._prior = _prior_of_one(about.index)

    def chances(self) -> list[_Chance]:
        """All candidates that count, likeliest first."""
        index, person = self._about.index, self._about.person
        sure = self._about.sure
        chances = self._worth_comparing(sure)
        if not any(self._settles(chance) for chance in chances):
            near = np.setdiff1d(index.near(person), sure, assume_unique=True)
            chances += self._worth_comparing(near)
            if all(chance.joint < _NOBODY for chance in chances):
                named = np.setdiff1d(index.named(person), np.concatenate([sure, near]))
                chances += self._worth_comparing(named)
        return _one_per_patient(chances)

    def _worth_comparing(self, rows: Rows) -> list[_Chance]:
        about, index = self._about, self._about.index
        chosen = shortlist(rows, about.person, index.columns, index.pool, numbered=about.mrn_digit_rows)
        return [self.chance(row) for row in chosen.tolist()]

    def chance(self, row: int) -> _Chance:
        """The candidate of a row."""
        about, index = self._about, self._about.index
        found = compare(about.person, index.person(row), row=row, names=self._names, frequency=index.frequency)
        return _Chance(index.patient_id(row), found, self._prior + fsum(found.bits))

    def _settles(self, chance: _Chance) -> bool:
        """Whether nobody found by weaker keys could come near: these share neither the birth date nor the number."""
        found = chance.found
        agrees = found.birth_date is BirthDateLevel.EXACT or mrn_agrees(found, self._about)
        return agrees and chance.joint - self._prior > _SETTLED


def _one_per_patient(chances: Iterable[_Chance]) -> list[_Chance]:
    """Likeliest first; of a patient into whom others were merged, the record that fits best."""
    best: dict[str, _Chance] = {}
    for chance in sorted(chances, key=_likeliest_first):
        best.setdefault(chance.patient_id, chance)
    return list(best.values())


def _likeliest_first(chance: _Chance) -> tuple[float, str]:
    return -chance.joint, chance.patient_id


def _prior_of_one(index: RosterIndex) -> float:
    return log2(_ON_ROSTER / max(len(index), 1))


def _with_patient(chances: list[_Chance], patient_id: str, about: Print) -> list[_Chance]:
    """The candidates and this patient, unless nobody on the roster has the id."""
    row = about.index.row_of(patient_id)
    if row is None or any(chance.patient_id == patient_id for chance in chances):
        return chances
    return sorted([*chances, _Search(about).chance(row)], key=_likeliest_first)


def _alias_holds(alias: Alias, chances: Sequence[_Chance], about: Print) -> bool:
    odds = {chance.patient_id: chance.joint for chance in chances}
    target = next((chance for chance in chances if chance.patient_id == alias.patient_id), None)
    if target is None or not about.index.is_active(target.found.row):
        return False
    own = about.index.row_of(alias.patient_id)
    return own is not None and holds(alias, printed=about.person, patient=about.index.person(own), odds=odds)


def _as_people_said(chances: Sequence[_Chance], *, vetoed: set[str], confirmed: str | None) -> list[_Chance]:
    """The candidates with what people have said of this print."""
    said = [
        chance._replace(joint=chance.joint + word.weight, said=word)
        if (word := _word(chance.patient_id, vetoed, confirmed))
        else chance
        for chance in chances
    ]
    return sorted(said, key=_likeliest_first)


def _word(patient_id: str, vetoed: set[str], confirmed: str | None) -> Evidence | None:
    if patient_id in vetoed:
        return _VETOED
    return _ALIAS if patient_id == confirmed else None


def _candidates(
    chances: Sequence[_Chance], about: Print, policy: LinkPolicy, doubts_of_print: tuple[str, ...]
) -> tuple[tuple[Candidate, ...], float]:
    """The candidates that are shown, with their evidence, and the probability of the second best of all."""
    people = len(about.index)
    shares = [exp2(chance.joint) for chance in chances]
    nobody = _share_of_nobody(chances, people=people)
    threshold = log2(policy.threshold) - log2(1 - policy.threshold)
    candidates: list[Candidate] = []
    for position, chance in enumerate(chances[:_SHOWN]):
        settled = position >= _ALWAYS_SHOWN or (position > 0 and candidates[0].grade is MatchGrade.CERTAIN)
        if settled and chance.joint < chances[0].joint - _HOPELESS:
            break
        against = fsum([nobody, *shares[:position], *shares[position + 1 :]])
        bars = _waterfall(chance, against=against, people=people, policy=policy)
        score = fsum([each.weight for each in bars])
        computed = fsum([each.weight for each in bars if each.identifier != "calibration"])
        if chance.said is _ALIAS:  # a person has settled who this is, whatever the gates say
            reasons: tuple[str, ...] = ()
        else:
            found = _reasons(chance, chances, about, score=min(score, computed), threshold=threshold)
            reasons = tuple(dict.fromkeys([*found, *doubts_of_print]))
        probability = 1 / (1 + exp2(-score)) if score > -_LEAST_SCORE else 0.0
        vetoed = chance.said is _VETOED
        candidates.append(
            Candidate(
                patient_id=chance.patient_id,
                grade=_grade(probability, vetoed=vetoed, certain=not reasons),
                probability=probability,
                score=score,
                evidence=bars,
                reasons=reasons,
            )
        )
    if len(candidates) > 1:
        return tuple(candidates), candidates[1].probability
    return tuple(candidates), shares[1] / fsum([nobody, *shares]) if len(shares) > 1 else 0.0


def _share_of_nobody(chances: Sequence[_Chance], *, people: int) -> float:
    relatives = fsum(chance.found.relative for chance in chances) / people
    return (1 - _ON_ROSTER) * (1 - _RELATIVES + _RELATIVES * relatives)


def _waterfall(chance: _Chance, *, against: float, people: int, policy: LinkPolicy) -> tuple[Evidence, ...]:
    """The bars of a candidate; they add up to log2 of its odds against all others and nobody."""
    bars = (
        bar("prior", "on-roster", log2(_ON_ROSTER / people) - log2(1 - _ON_ROSTER)),
        *chance.found.evidence,
        *((chance.said,) if chance.said else ()),
        Evidence(identifier="alternatives", level="others", weight=log2(1 - _ON_ROSTER) - log2(against)),
    )
    if not policy.calibration:
        return bars
    computed = fsum(each.weight for each in bars)
    weight = calibrated(computed, policy.calibration) - computed
    return (*bars, Evidence(identifier="calibration", level="from-decisions", weight=weight))


def _reasons(
    chance: _Chance, chances: Sequence[_Chance], about: Print, *, score: float, threshold: float
) -> tuple[str, ...]:
    others = [other for other in chances if other is not chance]
    reasons = ["vetoed"] if chance.said is _VETOED else []
    reasons += doubts(chance.found, about)
    if score >= _POSSIBLE_ODDS and has_near_twin(chance.found, about):
        reasons.append("twin")
    if has_namesake(chance.found, [other.found for other in others if other.said is not _VETOED], about):
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


def _decision(candidates: tuple[Candidate, ...], reasons: tuple[str, ...], *, runner_up: float) -> MatchDecision:
    grade = candidates[0].grade if candidates else MatchGrade.CERTAINLY_NOT
    found = grade is not MatchGrade.CERTAINLY_NOT
    return MatchDecision(
        grade=grade,
        patient_id=candidates[0].patient_id if found else None,
        probability=candidates[0].probability if candidates else 0.0,
        runner_up=runner_up,
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
