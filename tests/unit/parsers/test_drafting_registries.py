"""Drafting of registries, rosters and logs: earlier scores, legends of cells, lines about a person above the scores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from parsers.alignment import rows_out_of_line
from parsers.dates import UnreadableDateError, read_date
from parsers.drafting.draft import Draft, Sample, draft_template
from parsers.drafting.fields import guess_fields
from parsers.drafting.group_lines import is_count, sort_lines
from parsers.drafting.legends import cell_legend, named_beside
from parsers.drafting.logs import find_log
from parsers.drafting.words import date_formats, heading_means
from parsers.readers import plumber
from parsers.rows import Row
from parsers.template import Kind
from parsers.template_parts import Field
from records.assessment import ReportReading
from records.document import Word
from records.errors import TemplateError
from records.geometry import Region, around
from tests.unit.parsers.printing import SITE, Drawn, Mark, Stroke, blocked, line, pdf, read, sendable

_TODAY = date(2026, 3, 10)
_Row = Sequence[str]


def _draft(*pages: Sequence[Drawn]) -> Draft:
    sample = Sample(name="day1.pdf", content=pdf(*pages), kind=Kind.PDF)
    return draft_template([sample], site=SITE, today=_TODAY, name="drafted")


def _totals(reading: ReportReading) -> list[tuple[str | None, str | None, int | None]]:
    return [(r.patient.name, r.instrument, r.total) for r in sendable(reading)]


# Dates


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("06/14/2003 (23y)", "%m/%d/%Y"),
        ("06/14/2003 (age 23)", "%m/%d/%Y"),
        ("06/14/2003, 23 yrs", "%m/%d/%Y"),
        ("14JUN2003", "%d%b%Y"),
        ("JUN 14,2003@10:52", "%b %d,%Y@%H:%M"),
        ("Sat 6/14/03 1:00p", "%a %m/%d/%y %I:%M%p"),
        ("06/14/2003 1:00 p.m.", "%m/%d/%Y %I:%M %p"),
    ],
)
def test_dates_are_read_with_age_weekday_and_half_day(text: str, form: str) -> None:
    found = read_date(text, [form])
    assert found is not None
    assert found.day == date(2003, 6, 14)
    assert form in date_formats([text])


@pytest.mark.parametrize(
    "text", ["Wed 6/14/03 1:00p", "06/14/2003 23", "06/14/2003 (06/15/2003)", "06/14/2003 (2 of 3)"]
)
def test_what_contradicts_a_date_or_is_no_age_is_not_read_over(text: str) -> None:
    with pytest.raises(UnreadableDateError):
        read_date(text, ["%a %m/%d/%y %I:%M%p", "%m/%d/%Y"])


def test_a_weekday_tells_day_and_month_apart() -> None:
    assert date_formats(["Wed 2/4/26 1:00p"])[0] == "%a %m/%d/%y %I:%M%p"
    assert date_formats(["Thu 2/4/26 13:00"])[0] == "%a %d/%m/%y %H:%M"


# Headings


def test_what_a_heading_says_in_brackets_leaves_its_meaning_only_if_it_is_no_other_field() -> None:
    assert heading_means("Birth Date (Age)") is Field.BIRTH_DATE
    assert heading_means("DOB (mm/dd/yyyy)") is Field.BIRTH_DATE
    assert heading_means("Date (Birth)") is not Field.AUTHORED_ON
    assert heading_means("Score (Prior)") is Field.IGNORE


_SPAN = ["PHQ-9"] * 3


def _spanned(*found: tuple[str, Sequence[str]]) -> list[tuple[Field, str | None]]:
    return [(g.field, g.instrument) for g in guess_fields(found, under=["PHQ-9"] * len(found))]


@pytest.mark.parametrize(("first", "newest"), [("Base", "Last"), ("Initial", "Current"), ("Intake", "Most Recent")])
def test_the_newest_of_a_questionnaires_scores_is_the_score(first: str, newest: str) -> None:
    found = _spanned((first, ["17", "9"]), (newest, ["12", "4"]), ("Date", ["03/01/2026", "03/02/2026"]))
    assert found == [(Field.IGNORE, None), (Field.TOTAL, "phq-9"), (Field.AUTHORED_ON, "phq-9")]


def test_the_last_score_beside_a_score_is_the_one_before() -> None:
    found = _spanned(("Score", ["17", "9"]), ("Last", ["12", "4"]), ("Change", ["5", "5"]))
    assert found == [(Field.TOTAL, "phq-9"), (Field.IGNORE, None), (Field.IGNORE, None)]


def test_two_headings_that_both_may_be_the_newest_are_none() -> None:
    found = _spanned(("Base", ["17", "9"]), ("Last", ["12", "4"]), ("Last", ["5", "5"]))
    assert [field for field, _ in found].count(Field.TOTAL) == 0


def test_times_may_stand_behind_the_questionnaires_name() -> None:
    found = [("PHQ-9 Baseline", ["17"]), ("PHQ-9 Current", ["9"]), ("GAD-7 Baseline", ["8"]), ("GAD-7 Current", ["3"])]
    used = [(g.heading, g.instrument) for g in guess_fields(found) if g.field is Field.TOTAL]
    assert used == [("PHQ-9 Current", "phq-9"), ("GAD-7 Current", "gad-7")]


def test_the_day_somebody_enrolled_is_no_day_of_a_questionnaire() -> None:
    assert guess_fields([("Enrolled", ["03/01/2026", "03/02/2026"])])[0].field is Field.IGNORE


def test_a_questionnaires_column_in_an_unknown_shape_is_never_left_out() -> None:
    guess = guess_fields([("PHQ-9", ["17 [8]", "12 [4]", "9 {1}"])])[0]
    assert (guess.field, guess.instrument) == (Field.TOTAL, "phq-9")
    assert "CHECK" in guess.why


# Counts


@pytest.mark.parametrize("text", ["4 students - mean score 20.3 - 7.0", "27 patients, mean of last scores 13.4 9.3"])
def test_a_count_of_rows_is_skipped_with_other_numbers_too(text: str) -> None:
    _, skipped = sort_lines([text], lacking=frozenset())
    assert is_count(text)
    assert [is_pattern for _, is_pattern in skipped] == [True]


@pytest.mark.parametrize("text", ["4 students Doe, Ann 03/02/2026 14", "3 visits PHQ-9 14", "12 Main Street"])
def test_a_line_with_more_than_a_count_is_none(text: str) -> None:
    assert not is_count(text)


# Legends of cells


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("D = student declined. Blank = not assigned.", ("D", "")),
        ("R = refused, U = unable to complete", ("R", "U")),
        ("D - declined", ("D",)),
        ("D = depression, A = anxiety", ()),
        ("M = moderate, S = severe", ()),
        ("Min = none to few symptoms", ()),
        ("X = not declined", ()),
        ("Score - declined since May", ()),
    ],
)
def test_a_legend_says_which_signs_mean_no_score(text: str, signs: tuple[str, ...]) -> None:
    assert cell_legend([text]).no_score == signs


@pytest.mark.parametrize(
    ("text", "brackets"),
    [
        ("Most recent score, [previous score].", ("[", "]")),
        ("Prior scores in parentheses.", ("(", ")")),
        ("Values in brackets are from the previous visit", ("[", "]")),
        ("Score [maximum]", None),
        ("Scores of the last visit. Maximum in brackets.", None),
    ],
)
def test_a_legend_says_that_an_earlier_score_stands_in_brackets(text: str, brackets: tuple[str, str] | None) -> None:
    assert cell_legend([text]).earlier == brackets


_XS = (40, 130, 230, 300, 380, 460)
_HEADER = ("Appt", "Student", "Student ID", "Birthdate", "PHQ-9", "GAD-7")
_ROSTER = (
    ("Mon 3/2/26 1:00p", "Doe, Ann", "89354457", "11/23/1998", "17 [8]", "7"),
    ("Mon 3/2/26 2:30p", "Roe, Bob", "86224585", "4/27/1999", "23", "D"),
    ("Tue 3/3/26 9:00a", "Poe, Cat", "81443848", "11/5/1996", "21 [20]", "3 [11]"),
)
_LEGEND = "Most recent score, [previous score]. D = declined."


def _roster(rows: Sequence[_Row], *, legend: str = _LEGEND) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Intake screening roster", 14), Mark(40, 58, legend)]
    drawn += line(84, _HEADER, _XS)
    for n, row in enumerate(rows):
        drawn += line(104 + 18 * n, row, _XS)
    return [*drawn, Mark(40, 110 + 18 * len(rows), f"{len(rows)} students - mean score 20.3")]


def test_the_score_before_an_explained_bracket_is_read() -> None:
    draft = _draft(_roster(_ROSTER))
    other = (*_ROSTER[1:], ("Tue 3/3/26 10:30a", "Lee, Dan", "81443811", "1/5/1997", "9", "12 [4]"))
    assert _totals(read(pdf(_roster(other)), draft.template)) == [
        ("Roe, Bob", "phq-9", 23),
        ("Poe, Cat", "phq-9", 21), ("Poe, Cat", "gad-7", 3),
        ("Lee, Dan", "phq-9", 9), ("Lee, Dan", "gad-7", 12),
    ]  # fmt: skip


def test_what_an_unexplained_bracket_means_is_asked() -> None:
    draft = _draft(_roster(_ROSTER, legend="Spring term"))
    reading = read(pdf(_roster(_ROSTER, legend="Spring term")), draft.template)
    assert {(r.patient.name, r.total) for r in sendable(reading)} <= {("Roe, Bob", 23), ("Doe, Ann", 7)}
    assert blocked(reading)


def _centred(*cells: str, x: float = 400, slipped: float = 0.0) -> list[Row]:
    """Rows of one cell each, centred, the first one moved."""
    rows: list[Row] = []
    for n, text in enumerate(cells):
        at = x - 2.5 * len(text) + (slipped if n == 0 else 0)
        words: list[Word] = []
        for part in text.split():
            words.append(Word(part, Region(1, at, 100 + 20 * n, at + 5 * len(part), 110 + 20 * n)))
            at += 5 * len(part) + 5
        rows.append(
            Row(cells={0: tuple(words)}, region=around([w.region for w in words]), ambiguous=False, crossed=False)
        )
    return rows


def test_cells_that_are_centred_as_a_whole_are_in_line() -> None:
    rows = _centred("7", "17 [8]", "9 [11]", "21 [20]", "4", "12 [3]")
    assert rows_out_of_line(rows, [0]) == frozenset()


@pytest.mark.parametrize("slipped", [-12.0, 12.0])
def test_a_score_that_slipped_out_of_a_centred_column_is_out_of_line(slipped: float) -> None:
    rows = _centred("7", "17 [8]", "9 [11]", "21 [20]", "4", "12 [3]", slipped=slipped)
    assert 0 in rows_out_of_line(rows, [0])


# Names beside names


def test_an_abbreviation_is_what_another_column_says_in_every_row() -> None:
    found = [("Instrument", ["PHQ9", "AUDC", "AUDC"]), ("Part", ["Total", "AUDIT-C", "AUDIT-C"])]
    assert named_beside(guess_fields(found)) == {"audc": "audit-c"}


@pytest.mark.parametrize("parts", [("Total", "AUDIT-C", "Total"), ("GAD-7", "AUDIT-C", "AUDIT-C"), ("", "", "")])
def test_a_column_that_contradicts_itself_or_the_instrument_explains_nothing(parts: Sequence[str]) -> None:
    found = [("Instrument", ["PHQ9", "AUDC", "AUDC"]), ("Part", parts)]
    assert named_beside(guess_fields(found)) == {}


# A patient's line above rows with columns of their own

_PERSON_XS = (40, 240, 320, 430)
_ROW_XS = (60, 130, 260, 380, 430)


def _results(*people: tuple[_Row, Sequence[_Row]]) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "RESULTS BY PATIENT", 14)]
    drawn += line(80, ("PATIENT NAME", "PID", "DATE OF BIRTH", "ORDERED BY"), _PERSON_XS)
    drawn += line(92, ("INSTRUMENT", "ADMINISTERED", "SCALE", "RAW", "INTERPRETATION"), _ROW_XS)
    y = 116.0
    for person, rows in people:
        drawn += line(y, person, _PERSON_XS)
        for n, row in enumerate(rows, start=1):
            drawn += line(y + 12 * n, row, _ROW_XS)
        y += 12 * len(rows) + 24
    return drawn


_ANN = (
    ("DOE,ANN", "D6421", "APR 18,1968", "PRUITT,D"),
    [
        ("PHQ9", "MAR 2,2026@10:52", "Depression", "9", "MILD"),
        ("AUDC", "MAR 2,2026@10:55", "AUDIT-C", "3", ""),
        ("GAD-7", "MAR 2,2026@10:58", "Anxiety", "", "** DECLINED **"),
    ],
)
_BOB = (
    ("ROE,BOB", "R0003", "MAR 24,1972", "PRUITT,D"),
    [
        ("PHQ9", "MAR 3,2026@08:58", "Depression", "18", "MODERATELY SEVERE"),
        ("AUDC", "MAR 3,2026@09:02", "AUDIT-C", "6", ""),
    ],
)


def test_rows_below_a_patients_line_are_that_patients() -> None:
    draft = _draft(_results(_ANN, _BOB))
    reading = read(pdf(_results(_BOB, _ANN)), draft.template)
    assert _totals(reading) == [
        ("ROE,BOB", "phq-9", 18), ("ROE,BOB", "audit-c", 6), ("DOE,ANN", "phq-9", 9), ("DOE,ANN", "audit-c", 3),
    ]  # fmt: skip
    assert reading.no_score == 1


def test_the_date_of_a_print_beside_its_page_number_is_no_visit() -> None:
    def top(day: str) -> list[Drawn]:
        return [*line(60, ("NIGHTLY RUN", day, "PAGE: 1"), (40, 200, 400)), *_results(_ANN, _BOB)]

    draft = _draft(top("MAR 4,2026@02:15"))
    assert len(sendable(read(pdf(top("MAR 5,2026@02:18")), draft.template))) == 4


def test_somebody_called_page_above_the_rows_is_no_page_number() -> None:
    drawn = [*line(60, ("NIGHTLY RUN", "MAR 4,2026@02:15", "Page, Ann"), (40, 200, 400)), *_results(_ANN, _BOB)]
    draft = _draft(drawn)
    assert "unclaimed-word" in blocked(read(pdf(drawn), draft.template))


def test_a_blank_score_beside_no_word_for_it_waits() -> None:
    draft = _draft(_results(_ANN, _BOB))
    blank = (_BOB[0], [("PHQ9", "MAR 3,2026@08:58", "Depression", "", "SEVERE"), _BOB[1][1]])
    reading = read(pdf(_results(_ANN, blank)), draft.template)
    assert reading.no_score == 1
    assert "total-missing" in blocked(reading)


# Instruments over repeated columns

_CASE_XS = (40, 130, 200, 270, 310, 350, 440, 480, 520)


def _caseload(*rows: _Row, ruled: bool = False, names: _Row = ("PHQ-9", "GAD-7")) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Caseload registry", 14)]
    drawn += [Mark(325, 70, names[0]), Mark(495, 70, names[1])]
    drawn += line(82, ("Patient", "DOB", "MRN", "Base", "Last", "Date", "Base", "Last", "Date"), _CASE_XS)
    for n, row in enumerate(rows):
        drawn += line(102 + 18 * n, row, _CASE_XS)
    if ruled:
        edges, bottom = [36, *(x - 4 for x in _CASE_XS[1:]), 590], 70 + 20 + 18 * len(rows)
        drawn += [Stroke(36, y, 590, y) for y in (58, *(88 + 18 * n for n in range(len(rows) + 1)))]
        drawn += [Stroke(x, 58 if x in (36, 266, 436, 590) else 72, x, bottom) for x in edges]
        drawn += [Stroke(36, 72, 590, 72)]
    return drawn


_CASES = (
    ("Doe, Ann", "01/05/1980", "10001", "17", "15", "3/2/26", "5", "2", "3/2/26"),
    ("Roe, Bob", "02/06/1971", "10002", "1", "2", "3/3/26", "15", "10", "3/4/26"),
    ("Poe, Cat", "03/07/1962", "10003", "27", "26", "3/4/26", "7", "6", "3/4/26"),
)


@pytest.mark.parametrize("ruled", [True, False])
def test_the_last_score_under_each_questionnaire_is_read_with_its_own_date(ruled: bool) -> None:
    draft = _draft(_caseload(*_CASES, ruled=ruled))
    reading = read(pdf(_caseload(*_CASES[::-1], ruled=ruled)), draft.template)
    assert [(r.patient.name, r.instrument, r.total, r.authored_on) for r in sendable(reading)][2:4] == [
        ("Roe, Bob", "phq-9", 2, date(2026, 3, 3)), ("Roe, Bob", "gad-7", 10, date(2026, 3, 4)),
    ]  # fmt: skip
    assert len(sendable(reading)) == 6


def test_questionnaires_that_changed_places_are_not_read_as_each_other() -> None:
    draft = _draft(_caseload(*_CASES))
    reading = read(pdf(_caseload(*_CASES, names=("GAD-7", "PHQ-9"))), draft.template)
    assert _totals(reading) == []
    assert blocked(reading)


# Logs


def _log(*lines: str, more: Sequence[str] = ()) -> bytes:
    def page(texts: Sequence[str]) -> list[Drawn]:
        drawn: list[Drawn] = [Mark(40, 40, "Encounter log", 14)]
        return drawn + [Mark(40 if text[0].isdigit() else 70, 80 + 13 * n, text) for n, text in enumerate(texts)]

    return pdf(page(lines), page(more)) if more else pdf(page(lines))


_DOE = "0820 DOE, Ann T. F born 21MAY1967 no. 51672 Lindgren CNM"
_ROE = "0840 ROE, Bob M born 08OCT1941 no. 86377 Farouk DO"
_POE = "0911 POE, Cat F born 28JAN1946 no. 24617 Aldridge MD"
_LOG = (
    "Mon 02MAR2026", _DOE, "PHQ-9 = 6 (mild); return 30MAR2026", _ROE, "PHQ-9 = 8 (mild); AUDIT-C = 7; BP 112/83",
    "Tue 03MAR2026", _POE, "GAD-7 declined; BP 141/94; return 31MAR2026",
)  # fmt: skip


def _drafted_log() -> Draft:
    sample = Sample(name="day1.pdf", content=_log(*_LOG), kind=Kind.PDF)
    return draft_template([sample], site=SITE, today=_TODAY, name="drafted")


def test_each_score_of_a_line_is_a_record_of_the_person_above_it() -> None:
    template = _drafted_log().template
    reading = read(
        _log("Tue 03MAR2026", _POE, "GAD-7 = 9; BP 133/80; PHQ-9 = 3 (minimal)", _DOE, "PHQ-9 declined"), template
    )
    assert _totals(reading) == [("POE, Cat", "gad-7", 9), ("POE, Cat", "phq-9", 3)]
    assert {r.authored_on for r in reading.assessments} == {date(2026, 3, 3)}
    assert reading.no_score == 1


def test_day_and_person_hold_on_to_the_next_page() -> None:
    template = _drafted_log().template
    reading = read(_log("Mon 02MAR2026", _DOE, more=["PHQ-9 = 5", _ROE, "AUDIT-C = 2"]), template)
    assert _totals(reading) == [("DOE, Ann T.", "phq-9", 5), ("ROE, Bob", "audit-c", 2)]


def test_scores_below_a_line_that_was_not_understood_are_nobodys_before_it() -> None:
    template = _drafted_log().template
    strange = "0930 somebody else, born unknown"
    assert _totals(read(_log("Mon 02MAR2026", _DOE, "PHQ-9 = 5", strange, "PHQ-9 = 9"), template)) == []
    assert _totals(read(_log("Mon 02MAR2026", _DOE, "PHQ-9 = 5", strange, more=["PHQ-9 = 9"]), template)) == []


@pytest.mark.parametrize(
    "noted", ["K6 = 12", "PHQ 14", "PHQ-9 = 8 (was 12)", "prior PHQ-9 = 12", "BP 112/83/2", "PHQ-9 = UTC", "Weight 180"]
)
def test_what_a_log_notes_otherwise_is_never_passed_over(noted: str) -> None:
    template = _drafted_log().template
    reading = read(_log("Mon 02MAR2026", _DOE, f"AUDIT-C = 3; {noted}"), template)
    assert blocked(reading)
    assert set(_totals(reading)) <= {("DOE, Ann T.", "audit-c", 3)}


@pytest.mark.parametrize("noted", ["K6 = 12", "PHQ 14", "MOOD 12/27"])
def test_a_note_that_may_be_a_score_is_no_note_however_often_it_is_printed(noted: str) -> None:
    lines = ("Mon 02MAR2026", _DOE, f"PHQ-9 = 6; {noted}", _ROE, f"PHQ-9 = 8; {noted}", _POE, f"GAD-7 = 3; {noted}")
    sample = Sample(name="day1.pdf", content=_log(*lines), kind=Kind.PDF)
    template = draft_template([sample], site=SITE, today=_TODAY, name="drafted").template
    reading = read(_log(*lines), template)
    assert blocked(reading)
    assert {total for _, _, total in _totals(reading)} <= {6, 8, 3}


def test_a_log_may_name_its_parts_otherwise() -> None:
    people = ("03/02/2026 Doe, Ann DOB 05/21/1967 MRN 51672", "03/03/2026 Roe, Bob DOB 10/08/1941 MRN 86377")
    lines = (people[0], "PHQ-9: 6 (mild), GAD-7: 4", people[1], "PHQ-9: 8 (mild), AUDIT-C: refused")
    sample = Sample(name="day1.pdf", content=_log(*lines), kind=Kind.PDF)
    template = draft_template([sample], site=SITE, today=_TODAY, name="drafted").template
    reading = read(_log(people[1], "GAD-7: 11, PHQ-9: 2", people[0], "AUDIT-C: 1"), template)
    assert [(r.patient.name, r.instrument, r.total, r.authored_on) for r in sendable(reading)] == [
        ("Roe, Bob", "gad-7", 11, date(2026, 3, 3)),
        ("Roe, Bob", "phq-9", 2, date(2026, 3, 3)),
        ("Doe, Ann", "audit-c", 1, date(2026, 3, 2)),
    ]


def test_of_people_only_some_of_whom_have_a_day_no_log_is_made() -> None:
    lines = (
        "03/02/2026 Doe, Ann DOB 05/21/1967 MRN 51672",
        "PHQ-9: 6",
        "Roe, Bob DOB 10/08/1941 MRN 86377",
        "PHQ-9: 8",
    )
    assert find_log([plumber.read(_log(*lines))]) is None
    draft = draft_template(
        [Sample(name="day1.pdf", content=_log(*lines), kind=Kind.PDF)], site=SITE, today=_TODAY, name="drafted"
    )
    assert sendable(read(_log(*lines), draft.template)) == []


def test_lines_of_people_without_scores_are_no_log() -> None:
    with pytest.raises(TemplateError):
        _draft(
            [
                Mark(40, 40, "Encounter log", 14),
                *(Mark(40, 80 + 13 * n, text) for n, text in enumerate((_DOE, _ROE, _POE))),
            ]
        )
