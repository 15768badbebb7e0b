"""A document taken apart by its template: records with their text as printed, each piece with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from parsers.areas import TableArea
from parsers.block_extraction import extract_blocks
from parsers.claims import Claims
from parsers.components import joined_components
from parsers.group_headings import Groups
from parsers.header import Header, find_headers
from parsers.heading_doubts import names_people
from parsers.headless_items import extract_headless
from parsers.item_extraction import ItemPage, extract_items, own_headers
from parsers.labels import LabelledValues, find_labels, read_values
from parsers.lines import Line, find_on_line, find_wrapped, folded
from parsers.marks import is_answered
from parsers.sentence_extraction import extract_sentences
from parsers.table_extraction import TablePage, TableState, extract_table, table_headers
from parsers.template import Template
from parsers.template_items import Items
from parsers.template_parts import IDENTITY, Field
from records.document import Document, Page
from records.finding import Finding
from records.geometry import Region, around
from records.report import Cell, ExtractedReport, ExtractedRow, ItemRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What extraction gives: the report, and where its tables stand."""

    report: ExtractedReport
    areas: tuple[TableArea, ...]


@dataclass(slots=True)
class _Progress:
    """What the pages so far have given; page-wide values and group headings hold on to the next page.

    Attributes:
        printed: Page-wide values whose label some page has shown.
        doubted: Page-wide values that an earlier page may have replaced by something that was not read.
    """

    rows: list[ExtractedRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    areas: list[TableArea] = field(default_factory=list)
    no_score: int = 0
    shared: dict[str, Cell] = field(default_factory=dict)
    printed: set[str] = field(default_factory=set)
    doubted: set[str] = field(default_factory=set)
    tables: list[TableState] = field(default_factory=list)
    sentences: list[Groups] = field(default_factory=list)
    tables_seen: int = 0


def extract(document: Document, template: Template, *, site: str) -> Extraction:
    """All records of a PDF document, and a finding for everything that belongs to none.

    Args:
        document: The first reading.
        template: The template that fits it.
        site: The clinic the file came from; another clinic's name on a page is a finding.
    """
    progress = _Progress(
        tables=[TableState() for _ in template.table], sentences=[Groups() for _ in template.sentences]
    )
    for page in document.pages:
        _page(page, template, site, progress)
    progress.rows, without = joined_components(progress.rows, template)
    progress.no_score += without
    only_tables = not (template.blocks or template.items or template.sentences)
    if template.table and only_tables and not progress.tables_seen:
        progress.findings.append(Finding(code="table-not-found"))
    elif not progress.rows and not progress.no_score:
        progress.findings.append(Finding(code="no-records"))
    if not template.items:
        for wanted in template.fields:
            if wanted.field not in progress.printed and not wanted.optional:
                progress.findings.append(Finding(code="label-missing", detail=wanted.label))
    report = ExtractedReport(
        template=template.name,
        pages=len(document.pages),
        rows=tuple(progress.rows),
        no_score=progress.no_score,
        findings=tuple(progress.findings),
    )
    return Extraction(report=report, areas=tuple(progress.areas))


def _page(page: Page, template: Template, site: str, progress: _Progress) -> None:
    claims = Claims(page)
    progress.findings += _claim_clinics(claims, template, site)
    claims.claim_furniture(template.furniture, rows_from=_rows_from(claims, template, progress))
    tables = [table_headers(table, template, claims) for table in template.table]
    printed = [find_headers(claims.free_lines(), items.columns) if items.columns else () for items in template.items]
    stops = [header for headers in (*tables, *printed) for header in headers]
    questions = own_headers(page, template.items, printed, claims)
    whole = Region(page.number, 0, 0, page.width, page.height)
    own = _page_values(template, claims, whole, progress)
    _take_questions(page, template, claims, progress, headers=questions, stops=stops, own=own)
    for table, headers, state in zip(template.table, tables, progress.tables, strict=True):
        _take_table(
            extract_table(page, table, template, claims, state, headers=headers, stops=stops), own, whole, progress
        )
    if sum(names_people(table) for table in template.table) > 1 and any(s.groups.doubted for s in progress.tables):
        # What may have been a heading among one table's rows may name the people of the others too.
        progress.findings.append(Finding(code="row-ambiguous", region=whole))
        for table, state in zip(template.table, progress.tables, strict=True):
            state.doubt(table)
    for blocks in template.blocks:
        cards = extract_blocks(page, blocks, claims, no_score=template.no_score)
        progress.no_score += cards.no_score
        progress.rows += _with_shared(_with_page_values(cards.rows, own, whole), progress)
    for sentences, said in zip(template.sentences, progress.sentences, strict=True):
        told = extract_sentences(page, sentences, claims, said, no_score=template.no_score)
        progress.no_score += told.no_score
        progress.rows += _with_shared(_with_page_values(told.rows, own, whole), progress)
    _claim_anchors(claims, template)
    unclaimed = claims.findings()
    progress.findings += unclaimed
    progress.findings += [Finding(code=code, region=region) for code, region in page.flaws]
    if unclaimed:
        # What was not read may have been a new patient or a new day: what is known so far holds no longer.
        progress.doubted = {str(wanted.field) for wanted in template.fields}
        for table, state in zip(template.table, progress.tables, strict=True):
            state.doubt(table)
        for said in progress.sentences:
            said.doubt(said.said)


def _take_questions(
    page: Page,
    template: Template,
    claims: Claims,
    progress: _Progress,
    *,
    headers: Sequence[Sequence[Header]],
    stops: Sequence[Header],
    own: LabelledValues | None,
) -> None:
    """The records of a page's tables of questions, and a finding where one of them may be part of another."""
    whole = Region(page.number, 0, 0, page.width, page.height)
    found: list[tuple[Items, ItemPage]] = []
    for items, places in zip(template.items, headers, strict=True):
        record = (
            extract_items(page, items, claims, headers=places, stops=stops)
            if items.columns
            else extract_headless(page, items, claims)
        )
        if record is not None:
            found.append((items, record))
    for _, record in found:
        rows = _with_page_values([record.row], own, whole)
        if all(_says_no_score(row, template) for row in rows):
            progress.no_score += 1
        else:
            progress.areas += record.areas
            progress.rows += rows
    swallowed = len(found) < len(template.items) and any(
        len(record.row.items or ()) > len(items.wording) for items, record in found
    )
    # Without its header a table's questions go on in the one above, and a whole record would be missing.
    if swallowed or (template.items and own is not None and own.cells and not found):
        progress.findings.append(Finding(code="table-not-found", region=whole))


def _says_no_score(row: ExtractedRow, template: Template) -> bool:
    """Whether a form without a single answer says in place of its total that there is none."""
    total = row.cell(Field.TOTAL)
    nothing = {folded(text) for text in template.no_score if text}
    part = template.items_of(row.instrument)
    asked = [item for item in row.items or () if not _says_nothing(item, nothing)]
    answered = any(is_answered(item, marks=part.marks if part else ()) for item in asked)
    return total is not None and folded(total.text) in nothing and not answered


def _says_nothing(item: ItemRow, nothing: set[str]) -> bool:
    """Whether a question is answered in words that say it was not."""
    texts = [cell.text for cell in (item.points, item.answer) if cell is not None and cell.text]
    return not item.choices and all(folded(text) in nothing for text in texts)


def _rows_from(claims: Claims, template: Template, progress: _Progress) -> float | None:
    """Where the rows of the page's first table begin, in points from the top; None without a table."""
    heights: list[float] = []
    for table, state in zip(template.table, progress.tables, strict=True):
        headers = table_headers(table, template, claims)
        if headers:
            heights.append(headers[0].region.bottom)
        elif not table.header_on_every_page and state.zones:
            heights.append(0.0)
    return min(heights, default=None)


def _page_values(template: Template, claims: Claims, whole: Region, progress: _Progress) -> LabelledValues | None:
    """The labelled values of a page with questions, which are its own; None where they hold on to the next pages."""
    if not template.items:
        _shared_values(template, claims, whole, progress)
        return None
    values = _labelled(claims.free_lines(), template, whole)
    claims.claim(values.words)
    return values


def _with_page_values(rows: Sequence[ExtractedRow], own: LabelledValues | None, whole: Region) -> list[ExtractedRow]:
    """The rows with what their page says of the person they are about."""
    if own is None:
        return list(rows)
    cells = tuple((str(wanted.field), cell) for wanted, cell in own.cells)
    boxes = [cell.region for _, cell in cells if cell.region]
    made: list[ExtractedRow] = []
    for row in rows:
        named = {name for name, _ in row.cells}
        made.append(
            replace(
                row,
                region=around([row.region, *boxes]) if row.region else whole,
                cells=(*(pair for pair in cells if pair[0] not in named), *row.cells),
                findings=(*own.findings, *row.findings),
            )
        )
    return made


def _take_table(found: TablePage, own: LabelledValues | None, whole: Region, progress: _Progress) -> None:
    progress.tables_seen += found.tables
    progress.no_score += found.no_score
    progress.areas += found.areas
    if found.begins_amid and progress.rows and progress.rows[-1].page is not None:
        progress.rows = _last_doubted(progress.rows)
    progress.rows += _with_shared(_with_page_values(found.rows, own, whole), progress)


def _last_doubted(rows: Sequence[ExtractedRow]) -> list[ExtractedRow]:
    """The rows, the last printed one marked: its rest may stand on the next page."""
    last = rows[-1]
    note = Finding(code="row-ambiguous", region=last.region)
    return [
        replace(row, findings=(*row.findings, note)) if (row.page, row.region) == (last.page, last.region) else row
        for row in rows
    ]


def _shared_values(template: Template, claims: Claims, whole: Region, progress: _Progress) -> None:
    if not template.fields:
        return
    values = _labelled(claims.free_lines(), template, whole)
    claims.claim(values.words)
    progress.findings += [finding for finding in values.findings if finding.code != "label-missing"]
    printed = {str(wanted.field): cell for wanted, cell in values.cells}
    if template.continued and not printed and not _goes_on(template, claims, progress):
        # A page between the labels and this one is missing, or its labels were not recognised.
        progress.doubted = {str(wanted.field) for wanted in template.fields}
    if IDENTITY & printed.keys():
        # Another person's page: what it does not say of them, an earlier page did not say of them either.
        progress.shared = {name: cell for name, cell in progress.shared.items() if name not in IDENTITY}
    progress.shared.update(printed)
    progress.printed |= printed.keys()
    progress.doubted -= printed.keys()


def _goes_on(template: Template, claims: Claims, progress: _Progress) -> bool:
    """Whether a page without labels says that it is about the person and day of the page before; claims the line."""
    agreed: list[bool] = []
    known = {name: folded(cell.text) for name, cell in progress.shared.items()}
    for line in claims.free_lines():
        said = next((found for p in template.continued if (found := p.fullmatch(line.text)) is not None), None)
        if said is not None:
            agreed.append(all(known.get(name) == folded(text or "") for name, text in said.groupdict().items()))
            if agreed[-1]:
                claims.claim(line.words)
    return bool(agreed) and all(agreed)


def _labelled(lines: Sequence[Line], template: Template, whole: Region) -> LabelledValues:
    return read_values(lines, find_labels(lines, template.fields), template.fields, within=whole)


def _with_shared(rows: Sequence[ExtractedRow], progress: _Progress) -> list[ExtractedRow]:
    whole: list[ExtractedRow] = []
    for row in rows:
        added = tuple((name, cell) for name, cell in progress.shared.items() if row.cell(name) is None)
        doubted = [name for name, _ in added if name in progress.doubted]
        notes = tuple(Finding(code="label-missing", region=row.region, detail=name) for name in doubted[:1])
        whole.append(replace(row, cells=(*row.cells, *added), findings=(*row.findings, *notes)))
    return whole


def _claim_clinics(claims: Claims, template: Template, site: str) -> list[Finding]:
    findings: list[Finding] = []
    for line in claims.free_lines():
        for name, belongs_to in template.clinics.items():
            for words in find_on_line(line, name):
                claims.claim(words)
                if belongs_to != site:
                    box = around([word.region for word in words])
                    findings.append(Finding(code="other-site", region=box))
    return findings


def _claim_anchors(claims: Claims, template: Template) -> None:
    lines = claims.free_lines()
    for anchor in template.anchors:
        for words in find_wrapped(lines, anchor):
            if all(claims.is_free(word) for word in words):
                claims.claim(words)
