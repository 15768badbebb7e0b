"""The fast feed reads what pdfplumber reads, and known traps end right or with a person."""

from __future__ import annotations

import contextlib
import gc
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pdfplumber
import playa
import pypdfium2
import pytest
from camelot.io import read_pdf
from camelot.parsers.lattice import Lattice
from playa.miner import LTChar, LTContainer, LTItem, extract_page
from printing import (
    ANN,
    BOB,
    CAT,
    HEIGHT,
    LISTING,
    LISTING_X,
    WIDTH,
    Drawn,
    Mark,
    Stroke,
    blocked,
    listing,
    pdf,
    printed,
    read,
    said,
    sendable,
)
from reportlab.lib import colors
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from bench.dense_report import ROWS, SITE, TEMPLATE, TODAY, dense_report
from parsers.agreement import Witnesses
from parsers.areas import TableArea
from parsers.extraction import extract
from parsers.instrument_library import load_instruments
from parsers.readers import camelot_grid, fast_plumber, pdfium, plumber, text_layer
from parsers.readers.garbage import seldom_collected
from parsers.readers.limits import ReadingLimits
from parsers.readers.playa_glyphs import layout_of
from parsers.reading import ReadingRequest, read_report
from parsers.template import Kind
from records.assessment import SymptomAssessment
from records.document import Document, GridCell, Page
from records.errors import DocumentError, NoTemplateFitsError
from records.geometry import Region

FORMS = sorted((Path(__file__).parents[3] / "fixtures" / "forms").glob("*/cases/*/report.pdf"))
LIMITS = ReadingLimits()


def _by_pdfplumber_alone(content: bytes) -> list[Page]:
    with pdfplumber.open(io.BytesIO(content)) as document:
        return [
            plumber.drawn_page(
                page.page_number,
                plumber.words_of(page.chars),
                page.edges,
                (*page.curves, *page.lines, *page.rects),
                crop=page.cropbox,
            )
            for page in document.pages
        ]


def _fast(content: bytes) -> Document:
    with text_layer.opened(content) as layer:
        return fast_plumber.read(content, layer, pdfium.read(content, LIMITS))


def _texts_and_boxes(page: Page) -> list[tuple[str, tuple[float, ...]]]:
    return [(word.text, tuple(round(edge) for edge in word.region.box)) for word in page.words]


@pytest.mark.parametrize("path", FORMS, ids=[f"{p.parts[-4]}-{p.parts[-2]}" for p in FORMS])
def test_every_form_is_read_fast_as_pdfplumber_reads_it(path: Path) -> None:
    content = path.read_bytes()
    for ours, theirs in zip(_fast(content).pages, _by_pdfplumber_alone(content), strict=True):
        assert [word.text for word in ours.words] == [word.text for word in theirs.words]
        for one, other in zip(ours.words, theirs.words, strict=True):
            assert one.region.box == pytest.approx(other.region.box, abs=0.6)
        assert sorted(r.region.box for r in ours.rules) == sorted(r.region.box for r in theirs.rules)
        assert [(m.kind, m.region.box) for m in ours.marks] == [(m.kind, m.region.box) for m in theirs.marks]
        assert (ours.width, ours.height, ours.flaws) == (theirs.width, theirs.height, theirs.flaws)


def test_what_pdfminer_interprets_is_described_as_pdfplumber_describes_it() -> None:
    content = dense_report(1)
    assert list(plumber.read(content).pages) == _by_pdfplumber_alone(content)


def _confirmed(content: bytes, change: tuple[str, str] = ("", "")) -> bool:
    (seen,) = pdfium.read(content, LIMITS).pages
    with text_layer.opened(content) as layer:
        return fast_plumber.is_confirmed(
            layer.marks(1),
            replace(seen, characters=seen.characters.replace(*change, 1) if change[0] else seen.characters),
        )


def test_a_plain_page_is_fed_fast() -> None:
    assert _confirmed(dense_report(1))


@pytest.mark.parametrize("change", [("4", "7"), ("PHQ", "PHO"), ("Doe", "Do"), ("Doe", "Doee")])
def test_one_character_that_an_independent_decoder_sees_otherwise_ends_the_fast_feed(change: tuple[str, str]) -> None:
    assert _confirmed(pdf(listing(ANN)))
    assert not _confirmed(pdf(listing(ANN)), change)


def test_symbols_that_pdfminer_takes_for_letters_are_not_fed_fast() -> None:
    assert not _confirmed(pdf([*listing(ANN), Mark(300, 400, "c", font="Symbol")]))


def test_the_second_reader_finds_the_cells_of_a_table_whose_last_column_is_wider_than_its_words() -> None:
    content = dense_report(1)
    with text_layer.opened(content) as layer:
        first = fast_plumber.read(content, layer, pdfium.read(content, LIMITS))
        (area,) = extract(first, TEMPLATE, site=SITE).areas
        second = camelot_grid.read(layer, areas=[area], pages=1, all_words=False)
    assert len([cell for cell in second.pages[0].grid if cell.text.strip() == "PHQ-9"]) == ROWS
    assert not second.pages[0].words


def test_a_dense_report_is_read_whole_and_without_a_doubt() -> None:
    reading = read_report(
        dense_report(3),
        ReadingRequest(kind=Kind.PDF, templates=(TEMPLATE,), instruments=load_instruments(), site=SITE, today=TODAY),
    )
    assert len(reading.assessments) == 3 * ROWS
    assert not any(record.findings for record in reading.assessments)
    assert not reading.findings


def test_pages_far_back_are_interpreted_again_instead_of_being_kept() -> None:
    with text_layer.opened(pdf(*[listing(ANN)] * 70)) as layer:
        first = layer.marks(1)
        assert layer.marks(1) is first
        for number in range(2, 71):
            layer.marks(number)
        assert layer.marks(1) is not first
        assert len(layer.marks(1).glyphs) == len(first.glyphs)


def test_the_search_for_cycles_is_as_before_after_a_reading_that_failed() -> None:
    before = gc.get_threshold()
    with pytest.raises(DocumentError):
        read(b"%PDF-1.4 %%EOF", LISTING)
    with seldom_collected():
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before


# Traps


def _protected(marks: Sequence[Drawn]) -> bytes:
    """The owner forbids everything but looking and printing."""
    out = io.BytesIO()
    canvas = Canvas(
        out,
        pagesize=(WIDTH, HEIGHT),
        encrypt=StandardEncryption("", ownerPassword="owner", canCopy=0, canModify=0, canAnnotate=0),
    )
    for mark in marks:
        assert isinstance(mark, Mark)
        canvas.setFont(mark.font, mark.size)
        canvas.drawString(mark.x, HEIGHT - mark.y, mark.text)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def test_a_file_whose_owner_forbids_copying_is_read_by_all_three_readers() -> None:
    content = _protected(listing(ANN, BOB))
    with pytest.raises(Exception, match="not allowed"):
        read_pdf(io.BytesIO(content))
    assert printed(sendable(read(content, LISTING))) == [said(ANN), said(BOB)]


def _ruled(*rows: Sequence[str], shaded: bool = True) -> bytes:
    """The listing with borders, every other row on grey."""
    xs = (34, *(x - 4 for x in LISTING_X[1:]), 570)
    ys = [86 + 18 * n for n in range(len(rows) + 2)]
    lines = [Stroke(xs[0], y, xs[-1], y) for y in ys] + [Stroke(x, ys[0], x, ys[-1]) for x in xs]

    def shade(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFillColor(colors.lightgrey)
        for y in ys[1::2]:
            canvas.rect(xs[0], HEIGHT - y - 18, xs[-1] - xs[0], 18, stroke=0, fill=1)
        canvas.restoreState()

    return pdf([*listing(*rows), *lines], before=shade if shaded else None)


def test_alternately_shaded_rows_are_all_read_and_agreed_upon() -> None:
    rows = (ANN, BOB, CAT, (*ANN[:4], "15", ANN[5]), (*BOB[:4], "8", BOB[5]))
    assert printed(sendable(read(_ruled(*rows), LISTING))) == [said(row) for row in rows]


def test_borderless_shaded_rows_are_all_read_and_agreed_upon() -> None:
    def shade(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFillColor(colors.lightgrey)
        for y in (106, 142):
            canvas.rect(34, HEIGHT - y - 18, 536, 18, stroke=0, fill=1)
        canvas.restoreState()

    rows = (ANN, BOB, CAT)
    assert printed(sendable(read(pdf(listing(*rows), before=shade), LISTING))) == [said(row) for row in rows]


@pytest.mark.parametrize(("turn", "mirrored"), [(90, False), (180, False), (270, False), (0, True), (180, True)])
@pytest.mark.parametrize("score", ["12", "20"])
def test_a_turned_or_mirrored_score_is_never_read_backwards(turn: int, mirrored: bool, score: str) -> None:
    def turned(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 10)
        canvas.translate(LISTING_X[4] + 8, HEIGHT - 115)
        canvas.rotate(turn)
        if mirrored:
            canvas.scale(-1, 1)
        canvas.drawCentredString(0, -3, score)
        canvas.restoreState()

    reading = read(pdf(listing((*ANN[:4], "", ANN[5]), BOB), before=turned), LISTING)
    assert all(record.total in (int(score), 7) for record in sendable(reading))


def _with_boxes(content: bytes, media: tuple[float, ...], *, rotation: int = 0) -> bytes:
    """The page on a larger sheet, of which what it was before is displayed."""
    document = pypdfium2.PdfDocument(content)
    page = document[0]
    page.set_mediabox(*media)
    page.set_cropbox(0, 0, WIDTH, HEIGHT)
    page.set_rotation(rotation)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.mark.parametrize("media", [(0, 0, 612, 792), (-100, -50, 812, 992), (-30, 0, 612, 900)])
def test_a_page_cut_out_of_a_larger_one_is_read_where_it_is_displayed(media: tuple[float, ...]) -> None:
    content = _with_boxes(_ruled(ANN, BOB), media)
    assert printed(sendable(read(content, LISTING))) == [said(ANN), said(BOB)]


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_page_displayed_lying_or_upside_down_is_never_read_wrongly(rotation: int) -> None:
    content = _with_boxes(_ruled(ANN, BOB), (-100, -50, 812, 992), rotation=rotation)
    records: list[SymptomAssessment] = []
    with contextlib.suppress(NoTemplateFitsError):
        records = sendable(read(content, LISTING))
    assert set(printed(records)) <= {said(ANN), said(BOB)}


def _agree(old: str, new: str) -> bool:
    row_of = (*ANN[:4], ANN[4], ANN[5])
    content = pdf(listing((f"Doe, Jos\u00e9 {row_of[0][-3:]}", *row_of[1:])))
    third = pdfium.read(content, LIMITS)
    with text_layer.opened(content) as layer:
        first = fast_plumber.read(content, layer, third)
        extraction = extract(first, LISTING, site="NORTH")
        second = camelot_grid.read(layer, areas=extraction.areas, pages=1, all_words=True)
    (page,) = second.pages
    grid = tuple(GridCell(cell.text.replace(old, new), cell.region) for cell in page.grid)
    assert grid != page.grid
    (row,) = extraction.report.rows
    return not Witnesses(replace(second, pages=(replace(page, grid=grid),)), third).findings(row)


@pytest.mark.parametrize(
    ("old", "new"), [("Jos\u00e9", "Jose\u0301"), ("Doe, ", "Doe,"), ("Doe, ", "Doe,  "), ("Doe", "DOE")]
)
def test_split_accents_dropped_spaces_and_capitals_are_no_difference(old: str, new: str) -> None:
    assert _agree(old, new)


@pytest.mark.parametrize(("old", "new"), [("Jos\u00e9", "Jose"), ("Doe", "D0e"), ("A100", "A10"), ("14", "1 4 1")])
def test_a_lost_accent_letter_or_digit_is_a_difference(old: str, new: str) -> None:
    assert not _agree(old, new)


def test_text_nobody_sees_is_still_found_by_the_fast_look() -> None:
    assert "invisible-text" in blocked(read(pdf([*listing(ANN), Mark(300, 500, "99", mode=3)]), LISTING))


def test_a_form_that_draws_itself_is_left_to_pdfminer() -> None:
    content = (Path(__file__).parents[3] / "fixtures" / "broken" / "form-loop.pdf").read_bytes()
    with text_layer.opened(content) as layer, pytest.raises(DocumentError):
        layer.marks(1)
    assert _fast(content).pages[0].words


# What is taken over from playa and camelot with less work


def _leaves(layout: LTContainer) -> Iterator[LTItem]:
    for mark in layout:
        if isinstance(mark, LTContainer):
            yield from _leaves(mark)
        else:
            yield mark


_LETTER = (
    "_text", "fontname", "render_mode", "stroking_color", "non_stroking_color", "upright", "matrix", "adv", "bbox",
    "x0", "y0", "x1", "y1", "width", "height", "size",
)  # fmt: skip


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.parent.name)
def test_glyphs_are_laid_out_exactly_as_playa_does(path: Path) -> None:
    content = path.read_bytes()
    with playa.parse(content, space="page") as theirs, playa.parse(content, space="page") as ours:
        for one, other in zip(theirs.pages, ours.pages, strict=True):
            expected, found = list(_leaves(extract_page(one, None))), list(_leaves(layout_of(other)))
            assert [type(mark) for mark in found] == [type(mark) for mark in expected]
            letters = [(a, b) for a, b in zip(expected, found, strict=True) if isinstance(a, LTChar)]
            assert all(getattr(a, name) == getattr(b, name) for a, b in letters for name in _LETTER)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.parent.name)
def test_cells_of_ruled_tables_hold_exactly_what_camelot_puts_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = path.read_bytes()

    def cells() -> list[tuple[GridCell, ...]]:
        with text_layer.opened(content) as layer:
            pages = pdfium.read(content, LIMITS).pages
            areas = [
                TableArea(region=Region(page.number, 0, 0, page.width, page.height), separators=(), ruled=True)
                for page in pages
            ]
            return [
                page.grid for page in camelot_grid.read(layer, areas=areas, pages=len(pages), all_words=False).pages
            ]

    ours = cells()
    monkeypatch.setattr(camelot_grid, "_Ruled", Lattice)
    assert cells() == ours


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.parent.name)
def test_words_are_divided_exactly_as_pdfplumber_divides_them(path: Path) -> None:
    with pdfplumber.open(path) as document:
        for page in document.pages:
            expected = [glyphs for _, glyphs in plumber.WORDS.iter_extract_tuples(page.chars)] if page.chars else []
            assert plumber.words_of(page.chars) == expected
