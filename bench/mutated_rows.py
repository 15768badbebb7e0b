"""One mutation of printed rows per function: (report, random) to a mutant, or None where it has no place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from bench.page_changes import Mutant, cells_of, gone, held_of, moved, redrawn, saying, set_at, users, word_at, words_on
from bench.printed_columns import columns_on
from bench.printed_report import Place, PrintedReport
from parsers.readers.artwork import Lettering
from parsers.template_parts import IDENTITY


def _next_below(report: PrintedReport, random: Random, name: str) -> tuple[int, str, int, str] | None:
    """Two cells of one column, one below the other with no other between."""
    found: list[tuple[int, str, int, str]] = []
    for sheet in range(len(report.sheets)):
        for column in columns_on(report, sheet):
            if column.name != name:
                continue
            ordered = sorted(column.cells, key=lambda key: word_at(report, column.cells[key][0]).region.top)
            found += [(*one, *other) for one, other in itertools.pairwise(ordered)]
    return random.choice(found) if found else None


def score_in_next_row(report: PrintedReport, random: Random) -> Mutant | None:
    """A score is printed in the row below or above, over or beside the score of that row."""
    return _into_next_row(report, random, "total")


def answer_in_next_row(report: PrintedReport, random: Random) -> Mutant | None:
    """The points of one answer are printed in the row of the next question."""
    return _into_next_row(report, random, "item")


def _into_next_row(report: PrintedReport, random: Random, name: str) -> Mutant | None:
    pair = _next_below(report, random, name)
    if pair is None:
        return None
    n, one, m, other = pair if random.random() < 0.5 else (*pair[2:], *pair[:2])
    here, there = report.words[n][one], report.words[m][other]
    dy = set_at(report, there[0]).baseline - set_at(report, here[0]).baseline
    beside = random.choice((0.0, 0.0, word_at(report, there[-1]).region.x1 - word_at(report, here[0]).region.x0 + 2))
    return Mutant(sheets=redrawn(report, moved(report, here, beside, dy)), told=held_of(report, {n, m}))


def score_in_next_column(report: PrintedReport, random: Random) -> Mutant | None:
    """A score is printed in the space of the column beside it."""
    sheet = random.randrange(len(report.sheets))
    columns = columns_on(report, sheet)
    pairs = [
        (column, other)
        for column in columns
        if column.name == "total"
        for other in columns
        if other.name not in ("total", "item") and min(abs(other.x0 - column.x1), abs(column.x0 - other.x1)) < 12
    ]
    if not pairs:
        return None
    column, other = random.choice(pairs)
    (n, _), places = random.choice(list(column.cells.items()))
    dx = (other.x0 + other.x1) / 2 - word_at(report, places[0]).region.center[0]
    return Mutant(sheets=redrawn(report, moved(report, places, dx)), told=held_of(report, {n}))


def rotate_answers(report: PrintedReport, random: Random) -> Mutant | None:
    """Every answer of a form is printed one row lower, the last one first: a clean print of other answers."""
    forms = [n for n, told in enumerate(report.told) if len(_item_names(report, n)) > 2]
    if not forms:
        return None
    n = random.choice(forms)
    kinds = ["item", "answer"] if random.random() < 0.5 else ["item"]
    changed: dict[Place, Lettering] = {}
    told = list(report.told)
    for kind in kinds:
        names = [name for name in report.words[n] if name.startswith(f"{kind}:") and report.words[n][name]]
        if not names:  # this form prints no answers of this kind
            continue
        for name, source in zip(names, [names[-1], *names[:-1]], strict=True):
            here, there = report.words[n][name], report.words[n][source]
            dy = set_at(report, here[0]).baseline - set_at(report, there[0]).baseline
            dx = word_at(report, here[0]).region.x0 - word_at(report, there[0]).region.x0
            changed |= moved(report, there, dx, dy)
            told[n] = told[n].saying(name, report.told[n].text(source) or "")
    return Mutant(sheets=redrawn(report, changed), told=tuple(told))


def _item_names(report: PrintedReport, n: int) -> list[str]:
    return [name for name, places in report.words[n].items() if places and name.startswith("item:")]


def shift_answers(report: PrintedReport, random: Random) -> Mutant | None:
    """The points of a form's answers stand a whole row off, which only a person may settle, or half a row."""
    forms = [n for n, told in enumerate(report.told) if len(_item_names(report, n)) > 2]
    if not forms:
        return None
    n = random.choice(forms)
    names = _item_names(report, n)
    first, second = (set_at(report, report.words[n][name][0]) for name in names[:2])
    across = abs(second.baseline - first.baseline) < 1  # a column per question, not a row
    by = random.choice((0.5, 1.0)) * random.choice((-1, 1))
    places = [p for name in names for p in report.words[n][name]]
    dx, dy = (by * (second.x - first.x), 0.0) if across else (0.0, by * (second.baseline - first.baseline))
    return Mutant(
        sheets=redrawn(report, moved(report, places, dx, dy)), told=held_of(report, {n} if abs(by) == 1 else ())
    )


def remove_name(report: PrintedReport, random: Random) -> Mutant | None:
    """A record's name is not printed."""
    cells = cells_of(report, "name", "family")
    if not cells:
        return None
    _, name, places = random.choice(cells)
    told = tuple(t.saying(name, "") if n in users(report, places) else t for n, t in enumerate(report.told))
    return Mutant(sheets=redrawn(report, gone(report, places)), told=told)


def swap_patients(report: PrintedReport, random: Random) -> Mutant | None:
    """What says who two patients are changes places: the print says so."""
    fields = {str(each) for each in IDENTITY}
    people = [(n, {k: p for k, p in words.items() if k in fields and p}) for n, words in enumerate(report.words)]
    random.shuffle(people)
    for n, one in people:
        for m, other in people:
            mine, theirs = {p for c in one.values() for p in c}, {p for c in other.values() for p in c}
            alike = one.keys() == other.keys() and all(_lines(report, one[k]) == _lines(report, other[k]) for k in one)
            if n < m and one and alike and not mine & theirs:
                return _with_swapped(report, n, m)
    return None


def _lines(report: PrintedReport, places: Sequence[Place]) -> int:
    """On how many lines a cell is printed: where one has room, two have not."""
    return len({round(set_at(report, place).baseline) for place in places})


def _with_swapped(report: PrintedReport, n: int, m: int) -> Mutant:
    fields = [str(each) for each in IDENTITY]
    changed: dict[Place, Lettering] = {}
    told = list(report.told)
    for name in fields:
        here, there = report.words[n].get(name, ()), report.words[m].get(name, ())
        if not here:
            continue
        to, of = set_at(report, there[0]), set_at(report, here[0])
        changed |= moved(report, here, to.x - of.x, to.baseline - of.baseline)
        changed |= moved(report, there, of.x - to.x, of.baseline - to.baseline)
        if {p[0] for p in here} != {p[0] for p in there}:
            changed |= _exchanged(report, here, there)
        for k, words in enumerate(report.words):
            if words.get(name) == here:
                told[k] = told[k].saying(name, report.told[m].text(name) or "")
            elif words.get(name) == there:
                told[k] = told[k].saying(name, report.told[n].text(name) or "")
    return Mutant(sheets=redrawn(report, changed), told=tuple(told))


def _exchanged(report: PrintedReport, here: Sequence[Place], there: Sequence[Place]) -> dict[Place, Lettering]:
    """Cells of two sheets: each says the text of the other, in its first word."""
    texts = [" ".join(set_at(report, p).text for p in cell) for cell in (here, there)]
    return {
        here[0]: saying(report, here[0], texts[1]), **gone(report, here[1:]),
        there[0]: saying(report, there[0], texts[0]), **gone(report, there[1:]),
    }  # fmt: skip


def drop_heading(report: PrintedReport, random: Random) -> Mutant | None:
    """A heading between rows is not printed: what stands below it belongs to the heading above, or to none."""
    names = sorted({name for table in report.template.table for name in table.group_fields})
    headings = list(dict.fromkeys(places for _, _, places in cells_of(report, *names)))
    if not headings:
        return None
    chosen = random.choice(headings)
    line = _line_of(report, chosen)
    told = list(report.told)
    for n in sorted(users(report, line)):
        for name in names:
            if set(report.words[n].get(name, ())) & line:
                before = [k for k in range(n) if k not in users(report, line)]
                text = report.told[before[-1]].text(name) if before else None
                told[n] = replace(told[n], held=True) if text is None else told[n].saying(name, text)
    return Mutant(sheets=redrawn(report, gone(report, line)), told=tuple(told))


def _line_of(report: PrintedReport, places: Sequence[Place]) -> set[Place]:
    """All words on the lines of these."""
    sheet = places[0][0]
    heights = [word_at(report, place).region.center[1] for place in places]
    return {
        (sheet, at)
        for at, word in enumerate(words_on(report, sheet))
        if any(word.region.top < y < word.region.bottom for y in heights)
    }


def drop_page_value(report: PrintedReport, random: Random) -> Mutant | None:
    """A value that holds for several records, such as the date of the report, is not printed."""
    shared = [p for _, _, p in cells_of(report, "authored_on", "name") if len(users(report, p)) > 1]
    if not shared or any(table.group_fields for table in report.template.table):
        return None
    places = random.choice(shared)
    return Mutant(sheets=redrawn(report, gone(report, places)), told=held_of(report, users(report, places)))


def merge_cells(report: PrintedReport, random: Random) -> Mutant | None:
    """Two cells of a row touch: no space is left between their words."""
    sheet = random.randrange(len(report.sheets))
    columns = columns_on(report, sheet)
    pairs = [
        (places, other)
        for a, b in itertools.pairwise(columns)
        for (n, name), places in a.cells.items()
        if (other := b.cells.get((n, b.name + name[len(a.name) :])))
    ]
    if not pairs:
        return None
    here, there = random.choice(pairs)
    last, first = word_at(report, here[-1]), word_at(report, there[0])
    if abs(last.region.center[1] - first.region.center[1]) > 2:
        return None
    changed = moved(report, there, last.region.x1 + random.choice((0.0, 0.3, 1.0)) - first.region.x0)
    unclear = last.text[-1].isdigit() and first.text[0].isdigit()
    return Mutant(
        sheets=redrawn(report, changed), told=held_of(report, users(report, (*here, *there)) if unclear else ())
    )
