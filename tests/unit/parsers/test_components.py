"""Tables whose rows each give one value of a record: questionnaires filed as laboratory results."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from parsers.template import Kind
from parsers.template_file import parse_template
from records.assessment import ReportReading
from records.errors import TemplateError
from tests.unit.parsers.printing import Drawn, Mark, blocked, blocking, line, pdf, read, sendable

_TABLE = r"""
dates: ['%m/%d/%Y']
names: family-first
no_score: [TNP]
table:
  columns:
    - {header: Component, field: component}
    - {header: Result, field: value}
    - {header: Flag, field: ignore}
  groups:
    - {pattern: '(?P<name>[^:]+) MRN: (?P<mrn>\d+) Collected: (?P<authored_on>\S+)'}
    - {pattern: '(?P<instrument>\S+) SCREEN'}
  components:
    - {pattern: '(?P<instrument>\S+) TOTAL SCORE', field: total}
    - {pattern: '(?P<instrument>\S+) Q(?P<item>\d+) .+', field: item}
    - {pattern: '(?P<instrument>\S+) SEVERITY', field: severity}
    - {pattern: 'COMMENT', field: ignore}
"""
TEMPLATE = parse_template(
    f"""
id: lab
revision: 1
anchors: [Score sheet]
furniture: [{{text: Score sheet}}]
{_TABLE}""",
    source="lab.yaml",
)
_XS = (60.0, 300.0, 380.0)
_ANN, _BOB = "Doe, Ann MRN: 100200 Collected: 03/02/2026", "Roe, Bob MRN: 100300 Collected: 03/03/2026"
_PHQ = (("PHQ-2 Q1 INTEREST", "1"), ("PHQ-2 Q2 MOOD", "3"), ("PHQ-2 TOTAL SCORE", "4"))
_Printed = str | tuple[str, str]


def _page(*printed: _Printed, title: bool = True) -> list[Drawn]:
    drawn: list[Drawn] = [Mark(40, 40, "Score sheet", 14)] if title else []
    drawn += line(80, ("Component", "Result", "Flag"), _XS)
    for number, each in enumerate(printed, start=1):
        y = 80.0 + 16 * number
        drawn += [Mark(40, y, each)] if isinstance(each, str) else line(y, each, _XS[:2])
    return drawn


def _read(*pages: Sequence[_Printed]) -> ReportReading:
    return read(pdf(*[_page(*page, title=not n) for n, page in enumerate(pages)]), TEMPLATE)


def _said(reading: ReportReading) -> list[tuple[str, str | None, int | None, list[int | None] | None, str | None]]:
    return [
        (r.patient.name, r.instrument, r.total, [i.points for i in r.items] if r.items else None, r.severity)
        for r in sendable(reading)
    ]


def test_neighbouring_rows_that_name_one_questionnaire_are_one_record() -> None:
    reading = _read([_ANN, *_PHQ, ("GAD-7 TOTAL SCORE", "6"), ("GAD-7 SEVERITY", "mild"), ("COMMENT", ""), _BOB, *_PHQ])

    assert _said(reading) == [
        ("Doe, Ann", "phq-2", 4, [1, 3], None),
        ("Doe, Ann", "gad-7", 6, None, "mild"),
        ("Roe, Bob", "phq-2", 4, [1, 3], None),
    ]
    assert not blocked(reading)


def test_the_same_questionnaire_twice_in_a_row_is_two_records() -> None:
    reading = _read([_ANN, *_PHQ, ("PHQ-2 Q1 INTEREST", "0"), ("PHQ-2 Q2 MOOD", "1"), ("PHQ-2 TOTAL SCORE", "1")])

    assert [(total, points) for _, _, total, points, _ in _said(reading)] == [(4, [1, 3]), (1, [0, 1])]


def test_a_score_that_was_not_taken_is_counted_and_answers_are_never_dropped() -> None:
    untaken = _read([_ANN, ("PHQ-2 TOTAL SCORE", "TNP"), ("GAD-7 TOTAL SCORE", "6")])
    assert [(name, total) for _, name, total, _, _ in _said(untaken)] == [("gad-7", 6)]
    assert untaken.no_score == 1

    answered = _read([_ANN, *_PHQ[:2], ("PHQ-2 TOTAL SCORE", "TNP")])
    assert "total-unreadable" in blocking(answered, answered.assessments[0])


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ([_PHQ[0], _PHQ[2]], "item-count"),
        ([_PHQ[0], ("PHQ-2 Q2 MOOD", "2"), _PHQ[2]], "sum-differs"),
        ([_PHQ[0], _PHQ[1]], "total-missing"),
        ([*_PHQ, ("PHQ-2 REMARK", "9")], "instrument-missing"),
        ([("PHQ-2 REMARK", "9"), *_PHQ], "instrument-missing"),
        (["GAD-7 SCREEN", *_PHQ], "row-ambiguous"),
    ],
    ids=["an answer is missing", "an answer is another", "no total", "an unknown row", "an unknown row first",
         "another questionnaire's heading"],
)  # fmt: skip
def test_rows_that_do_not_make_a_record_wait_for_a_person(printed: list[_Printed], code: str) -> None:
    reading = _read([_ANN, *printed])

    assert code in set().union(*(blocking(reading, record) for record in reading.assessments))


def test_a_record_over_two_pages_waits_for_a_person() -> None:
    reading = _read([_ANN, _PHQ[0]], [*_PHQ[1:], ("GAD-7 TOTAL SCORE", "6")])

    assert [record.instrument for record in reading.assessments] == ["phq-2", "gad-7"]
    assert "row-ambiguous" in blocking(reading, reading.assessments[0])


def test_rows_below_another_persons_heading_are_another_record() -> None:
    reading = _read([_ANN, *_PHQ[:2], _BOB, _PHQ[2]])

    totals = [(record.patient.name, record.total) for record in reading.assessments]
    assert totals == [("Doe, Ann", None), ("Roe, Bob", 4)]
    assert sendable(reading) == [reading.assessments[1]]


def test_an_export_with_a_line_for_each_answer_is_read_alike() -> None:
    template = parse_template(
        r"""
id: export
revision: 1
kind: csv
anchors: [Component]
dates: ['%m/%d/%Y']
names: family-first
table:
  columns:
    - {header: Client, field: name}
    - {header: Number, field: mrn}
    - {header: Seen, field: authored_on}
    - {header: Component, field: component}
    - {header: Result, field: value}
  components:
    - {pattern: '(?P<instrument>\S+) TOTAL SCORE', field: total}
    - {pattern: '(?P<instrument>\S+) Q(?P<item>\d+) .+', field: item}
""",
        source="export.yaml",
    )
    lines = [f'"Doe, Ann",100200,03/02/2026,{label},{value}\n' for label, value in _PHQ]
    lines += [f'"Roe, Bob",100300,03/02/2026,{label},{value}\n' for label, value in _PHQ]
    reading = read(("Client,Number,Seen,Component,Result\n" + "".join(lines)).encode(), template, kind=Kind.CSV)

    assert [(who, total, points) for who, _, total, points, _ in _said(reading)] == [
        ("Doe, Ann", 4, [1, 3]),
        ("Roe, Bob", 4, [1, 3]),
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("field: value", "field: ignore", "components go with"),
        ("{header: Flag, field: ignore}", "{header: Flag, field: total}", "column with field value"),
        ("Q(?P<item>", "Q(?P<points>", "groups of a component"),
        ("Q(?P<item>", "Q(?:", "says which question"),
        ("SEVERITY', field: severity", "SEVERITY', field: name", "a component is total"),
    ],
)
def test_components_that_make_no_sense_are_refused(old: str, new: str, fault: str) -> None:
    with pytest.raises(TemplateError, match=fault):
        parse_template(f"id: lab\nrevision: 1\nanchors: [x]\n{_TABLE.replace(old, new)}", source="lab.yaml")
