"""What drafting makes of the layouts of the features, for which nobody tuned it, from one print of each."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from parsers.drafting.draft import Draft, Sample, draft_template
from parsers.instrument_library import load_instruments
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind
from records.assessment import ReportReading
from records.errors import TemplateError

_FEATURES = Path(__file__).parents[2] / "fixtures" / "features"
_PRINTS = {f"{path.parent.name}/{path.stem}": path for path in sorted(_FEATURES.glob("*/*.pdf"))}
# How many records of each print a draft reads without a person; null where it must be refused.
_EXPECTED: dict[str, int | None] = json.loads((_FEATURES / "drafts.json").read_text("utf-8"))
_REFUSED = sorted(name for name, read in _EXPECTED.items() if read is None)
# The tests of one print share its draft, so they run in one process.
_EACH = [pytest.param(name, marks=pytest.mark.xdist_group(f"draft-{name}")) for name in _PRINTS if name not in _REFUSED]
_Record = tuple[str | None, str | None, int | None, str | None]


@cache
def _truth(layout: Path) -> dict[str, Any]:
    return dict(json.loads((layout / "expected.json").read_text("utf-8")))


@cache
def _draft(name: str) -> Draft:
    path = _PRINTS[name]
    wanted = _truth(path.parent)
    return draft_template(
        [Sample(name=path.name, content=path.read_bytes(), kind=Kind.PDF)],
        site=wanted["site"], today=date.fromisoformat(wanted["today"]), name=path.parent.name,
    )  # fmt: skip


@cache
def _read(name: str) -> ReportReading:
    path = _PRINTS[name]
    wanted = _truth(path.parent)
    request = ReadingRequest(
        kind=Kind.PDF, templates=(_draft(name).template,), instruments=load_instruments(), site=wanted["site"],
        today=date.fromisoformat(wanted["today"]),
    )  # fmt: skip
    return read_report(path.read_bytes(), request)


def _printed(name: str) -> Counter[_Record]:
    records = _truth(_PRINTS[name].parent)["records"]
    return Counter(
        (each["patient"]["name"], each["instrument"], each["total"], each["authored_on"]) for each in records
    )


def _is_held(reading: ReportReading) -> bool:
    """Whether the whole report waits for a person, so that nothing of it goes out unseen."""
    return any(finding.blocking for finding in reading.findings)


def _unheld(reading: ReportReading) -> Counter[_Record]:
    """The records that wait for nobody."""
    return Counter(
        (read.patient.name, read.instrument, read.total, read.authored_on.isoformat() if read.authored_on else None)
        for read in reading.assessments
        if not any(finding.blocking for finding in read.findings)
    )


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_reads_no_record_wrongly_and_makes_up_none(name: str) -> None:
    assert _unheld(_read(name)) - _printed(name) == Counter()


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_loses_no_record_without_a_finding(name: str) -> None:
    reading = _read(name)
    missing = _printed(name) - _unheld(reading)
    held = [read for read in reading.assessments if any(finding.blocking for finding in read.findings)]
    assert _is_held(reading) or missing.total() <= len(held)


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_misreads_no_date_of_birth_and_no_number(name: str) -> None:
    records = _truth(_PRINTS[name].parent)["records"]
    known = {each["patient"]["name"]: (each["patient"]["birth_date"], each["patient"]["mrn"]) for each in records}
    for read in _read(name).assessments:
        born, mrn = known.get(read.patient.name, (None, None))
        assert read.patient.birth_date is None or read.patient.birth_date.isoformat() == born
        assert read.patient.mrn in (None, mrn)


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_reads_as_many_records_as_before(name: str) -> None:
    reading = _read(name)
    assert (0 if _is_held(reading) else _unheld(reading).total()) >= (_EXPECTED[name] or 0)


@pytest.mark.parametrize("name", _EACH)
def test_a_draft_holds_nothing_of_a_person_of_its_print(name: str) -> None:
    text = _draft(name).text.casefold()
    people = [each["patient"] for each in _truth(_PRINTS[name].parent)["records"]]
    told = {str(each[part]) for each in people for part in ("name", "family", "mrn") if each[part]}
    assert {part for part in told if len(part) > 4 and part.casefold() in text} == set()


@pytest.mark.parametrize("name", _REFUSED)
def test_what_names_no_questionnaire_is_refused_and_never_guessed(name: str) -> None:
    with pytest.raises(TemplateError, match="which questionnaire"):
        _draft(name)


def test_every_print_has_its_expectation() -> None:
    assert sorted(_EXPECTED) == sorted(_PRINTS)
