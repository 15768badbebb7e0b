"""Records in running text."""

from __future__ import annotations

import pytest

from parsers.template_file import parse_template
from records.assessment import ReportReading
from tests.unit.parsers.printing import Mark, blocked, pdf, read, sendable

LETTER = parse_template(
    r"""
id: letter
revision: 1
anchors: [Weekly letter]
furniture: [{text: Weekly letter}]
dates: ['%m/%d/%Y']
names: given-first
no_score: [declined]
sentences:
  pattern: >-
    (?P<name>[A-Z][a-z]+ [A-Z][a-z]+) \(MRN (?P<mrn>\w+), born (?P<birth_date>\S+)\) completed the
    (?P<instrument>[A-Z0-9-]+) on (?P<authored_on>\S+) with a score of (?P<total>\S+)\.
""",
    source="letter.yaml",
)
ANN = "Ann Doe (MRN A100, born 04/05/1980) completed the PHQ-9 on 03/02/2026 with a score of 14."
BOB = "Bob Roe (MRN A101, born 06/07/1975) completed the GAD-7 on 03/02/2026 with a score of 7."


def _letter(*lines: str, step: float = 13) -> ReportReading:
    title = Mark(40, 40, "Weekly letter", 14)
    return read(pdf([title, *(Mark(40, 80 + step * n, text) for n, text in enumerate(lines))]), LETTER)


def _said(reading: ReportReading) -> list[tuple[str, str | None, int | None]]:
    return [(r.patient.name, r.patient.mrn, r.total) for r in sendable(reading)]


def test_each_sentence_is_a_record() -> None:
    assert _said(_letter(ANN, BOB)) == [("Ann Doe", "A100", 14), ("Bob Roe", "A101", 7)]


@pytest.mark.parametrize("after", ["Doe", "A100,", "the", "score"])
def test_a_sentence_may_be_wrapped_anywhere(after: str) -> None:
    head, tail = ANN.split(f" {after} ", 1)
    assert _said(_letter(f"{head} {after}", tail, BOB)) == [("Ann Doe", "A100", 14), ("Bob Roe", "A101", 7)]


@pytest.mark.parametrize(
    "changed",
    [
        ANN.replace("completed", "refused"), ANN.replace("with a", "without a"), ANN.replace("14.", "14 of 27."),
        ANN.replace("completed the", "has not completed the"), ANN.replace(", born 04/05/1980", ""),
        ANN.removesuffix("."),
    ],
)  # fmt: skip
def test_a_sentence_that_differs_by_a_word_is_a_finding(changed: str) -> None:
    reading = _letter(changed, BOB)
    assert ("unclaimed-word" in blocked(reading), _said(reading)) == (True, [])


def test_words_before_a_sentence_are_a_finding() -> None:
    assert "unclaimed-word" in blocked(_letter(f"Not true: {ANN}", BOB))


def test_a_sentence_never_goes_on_in_the_next_paragraph() -> None:
    head, tail = ANN.split(" with ")
    assert _said(_letter(head, "with " + tail, step=40)) == []


def test_a_sentence_torn_by_another_is_not_put_together() -> None:
    head, tail = ANN.split(" completed ")
    assert "A100" not in [mrn for _, mrn, _ in _said(_letter(head, BOB, f"completed {tail}"))]


def test_a_sentence_that_says_there_is_no_score_is_counted() -> None:
    reading = _letter(ANN.replace("of 14.", "of declined."), BOB)
    assert (reading.no_score, _said(reading)) == (1, [("Bob Roe", "A101", 7)])


_CARDS = parse_template(
    r"""
id: cards
revision: 1
anchors: [Score cards]
furniture: [{text: Score cards}]
dates: ['%m/%d/%Y']
names: family-first
sentences:
  pattern: '(?P<instrument>\S+) \.{3,} (?P<total>\d+)'
  groups:
    - {pattern: 'Name (?P<name>.+) No\. (?P<mrn>\d+)'}
    - {pattern: 'Born (?P<birth_date>\S+)'}
    - {pattern: 'Completed (?P<authored_on>\S+)'}
""",
    source="cards.yaml",
)


def test_headings_that_follow_each_other_are_of_one_person_and_the_next_ones_of_another() -> None:
    printed = (
        "Name Doe, Ann No. 100200", "Born 01/02/1980", "Completed 03/02/2026", "PHQ-9 ..... 14", "GAD-7 ..... 7",
        "Name Roe, Bob No. 100300", "Completed 03/03/2026", "PHQ-9 ..... 3",
    )  # fmt: skip
    drawn = [Mark(40, 40, "Score cards"), *(Mark(40, 80 + 24 * at, text) for at, text in enumerate(printed))]
    told = [
        (r.patient.name, r.patient.mrn, str(r.patient.birth_date), r.total)
        for r in read(pdf(drawn), _CARDS).assessments
    ]

    assert told == [
        ("Doe, Ann", "100200", "1980-01-02", 14),
        ("Doe, Ann", "100200", "1980-01-02", 7),
        ("Roe, Bob", "100300", "None", 3),
    ]


def test_the_day_printed_below_one_persons_name_is_not_the_next_persons() -> None:
    printed = (
        "Name Doe, Ann No. 100200", "Completed 03/02/2026", "PHQ-9 ..... 14",
        "Name Roe, Bob No. 100300", "PHQ-9 ..... 3",
    )  # fmt: skip
    drawn = [Mark(40, 40, "Score cards"), *(Mark(40, 80 + 24 * at, text) for at, text in enumerate(printed))]
    records = read(pdf(drawn), _CARDS).assessments

    assert [(r.patient.name, str(r.authored_on)) for r in records] == [("Doe, Ann", "2026-03-02"), ("Roe, Bob", "None")]
