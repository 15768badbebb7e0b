"""A template drafted from samples: every guess has its reason beside it, and the draft is tried before it is shown.

A draft reads what it recognises and leaves the rest unclaimed, so that it waits for a person; it never makes up a
record, and it never calls something furniture that stands between records.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from parsers.drafting.layouts import sketch_csv, sketch_pdf
from parsers.drafting.lines import Piece, as_furniture
from parsers.drafting.text import Sketch, written
from parsers.explanation import Explanation, explain
from parsers.instrument_library import load_instruments
from parsers.lines import folded
from parsers.readers import pdfium, plumber, table_file
from parsers.readers.limits import ReadingLimits
from parsers.reading import ReadingRequest
from parsers.template import Kind, Template
from parsers.template_file import parse_template
from parsers.template_fit import missing_anchors
from parsers.template_parts import IDENTITY, Field
from records.document import Document, TableFile
from records.errors import TemplateError
from records.finding import Finding

_PERSONAL = IDENTITY - {Field.SEX, Field.SUFFIX, Field.MIDDLE}
_LONG_ENOUGH = 5  # letters of a value that cannot stand in other print by chance
_ROUNDS = 4  # furniture found in one round may uncover more; four were never needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One report of the layout.

    Attributes:
        name: For messages.
        kind: What its name says it is.
    """

    name: str
    content: bytes
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the draft makes of one sample.

    Attributes:
        waiting: Records that would wait for a person, before any patient is looked up.
        unclaimed: Runs of words that nothing accounts for.
        reasons: Codes of what holds records or the file back.
    """

    sample: str
    records: int
    no_score: int
    waiting: int
    unclaimed: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A drafted template that can be loaded.

    Attributes:
        text: YAML with a comment per guess.
        remarks: What its author should look at first.
    """

    text: str
    template: Template
    trials: tuple[Trial, ...]
    remarks: tuple[str, ...]

    @property
    def waiting(self) -> int:
        """Records of all samples that would wait."""
        return sum(trial.waiting for trial in self.trials)

    @property
    def unclaimed(self) -> int:
        """Runs of words of all samples that nothing accounts for."""
        return sum(trial.unclaimed for trial in self.trials)


def draft_template(samples: Sequence[Sample], *, site: str, today: date, name: str) -> Draft:
    """A template for the layout of the samples.

    Args:
        samples: Reports of one layout, at least one.
        site: The clinic they come from.
        today: Today at that site.
        name: What to call the template; made into an id.

    Raises:
        DocumentError: A sample cannot be read.
        TemplateError: No layout was recognised; says what was missing.
    """
    kinds = {_kind(sample) for sample in samples}
    if len(kinds) != 1:
        raise TemplateError("The samples are of different kinds.", next_step="Draft PDF and CSV layouts one by one.")
    kind = kinds.pop()
    template_id = "-".join(re.findall(r"[a-z0-9]+", name.casefold())) or "draft"
    opened = [_opened(sample, kind) for sample in samples]
    if kind is Kind.CSV:
        sketch = sketch_csv([file for file in opened if isinstance(file, TableFile)], template_id, site)
    else:
        sketch = sketch_pdf([file for file in opened if isinstance(file, Document)], template_id, site)
    names = [sample.name for sample in samples]
    _forget_people(sketch)
    template = _with_fitting_anchors(sketch, opened, names)
    seen = _seen(samples, kind, template, site=site, today=today)
    for _ in range(_ROUNDS):
        found = [piece for each in seen for piece in as_furniture(each)]
        new = [piece for piece in dict.fromkeys(found) if piece not in sketch.furniture and not _names(piece, sketch)]
        if not new:
            break
        sketch.furniture += new
        template = _parsed(sketch, names)
        seen = _seen(samples, kind, template, site=site, today=today)
    trials = tuple(_trial(sample, each) for sample, each in zip(samples, seen, strict=True))
    if not any(trial.records or trial.no_score for trial in trials):
        raise TemplateError(
            "A layout was recognised, but the draft reads no record with it.",
            next_step="Give a sample with more records, or write the template by hand from the nearest form.",
        )
    return Draft(text=written(sketch, names), template=template, trials=trials, remarks=_remarks(sketch, trials))


def _forget_people(sketch: Sketch) -> None:
    """A draft is handed around: nothing it calls furniture may hold what a sample prints of a person."""
    sketch.furniture = [piece for piece in sketch.furniture if not _names(piece, sketch)]
    for table in sketch.tables:
        table.skip = [piece for piece in table.skip if not _names(piece, sketch)]


def _names(piece: Piece, sketch: Sketch) -> bool:
    text = folded(piece[0].replace("\\", ""))
    columns = (value for guess in sketch.guesses if guess.field in _PERSONAL for value in guess.values)
    return any(folded(value) in text for value in (*columns, *sketch.people) if len(value) >= _LONG_ENOUGH)


def _kind(sample: Sample) -> Kind:
    return Kind.CSV if sample.kind is Kind.CSV and not sample.content.startswith(b"%PDF-") else Kind.PDF


def _opened(sample: Sample, kind: Kind) -> Document | TableFile:
    if kind is Kind.CSV:
        return table_file.read(sample.content)
    pdfium.preflight(sample.content, ReadingLimits())
    return plumber.read(sample.content)


def _parsed(sketch: Sketch, names: Sequence[str]) -> Template:
    return parse_template(written(sketch, names), source="draft")


def _with_fitting_anchors(sketch: Sketch, opened: Sequence[Document | TableFile], names: Sequence[str]) -> Template:
    """The template with only those anchors that every sample prints."""
    template = _parsed(sketch, names)
    missing = {anchor for document in opened for anchor in missing_anchors(document, template)}
    sketch.anchors = tuple(anchor for anchor in sketch.anchors if anchor not in missing)
    if not sketch.anchors:
        raise TemplateError(
            "The samples print no heading in common.", next_step="Draft a template from samples of one layout."
        )
    return _parsed(sketch, names)


def _seen(samples: Sequence[Sample], kind: Kind, template: Template, *, site: str, today: date) -> list[Explanation]:
    request = ReadingRequest(kind=kind, templates=(template,), instruments=load_instruments(), site=site, today=today)
    return [explain(sample.content, template, request) for sample in samples]


def _trial(sample: Sample, seen: Explanation) -> Trial:
    assessments = seen.reading.assessments if seen.reading else ()
    file_findings = seen.reading.findings if seen.reading else seen.report.findings
    held = [finding for finding in file_findings if finding.blocking]
    per_record = [[finding for finding in each.findings if finding.blocking] for each in assessments]
    codes = Counter(finding.code for each in (held, *per_record) for finding in each)
    return Trial(
        sample=sample.name,
        records=len(seen.report.rows),
        no_score=seen.report.no_score,
        waiting=sum(bool(each) for each in per_record) if seen.reading else len(seen.report.rows),
        unclaimed=_unclaimed(file_findings),
        reasons=tuple(code for code, _ in codes.most_common(6)),
    )


def _unclaimed(findings: Sequence[Finding]) -> int:
    return sum(finding.code == "unclaimed-word" for finding in findings)


def _remarks(sketch: Sketch, trials: Sequence[Trial]) -> tuple[str, ...]:
    unsure = [guess.heading for guess in sketch.guesses if guess.certainty <= 1]
    remarks = [f"Check by hand: {', '.join(f'“{heading}”' for heading in unsure)}."] if unsure else []
    remarks += [
        f"The questionnaire is a guess, {part.instrument}: {part.why}."
        for part in sketch.items
        if part.why[:5] == "check"
    ]
    if sketch.dates_why:
        remarks.append(f"Dates: {sketch.dates_why}.")
    if any(trial.unclaimed for trial in trials):
        remarks.append("Some words belong to nothing yet: “template explain” shows where, in red on the picture.")
    return tuple(remarks)
