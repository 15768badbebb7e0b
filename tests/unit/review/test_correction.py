"""Values that a person sets are held against the same rules as values that were read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.instrument_library import load_instruments
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.errors import DecisionRefusedError
from review.correction import corrected, critical_item, faults_of
from tests.unit.review.review_clinic import ROWS, TODAY, answers

LIBRARY = load_instruments()
PHQ = ROWS[0].assessment(0)


def changed(assessment: SymptomAssessment, **changes: str) -> SymptomAssessment:
    fields = {name.replace("item_", "item-"): text for name, text in changes.items()}
    return corrected(assessment, fields, LIBRARY, today=TODAY)


def test_all_answers_can_be_given_at_once() -> None:
    for text in ("0,0,0,0,0,0,0,0,2", "0 0 0 0 0 0 0 0 2", "0, 0, 0, 0, 0, 0, 0, 0, 2"):
        assert changed(PHQ, items=text, total="2").item_points == (0, 0, 0, 0, 0, 0, 0, 0, 2)
    with pytest.raises(DecisionRefusedError, match="number of answers"):
        changed(PHQ, items="0,0,0", total="0")


def test_a_blank_answer_stays_blank_is_never_zero_and_is_noted() -> None:
    revised = changed(PHQ, item_1="")
    assert revised.item_points == (None, 3, 2, 2, 2, 2, 2, 1, 1)
    assert "item-1-blank" in [finding.code for finding in revised.findings]
    assert faults_of(revised, LIBRARY, today=TODAY) == ()


def test_an_answer_that_cannot_be_read_keeps_the_record_back_until_somebody_reads_it() -> None:
    unread = ItemScore(link_id="9", state=ItemState.UNREADABLE, points=None, source=None)
    record = replace(PHQ, items=(*answers(2, 3, 2, 2, 2, 2, 2, 1), unread))
    assert faults_of(record, LIBRARY, today=TODAY) == ("Answer 9 cannot be read.",)
    assert critical_item(record, LIBRARY) is not None
    assert faults_of(changed(record, item_9="1"), LIBRARY, today=TODAY) == ()


def test_an_answer_that_is_not_printed_cannot_be_made_up() -> None:
    with pytest.raises(DecisionRefusedError, match="printed on the report"):
        changed(PHQ, item_11="1")
    with pytest.raises(DecisionRefusedError, match="printed on the report"):
        changed(replace(PHQ, items=None), item_1="1")


def test_a_field_that_is_not_listed_cannot_be_changed() -> None:
    with pytest.raises(DecisionRefusedError, match="cannot be corrected"):
        changed(PHQ, patient="D1")


def test_an_instrument_can_be_given_by_a_name_that_leaves_nothing_open() -> None:
    unnamed = replace(PHQ, instrument=None, items=None, total=9)
    assert changed(unnamed, instrument="GAD7").instrument == "gad-7"
    for name in ("asrs", "ASRS 14", "PHQ", "", "nonsense"):
        if name in LIBRARY:
            continue
        with pytest.raises(DecisionRefusedError, match="not the id"):
            changed(unnamed, instrument=name)


def test_a_severity_that_no_longer_fits_is_noted() -> None:
    record = replace(PHQ, items=None, severity="Moderately severe")
    assert "severity-differs" in [finding.code for finding in changed(record, total="3").findings]
    assert "severity-differs" not in [finding.code for finding in changed(record, total="16").findings]


def test_correcting_the_answer_about_self_harm_changes_what_is_critical() -> None:
    assert changed(PHQ, item_9="0", total="16").critical is False
    assert changed(PHQ, item_9="", total="16").critical is None
    graver = changed(PHQ, item_9="3", total="19")
    found = critical_item(graver, LIBRARY)
    assert found is not None
    assert (found.link_id, found.points) == ("9", 3)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(DecisionRefusedError) as refused:
        changed(PHQ, total="x", item_1="9", authored_on="yesterday")
    for sentence in ("The total score cannot be read", "The date must be written", "Answer 1 is outside"):
        assert sentence in refused.value.message


@given(st.lists(st.integers(0, 3), min_size=9, max_size=9), st.integers(-5, 40))
def test_whole_answers_pass_exactly_with_their_own_sum(points: list[int], total: int) -> None:
    record = replace(PHQ, items=answers(*points), total=total)
    assert (faults_of(record, LIBRARY, today=TODAY) == ()) == (total == sum(points))


@given(
    st.sampled_from(["total", "authored_on", "instrument", "result", "items", "item-1", "item-9"]), st.text(max_size=30)
)
def test_no_text_gets_past_the_rules_or_breaks_them(field: str, text: str) -> None:
    try:
        revised = corrected(PHQ, {field: text}, LIBRARY, today=TODAY)
    except DecisionRefusedError:
        return
    assert faults_of(revised, LIBRARY, today=TODAY) == ()


def test_a_refusal_does_not_repeat_what_was_typed() -> None:
    for field in ("total", "authored_on", "instrument", "result", "items", "item-1", "Thomas Kowalsky"):
        with pytest.raises(DecisionRefusedError) as refused:
            corrected(PHQ, {field: "Thomas Kowalsky"}, LIBRARY, today=TODAY)
        assert "Kowalsky" not in str(refused.value)
