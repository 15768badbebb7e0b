"""Gate "text quality": what the file says is not what is seen on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from printing import (
    ANN,
    BOB,
    CAT,
    HEIGHT,
    LISTING,
    LISTING_HEADER,
    LISTING_X,
    TODAY,
    Mark,
    blocked,
    blocking,
    listing,
    pdf,
    printed,
    read,
    said,
    sendable,
)  # fmt: skip
from reportlab.lib import colors
from reportlab.pdfgen.canvas import Canvas

from fixtures.press.producers import weasyprint_pdf
from parsers.extraction import extract
from parsers.instrument_library import load_instruments
from parsers.readers import plumber
from parsers.swollen_glyphs import swollen_glyphs
from parsers.validation import validate
from records.geometry import Region

SCORE_X = LISTING_X[4]
FIRST_ROW = 118.0


def _with_score(score: str) -> tuple[str, ...]:
    return (*ANN[:4], score, ANN[5])


@pytest.mark.parametrize("bad", ["(cid:17)", "\ufffd", "\ue001", "\x07", "\U000f0001"])
@pytest.mark.parametrize("column", [0, 1, 3])
def test_a_glyph_without_a_character_keeps_its_row_back(bad: str, column: int) -> None:
    document = plumber.read(pdf(listing(ANN, BOB)))
    (page,) = document.pages
    wanted = ANN[column].split()[0]
    words = tuple(replace(word, text=word.text + bad) if word.text == wanted else word for word in page.words)
    rows = extract(replace(document, pages=(replace(page, words=words),)), LISTING, site="NORTH").report.rows
    codes = [{f.code for f in validate(row, LISTING, load_instruments(), today=TODAY).findings} for row in rows]
    assert "text-quality" in codes[0]
    if wanted != "PHQ-9":
        assert codes[1] == set()


@pytest.mark.parametrize("mode", [3, 7])
def test_text_printed_without_ink_keeps_its_page_back(mode: int) -> None:
    hidden = Mark(SCORE_X - 5.6, FIRST_ROW, "1", mode=mode)
    reading = read(pdf([*listing(_with_score("4"), BOB), hidden], listing(CAT)), LISTING)
    assert printed(sendable(reading)) == [said(CAT)]
    assert "invisible-text" in blocked(reading)


def _on(canvas: Canvas, *, paint: colors.Color, alpha: float = 1.0) -> None:
    """A hidden "1" in front of the first score."""
    canvas.saveState()
    canvas.setFillColor(paint)
    canvas.setFillAlpha(alpha)
    canvas.setFont("Helvetica", 10)
    canvas.drawString(SCORE_X - 5.6, HEIGHT - FIRST_ROW, "1")
    canvas.restoreState()


@pytest.mark.parametrize(("paint", "alpha"), [(colors.white, 1.0), (colors.black, 0.0)])
def test_a_digit_nobody_sees_keeps_its_page_back(paint: colors.Color, alpha: float) -> None:
    content = pdf(listing(_with_score("4")), before=lambda canvas: _on(canvas, paint=paint, alpha=alpha))
    assert "invisible-text" in blocked(read(content, LISTING))


def test_white_type_on_a_coloured_area_is_seen() -> None:
    def white_title(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFillColor(colors.navy)
        canvas.rect(30, HEIGHT - 40, 200, 20, stroke=0, fill=1)
        canvas.setFillColor(colors.white)
        canvas.setFont("Helvetica", 10)
        canvas.drawString(40, HEIGHT - 34, "North Clinic")
        canvas.restoreState()

    assert not blocked(read(pdf(listing(ANN), before=white_title), LISTING))


@pytest.mark.parametrize("score", ["1", "14"])
def test_bold_type_made_by_printing_twice_never_doubles_a_score(score: str) -> None:
    twice = Mark(SCORE_X + 0.4, FIRST_ROW, score)
    reading = read(pdf([*listing(_with_score(score), BOB), twice]), LISTING)
    assert reading.assessments[0].total == int(score)
    assert all(record.total in (int(score), 7) for record in sendable(reading))


def test_a_title_printed_twice_for_bold_is_still_recognised() -> None:
    assert not blocked(read(pdf([*listing(ANN), Mark(40.4, 60, "Score listing", 14)]), LISTING))


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_two_digits_on_top_of_each_other_are_no_score(shift: float) -> None:
    reading = read(pdf([*listing(_with_score("1"), BOB), Mark(SCORE_X + shift, FIRST_ROW, "7")]), LISTING)
    assert "text-overlaps" in blocking(reading, reading.assessments[0])


@pytest.mark.parametrize("rise", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
@pytest.mark.parametrize("size", [5.0, 6.0, 7.0, 8.0])
def test_a_footnotes_number_behind_a_score_is_not_its_last_digit(rise: float, size: float) -> None:
    note = Mark(SCORE_X + 5.6, FIRST_ROW - rise, "1", size)
    reading = read(pdf([*listing(_with_score("1"), BOB), note]), LISTING)
    assert all(record.total != 11 for record in sendable(reading))


def test_digits_of_other_scripts_are_no_score() -> None:
    for score in ("\u0663", "\uff11\uff14", "3\u00b9"):
        reading = read(pdf(listing(_with_score(score), BOB)), LISTING)
        assert printed(sendable(reading)) == [said(BOB)]


# --- glyphs that say more than they show


def test_an_ellipsis_that_the_fonts_map_calls_the_letters_it_stands_for_is_not_sent() -> None:
    people = (("Doe, Ann Fitzgerald Day", *ANN[1:]), ("Roe, Bob Fitz Maynard", *BOB[1:]), CAT)
    rows = "".join(f"<tr><td><div class=cut>{row[0]}</div><td>{'<td>'.join(row[1:])}</tr>" for row in people)
    style = ".cut { width: 70pt; overflow: hidden; white-space: nowrap; text-overflow: ellipsis } td { width: 70pt }"
    head = "".join(f"<th>{text}" for text in LISTING_HEADER)
    page = f"<style>{style}</style><p>Score listing</p><table><tr>{head}</tr>{rows}</table>"
    reading = read(weasyprint_pdf(page), LISTING)
    assert [blocking(reading, record) for record in reading.assessments] == [{"text-quality"}, {"text-quality"}, set()]


@pytest.mark.parametrize(
    ("told", "swollen"),
    [
        ("ffi", False), ("fl", False), ("Th", False), ("A", False), ("é", False), ("e\u0301", False),
        (" Delphine", True), ("ia", True), ("14", True), ("fffi", True), ("a ", True),
    ],
)  # fmt: skip
def test_a_glyph_is_a_letter_a_ligature_or_too_many_letters(told: str, swollen: bool) -> None:
    boxes = [(9.0, 1.0, 12.0, 9.0), *[(1.0, 1.0, 7.0, 9.0)] * len(told), (14.0, 1.0, 19.0, 9.0)]
    found = list(swollen_glyphs(1, f"x{told}y", np.array(boxes)))
    assert found == ([Region(1, 1.0, 1.0, 7.0, 9.0)] if swollen else [])
