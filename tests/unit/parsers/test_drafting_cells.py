"""Drafting columns whose cells hold more than one value, and tables whose rows each give one."""

from __future__ import annotations

import re
from datetime import date

import pytest

from parsers.drafting.components import find_components, without_answers
from parsers.drafting.conventions import no_score_words
from parsers.drafting.draft import Sample, draft_template
from parsers.drafting.fields import guess_fields
from parsers.drafting.group_lines import sort_lines
from parsers.drafting.lines import tells_a_score
from parsers.drafting.person_cells import person_cells
from parsers.template import Kind
from parsers.template_parts import Field
from tests.unit.parsers.printing import SITE, Drawn, Mark, line, pdf, read, sendable

_PEOPLE = ["Justin Baker Client ID H-7043 Born 1976-04-30", "Mary Ann Lee, Jr Client ID H-9453 Born 1964-05-01"]


def test_a_name_with_labelled_values_below_it_is_taken_apart() -> None:
    found = person_cells(_PEOPLE)
    assert found is not None
    match = re.fullmatch(found.pattern, "Ann Roe Client ID H-1 Born 1980-01-02")
    assert match is not None
    assert match.groupdict() == {"name": "Ann Roe", "mrn": "H-1", "birth_date": "1980-01-02"}


@pytest.mark.parametrize(
    "cells",
    [
        ["Justin Baker", "Mary Ann Lee"],
        ["Born to run", "Born 1976"],
        [_PEOPLE[0], "Mary Ann Lee", "John Doe"],
        ["", ""],
    ],
    ids=["names alone", "no name before the label", "most without labels", "blank"],
)
def test_cells_that_are_no_names_with_labelled_values_stay_whole(cells: list[str]) -> None:
    assert person_cells(cells) is None


@pytest.mark.parametrize(
    "values", [["0-1-1-0-2", "abandoned", "2-3-0-0-2-3-2"], ["0,1,1,0,2", ""], ["0 1 1 0 2 1 0", "1 1 1 1 1 1 1"]]
)
def test_a_column_of_single_digits_in_a_row_lists_answers(values: list[str]) -> None:
    (guess,) = guess_fields([("Answers in order", values)])
    assert guess.field is Field.ANSWERS


@pytest.mark.parametrize("values", [["03-04-26", "1-2-26"], ["555-1212"], ["14 / 27"], ["1/2", "2/2"], ["1-2-3"]])
def test_dates_phone_numbers_and_scores_list_no_answers(values: list[str]) -> None:
    (guess,) = guess_fields([("Details", values)])
    assert guess.field is not Field.ANSWERS


def test_what_stands_in_place_of_answers_and_score_means_no_score() -> None:
    guesses = guess_fields([("Answers", ["0-1-1-0-2-0-0", "abandoned"]), ("Score", ["4", ""])])
    assert without_answers(guesses) == ("abandoned", "")


_LABELS = ["GAD-7 Q1 NERVOUS", "GAD-7 Q2 WORRY", "GAD-7 TOTAL SCORE", "GAD-7 SEVERITY", "PHQ-9 TOTAL SCORE"]
_VALUES = ["1", "2", "3", "minimal", "TNP"]


def test_a_column_that_says_what_the_value_beside_it_is_makes_components() -> None:
    found = find_components(
        guess_fields([("Component", _LABELS), ("Result", _VALUES), ("Flag", ["", "", "H", "", ""])])
    )
    assert found is not None
    assert [guess.field for guess in found.guesses] == [Field.COMPONENT, Field.VALUE, Field.IGNORE]
    meant = {
        label: next(field for pattern, field in found.components if re.fullmatch(pattern, label)) for label in _LABELS
    }
    assert list(meant.values()) == [Field.ITEM, Field.ITEM, Field.TOTAL, Field.SEVERITY, Field.TOTAL]
    assert "TNP" in no_score_words(found.guesses)
    # A row of another kind is not guessed: it keeps its record back.
    assert not any(re.fullmatch(pattern, "GAD-7 DIFFICULTY") for pattern, _ in found.components)


@pytest.mark.parametrize(
    "columns",
    [
        [("Test", ["PHQ-9", "GAD-7"]), ("Score", ["3", "4"])],
        [("Test", ["PHQ-9 Q1", "PHQ-9 Q2"]), ("Score", ["3", "4"])],
        [("Component", _LABELS), ("Remark", ["a", "b", "c", "d", "e"])],
    ],
    ids=["names alone", "no total", "no value"],
)
def test_other_columns_make_no_components(columns: list[tuple[str, list[str]]]) -> None:
    assert find_components(guess_fields(columns)) is None


def test_headings_that_name_a_questionnaire_and_one_word_hold_for_any_questionnaire() -> None:
    groups, _ = sort_lines(["PHQ-9 SCREEN", "GAD-7 SCREEN"], lacking=frozenset({Field.INSTRUMENT}))
    match = re.fullmatch(groups[0].pattern, "PCL-5 SCREEN")
    assert match is not None
    assert match["instrument"] == "PCL-5"


def test_the_day_of_a_label_ends_where_its_date_does() -> None:
    lines = ["DOE, ANN MRN: 100200 DOB: 05/13/1984 41 Y F", "ROE, BOB MRN: 100300 DOB: 02/03/1981 44 Y M"]
    groups, _ = sort_lines(lines, lacking=frozenset(Field))
    match = re.fullmatch(groups[0].pattern, lines[1])
    assert match is not None
    assert match["birth_date"] == "02/03/1981"


def _lab(*people: tuple[str, str, tuple[str, ...]]) -> bytes:
    drawn: list[Drawn] = [Mark(40, 40, "Final result report", 12)]
    y = 70.0
    for name, number, values in people:
        drawn += [
            Mark(40, y, f"{name}     MRN: {number}     DOB: 05/13/1984", 14),
            Mark(40, y + 16, "Ordering: HOLT, R     Collected: 03/02/2026     Received: 03/03/2026"),
        ]
        drawn += line(y + 34, ("Component", "Result", "Status"), (40, 300, 400))
        for at, (label, value) in enumerate(zip(_LABELS, values, strict=True)):
            drawn += line(y + 50 + 14 * at, (label, value, "Final"), (50, 300, 400))
        y += 150
    return pdf(drawn)


def test_laboratory_results_are_drafted_without_an_edit_and_without_a_person() -> None:
    first = _lab(
        ("DOE, ANNABELLE", "100200", ("1", "2", "9", "mild", "12")),
        ("ROE, BOB", "100300", ("0", "2", "8", "mild", "1")),
    )
    draft = draft_template(
        [Sample(name="day1.pdf", content=first, kind=Kind.PDF)], site=SITE, today=date(2026, 3, 10), name="lab"
    )
    assert not [part for part in ("annabelle", "roe", "100200", "100300") if part in draft.text.casefold()]

    second = _lab(("MOE, EVE", "100400", ("1", "1", "2", "minimal", "27")))
    (gad, phq) = read(second, draft.template).assessments
    assert (gad.patient.name, gad.patient.mrn, gad.instrument, gad.total) == ("MOE, EVE", "100400", "gad-7", 2)
    assert (phq.instrument, phq.total) == ("phq-9", 27)
    assert [record.instrument for record in sendable(read(second, draft.template))] == ["phq-9"]


@pytest.mark.parametrize(
    "runs",
    [["Mood total:", "12"], ["Total score 14 / 27 (Moderate)"], ["Little interest in things", "Not at all"],
     ["PHQ-9", "14"], ["PHQ-9: 14 of 27"], ["Sum of points 7"]],
)  # fmt: skip
def test_what_may_be_a_score_or_an_answer_is_never_furniture(runs: list[str]) -> None:
    assert tells_a_score(runs)


@pytest.mark.parametrize(
    "runs",
    [["Total patients: 12"], ["Page 1 of 2"], ["Scores in red are above 10"], ["PHQ-9: 0-4 minimal, 5-9 mild"],
     ["0 Not at all, 1 Several days, 2 More than half the days, 3 Nearly every day"], ["Score sheet 2026"],
     ["12 total records", "Printed 11/02/2026"], ["How hard was it?", "not", "somewhat", "very", "extremely"]],
)  # fmt: skip
def test_counts_page_numbers_and_legends_are_no_scores(runs: list[str]) -> None:
    assert not tells_a_score(runs)


_SCORED = [
    ("Form", ["PHQ-9", "GAD-7", "PHQ-9", "GAD-7", "PHQ-9"]),
    ("Falls In", ["Mild", "Moderate", "Severe", "Minimal", "Moderate"]),
]


def test_numbers_that_only_look_like_scores_are_none() -> None:
    guesses = guess_fields([("Grade", ["10", "8", "8", "10", "7"]), ("Student", ["A B"] * 5)])
    assert guesses[0].field is Field.IGNORE
    assert "CHECK" in guesses[0].why


def test_numbers_that_go_with_the_severities_beside_them_are_the_scores() -> None:
    guesses = guess_fields([("Grade", ["10", "8", "8", "10", "7"]), *_SCORED, ("Sco.", ["6", "12", "22", "2", "11"])])
    assert [guess.field for guess in guesses] == [Field.IGNORE, Field.INSTRUMENT, Field.SEVERITY, Field.TOTAL]


def test_of_two_dates_that_no_word_explains_none_is_the_day() -> None:
    guesses = guess_fields([("Col A", ["03/02/2026", "03/03/2026"]), ("Col B", ["03/04/2026", "03/09/2026"])])
    assert [guess.field for guess in guesses] == [Field.IGNORE, Field.IGNORE]
    assert guess_fields([("Col A", ["03/02/2026", "03/03/2026"])])[0].field is Field.AUTHORED_ON


def test_headings_as_close_as_words_are_told_apart_by_the_cells_below() -> None:
    xs = (40, 160, 230, 300, 370, 400)
    rows = [
        ("Doe, Ann", "100200", "03/02/2026", "PHQ-9", "14", "Moderate"),
        ("Roe, Bob", "100300", "03/02/2026", "GAD-7", "2", "Minimal"),
        ("Moe, Eve", "100400", "03/03/2026", "PHQ-9", "22", "Severe"),
        ("Loe, Kit", "100500", "03/03/2026", "PHQ-9", "7", "Mild"),
    ]
    drawn: list[Drawn] = [Mark(40, 40, "Student wellness list", 14)]
    drawn += line(80, ("Student", "Number", "Taken", "Form", "Points Falls In", ""), xs)
    for at, row in enumerate(rows, start=1):
        drawn += line(80 + 16 * at, row, xs)
    sample = Sample(name="day1.pdf", content=pdf(drawn), kind=Kind.PDF)
    template = draft_template([sample], site=SITE, today=date(2026, 3, 10), name="list").template

    assert [column.header for column in template.table[0].columns][-2:] == ["Points", "Falls In"]
    assert [record.total for record in sendable(read(sample.content, template))] == [14, 2, 22, 7]
