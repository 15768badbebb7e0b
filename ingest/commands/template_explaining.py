"""What `template explain` shows."""

from __future__ import annotations

from pathlib import Path

from ingest.page_picture import DOTS_PER_INCH, drawn_over
from ingest.report_json import Json
from ingest.terminal import note, print_json, print_table
from ingest.workers import ReaderPool
from parsers.explanation import Explanation
from parsers.field_explanation import FieldExplanation, explain_fields, unexplained
from parsers.template import Template
from parsers.twin.masked_copy import masked as shape_of
from parsers.twin.masked_copy import masked_copy
from records.assessment import SymptomAssessment
from records.finding import Finding, sentence
from records.geometry import Region
from records.report import ExtractedRow

_MOST = 25  # findings shown as a table


def show_explanation(found: Explanation, template: Template, *, records: int, masked: bool, as_json: bool) -> bool:
    """Print what a template makes of a file; whether it fits and nothing waits for a person.

    Args:
        found: The explanation.
        template: Its template.
        records: How many records to show field by field; all of them as JSON.
        masked: Whether letters and digits are replaced.
        as_json: JSON on standard output instead of tables.
    """
    per_record = [assessment.findings for assessment in found.reading.assessments] if found.reading else []
    file_findings = found.reading.findings if found.reading else found.report.findings
    blocking = [f for f in (*file_findings, *(f for each in per_record for f in each)) if f.blocking]
    clean = found.reading is not None and not blocking
    if as_json:
        print_json(_json(found, template, file_findings, per_record, masked=masked))
        return clean
    for anchor in found.missing_anchors:
        note(f"Anchor “{anchor}” is not printed: the template does not fit.")
    if found.refusal:
        note(found.refusal)
    print_table(
        template.name,
        ("pages", "records", "without score", "waiting", "findings of the file"),
        [
            (
                found.report.pages,
                len(found.report.rows),
                found.report.no_score,
                sum(any(f.blocking for f in each) for each in per_record),
                len(file_findings),
            )
        ],
    )
    shown = found.report.rows[:records]
    for number, row in enumerate(shown):
        _show_record(number + 1, row, _read(found, number), found, template, masked=masked)
    if file_findings:
        # The faults of the whole file first: where no anchor fits, every word of it is left over.
        first = sorted(file_findings, key=lambda f: f.region is not None)[:_MOST]
        rows = [(_place(f.region), f.code, sentence(f.code), _masked(f.detail, masked)) for f in first]
        print_table("What is left over or wrong with the file", ("where", "code", "what it means", "print"), rows)
        if len(file_findings) > _MOST:
            note(f"… and {len(file_findings) - _MOST} more; --json shows all.")
    waiting = [
        (number, f.code, sentence(f.code), _place(f.region))
        for number, each in enumerate(per_record, start=1)
        for f in each
        if number > records
    ]
    if waiting:
        print_table("Findings of the other records", ("record", "code", "what it means", "where"), waiting)
    return clean


def write_picture(
    path: Path, found: Explanation, template: Template, content: bytes, pool: ReaderPool, *, page: int, masked: bool
) -> None:
    """Write a page with everything found drawn over it; a CSV file has no picture."""
    if found.document is None:
        note("A table file has no pages to draw.")
        return
    drawn = pool.call(masked_copy, content, template) if masked else content
    path.write_bytes(drawn_over(pool.render(drawn, page, DOTS_PER_INCH), found, page=page))
    note(f"{path}: the legend is below the page; what nothing claims is red and crossed out.")


def _read(found: Explanation, number: int) -> SymptomAssessment | None:
    assessments = found.reading.assessments if found.reading is not None else ()
    return assessments[number] if number < len(assessments) else None


def _show_record(
    number: int,
    row: ExtractedRow,
    read: SymptomAssessment | None,
    found: Explanation,
    template: Template,
    *,
    masked: bool,
) -> None:
    rows = [
        (
            each.field,
            each.sought,
            _masked(each.text, _hides(each, masked)),
            _masked(each.value, _hides(each, masked)),
            _place(each.region),
            _told(each),
        )
        for each in explain_fields(row, read, template, found.areas)
    ]
    where = f"page {row.page}" if row.page is not None else f"line {row.line}"
    columns = ("field", "looked for", "as printed", "read as", "where", "remark")
    print_table(f"Record {number}, {where}", columns, rows)
    for finding in unexplained(row, read):
        note(f"  {finding.code}: {sentence(finding.code)}")


def _hides(each: FieldExplanation, masked: bool) -> bool:
    # A known questionnaire names nobody; an unknown one may be a person in the wrong column.
    return masked and not (each.field == "instrument" and each.value)


def _told(each: FieldExplanation) -> str:
    agreed = "The readers agree." if each.agreed and each.text and not each.remark else ""
    return each.remark or agreed


def _json(
    found: Explanation,
    template: Template,
    file_findings: tuple[Finding, ...],
    per_record: list[tuple[Finding, ...]],
    *,
    masked: bool,
) -> dict[str, Json]:
    return {
        "template": template.name,
        "fits": not found.missing_anchors,
        "missing_anchors": list(found.missing_anchors),
        "refusal": found.refusal or None,
        "pages": found.report.pages,
        "no_score": found.report.no_score,
        "findings": [_finding_json(f, masked=masked) for f in file_findings],
        "records": [
            {
                "page": row.page,
                "line": row.line,
                "region": _box(row.region),
                "instrument": row.instrument,
                "fields": [
                    _field_json(each, masked=masked)
                    for each in explain_fields(row, _read(found, number), template, found.areas)
                    if not each.field.startswith("item ") and each.sought != "said by the template"
                ],
                "items": [
                    {
                        "link_id": item.link_id,
                        "text": _masked(item.points.text, masked),
                        "region": _box(item.points.region),
                        "beside_its_wording": item.label_matches,
                    }
                    for item in row.items or ()
                ],
                "findings": [
                    _finding_json(f, masked=masked)
                    for f in (per_record[number] if number < len(per_record) else row.findings)
                ],
            }
            for number, row in enumerate(found.report.rows)
        ],
    }


def _field_json(each: FieldExplanation, *, masked: bool) -> dict[str, Json]:
    return {
        "field": each.field,
        "looked_for": each.sought,
        "text": _masked(each.text, _hides(each, masked)),
        "read_as": _masked(each.value, _hides(each, masked)),
        "region": _box(each.region),
        "remark": each.remark,
        "readers_agree": each.agreed,
    }


def _finding_json(finding: Finding, *, masked: bool) -> dict[str, Json]:
    return {
        "code": finding.code,
        "sentence": sentence(finding.code),
        "blocking": finding.blocking,
        "page": finding.region.page if finding.region else None,
        "region": _box(finding.region),
        "detail": _masked(finding.detail, masked),
    }


def _box(region: Region | None) -> list[float] | None:
    return list(region.box) if region else None


def _place(region: Region | None) -> str:
    if region is None:
        return ""
    x0, top, x1, bottom = (round(edge) for edge in region.box)
    return f"page {region.page}: {x0},{top} to {x1},{bottom}"


def _masked(text: str, masked: bool) -> str:
    """The text, or its shape: what an author needs to see of a patient's."""
    return shape_of(text) if masked else text
