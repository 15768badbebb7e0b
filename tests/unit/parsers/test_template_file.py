"""A template that is wrong says what and in which line, all faults at once."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.template_file import parse_template
from records.errors import TemplateError

_WHOLE = """id: listing
revision: 1
anchors: [Score listing]
dates: ['%m/%d/%Y']
table:
  columns:
    - {header: Patient, field: name}
    - {header: Score, field: total}
    - {header: Given, field: authored_on}
"""


def _fault(text: str) -> str:
    with pytest.raises(TemplateError) as refusal:
        parse_template(text, source="listing.yaml")
    return str(refusal.value)


def test_a_whole_template_is_read() -> None:
    template = parse_template(_WHOLE, source="listing.yaml")
    assert (template.name, len(template.table[0].columns)) == ("listing@1", 3)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: listing", "id: My Listing", "lower-case letters"),
        ("revision: 1", "revision: 0", "revisions count from 1"),
        ("anchors: [Score listing]", "anchors: []", "anchors are needed"),
        ("dates: ['%m/%d/%Y']\n", "", "dates are needed"),
        ("field: total", "field: severity", "listing.yaml:5: table: "),
        ("field: total", "field: score", "listing.yaml:8: table.columns.1.field"),
        ("field: name", "field: points", "belong into items"),
        ("field: name", "field: authored_on", "a field has two columns"),
        ("revision: 1", "revision: one", "listing.yaml:2: revision"),
        ("revision: 1", "revison: 1", "listing.yaml:2: revison"),
        ("table:", "tables:", "listing.yaml:5: tables"),
        ("{header: Patient, field: name}", "{header: Patient, field: name, feild: x}", "listing.yaml:7"),
        ("{header: Patient, field: name}", "{header: Patient, field: name, optional: perhaps}", "listing.yaml:7"),
    ],
)
def test_a_fault_is_told_with_its_place(old: str, new: str, said: str) -> None:
    assert said in _fault(_WHOLE.replace(old, new))


def test_every_fault_is_told_at_once() -> None:
    text = _WHOLE.replace("revision: 1", "revision: one").replace("field: name", "field: nme")
    message = _fault(text)
    assert "listing.yaml:2: revision" in message
    assert "listing.yaml:7: table.columns.0.field" in message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (_WHOLE + "revision: 2\n", 10),
        (_WHOLE.replace("{header: Patient, field: name}", "{header: Patient, field: name, field: mrn}"), 7),
        (_WHOLE + "table:\n  columns: []\n", 10),
    ],
)
def test_a_key_given_twice_is_a_fault_with_its_line(text: str, line: int) -> None:
    message = _fault(text)
    assert f"listing.yaml:{line}: " in message
    assert "is given twice" in message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: [", "listing.yaml:"),
        ("- a\n- b\n", "a template is a mapping"),
        ("", "a template is a mapping"),
        ("42", "a template is a mapping"),
    ],
)
def test_what_is_no_yaml_or_no_mapping_is_told(text: str, said: str) -> None:
    assert said in _fault(text)


def test_a_wrong_pattern_is_a_fault_with_its_line() -> None:
    assert "listing.yaml:10: " in _fault(_WHOLE + "furniture: [{pattern: '('}]\n")


def test_a_heading_that_names_no_field_is_a_fault() -> None:
    assert "no field is called day" in _fault(_WHOLE + "  groups: [{pattern: '(?P<day>.+)'}]\n")


def test_a_template_without_a_place_for_records_is_a_fault() -> None:
    assert "at least one of table, blocks, items, sentences" in _fault(_WHOLE[: _WHOLE.index("table:")])


def test_several_tables_are_written_as_a_list_and_faults_name_the_one() -> None:
    table = _WHOLE[_WHOLE.index("table:") :].replace("table:\n", "").replace("total", "totl", 1)
    listed = "table:\n" + "\n".join(("- " if n == 0 else "  ") + line[2:] for n, line in enumerate(table.splitlines()))
    assert "table.0.columns" in _fault(_WHOLE[: _WHOLE.index("table:")] + listed + "\n")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_a_template_or_a_template_error(text: str) -> None:
    with pytest.raises(TemplateError):
        parse_template(text, source="x.yaml")


@given(st.sampled_from(_WHOLE.splitlines()), st.text(alphabet="{}[]:,'\"-|>&*!%@ \tab1", max_size=12))
def test_a_template_with_a_damaged_line_is_read_or_refused_with_a_template_error(line: str, damage: str) -> None:
    with contextlib.suppress(TemplateError):
        assert parse_template(_WHOLE.replace(line, line + damage), source="x.yaml").revision >= 1


def test_a_questionnaire_beside_another_one_is_never_ignored() -> None:
    with pytest.raises(TemplateError, match=r"GAD-7.*names another questionnaire"):
        parse_template(
            """
id: two
revision: 1
anchors: [x]
dates: ['%m/%d/%Y']
items:
  instrument: phq-2
  columns:
    - {header: PHQ-2, field: label}
    - {header: Points, field: points}
    - {header: GAD-7, field: ignore}
  wording: [Little interest, Feeling down]
""",
            source="two.yaml",
        )
