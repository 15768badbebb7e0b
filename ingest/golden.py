"""Golden cases: a synthetic report beside what must be read from it, compared line by line.

A form is a folder `{template.yaml, cases/<case>/{report.pdf | report.csv, expected.json}}`. `expected.json` has the
shape of `scorebridge read --json`, with "site" added; what is said about matching is left alone.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest.report_json import Json
from ingest.workers import FileToRead
from parsers.readers import plumber, table_file
from parsers.template import Kind, Template
from parsers.template_fit import missing_anchors
from records.assessment import ReportReading, SymptomAssessment
from records.errors import DocumentError, TemplateError
from records.finding import REASONS

Read = Callable[[bytes, FileToRead], ReportReading]

# What reading cannot know: reasons that matching, the roster or earlier reports give.
_CODES = list(REASONS)
_LATER = frozenset(_CODES[_CODES.index("patient-not-found") :]) - {"critical-unreadable"}
# Two codes of one gate: which of them depends on whether the strange wording is another question of the form.
_WORDING = frozenset({"item-label", "item-order"})
_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCase:
    """One report with what must be read from it.

    Attributes:
        form: Folder of the form.
        name: Name of the case's folder.
    """

    form: Path
    name: str
    report: Path
    site: str
    no_score: int
    records: tuple[dict[str, Json], ...]

    @property
    def kind(self) -> Kind:
        """What the report's name says it is."""
        return Kind.CSV if self.report.suffix.casefold() in _TABLE_SUFFIXES else Kind.PDF

    @property
    def today(self) -> date:
        """A day on which nothing is in the future that the case does not call so: golden cases never age."""
        days = [
            date.fromisoformat(str(record["authored_on"]))
            for record in self.records
            if record.get("authored_on") and "date-in-future" not in _reasons(record)
        ]
        return max(days, default=date(2000, 1, 1))


def golden_cases(form: Path) -> tuple[GoldenCase, ...]:
    """The cases of a form, by name; empty if it has none.

    Raises:
        TemplateError: A case lacks its report, or its `expected.json` is not of the expected shape.
    """
    return tuple(_case(form, folder) for folder in sorted((form / "cases").glob("*/")) if folder.is_dir())


def _case(form: Path, folder: Path) -> GoldenCase:
    path = folder / "expected.json"
    reports = [file for file in sorted(folder.iterdir()) if file.stem == "report"]
    if len(reports) != 1:
        raise TemplateError(f"{folder}: holds no report.pdf or report.csv, or several.", next_step="Keep one of them.")
    try:
        written = json.loads(path.read_text("utf-8"))
        records = tuple(dict(record) for record in written["records"])
        no_score = int(written["balance"]["no_score"])
        site = str(written["site"])
    except OSError as error:
        raise TemplateError(
            f"{path}: cannot be read: {error.strerror}.", next_step="Write it beside the report."
        ) from None
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise TemplateError(
            f"{path}: is not of the expected shape ({type(error).__name__}).",
            next_step="Take the output of “scorebridge read --json”, check every value, and add the site.",
        ) from None
    return GoldenCase(form=form, name=folder.name, report=reports[0], site=site, no_score=no_score, records=records)


def differences(case: GoldenCase, templates: Sequence[Template], read: Read) -> tuple[str, ...]:
    """A unified diff from what is expected to what is read; empty if all is as expected.

    Args:
        case: The case.
        templates: Every template in use: that another one fits too is a difference.
        read: Reads a file.
    """
    file = FileToRead(kind=case.kind, templates=tuple(templates), site=case.site, today=case.today)
    wanted = _lines([_expected(record) for record in case.records], case.no_score, ())
    try:
        reading = read(case.report.read_bytes(), file)
    except DocumentError as error:
        return _diff(case, wanted, [error.message])
    got = sorted((_read_record(assessment) for assessment in reading.assessments), key=_order)
    page_findings = tuple(
        f"{finding.code}{f' on page {finding.region.page}' if finding.region else ''}"
        for finding in reading.findings
        if finding.blocking
    )
    expected = sorted((_expected(record) for record in case.records), key=_order)
    pairs = zip(got, expected, strict=True) if len(got) == len(expected) else ()
    settled = [want if _agree(have, want) else have for have, want in pairs] or got
    return _diff(case, wanted, _lines(settled, reading.no_score, page_findings))


def fits(content: bytes, kind: Kind, template: Template) -> bool:
    """Whether the template recognises the file.

    Raises:
        DocumentError: The file cannot be read.
    """
    document = table_file.read(content) if kind is Kind.CSV else plumber.read(content)
    return template.kind is kind and not missing_anchors(document, template)


def _diff(case: GoldenCase, wanted: Sequence[str], got: Sequence[str]) -> tuple[str, ...]:
    name = f"{case.form.name}/{case.name}"
    return tuple(difflib.unified_diff(wanted, got, f"{name}: expected", f"{name}: read", lineterm=""))


def _lines(records: Sequence[dict[str, Json]], no_score: int, findings: Sequence[str]) -> list[str]:
    ordered = sorted(records, key=_order)
    lines = [line for record in ordered for line in json.dumps(record, indent=1, ensure_ascii=False).splitlines()]
    return [f"no_score: {no_score}", *(f"finding: {finding}" for finding in findings), *lines]


def _order(record: dict[str, Json]) -> str:
    keys = ("page", "family", "given", "mrn", "authored_on", "instrument", "total", "items")
    return "|".join(str(record[key]).zfill(4) for key in keys)


_PATIENT = ("family", "given", "middle", "suffix", "birth_date", "mrn", "sex")


def _expected(record: dict[str, Json]) -> dict[str, Json]:
    patient = record.get("patient")
    who = patient if isinstance(patient, dict) else {}
    reasons = _reasons(record)
    must_review = record.get("must_review", record.get("decision") == "review")
    return {
        "page": record.get("page"),
        **{key: who.get(key) for key in _PATIENT},
        "instrument": record.get("instrument"),
        "authored_on": record.get("authored_on"),
        "total": record.get("total"),
        "items": record.get("items"),
        "severity": record.get("severity"),
        "critical": record.get("critical"),
        # A record that waits only because of its patient may be read without a fault or with one.
        "reasons": sorted(set(reasons) - _LATER) if must_review else [],
    }


def _read_record(read: SymptomAssessment) -> dict[str, Json]:
    who = read.patient
    return {
        "page": read.page,
        "family": who.family,
        "given": who.given,
        "middle": who.middle,
        "suffix": who.suffix,
        "birth_date": who.birth_date.isoformat() if who.birth_date else None,
        "mrn": who.mrn,
        "sex": who.sex,
        "instrument": read.instrument,
        "authored_on": read.authored_on.isoformat() if read.authored_on else None,
        "total": read.total,
        "items": list(read.item_points) if read.item_points is not None else None,
        "severity": read.severity,
        "critical": read.critical,
        "reasons": sorted({finding.code for finding in read.findings if finding.blocking}),
    }


def _agree(read: dict[str, Json], wanted: dict[str, Json]) -> bool:
    """Whether a record is read as expected.

    Letter case of severities and suffixes does not count. A reader may give more reasons than expected, never for a
    record that is expected to have none, and it may name the instrument an ambiguous name is nearest to. An answer
    about self-harm that cannot be read alerts, whatever it may have been.
    """
    given, expected = set(_strings(read["reasons"])), set(_strings(wanted["reasons"]))
    said = all(code in given or (code in _WORDING and given & _WORDING) for code in expected)
    if (given and not expected) or not said:
        return False
    free = {"reasons"}
    free |= {"instrument"} if "instrument-ambiguous" in given and wanted["instrument"] is None else set()
    free |= {"critical"} if "critical-unreadable" in given and read["critical"] is True else set()
    return all(_plain(key, read[key]) == _plain(key, wanted[key]) for key in read.keys() - free)


def _plain(key: str, value: Json) -> Json:
    return value.casefold() if key in ("severity", "suffix") and isinstance(value, str) else value


def _reasons(record: dict[str, Json]) -> list[str]:
    return _strings(record.get("why", record.get("reasons")))


def _strings(value: Json) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []
