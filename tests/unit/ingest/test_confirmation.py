"""The gates all in one place: a record is confirmed only if nothing, anywhere, speaks against it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.confirmation import Known, decide_record, findings_for
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.decision import Decision, MatchDecision, MatchGrade
from records.finding import Finding
from records.geometry import Region
from records.patient import PatientIdentity

_ANN = PatientIdentity(name="Doe, Ann", family="Doe", given="Ann", birth_date=date(1980, 4, 5), mrn="A100")
RECORD = SymptomAssessment(
    page=2,
    line=None,
    region=Region(2, 40, 100, 560, 112),
    patient=_ANN,
    instrument="phq-9",
    instrument_printed="PHQ-9",
    authored_on=date(2026, 3, 2),
    authored_time=None,
    total=14,
    total_printed="14",
    result=None,
    items=None,
    severity=None,
    critical=None,
)
CERTAIN = MatchDecision(
    grade=MatchGrade.CERTAIN, patient_id="P1", probability=0.9999, runner_up=0.0, candidates=(), reasons=()
)
_CODES = ["unclaimed-word", "readers-differ", "item-order", "sum-differs", "text-quality", "row-ambiguous"]


def _decide(
    record: SymptomAssessment = RECORD,
    match: MatchDecision = CERTAIN,
    *,
    file_findings: tuple[Finding, ...] = (),
    known: Known = Known.NEW,
    also: tuple[str, ...] = (),
) -> tuple[Decision, tuple[str, ...]]:
    decided = decide_record(record, match, file_findings=file_findings, known=known, also=also)
    return decided.decision, decided.reasons


def test_a_record_against_which_nothing_speaks_is_confirmed() -> None:
    assert _decide() == (Decision.CONFIRMED, ())


@pytest.mark.parametrize("code", _CODES)
def test_any_blocking_finding_of_its_own_keeps_a_record_back(code: str) -> None:
    assert _decide(replace(RECORD, findings=(Finding(code=code),))) == (Decision.REVIEW, (code,))


def test_a_note_is_told_and_does_not_keep_a_record_back() -> None:
    noted = replace(RECORD, findings=(Finding(code="severity-not-checked", blocking=False),))
    assert _decide(noted) == (Decision.CONFIRMED, ("severity-not-checked",))


@pytest.mark.parametrize(
    ("region", "concerned"),
    [(None, True), (Region(2, 0, 0, 9, 9), True), (Region(1, 0, 0, 9, 9), False), (Region(3, 0, 0, 9, 9), False)],
)
def test_a_finding_about_a_page_concerns_the_records_of_that_page_and_one_without_a_place_all(
    region: Region | None, concerned: bool
) -> None:
    finding = Finding(code="unclaimed-word", region=region)
    assert findings_for(RECORD, [finding]) == ([finding] if concerned else [])
    assert _decide(file_findings=(finding,))[0] is (Decision.REVIEW if concerned else Decision.CONFIRMED)


def test_every_finding_about_a_table_file_concerns_every_record_of_it() -> None:
    record = replace(RECORD, page=None, line=3, region=None)
    assert _decide(record, file_findings=(Finding(code="unclaimed-word"),))[0] is Decision.REVIEW


@pytest.mark.parametrize("grade", [grade for grade in MatchGrade if grade is not MatchGrade.CERTAIN])
@pytest.mark.parametrize("reasons", [(), ("near-second",)])
def test_anybody_who_is_not_certain_keeps_the_record_back_with_a_reason(
    grade: MatchGrade, reasons: tuple[str, ...]
) -> None:
    decision, said = _decide(match=replace(CERTAIN, grade=grade, reasons=reasons))
    assert decision is Decision.REVIEW
    assert said == (reasons or ("patient-below-threshold",))


@pytest.mark.parametrize("code", ["template-held", "template-shadow", "roster-stale", "patient-inactive"])
def test_a_reason_of_the_shell_keeps_a_record_back(code: str) -> None:
    assert _decide(also=(code,)) == (Decision.REVIEW, (code,))


def test_the_same_values_again_are_a_duplicate_whatever_else_speaks_against_them() -> None:
    doubtful = replace(RECORD, findings=(Finding(code="readers-differ"),))
    assert _decide(known=Known.SAME_VALUES) == (Decision.DUPLICATE, ("duplicate",))
    assert _decide(doubtful, known=Known.SAME_VALUES) == (Decision.DUPLICATE, ("duplicate", "readers-differ"))


def test_other_values_are_a_correction_and_a_person_decides() -> None:
    assert _decide(known=Known.OTHER_VALUES) == (Decision.REVIEW, ("correction",))


@given(
    own=st.lists(st.tuples(st.sampled_from(_CODES), st.booleans())),
    pages=st.lists(st.tuples(st.sampled_from(_CODES), st.integers(1, 3))),
    also=st.lists(st.sampled_from(["template-held", "roster-stale"])),
    grade=st.sampled_from(MatchGrade),
    known=st.sampled_from([Known.NEW, Known.OTHER_VALUES]),
)
def test_confirmed_means_that_every_gate_passed_and_review_always_says_why(
    own: list[tuple[str, bool]],
    pages: list[tuple[str, int]],
    also: list[str],
    grade: MatchGrade,
    known: Known,
) -> None:
    record = replace(RECORD, findings=tuple(Finding(code=code, blocking=blocking) for code, blocking in own))
    findings = tuple(Finding(code=code, region=Region(page, 0, 0, 1, 1)) for code, page in pages)
    decision, reasons = _decide(
        record, replace(CERTAIN, grade=grade), file_findings=findings, known=known, also=tuple(also)
    )
    clear = (
        not any(blocking for _, blocking in own)
        and all(page != 2 for _, page in pages)
        and not also
        and grade is MatchGrade.CERTAIN
        and known is Known.NEW
    )
    assert decision is (Decision.CONFIRMED if clear else Decision.REVIEW)
    assert clear or reasons
    assert len(set(reasons)) == len(reasons)


def test_a_whole_record_of_a_named_person_is_known_again() -> None:
    assert RECORD.can_be_known_again
    assert replace(RECORD, total=None, result="moderate risk").can_be_known_again


@pytest.mark.parametrize(
    "lacking",
    [
        replace(RECORD, instrument=None),
        replace(RECORD, authored_on=None),
        replace(RECORD, total=None),
        replace(RECORD, patient=replace(_ANN, mrn=None, birth_date=None)),
        replace(RECORD, patient=replace(_ANN, family=None, birth_date=None)),
        replace(RECORD, patient=replace(_ANN, cut_off=("given",), mrn=None)),
        replace(RECORD, items=(ItemScore(link_id="1", state=ItemState.BLANK, points=None, source=None),)),
        replace(RECORD, items=(ItemScore(link_id="1", state=ItemState.UNREADABLE, points=None, source=None),)),
    ],
)
def test_a_record_that_lacks_something_may_be_anybodys_and_is_never_a_duplicate(lacking: SymptomAssessment) -> None:
    assert not lacking.can_be_known_again


def test_two_identifiers_of_three_are_enough_to_know_a_person_again() -> None:
    for patient in (
        replace(_ANN, mrn=None),
        replace(_ANN, birth_date=None),
        replace(_ANN, family=None, given=None),
    ):
        assert replace(RECORD, patient=patient).can_be_known_again
