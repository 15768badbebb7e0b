"""One mutation of printed columns per function: (report, random) to a mutant, or None where it has no place."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from bench.page_changes import Mutant, gone, held_of, moved, redrawn, saying, set_at, shifted, words_on
from bench.printed_columns import NEEDED, PrintedColumn, any_column, span, two_columns, words_inside
from bench.printed_report import Place, PrintedReport
from parsers.lines import find_wrapped, lines_of
from parsers.readers.artwork import Lettering, Stroke


def swap_columns(report: PrintedReport, random: Random) -> Mutant | None:
    """Two columns change places with their headers, cells and lines: an upgrade moved them."""
    pair = two_columns(report, random)
    # Below a heading that spans several columns a column means something else than below the next one.
    spanned = any(column.under for columns in report.template.headers for column in columns)
    if pair is None or spanned:
        return None
    a, b = pair
    top, bottom = span(report, pair)
    wide_a, wide_b = a.x1 - a.x0, b.x1 - b.x0
    moves = ((a.x0, a.x1, b.x1 - a.x1), (a.x1, b.x0, wide_b - wide_a), (b.x0, b.x1, a.x0 - b.x0))
    changed: dict[Place, Lettering] = {}
    for x0, x1, dx in moves:
        changed |= moved(report, words_inside(report, a.sheet, x0, x1, top, bottom), dx)
    strokes = tuple(_reordered(each, a, b, top, bottom) for each in report.sheets[a.sheet].strokes)
    return Mutant(sheets=redrawn(report, changed, strokes={a.sheet: strokes}), told=report.told)


def _reordered(stroke: Stroke, a: PrintedColumn, b: PrintedColumn, top: float, bottom: float) -> Stroke:
    """A line or an area of a table, of which two columns change places."""
    x0, upper, x1, lower = stroke.box
    outside = x0 < a.x0 - 2 or x1 > b.x1 + 2 or lower < top - 12 or upper > bottom + 12
    if outside or (x1 - x0 < 3 and min(abs(x0 - a.x0), abs(x0 - b.x1)) < 2):
        return stroke
    middle = (x0 + x1) / 2
    if x1 - x0 < 3 and abs(middle - b.x0) < 2:
        return shifted(stroke, b.x1 - (a.x1 - a.x0) - b.x0)
    if middle < a.x1 - 2:
        return shifted(stroke, b.x1 - a.x1)
    if middle <= b.x0:
        return shifted(stroke, (b.x1 - b.x0) - (a.x1 - a.x0))
    return shifted(stroke, a.x0 - b.x0)


def swap_cells(report: PrintedReport, random: Random) -> Mutant | None:
    """The cells of two columns change places, their headers do not: each says what its header makes of it."""
    pair = two_columns(report, random, single=True)
    if pair is None:
        return None
    a, b = pair
    changed: dict[Place, Lettering] = {}
    told = list(report.told)
    ends = {key[1].partition(":")[2] for key in a.cells} | {""}
    for number in {n for n, _ in a.cells}:
        for end in ends:
            one, other = (f"{c.name}:{end}" if end else c.name for c in pair)
            here, there = a.cells.get((number, one)), b.cells.get((number, other))
            if not here or not there:
                if here or there:
                    told[number] = replace(told[number], held=True)
                continue
            left, right = (min(set_at(report, p).x for p in cell) for cell in (here, there))
            changed |= moved(report, here, right - left) | moved(report, there, left - right)
            texts = report.told[number].text(one) or "", report.told[number].text(other) or ""
            told[number] = told[number].saying(one, texts[1]).saying(other, texts[0])
    return Mutant(sheets=redrawn(report, changed), told=tuple(told)) if changed else None


def rename_header(report: PrintedReport, random: Random) -> Mutant | None:
    """A header gets another name, which no template knows."""
    column = any_column(report, random)
    if column is None:
        return None
    first, *rest = column.header
    changed = {first: saying(report, first, random.choice(("Kestrel", "Xylem", "Ordinal"))), **gone(report, rest)}
    return Mutant(sheets=redrawn(report, changed), told=report.told)


def double_header(report: PrintedReport, random: Random) -> Mutant | None:
    """A header gets the name of another column: the records of its sheet say one thing twice and another not at all."""
    pair = two_columns(report, random)
    if pair is None or pair[0].name == pair[1].name or pair[0].name not in NEEDED:
        return None
    a, b = pair
    first, *rest = a.header
    name = " ".join(set_at(report, place).text for place in b.header)
    changed = {first: saying(report, first, name), **gone(report, rest)}
    return Mutant(sheets=redrawn(report, changed), told=held_of(report, {n for n, _ in a.cells}))


def rename_label(report: PrintedReport, random: Random) -> Mutant | None:
    """A label beside a value gets another name."""
    assert report.document is not None
    phrases = [phrase for each in report.template.labelled for phrase in (each.label, *each.also)]
    found = [
        [(sheet, at) for at, word in enumerate(page.words) if word in words]
        for sheet, page in enumerate(report.document.pages)
        for phrase in phrases
        for words in find_wrapped(lines_of(page.words), phrase)
    ]
    if not found:
        return None
    first, *rest = random.choice(found)
    changed = {first: saying(report, first, "Kestrel"), **gone(report, rest)}
    return Mutant(sheets=redrawn(report, changed), told=report.told)


def insert_column(report: PrintedReport, random: Random) -> Mutant | None:
    """A column of small numbers is put before another one, with a header or without."""
    column = any_column(report, random)
    if column is None:
        return None
    sheet, wide = column.sheet, 46.0
    changed = moved(
        report, [(sheet, at) for at, w in enumerate(words_on(report, sheet)) if w.region.center[0] >= column.x0], wide
    )
    strokes = tuple(
        shifted(s, wide) if s.box[0] >= column.x0 - 2 else _widened(s, column.x0, wide)
        for s in report.sheets[sheet].strokes
    )
    like = set_at(report, column.header[0])
    more = [(sheet, replace(like, text="Visits", x=column.x0 + 3, length=0.0))] if random.random() < 0.6 else []
    for cell in column.cells.values():
        more.append(
            (sheet, replace(set_at(report, cell[0]), text=str(random.randint(0, 9)), x=column.x0 + 14, length=0.0))
        )
    drawn = redrawn(report, changed, more, {sheet: strokes})
    drawn = tuple(replace(each, width=each.width + wide) if at == sheet else each for at, each in enumerate(drawn))
    return Mutant(sheets=drawn, told=report.told)


def _widened(stroke: Stroke, at: float, wide: float) -> Stroke:
    segments = tuple(
        (kind, tuple((x + wide if x >= at - 2 else x, y) for x, y in points)) for kind, points in stroke.segments
    )
    return replace(stroke, segments=segments)


def remove_column(report: PrintedReport, random: Random) -> Mutant | None:
    """A column is no longer printed."""
    column = any_column(report, random)
    if column is None:
        return None
    top, bottom = span(report, [column])
    places = {*words_inside(report, column.sheet, column.x0, column.x1, top, bottom), *column.header}
    told = list(report.told)
    for n, name in column.cells:
        must = name.partition(":")[0] in (*NEEDED, "item") and name not in ("birth_date", "mrn")
        if name.partition(":")[0] != "label":
            told[n] = replace(told[n].saying(name, ""), held=must)
    return Mutant(sheets=redrawn(report, gone(report, places)), told=tuple(told))


def move_column(report: PrintedReport, random: Random) -> Mutant | None:
    """A column stands 5 to 60 points off, with its header or without: nothing else about the records changes."""
    column = any_column(report, random)
    if column is None:
        return None
    dx = random.choice((5, 8, 12, 20, 35, 60)) * random.choice((-1, 1))
    places = {p for cell in column.cells.values() for p in cell}
    if random.random() < 0.5:
        top, bottom = span(report, [column])
        places |= {*words_inside(report, column.sheet, column.x0, column.x1, top, bottom), *column.header}
    return Mutant(sheets=redrawn(report, moved(report, places, dx)), told=report.told)
