"""A synthetic twin of a printed report: drawn anew with the geometry of the original and the people of nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from parsers.drafting.draft import Sample, draft_template
from parsers.extraction import extract
from parsers.lines import lines_of
from parsers.readers import artwork, drawing, pdfium, plumber
from parsers.readers.artwork import Artwork
from parsers.readers.limits import ReadingLimits
from parsers.template import Kind, Template
from parsers.template_fit import missing_anchors
from parsers.template_items import Items
from parsers.template_parts import Field
from parsers.twin.invented_records import InventedRecord, InventedRecords, invent_records
from parsers.twin.invention import Invention
from parsers.twin.marks import legible, shuffled_marks
from parsers.twin.page_masking import masked_words
from parsers.twin.page_text import CellText, Column, Typesetting, column_of, words_of
from parsers.twin.template_words import template_words
from parsers.twin.vocabulary import is_usual
from records.document import Document, Page, Word
from records.errors import TemplateError
from records.instrument import Instrument
from records.report import Cell, ExtractedRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinRequest:
    """What making a twin needs besides the report.

    Attributes:
        template: The report's template; None: only words that any report prints stay, and no record is known.
        instruments: The library.
        site: The clinic the report came from.
        today: Today at that site.
        seed: What is drawn.
        typeface: A TrueType font for letters that the standard typefaces lack, or None.
    """

    template: Template | None
    instruments: Mapping[str, Instrument]
    site: str
    today: date
    seed: int
    typeface: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A twin and what must be read from it.

    Attributes:
        content: The file.
        pages: Its pages; 0 for CSV.
        records: What is invented in it, in printed order; empty without a template.
        no_score: Rows that say they have no score.
        remarks: What its author should know.
    """

    content: bytes
    pages: int
    records: tuple[InventedRecord, ...]
    no_score: int
    remarks: tuple[str, ...]


def _has_other_answers(template: Template) -> bool:
    """Whether a layout prints answers otherwise than as points or words of their own."""
    lists = any(Field.ANSWERS in column.fields for columns in template.headers for column in columns)
    return lists or any(_is_marked(items) for items in template.items)


def _is_marked(items: Items) -> bool:
    return items.has_rings or any(column.points is not None for column in items.columns)


def twin_of_pdf(content: bytes, request: TwinRequest) -> Twin:
    """The twin of a PDF report.

    Raises:
        DocumentError: The file cannot be read.
        TemplateError: The template does not fit it, or its answers are marked or stand in one cell: these are not
            invented here, and the answers of a real person must not stay.
    """
    if request.template is not None and _has_other_answers(request.template):
        raise TemplateError(
            "The answers of this layout are marked in columns, ringed, or in one cell; no twin is made of it.",
            next_step="Print a report of an invented patient instead.",
        )
    pdfium.preflight(content, ReadingLimits())
    document = plumber.read(content)
    check_fit(missing_anchors(document, request.template) if request.template else ())
    sheets = artwork.read(content, document)
    words = [word.text for page in document.pages for word in page.words]
    invention = Invention(seed=request.seed, avoid=words)
    layout = request.template or drafted_layout(content, Kind.PDF, request)
    rows, invented = _records(document, layout, request, invention)
    typesetting = Typesetting(
        {
            id(word): lettering
            for page, sheet in zip(document.pages, sheets, strict=True)
            for word, lettering in zip(page.words, sheet.letterings, strict=True)
        },
        drawing.natural_width,
    )
    columns = _columns(document, rows)
    texts = [(cell, text) for each in invented.texts for cell, text in each]
    drawn = []
    for page, sheet in zip(document.pages, sheets, strict=True):
        cells = _cell_texts(page, texts, columns)
        rest = _other_texts(page, cells, len(document.pages), request, invention)
        letterings = tuple(typesetting.page(page, cells, rest))
        strokes = shuffled_marks(legible(sheet.strokes, sheet.letterings), invention.random)
        drawn.append(replace(sheet, letterings=letterings, strokes=strokes))
    return Twin(
        content=drawing.draw(drawn, typeface=request.typeface),
        pages=len(drawn),
        records=tuple(invented.records) if request.template else (),
        no_score=invented.no_score if request.template else 0,
        remarks=_remarks(sheets, drawn, request),
    )


def drafted_layout(content: bytes, kind: Kind, request: TwinRequest) -> Template | None:
    """A drafted template that tells where names, dates and scores stand; None if there is none to trust that far.

    What it calls headers, labels and furniture is not relied on: a draft may take a clinician's name for a heading.
    Nor is a sheet of questions: its wording would be whatever stands in the first column.
    """
    sample = Sample(name="report", content=content, kind=kind)
    try:
        found = draft_template([sample], site=request.site, today=request.today, name="report").template
    except TemplateError:
        return None
    return found if found.items is None else None


def check_fit(missing: Sequence[str]) -> None:
    """Refuse a template that was made for another layout: it would call names furniture.

    Raises:
        TemplateError: An anchor is missing.
    """
    if missing:
        lacking = ", ".join(f"“{anchor}”" for anchor in missing)
        raise TemplateError(
            f"The template does not fit: {lacking} is not printed.",
            next_step="Name the template of this layout, or leave --template away.",
        )


def _records(
    document: Document, layout: Template | None, request: TwinRequest, invention: Invention
) -> tuple[Sequence[ExtractedRow], InventedRecords]:
    if layout is None:
        return (), InventedRecords()
    # Rows without a score hold people too: without the words that say so, they are rows like any other.
    rows = extract(document, replace(layout, no_score=()), site=request.site).report.rows
    return rows, invent_records(rows, layout, request.instruments, invention, today=request.today)


def _cell_texts(page: Page, texts: Sequence[tuple[Cell, str]], columns: Mapping[int, Column]) -> tuple[CellText, ...]:
    """What the cells of a page say; a word that two cells share belongs to the first."""
    made: list[CellText] = []
    taken: set[int] = set()
    for cell, text in texts:
        words = words_of(cell, page)
        marks = {id(word) for word in words}
        if words and not marks & taken:
            taken |= marks
            made.append(CellText(words=words, text=text, column=columns[id(cell)]))
    return tuple(made)


def _other_texts(
    page: Page, cells: Sequence[CellText], pages: int, request: TwinRequest, invention: Invention
) -> dict[int, str]:
    """What every word outside the cells says, by the `id` of the word."""
    in_cells = {id(word) for cell in cells for word in cell.words}
    kept = template_words(page, request.template, pages=pages) if request.template else frozenset()
    said = {id(word): word.text for word in page.words if id(word) in kept}
    rest = [word for word in page.words if id(word) not in in_cells | kept]
    said.update({id(word): text for word, text in _masked(rest, request, invention)})
    return said


def _masked(rest: Sequence[Word], request: TwinRequest, invention: Invention) -> Iterator[tuple[Word, str]]:
    formats = request.template.dates if request.template else ()
    keeps: Callable[[Sequence[Word]], bool] = _never
    if request.template is None:
        keeps = _is_usual
    yield from masked_words(lines_of(rest), invention, formats=formats, today=request.today, keeps=keeps)


def _never(_: Sequence[Word]) -> bool:
    return False


def _is_usual(words: Sequence[Word]) -> bool:
    return is_usual(" ".join(word.text for word in words))


def _columns(document: Document, rows: Sequence[ExtractedRow]) -> dict[int, Column]:
    """For each cell, by its `id`, how the cells of its field stand."""
    pages = {page.number: page for page in document.pages}
    cells: dict[tuple[str, int], list[Cell]] = {}
    for row in rows:
        for name, cell in _named_cells(row):
            place = round(cell.area.x0) if cell.area is not None and cell.area != cell.region else -1
            cells.setdefault((name, place), []).append(cell)
    found: dict[int, Column] = {}
    for alike in cells.values():
        words = [words_of(cell, pages[cell.region.page]) for cell in alike if cell.region is not None]
        column = column_of([line.words for each in words for line in lines_of(each)])
        in_table = any(cell.area is not None and cell.area != cell.region for cell in alike)
        # A value beside a label may be the only one of its kind: its own width must not bind the invented one.
        column = column if in_table else Column(width=None, flush="left")
        found.update({id(cell): column for cell in alike})
    return found


def _named_cells(row: ExtractedRow) -> Iterator[tuple[str, Cell]]:
    yield from row.cells
    for item in row.items or ():
        yield "label", item.label
        yield "points", item.points
        if item.answer is not None:
            yield "answer", item.answer


def _remarks(sheets: Sequence[Artwork], drawn: Sequence[Artwork], request: TwinRequest) -> tuple[str, ...]:
    remarks = []
    if request.template is None:
        remarks.append("No template: every heading that not many reports print is masked too.")
    left_out = sum(sheet.left_out for sheet in sheets)
    if left_out:
        remarks.append(f"{left_out} drawings were left out: they may be writing.")
    if request.typeface is None:
        plain = {each.text for sheet in drawn for each in sheet.letterings if drawing.lacks_letters(each.text)}
        if plain:
            remarks.append(
                f"Words with letters or signs the standard typefaces lack: {len(plain)}. They are set without, unless "
                "--font names a TrueType file."
            )
    return tuple(remarks)
