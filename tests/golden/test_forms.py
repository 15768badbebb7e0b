"""Every synthetic form is read as its cases say, with every template there is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.golden import GoldenCase, differences, golden_cases
from ingest.template_folder import load_templates
from ingest.workers import FileToRead
from parsers.instrument_library import load_instruments
from parsers.reading import ReadingRequest, read_report
from records.assessment import ReportReading

_FIXTURES = Path(__file__).parents[2] / "fixtures"
_FORMS = sorted(path.parent for path in (_FIXTURES / "forms").glob("*/template.yaml"))
_TEMPLATES = tuple(file.template for file in load_templates([_FIXTURES / "forms", _FIXTURES / "samples"]))
_CASES = [case for form in _FORMS for case in golden_cases(form)]


def _read(content: bytes, file: FileToRead) -> ReportReading:
    request = ReadingRequest(
        kind=file.kind, templates=file.templates, instruments=load_instruments(), site=file.site, today=file.today
    )
    return read_report(content, request)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: f"{case.form.name}/{case.name}")
def test_a_form_is_read_as_its_case_says(case: GoldenCase) -> None:
    found = differences(case, _TEMPLATES, _read)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("form", _FORMS, ids=lambda form: form.name)
def test_every_form_has_a_case(form: Path) -> None:
    assert golden_cases(form)


def test_a_report_for_another_clinic_is_held_back() -> None:
    case = next(case for case in _CASES if case.form.name == "nrc_outcome_register")
    file = FileToRead(kind=case.kind, templates=_TEMPLATES, site="LMH", today=case.today)
    reading = _read(case.report.read_bytes(), file)
    assert "other-site" in {finding.code for finding in reading.findings if finding.blocking}


def test_a_wrong_template_makes_a_difference() -> None:
    case = next(case for case in _CASES if case.form.name == "nrc_outcome_register")
    others = tuple(template for template in _TEMPLATES if template.id != "nrc-outcome-register")
    assert any("No template recognises" in line for line in differences(case, others, _read))
