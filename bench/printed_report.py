"""Reports that can be printed anew with a change: every word in its place, and the words each value is read from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from ingest.confirmation import findings_for
from ingest.dry_read import kind_of
from ingest.golden import golden_cases
from ingest.template_folder import load_templates
from parsers.csv_extraction import extract_csv
from parsers.drafting.draft import Sample, draft_template
from parsers.extraction import extract
from parsers.instrument_library import load_instruments
from parsers.readers import artwork, drawing, plumber, table_file
from parsers.readers.artwork import Artwork
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind, Template
from parsers.twin.page_text import words_of
from parsers.validation import validate
from records.assessment import ReportReading, SymptomAssessment
from records.document import Document
from records.errors import ScorebridgeError
from records.report import Cell, ExtractedRow

INSTRUMENTS = load_instruments()
_ROOT = Path(__file__).parents[1]

# A word of a print: the number of its sheet, from 0, and its place among the words of the sheet.
Place = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a print says of one record.

    Attributes:
        page: From 1; None for CSV.
        row: Its cells as printed.
        held: The print does not say it clearly, or lies: only a person may confirm it.
    """

    page: int | None
    row: ExtractedRow
    held: bool = False

    def saying(self, name: str, text: str) -> Told:
        """The same record with another text in one cell; "item:3" is the cell of the points of the third answer."""
        return replace(self, row=with_text(self.row, name, text))

    def text(self, name: str) -> str | None:
        """What a cell says, or None if it is not printed."""
        return next((cell.text for key, cell in named_cells(self.row) if key == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedReport:
    """One synthetic report and what is true of it.

    Attributes:
        content: As it is read before any mutation: for PDF, drawn anew.
        sheets: How it is drawn; empty for CSV.
        document: Its words; None for CSV.
        told: Its records, in printed order.
        words: For each record, the words of each of its cells.
    """

    name: str
    content: bytes
    kind: Kind
    template: Template
    site: str
    today: date
    sheets: tuple[Artwork, ...] = ()
    document: Document | None = None
    told: tuple[Told, ...] = ()
    words: tuple[Mapping[str, tuple[Place, ...]], ...] = field(default=())

    def read(self, content: bytes) -> ReportReading:
        """A version of the report, read with its own template.

        Raises:
            DocumentError: It is refused.
        """
        request = ReadingRequest(
            kind=self.kind, templates=(self.template,), instruments=INSTRUMENTS, site=self.site, today=self.today
        )
        return read_report(content, request)

    def assessed(self, told: Told) -> SymptomAssessment:
        """The values that a record's cells stand for."""
        return validate(told.row, self.template, INSTRUMENTS, today=self.today)


def named_cells(row: ExtractedRow) -> Iterator[tuple[str, Cell]]:
    """The cells of a record: by field, and "item:3", "answer:3", "label:3" for the third question."""
    yield from row.cells
    for number, item in enumerate(row.items or (), start=1):
        yield f"label:{number}", item.label
        yield f"item:{number}", item.points
        if item.answer is not None:
            yield f"answer:{number}", item.answer


def with_text(row: ExtractedRow, name: str, text: str) -> ExtractedRow:
    """The record with another text in one cell."""
    kind, _, number = name.partition(":")
    if not number:
        return replace(row, cells=tuple((key, replace(c, text=text) if key == name else c) for key, c in row.cells))
    items = list(row.items or ())
    item = items[int(number) - 1]
    if kind == "item":
        items[int(number) - 1] = replace(item, points=replace(item.points, text=text))
    elif item.answer is not None:
        items[int(number) - 1] = replace(item, answer=replace(item.answer, text=text))
    return replace(row, items=tuple(items))


def reports(folders: Sequence[Path], *, samples: Path | None, only: str = "") -> Iterator[PrintedReport | str]:
    """Every report that is read after drawing it anew as it was before; a sentence for each that is not.

    Args:
        folders: Drill layouts.
        samples: Sample reports, or None.
        only: A report by its name; empty for all.
    """
    forms = load_templates([_ROOT / "fixtures" / "forms"])
    for form in sorted(path.parent for path in (_ROOT / "fixtures" / "forms").glob("*/template.yaml")):
        template = next(file.template for file in forms if Path(file.path).parent == form)
        for case in golden_cases(form):
            name = f"{form.name}/{case.name}"
            if only in ("", name):
                yield _report(name, case.report, template, case.site, case.today)
    if samples is not None and samples.is_dir():
        yield from _samples(samples, only)
    for layout in sorted(path.parent for folder in folders for path in folder.glob("*/truth.json")):
        if only in ("", layout.name):
            yield from _drilled(layout)


def _samples(folder: Path, only: str) -> Iterator[PrintedReport | str]:
    known = {file.template.id.replace("-", "_"): file.template for file in load_templates([_ROOT / "fixtures/samples"])}
    for path in sorted((folder / "truth").glob("*.json")):
        about = json.loads(path.read_text("utf-8"))
        days = [date.fromisoformat(record["date"]) for record in about["records"]]
        if path.stem in known and only in ("", f"samples/{path.stem}"):
            file, site = folder / about["file"], about["report"]["clinic_id"]
            yield _report(f"samples/{path.stem}", file, known[path.stem], site, max(days))


def _drilled(layout: Path) -> Iterator[PrintedReport | str]:
    truth = json.loads((layout / "truth.json").read_text("utf-8"))
    sample = next(layout.glob("day1.*"))
    today = max(date.fromisoformat(record["authored_on"]) for record in truth["day1"]["records"])
    try:
        draft = draft_template(
            [Sample(name=sample.name, content=sample.read_bytes(), kind=kind_of(sample.name))],
            site=truth["site"], today=today, name=layout.name,
        )  # fmt: skip
    except ScorebridgeError as error:
        yield f"{layout.name}: no draft: {error}"
        return
    yield _report(layout.name, sample, draft.template, truth["site"], today)


def _report(name: str, path: Path, template: Template, site: str, today: date) -> PrintedReport | str:
    content = path.read_bytes()
    first = PrintedReport(
        name=name, content=content, kind=kind_of(path.name), template=template, site=site, today=today
    )
    return _of_table(first) if first.kind is Kind.CSV else _of_pages(first)


def _of_table(first: PrintedReport) -> PrintedReport:
    rows = extract_csv(table_file.read(first.content), first.template, site=first.site).rows
    return replace(first, told=tuple(Told(page=None, row=row) for row in rows))


def _of_pages(first: PrintedReport) -> PrintedReport | str:
    try:
        before = first.read(first.content)
        sheets = artwork.read(first.content, plumber.read(first.content))
        content = drawing.draw(sheets)
        document = plumber.read(content)
        sheets = artwork.read(content, document)
        # Drawn twice, as every mutant is.
        after = first.read(drawing.draw(sheets))
    except ScorebridgeError as error:
        return f"{first.name}: not drawn anew: {error}"
    if not before.assessments or shown(before) != shown(after):
        return f"{first.name}: reads otherwise after it was drawn anew"
    if not any(_is_clean(each, after) for each in after.assessments):
        return f"{first.name}: not a record could be confirmed after it was drawn anew"
    rows = extract(document, first.template, site=first.site).report.rows
    return replace(
        first,
        content=content,
        sheets=sheets,
        document=document,
        told=tuple(Told(page=row.page, row=row) for row in rows),
        words=tuple({name: _places(cell, document) for name, cell in named_cells(row)} for row in rows),
    )


def _places(cell: Cell, document: Document) -> tuple[Place, ...]:
    if cell.region is None:
        return ()
    page = document.pages[cell.region.page - 1]
    place = {id(word): number for number, word in enumerate(page.words)}
    return tuple((page.number - 1, place[id(word)]) for word in words_of(cell, page))


def shown(reading: ReportReading) -> list[tuple[object, ...]]:
    """What a reading says, without places and doubts: standard typefaces are read more easily than others, or less."""
    return [*(values_of(each) for each in reading.assessments), (reading.no_score,)]


def _is_clean(read: SymptomAssessment, reading: ReportReading) -> bool:
    found = [*read.findings, *findings_for(read, reading.findings)]
    return not any(finding.blocking for finding in found)


def values_of(read: SymptomAssessment) -> tuple[object, ...]:
    """All that may be sent of a record, and where it stands."""
    who = read.patient
    person = (who.family, who.given, who.middle, who.suffix, who.birth_date, who.mrn, who.sex)
    severity = read.severity.casefold() if read.severity else None
    return (
        read.page, *person, read.instrument, read.authored_on, read.authored_time, read.total, read.result,
        read.item_points, severity,
    )  # fmt: skip
