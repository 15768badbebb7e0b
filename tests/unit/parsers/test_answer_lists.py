"""All answers of a questionnaire in one cell, in the order of its questions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.template_file import parse_template
from records.assessment import ReportReading, SymptomAssessment
from tests.unit.parsers.printing import Mark, blocked, blocking, line, pdf, read, sendable

TEMPLATE = parse_template(
    """
id: listing
revision: 1
anchors: [Score sheet]
furniture: [{text: Score sheet}]
dates: ['%m/%d/%Y']
names: family-first
no_score: ['', abandoned]
table:
  columns:
    - {header: Client, field: name}
    - {header: Number, field: mrn}
    - {header: Form, field: instrument}
    - {header: Answers, field: answers}
    - {header: Sum, field: total}
    - {header: Seen, field: authored_on}
""",
    source="listing.yaml",
)
_HEADER = ("Client", "Number", "Form", "Answers", "Sum", "Seen")
_XS = (40.0, 110.0, 160.0, 210.0, 490.0, 540.0)


def _read(answers: str, total: str, *, form: str = "PHQ-9") -> ReportReading:
    row = ("Doe, Ann", "100200", form, answers, total, "03/02/2026")
    return read(pdf([Mark(40, 40, "Score sheet", 14), *line(92, _HEADER, _XS), *line(110, row, _XS)]), TEMPLATE)


def _points(record: SymptomAssessment) -> list[int | None]:
    return [item.points for item in record.items or ()]


@pytest.mark.parametrize(
    "answers",
    [
        "0-1-2-1-1-0-0-1-0", "0,1,2,1,1,0,0,1,0", "0; 1; 2; 1; 1; 0; 0; 1; 0", "0 1 2 1 1 0 0 1 0", "012110010",
        "0/1/2/1/1/0/0/1/0", "Q1=0 Q2=1 Q3=2 Q4=1 Q5=1 Q6=0 Q7=0 Q8=1 Q9=0",
        "1:0, 2:1, 3:2, 4:1, 5:1, 6:0, 7:0, 8:1, 9:0",
    ],
)  # fmt: skip
def test_answers_in_one_cell_are_read_in_the_order_of_the_questions(answers: str) -> None:
    (record,) = sendable(_read(answers, "6"))

    assert _points(record) == [0, 1, 2, 1, 1, 0, 0, 1, 0]
    assert [item.link_id for item in record.items or ()] == [str(n) for n in range(1, 10)]
    assert record.critical is False


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 3), min_size=7, max_size=7))
def test_any_answers_come_back_as_they_were_printed(points: list[int]) -> None:
    (record,) = sendable(_read("-".join(map(str, points)), str(sum(points)), form="GAD-7"))

    assert _points(record) == points


def test_an_answer_about_self_harm_among_them_raises_an_alert() -> None:
    (record,) = _read("0-1-2-1-1-0-0-1-2", "8").assessments

    assert record.critical is True


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ("0-1-2-1-1-0-0-1", "item-count"),
        ("0-1-2-1-1-0-0-1-0-0", "item-count"),
        ("0-1-2-1-1-0-0-1-x", "item-9-unreadable"),
        ("0-1-2-1-1-0-0--1", "item-8-blank"),
        ("0-1-2-1-1-0-0-0-0", "sum-differs"),
        ("Q1=0 Q3=1 Q2=2 Q4=1 Q5=1 Q6=0 Q7=0 Q8=1 Q9=0", "item-count"),
        ("0-1-2-1-1-0-0-1-4", "item-9-out-of-range"),
    ],
)
def test_answers_that_are_not_those_of_the_form_wait_for_a_person(answers: str, code: str) -> None:
    reading = _read(answers, "6")

    assert code in blocking(reading, reading.assessments[0])


@pytest.mark.parametrize("answers", ["0-1-2-1-1-0-0-1", "0-1-2-1-1-0-0-1-x", "Q1=0 Q3=1 Q2=2"])
def test_where_the_answer_about_self_harm_may_be_lost_a_person_is_alerted(answers: str) -> None:
    reading = _read(answers, "6")

    assert "critical-unreadable" in blocking(reading, reading.assessments[0])


def test_a_form_that_was_abandoned_has_no_score_and_one_with_answers_is_never_dropped() -> None:
    assert _read("abandoned", "").assessments == ()
    assert not blocked(_read("abandoned", ""))

    answered = _read("0-1-2-1-1-0-0-1-0", "")
    assert "total-missing" in blocking(answered, answered.assessments[0])


def test_a_total_without_answers_is_a_total() -> None:
    (record,) = sendable(_read("", "6"))

    assert record.items is None
