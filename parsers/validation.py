"""Records as printed read as values and held against the instrument library. Nothing is guessed or prorated."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from parsers.answer_lists import with_answers
from parsers.dates import PrintedDate, UnreadableDateError, read_date
from parsers.identity import read_identity
from parsers.instrument_library import resolve, result_level, severity_band
from parsers.item_reading import CriticalAnswer, critical_answer, read_items
from parsers.lines import folded
from parsers.scores import PrintedScore, UnreadableScoreError, read_score
from parsers.template import Template
from parsers.template_parts import Field
from records.assessment import ItemScore, SymptomAssessment
from records.finding import Finding
from records.instrument import Instrument, ScoringRule
from records.report import Cell, ExtractedRow

_PRIVATE = ("Co", "Cc", "Cs", "Cn")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Score:
    total: int | None = None
    result: str | None = None
    severity: str | None = None


def validate(
    row: ExtractedRow,
    template: Template,
    instruments: Mapping[str, Instrument],
    *,
    today: date,
    also: Sequence[Finding] = (),
) -> SymptomAssessment:
    """The assessment a printed record stands for, with a finding for everything that is not as it must be.

    Args:
        row: The record as printed.
        template: Its template.
        instruments: The library.
        today: Today at the site; later dates are findings.
        also: Findings other stages have about this record.
    """
    findings = [*row.findings, *also, *_text_quality(row)]
    who = read_identity(row, template, today=today)
    findings += who.findings
    instrument, printed_name, meant = _instrument(row, template, instruments, findings)
    when = _authored(row, template, today, who.identity.birth_date, findings)
    row = with_answers(row, template, meant)
    findings += [finding for finding in row.findings if finding not in findings]
    items = read_items(row, template, instrument, findings)
    score = _score(row, template, instrument, findings)
    _compare(row, template, instrument, score, items, findings)
    critical = critical_answer(row, meant, items, level=score.result, findings=findings)
    if critical is CriticalAnswer.UNREADABLE:
        findings.append(Finding(code="critical-unreadable", region=row.region))
    time = row.cell(Field.AUTHORED_TIME)
    return SymptomAssessment(
        page=row.page,
        line=row.line,
        region=row.region,
        patient=who.identity,
        instrument=instrument.instrument_id if instrument else None,
        instrument_printed=printed_name,
        authored_on=when.day if when else None,
        authored_time=(time.text if time and time.text else None) or (when.time if when else None),
        total=score.total,
        total_printed=next((c.text for f in (Field.TOTAL, Field.RESULT) if (c := row.cell(f))), ""),
        result=score.result,
        items=items,
        severity=score.severity,
        critical=critical.alerts,
        critical_unverified=critical is CriticalAnswer.YES_UNVERIFIED,
        findings=tuple(dict.fromkeys(findings)),
    )


def _text_quality(row: ExtractedRow) -> list[Finding]:
    cells: list[Cell] = [cell for _, cell in row.cells]
    for item in row.items or ():
        cells += item.cells
    bad = [cell for cell in cells if _undecoded(cell.text)]
    return [Finding(code="text-quality", region=bad[0].region or row.region)] if bad else []


def _undecoded(text: str) -> bool:
    """Whether some glyph had no character: such text looks right on paper and is wrong in the file."""
    if text.isascii() and text.isprintable():
        return "(cid:" in text
    return "(cid:" in text or "\ufffd" in text or any(unicodedata.category(char) in _PRIVATE for char in text)


def _instrument(
    row: ExtractedRow, template: Template, instruments: Mapping[str, Instrument], findings: list[Finding]
) -> tuple[Instrument | None, str, tuple[Instrument, ...]]:
    """The instrument, its name as printed, and every instrument the name may mean."""
    cell = row.cell(Field.INSTRUMENT)
    candidates: tuple[str, ...] = ()
    if row.instrument is not None:
        instrument, printed, ambiguous = instruments.get(row.instrument), "", False
    elif cell is None or not cell.text:
        findings.append(Finding(code="instrument-missing", region=row.region))
        return None, "", ()
    else:
        name = resolve(cell.text, instruments, template.instruments)
        instrument = instruments.get(name.instrument_id) if name.instrument_id else None
        printed, ambiguous, candidates = cell.text, name.ambiguous, name.candidates
    if ambiguous:
        findings.append(Finding(code="instrument-ambiguous", region=row.region))
    elif instrument is None:
        findings.append(Finding(code="instrument-unknown", region=row.region))
    if instrument is not None and instrument.unverified:
        findings.append(Finding(code="instrument-unverified", region=row.region))
    meant = [instrument] if instrument else [instruments[name] for name in candidates if name in instruments]
    return instrument, printed, tuple(meant)


def _authored(
    row: ExtractedRow, template: Template, today: date, born: date | None, findings: list[Finding]
) -> PrintedDate | None:
    cell = row.cell(Field.AUTHORED_ON)
    region = (cell.region if cell else None) or row.region
    try:
        when = read_date(cell.text, template.date_formats(Field.AUTHORED_ON)) if cell else None
    except UnreadableDateError:
        findings.append(Finding(code="date-unreadable", region=region))
        return None
    if when is None:
        findings.append(Finding(code="date-missing", region=region))
        return None
    if when.other is not None:
        findings.append(Finding(code="date-ambiguous", region=region))
    if when.day > today:
        findings.append(Finding(code="date-in-future", region=region))
    if born is not None and when.day < born:
        findings.append(Finding(code="date-before-birth", region=region))
    return when


def _score(row: ExtractedRow, template: Template, instrument: Instrument | None, findings: list[Finding]) -> _Score:
    cell = row.cell(Field.TOTAL) or row.cell(Field.RESULT)
    region = (cell.region if cell else None) or row.region
    severity_cell = row.cell(Field.SEVERITY)
    severity = severity_cell.text if severity_cell and severity_cell.text else None
    if instrument is not None and instrument.rule is ScoringRule.LEVEL:
        level = result_level(cell.text, instrument, template.severities) if cell else None
        if level is None:
            findings.append(Finding(code="result-unreadable", region=region))
        return _Score(result=level, severity=severity)
    try:
        score: PrintedScore | None = (
            read_score(cell.text, maximum=instrument.maximum if instrument else None) if cell else None
        )
    except UnreadableScoreError:
        findings.append(Finding(code="total-unreadable", region=region))
        return _Score(severity=severity)
    if score is None:
        findings.append(Finding(code="total-missing", region=region))
        return _Score(severity=severity)
    if severity and score.words and not _same_band(severity, score.words, instrument, template):
        # "6 Mil" beside "d": a word that reaches over the border of two columns is torn by it.
        findings.append(Finding(code="column-boundary", region=region))
    return _Score(total=score.points, severity=severity or score.words)


def _same_band(one: str, other: str, instrument: Instrument | None, template: Template) -> bool:
    if folded(one) == folded(other):
        return True
    bands = [severity_band(text, instrument, template.severities) for text in (one, other)] if instrument else [None]
    return bands[0] is not None and bands[0] == bands[-1]


def _compare(
    row: ExtractedRow,
    template: Template,
    instrument: Instrument | None,
    score: _Score,
    items: tuple[ItemScore, ...] | None,
    findings: list[Finding],
) -> None:
    """Total against range, answers and severity."""
    if instrument is None or score.total is None:
        return
    low, high = instrument.minimum, instrument.maximum
    if low is not None and high is not None and not low <= score.total <= high:
        findings.append(Finding(code="total-out-of-range", region=row.region))
    unscored = {item.link_id for item in instrument.items if not item.scored}
    points = [item.points for item in items or () if item.link_id not in unscored]
    answered = [value for value in points if value is not None]
    if points and len(answered) == len(points) and sum(answered) != score.total:
        findings.append(Finding(code="sum-differs", region=row.region))
    if score.severity is None:
        return
    named = severity_band(score.severity, instrument, template.severities)
    if named is None and re.match(r"\d{1,3}\s*(?:[^\W\d_]|$)", score.severity):
        # "12mild", "7": a number before the word may be the score of another row, or of this one beside another's.
        findings.append(Finding(code="column-boundary", region=row.region))
    elif named is None:
        findings.append(Finding(code="severity-not-checked", region=row.region, blocking=False))
    elif named != instrument.band(score.total):
        findings.append(Finding(code="severity-differs", region=row.region))
