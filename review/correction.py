"""What a person changes in a record, held against the same clinical rules as the print."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import inf
from typing import Final, TypeAlias

from parsers.instrument_library import resolve, result_level, severity_band
from parsers.item_reading import CriticalAnswer, critical_answer
from records.assessment import ItemScore, ItemState, SymptomAssessment
from records.errors import DecisionRefusedError
from records.finding import Finding, sentence
from records.instrument import Instrument, ScoringRule
from records.report import ExtractedRow

# Findings about the values themselves: a person has looked, so they are found anew in what the person wrote.
_ABOUT_VALUES: Final = re.compile(
    r"total-(?:missing|unreadable|out-of-range)|sum-differs|severity-(?:differs|not-checked)|result-unreadable"
    r"|item-\w+-(?:blank|unreadable|out-of-range|words-differ)|critical-unreadable"
)
_ABOUT_DATE: Final = re.compile(r"date-(?:missing|unreadable|ambiguous|in-future|before-birth)")
_ABOUT_INSTRUMENT: Final = re.compile(r"instrument-(?:missing|unknown|ambiguous|unverified)")
_WHOLE_NUMBER: Final = re.compile(r"\d{1,4}")
_ITEM: Final = "item-"
_LONGEST_TIME: Final = 40

Faults: TypeAlias = list[tuple[str, str]]
"""Fields, and why they cannot be kept like this."""


def corrected(
    assessment: SymptomAssessment, changes: Mapping[str, str], instruments: Mapping[str, Instrument], *, today: date
) -> SymptomAssessment:
    """The record with a person's changes, its findings about the changed values found anew.

    Args:
        assessment: The record as it stands.
        changes: Field to new text: "total", "authored_on" (ISO), "authored_time" (a time or visit as printed, or
            empty), "instrument" (an id or a known name), "result", "item-<link id>" (empty for a blank answer), or
            "items" with all answers in the order of the form.
        instruments: The library.
        today: Today at the site.

    Raises:
        DecisionRefusedError: A field is unknown, cannot be read, or breaks a clinical rule; every fault is named.
    """
    revised, faults = changed(assessment, changes, instruments)
    sentences = [fault for _, fault in (*faults, *faults_by_field(revised, instruments, today=today))]
    if sentences:
        raise _refused(sentences)
    return with_findings(revised, changes, instruments.get(revised.instrument or ""))


def changed(
    assessment: SymptomAssessment, changes: Mapping[str, str], instruments: Mapping[str, Instrument]
) -> tuple[SymptomAssessment, Faults]:
    """The record with what can be read of the changes, its findings as they were; and by field what cannot."""
    faults: Faults = []
    revised = assessment
    for field in changes:
        if field not in _FIELDS and not field.startswith(_ITEM):
            faults.append((field, _UNKNOWN_FIELD))
    if "instrument" in changes:
        revised = _with_instrument(revised, changes["instrument"], instruments, faults)
    if "authored_on" in changes:
        revised = _with_date(revised, changes["authored_on"], faults)
    if "authored_time" in changes:
        revised = _with_time(revised, changes["authored_time"], faults)
    if "total" in changes:
        revised = _with_total(revised, changes["total"], faults)
    if "result" in changes:
        revised = _with_result(revised, changes["result"], instruments.get(revised.instrument or ""), faults)
    return _with_items(revised, _item_changes(revised, changes, faults), faults), faults


@dataclass(frozen=True, slots=True, kw_only=True)
class CriticalItem:
    """The gravest critical answer of a record.

    Attributes:
        link_id: The question, or None for a result level.
        points: Its points; None for a level and for an answer that cannot be read.
    """

    link_id: str | None
    points: int | None

    @property
    def rank(self) -> float:
        """Greater is graver; what is no number counts as gravest, as in the store."""
        return inf if self.points is None else self.points


def critical_item(assessment: SymptomAssessment, instruments: Mapping[str, Instrument]) -> CriticalItem | None:
    """The answer that makes a record critical, or None if it is not."""
    if not assessment.critical:
        return None
    instrument = instruments.get(assessment.instrument or "")
    least = {rule.link_id: rule.at_least for rule in instrument.critical} if instrument else {}
    answers = [item for item in assessment.items or () if item.link_id in least]
    found = [
        CriticalItem(link_id=item.link_id, points=item.points)
        for item in answers
        if item.state is ItemState.UNREADABLE or (item.points or 0) >= least[item.link_id]
    ]
    return max(found, key=lambda item: item.rank, default=CriticalItem(link_id=None, points=None))


def is_about_values(code: str) -> bool:
    """Whether a reason speaks of values that a person can correct, so that it may be settled by a correction."""
    return any(pattern.fullmatch(code) for pattern in (_ABOUT_VALUES, _ABOUT_DATE, _ABOUT_INSTRUMENT))


def faults_of(assessment: SymptomAssessment, instruments: Mapping[str, Instrument], *, today: date) -> tuple[str, ...]:
    """Why a record may not go to a chart even if a person says so; empty if it may.

    A blank answer is allowed: the print is kept as it is, and nothing is prorated.
    """
    return tuple(dict.fromkeys(sentence for _, sentence in faults_by_field(assessment, instruments, today=today)))


def faults_by_field(
    assessment: SymptomAssessment, instruments: Mapping[str, Instrument], *, today: date
) -> tuple[tuple[str, str], ...]:
    """The same, each with the field that it is about, named as in `corrected`."""
    instrument = instruments.get(assessment.instrument or "")
    faults: Faults = []
    if instrument is None:
        code = "instrument-unknown" if assessment.instrument else "instrument-missing"
        faults.append(("instrument", sentence(code)))
    if assessment.authored_on is None:
        faults.append(("authored_on", sentence("date-missing")))
    elif assessment.authored_on > today:
        faults.append(("authored_on", sentence("date-in-future")))
    elif assessment.patient.birth_date is not None and assessment.authored_on < assessment.patient.birth_date:
        faults.append(("authored_on", sentence("date-before-birth")))
    if instrument is not None:
        of_score = "result" if instrument.rule is ScoringRule.LEVEL else "total"
        faults += [(of_score, fault) for fault in _score_faults(assessment, instrument)]
        faults += _item_faults(assessment, instrument)
    return tuple(faults)


_UNKNOWN_FIELD: Final = (
    "These fields cannot be corrected: total, authored_on, authored_time, instrument, result and item-… can."
)
_FIELDS: Final = frozenset({"total", "authored_on", "authored_time", "instrument", "result", "items"})


def _refused(faults: list[str]) -> DecisionRefusedError:
    return DecisionRefusedError(" ".join(dict.fromkeys(faults)), next_step="Nothing was saved. Check the print.")


def _with_instrument(
    assessment: SymptomAssessment, text: str, instruments: Mapping[str, Instrument], faults: Faults
) -> SymptomAssessment:
    name = text.strip()
    meant = name if name in instruments else resolve(name, instruments).instrument_id
    if meant is None or (name not in instruments and resolve(name, instruments).ambiguous):
        faults.append(("instrument", "This is not the id of a questionnaire in the library."))
        return assessment
    return replace(assessment, instrument=meant)


def _with_date(assessment: SymptomAssessment, text: str, faults: Faults) -> SymptomAssessment:
    try:
        return replace(assessment, authored_on=date.fromisoformat(text.strip()))
    except ValueError:
        faults.append(("authored_on", "The date must be written as year-month-day, for instance 2026-03-04."))
        return assessment


def _with_time(assessment: SymptomAssessment, text: str, faults: Faults) -> SymptomAssessment:
    time = text.strip()
    if len(time) > _LONGEST_TIME or not time.isprintable():
        faults.append(("authored_time", "The time or visit must be a few characters, as it is printed."))
        return assessment
    return replace(assessment, authored_time=time or None)


def _with_total(assessment: SymptomAssessment, text: str, faults: Faults) -> SymptomAssessment:
    points = _points(text)
    if points is None:
        faults.append(("total", sentence("total-unreadable")))
        return assessment
    return replace(assessment, total=points)


def _with_result(
    assessment: SymptomAssessment, text: str, instrument: Instrument | None, faults: Faults
) -> SymptomAssessment:
    level = result_level(text, instrument) if instrument else None
    if level is None:
        faults.append(("result", sentence("result-unreadable")))
        return assessment
    return replace(assessment, result=level)


def _item_changes(assessment: SymptomAssessment, changes: Mapping[str, str], faults: Faults) -> dict[str, str]:
    wanted = {field.removeprefix(_ITEM): text for field, text in changes.items() if field.startswith(_ITEM)}
    if "items" not in changes:
        return wanted
    answers = [text.strip() for text in re.split(r"[,;]", changes["items"])]
    if len(answers) == 1:
        answers = changes["items"].split()
    ids = [item.link_id for item in assessment.items or ()]
    if len(answers) != len(ids):
        faults.append(("items", sentence("item-count")))
        return wanted
    return dict(zip(ids, answers, strict=True)) | wanted


def _with_items(assessment: SymptomAssessment, wanted: Mapping[str, str], faults: Faults) -> SymptomAssessment:
    if not wanted:
        return assessment
    printed = {item.link_id for item in assessment.items or ()}
    if not wanted.keys() <= printed:
        faults.append(("items", "Only answers that are printed on the report can be corrected."))
    items = tuple(_item(item, wanted.get(item.link_id), faults) for item in assessment.items or ())
    return replace(assessment, items=items if assessment.items is not None else None)


def _item(item: ItemScore, text: str | None, faults: Faults) -> ItemScore:
    if text is None:
        return item
    if not text.strip() or text.strip() in ("-", "–"):
        return replace(item, state=ItemState.BLANK, points=None)
    points = _points(text)
    if points is None:
        faults.append((f"item-{item.link_id}", sentence(f"item-{item.link_id}-unreadable")))
        return item
    return replace(item, state=ItemState.ANSWERED, points=points)


def _points(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and _WHOLE_NUMBER.fullmatch(text) else None


def _score_faults(assessment: SymptomAssessment, instrument: Instrument) -> list[str]:
    if instrument.rule is ScoringRule.LEVEL:
        return [] if assessment.result in instrument.levels else [sentence("result-unreadable")]
    if assessment.total is None:
        return [sentence("total-missing")]
    low, high = instrument.minimum, instrument.maximum
    if low is not None and high is not None and not low <= assessment.total <= high:
        return [f"{sentence('total-out-of-range')} It goes from {low} to {high}."]
    return [sentence("sum-differs")] if _sum_differs(assessment, instrument) else []


def _item_faults(assessment: SymptomAssessment, instrument: Instrument) -> Faults:
    faults = []
    for item in assessment.items or ():
        known = instrument.item(item.link_id)
        if item.state is ItemState.UNREADABLE:
            faults.append((f"item-{item.link_id}", sentence(f"item-{item.link_id}-unreadable")))
        elif known is not None and item.points is not None and not known.minimum <= item.points <= known.maximum:
            fault = f"{sentence(f'item-{item.link_id}-out-of-range')} It goes from {known.minimum} to {known.maximum}."
            faults.append((f"item-{item.link_id}", fault))
    return faults


def _sum_differs(assessment: SymptomAssessment, instrument: Instrument) -> bool:
    total = sum_of_answers(assessment, instrument)
    return total is not None and total != assessment.total


def sum_of_answers(assessment: SymptomAssessment, instrument: Instrument) -> int | None:
    """What the answers add up to; None where some are missing, or the library does not know how each one counts."""
    scored = {item.link_id for item in instrument.items if item.scored}
    counted = [item.points for item in assessment.items or () if item.link_id in scored]
    if "scoring" in instrument.unverified or "item-scoring" in instrument.unverified or not counted:
        return None
    answered = [points for points in counted if points is not None]
    return sum(answered) if len(answered) == len(scored) else None


def with_findings(
    assessment: SymptomAssessment, changes: Mapping[str, str], instrument: Instrument | None
) -> SymptomAssessment:
    """The record without the findings that the person has settled, with those that the new values raise."""
    settled = [_ABOUT_VALUES]
    settled += [_ABOUT_DATE] if "authored_on" in changes else []
    settled += [_ABOUT_INSTRUMENT] if "instrument" in changes else []
    kept = [f for f in assessment.findings if not any(pattern.fullmatch(f.code) for pattern in settled)]
    kept += [
        Finding(code=f"item-{item.link_id}-blank", region=item.source or assessment.region)
        for item in assessment.items or ()
        if item.state is ItemState.BLANK
    ]
    critical = assessment.critical
    unverified = assessment.critical_unverified
    if instrument is not None:
        kept += _severity_finding(assessment, instrument)
        answer = critical_answer(_row_of(assessment), [instrument], assessment.items, level=assessment.result)
        critical, unverified = answer.alerts, answer is CriticalAnswer.YES_UNVERIFIED
        if instrument.unverified and "instrument" in changes:
            kept.append(Finding(code="instrument-unverified", region=assessment.region))
    return replace(assessment, critical=critical, critical_unverified=unverified, findings=tuple(dict.fromkeys(kept)))


def _severity_finding(assessment: SymptomAssessment, instrument: Instrument) -> list[Finding]:
    if assessment.severity is None or assessment.total is None:
        return []
    named = severity_band(assessment.severity, instrument)
    if named is None:
        return [Finding(code="severity-not-checked", region=assessment.region, blocking=False)]
    if named != instrument.band(assessment.total):
        return [Finding(code="severity-differs", region=assessment.region)]
    return []


def _row_of(assessment: SymptomAssessment) -> ExtractedRow:
    """A row without print, for rules that ask only whether the layout itself was doubtful: a person has read it."""
    return ExtractedRow(page=assessment.page, line=assessment.line, region=assessment.region, cells=())
