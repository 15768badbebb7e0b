from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime
from math import fsum, isclose, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.decision import decide
from matching.normalisation import fingerprint
from matching.roster_index import RosterIndex
from records.decision import MatchDecision, MatchGrade
from records.finding import sentence
from records.patient import LinkPolicy, PatientIdentity, Roster, RosterPatient, Veto

POLICY = LinkPolicy()
BORN = date(1984, 11, 6)
JULIE = RosterPatient(
    patient_id="julie", site="WCP", family="Holloway-Riley", given="Julie", middle="J", birth_date=BORN, mrn="W24463",
    sex="F",
)  # fmt: skip
PRINT = PatientIdentity(family="Holloway-Riley", given="Julie", middle="J", birth_date=BORN, mrn="W24463", sex="F")
FAMILIES = ("Abbott", "Briggs", "Camacho", "Dixon", "Eldridge", "Fuentes", "Gutierrez", "Hurst", "Irwin", "Jarvis")
GIVENS = ("Allen", "Brandy", "Chad", "Danielle", "Eileen", "Frederic", "Gloria", "Hunter", "Isaac", "Jasmine")
CROWD = tuple(
    RosterPatient(
        patient_id=f"crowd-{n}", site="WCP", family=FAMILIES[n % 10], given=GIVENS[n // 10],
        birth_date=date(1950 + n // 2, 1 + n % 12, 1 + n % 28), mrn=f"W{70000 + 37 * n}",
    )
    for n in range(100)
)  # fmt: skip


def index_of(*patients: RosterPatient) -> RosterIndex:
    return RosterIndex.build(Roster(site="WCP", patients=(*patients, *CROWD), as_of=datetime(2026, 1, 5, tzinfo=UTC)))


def match(identity: PatientIdentity, *patients: RosterPatient, policy: LinkPolicy = POLICY) -> MatchDecision:
    return decide(identity, index_of(*(patients or (JULIE,))), policy)


def assert_certain(decision: MatchDecision, patient_id: str = "julie") -> None:
    assert decision.reasons == ()
    assert (decision.grade, decision.patient_id) == (MatchGrade.CERTAIN, patient_id)
    assert decision.probability >= POLICY.threshold


def assert_review(decision: MatchDecision, *reasons: str) -> None:
    assert decision.grade is not MatchGrade.CERTAIN
    assert set(reasons) <= set(decision.reasons)


@pytest.mark.parametrize(
    "identity",
    [
        PRINT,
        replace(PRINT, birth_date=None),
        replace(PRINT, mrn=None),
        replace(PRINT, middle=None),
        replace(PRINT, family="HOLLOWAY RILEY"),
        replace(PRINT, mrn="24463"),
        replace(PRINT, mrn="W-0024463"),
    ],
)
def test_two_identifiers_that_agree_are_enough(identity: PatientIdentity) -> None:
    assert_certain(match(identity))


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (replace(PRINT, birth_date=None, mrn=None), "birth-date-missing"),
        (replace(PRINT, family=None, given=None, birth_date=None), "name-incomplete"),
        (replace(PRINT, family=None, mrn=None), "name-incomplete"),
        (replace(PRINT, given=None, mrn=None), "name-incomplete"),
        (replace(PRINT, given="J", middle=None, mrn=None), "name-incomplete"),
        (replace(PRINT, given="Unknown", mrn=None), "name-incomplete"),
        (replace(PRINT, birth_date=date(1900, 1, 1), mrn=None), "birth-date-missing"),
        (replace(PRINT, birth_date=None, mrn="000000"), "birth-date-missing"),
    ],
)
def test_one_identifier_is_never_enough(identity: PatientIdentity, reason: str) -> None:
    assert_review(match(identity), reason)


@pytest.mark.parametrize(
    "identity",
    [
        replace(PRINT, given="Jullie"),
        replace(PRINT, family="Holoway-Riley"),
        replace(PRINT, family="Riley"),
        replace(PRINT, family="Julie", given="Holloway-Riley"),
        replace(PRINT, birth_date=date(1984, 6, 11)),
        replace(PRINT, birth_date=date(1948, 11, 6)),
        replace(PRINT, birth_date=date(1984, 6, 11), birth_date_other_reading=BORN),
        replace(PRINT, family="Julie", given="Holloway-Riley", birth_date=None),
        replace(PRINT, family="Stone"),
        replace(PRINT, given="J", middle=None),
    ],
)
def test_an_equal_record_number_carries_a_slip_elsewhere(identity: PatientIdentity) -> None:
    assert_certain(match(identity))


@pytest.mark.parametrize(
    "identity",
    [
        replace(PRINT, given="Jullie"),  # a spelling that nobody bears
        replace(PRINT, family="Julie", given="Holloway-Riley"),
        replace(PRINT, birth_date=BORN, birth_date_other_reading=date(1984, 6, 11)),
    ],
)
def test_name_and_birth_date_carry_a_slip_that_no_twin_and_no_namesake_would_show(identity: PatientIdentity) -> None:
    assert_certain(match(replace(identity, mrn=None)))


@pytest.mark.parametrize(
    "identity",
    [
        replace(PRINT, given="Julia"),  # another name
        replace(PRINT, given="Jul"),
        replace(PRINT, family="Riley"),  # half a name, a slip in it: rare, but not this patient's to the letter
        replace(PRINT, family="Holloway-Rilley"),
        replace(PRINT, birth_date=date(1984, 6, 11)),  # day and month exchanged
        replace(PRINT, given="Jullie", family="Riley"),
        replace(PRINT, given="Jullie", birth_date=date(1948, 11, 6)),
        replace(PRINT, family="Riley", birth_date=date(1948, 11, 6)),
        replace(PRINT, family="Stone"),
        replace(PRINT, birth_date=date(1984, 11, 7)),
        replace(PRINT, birth_date=date(1948, 11, 6)),
        replace(PRINT, middle="K"),
    ],
)
def test_without_a_record_number_what_a_twin_or_a_namesake_would_show_waits(identity: PatientIdentity) -> None:
    assert_review(match(replace(identity, mrn=None)))


def test_swapped_columns_without_a_record_number_are_equal_names() -> None:
    assert_certain(match(replace(PRINT, family="Julie", given="Holloway-Riley", mrn=None)))


def test_a_name_that_was_not_taken_apart_is_taken_apart() -> None:
    assert_certain(match(PatientIdentity(name="Holloway-Riley, Julie J", birth_date=BORN)))


@pytest.mark.parametrize(
    ("patient", "identity"),
    [
        (replace(JULIE, given="Anthony"), replace(PRINT, given="Tony")),
        (replace(JULIE, given="Melissa", preferred="Missy"), replace(PRINT, given="Missy")),
        (replace(JULIE, family="Malone", former_family="Alvarez"), replace(PRINT, family="Alvarez")),
        (replace(JULIE, family="Saldaña"), replace(PRINT, family="Saldana")),
        (replace(JULIE, family="Garcia Lopez", middle=None), replace(PRINT, family="Lopez", middle="Garcia")),
    ],
)
@pytest.mark.parametrize("birth_date", [BORN, None])
def test_known_variants_of_a_name_agree_beside_an_equal_record_number(
    patient: RosterPatient, identity: PatientIdentity, birth_date: date | None
) -> None:
    assert_certain(match(replace(identity, birth_date=birth_date), patient))


def test_a_preferred_name_counts_as_the_name_and_a_nickname_does_not() -> None:
    missy = replace(PRINT, given="Missy", mrn=None)
    assert_certain(match(missy, replace(JULIE, given="Melissa", preferred="Missy")))
    assert_review(match(missy, replace(JULIE, given="Melissa")), "name-conflict")


def test_a_nickname_counts_beside_the_whole_middle_name() -> None:
    melissa = replace(JULIE, given="Melissa", middle="Opal")
    assert_certain(match(replace(PRINT, given="Missy", middle="Opal", mrn=None), melissa))
    assert_review(match(replace(PRINT, given="Missy", middle="O", mrn=None), melissa), "name-conflict")


@pytest.mark.parametrize("mrn", ["W24436", "W24465", "W2446", "H24463"])
def test_a_near_record_number_needs_name_and_birth_date(mrn: str) -> None:
    near = replace(PRINT, mrn=mrn)
    assert_certain(match(near))
    assert_certain(match(replace(near, family="Riley")))
    assert_review(match(replace(near, birth_date=None)), "mrn-near")
    assert_review(match(replace(near, birth_date=date(1984, 11, 7))), "mrn-near", "birth-date-near")
    assert_certain(match(replace(near, given="Jullie")))
    assert_review(match(replace(near, given="Julia")), "mrn-near")
    assert_review(match(replace(near, given="Lynn")), "mrn-near")


def test_a_record_number_that_nobody_has_waits_unless_name_and_birth_date_are_equal() -> None:
    unknown = replace(PRINT, mrn="W99999")
    assert_certain(match(unknown))
    assert_review(match(replace(unknown, given="Jullie")), "mrn-unknown")
    assert_review(match(replace(unknown, family="Riley")), "mrn-unknown")
    assert_review(match(replace(unknown, birth_date=date(1948, 11, 6))), "mrn-unknown")


def test_another_middle_name_waits_unless_number_and_birth_date_are_equal() -> None:
    other = replace(PRINT, middle="Opal")
    assert_review(match(replace(other, mrn=None)), "middle-conflict")
    assert_review(match(replace(other, birth_date=None)), "middle-conflict")
    assert_certain(match(other))


def test_the_number_of_somebody_else_waits_however_much_else_agrees() -> None:
    other = replace(JULIE, patient_id="other", family="Stone", given="Peggy", birth_date=date(1960, 2, 3), mrn="W24464")
    assert_review(match(replace(PRINT, mrn="W24464"), JULIE, other), "mrn-conflict")


def test_a_misprinted_number_does_not_confirm_whom_name_and_birth_date_contradict() -> None:
    stranger = replace(PRINT, family="Stone", given="Peggy", middle=None, sex=None, birth_date=date(1960, 2, 3))
    assert_review(match(stranger), "mrn-conflict")


@pytest.mark.parametrize("birth_date", [date(1984, 3, 25), date(1977, 11, 6), date(1991, 2, 28)])
def test_name_and_number_outweigh_another_birth_date_unless_father_and_son_may_share_them(birth_date: date) -> None:
    other = replace(PRINT, birth_date=birth_date)
    assert_certain(match(other))
    assert_review(match(replace(other, given="Julia")), "birth-date-conflict")
    assert_review(match(replace(other, suffix="Jr")), "birth-date-conflict")
    assert_review(match(other, replace(JULIE, suffix="Sr")), "birth-date-conflict")
    mother = replace(JULIE, patient_id="mother", birth_date=birth_date, mrn="W24461")
    assert_review(match(other, JULIE, mother))
    assert_review(match(replace(PRINT, birth_date=date(1956, 3, 25))), "birth-date-conflict")  # a generation apart


def test_number_and_birth_date_outweigh_another_given_name_unless_a_twin_may_have_them() -> None:
    other = replace(PRINT, given="Peggy", middle=None)
    assert_certain(match(other))
    twin = replace(JULIE, patient_id="twin", given="Lynn", mrn="W80000")
    assert_review(match(other, JULIE, twin), "name-conflict")
    # The family registered together: a number that is one slip away would be a twin's.
    mother = replace(JULIE, patient_id="mother", given="Ann", birth_date=date(1956, 3, 25), mrn="W24461")
    assert_review(match(other, JULIE, mother), "name-conflict")


def test_a_stranger_with_the_patients_number_and_birth_date_waits() -> None:
    assert_review(match(replace(PRINT, family="Stone", given="Peggy", middle=None)), "name-conflict")


@pytest.mark.parametrize("mrn", [None, "W99999", "W24464"])
def test_a_sibling_who_is_not_on_the_roster_is_not_confirmed(mrn: str | None) -> None:
    for given_name in ("Anthony", "Peggy", "Julia", "Jul", "Jules", "Juli"):
        assert match(replace(PRINT, given=given_name, middle=None, mrn=mrn)).grade is not MatchGrade.CERTAIN


@pytest.mark.parametrize("mrn", [None, "W99999", "W24464"])
def test_a_namesake_who_is_not_on_the_roster_is_not_confirmed(mrn: str | None) -> None:
    for birth_date in (date(1956, 11, 6), date(1971, 2, 3), None):
        assert match(replace(PRINT, birth_date=birth_date, mrn=mrn)).grade is not MatchGrade.CERTAIN


def test_twins_with_near_names_need_number_and_given_name() -> None:
    twin = replace(JULIE, patient_id="twin", given="Julia", mrn="W24467")
    assert_certain(match(PRINT, JULIE, twin))
    assert_certain(match(replace(PRINT, birth_date=None), JULIE, twin))
    assert_review(match(replace(PRINT, mrn=None), JULIE, twin), "twin")
    assert_review(match(replace(PRINT, mrn="W24465", given="Julia"), JULIE, twin))
    assert_review(match(replace(PRINT, given="Juliw"), JULIE, twin), "twin")


def test_twins_with_unlike_names_are_told_apart_by_name() -> None:
    twin = replace(JULIE, patient_id="twin", given="Peggy", middle=None, mrn="W24467")
    assert_certain(match(replace(PRINT, mrn=None), JULIE, twin))
    assert_certain(match(replace(PRINT, given="Peggy", middle=None, mrn=None), JULIE, twin), "twin")
    assert_review(match(replace(PRINT, given=None, middle=None), JULIE, twin), "twin")


def test_namesakes_on_the_roster_are_told_apart_by_birth_date_or_number() -> None:
    namesake = replace(JULIE, patient_id="namesake", birth_date=date(1971, 2, 3), mrn="W80000")
    assert_certain(match(replace(PRINT, mrn=None), JULIE, namesake))
    assert_certain(match(replace(PRINT, birth_date=None), JULIE, namesake))
    assert_review(match(replace(PRINT, birth_date=None, mrn=None), JULIE, namesake), "namesake", "near-second")


def test_namesakes_born_almost_alike_need_the_number() -> None:
    namesake = replace(JULIE, patient_id="namesake", birth_date=date(1984, 11, 7), mrn="W80000")
    assert_certain(match(PRINT, JULIE, namesake))
    assert_review(match(replace(PRINT, mrn=None), JULIE, namesake), "namesake")
    assert_review(match(replace(PRINT, mrn="W80000"), JULIE, namesake))


def test_a_patient_who_is_on_the_roster_twice_waits() -> None:
    twice = replace(JULIE, patient_id="twice", mrn="W80000")
    assert_review(match(replace(PRINT, mrn=None), JULIE, twice), "near-second")


def test_a_number_that_two_patients_have_confirms_the_one_who_agrees() -> None:
    other = replace(JULIE, patient_id="other", family="Stone", given="Peggy", birth_date=date(1960, 2, 3))
    assert_certain(match(PRINT, JULIE, other))


def test_digits_that_two_patients_have_are_no_number() -> None:
    other = replace(JULIE, patient_id="other", family="Stone", given="Peggy", birth_date=date(1960, 2, 3), mrn="H24463")
    assert_review(match(replace(PRINT, mrn="24463", birth_date=None), JULIE, other), "mrn-conflict")


LOUIS_SR = replace(
    JULIE, patient_id="sr", family="Miller", given="Louis", suffix="Sr", sex="M", birth_date=date(1951, 10, 27)
)
LOUIS_JR = replace(LOUIS_SR, patient_id="jr", suffix="Jr", birth_date=date(1979, 7, 28), mrn="W98377")
LOUIS = PatientIdentity(family="Miller", given="Louis", suffix="Jr", birth_date=date(1979, 7, 28), mrn="W98377")


@pytest.mark.parametrize(
    "identity",
    [
        LOUIS,
        replace(LOUIS, mrn=None),
        replace(LOUIS, birth_date=None),
        replace(LOUIS, suffix=None, mrn=None),
        replace(LOUIS, suffix=None, birth_date=None),
        replace(LOUIS, family="Miller Jr", suffix=None),
    ],
)
def test_father_and_son_are_told_apart_by_birth_date_or_number(identity: PatientIdentity) -> None:
    assert_certain(match(identity, LOUIS_SR, LOUIS_JR), "jr")


@pytest.mark.parametrize(
    "identity",
    [
        replace(LOUIS, suffix="Sr"),
        replace(LOUIS, suffix="III"),
        replace(LOUIS, suffix="Sr", mrn=None),
        replace(LOUIS, mrn=None, birth_date=None),
        replace(LOUIS, mrn="W24463"),
        replace(LOUIS, mrn="W24463", birth_date=None),
    ],
)
def test_a_suffix_that_contradicts_sends_father_and_son_to_a_person(identity: PatientIdentity) -> None:
    assert_review(match(identity, LOUIS_SR, LOUIS_JR))


def test_a_suffix_only_the_print_has_needs_the_birth_date() -> None:
    father = replace(LOUIS_SR, suffix=None)
    son = replace(LOUIS, mrn=father.mrn)
    assert_review(match(replace(son, birth_date=None), father), "suffix-conflict")
    assert_certain(match(replace(son, birth_date=father.birth_date), father), "sr")


def test_another_sex_waits_unless_number_and_given_name_are_equal() -> None:
    assert_certain(match(replace(PRINT, sex="M")))
    assert_review(match(replace(PRINT, sex="M", mrn=None)), "sex-conflict")
    assert_review(match(replace(PRINT, sex="M", given="Jullie")), "sex-conflict")


def test_inactive_and_made_up_patients_wait() -> None:
    assert match(PRINT, replace(JULIE, active=False)).reasons == ("patient-inactive",)
    test = replace(JULIE, family="Test", given="Test")
    assert_review(match(replace(PRINT, family="Test", given="Test"), test), "test-patient")
    assert_review(match(PatientIdentity(family="Test", given="Test", mrn="W1")), "test-patient")


def test_a_veto_beats_every_score_and_only_for_its_own_print() -> None:
    policy = LinkPolicy(vetoes=frozenset({Veto(fingerprint=fingerprint(PRINT), patient_id="julie")}))
    decision = match(PRINT, policy=policy)
    assert decision.grade is MatchGrade.CERTAINLY_NOT
    assert decision.patient_id is None
    assert "vetoed" in decision.reasons
    assert decision.candidates[0].grade is MatchGrade.CERTAINLY_NOT
    assert_certain(match(replace(PRINT, mrn=None), policy=policy))


def test_after_a_veto_another_patient_is_found() -> None:
    policy = LinkPolicy(vetoes=frozenset({Veto(fingerprint=fingerprint(replace(PRINT, mrn=None)), patient_id="twice")}))
    twice = replace(JULIE, patient_id="twice", mrn="W80000")
    decision = match(replace(PRINT, mrn=None), JULIE, twice, policy=policy)
    assert decision.patient_id == "julie"
    assert decision.probability > 0.99


def test_nobody_near_is_nobody() -> None:
    decision = match(PatientIdentity(family="Zwick", given="Quentin", birth_date=date(1999, 9, 9), mrn="W11111"))
    assert decision.grade is MatchGrade.CERTAINLY_NOT
    assert (decision.patient_id, decision.reasons[0]) == (None, "patient-not-found")


def test_an_empty_roster_is_said() -> None:
    empty = RosterIndex.build(Roster(site="WCP", patients=(), as_of=datetime(2026, 1, 5, tzinfo=UTC)))
    assert decide(PRINT, empty, POLICY).reasons == ("roster-missing",)


@pytest.mark.parametrize("threshold", [0.9, 0.999, 0.999999999999])
def test_the_threshold_is_kept(threshold: float) -> None:
    decision = match(replace(PRINT, mrn=None), policy=LinkPolicy(threshold=threshold))
    assert (decision.grade is MatchGrade.CERTAIN) == (decision.probability >= threshold)


# The properties below draw prints and rosters from few names and dates, so that relatives, namesakes and slips abound.

FEW_NAMES = st.sampled_from(
    [
        "Ann",
        "Anna",
        "Anne",
        "Lynn",
        "Louis",
        "Louys",
        "Bill",
        "William",
        "Miller",
        "Millar",
        "Stone",
        "Stone-Miller",
        "J",
    ]
)
FEW_DAYS = st.sampled_from([date(1980, 3, 4), date(1980, 4, 3), date(1980, 3, 5), date(1955, 3, 4), date(1992, 12, 31)])
FEW_NUMBERS = st.sampled_from(["W1001", "W1002", "W2001", "1001", "W77777"])
SUFFIXES = st.sampled_from([None, None, "Jr", "Sr"])
SEXES = st.sampled_from([None, "F", "M"])
PRINTS = st.builds(
    PatientIdentity, family=st.none() | FEW_NAMES, given=st.none() | FEW_NAMES, middle=st.none() | FEW_NAMES,
    suffix=SUFFIXES, birth_date=st.none() | FEW_DAYS, birth_date_other_reading=st.none() | FEW_DAYS,
    mrn=st.none() | FEW_NUMBERS, sex=SEXES,
)  # fmt: skip
ROSTERS = st.lists(
    st.builds(
        RosterPatient, patient_id=st.just(""), site=st.just("WCP"), family=FEW_NAMES, given=FEW_NAMES,
        middle=st.none() | FEW_NAMES, preferred=st.none() | FEW_NAMES, former_family=st.none() | FEW_NAMES,
        suffix=SUFFIXES, birth_date=st.none() | FEW_DAYS, mrn=st.none() | FEW_NUMBERS, sex=SEXES, active=st.booleans(),
    ),
    max_size=8,
).map(lambda patients: tuple(replace(patient, patient_id=f"p{n}") for n, patient in enumerate(patients)))  # fmt: skip


@given(PRINTS, ROSTERS)
def test_every_decision_is_in_order(identity: PatientIdentity, patients: tuple[RosterPatient, ...]) -> None:
    decision = match(identity, *patients) if patients else decide(identity, index_of(), POLICY)
    assert (decision.grade is MatchGrade.CERTAIN) == (decision.reasons == ())
    assert (decision.patient_id is None) == (decision.grade is MatchGrade.CERTAINLY_NOT)
    assert fsum(candidate.probability for candidate in decision.candidates) <= 1 + 1e-9
    assert len(decision.candidates) <= 6
    order = [candidate.probability for candidate in decision.candidates]
    assert order == sorted(order, reverse=True)
    for candidate in decision.candidates:
        assert candidate.score == fsum(bar.weight for bar in candidate.evidence)
        if 1e-9 < candidate.probability < 1 - 1e-9:
            odds = candidate.probability / (1 - candidate.probability)
            assert isclose(candidate.score, log2(odds), abs_tol=1e-4)
        for reason in candidate.reasons:
            sentence(reason)
    for reason in decision.reasons:
        sentence(reason)


@given(PRINTS, ROSTERS, st.randoms(use_true_random=False))
def test_the_roster_order_never_changes_the_decision(
    identity: PatientIdentity, patients: tuple[RosterPatient, ...], order: random.Random
) -> None:
    shuffled = order.sample(patients, len(patients))
    assert decide(identity, index_of(*shuffled), POLICY) == decide(identity, index_of(*patients), POLICY)


@given(PRINTS, ROSTERS)
def test_nothing_is_certain_unless_two_identifiers_agree(
    identity: PatientIdentity, patients: tuple[RosterPatient, ...]
) -> None:
    decision = decide(identity, index_of(*patients), POLICY)
    if decision.grade is MatchGrade.CERTAIN:
        bars = {bar.identifier for bar in decision.candidates[0].evidence if bar.weight > 1}
        assert len(bars & {"name", "birth_date", "mrn"}) >= 2


@given(PRINTS, ROSTERS)
def test_a_certain_patient_keeps_the_suffix_and_is_active(
    identity: PatientIdentity, patients: tuple[RosterPatient, ...]
) -> None:
    decision = decide(identity, index_of(*patients), POLICY)
    if decision.grade is MatchGrade.CERTAIN:
        patient = next(p for p in (*patients, *CROWD) if p.patient_id == decision.patient_id)
        assert patient.active
        assert None in (identity.suffix, patient.suffix) or identity.suffix == patient.suffix


@given(PRINTS, ROSTERS)
def test_an_exact_copy_of_the_certain_patient_makes_it_uncertain(
    identity: PatientIdentity, patients: tuple[RosterPatient, ...]
) -> None:
    decision = decide(identity, index_of(*patients), POLICY)
    if decision.grade is MatchGrade.CERTAIN and decision.patient_id and decision.patient_id.startswith("p"):
        patient = next(p for p in patients if p.patient_id == decision.patient_id)
        again = decide(identity, index_of(*patients, replace(patient, patient_id="copy")), POLICY)
        assert again.grade is not MatchGrade.CERTAIN


@given(st.text(max_size=15), st.text(max_size=15), st.text(max_size=15), st.text(max_size=15))
def test_no_print_makes_it_fail(name: str, family: str, first: str, mrn: str) -> None:
    identity = PatientIdentity(name=name, family=family, given=first, mrn=mrn, middle=name, suffix=first, sex=mrn)
    decide(identity, index_of(replace(JULIE, family=family, given=first, mrn=mrn, middle=name)), POLICY)
    decide(PatientIdentity(name=name), index_of(JULIE), POLICY)


CUT_OFF = [
    replace(PRINT, given="Jul…", middle=None),
    replace(PRINT, given="Jul", middle=None, cut_off=("given",)),
    replace(PRINT, given=None, family=None, middle=None, name="Holloway-Riley, Jul..."),
    replace(PRINT, family="Holloway-Ril…"),
    replace(PRINT, family="HOLLOWAY-RIL"),
    replace(PRINT, family="Holloway-Ril…", given=None, middle=None),
    replace(PRINT, given="Julie…", middle=None),
]


@pytest.mark.parametrize("identity", CUT_OFF)
def test_the_beginning_of_a_name_suffices_beside_an_equal_number_and_birth_date(identity: PatientIdentity) -> None:
    assert_certain(match(identity))


@pytest.mark.parametrize("identity", CUT_OFF)
@pytest.mark.parametrize(
    "without",
    [{"mrn": None}, {"birth_date": None}, {"birth_date": date(1984, 11, 7)}, {"mrn": "W24464"}, {"mrn": "W99999"}],
)
def test_the_beginning_of_a_name_confirms_nobody_without_number_and_birth_date(
    identity: PatientIdentity, without: dict[str, object]
) -> None:
    decision = match(replace(identity, **without))  # type: ignore[arg-type]
    reason = "name-cut-off" if identity.given or identity.name else "name-incomplete"
    assert_review(decision, reason)


def test_the_beginning_of_a_name_that_is_a_whole_name_of_another_confirms_neither() -> None:
    jan = replace(JULIE, patient_id="jan", given="Jan", middle=None, mrn="W24499")
    janet = replace(JULIE, patient_id="janet", given="Janet", middle=None, mrn="W24511")
    printed = PatientIdentity(family="Holloway-Riley", given="Jan…", birth_date=BORN)
    assert_review(match(printed, jan, janet), "name-cut-off", "near-second")
    assert_review(match(replace(printed, mrn=janet.mrn), jan, janet), "twin")


SURVIVOR = replace(JULIE, patient_id="survivor", family="Stone", former_family="Holloway-Riley", mrn="W80000")
MERGED = replace(JULIE, merged_into="survivor", active=False)


@pytest.mark.parametrize("identity", [PRINT, replace(PRINT, mrn=None), replace(PRINT, birth_date=None)])
def test_the_number_of_a_merged_record_leads_to_the_patient_it_was_merged_into(identity: PatientIdentity) -> None:
    assert_certain(match(identity, MERGED, SURVIVOR), "survivor")


def test_a_merge_into_somebody_unlike_or_gone_waits() -> None:
    unlike = replace(SURVIVOR, given="Peggy", birth_date=date(1960, 2, 3))
    assert_review(match(PRINT, MERGED, unlike), "merged-unlike")
    assert_review(match(PRINT, MERGED, replace(SURVIVOR, active=False)), "patient-inactive")
    assert_review(match(PRINT, MERGED), "patient-inactive")


def test_a_merged_record_is_no_twin_and_no_namesake_of_its_own_patient() -> None:
    slip = replace(MERGED, given="Julia")
    assert_certain(match(PRINT, replace(SURVIVOR, family="Holloway-Riley"), slip), "survivor")
