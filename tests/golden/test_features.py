"""Every feature of the template language is read the same from prints of different producers."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fixtures.features.content import Layout
from fixtures.features.make_features import expected, layouts
from fixtures.features.printers import printed
from ingest.template_folder import load_templates
from parsers.instrument_library import load_instruments
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind
from records.assessment import ReportReading, SymptomAssessment
from tools.features_table import Feature, features, producer_of

_FIXTURES = Path(__file__).parents[2] / "fixtures"
_FEATURES = _FIXTURES / "features"
_LAYOUTS = sorted(path.parent for path in _FEATURES.glob("*/template.yaml"))
# Every template is at hand: that another one fits too would be a fault.
_TEMPLATES = tuple(file.template for file in load_templates([*_LAYOUTS, _FIXTURES / "forms", _FIXTURES / "samples"]))
_PRINTS = sorted(_FEATURES.glob("*/*.pdf"))
_Json = dict[str, Any]


@cache
def _expected(layout: Path) -> _Json:
    return dict(json.loads((layout / "expected.json").read_text("utf-8")))


def _read(path: Path) -> ReportReading:
    wanted = _expected(path.parent)
    return read_report(
        path.read_bytes(),
        ReadingRequest(
            kind=Kind.PDF, templates=_TEMPLATES, instruments=load_instruments(), site=wanted["site"],
            today=date.fromisoformat(wanted["today"]),
        ),
    )  # fmt: skip


def _record(read: SymptomAssessment) -> _Json:
    who = read.patient
    return {
        "page": read.page,
        "patient": {
            "name": who.name, "family": who.family, "given": who.given, "middle": who.middle, "suffix": who.suffix,
            "birth_date": who.birth_date.isoformat() if who.birth_date else None, "mrn": who.mrn, "sex": who.sex,
            "phone": who.phone,
        },
        "instrument": read.instrument, "instrument_printed": read.instrument_printed,
        "authored_on": read.authored_on.isoformat() if read.authored_on else None,
        "authored_time": read.authored_time, "total": read.total, "total_printed": read.total_printed,
        "result": read.result, "items": list(read.item_points) if read.item_points is not None else None,
        "severity": read.severity, "critical": read.critical,
        "reasons": sorted(finding.code for finding in read.findings),
    }  # fmt: skip


def _in_order(records: list[_Json]) -> list[_Json]:
    return sorted(records, key=lambda record: json.dumps(record, sort_keys=True))


@pytest.mark.parametrize("path", _PRINTS, ids=lambda path: f"{path.parent.name} printed by {path.stem}")
def test_every_field_of_every_record_is_read_as_printed(path: Path) -> None:
    reading = _read(path)
    wanted = _expected(path.parent)
    assert [(f.code, f.region, f.detail) for f in reading.findings] == []
    assert _in_order([_record(read) for read in reading.assessments]) == _in_order(wanted["records"])
    assert reading.no_score == wanted["no_score"]


@pytest.mark.parametrize("feature", features(), ids=lambda feature: feature.name)
def test_every_feature_has_cases_of_two_producers(feature: Feature) -> None:
    assert set(feature.layouts) <= {layout.name for layout in _LAYOUTS}
    assert len(feature.producers) >= 2


def test_every_print_shows_a_feature() -> None:
    assert {path.parent.name for path in _PRINTS} == {layout for feature in features() for layout in feature.layouts}


@pytest.mark.parametrize("path", _PRINTS, ids=lambda path: f"{path.parent.name} printed by {path.stem}")
def test_a_print_is_named_after_its_producer(path: Path) -> None:
    assert producer_of(path).casefold() == path.stem


@pytest.mark.parametrize("layout", layouts(), ids=lambda layout: layout.name)
def test_what_is_expected_is_what_is_printed_and_nothing_else(layout: Layout) -> None:
    assert (_FEATURES / layout.name / "expected.json").read_text("utf-8") == expected(layout)
    assert {path.stem for path in (_FEATURES / layout.name).glob("*.pdf")} == set(layout.producers)
    if "reportlab" in layout.producers:  # the others depend on the fonts of the machine
        assert (_FEATURES / layout.name / "reportlab.pdf").read_bytes() == printed(layout.pages, "reportlab")
