"""Drafting of layouts nobody tuned it for: each thing it recognises, and what only looks like it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from parsers.drafting.details import detail_of
from parsers.drafting.draft import Draft, Sample, draft_template
from parsers.drafting.fields import guess_fields
from parsers.drafting.group_lines import said_day
from parsers.drafting.prose import sentence_patterns
from parsers.drafting.score_lines import find_score_lines
from parsers.drafting.words import is_visit
from parsers.readers import plumber
from parsers.template import Kind
from parsers.template_file import parse_template
from parsers.template_parts import Field
from records.assessment import SymptomAssessment
from records.errors import TemplateError
from tests.unit.parsers.printing import SITE, TODAY, Drawn, Mark, Ring, Stroke, line, pdf, read, sendable

_PEOPLE = ("Doe, Ann", "Roe, Bob", "Poe, Cat", "Lee, Dan")
_XS = (40, 220, 300, 380)


def _draft(*pages: Sequence[Drawn]) -> Draft:
    sample = Sample(name="day1.pdf", content=pdf(*pages), kind=Kind.PDF)
    return draft_template([sample], site=SITE, today=TODAY, name="drafted")


def _sent(page: Sequence[Drawn], by: Draft | None = None) -> list[SymptomAssessment]:
    """What a draft of a page reads of it without a person."""
    return sendable(read(pdf(page), (by or _draft(page)).template))


def _texts(lines: Sequence[str], *, x: float = 40, top: float = 60, step: float = 14) -> list[Drawn]:
    return [Mark(x, top + step * n, text) for n, text in enumerate(lines)]


# Headings


def _close(score_at: float, headings: tuple[str, str]) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Listing of ratings", 14), *line(70, ["Client", "MRN", "Born", "Scale"], _XS)]
    drawn += [Mark(score_at, 70, headings[0], right=True), Mark(score_at + 2.8, 70, headings[1])]
    for n, name in enumerate(_PEOPLE):
        drawn += [
            *line(88 + 16 * n, [name, f"5776{n}", f"0{n + 1}/15/1980", "PHQ-9"], _XS),
            Mark(score_at, 88 + 16 * n, str(n + 3), right=True),
            Mark(score_at + 2.8, 88 + 16 * n, f"03/0{n + 1}/2026"),
        ]
    return drawn


def test_two_headings_as_close_as_words_are_two_columns() -> None:
    sent = _sent(_close(470, ("Score", "Day")))
    assert [(r.total, r.authored_on) for r in sent] == [(n + 3, date(2026, 3, n + 1)) for n in range(4)]


def _repeated(gap: float) -> list[Drawn]:
    xs = (40, 180, 240, 310, 350, 420, 460, 530)
    drawn: list[Drawn] = [Mark(40, 30, "Both questionnaires of a visit", 14)]
    drawn += [Mark(310, 90 - 10 - gap, "PHQ-9"), Mark(420, 90 - 10 - gap, "GAD-7")]
    drawn += line(90, ["Client", "MRN", "Born", "Score", "Level", "Score", "Level", "Seen"], xs)
    for n, name in enumerate(_PEOPLE):
        row = [name, f"5776{n}", "05/15/1980", "6", "Mild", "12", "Moderate", f"03/0{n + 1}/2026"]
        drawn += line(106 + 16 * n, row, xs)
    return drawn


def test_instruments_in_a_row_of_their_own_above_repeated_headings_name_the_scores_below() -> None:
    sent = _sent(_repeated(gap=12))
    assert sorted((r.instrument, r.total) for r in sent) == [("gad-7", 12)] * 4 + [("phq-9", 6)] * 4


def test_instruments_far_above_repeated_headings_name_no_scores() -> None:
    with pytest.raises(TemplateError, match="which questionnaire"):
        _draft(_repeated(gap=36))


# Numbers


def test_a_column_of_long_numbers_headed_no_may_be_that_of_record_numbers() -> None:
    assert guess_fields([("No.", ["053338", "034095", "060532"])])[0].field is Field.MRN


@pytest.mark.parametrize("values", [["1", "2", "3"], ["10001", "10002", "10003"], ["101", "205", "309"]])
def test_what_counts_the_rows_is_no_record_number(values: list[str]) -> None:
    assert guess_fields([("No.", values)])[0].field is Field.IGNORE


# Days


def test_a_day_behind_words_for_a_visit_is_that_of_the_rows_below() -> None:
    assert said_day("Seen on 30-Aug-2026") == ("Seen on", "30-Aug-2026")


@pytest.mark.parametrize("text", ["Next visit 30-Aug-2026", "Printed 30-Aug-2026", "Doe, Ann 30-Aug-2026", "Seen on"])
def test_another_day_is_none_of_a_visit(text: str) -> None:
    assert said_day(text) is None


def _undated(above: str) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Clients of the clinic", 14), Mark(320, 40, above)]
    drawn += line(70, ["Client", "MRN", "Born", "PHQ-9"], _XS)
    for n, name in enumerate(_PEOPLE):
        drawn += line(86 + 16 * n, [name, f"5776{n}", "05/15/1980", str(n + 3)], _XS)
    return drawn


def test_the_day_of_a_visit_above_a_table_is_that_of_its_rows() -> None:
    sent = _sent(_undated("Seen on: 03/02/2026"))
    assert {r.authored_on for r in sent} == {date(2026, 3, 2)}
    assert len(sent) == len(_PEOPLE)


@pytest.mark.parametrize("above", ["Date: 03/02/2026", "Printed: 03/02/2026", "Run date: 03/02/2026"])
def test_a_day_that_may_be_that_of_the_print_dates_no_row(above: str) -> None:
    assert _sent(_undated(above)) == []


@pytest.mark.parametrize(
    ("label", "visit"), [("Seen on", True), ("Date of visit", True), ("Date", False), ("Day", False)]
)
def test_only_words_for_a_visit_date_all_rows_of_a_page(label: str, visit: bool) -> None:
    assert is_visit(label) is visit


# Lines below a row


def _two_lines(*, below: bool, last: bool = True) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Scale log with particulars", 14)]
    drawn += line(70, ["Client", "MRN", "Scale", "Score"], _XS)
    for n, name in enumerate(_PEOPLE):
        y = 88 + 30 * n
        row, day = line(y, [name, f"5776{n}", "PHQ-9", str(n + 3)], _XS), Mark(48, y, f"Seen on 03/0{n + 1}/2026")
        if below:
            drawn += [*row, day._replace(y=y + 12)] if last or n + 1 < len(_PEOPLE) else row
        else:
            drawn += [day, *(mark._replace(y=y + 12) for mark in row)]
    return drawn


@pytest.mark.parametrize("below", [True, False], ids=["below its row", "above its row"])
def test_a_days_line_belongs_to_the_row_it_is_printed_with(below: bool) -> None:
    page = _two_lines(below=below)
    reading = read(pdf(page), _draft(page).template)
    dated = {r.total: r.authored_on for r in reading.assessments}
    assert dated == {n + 3: date(2026, 3, n + 1) for n in range(len(_PEOPLE))}


def test_a_days_line_that_may_belong_to_the_row_above_or_below_dates_neither() -> None:
    assert _sent(_two_lines(below=True, last=False)) == []


def test_labelled_lines_of_a_cell_between_printed_lines_stay_in_their_cell() -> None:
    drawn: list[Drawn] = [Mark(40, 40, "Scores by client", 14), *line(70, ["Client", "Scale", "Given", "Score"], _XS)]
    for n, name in enumerate(_PEOPLE):
        y = 90 + 44 * n
        drawn += [Stroke(36, y - 12, 440, y - 12), *line(y, [name, "PHQ-9", "03/02/2026", str(n + 3)], _XS)]
        drawn += [Mark(40, y + 12, f"Client ID 5776{n}"), Mark(40, y + 24, f"Born 05/1{n}/1980")]
    drawn += [Stroke(36, 78 + 44 * 4, 440, 78 + 44 * 4)]
    sent = _sent(drawn)
    assert [(r.patient.mrn, r.total) for r in sent] == [(f"5776{n}", n + 3) for n in range(4)]


def test_a_line_below_a_row_is_taken_apart_without_a_word_of_the_patient() -> None:
    found = detail_of("born 03/28/1995, F, Moderately Severe")
    assert found is not None
    assert found.values == {
        Field.BIRTH_DATE: "03/28/1995", Field.SEX: "F", Field.SEVERITY: "Moderately Severe",
    }  # fmt: skip
    assert not any(value in found.pattern for value in found.values.values() if len(value) > 1)


@pytest.mark.parametrize(
    "text", ["born 03/28/1995, called Doe", "born 03/28/1995, born 03/29/1995", "F, Moderate", "Total 14", "born late"]
)
def test_a_line_with_anything_else_is_no_detail(text: str) -> None:
    assert detail_of(text) is None


# Marks

_ASKED = (
    "Little interest", "Feeling down", "Trouble sleeping", "Feeling tired", "Poor appetite", "Feeling bad",
    "Trouble concentrating", "Moving slowly", "Better off dead",
)  # fmt: skip
_WHO = ("Client: Doe, Ann", "Born: 05/15/1980", "MRN: 57761", "Filled in: 03/02/2026")


def _sheet(headings: Sequence[str], answers: Sequence[int], total: int) -> list[Drawn]:
    xs = (40, 300, 360, 420, 480)
    drawn = [Mark(40, 30, "PHQ-9, boxes", 14), *_texts(_WHO), *line(130, headings, xs)]
    for n, (asked, answer) in enumerate(zip(_ASKED, answers, strict=True)):
        drawn += [Mark(40, 148 + 16 * n, asked), Mark(xs[answer + 1], 148 + 16 * n, "X")]
    return [*drawn, Mark(40, 310, f"Total score: {total}")]


def test_a_column_for_each_answer_counts_from_the_one_that_stands_for_no_point() -> None:
    rising = _sent(_sheet(("Question", "Never", "Some days", "Most days", "Daily"), [1, 0, 2, 3, 0, 0, 0, 0, 0], 6))
    falling = _sent(_sheet(("Question", "Daily", "Most days", "Some days", "Never"), [2, 3, 1, 0, 3, 3, 3, 3, 3], 6))
    assert [r.item_points for r in (*rising, *falling)] == [(1, 0, 2, 3, 0, 0, 0, 0, 0)] * 2


def test_columns_counted_from_the_wrong_end_contradict_the_total_and_wait() -> None:
    headings = ("Question", "Every day", "Often", "Sometimes", "Rarely")
    assert _sent(_sheet(headings, [2, 3, 1, 0, 3, 3, 3, 3, 3], 6)) == []


def _ringed(rings: bool) -> list[Drawn]:
    drawn = [Mark(40, 30, "PHQ-9, circle one", 14), *_texts(_WHO), *line(130, ["Question", "Circle one"], (40, 380))]
    for n, asked in enumerate(_ASKED):
        y = 148 + 20 * n
        drawn += line(y, [asked, "0", "1", "2", "3"], (40, 380, 410, 440, 470))
        drawn += [Ring(412.8, y - 3.5)] if rings else []
    return [*drawn, Mark(40, 340, "Total score: 9")]


def test_possible_answers_with_rings_around_the_chosen_ones_are_read() -> None:
    assert [(r.total, r.item_points) for r in _sent(_ringed(rings=True))] == [(9, (1,) * 9)]


def test_possible_answers_without_rings_are_no_answers() -> None:
    assert _sent(_ringed(rings=False)) == []


# Sentences

_TOLD = (
    "Ann Doe (record 57761) scored 9 out of 27 on the PHQ-9 on March 2, 2026. "
    "Bob M. Roe (record 57762) scored 4 out of 21 on the GAD-7 on March 3, 2026."
)


def test_every_sentence_of_a_paragraph_is_a_record() -> None:
    page = _texts(["A letter from us to the practice", "", _TOLD[:73].strip(), _TOLD[73:].strip()])
    reading = read(pdf(page), _draft(page).template)
    assert [(r.patient.name, r.total) for r in reading.assessments] == [("Ann Doe", 9), ("Bob M. Roe", 4)]


def test_a_name_never_begins_in_the_sentence_before() -> None:
    page = _texts(["A letter from us to the practice", "", _TOLD[:73].strip(), _TOLD[73:].strip()])
    other = _texts(["A letter from us to the practice", "", "She was seen today. " + _TOLD[:73].strip()])
    (read_there,) = read(pdf(other), _draft(page).template).assessments
    assert read_there.patient.name == "Ann Doe"


def test_one_sentence_makes_no_pattern() -> None:
    document = plumber.read(pdf(_texts([_TOLD[:73].strip()])))
    assert sentence_patterns([document]) == []


# Score lines

_NOTES = (
    "Notes of the evening", "CLIENT Doe, Ann BORN 05/15/1980 NO 57761", "PHQ-9 4 on 03/02/2026, minimal",
    "GAD-7 9 on 03/03/2026, mild", "CLIENT Roe, Bob BORN 06/16/1981 NO 57762", "PHQ-9 21 on 03/04/2026, severe",
)  # fmt: skip


def test_every_line_with_a_score_is_a_record_of_the_client_above_it() -> None:
    sent = _sent(_texts(_NOTES))
    assert [(r.patient.name, r.instrument, r.total) for r in sent] == [
        ("Doe, Ann", "phq-9", 4), ("Doe, Ann", "gad-7", 9), ("Roe, Bob", "phq-9", 21),
    ]  # fmt: skip


def test_a_score_below_a_client_who_was_not_recognised_is_never_given_to_the_one_above() -> None:
    draft = _draft(_texts(_NOTES))
    changed = [text.replace("CLIENT Roe, Bob BORN 06/16/1981", "ROE BOB B. 1981") for text in _NOTES]
    assert not [r for r in _sent(_texts(changed), by=draft) if r.total == 21]


@pytest.mark.parametrize("between", ["Seen by the nurse", "ROE BOB 57762"])
def test_scores_below_anything_else_make_no_such_layout(between: str) -> None:
    document = plumber.read(pdf(_texts([*_NOTES[:5], between, _NOTES[5]])))
    assert find_score_lines([document]) is None


# Two tables


def _tables(second: str) -> list[Drawn]:
    xs = (40, 240, 330, 400)
    drawn: list[Drawn] = [Mark(40, 40, "Two scales, two tables", 14), *line(70, ["Client", "MRN", "PHQ-9", "Seen"], xs)]
    drawn += line(180, ["Member", "File", second, "Day"], xs)
    for n, name in enumerate(_PEOPLE):
        drawn += line(88 + 16 * n, [name, f"5776{n}", str(n + 3), "03/02/2026"], xs)
        drawn += line(198 + 16 * n, [f"{name}a", f"6776{n}", str(n + 9), "03/03/2026"], xs)
    return drawn


def test_a_table_below_another_header_is_a_table_of_its_own() -> None:
    sent = _sent(_tables("GAD-7"))
    assert sorted((r.instrument, r.total) for r in sent) == [
        *(("gad-7", n + 9) for n in range(4)), *(("phq-9", n + 3) for n in range(4)),
    ]  # fmt: skip


@pytest.mark.parametrize("second", ["GAD-7", "Worry"])
def test_rows_below_another_tables_header_are_never_those_of_the_table_above(second: str) -> None:
    first = parse_template(
        """
id: first
revision: 1
title: The first table
anchors: [Two scales]
furniture: [{text: "Two scales, two tables"}]
dates: ["%m/%d/%Y"]
table:
  columns:
    - {header: Client, field: name}
    - {header: MRN, field: mrn}
    - {header: PHQ-9, field: total, instrument: phq-9}
    - {header: Seen, field: authored_on}
""",
        source="first",
    )
    sent = sendable(read(pdf(_tables(second)), first))
    assert not [r for r in sent if r.patient.mrn and r.patient.mrn.startswith("6")]


def test_a_second_table_that_names_no_questionnaire_is_left_to_a_person() -> None:
    page = _tables("Worry")
    assert not [r for r in _sent(page) if r.patient.mrn and r.patient.mrn.startswith("6")]
