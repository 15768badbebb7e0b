"""Small reports printed for the tests of reading, and the question whether one of their records could be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from io import BytesIO
from typing import NamedTuple

from reportlab.pdfgen.canvas import Canvas

from ingest.confirmation import findings_for
from parsers.instrument_library import load_instruments
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind, Template
from parsers.template_file import parse_template
from records.assessment import ReportReading, SymptomAssessment

TODAY = date(2026, 3, 10)
SITE = "NORTH"
WIDTH, HEIGHT = 612.0, 792.0


class Mark(NamedTuple):
    """Text printed with its baseline `y` points below the page's upper edge."""

    x: float
    y: float
    text: str
    size: float = 10.0
    font: str = "Helvetica"
    right: bool = False  # `x` is where the text ends
    mode: int = 0  # PDF text render mode


class Stroke(NamedTuple):
    """A printed straight line, y from the page's upper edge."""

    x0: float
    y0: float
    x1: float
    y1: float


class Ring(NamedTuple):
    """A drawn ellipse around `(x, y)`, y from the page's upper edge."""

    x: float
    y: float
    wide: float = 14.0
    high: float = 14.0


Drawn = Mark | Stroke | Ring
Setup = Callable[[Canvas], None]


def pdf(*pages: Iterable[Drawn], before: Setup | None = None, size: tuple[float, float] = (WIDTH, HEIGHT)) -> bytes:
    """A PDF with these marks; `before` sets up each page's canvas (rotation, boxes)."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=size, invariant=1)
    for page in pages:
        if before is not None:
            before(canvas)
        for drawn in page:
            _draw(canvas, drawn, size[1])
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, drawn: Drawn, height: float) -> None:
    if isinstance(drawn, Stroke):
        canvas.line(drawn.x0, height - drawn.y0, drawn.x1, height - drawn.y1)
        return
    if isinstance(drawn, Ring):
        left, bottom = drawn.x - drawn.wide / 2, height - drawn.y - drawn.high / 2
        canvas.ellipse(left, bottom, left + drawn.wide, bottom + drawn.high)
        return
    x = drawn.x - canvas.stringWidth(drawn.text, drawn.font, drawn.size) if drawn.right else drawn.x
    text = canvas.beginText(x, height - drawn.y)
    text.setFont(drawn.font, drawn.size)
    text.setTextRenderMode(drawn.mode)
    text.textOut(drawn.text)
    canvas.drawText(text)


def read(content: bytes, *templates: Template, site: str = SITE, kind: Kind = Kind.PDF) -> ReportReading:
    """The file as the program reads it."""
    return read_report(
        content,
        ReadingRequest(kind=kind, templates=templates, instruments=load_instruments(), site=site, today=TODAY),
    )


def blocking(reading: ReportReading, record: SymptomAssessment) -> set[str]:
    """The codes that keep a record from being sent without a person, whoever it is about."""
    return {f.code for f in (*record.findings, *findings_for(record, reading.findings)) if f.blocking}


def sendable(reading: ReportReading) -> list[SymptomAssessment]:
    """The records that nothing about their reading keeps back."""
    return [record for record in reading.assessments if not blocking(reading, record)]


def blocked(reading: ReportReading) -> set[str]:
    """Every code that keeps a record of the file, or the file, back."""
    codes = {finding.code for finding in reading.findings if finding.blocking}
    return codes.union(*(blocking(reading, record) for record in reading.assessments))


# A listing without printed lines: name, number, birth date, questionnaire, score, date.
LISTING = parse_template(
    """
id: small-listing
revision: 1
anchors: [Score listing]
furniture:
  - {text: Score listing}
  - {pattern: 'Page \\d+ of \\d+'}
clinics: {North Clinic: NORTH, South Clinic: SOUTH}
dates: ['%m/%d/%Y']
names: family-first
no_score: [declined]
table:
  columns:
    - {header: Patient, field: name}
    - {header: MRN, field: mrn}
    - {header: Born, field: birth_date}
    - {header: Test, field: instrument}
    - {header: Score, field: total}
    - {header: Given, field: authored_on}
""",
    source="small-listing.yaml",
)
LISTING_X = (40.0, 170.0, 240.0, 330.0, 420.0, 490.0)
LISTING_HEADER = ("Patient", "MRN", "Born", "Test", "Score", "Given")
ANN = ("Doe, Ann", "A100", "04/05/1980", "PHQ-9", "14", "03/02/2026")
BOB = ("Roe, Bob", "A101", "06/07/1975", "GAD-7", "7", "03/03/2026")
CAT = ("Poe, Cat", "A102", "08/09/1990", "PHQ-9", "3", "03/04/2026")


def line(y: float, texts: Sequence[str], xs: Sequence[float] = LISTING_X, **how: object) -> list[Mark]:
    """Texts side by side; empty ones are left out."""
    return [Mark(x, y, text)._replace(**how) for x, text in zip(xs, texts, strict=True) if text]


def listing(*rows: Sequence[str], top: float = 100, step: float = 18, title: str = "Score listing") -> list[Mark]:
    """A page of the listing."""
    marks = [Mark(40, 60, title, 14), *line(top, LISTING_HEADER)]
    for number, row in enumerate(rows, start=1):
        marks += line(top + step * number, row)
    return marks


def printed(records: Iterable[SymptomAssessment]) -> list[tuple[str, str | None, str | None, int | None, str]]:
    """What a listing's rows say, as values: name, number, instrument, total, date."""
    return [(r.patient.name, r.patient.mrn, r.instrument, r.total, str(r.authored_on)) for r in records]


def said(row: Sequence[str]) -> tuple[str, str | None, str | None, int | None, str]:
    """What `printed` gives for a row of the listing that is read right."""
    name, mrn, _, instrument, total, given = row
    month, day, year = given.split("/")
    return name, mrn, instrument.lower(), int(total), f"{year}-{month}-{day}"
