"""One mutation of pages or marks per function: (report, random) to a mutant, or None where it has no place."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from bench.page_changes import Mutant, redrawn
from bench.printed_report import PrintedReport, Told
from records.geometry import Region


def cut_page(report: PrintedReport, random: Random) -> Mutant | None:
    """A page is missing; what later pages took from it is not printed."""
    if len(report.sheets) < 2:
        return None
    cut = random.randrange(len(report.sheets))
    told = []
    for n, each in enumerate(report.told):
        if each.page == cut + 1 or each.page is None:
            continue
        torn = any(place[0] == cut for places in report.words[n].values() for place in places)
        told.append(replace(_renumbered(each, each.page - (each.page > cut + 1)), held=torn))
    sheets = tuple(sheet for at, sheet in enumerate(report.sheets) if at != cut)
    return Mutant(sheets=sheets, told=tuple(told))


def double_page(report: PrintedReport, random: Random) -> Mutant | None:
    """A page is printed twice."""
    twice = random.randrange(len(report.sheets))
    told = [
        _renumbered(each, each.page + more)
        for each in report.told
        if each.page is not None
        for more in ((0, 1) if each.page == twice + 1 else (1,) if each.page > twice + 1 else (0,))
    ]
    sheets = [sheet for at, sheet in enumerate(report.sheets) for _ in range(2 if at == twice else 1)]
    return Mutant(sheets=tuple(sheets), told=tuple(told))


def _renumbered(told: Told, page: int) -> Told:
    return replace(told, page=page, row=replace(told.row, page=page))


def move_mark(report: PrintedReport, random: Random) -> Mutant | None:
    """The mark of an answer stands at another one: the print says another answer."""
    return _with_mark(report, random, also=False)


def second_mark(report: PrintedReport, random: Random) -> Mutant | None:
    """Two answers of one question are marked."""
    return _with_mark(report, random, also=True)


def _with_mark(report: PrintedReport, random: Random, *, also: bool) -> Mutant | None:
    marked = [
        (n, at, chosen, other)
        for n, told in enumerate(report.told)
        for at, item in enumerate(told.row.items or ())
        for chosen, choice in enumerate(item.choices)
        if choice.cell.marks
        for other in range(len(item.choices))
        if other != chosen
    ]
    if not marked:
        return None
    n, at, chosen, other = random.choice(marked)
    told = report.told[n]
    items = list(told.row.items or ())
    choices = list(items[at].choices)
    here, there = _area(choices[chosen].cell), _area(choices[other].cell)
    if here is None or there is None:
        return None
    sheet = here.page - 1
    taken = [
        s for s in report.sheets[sheet].strokes
        if here.holds((s.box[0] + s.box[2]) / 2, (s.box[1] + s.box[3]) / 2, slack=1) and s.box[2] - s.box[0] < 30
    ]  # fmt: skip
    if not taken:
        return None
    dx, dy = there.center[0] - here.center[0], there.center[1] - here.center[1]
    new = [
        replace(s, segments=tuple((k, tuple((x + dx, y + dy) for x, y in points)) for k, points in s.segments))
        for s in taken
    ]
    kept = [s for s in report.sheets[sheet].strokes if also or s not in taken]
    one, two = choices[chosen].cell, choices[other].cell
    choices[chosen] = replace(choices[chosen], cell=replace(one, marks=two.marks))
    choices[other] = replace(choices[other], cell=replace(two, marks=one.marks))
    items[at] = replace(items[at], choices=tuple(choices))
    all_told = list(report.told)
    all_told[n] = replace(told, held=True) if also else replace(told, row=replace(told.row, items=tuple(items)))
    return Mutant(sheets=redrawn(report, {}, strokes={sheet: (*kept, *new)}), told=tuple(all_told))


def _area(cell: object) -> Region | None:
    found = getattr(cell, "region", None) or getattr(cell, "area", None)
    return found if isinstance(found, Region) else None
