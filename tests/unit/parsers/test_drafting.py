"""Drafting: a template out of nothing but a sample."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.drafting.conventions import name_order, no_score_words
from parsers.drafting.draft import Draft, Sample, draft_template
from parsers.drafting.fields import Certainty, guess_fields
from parsers.drafting.group_lines import sort_lines
from parsers.drafting.lines import clinic_of, is_personal, pattern_of, title_of
from parsers.drafting.words import date_formats, heading_means
from parsers.instrument_library import load_instruments
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind, NameOrder
from parsers.template_parts import Field, Furniture
from records.errors import TemplateError

_FORMS = Path(__file__).parents[3] / "fixtures" / "forms"
_TODAY = date(2026, 12, 1)
_CASES = [
    path
    for path in sorted(_FORMS.glob("*/cases/*/expected.json"))
    if (path.parent.parent.parent / "template.yaml").exists()
]


def _sample(path: Path) -> Sample:
    return Sample(name=path.name, content=path.read_bytes(), kind=Kind.CSV if path.suffix == ".csv" else Kind.PDF)


@cache
def _drafted(case: Path) -> tuple[Draft, Sample, str]:
    site = json.loads(case.read_text("utf-8"))["site"]
    report = next(path for path in case.parent.iterdir() if path.stem == "report")
    sample = _sample(report)
    return draft_template([sample], site=site, today=_TODAY, name="drafted"), sample, site


@pytest.mark.parametrize("case", _CASES, ids=lambda path: f"{path.parts[-4]}/{path.parts[-2]}")
def test_a_draft_reads_every_score_of_its_sample_and_makes_up_none(case: Path) -> None:
    draft, sample, site = _drafted(case)
    request = ReadingRequest(
        kind=sample.kind, templates=(draft.template,), instruments=load_instruments(), site=site, today=_TODAY
    )
    reading = read_report(sample.content, request)
    wanted = json.loads(case.read_text("utf-8"))
    got = Counter(
        (a.page, a.patient.mrn, str(a.patient.birth_date), str(a.authored_on), a.total) for a in reading.assessments
    )
    expected = Counter(
        (r["page"], r["patient"]["mrn"], str(r["patient"]["birth_date"]), str(r["authored_on"]), r["total"])
        for r in wanted["records"]
    )
    assert got == expected
    assert reading.no_score == wanted["balance"]["no_score"]


@pytest.mark.parametrize("case", _CASES, ids=lambda path: f"{path.parts[-4]}/{path.parts[-2]}")
def test_every_field_of_a_draft_says_why_it_was_guessed(case: Path) -> None:
    draft, _, _ = _drafted(case)
    guessed = [line for line in draft.text.splitlines() if "field: " in line and "{" in line]
    assert guessed
    assert all("# " in line for line in guessed)


def test_a_sample_without_scores_is_refused_with_the_next_step() -> None:
    sample = Sample(name="a.csv", content=b"town,street\nA,B\nC,D\n", kind=Kind.CSV)
    with pytest.raises(TemplateError) as refused:
        draft_template([sample], site="X", today=_TODAY, name="a")
    assert refused.value.next_step


def test_a_sample_that_names_no_questionnaire_is_refused() -> None:
    text = b'MRN,Patient,DOB,Score,Date\nA1234,"Doe, Ann",01/31/1980,7,02/13/2026\n'
    with pytest.raises(TemplateError, match="which questionnaire"):
        draft_template([Sample(name="a.csv", content=text, kind=Kind.CSV)], site="X", today=_TODAY, name="a")


def test_a_score_column_under_a_questionnaires_name_needs_no_other_naming() -> None:
    text = b'MRN,Patient,DOB,PHQ-9,GAD-7,Date\nA1234,"Doe, Ann",01/31/1980,7,3,02/13/2026\n'
    draft = draft_template([Sample(name="a.csv", content=text, kind=Kind.CSV)], site="X", today=_TODAY, name="a")
    assert draft.trials[0].records == 2


def test_a_column_of_unknown_meaning_is_ignored_and_said_to_be_unknown() -> None:
    guess = guess_fields([("Frobnication", ["q7!", "z8!"])])[0]
    assert guess.field is Field.IGNORE
    assert guess.certainty is Certainty.NONE


def test_a_number_column_is_never_taken_for_a_date() -> None:
    guess = guess_fields([("Chart #", ["042654", "110998", "071287"])])[0]
    assert guess.field is Field.MRN


def test_a_score_of_an_earlier_visit_is_not_the_score() -> None:
    guesses = guess_fields([("Latest Total", ["4", "7"]), ("Previous Total", ["9", "11"])])
    assert [guess.field for guess in guesses] == [Field.TOTAL, Field.IGNORE]


def test_of_two_unnamed_dates_the_one_long_before_is_the_date_of_birth() -> None:
    guesses = guess_fields([("X", ["01/31/1980", "02/28/1955"]), ("Date", ["03/01/2026", "03/02/2026"])])
    assert [guess.field for guess in guesses] == [Field.BIRTH_DATE, Field.AUTHORED_ON]


def test_words_for_no_score_are_taken_as_printed() -> None:
    assert no_score_words(guess_fields([("Score", ["4", "DECL", "7", "12"])]))[0] == "DECL"


def test_a_letter_in_place_of_a_digit_is_no_word_for_no_score() -> None:
    assert "O" not in no_score_words(guess_fields([("Score", ["4", "O", "7", "12"])]))


def test_a_blank_cell_means_no_score_only_where_each_questionnaire_has_its_column() -> None:
    alone = guess_fields([("PHQ-9", ["4", "", "7"])])
    beside = guess_fields([("PHQ-9", ["4", "", "7"]), ("GAD-7", ["", "3", "1"])])
    assert ("" in no_score_words(alone), "" in no_score_words(beside)) == (False, True)


def test_a_severity_column_belongs_to_the_score_left_of_it() -> None:
    found = [("PHQ-9", ["4"]), ("Severity", ["Minimal"]), ("GAD-7", ["16"]), ("Severity", ["Severe"])]
    assert [guess.instrument for guess in guess_fields(found)] == ["phq-9", "phq-9", "gad-7", "gad-7"]


def test_a_second_score_column_without_a_name_is_pointed_out() -> None:
    guesses = guess_fields([("Score", ["4", "9"]), ("Score", ["7", "2"])])
    assert guesses[1].field is Field.IGNORE
    assert "CHECK" in guesses[1].why


def test_columns_headed_by_all_numbers_of_a_form_are_its_answers() -> None:
    found = [(f"Q{n}", ["0", "3", "1"]) for n in range(1, 10)]
    assert [guess.item for guess in guess_fields(found)] == [str(n) for n in range(1, 10)]


def test_a_comma_before_a_suffix_does_not_put_the_family_name_first() -> None:
    order, _ = name_order(guess_fields([("Patient", ["Ann B. Doe", "Carl Roe, Jr"])]))
    assert order is NameOrder.GIVEN_FIRST


@pytest.mark.parametrize(
    ("printed", "likeliest"),
    [("01/31/2026", "%m/%d/%Y"), ("31/01/2026", "%d/%m/%Y"), ("2026-01-31", "%Y-%m-%d"), ("31.01.2026", "%d.%m.%Y")],
)
def test_a_day_above_twelve_tells_day_from_month(printed: str, likeliest: str) -> None:
    assert date_formats([printed, "01/02/2026" if "/" in printed else printed])[0] == likeliest


def test_headings_are_known_in_any_spelling() -> None:
    assert {heading_means(text) for text in ("Chart No.", "ChartNo", "CHART NO", "chart_no")} == {Field.MRN}


def test_a_title_loses_its_date_and_the_clinics_name() -> None:
    assert title_of(["Willow Creek Psychiatry - screening results Sep 18, 2026"]) == "screening results"
    assert clinic_of(["Willow Creek Psychiatry - screening results Sep 18, 2026"]) == "Willow Creek Psychiatry"


def test_a_persons_name_is_never_furniture() -> None:
    assert is_personal("Doe, Ann")
    assert not is_personal("Page 1 of 2")


def test_a_line_with_known_labels_tells_who_the_rows_below_are_about() -> None:
    groups, skipped = sort_lines(["DOE, JANE  DOB: 01/02/1980  MRN: 0012"], lacking=frozenset(Field))
    found = re.fullmatch(groups[0].pattern, "ROE, RICHARD DOB: 03/04/1990 MRN: 7")
    assert found is not None
    assert found.groupdict() == {"name": "ROE, RICHARD", "birth_date": "03/04/1990", "mrn": "7"}
    assert skipped == []


@pytest.mark.parametrize(
    ("printed", "row"),
    [("Page 1 of 3", "Page John 01/02/1980 PHQ-9 14"), ("Key to colours", "Key Ann 01/02/1980 PHQ-9 14")],
)
def test_a_line_to_be_skipped_never_describes_the_row_of_somebody_called_like_its_first_word(
    printed: str, row: str
) -> None:
    _, ((made, is_pattern),) = sort_lines([printed], lacking=frozenset())
    assert not (re.fullmatch(made, row) if is_pattern else made == row)


def test_a_word_that_is_a_surname_too_never_stands_for_the_rest_of_its_line() -> None:
    made, is_pattern = pattern_of("Ward B")
    assert not (is_pattern and re.fullmatch(made, "Ward John 01/02/1980 PHQ-9 14"))


def test_a_line_with_an_unknown_label_and_a_subtotal_are_skipped() -> None:
    groups, skipped = sort_lines(["PROGRAM: ADULT DAY   CLINICIAN: HOLT, R", "Subtotal Holt: 12"], lacking=frozenset())
    assert groups == []
    assert skipped == [("PROGRAM: .+", True), ("Subtotal .+", True)]


@given(st.lists(st.from_regex(r"[A-Za-z(]{1,8}|\d{1,4}(/\d{1,4})?", fullmatch=True), min_size=1, max_size=6))
def test_a_line_is_always_described_by_its_own_pattern(words: list[str]) -> None:
    text = " ".join(words)
    made, is_pattern = pattern_of(text)
    piece = Furniture(pattern=re.compile(made)) if is_pattern else Furniture(text=made)
    assert piece.pattern.fullmatch(text) if piece.pattern else piece.text == text


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=5))
def test_guessing_never_fails(heading: str, values: list[str]) -> None:
    assert len(guess_fields([(heading, values)])) == 1
