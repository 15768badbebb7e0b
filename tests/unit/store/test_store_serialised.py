"""Values come back from their columns exactly as they went in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_cases import assessment

from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.decision import Candidate, Evidence, MatchDecision, MatchGrade
from records.errors import StoreError
from records.finding import REASONS, Finding
from records.geometry import Region
from records.patient import PatientIdentity
from store import serialised

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
codes = st.sampled_from([code for code in REASONS if "{n}" not in code] + ["item-3-blank", "item-6b-unreadable"])
maybe_text = st.none() | texts
days = st.dates(date(1, 1, 1), date(9999, 12, 31))


@st.composite
def regions(draw: st.DrawFn) -> Region:
    x0, x1 = sorted((draw(numbers), draw(numbers)))
    top, bottom = sorted((draw(numbers), draw(numbers)))
    return Region(draw(st.integers(1, 999)), x0, top, x1, bottom)


@st.composite
def items(draw: st.DrawFn) -> ItemScore:
    state = draw(st.sampled_from(ItemState))
    points = draw(st.integers(-5, 100)) if state is ItemState.ANSWERED else None
    return ItemScore(link_id=draw(texts), state=state, points=points, source=draw(st.none() | regions()))


findings = st.builds(Finding, code=codes, region=st.none() | regions(), blocking=st.booleans(), detail=texts)
identities = st.builds(
    PatientIdentity,
    name=texts,
    family=maybe_text,
    given=maybe_text,
    middle=maybe_text,
    suffix=maybe_text,
    birth_date=st.none() | days,
    birth_date_other_reading=st.none() | days,
    mrn=maybe_text,
    sex=maybe_text,
    phone=maybe_text,
)
assessments = st.builds(
    SymptomAssessment,
    page=st.none() | st.integers(1),
    line=st.none() | st.integers(1),
    region=st.none() | regions(),
    patient=identities,
    instrument=maybe_text,
    instrument_printed=texts,
    authored_on=st.none() | days,
    authored_time=maybe_text,
    total=st.none() | st.integers(),
    total_printed=texts,
    result=maybe_text,
    items=st.none() | st.lists(items(), max_size=4).map(tuple),
    severity=maybe_text,
    critical=st.none() | st.booleans(),
    critical_unverified=st.booleans(),
    findings=st.lists(findings, max_size=3).map(tuple),
)
candidates = st.builds(
    Candidate,
    patient_id=texts,
    grade=st.sampled_from(MatchGrade),
    probability=numbers,
    score=numbers,
    evidence=st.lists(st.builds(Evidence, identifier=texts, level=texts, weight=numbers), max_size=3).map(tuple),
    reasons=st.lists(codes, max_size=3).map(tuple),
)
matches = st.builds(
    MatchDecision,
    grade=st.sampled_from(MatchGrade),
    patient_id=maybe_text,
    probability=numbers,
    runner_up=numbers,
    candidates=st.lists(candidates, max_size=3).map(tuple),
    reasons=st.lists(codes, max_size=3).map(tuple),
)


@given(assessments)
def test_an_assessment_comes_back_exactly(made: SymptomAssessment) -> None:
    assert serialised.assessment_of(serialised.assessment_text(made)) == made


@given(matches)
def test_a_match_comes_back_exactly(made: MatchDecision) -> None:
    assert serialised.match_of(serialised.match_text(made)) == made


@given(st.lists(findings).map(tuple))
def test_findings_come_back_exactly(made: tuple[Finding, ...]) -> None:
    assert serialised.findings_of(serialised.findings_text(made)) == made


@given(st.text(st.characters(categories=("Cs", "L", "Cc")), max_size=10))
def test_text_that_no_encoding_can_hold_is_marked_and_not_lost(text: str) -> None:
    made = replace(assessment(), total_printed=text)
    kept = serialised.assessment_of(serialised.assessment_text(made))
    assert [one for one in kept.total_printed if one != "\ufffd"] == [
        one for one in text if not "\ud800" <= one <= "\udfff"
    ]
    assert replace(kept, total_printed=text) == made


@pytest.mark.parametrize("number", [float("inf"), float("-inf")])
def test_a_number_that_json_lacks_is_refused_at_once(number: float) -> None:
    nowhere = Region(1, min(0.0, number), 0.0, max(0.0, number), 1.0)
    with pytest.raises(StoreError):
        serialised.assessment_text(replace(assessment(), region=nowhere))
