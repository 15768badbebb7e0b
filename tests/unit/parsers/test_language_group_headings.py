"""Headings inside a table: their rows get what they say, and never what an earlier person's heading said."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.group_headings import Groups
from parsers.template_file import parse_template
from parsers.template_parts import IDENTITY
from records.assessment import ReportReading, SymptomAssessment
from records.report import Cell
from tests.unit.parsers.printing import Drawn, Mark, Stroke, blocking, line, pdf, read, sendable

_HEADING = r"(?P<name>[A-Z]+, [A-Z]+)(?: DOB: (?P<birth_date>\S+))?(?: MRN: (?P<mrn>\S+))?"


def _template(*, groups: str = ""):
    return parse_template(
        f"""
id: by-person
revision: 1
anchors: [Results by person]
furniture: [{{text: Results by person}}]
dates: ['%m/%d/%Y']
names: family-first
no_score: [refused]
table:
  groups:
    - {{pattern: '{_HEADING}'}}
{groups}
  columns:
    - {{header: Given, field: authored_on}}
    - {{header: Test, field: instrument}}
    - {{header: Score, field: total}}
    - {{header: Entered by, field: ignore}}
""",
        source="by-person.yaml",
    )


TEMPLATE = _template()
_X = (60.0, 150.0, 300.0, 380.0)
_HEADER = ("Given", "Test", "Score", "Entered by")
_TITLE = Mark(40, 40, "Results by person", 14)
ANN = "DOE, ANN DOB: 04/05/1980 MRN: A100"
BOB = "ROE, BOB DOB: 06/07/1975 MRN: A101"
_PHQ = ("03/02/2026", "PHQ-9", "14", "N. Okafor")
_GAD = ("03/02/2026", "GAD-7", "7", "N. Okafor")


def _page(*lines: str | Sequence[str], heading_x: float = 40, step: float = 18, header: bool = True) -> list[Drawn]:
    """A page of the table: a text is a heading, four texts are a row."""
    drawn: list[Drawn] = [_TITLE, *(line(80, _HEADER, _X) if header else [])]
    y = 80.0
    for each in lines:
        y += step
        drawn += [Mark(heading_x, y, each)] if isinstance(each, str) else line(y, each, _X)
    return drawn


def _people(records: Sequence[SymptomAssessment]) -> list[tuple[str, str | None, str, int | None]]:
    return [(r.patient.name, r.patient.mrn, str(r.patient.birth_date), r.total) for r in records]


_ANNS = ("DOE, ANN", "A100", "1980-04-05")
_BOBS = ("ROE, BOB", "A101", "1975-06-07")


def _silently_anns(reading: ReportReading, *, but: Sequence[int] = (14,)) -> list[int | None]:
    """Scores, other than those that are hers, that would be sent as Ann's."""
    return [r.total for r in sendable(reading) if r.patient.mrn == "A100" and r.total not in but]


def test_rows_get_the_person_above_them() -> None:
    reading = read(pdf(_page(ANN, _PHQ, BOB, _GAD)), TEMPLATE)
    assert _people(sendable(reading)) == [(*_ANNS, 14), (*_BOBS, 7)]


def test_a_heading_above_the_first_header_counts() -> None:
    page = [_TITLE, Mark(40, 70, ANN), *line(90, _HEADER, _X), *line(108, _PHQ, _X)]
    assert _people(sendable(read(pdf(page), TEMPLATE))) == [(*_ANNS, 14)]


def test_a_person_goes_on_upon_the_next_page() -> None:
    reading = read(pdf(_page(ANN, _PHQ), _page(_GAD)), TEMPLATE)
    assert _people(sendable(reading)) == [(*_ANNS, 14), (*_ANNS, 7)]


_OTHER_WORDING = ("Client: ROE, BOB A101", "ROE BOB MRN A101", "Bob Roe, 6/7/1975", "ROE, BOB DOB unknown")


@pytest.mark.parametrize("heading", _OTHER_WORDING)
@pytest.mark.parametrize("step", [10.5, 18.0, 30.0])
@pytest.mark.parametrize("x", [40.0, 100.0, 300.0, 380.0])
def test_a_heading_of_another_wording_never_leaves_its_rows_with_the_person_above(
    heading: str, step: float, x: float
) -> None:
    page = _page(ANN, _PHQ, heading, _GAD, ("03/02/2026", "PHQ-2", "3", ""), step=step, heading_x=x)
    assert _silently_anns(read(pdf(page), TEMPLATE)) == []


@pytest.mark.parametrize("heading", _OTHER_WORDING)
@pytest.mark.parametrize("x", [40.0, 100.0, 230.0, 380.0])
@pytest.mark.parametrize("blank", [False, True])
def test_a_heading_of_another_wording_in_a_ruled_table_never_does_either(heading: str, x: float, blank: bool) -> None:
    rows = [ANN, _PHQ, heading, _GAD, ("03/02/2026", "PHQ-2", "3", "")]
    page = _page(*rows, heading_x=x)
    ys = [85.0 + 18 * n for n in range(len(rows) + 1)]
    page += [Stroke(38, y, 480, y) for y in [66.0, *ys]]
    page += [Stroke(edge, 66, edge, ys[-1]) for edge in (38, 480)]
    page += [Stroke(edge, 66, edge, 85) for edge in (145, 295, 375)]
    template = _template() if not blank else _BLANK
    assert _silently_anns(read(pdf(page), template)) == []


_BLANK = parse_template(
    f"""
id: by-person
revision: 1
anchors: [Results by person]
furniture: [{{text: Results by person}}]
dates: ['%m/%d/%Y']
no_score: ['', refused]
table:
  groups: [{{pattern: '{_HEADING}'}}]
  columns:
    - {{header: Given, field: authored_on}}
    - {{header: Test, field: instrument}}
    - {{header: Score, field: total}}
    - {{header: Entered by, field: ignore}}
""",
    source="by-person.yaml",
)


@pytest.mark.parametrize("heading", _OTHER_WORDING)
@pytest.mark.parametrize("y", [50.0, 62.0, 70.0])
def test_a_heading_of_another_wording_above_the_next_pages_header_does_not_either(heading: str, y: float) -> None:
    second = [_TITLE, Mark(40, y, heading), *line(80, _HEADER, _X), *line(98, _GAD, _X)]
    assert _silently_anns(read(pdf(_page(ANN, _PHQ), second), TEMPLATE)) == []


@pytest.mark.parametrize("step", [10.5, 18.0])
def test_a_heading_of_another_wording_at_the_foot_of_a_page_does_not_either(step: float) -> None:
    reading = read(pdf(_page(ANN, _PHQ, "Client: ROE, BOB A101", step=step), _page(_GAD)), TEMPLATE)
    assert _silently_anns(reading) == []


def test_a_heading_without_a_birth_date_leaves_none_of_the_person_above() -> None:
    reading = read(pdf(_page(ANN, _PHQ, "ROE, BOB MRN: A101", _GAD)), TEMPLATE)
    assert _people(reading.assessments)[1] == ("ROE, BOB", "A101", "None", 7)


def test_a_person_without_a_row_leaves_nothing_to_the_next() -> None:
    reading = read(pdf(_page(ANN, "ROE, BOB", _GAD)), TEMPLATE)
    assert _people(reading.assessments) == [("ROE, BOB", None, "None", 7)]


def test_a_heading_over_two_lines_is_one_person() -> None:
    template = _template(groups=r"    - {pattern: 'Born (?P<birth_date>\S+) number (?P<mrn>\S+)'}")
    page = _page("DOE, ANN", "Born 04/05/1980 number A100", _PHQ, "ROE, BOB", "Born 06/07/1975 number A101", _GAD)
    assert _people(sendable(read(pdf(page), template))) == [(*_ANNS, 14), (*_BOBS, 7)]


_VISITS = parse_template(
    f"""
id: by-person
revision: 1
anchors: [Results by person]
furniture: [{{text: Results by person}}]
dates: ['%m/%d/%Y']
table:
  groups:
    - {{pattern: '{_HEADING}'}}
    - {{pattern: 'Visit (?P<authored_on>\\S+)'}}
  columns:
    - {{header: Test, field: instrument}}
    - {{header: Score, field: total}}
    - {{header: Entered by, field: ignore}}
""",
    source="by-person.yaml",
)


def _visits(*lines: str | Sequence[str]) -> list[tuple[str, str | None, int | None]]:
    drawn: list[Drawn] = [_TITLE, *line(80, _HEADER[1:], _X[1:])]
    for number, each in enumerate(lines, start=1):
        y = 80.0 + 18 * number
        drawn += [Mark(40, y, each)] if isinstance(each, str) else line(y, each, _X[1:])
    reading = read(pdf(drawn), _VISITS)
    return [(r.patient.name, str(r.authored_on), r.total) for r in reading.assessments]


def test_a_day_above_several_people_holds_for_all_of_them() -> None:
    days = _visits("Visit 03/02/2026", ANN, _PHQ[1:], BOB, _GAD[1:], "Visit 03/03/2026", "POE, CAT MRN: A9", _GAD[1:])
    assert [day for _, day, _ in days] == ["2026-03-02", "2026-03-02", "2026-03-03"]


def test_the_visit_of_one_person_is_not_the_next_persons() -> None:
    days = _visits(ANN, "Visit 03/02/2026", _PHQ[1:], "Visit 03/04/2026", _PHQ[1:], BOB, _GAD[1:])
    assert [day for _, day, _ in days] == ["2026-03-02", "2026-03-04", "None"]


def test_a_line_below_a_row_says_more_about_this_row() -> None:
    template = _detailed()
    page = _detail_page(("DOE, ANN", "PHQ-9", "14", "03/02/2026"), "born 04/05/1980", step=12)
    (record,) = sendable(read(pdf(page), template))
    assert str(record.patient.birth_date) == "1980-04-05"


def test_a_second_line_that_contradicts_the_first_holds_the_record() -> None:
    page = _detail_page(("DOE, ANN", "PHQ-9", "14", "03/02/2026"), "born 04/05/1980", "born 06/07/1975", step=12)
    reading = read(pdf(page), _detailed())
    assert "label-repeated" in blocking(reading, reading.assessments[0])


def test_a_line_for_a_row_on_the_page_before_holds_that_record() -> None:
    first = _detail_page(("DOE, ANN", "PHQ-9", "14", "03/02/2026"))
    second = _detail_page("born 04/05/1980", ("ROE, BOB", "GAD-7", "7", "03/02/2026"), "born 06/07/1975", step=12)
    reading = read(pdf(first, second), _detailed())
    assert 14 not in [r.total for r in sendable(reading)]


_DETAIL_X = (60.0, 200.0, 300.0, 380.0)


def _detailed():
    return parse_template(
        r"""
id: with-details
revision: 1
anchors: [Results by person]
furniture: [{text: Results by person}]
dates: ['%m/%d/%Y']
table:
  details: [{pattern: 'born (?P<birth_date>\S+)'}]
  columns:
    - {header: Patient, field: name}
    - {header: Test, field: instrument}
    - {header: Score, field: total}
    - {header: Given, field: authored_on}
""",
        source="with-details.yaml",
    )


def _detail_page(*lines: str | Sequence[str], step: float = 18) -> list[Drawn]:
    drawn: list[Drawn] = [_TITLE, *line(80, ("Patient", "Test", "Score", "Given"), _DETAIL_X)]
    for number, each in enumerate(lines, start=1):
        y = 80 + step * number
        drawn += [Mark(75, y, each)] if isinstance(each, str) else line(y, each, _DETAIL_X)
    return drawn


_SAID = st.dictionaries(
    st.sampled_from(["name", "birth_date", "mrn", "sex", "authored_on"]), st.integers(0, 9), min_size=1
)


@given(st.lists(st.tuples(_SAID, st.booleans()), max_size=6), _SAID.filter(lambda said: "name" in said))
def test_nothing_of_an_earlier_person_survives_a_heading_that_names_another(
    earlier: list[tuple[dict[str, int], bool]], last: dict[str, int]
) -> None:
    groups = Groups()
    for said, row in [*earlier, ({"name": 0}, True)]:
        groups.take({name: Cell(text=f"earlier {value}") for name, value in said.items()})
        if row:
            groups.row_taken()
    groups.take({name: Cell(text=f"last {value}") for name, value in last.items()})
    kept = {name: cell.text for name, cell in groups.said.items() if name in IDENTITY}
    assert all(text.startswith("last") for text in kept.values())


@given(_SAID, _SAID.filter(lambda said: "name" in said))
def test_nothing_survives_a_person_without_rows_either(first: dict[str, int], last: dict[str, int]) -> None:
    groups = Groups()
    groups.take({**{name: Cell(text="earlier") for name in first}, "name": Cell(text="earlier")})
    groups.take({name: Cell(text="last") for name in last})
    assert "earlier" not in {cell.text for name, cell in groups.said.items() if name in IDENTITY}


_SECTIONS = parse_template(
    f"""
id: sections
revision: 1
anchors: [Results by person]
furniture: [{{text: Results by person}}]
dates: ['%m/%d/%Y']
table:
  - groups: [{{pattern: '{_HEADING}'}}]
    columns: [{{header: Given, field: authored_on}}, {{header: Depression, field: total, instrument: phq-9}}]
  - groups: [{{pattern: '{_HEADING}'}}]
    columns: [{{header: Given, field: authored_on}}, {{header: Anxiety, field: total, instrument: gad-7}}]
""",
    source="sections.yaml",
)


def _section(top: float, heading: str, depression: str, anxiety: str) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, top, heading)]
    for y, head, score in ((top + 18, "Depression", depression), (top + 60, "Anxiety", anxiety)):
        drawn += [*line(y, ("Given", head), _X[:2]), *line(y + 18, ("03/02/2026", score), _X[:2])]
    return drawn


_SECTION_TRUTH = [(*_ANNS, 4), (*_ANNS, 14), (*_BOBS, 5), (*_BOBS, 7)]


def test_a_heading_holds_for_every_table_below_it() -> None:
    reading = read(pdf([_TITLE, *_section(80, ANN, "14", "4"), *_section(200, BOB, "7", "5")]), _SECTIONS)
    assert sorted(_people(sendable(reading))) == _SECTION_TRUTH


def test_a_heading_below_another_table_holds_on_the_next_page() -> None:
    foot: list[Drawn] = [Mark(40, 220, BOB)]
    first = [_TITLE, *_section(80, ANN, "14", "4"), *foot]
    second = [_TITLE, *_section(80, BOB, "7", "5")[1:]]
    assert sorted(_people(sendable(read(pdf(first, second), _SECTIONS)))) == _SECTION_TRUTH


@pytest.mark.parametrize("step", [10.5, 18.0, 30.0])
def test_a_heading_of_another_wording_among_another_tables_rows_does_not_either(step: float) -> None:
    first = _section(80, ANN, "14", "4")
    second = _section(158 + step, "Client: ROE, BOB A101", "7", "5")
    assert _silently_anns(read(pdf([_TITLE, *first, *second]), _SECTIONS), but=(14, 4)) == []
