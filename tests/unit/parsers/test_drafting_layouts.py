"""Drafting of whole layouts: what a sample explains is used, and what only looks like it is left to a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from parsers.drafting.draft import Draft, Sample, draft_template
from parsers.drafting.fields import Certainty, guess_fields
from parsers.drafting.group_lines import sort_lines
from parsers.drafting.lines import may_be_a_record
from parsers.drafting.words import is_legend, named_by_legend
from parsers.lines import lines_of
from parsers.readers import plumber
from parsers.template import Kind
from parsers.template_parts import Field, Place
from records.errors import TemplateError
from tests.unit.parsers.printing import SITE, Drawn, Mark, line, pdf, read, sendable

_TODAY = date(2026, 3, 10)


def _draft(*pages: Sequence[Drawn]) -> Draft:
    sample = Sample(name="day1.pdf", content=pdf(*pages), kind=Kind.PDF)
    return draft_template([sample], site=SITE, today=_TODAY, name="drafted")


# Legends


def test_a_legend_names_the_instrument_of_an_abbreviation() -> None:
    text = "PHQ9 = PHQ-9 total   AUDC = AUDIT-C   MDRS = MADRS   REF = refused"
    assert named_by_legend([text]) == {"audc": "audit-c", "mdrs": "madrs"}


def test_a_legend_that_contradicts_another_names_nothing() -> None:
    assert named_by_legend(["AUDC = AUDIT-C, MDRS = MADRS", "AUDC = GAD-7, X = Y"]) == {"mdrs": "madrs"}


def test_a_legend_never_renames_what_the_library_knows() -> None:
    assert named_by_legend(["GAD7 = PHQ-9, AUDC = AUDIT-C"]) == {"audc": "audit-c"}


def test_an_abbreviation_that_nothing_explains_stays_unknown_and_waits() -> None:
    found = [("PHQ9", ["4", "9"]), ("XQZT", ["7", "2"])]
    unknown = guess_fields(found, legend={"audc": "audit-c"})[1]
    assert (unknown.field, unknown.instrument, unknown.certainty) == (Field.TOTAL, "xqzt", Certainty.GUESS)


def test_one_equation_is_no_legend() -> None:
    assert not is_legend("Doe = Ann")


# Furniture


def _line_of(text: str) -> bool:
    (found,) = lines_of(plumber.read(pdf([Mark(40, 60, text)])).pages[0].words)
    return may_be_a_record(found)


def test_a_line_that_explains_the_points_of_all_answers_is_no_record() -> None:
    assert not _line_of("Pts: 0 not at all, 1 several days, 2 more than half the days, 3 nearly every day")


@pytest.mark.parametrize(
    "text",
    [
        "Trouble falling asleep 0 1 2 3",
        "Feeling tired 0 not at all, 1 several days, 2 never, 3 more words that are a question here",
    ],
)
def test_a_question_with_its_answers_may_be_a_record(text: str) -> None:
    assert _line_of(text)


def test_counts_below_the_rows_of_a_questionnaire_are_skipped_whichever_it_is() -> None:
    groups, skipped = sort_lines(["GAD-7: 13 scored, 1 not scored"], lacking=frozenset({Field.INSTRUMENT}))
    assert groups == []
    assert skipped == [(r"[^:\d]{2,}[^:]*: \d+ scored, \d+ not scored", True)]


@pytest.mark.parametrize("text", ["GAD-7: 13 moderate", "MADRS: 13", "PHQ-9: declined"])
def test_a_line_that_may_be_a_questionnaires_score_is_never_skipped(text: str) -> None:
    assert sort_lines([text], lacking=frozenset()) == ([], [])


def test_a_mark_behind_dates_is_allowed_where_the_sample_prints_it_and_pointed_out() -> None:
    (dated,) = guess_fields([("Rated", ["03/02/2026", "03/02/2026 *"])])
    assert dated.pattern == r"(?P<authored_on>.+?)(?: ?[*])?"
    assert "CHECK" in dated.why
    assert guess_fields([("Rated", ["03/02/2026", "03/03/2026"])])[0].pattern is None


# Cards


def _cards(staff: Sequence[str], people: Sequence[str]) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Score cards for the week", 14)]
    for number, (who, name) in enumerate(zip(staff, people, strict=True)):
        x, y = 40 + 190 * (number % 3), 90 + 130 * (number // 3)
        drawn += [Mark(x, y, who)] if who else []
        fields = (
            f"Client: {name}", f"Chart: 5776{number}", f"Born: 0{number + 1}/05/1980", "Scale: GAD-7",
            "Given: 03/02/2026", f"Score: {number + 3}",
        )  # fmt: skip
        drawn += [Mark(x, y + 16 + 12 * n, text) for n, text in enumerate(fields)]
    return drawn


_PEOPLE = ("Doe, Ann", "Roe, Bob", "Poe, Cat", "Lee, Dan", "Kim, Eve", "Ray, Fay")
_STAFF = ("G. Yuen", "A. Holt", "G. Yuen", "A. Holt", "G. Yuen", "G. Yuen")


def test_a_clinicians_name_above_every_card_is_known_and_not_read() -> None:
    draft = _draft(_cards(_STAFF, _PEOPLE))
    above = [f for f in draft.template.blocks[0].fields if f.place is Place.ABOVE]
    assert [(f.label, f.field) for f in above] == [("Client", Field.IGNORE)]
    other = read(pdf(_cards(("P. Moss", *_STAFF[1:]), _PEOPLE)), draft.template)
    assert len(sendable(other)) == len(_PEOPLE)


def test_what_differs_from_card_to_card_is_not_left_out() -> None:
    above = ("Jane Rowe", "Paul Reed", "Mary Poole", "Dora Lane", "Evan Kidd", "Fred Rand")
    draft = _draft(_cards(above, _PEOPLE))
    assert not any(f.place is Place.ABOVE for f in draft.template.blocks[0].fields)


# Forms

_WORDING = (
    "Nerves on edge", "Worry that does not stop", "Worry about many matters", "No rest even in quiet hours",
    "Pacing and fidgeting", "Quick to be cross", "Sense that harm is near",
)  # fmt: skip
_WORDS = ("Not at all", "Several days", "Nearly every day", "Not at all", "Several days", "Not at all", "Several days")


def _sheet(name: str, number: str, answers: Sequence[str], total: str, note: str) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "GAD-7 questionnaire", 14)]
    drawn += [Mark(40, 70, f"Student: {name}"), Mark(320, 70, f"Student no. {number}")]
    drawn += [Mark(40, 86, "Answered on 03/02/2026"), Mark(320, 86, note)]
    for n, (question, answer) in enumerate(zip(_WORDING, answers, strict=True)):
        drawn += [Mark(40, 130 + 20 * n, str(n + 1)), Mark(60, 130 + 20 * n, question), Mark(360, 130 + 20 * n, answer)]
    return [*drawn, Mark(320, 300, f"Total score: {total}")]


def _sheets(note: str = "Submitted 03/02/2026 11:42 by web form") -> tuple[list[Drawn], list[Drawn], list[Drawn]]:
    return (
        _sheet("Ann Doe", "90001", _WORDS, "6", note),
        _sheet("Bob Roe", "90002", _WORDS, "6", note),
        _sheet("Cat Poe", "90003", ["(no answer)"] * 7, "not given", note),
    )


def test_what_every_sheet_prints_in_the_same_words_is_furniture() -> None:
    draft = _draft(*_sheets())
    assert draft.unclaimed == 0


def test_a_score_without_a_label_is_no_furniture_even_if_every_sheet_prints_one() -> None:
    assert _draft(*_sheets("Score 6 today")).unclaimed > 0


def test_a_sheet_whose_questions_all_say_that_they_were_left_out_has_no_score() -> None:
    pages = _sheets()
    reading = read(pdf(*pages), _draft(*pages).template)
    assert (reading.no_score, len(sendable(reading))) == (1, 2)


def test_a_sheet_with_one_answer_is_never_counted_as_having_no_score() -> None:
    one = _sheet("Cat Poe", "90003", ["(no answer)"] * 6 + ["Several days"], "not given", "Submitted 03/02/2026 by web")
    reading = read(pdf(one), _draft(*_sheets("Submitted 03/02/2026 by web")).template)
    assert (reading.no_score, len(reading.assessments), sendable(reading)) == (0, 1, [])


# Trends


def _trend(*people: Sequence[str], newest: str = "Newest score first.") -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Outcome trends by client", 14), Mark(40, 60, newest)]
    y = 90.0
    for who, born, number, *courses in people:
        drawn += line(y, (who, born, number), (40, 220, 360))
        for course in courses:
            y += 12
            drawn += [Mark(x, y, text) for x, text in zip((60, 140, 240, 340), course.split("|"), strict=False)]
        y += 30
    return drawn


_DOE = ("DOE, ANN", "DOB 04/05/1980", "Acct 3982-82", "GAD-7|12 (03/02/26)|15 (02/02/26)", "PHQ-9|9 (03/02/26)")
_ROE = ("ROE, BOB", "DOB 06/07/1975", "Acct 3982-83", "PHQ-9|declined (03/03/26)|4 (01/03/26)", "GAD-7|3 (03/03/26)")
_POE = ("POE, CAT", "DOB 08/09/1990", "Acct 3982-84", "GAD-7|7 (03/04/26)", "PHQ-9|declined (03/04/26)")


def test_of_a_course_that_is_printed_newest_first_the_first_score_is_read() -> None:
    draft = _draft(_trend(_DOE, _ROE, _POE))
    reading = read(pdf(_trend(_DOE, _ROE, _POE)), draft.template)
    got = [(r.patient.mrn, r.instrument, r.total, str(r.authored_on)) for r in sendable(reading)]
    assert got == [
        ("3982-82", "gad-7", 12, "2026-03-02"), ("3982-82", "phq-9", 9, "2026-03-02"),
        ("3982-83", "gad-7", 3, "2026-03-03"), ("3982-84", "gad-7", 7, "2026-03-04"),
    ]  # fmt: skip
    assert reading.no_score == 2


def test_where_nothing_says_which_score_is_the_newest_no_trend_is_drafted() -> None:
    with pytest.raises(TemplateError):
        _draft(_trend(_DOE, _ROE, _POE, newest="All scores of the quarter."))


def test_scores_below_a_person_who_was_not_recognised_are_never_given_to_the_one_above() -> None:
    draft = _draft(_trend(_DOE, _ROE, _POE))
    lost = ("ROE, BOB", "born in 1975", "no account", *_ROE[3:])
    assert sendable(read(pdf(_trend(_DOE, lost, _POE)), draft.template)) == []
