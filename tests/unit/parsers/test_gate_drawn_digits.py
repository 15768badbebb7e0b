"""Gate "text quality": what is drawn on the page is what the file says it is."""

from __future__ import annotations

import itertools
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont
from printing import (
    ANN,
    BOB,
    CAT,
    HEIGHT,
    LISTING,
    LISTING_X,
    Drawn,
    Mark,
    blocked,
    blocking,
    line,
    listing,
    printed,
    read,
    said,
    sendable,
)  # fmt: skip
from reportlab.lib import colors
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from fixtures.press.lying import with_maps_saying, with_standard_font_saying
from parsers.readers import drawn_digits, pdfium
from parsers.readers.digit_shapes import Likeness, Picture, likenesses
from parsers.readers.drawn_digits import Place, Sight
from parsers.template_file import parse_template
from records.assessment import ReportReading
from records.document import Document, ReaderName, Word
from records.geometry import around
from tools.digit_sheet import STANDARD

SCORE_X = LISTING_X[4]
FIRST_ROW = 118.0
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def _pdf(*pages: list[Drawn], after: object = None, font: str = "Helvetica") -> bytes:
    """Pages of marks in a plain, uncompressed PDF; `after` draws over each."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1, pageCompression=0)
    for page in pages:
        for mark in page:
            assert isinstance(mark, Mark)
            text = canvas.beginText(mark.x, HEIGHT - mark.y)
            text.setFont(font, mark.size)
            text.setTextRenderMode(mark.mode)
            text.textOut(mark.text)
            canvas.drawText(text)
        if callable(after):
            after(canvas)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _codes(reading: ReportReading) -> list[set[str]]:
    return [blocking(reading, record) for record in reading.assessments]


# --- maps that lie


@pytest.mark.parametrize("font", STANDARD)
def test_an_honest_listing_is_seen_as_its_text_says(font: str) -> None:
    reading = read(_pdf(listing(ANN, BOB, CAT), font=font), LISTING)
    assert printed(sendable(reading)) == [said(ANN), said(BOB), said(CAT)]
    assert not [f.code for record in reading.assessments for f in record.findings]


@pytest.mark.parametrize("font", ["Helvetica", "Times-BoldItalic", "Courier"])
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations("0123456789", 2)))
def test_two_digits_exchanged_by_the_map_of_a_font_are_never_sent(font: str, one: str, other: str) -> None:
    row = (*ANN[:4], one if one != "0" else other, ANN[5])
    lie = with_standard_font_saying(_pdf(listing(row, BOB), font=font), font, {one: other, other: one})
    reading = read(lie, LISTING)
    assert reading.assessments[0].total == int(other if row[4] == one else one)  # all readers of text believe it
    assert "drawn-digits-differ" in _codes(reading)[0]


def test_a_map_that_makes_one_digit_of_another_is_found_where_that_digit_is_printed() -> None:
    lie = with_standard_font_saying(_pdf(listing(ANN, BOB, CAT)), "Helvetica", {"7": "1"})
    reading = read(lie, LISTING)
    assert reading.assessments[1].total == 1
    assert "drawn-digits-differ" in _codes(reading)[1]


@pytest.mark.parametrize("font", ["Helvetica-Oblique", "Helvetica-BoldOblique", "Times-Italic"])
def test_a_digit_that_touches_its_neighbour_is_told_apart_from_another(font: str) -> None:
    row = (*ANN[:5], "03/02/2074")
    lie = with_standard_font_saying(_pdf(listing(row, BOB), font=font), font, {"7": "0"})
    reading = read(lie, LISTING)
    assert str(reading.assessments[0].authored_on) == "2004-03-02"
    assert "drawn-digits-differ" in _codes(reading)[0]


@pytest.mark.skipif(not DEJAVU.is_file(), reason="needs the DejaVu typeface")
@pytest.mark.parametrize("says", [{}, {"1": "4", "4": "1"}, {"3": "8"}])
def test_maps_of_embedded_typefaces_are_looked_through(says: dict[str, str]) -> None:
    pdf = FPDF(unit="pt", format="Letter")
    pdf.set_compression(False)
    pdf.add_page()
    pdf.add_font("face", fname=str(DEJAVU))
    for mark in listing(ANN, BOB, CAT):
        pdf.set_font("face", size=mark.size)
        pdf.text(mark.x, mark.y, mark.text)
    reading = read(with_maps_saying(bytes(pdf.output()), says), LISTING)
    found = [index for index, codes in enumerate(_codes(reading)) if "drawn-digits-differ" in codes]
    wrong = [i for i, row in enumerate((ANN, BOB, CAT)) if set(says) & set(row[4] + row[5])]
    assert found == wrong


# Answers as points only, so that nothing else on the sheet contradicts them.
SHEET = parse_template(
    """
id: points-sheet
revision: 1
anchors: [Points sheet]
furniture: [{text: Points sheet}]
dates: ['%m/%d/%Y']
fields:
  - {label: Patient, field: name}
  - {label: Born, field: birth_date}
  - {label: MRN, field: mrn}
  - {label: Filled in, field: authored_on}
items:
  instrument: phq-9
  columns:
    - {header: Question, field: label}
    - {header: Points, field: points}
  wording: [Interest, Mood, Sleep, Energy, Appetite, Failure, Focus, Slowness, Self-harm]
  summary:
    - {label: Total, cells: {points: total}}
""",
    source="points-sheet.yaml",
)
QUESTIONS = ("Interest", "Mood", "Sleep", "Energy", "Appetite", "Failure", "Focus", "Slowness", "Self-harm")


def _sheet(points: tuple[int, ...], total: int) -> list[Drawn]:
    values = (("Patient:", "Doe, Ann"), ("Born:", "04/05/1980"), ("MRN:", "A100"), ("Filled in:", "02/02/2026"))
    marks: list[Drawn] = [Mark(40, 60, "Points sheet", 14)]
    for number, (label, value) in enumerate(values):
        marks += line(80 + 14 * number, (label, value), (40, 120))
    marks += line(150, ("Question", "Points"), (40, 420))
    for number, (question, answer) in enumerate(zip(QUESTIONS, points, strict=True)):
        marks += line(170 + 16 * number, (question, str(answer)), (40, 420))
    return [*marks, *line(340, ("Total", str(total)), (40, 420))]


def test_an_answer_about_self_harm_that_is_drawn_otherwise_is_an_alert() -> None:
    honest = _pdf(_sheet((1, 2, 1, 1, 1, 0, 0, 0, 0), 6))
    (record,) = read(honest, SHEET).assessments
    assert (record.critical, blocking(read(honest, SHEET), record)) == (False, set())
    # What is drawn is a 3 in the last answer; every reader of text is told that it is a 0.
    lie = with_standard_font_saying(_pdf(_sheet((1, 2, 1, 1, 1, 0, 0, 0, 3), 6)), "Helvetica", {"3": "0"})
    (record,) = read(lie, SHEET).assessments
    assert record.items is not None
    assert record.items[8].points == 0
    assert record.critical is True
    assert {"drawn-digits-differ", "critical-unreadable"} <= {f.code for f in record.findings}


# --- text under something


def _white_box(canvas: Canvas) -> None:
    canvas.setFillColor(colors.white)
    canvas.rect(SCORE_X - 2, HEIGHT - FIRST_ROW - 4, 30, 14, stroke=0, fill=1)
    canvas.setFillColor(colors.black)


def _box_with(score: str) -> object:
    """A picture of another score over the first one, such as a stamp leaves."""

    def cover(canvas: Canvas) -> None:
        picture = Image.new("L", (240, 112), 255)
        font = ImageFont.load_default(size=88)
        ImageDraw.Draw(picture).text((16, 0), score, font=font, fill=0)
        canvas.drawImage(ImageReader(picture), SCORE_X - 2, HEIGHT - FIRST_ROW - 4, 30, 14)

    return cover


def test_a_score_under_a_white_box_is_not_sent() -> None:
    reading = read(_pdf(listing(ANN, BOB), after=_white_box), LISTING)
    assert reading.assessments[0].total == 14
    assert "text-covered" in _codes(reading)[0]
    assert printed(sendable(reading)) == [said(BOB)]


@pytest.mark.parametrize("score", ["9", "27", "41", "8", "20"])
def test_a_score_under_a_picture_of_another_one_is_not_sent(score: str) -> None:
    reading = read(_pdf(listing(ANN, BOB), after=_box_with(score)), LISTING)
    assert _codes(reading)[0] & {"drawn-digits-differ", "text-covered"}
    assert printed(sendable(reading)) == [said(BOB)]


@pytest.mark.parametrize("column", range(6))
def test_any_value_under_a_white_box_keeps_its_row_back(column: int) -> None:
    def cover(canvas: Canvas) -> None:
        canvas.setFillColor(colors.white)
        canvas.rect(LISTING_X[column] - 2, HEIGHT - FIRST_ROW - 4, 50, 14, stroke=0, fill=1)
        canvas.setFillColor(colors.black)

    assert "text-covered" in _codes(read(_pdf(listing(ANN, BOB), after=cover), LISTING))[0]


# --- honest print that is not black on white


@pytest.mark.parametrize(
    ("paper", "ink"), [(colors.navy, colors.white), (colors.lightgrey, colors.black), (colors.white, colors.lightgrey)]
)
def test_digits_in_any_colour_on_any_ground_are_recognised(paper: colors.Color, ink: colors.Color) -> None:
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1)
    canvas.setFillColor(paper)
    canvas.rect(30, HEIGHT - 200, 550, 170, stroke=0, fill=1)
    canvas.setFillColor(ink)
    for mark in listing(ANN, BOB, CAT):
        canvas.setFont(mark.font, mark.size)
        canvas.drawString(mark.x, HEIGHT - mark.y, mark.text)
    canvas.save()
    assert printed(sendable(read(out.getvalue(), LISTING))) == [said(ANN), said(BOB), said(CAT)]


@pytest.mark.parametrize("shift", [0.2, 0.4, 0.6])
def test_bold_type_made_by_printing_twice_is_recognised(shift: float) -> None:
    marks = [*listing(ANN, BOB, CAT)]
    twice = [*marks, *(mark._replace(x=mark.x + shift) for mark in marks)]
    reading = read(_pdf(twice), LISTING)
    assert [record.total for record in reading.assessments] == [14, 7, 3]
    assert not {code for codes in _codes(reading) for code in codes if code.startswith(("drawn", "text"))}


def test_an_ellipse_around_a_score_does_not_change_it() -> None:
    def circled(canvas: Canvas) -> None:
        canvas.ellipse(SCORE_X - 4, HEIGHT - FIRST_ROW - 5, SCORE_X + 16, HEIGHT - FIRST_ROW + 11)

    assert printed(sendable(read(_pdf(listing(ANN, BOB), after=circled), LISTING))) == [said(ANN), said(BOB)]


@pytest.mark.parametrize(("turn", "origin"), [(90, (HEIGHT, 0)), (180, (612, HEIGHT)), (270, (0, 612))])
def test_digits_of_turned_pages_are_recognised(turn: int, origin: tuple[float, float]) -> None:
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1)  # ReportLab turns the sheet with it
    canvas.setPageRotation(turn)
    canvas.translate(*origin)
    canvas.rotate(turn)
    for mark in listing(ANN, BOB):
        canvas.setFont(mark.font, mark.size)
        canvas.drawString(mark.x, HEIGHT - mark.y, mark.text)
    canvas.save()
    glyphs = pdfium.glyphs_of(out.getvalue(), [1])
    places = {Place(g.region, digits=True) for page in glyphs.pages for g in page.words if g.text.isdigit()}
    assert len(places) > 40
    assert set(drawn_digits.look(out.getvalue(), glyphs, places).values()) == {Sight.SAME}


def test_digits_that_stand_on_their_side_cannot_be_told() -> None:
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1)
    canvas.translate(300, 300)
    canvas.rotate(90)
    canvas.drawString(0, 0, "0123456789")
    canvas.save()
    glyphs = pdfium.glyphs_of(out.getvalue(), [1])
    places = [Place(g.region, digits=True) for g in glyphs.pages[0].words]
    assert set(drawn_digits.look(out.getvalue(), glyphs, places).values()) == {Sight.UNCLEAR}


def test_a_typeface_that_cannot_be_told_is_a_note_and_keeps_nobody_busy() -> None:
    def stretched(canvas: Canvas) -> None:
        text = canvas.beginText(SCORE_X, HEIGHT - FIRST_ROW)
        text.setFont("Helvetica", 10)
        text.setHorizScale(300)
        text.textOut("14")
        canvas.drawText(text)

    rest = [mark for mark in listing(ANN, BOB) if isinstance(mark, Mark) and mark.text != "14"]
    reading = read(_pdf([*rest], after=stretched), LISTING)
    first, second = reading.assessments
    assert (first.total, [(f.code, f.blocking) for f in first.findings]) == (14, [("drawn-digits-unclear", False)])
    assert second.findings == ()


@pytest.mark.parametrize(("claimed", "likeness"), [("1", Likeness.SAME), ("7", Likeness.OTHER)])
def test_an_upright_stroke_is_a_one_and_nothing_else(claimed: str, likeness: Likeness) -> None:
    assert likenesses([np.ones((22, 3), np.float32)], claimed) == [likeness]


@pytest.mark.parametrize("shape", [np.zeros((22, 12), np.float32), np.ones((22, 12), np.float32)])
def test_an_empty_box_and_a_full_one_are_no_digit(shape: Picture) -> None:
    assert set(likenesses([shape] * 10, "0123456789")) == {Likeness.NONE}


def test_a_box_that_cuts_a_digit_off_does_not_make_another_one_of_it() -> None:
    """As pdfium's box does where another face stands in for one that is not in the file."""
    content = _pdf([Mark(100, 100, "1", 12)])
    (page,) = pdfium.glyphs_of(content, [1]).pages
    (glyph,) = page.words
    half = replace(glyph.region, x0=glyph.region.center[0])
    glyphs = Document(reader=ReaderName.PDFIUM, pages=(replace(page, words=(Word("1", half),)),))
    assert list(drawn_digits.look(content, glyphs, [Place(half, digits=True)]).values()) == [Sight.SAME]


def test_a_score_beside_the_paper_is_not_seen() -> None:
    glyphs = pdfium.glyphs_of(_pdf([Mark(700, 100, "14")]), [1])
    places = [Place(g.region, digits=True) for page in glyphs.pages for g in page.words]
    assert set(drawn_digits.look(_pdf([Mark(700, 100, "14")]), glyphs, places).values()) == {Sight.NOTHING}


@pytest.mark.parametrize("size", [6, 8, 12, 24])
@pytest.mark.parametrize("covered", [1, 3, 4, 5, 6, 7])  # in small type "a" and "t" reach into the box of the "s"
def test_one_covered_letter_of_a_name_is_not_seen_beside_letters_that_are(size: float, covered: int) -> None:
    name = [Mark(100, 100, "Castellan", size), Mark(300, 100, "14", 8)]
    (page,) = pdfium.glyphs_of(_pdf(name), [1]).pages
    letters = [glyph for glyph in page.words if glyph.text.isalpha()]
    box = letters[covered].region

    def cover(canvas: Canvas) -> None:
        canvas.setFillColor(colors.white)
        canvas.rect(box.x0 - 0.3, HEIGHT - box.bottom - 0.3, box.x1 - box.x0 + 0.6, box.bottom - box.top + 0.6, 0, 1)

    content = _pdf(name, after=cover)
    digits = [Place(glyph.region, digits=True) for glyph in page.words if glyph.text.isdigit()]
    word = Place(around([glyph.region for glyph in letters]), digits=False)
    assert drawn_digits.look(_pdf(name), pdfium.glyphs_of(_pdf(name), [1]), [word, *digits])[word] is Sight.SAME
    assert drawn_digits.look(content, pdfium.glyphs_of(content, [1]), [word, *digits])[word] is Sight.NOTHING


# --- pages without text


def _scan(canvas: Canvas) -> None:
    picture = Image.effect_noise((200, 260), 60)
    canvas.drawImage(ImageReader(picture), 0, 0, 612, HEIGHT)


def _listing_and_scan(*, stamped: str = "", drawn: object = _scan) -> bytes:
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1)
    for mark in listing(ANN):
        canvas.setFont(mark.font, mark.size)
        canvas.drawString(mark.x, HEIGHT - mark.y, mark.text)
    canvas.showPage()
    assert callable(drawn)
    drawn(canvas)
    canvas.setFont("Helvetica", 8)
    canvas.drawString(500, 20, stamped)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


@pytest.mark.parametrize("stamped", ["", "Received 03/05/2026 06:12"])
def test_a_page_that_is_a_picture_is_a_finding_of_that_page(stamped: str) -> None:
    reading = read(_listing_and_scan(stamped=stamped), LISTING)
    assert ("scanned-page", 2, True) in [(f.code, f.region.page, f.blocking) for f in reading.findings if f.region]


def test_a_page_of_drawn_lines_without_text_is_a_finding_of_that_page() -> None:
    reading = read(_listing_and_scan(drawn=lambda canvas: canvas.line(10, 10, 200, 200)), LISTING)
    assert "scanned-page" in blocked(reading)


def test_an_empty_page_is_none() -> None:
    reading = read(_listing_and_scan(drawn=lambda canvas: None), LISTING)
    assert not blocked(reading)
    assert not blocked(read(pdf_with_empty_page(), LISTING))


def pdf_with_empty_page() -> bytes:
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1)
    for mark in listing(ANN):
        canvas.setFont(mark.font, mark.size)
        canvas.drawString(mark.x, HEIGHT - mark.y, mark.text)
    canvas.showPage()
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def test_a_picture_behind_a_whole_listing_is_no_scan() -> None:
    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1)
    canvas.drawImage(ImageReader(Image.new("L", (20, 20), 245)), 0, 0, 612, HEIGHT)
    for mark in listing(ANN, BOB, CAT):
        canvas.setFont(mark.font, mark.size)
        canvas.drawString(mark.x, HEIGHT - mark.y, mark.text)
    canvas.save()
    assert printed(sendable(read(out.getvalue(), LISTING))) == [said(ANN), said(BOB), said(CAT)]


def test_recognised_text_under_a_scan_is_not_sent() -> None:
    """The picture shows 24, the recognised text that lies invisibly over it says 14."""
    pages = pdfium.render_page(_pdf(listing((*ANN[:4], "24", ANN[5]))), page=1, dots_per_inch=150)

    def scan(canvas: Canvas) -> None:
        canvas.drawImage(ImageReader(Image.open(BytesIO(pages))), 0, 0, 612, HEIGHT)

    out = BytesIO()
    canvas = Canvas(out, pagesize=(612, HEIGHT), invariant=1)
    scan(canvas)
    for mark in listing(ANN):
        text = canvas.beginText(mark.x, HEIGHT - mark.y)
        text.setFont(mark.font, mark.size)
        text.setTextRenderMode(3)
        text.textOut(mark.text)
        canvas.drawText(text)
    canvas.save()
    reading = read(out.getvalue(), LISTING)
    assert {"invisible-text", "drawn-digits-differ"} <= _codes(reading)[0]
