"""Scores of nobody that agree with the instrument's rules: answers add up, and the severity is that of the total."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from parsers.drafting.words import is_severity
from parsers.instrument_library import result_level, severity_band
from parsers.scores import UnreadableScoreError, read_answer, read_score
from parsers.template import Template
from parsers.template_parts import Field
from records.assessment import SymptomAssessment
from records.instrument import Instrument, ScoringRule, SeverityBand
from records.report import Cell, ExtractedRow, ItemRow

_TRIES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedScore:
    """The values of one invented record.

    Attributes:
        texts: Cells with what is printed in them instead.
        items: In the order of the record's items; None where no items are printed, None inside for an answer that was
            blank or unreadable and is left so.
        critical: As in `SymptomAssessment`.
    """

    texts: tuple[tuple[Cell, str], ...]
    total: int | None
    result: str | None
    items: tuple[int | None, ...] | None
    severity: str | None
    critical: bool | None


class ScoreInvention:
    """Draws scores for the records of one report.

    Args:
        random: What is drawn from.
        template: The report's template.
        records: All records as printed, with what was read of them: severities and results that this report prints
            are the ones its twin prints.
        masked: What becomes of a text that is not understood.
    """

    def __init__(
        self,
        random: Random,
        template: Template,
        records: Sequence[tuple[ExtractedRow, SymptomAssessment, Instrument | None]],
        *,
        masked: Callable[[str], str],
    ) -> None:
        self._random = random
        self._template = template
        self._masked = masked
        self._printed: dict[tuple[str, str], set[str]] = {}
        self._longest: dict[str, int] = {}
        for row, read, instrument in records:
            for name in (Field.SEVERITY, Field.RESULT):
                cell = row.cell(name)
                if cell is not None:
                    self._longest[str(name)] = max(self._longest.get(str(name), 0), len(cell.text))
            for answer in (item.answer for item in row.items or () if item.answer is not None):
                self._longest["answer"] = max(self._longest.get("answer", 0), len(answer.text))
            if instrument is not None and read.severity is not None:
                band = severity_band(read.severity, instrument, template.severities)
                if band is not None:
                    self._printed.setdefault((instrument.instrument_id, band.label), set()).add(read.severity)

    def record(self, row: ExtractedRow, read: SymptomAssessment, instrument: Instrument | None) -> InventedScore:
        """Invented values for one record; a cell that cannot be read stays unreadable."""
        if instrument is not None and instrument.rule is ScoringRule.LEVEL:
            return self._level(row, instrument)
        made = self._sum(row, read, instrument)
        for _ in range(_TRIES):
            if self._is_printable(made, row, read, instrument):
                break
            made = self._sum(row, read, instrument)
        return self._written(made, row, read, instrument)

    def _level(self, row: ExtractedRow, instrument: Instrument) -> InventedScore:
        cell = row.cell(Field.TOTAL) or row.cell(Field.RESULT)
        level = result_level(cell.text, instrument, self._template.severities) if cell else None
        if cell is None or level is None:
            texts = ((cell, self._masked(cell.text)),) if cell is not None else ()
            return InventedScore(texts=texts, total=None, result=None, items=None, severity=None, critical=None)
        room = max(self._longest.get(str(Field.RESULT), 0), len(cell.text))
        fitting = [word for word in instrument.levels if len(word) <= room] or [level]
        drawn = self._random.choice(fitting)
        critical = drawn in instrument.critical_levels if instrument.critical_levels else None
        return InventedScore(
            texts=((cell, drawn),), total=None, result=drawn, items=None, severity=None, critical=critical
        )

    def _sum(self, row: ExtractedRow, read: SymptomAssessment, instrument: Instrument | None) -> _Drawn:
        points = tuple(self._points(item, instrument) for item in row.items) if row.items is not None else None
        unscored = {item.link_id for item in instrument.items if not item.scored} if instrument else set()
        scored = [
            value for item, value in zip(row.items or (), points or (), strict=True) if item.link_id not in unscored
        ]
        if scored and None not in scored and read.total is not None:
            return _Drawn(points=points, total=sum(value for value in scored if value is not None))
        if read.total is None:
            return _Drawn(points=points, total=None)
        low, high = _range(instrument, read.total)
        return _Drawn(points=points, total=self._random.randint(low, high))

    def _points(self, item: ItemRow, instrument: Instrument | None) -> int | None:
        """Points for one question, or None where the printed answer is blank or cannot be read."""
        answers = self._answers(instrument)
        try:
            printed = read_score(item.points.text, maximum=None)
            said = read_answer(item.answer.text, answers=answers) if item.answer is not None and answers else None
        except UnreadableScoreError:
            return None
        has_points = item.points.text.strip() != ""
        if (
            (has_points and printed is None)
            or (not has_points and said is None)
            or (has_points and said is None and item.answer is not None and answers)
        ):
            return None
        known = instrument.item(item.link_id) if instrument else None
        choices = range(known.minimum, known.maximum + 1) if known else sorted(set(answers.values())) or range(4)
        if item.answer is not None and answers:
            room = max(self._longest.get("answer", 0), 1)
            choices = [value for value in choices if any(v == value and len(a) <= room for a, v in answers.items())]
        return self._random.choice(list(choices)) if choices else None

    def _answers(self, instrument: Instrument | None) -> dict[str, int]:
        part = self._template.items_of(instrument.instrument_id) if instrument is not None else None
        return part.answers if part is not None else {}

    def _is_printable(
        self, made: _Drawn, row: ExtractedRow, read: SymptomAssessment, instrument: Instrument | None
    ) -> bool:
        """Whether the values differ from the printed ones and are as wide as they."""
        if made.points is not None and any(made.points) and made.points == read.item_points:
            return False
        if made.total is None or read.total is None:
            return True
        if len(str(made.total)) != len(str(read.total)) and _can_be_as_wide(read.total, instrument):
            return False
        alone = row.items is None and made.total == read.total
        return not alone and self._severity(made.total, read, instrument) is not None

    def _severity(self, total: int, read: SymptomAssessment, instrument: Instrument | None) -> str | None:
        """The severity printed beside an invented total; None if it has no room, "" if none is printed."""
        if read.severity is None:
            return ""
        named = severity_band(read.severity, instrument, self._template.severities) if instrument else None
        if instrument is None or named is None:
            return read.severity if is_severity(read.severity) else self._masked(read.severity)
        band = instrument.band(total)
        words = self._words(instrument, band)
        room = max(self._longest.get(str(Field.SEVERITY), 0), len(read.severity))
        fitting = [word for word in words if len(word) <= room]
        return self._random.choice(fitting) if fitting else None

    def _words(self, instrument: Instrument, band: SeverityBand | None) -> list[str]:
        if band is None:
            return []
        return sorted(self._printed.get((instrument.instrument_id, band.label), ())) or [band.label]

    def _written(
        self, made: _Drawn, row: ExtractedRow, read: SymptomAssessment, instrument: Instrument | None
    ) -> InventedScore:
        texts: list[tuple[Cell, str]] = []
        severity = None
        if made.total is not None:
            severity = self._severity(made.total, read, instrument) or None
        elif read.severity is not None:
            severity = self._masked(read.severity)
        cell = row.cell(Field.SEVERITY)
        if cell is not None and cell.text and severity is not None:
            texts.append((cell, severity))
        total_cell = row.cell(Field.TOTAL) or row.cell(Field.RESULT)
        if total_cell is not None and total_cell.text:
            beside = severity if cell is None or not cell.text else self._masked("Abc")
            texts.append((total_cell, self._total_text(total_cell.text, made.total, beside)))
        for item, points in zip(row.items or (), made.points or (), strict=True):
            texts += self._item_texts(item, points, instrument)
        return InventedScore(
            texts=tuple(texts),
            total=made.total,
            result=None,
            items=made.points,
            severity=severity,
            critical=_critical(row, made.points, instrument),
        )

    def _total_text(self, printed: str, total: int | None, severity: str | None) -> str:
        if total is None:
            return self._masked(printed)
        return _with_points(printed, total, words=severity)

    def _item_texts(self, item: ItemRow, points: int | None, instrument: Instrument | None) -> list[tuple[Cell, str]]:
        answers = self._answers(instrument)
        words = next((text for text, value in answers.items() if value == points), None)
        texts: list[tuple[Cell, str]] = []
        if item.points.text:
            changed = (
                self._masked(item.points.text)
                if points is None
                else _with_points(item.points.text, points, words=words)
            )
            texts.append((item.points, changed))
        if item.answer is not None and item.answer.text:
            texts.append((item.answer, words if points is not None and words else self._masked(item.answer.text)))
        return texts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    points: tuple[int | None, ...] | None
    total: int | None


def _range(instrument: Instrument | None, printed: int) -> tuple[int, int]:
    if instrument is not None and instrument.minimum is not None and instrument.maximum is not None:
        return instrument.minimum, instrument.maximum
    digits = len(str(printed))
    return (0 if digits == 1 else 10 ** (digits - 1)), 10**digits - 1


def _can_be_as_wide(printed: int, instrument: Instrument | None) -> bool:
    low, high = _range(instrument, printed)
    return any(len(str(value)) == len(str(printed)) and value != printed for value in range(low, high + 1))


_POINTS = re.compile(r"\d{1,3}")
_BESIDE = re.compile(r"[^\W\d_][^()\d]*[^\W\d_]")


def _with_points(printed: str, points: int, *, words: str | None) -> str:
    """A score cell with other points, and other words where it prints some; "/ 27" stays."""
    first = _POINTS.search(printed)
    if first is None:
        return printed
    rest = printed[first.end() :]
    return printed[: first.start()] + str(points) + _BESIDE.sub(lambda found: words or found[0], rest, count=1)


def _critical(row: ExtractedRow, points: Sequence[int | None] | None, instrument: Instrument | None) -> bool | None:
    """What the invented answers say to critical questions: an alert, a 0, or nothing printed."""
    rules = {rule.link_id: rule.at_least for rule in instrument.critical} if instrument is not None else {}
    said = [
        value >= rules[item.link_id]
        for item, value in zip(row.items or (), points or (), strict=True)
        if value is not None and item.link_id in rules
    ]
    return any(said) if said else None
