"""What a screen and a terminal show of a case."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.comparison import BirthDateLevel, FieldLevel, MrnLevel
from matching.name_comparison import NameLevel
from records.case import CaseState, ReviewCase
from records.decision import MatchDecision
from records.patient import Roster
from review.case_summary import case_summary
from review.evidence_words import Mark, field_evidence
from tests.unit.review.review_clinic import KOWALSKI, ROSTER, ROWS, SITE, START, TWINS, candidate, match_of

PATIENTS = Roster(site=SITE, patients=ROSTER, as_of=START)


def case_with(match: MatchDecision, *reasons: str) -> ReviewCase:
    return ReviewCase(
        case_id=1, version=1, state=CaseState.OPEN, site=SITE, report_id=1, document_sha256="0" * 64,
        file_name="scores.pdf", assessment=ROWS[0].assessment(0), match=match, reasons=reasons, opened_at=START,
        critical=True, fingerprint="", is_identity_typed=False,
    )  # fmt: skip


def preselected(match: MatchDecision, *reasons: str) -> str | None:
    return case_summary(case_with(match, *reasons), PATIENTS).preselected


def test_a_likely_patient_without_a_rival_is_preselected() -> None:
    assert preselected(KOWALSKI) == "D1"


@pytest.mark.parametrize(("first", "second"), [(0.79, 0.1), (0.85, 0.2), (0.5, 0.49), (0.0, 0.0)])
def test_a_doubtful_patient_is_never_preselected(first: float, second: float) -> None:
    assert preselected(match_of(candidate("D1", first), candidate("D2", second))) is None


@pytest.mark.parametrize("reason", ["twin", "namesake", "near-second", "vetoed", "patient-inactive"])
def test_whoever_can_be_mistaken_is_never_preselected_however_likely(reason: str) -> None:
    assert preselected(match_of(candidate("D1", 0.99)), reason) is None
    assert preselected(match_of(candidate("D1", 0.99, reasons=(reason,)))) is None
    assert preselected(match_of(candidate("D1", 0.99), reasons=(reason,))) is None


def test_a_patient_who_is_inactive_or_gone_is_not_preselected() -> None:
    assert preselected(match_of(candidate("D8", 0.99))) is None
    assert preselected(match_of(candidate("D404", 0.99))) is None


def test_a_ruled_out_patient_is_not_preselected_and_needs_a_second_look() -> None:
    summary = case_summary(case_with(KOWALSKI), PATIENTS, ruled_out={"D1"})
    assert summary.preselected is None
    assert summary.candidates[0].is_doubtful


def test_at_most_three_candidates_are_shown_and_found_ones_follow() -> None:
    match = match_of(*(candidate(f"D{n}", 0.3 - n / 100) for n in range(1, 7)))
    summary = case_summary(case_with(match), PATIENTS, found=ROSTER[:5])
    assert [one.patient_id for one in summary.candidates] == ["D1", "D2", "D3", "D4", "D5"]
    assert [one.found for one in summary.candidates] == [False, False, False, True, True]


def test_twins_are_announced() -> None:
    assert case_summary(case_with(TWINS), PATIENTS).shares_identity
    assert not case_summary(case_with(KOWALSKI), PATIENTS).shares_identity


def test_reasons_are_sentences_and_an_unknown_code_shows_itself() -> None:
    said = [one.sentence for one in case_summary(case_with(KOWALSKI, "mrn-near", "from-the-future"), None).reasons]
    assert said[0] == "The record number is close to this patient's, but not equal."
    assert "from-the-future" in said[1]


def test_a_reason_that_a_correction_has_settled_is_gone() -> None:
    case = case_with(KOWALSKI, "sum-differs", "mrn-near")
    assert [one.code for one in case_summary(case, None).reasons] == ["mrn-near"]
    still = replace(case, assessment=replace(ROWS[1], who=ROWS[0].who).assessment(0))
    assert "sum-differs" in [one.code for one in case_summary(still, None).reasons]


@pytest.mark.parametrize(
    "level", sorted({str(one) for kind in (NameLevel, MrnLevel, BirthDateLevel, FieldLevel) for one in kind})
)
def test_every_level_of_the_matching_has_words_and_only_equality_is_the_same(level: str) -> None:
    shown = field_evidence("mrn", level)
    assert shown.words
    assert (shown.mark is Mark.SAME) == (level == "exact")
    assert "-" not in shown.words


@given(st.text(max_size=40))
def test_a_level_nobody_knows_never_passes_as_the_same(level: str) -> None:
    if "exact" not in level:
        assert field_evidence("name", level).mark is not Mark.SAME


def test_of_two_names_the_worse_one_counts() -> None:
    assert field_evidence("name", "given exact, family different").mark is Mark.DIFFERENT
    assert field_evidence("name", "swapped, given exact, family exact").mark is Mark.CLOSE
    assert field_evidence("name", "given exact, family exact").words == "Given name same, family name same"
