"""The invented people and scores of a report: what each cell says in the twin, and what must be read from it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from parsers.instrument_library import resolve
from parsers.lines import folded
from parsers.template import Template
from parsers.template_parts import Field
from parsers.twin.invented_scores import InventedScore, ScoreInvention
from parsers.twin.invention import Invention
from parsers.validation import validate
from records.assessment import SymptomAssessment
from records.instrument import Instrument
from records.patient import PatientIdentity
from records.report import Cell, ExtractedRow

_RUN = re.compile(r"[^\W\d_]+")
_NAMES = (Field.NAME, Field.FAMILY, Field.GIVEN, Field.MIDDLE)
# What an invention mends: its values agree with each other, and its glyphs are what they look like.
_MENDED = frozenset({
    "sum-differs", "severity-differs", "total-out-of-range", "date-before-birth", "birth-date-implausible",
    "text-quality", "readers-differ", "digits-differ", "critical-unreadable",
})  # fmt: skip
_MENDED_ITEMS = ("-words-differ", "-out-of-range")


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedRecord:
    """What must be read from one record of a twin: the values are the invented ones, not a reading of the twin.

    Attributes:
        reasons: Codes of what keeps the record with a person: what the original's layout or blanks cause.
    """

    page: int | None
    line: int | None
    patient: PatientIdentity
    instrument: str | None
    authored_on: date | None
    total: int | None
    result: str | None
    items: tuple[int | None, ...] | None
    severity: str | None
    critical: bool | None
    reasons: tuple[str, ...]


@dataclass(slots=True)
class InventedRecords:
    """All records of a report.

    Attributes:
        texts: For each row of the report, its cells with what they say in the twin.
        records: In printed order, without the rows that say they have no score.
    """

    texts: list[tuple[tuple[Cell, str], ...]] = field(default_factory=list)
    records: list[InventedRecord] = field(default_factory=list)
    no_score: int = 0


def printed_names(rows: Sequence[ExtractedRow]) -> tuple[str, ...]:
    """Every name cell of the rows."""
    return tuple(cell.text for row in rows for name in _NAMES if (cell := row.cell(name)) is not None)


def invent_records(
    rows: Sequence[ExtractedRow],
    template: Template,
    instruments: Mapping[str, Instrument],
    invention: Invention,
    *,
    today: date,
) -> InventedRecords:
    """Inventions for every row.

    Args:
        rows: The rows of a report, those without a score among them (extracted with no `no_score` words).
        template: The template of the report, with its `no_score` words.
        instruments: The library.
        invention: The report's inventions.
        today: Today at the site.
    """
    read = [validate(row, template, instruments, today=today) for row in rows]
    known = [instruments.get(each.instrument) if each.instrument else None for each in read]
    invention.avoid_within(printed_names(rows))
    scores = ScoreInvention(
        invention.random, template, list(zip(rows, read, known, strict=True)), masked=invention.masked
    )
    people = _People(template, invention, instruments, rows, read, today=today)
    nothing = {folded(text) for text in template.no_score}
    made = InventedRecords()
    for row, each, instrument in zip(rows, read, known, strict=True):
        person = people.texts(row)
        score_cell = row.cell(Field.TOTAL) or row.cell(Field.RESULT)
        if score_cell is not None and folded(score_cell.text) in nothing:
            made.no_score += 1
            made.texts.append((*person, *_without_score(row, score_cell, invention)))
            continue
        score = scores.record(row, each, instrument)
        made.texts.append((*person, *score.texts))
        made.records.append(_record(row, each, people, score))
    return made


def _without_score(row: ExtractedRow, score: Cell, invention: Invention) -> list[tuple[Cell, str]]:
    severity = row.cell(Field.SEVERITY)
    masked = [(severity, invention.masked(severity.text))] if severity is not None else []
    return [(score, score.text), *masked]


class _People:
    """Identity and dates of every row."""

    def __init__(
        self,
        template: Template,
        invention: Invention,
        instruments: Mapping[str, Instrument],
        rows: Sequence[ExtractedRow],
        read: Sequence[SymptomAssessment],
        *,
        today: date,
    ) -> None:
        self._template = template
        self._invention = invention
        self._instruments = instruments
        self._today = today
        self._sexes = {
            cell.text: each.patient.sex
            for row, each in zip(rows, read, strict=True)
            if (cell := row.cell(Field.SEX)) is not None and each.patient.sex is not None
        }
        self._sex_of: dict[tuple[str, ...], str] = {}
        numbers = {cell.text for row in rows if (cell := row.cell(Field.MRN)) is not None}
        leads = Counter("".join(_lead(number)) for number in numbers)
        # Letters that begin one number only may be somebody's initials.
        self._prefixes = frozenset(lead for lead, count in leads.items() if lead and count > 1)

    def texts(self, row: ExtractedRow) -> tuple[tuple[Cell, str], ...]:
        """What the row's cells say about the person and the day in the twin."""
        made = [(cell, self._text(name, cell, row)) for name, cell in row.cells if name not in _OF_SCORES]
        labels = [(item.label, item.label.text) for item in row.items or () if item.label_matches]
        return (*((cell, text) for cell, text in made if cell.text), *labels)

    def _text(self, name: str, cell: Cell, row: ExtractedRow) -> str:
        text = cell.text
        if name in _NAMES:
            return self._invention.name(text)
        if name in (Field.BIRTH_DATE, Field.AUTHORED_ON, Field.VISIT_DATE):
            return self._date(name, text)[0]
        if name == Field.CLINICIAN:
            return self._invention.name(text)
        if name in (Field.MRN, Field.PHONE):
            return self._invention.number(text, prefixes=self._prefixes)
        if name == Field.SEX:
            return self._sex(text, row)
        if name == Field.INSTRUMENT:
            known = resolve(text, self._instruments, self._template.instruments)
            return text if known.instrument_id or known.candidates else self._invention.masked(text)
        if name == Field.SUFFIX:
            return self._invention.name(text)
        return self._invention.time(text) if name == Field.AUTHORED_TIME else self._invention.masked(text)

    def _date(self, name: str, text: str) -> tuple[str, date | None]:
        formats = self._template.date_formats(Field(name))
        birth = name == Field.BIRTH_DATE
        made = self._invention.date_text(text, formats, birth=birth, not_after=self._today)
        return made if made is not None else (self._invention.masked(text), None)

    def _sex(self, text: str, row: ExtractedRow) -> str:
        if text not in self._sexes:
            return text if len(text) < 2 else self._invention.masked(text)
        person = tuple(cell.text for name in (*_NAMES, Field.BIRTH_DATE) if (cell := row.cell(name)) is not None)
        if person not in self._sex_of:
            self._sex_of[person] = self._invention.random.choice(sorted(self._sexes))
        return self._sex_of[person]

    def identity(self, row: ExtractedRow, read: SymptomAssessment) -> PatientIdentity:
        """The invented person, taken apart as the original's name is."""
        who = read.patient
        runs = self._runs(row)
        born = row.cell(Field.BIRTH_DATE)
        sex = row.cell(Field.SEX)
        return PatientIdentity(
            name=self._invention.name(who.name),
            family=self._part(who.family, runs),
            given=self._part(who.given, runs),
            middle=self._part(who.middle, runs),
            suffix=who.suffix,
            birth_date=self._date(Field.BIRTH_DATE, born.text)[1] if born is not None and who.birth_date else None,
            mrn=self._invention.number(who.mrn, prefixes=self._prefixes) if who.mrn else None,
            sex=self._sexes.get(self._sex(sex.text, row)) if sex is not None else None,
        )

    def authored_on(self, row: ExtractedRow, read: SymptomAssessment) -> date | None:
        """The invented day of the administration."""
        cell = row.cell(Field.AUTHORED_ON)
        return self._date(Field.AUTHORED_ON, cell.text)[1] if cell is not None and read.authored_on else None

    def _runs(self, row: ExtractedRow) -> dict[str, str]:
        """What each run of letters of the row's name cells is in the twin."""
        cells = [cell.text for name in _NAMES if (cell := row.cell(name)) is not None]
        return {
            old: new
            for text in cells
            for old, new in zip(_RUN.findall(text), _RUN.findall(self._invention.name(text)), strict=True)
        }

    def _part(self, part: str | None, runs: Mapping[str, str]) -> str | None:
        if part is None:
            return None
        return _RUN.sub(lambda run: runs.get(run[0]) or self._invention.name(run[0]), part)


_OF_SCORES = frozenset({Field.TOTAL, Field.RESULT, Field.SEVERITY})


def _record(row: ExtractedRow, read: SymptomAssessment, people: _People, score: InventedScore) -> InventedRecord:
    who = people.identity(row, read)
    day = people.authored_on(row, read)
    return InventedRecord(
        page=row.page,
        line=row.line,
        patient=who,
        instrument=read.instrument,
        authored_on=day,
        total=score.total,
        result=score.result,
        items=score.items,
        severity=score.severity,
        critical=score.critical,
        reasons=_reasons(read, born=who.birth_date, day=day),
    )


def _reasons(read: SymptomAssessment, *, born: date | None, day: date | None) -> tuple[str, ...]:
    codes = {finding.code for finding in read.findings if finding.blocking}
    left = {
        code
        for code in codes
        if code not in _MENDED and not (code.startswith("item-") and code.endswith(_MENDED_ITEMS))
    }
    # Somebody born decades after the visit stays so: the invention moves both by no more than a few years.
    if born is not None and day is not None and day < born:
        left.add("date-before-birth")
    return tuple(sorted(left))


def _lead(number: str) -> Sequence[str]:
    for at, character in enumerate(number):
        if not character.isalpha():
            return number[:at]
    return ""
