"""Reading who a record is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from parsers.dates import UnreadableDateError, read_date
from parsers.template import Template
from parsers.template_parts import Field
from records.finding import Finding
from records.human_name import NameParts, is_cut_off, split_name
from records.patient import PatientIdentity
from records.report import Cell, ExtractedRow

# The oldest verified human age is 122 years; nobody in a clinic's queue is older than 120.
_OLDEST_YEARS = 120
_SEXES = {"f": "F", "female": "F", "w": "F", "m": "M", "male": "M", "x": "X", "other": "X", "nonbinary": "X"}
_UNKNOWN_SEX = frozenset({"", "u", "unknown", "-", "n/a"})
# Cut off at a line's end, or holding a number that is no generation ("3rd"): something else is in the cell, or missing.
_NO_SUFFIX = re.compile(r"\W*\d+\W*")
_NO_WHOLE_NAME = re.compile(r"[-‐‑,]\s*$|\d(?!(?:st|nd|rd|th)\b)", re.IGNORECASE)
# Ligatures are a way to draw letters: whoever looks at "Heﬀernan" reads Heffernan.
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_BLANK = re.compile(r"[\s_\-–—.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadIdentity:
    """An identity and what was wrong with its cells."""

    identity: PatientIdentity
    findings: tuple[Finding, ...]


def read_identity(row: ExtractedRow, template: Template, *, today: date) -> ReadIdentity:
    """The person a row is about, as printed; cells that cannot be read are None with a finding."""
    findings: list[Finding] = []
    name, parts = _name(row, template)
    if not name:
        findings.append(Finding(code="name-missing", region=row.region))
    elif (parts.family is None and parts.given is None) or _NO_WHOLE_NAME.search(name):
        findings.append(Finding(code="name-unreadable", region=row.region))
    suffix = _text(row, Field.SUFFIX)
    if suffix and _NO_SUFFIX.fullmatch(suffix):
        # A number in a column that is blank in most rows: another column's, perhaps.
        findings.append(Finding(code="name-unreadable", region=row.region))
    if parts.cut_off:
        findings.append(Finding(code="name-cut-off", region=row.region, blocking=False))
    born, other = _birth_date(row, template, today, findings)
    sex_cell = _text(row, Field.SEX)
    sex = _SEXES.get(sex_cell.casefold())
    if sex is None and sex_cell.casefold() not in _UNKNOWN_SEX:
        findings.append(Finding(code="sex-unreadable", region=row.region))
    identity = PatientIdentity(
        name=name,
        family=parts.family,
        given=parts.given,
        middle=_text(row, Field.MIDDLE) or parts.middle,
        suffix=suffix or parts.suffix,
        birth_date=born,
        birth_date_other_reading=other,
        mrn=_text(row, Field.MRN) or None,
        sex=sex,
        phone=_text(row, Field.PHONE) or None,
        clinician=_text(row, Field.CLINICIAN) or None,
        visit_date=_visit_date(row, template, today),
        cut_off=parts.cut_off,
    )
    return ReadIdentity(identity=identity, findings=tuple(findings))


def _name(row: ExtractedRow, template: Template) -> tuple[str, NameParts]:
    name = _text(row, Field.NAME)
    if name:
        return name, split_name(name, order=template.names.value)
    family, given = _text(row, Field.FAMILY), _text(row, Field.GIVEN)
    printed = ", ".join(part for part in (family, given) if part)
    if not given and is_cut_off(family):
        return printed, split_name(f"{family},", order="family-first")
    if not family or not given:
        return printed, NameParts(family=family or None, given=given or None)
    return printed, split_name(f"{family}, {given}", order="family-first")


def _birth_date(
    row: ExtractedRow, template: Template, today: date, findings: list[Finding]
) -> tuple[date | None, date | None]:
    cell: Cell | None = row.cell(Field.BIRTH_DATE)
    if cell is None:
        return None, None
    region = cell.region or row.region
    try:
        printed = read_date(cell.text, template.date_formats(Field.BIRTH_DATE), not_after=today)
    except UnreadableDateError:
        findings.append(Finding(code="birth-date-unreadable", region=region))
        return None, None
    if printed is None:
        return None, None
    if printed.other is not None:
        findings.append(Finding(code="birth-date-ambiguous", region=region))
    if printed.day > today or today.year - printed.day.year > _OLDEST_YEARS:
        findings.append(Finding(code="birth-date-implausible", region=region))
    return printed.day, printed.other


def _visit_date(row: ExtractedRow, template: Template, today: date) -> date | None:
    """The day of the visit, or None where it cannot be told for sure: it would only support."""
    try:
        printed = read_date(_text(row, Field.VISIT_DATE), template.date_formats(Field.VISIT_DATE), not_after=today)
    except UnreadableDateError:
        return None
    return None if printed is None or printed.other is not None else printed.day


def _text(row: ExtractedRow, field: Field) -> str:
    cell = row.cell(field)
    return "" if cell is None or _BLANK.fullmatch(cell.text) else cell.text.strip().translate(_LIGATURES)
