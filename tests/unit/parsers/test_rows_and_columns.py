"""Values stay in their own row and column, or a person is told. Layouts that went silently wrong once stay here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from printing import (
    ANN,
    BOB,
    CAT,
    HEIGHT,
    LISTING,
    LISTING_HEADER,
    LISTING_X,
    TODAY,
    Drawn,
    Mark,
    Stroke,
    blocked,
    blocking,
    line,
    listing,
    pdf,
    printed,
    read,
    said,
    sendable,
)  # fmt: skip

from parsers.extraction import extract
from parsers.identity import read_identity
from parsers.template_file import parse_template
from parsers.template_parts import Field
from records.document import Document, Page, ReaderName, Word
from records.geometry import Region
from records.report import Cell, ExtractedRow

DAN = ("Zoe, Dan", "A103", "01/01/1970", "GAD-7", "5", "03/05/2026")
SCORE_X = LISTING_X[4]
HEAD = [Mark(40, 60, "Score listing", 14), *line(100, LISTING_HEADER)]


def _wrapped(names: Sequence[Sequence[str]], *, align: str, between: float, step: float = 12) -> list[Mark]:
    """Rows whose names take several lines, the other cells set top, middle or bottom."""
    marks = list(HEAD)
    y = 118.0
    for row, lines in zip((ANN, BOB, CAT), names, strict=True):
        rest = (len(lines) - 1) * step
        marks += [Mark(40, y + step * number, text) for number, text in enumerate(lines)]
        marks += line(y + {"top": 0.0, "middle": rest / 2, "bottom": rest}[align], ("", *row[1:]))
        y += rest + between
    return marks


NAMES = (("Doe-Very-Long-", "Family, Ann", "Maria"), ("Roe,", "Bob"), ("Poe,", "Cat", "Lee"))
WHOLE = ["Doe-Very-Long-Family, Ann Maria", "Roe, Bob", "Poe, Cat Lee"]


@pytest.mark.parametrize("align", ["top", "middle", "bottom"])
@pytest.mark.parametrize("between", [15.0, 18.0, 24.0])
def test_names_of_several_lines_keep_to_their_rows_however_the_cells_are_set(align: str, between: float) -> None:
    reading = read(pdf(_wrapped(NAMES, align=align, between=between)), LISTING)
    assert [record.patient.name for record in sendable(reading)] == WHOLE


@pytest.mark.parametrize("align", ["top", "middle", "bottom"])
@pytest.mark.parametrize("counts", [(3, 2, 3), (2, 2, 2), (1, 3, 1), (3, 1, 1), (1, 1, 3), (4, 1, 2)])
def test_where_lines_stand_evenly_no_name_lands_in_another_row_unnoticed(align: str, counts: tuple[int, ...]) -> None:
    names = [
        tuple(f"{row[0][:3]}{'abcd'[n]}" for n in range(count))
        for row, count in zip((ANN, BOB, CAT), counts, strict=True)
    ]
    reading = read(pdf(_wrapped(names, align=align, between=12)), LISTING)
    assert {record.patient.name for record in sendable(reading)} <= {" ".join(lines) for lines in names}


def test_a_score_alone_in_its_line_is_not_given_to_the_blank_one_above() -> None:
    blank = (*BOB[:4], "", BOB[5])
    for stray in (["Poe, Cat", "", "", "", "3", ""], ["Count", "", "", "", "2", ""], ["", "", "", "", "9", ""]):
        reading = read(pdf(listing(ANN, blank, stray, step=12)), LISTING)
        assert printed(sendable(reading)) == [said(ANN)]


def test_a_subtotal_line_never_changes_a_score() -> None:
    reading = read(pdf(listing(ANN, BOB, ("Count", "", "", "", "2", ""), step=12)), LISTING)
    assert printed(sendable(reading)) == [said(ANN)]


def test_a_row_broken_over_a_page_is_noticed_on_both_pages() -> None:
    first = listing(ANN, (*BOB[:3], "AUDIT", *BOB[4:]))
    second = [*listing(CAT, DAN, step=30), Mark(LISTING_X[3], 116, "-C")]
    reading = read(pdf(first, second), LISTING)
    assert printed(sendable(reading)) == [said(ANN), said(DAN)]


def test_a_ruled_row_broken_over_a_page_is_noticed_on_both_pages() -> None:
    def rules(*ys: float) -> list[Stroke]:
        return [Stroke(36, y, 560, y) for y in ys]

    first: list[Drawn] = [*listing(ANN, (*BOB[:3], "AUDIT", *BOB[4:])), *rules(105, 123, 141)]
    second: list[Drawn] = [*HEAD, Mark(LISTING_X[3], 118, "-C"), *line(136, CAT), *rules(105, 123, 141)]
    assert printed(sendable(read(pdf(first, second), LISTING))) == [said(ANN), said(CAT)]


def test_a_name_cut_off_at_a_lines_end_is_not_whole() -> None:
    for name in ("Roe-", "Roe,", "Doe, Ann Day 03/03/2026"):
        reading = read(pdf(listing((name, *ANN[1:]), BOB)), LISTING)
        assert blocked(reading) == {"name-unreadable"}
    assert not blocked(read(pdf(listing(("Doe 3rd, Ann", *ANN[1:]), BOB)), LISTING))


@pytest.mark.parametrize("name", ["Doe, An…", "Doe, An...", "Do…"])
def test_a_name_with_an_ellipsis_is_kept_as_printed_and_marked_as_cut_off(name: str) -> None:
    reading = read(pdf(listing((name, *ANN[1:]), BOB)), LISTING)
    cut, whole = reading.assessments
    assert (cut.patient.name, cut.patient.cut_off) == (name, ("given",) if "," in name else ("family",))
    assert [(f.code, f.blocking) for f in cut.findings] == [("name-cut-off", False)]
    assert (whole.patient.cut_off, whole.findings) == ((), ())


def test_a_ligature_in_a_name_is_its_letters() -> None:
    row = ExtractedRow(
        page=1, region=Region(1, 0, 0, 9, 9), cells=((Field.NAME, Cell(text="Heﬀernan, Maﬃeo", region=None)),)
    )
    who = read_identity(row, LISTING, today=TODAY).identity
    assert (who.name, who.family, who.given) == ("Heffernan, Maffieo", "Heffernan", "Maffieo")


@pytest.mark.parametrize(
    ("visit", "day"), [("03/14/2026", date(2026, 3, 14)), ("14th of March", None), ("", None), ("—", None)]
)
def test_clinician_and_visit_support_the_match_and_hinder_nothing(visit: str, day: date | None) -> None:
    cells = ((Field.NAME, "Roe, Bob"), (Field.CLINICIAN, "Dr. A. Stone"), (Field.VISIT_DATE, visit))
    row = ExtractedRow(
        page=1,
        region=Region(1, 0, 0, 9, 9),
        cells=tuple((field, Cell(text=text, region=None)) for field, text in cells),
    )
    who = read_identity(row, LISTING, today=TODAY)
    assert (who.identity.clinician, who.identity.visit_date, who.findings) == ("Dr. A. Stone", day, ())


@pytest.mark.parametrize("drop", [4.0, 5.0, 6.0, 8.0, 9.0, 10.0, 12.0, 14.0])
def test_a_score_column_that_sits_lower_is_never_read_into_the_next_row(drop: float) -> None:
    marks = [m._replace(y=m.y + drop) if m.x == SCORE_X and m.y > 100 else m for m in listing(ANN, BOB, CAT)]
    reading = read(pdf(marks), LISTING)
    assert set(printed(sendable(reading))) <= {said(ANN), said(BOB), said(CAT)}


def test_cells_shifted_a_column_to_the_left_are_noticed() -> None:
    shifted = (BOB[0], BOB[2], BOB[3], BOB[4], BOB[5], "")
    assert printed(sendable(read(pdf(listing(ANN, shifted, CAT)), LISTING))) == [said(ANN), said(CAT)]


def test_a_column_printed_empty_moves_nothing() -> None:
    rows = [(row[0], "", *row[2:]) for row in (ANN, BOB, CAT)]
    reading = read(pdf(listing(*rows)), LISTING)
    assert [(r.patient.mrn, r.total) for r in sendable(reading)] == [(None, 14), (None, 7), (None, 3)]


def test_narrow_gutters_are_enough() -> None:
    xs = (40.0, 150.0, 200.0, 260.0, 300.0, 335.0)
    marks = [Mark(40, 60, "Score listing", 14), *line(100, LISTING_HEADER, xs)]
    for number, row in enumerate((ANN, BOB, CAT), start=1):
        marks += line(100 + 18 * number, row, xs)
    assert printed(sendable(read(pdf(marks), LISTING))) == [said(ANN), said(BOB), said(CAT)]


@pytest.mark.parametrize("shift", range(-70, 75, 5))
def test_scores_set_off_from_their_header_are_read_right_or_kept_back(shift: int) -> None:
    marks = list(HEAD)
    for number, row in enumerate((ANN, BOB, CAT), start=1):
        marks += [*line(100 + 18 * number, (*row[:4], "", row[5])), Mark(SCORE_X + shift, 100 + 18 * number, row[4])]
    reading = read(pdf(marks), LISTING)
    assert set(printed(sendable(reading))) <= {said(ANN), said(BOB), said(CAT)}


_WIDE = parse_template(
    """
id: wide
revision: 1
anchors: [Score listing]
furniture: [{text: Score listing}]
dates: ['%m/%d/%Y']
no_score: ['']
table:
  columns:
    - {header: Patient, field: name}
    - {header: MRN, field: mrn}
    - {header: PHQ-9, field: total, instrument: phq-9}
    - {header: GAD-7, field: total, instrument: gad-7}
    - {header: ISI, field: total, instrument: isi}
    - {header: Given, field: authored_on}
""",
    source="wide.yaml",
)
_WIDE_X = (40.0, 150.0, 230.0, 310.0, 390.0, 470.0)


@pytest.mark.parametrize("shift", [-30, -25, -20, -10, 0, 10, 20, 30, 40, 50])
@pytest.mark.parametrize("scores", [("5", "7", ""), ("", "9", "12"), ("", "3", ""), ("4", "", "")])
def test_a_score_between_two_columns_is_given_to_neither_unnoticed(scores: tuple[str, ...], shift: int) -> None:
    row = ("Doe, Ann", "A1", *scores, "03/02/2026")
    marks = [
        Mark(40, 60, "Score listing", 14),
        *line(100, ("Patient", "MRN", "PHQ-9", "GAD-7", "ISI", "Given"), _WIDE_X),
    ]
    marks += line(118, row, [x + (shift if 2 <= n <= 4 else 0) for n, x in enumerate(_WIDE_X)])
    got = {(record.instrument, record.total) for record in sendable(read(pdf(marks), _WIDE))}
    assert got <= {(name, int(s)) for name, s in zip(("phq-9", "gad-7", "isi"), scores, strict=True) if s}


@pytest.mark.parametrize("edge", ["left", "right"])
@pytest.mark.parametrize("shift", range(-48, 65, 4))
def test_one_score_astray_among_others_is_read_right_or_kept_back(shift: int, edge: str) -> None:
    marks = [
        Mark(40, 60, "Score listing", 14),
        *line(100, ("Patient", "MRN", "PHQ-9", "GAD-7", "ISI", "Given"), _WIDE_X),
    ]
    rows = [("Doe, Ann", "A1", "5", "17", "9"), ("Roe, Bob", "A2", "12", "", "4"), ("Poe, Cat", "A3", "7", "3", "21"),
            ("Loe, Dan", "A4", "8", "10", "11")]  # fmt: skip
    truth = set()
    for number, row in enumerate(rows, start=1):
        astray = shift if row[0] == "Roe, Bob" else 0
        for at, text in enumerate((*row, "03/02/2026")):
            if text:
                set_off = 0.0 if edge == "left" or not text.isdigit() else 25 - 5 * len(text)
                marks.append(Mark(_WIDE_X[at] + set_off + (astray if at == 2 else 0), 100 + 18 * number, text))
        truth |= {(row[1], name, int(s)) for name, s in zip(("phq-9", "gad-7", "isi"), row[2:], strict=True) if s}
    reading = read(pdf(marks), _WIDE)
    got = {(record.patient.mrn, record.instrument, record.total) for record in sendable(reading)}
    assert got <= truth
    if shift == 0:
        assert got == truth


def test_tiny_print_is_read_like_any_other() -> None:
    marks = [mark._replace(size=3) for mark in listing(ANN, BOB, CAT, step=5)]
    assert printed(sendable(read(pdf(marks), LISTING))) == [said(ANN), said(BOB), said(CAT)]


@pytest.mark.parametrize("step", [3.0, 5.0, 7.0, 9.0])
def test_rows_printed_into_each_other_are_read_right_or_kept_back(step: float) -> None:
    reading = read(pdf(listing(ANN, BOB, CAT, step=step)), LISTING)
    assert set(printed(sendable(reading))) <= {said(ANN), said(BOB), said(CAT)}


@pytest.mark.parametrize("turn", [90, 180])
def test_a_page_turned_by_its_viewer_is_read_as_displayed(turn: int) -> None:
    wide, tall = (HEIGHT, 612.0) if turn == 90 else (612.0, HEIGHT)

    def turned(canvas: object) -> None:
        canvas.setPageRotation(turn)  # type: ignore[attr-defined]
        canvas.translate(612, 0 if turn == 90 else HEIGHT)  # type: ignore[attr-defined]
        canvas.rotate(turn)  # type: ignore[attr-defined]
        canvas.translate(0, tall - HEIGHT)  # type: ignore[attr-defined]

    reading = read(pdf(listing(ANN, BOB, CAT), before=turned), LISTING)
    assert printed(sendable(reading)) == [said(ANN), said(BOB), said(CAT)]
    assert all(r.region is not None and 0 <= r.region.x0 < r.region.x1 <= wide for r in reading.assessments)


_FAMILY = st.sampled_from(["Doe", "Roe-Smith", "de la Cruz", "Ng", "Featherstonehaugh", "O'Neil"])
_GIVEN = st.sampled_from(["Ann", "Bob", "Maria Luisa", "Jo"])
_ROW = st.builds(
    lambda family, given_name, mrn, instrument, total, day: (
        f"{family}, {given_name}", f"A{mrn}", "04/05/1980", instrument, str(total), f"01/{day:02d}/2026",
    ),
    _FAMILY, _GIVEN, st.integers(1, 99999), st.sampled_from(["PHQ-9", "GAD-7", "ISI", "PHQ-2"]), st.integers(0, 6),
    st.integers(1, 31),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(_ROW, min_size=1, max_size=6),
    widths=st.lists(st.floats(8, 24), min_size=6, max_size=6),
    step=st.floats(13, 30),
    right=st.sets(st.integers(1, 5)),
)
def test_any_listing_is_read_cell_for_cell_or_kept_back(
    rows: list[tuple[str, ...]], widths: list[float], step: float, right: set[int]
) -> None:
    texts = [LISTING_HEADER, *rows]
    marks = [Mark(40, 60, "Score listing", 14)]
    x = 40.0
    for column, gutter in enumerate(widths):
        width = max(len(text[column]) for text in texts) * 5.3
        for number, text in enumerate(texts):
            place = Mark(x + width if column in right else x, 100 + step * number, text[column], 9)
            marks.append(place._replace(right=column in right))
        x += width + gutter
    reading = read(pdf(marks, size=(900, 792)), LISTING)
    got = printed(reading.assessments)
    wanted = [said(row) for row in rows]
    for record, values in zip(reading.assessments, got, strict=True):
        assert values in wanted or blocking(reading, record)
    assert got == wanted or blocked(reading)


def _word(x: float, y: float, text: str) -> Word:
    return Word(text, Region(1, x, y, x + 5.0 * len(text), y + 10))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(20, 500), st.floats(115, 400), st.sampled_from(["Doe,", "Ann", "A1", "14", "PHQ-9", "x"])),
        max_size=25,
    )
)
def test_every_word_is_claimed_by_exactly_one_row_or_is_a_finding(places: list[tuple[float, float, str]]) -> None:
    header = [_word(x, 100, text) for x, text in zip(LISTING_X, LISTING_HEADER, strict=True)]
    words = [_word(x, y, text) for x, y, text in places]
    title = [_word(40, 60, "Score"), _word(75, 60, "listing")]
    page = Page(number=1, width=612, height=792, words=tuple(title + header + words))
    report = extract(Document(reader=ReaderName.PDFPLUMBER, pages=(page,)), LISTING, site="NORTH").report
    in_rows = [text for row in report.rows for _, cell in row.cells for text in cell.text.split()]
    unclaimed = [text for f in report.findings if f.code == "unclaimed-word" for text in f.detail.split()]
    assert sorted(in_rows + unclaimed) == sorted(text for _, _, text in places)


@pytest.mark.parametrize(("left", "right"), [(0, 1), (1, 2), (2, 5), (3, 4), (4, 5)])
def test_columns_that_change_places_are_another_table(left: int, right: int) -> None:
    def changed(row: Sequence[str]) -> list[str]:
        cells = list(row)
        cells[left], cells[right] = cells[right], cells[left]
        return cells

    marks = [Mark(40, 60, "Score listing", 14), *line(100, changed(LISTING_HEADER)), *line(118, changed(ANN))]
    reading = read(pdf(marks), LISTING)
    assert (sendable(reading), "table-not-found" in blocked(reading)) == ([], True)
