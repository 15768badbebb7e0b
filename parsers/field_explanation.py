"""Why each field of a record is read as it is, in words: where it is looked for, what stands there, what it means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parsers.areas import TableArea
from parsers.dates import UnreadableDateError, read_date
from parsers.scores import UnreadableScoreError, read_score
from parsers.template import Template
from parsers.template_parts import Column, Field, LabelledField
from records.assessment import ItemState, SymptomAssessment
from records.finding import Finding, sentence
from records.geometry import Region
from records.report import Cell, ExtractedRow, ItemRow

# Which fields a code speaks of, by how it begins; the longest beginning counts.
_SPEAKS_OF = {
    "name-": (Field.NAME, Field.FAMILY, Field.GIVEN),
    "birth-date-": (Field.BIRTH_DATE,),
    "date-before-birth": (Field.BIRTH_DATE, Field.AUTHORED_ON),
    "date-": (Field.AUTHORED_ON,),
    "sex-": (Field.SEX,),
    "instrument-": (Field.INSTRUMENT,),
    "total-": (Field.TOTAL, Field.RESULT),
    "sum-differs": (Field.TOTAL,),
    "severity-": (Field.SEVERITY, Field.TOTAL),
    "result-": (Field.RESULT, Field.TOTAL),
}
_BY_PLACE = frozenset({"readers-differ", "digits-differ", "text-quality", "label-repeated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldExplanation:
    """One field of one record.

    Attributes:
        field: The field's name, "item 3" for an answer.
        sought: Where the template says it stands.
        text: As printed; a patient's data.
        value: What it is read as; a patient's data; empty where it is not read.
        region: Where it was found; None if blank or in a CSV file.
        remark: Why it is not read, or what speaks against it; no patient's data. Empty where nothing does.
        agreed: Whether the other readers see the same; None where there is no other reading.
    """

    field: str
    sought: str
    text: str
    value: str
    region: Region | None
    remark: str
    agreed: bool | None


def explain_fields(
    row: ExtractedRow, read: SymptomAssessment | None, template: Template, areas: Sequence[TableArea]
) -> tuple[FieldExplanation, ...]:
    """An explanation for every field of a record, in the order in which they were found.

    Args:
        row: The record as printed.
        read: What it was read as, or None where the reading was refused.
        template: The template.
        areas: Where the tables of the document stand.
    """
    return tuple(_explanations(row, read, template, areas))


def unexplained(row: ExtractedRow, read: SymptomAssessment | None) -> tuple[Finding, ...]:
    """The findings of a record that speak of none of its fields, but of the row as a whole."""
    findings = read.findings if read is not None else row.findings
    cells = [*row.cells, *((f"item {item.link_id}", item.points) for item in row.items or ())]
    return tuple(finding for finding in findings if not any(_speaks_of(finding, name, cell) for name, cell in cells))


def _explanations(
    row: ExtractedRow, read: SymptomAssessment | None, template: Template, areas: Sequence[TableArea]
) -> Iterator[FieldExplanation]:
    findings = read.findings if read is not None else row.findings
    if row.instrument is not None:
        yield FieldExplanation(
            field="instrument", sought="said by the template", text="", value=row.instrument, region=None, remark="",
            agreed=None,
        )  # fmt: skip
    for name, cell in row.cells:
        yield FieldExplanation(
            field=name,
            sought=_sought(name, cell, row, template, areas),
            text=cell.text,
            value=_value(name, cell, read),
            region=cell.region,
            remark=_remark(name, cell, template, findings),
            agreed=_agreed(cell, findings, read),
        )
    for at, item in enumerate(row.items or ()):
        yield _item(item, at, read, template, findings)


def _item(
    item: ItemRow, at: int, read: SymptomAssessment | None, template: Template, findings: Sequence[Finding]
) -> FieldExplanation:
    score = read.items[at] if read is not None and read.items is not None and at < len(read.items) else None
    own = [finding for finding in findings if _speaks_of(finding, f"item {item.link_id}", item.points)]
    remarks = [sentence(finding.code) for finding in own]
    if not item.label_matches:
        remarks.append("It does not stand beside its own wording.")
    part = template.items_of(read.instrument if read is not None else None) or next(iter(template.items), None)
    wording = part.wording if part is not None else ()
    places = part.ids if part is not None else ()
    question = wording[places.index(item.link_id)] if item.link_id in places else "a question not in the template"
    return FieldExplanation(
        field=f"item {item.link_id}",
        sought=f"beside “{question}”",
        text=item.points.text or (item.answer.text if item.answer else ""),
        value=str(score.points) if score is not None and score.state is ItemState.ANSWERED else "",
        region=item.points.region or (item.answer.region if item.answer else None),
        remark=" ".join(dict.fromkeys(remarks)),
        agreed=_agreed(item.points, findings, read),
    )


def _sought(name: str, cell: Cell, row: ExtractedRow, template: Template, areas: Sequence[TableArea]) -> str:
    place = _place_in(template, name, row.instrument)
    if isinstance(place, Column):
        if cell.area is None or row.page is None:
            return f"column “{place.header}”"
        return f"column “{place.header}”, x {cell.area.x0:.0f} to {cell.area.x1:.0f}"
    if isinstance(place, LabelledField):
        where = {"right": "right of", "below": "below", "above": "above"}[place.place.value]
        return f"{where} “{place.label}”"
    part = template.items_of(row.instrument)
    summary = next((s for s in part.summary if name in {str(v) for v in s.cells.values()}), None) if part else None
    if summary is not None:
        return f"row “{summary.label}”"
    if any(name in table.group_fields for table in template.table):
        return "a heading above the row"
    if any(name in detail.pattern.groupindex for table in template.table for detail in table.details):
        return "a line below the row"
    if any(table.across is not None and name in (table.across.field, Field.TOTAL) for table in template.table):
        return "a column headed by a date"
    if any(name in sentences.pattern.groupindex for sentences in template.sentences):
        return "a sentence"
    return "nowhere in the template" if not areas else ""


def _place_in(template: Template, name: str, instrument: str | None) -> Column | LabelledField | None:
    columns = [column for header in template.headers for column in header]
    places: list[Column | LabelledField] = [*columns, *template.labelled]
    found = [place for place in places if place.field == name]
    return next((place for place in found if place.instrument == instrument), found[0] if found else None)


def _value(name: str, cell: Cell, read: SymptomAssessment | None) -> str:
    if read is None or not cell.text:
        return ""
    who = read.patient
    parts = (who.family, who.given, who.middle, who.suffix)
    values: dict[str, object] = {
        Field.NAME: " | ".join(part for part in parts if part),
        Field.FAMILY: who.family,
        Field.GIVEN: who.given,
        Field.MIDDLE: who.middle,
        Field.SUFFIX: who.suffix,
        Field.BIRTH_DATE: who.birth_date,
        Field.MRN: who.mrn,
        Field.SEX: who.sex,
        Field.PHONE: who.phone,
        Field.CLINICIAN: who.clinician,
        Field.VISIT_DATE: who.visit_date,
        Field.INSTRUMENT: read.instrument,
        Field.TOTAL: read.total if read.total is not None else read.result,
        Field.RESULT: read.result,
        Field.SEVERITY: read.severity,
        Field.ANSWERS: " ".join("?" if item.points is None else str(item.points) for item in read.items or ()),
        Field.AUTHORED_ON: read.authored_on,
        Field.AUTHORED_TIME: read.authored_time,
    }
    value = values.get(name)
    return "" if value is None else str(value)


def _remark(name: str, cell: Cell, template: Template, findings: Sequence[Finding]) -> str:
    own = [finding.code for finding in findings if _speaks_of(finding, name, cell)]
    remarks = [_closer(code, name, cell, template) or sentence(code) for code in own]
    if not cell.text and not own:
        remarks.append("Blank.")
    return " ".join(dict.fromkeys(remarks))


def _closer(code: str, name: str, cell: Cell, template: Template) -> str | None:
    """A reason that says more than the code's sentence, without quoting the cell."""
    if code in ("date-unreadable", "birth-date-unreadable"):
        formats = template.date_formats(Field(name))
        try:
            read_date(cell.text, formats)
        except UnreadableDateError:
            return f"No format of {', '.join(formats)} reads the cell."
    if code == "total-unreadable":
        try:
            read_score(cell.text, maximum=None)
        except UnreadableScoreError as error:
            reason = str(error)
            return f"{reason[0].upper()}{reason[1:]}."
        return "Its printed maximum is not this questionnaire's."
    if code == "instrument-unknown":
        return f"{sentence(code)} Name it under “instruments”."
    return None


def _speaks_of(finding: Finding, name: str, cell: Cell) -> bool:
    if finding.code in _BY_PLACE:
        places = [place for place in (cell.area, cell.region) if place is not None]
        return finding.region is not None and any(finding.region == place for place in places)
    if name.startswith("item "):
        return finding.code.startswith(f"item-{name.removeprefix('item ')}-")
    beginning = max((key for key in _SPEAKS_OF if finding.code.startswith(key)), key=len, default=None)
    return beginning is not None and name in _SPEAKS_OF[beginning]


def _agreed(cell: Cell, findings: Sequence[Finding], read: SymptomAssessment | None) -> bool | None:
    if read is None or (cell.region is None and cell.area is None):
        return None
    doubts = [finding for finding in findings if finding.code in ("readers-differ", "digits-differ", "marks-differ")]
    return not any(finding.region is not None and finding.region == cell.area for finding in doubts)
