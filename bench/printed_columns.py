"""The columns of a printed report, by the words of their headers and the cells below them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from bench.page_changes import on_sheet, word_at
from bench.printed_report import Place, PrintedReport
from parsers.lines import find_wrapped, lines_of
from parsers.template_parts import Field
from records.geometry import around

_OF_ITEMS = {"item": Field.POINTS, "answer": Field.ANSWER, "label": Field.LABEL}
NEEDED = ("name", "family", "birth_date", "mrn", "authored_on", "instrument", "total")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedColumn:
    """A printed column of one sheet.

    Attributes:
        name: Field, or the part of a question: item, answer, label.
        cells: By the number of the record and the name of its cell.
        header: Places of the words of its header.
    """

    sheet: int
    name: str
    x0: float
    x1: float
    cells: Mapping[tuple[int, str], tuple[Place, ...]]
    header: tuple[Place, ...]


def columns_on(report: PrintedReport, sheet: int) -> list[PrintedColumn]:
    """The columns of one sheet whose header is found, from left to right."""
    found: dict[tuple[str, int], dict[tuple[int, str], tuple[Place, ...]]] = {}
    edges: dict[tuple[str, int], Counter[tuple[float, float]]] = {}
    for n in on_sheet(report, sheet):
        told = report.told[n]
        parts = [(name, cell, "") for name, cell in told.row.cells]
        for at, item in enumerate(told.row.items or (), start=1):
            parts += [("item", item.points, f":{at}"), ("label", item.label, f":{at}")]
            parts += [("answer", item.answer, f":{at}")] if item.answer is not None else []
        for name, cell, number in parts:
            places = report.words[n].get(name + number, ())
            if places and cell.area is not None and cell.area.page == sheet + 1:
                key = name, round(cell.area.x0)
                found.setdefault(key, {})[n, name + number] = places
                edges.setdefault(key, Counter())[cell.area.x0, cell.area.x1] += 1
    made = []
    for (name, _), cells in found.items():
        (x0, x1), _ = edges[name, _].most_common(1)[0]
        header = _header(report, sheet, name, x0, x1, cells)
        if header and len(cells) > 1:
            made.append(PrintedColumn(sheet=sheet, name=name, x0=x0, x1=x1, cells=cells, header=header))
    return sorted(made, key=lambda column: column.x0)


def _header(
    report: PrintedReport,
    sheet: int,
    name: str,
    x0: float,
    x1: float,
    cells: Mapping[tuple[int, str], tuple[Place, ...]],
) -> tuple[Place, ...]:
    assert report.document is not None
    page = report.document.pages[sheet]
    top = min(word_at(report, place).region.top for places in cells.values() for place in places)
    wanted = _OF_ITEMS.get(name, name)
    phrases = [
        phrase
        for columns in report.template.headers
        for column in columns
        if column.field == wanted
        for phrase in (column.header, *column.also)
    ]
    at = {id(word): number for number, word in enumerate(page.words)}
    found = [
        words
        for phrase in phrases
        for words in find_wrapped(lines_of(page.words), phrase)
        for box in [around([word.region for word in words])]
        if box.bottom <= top + 1 and x0 - 3 <= box.center[0] <= x1 + 3
    ]
    best = max(found, key=lambda words: around([word.region for word in words]).bottom, default=())
    return tuple((sheet, at[id(word)]) for word in best)


def span(report: PrintedReport, columns: Sequence[PrintedColumn]) -> tuple[float, float]:
    """From above the headers to below the last row."""
    places = [p for c in columns for cell in (c.header, *c.cells.values()) for p in cell]
    boxes = [word_at(report, place).region for place in places]
    return min(box.top for box in boxes) - 1, max(box.bottom for box in boxes) + 1


def words_inside(report: PrintedReport, sheet: int, x0: float, x1: float, top: float, bottom: float) -> list[Place]:
    """The words of an area, without lines that run over its sides."""
    assert report.document is not None
    page = report.document.pages[sheet]
    across = {
        id(word)
        for line in lines_of(page.words)
        for run in line.runs()
        if around([word.region for word in run]).x0 < x0 - 6 and around([word.region for word in run]).x1 > x1 + 6
        for word in run
    }
    return [
        (sheet, at)
        for at, word in enumerate(page.words)
        if x0 <= word.region.center[0] < x1 and top <= word.region.center[1] <= bottom and id(word) not in across
    ]


def two_columns(
    report: PrintedReport, random: Random, *, single: bool = False
) -> tuple[PrintedColumn, PrintedColumn] | None:
    sheets = list(range(len(report.sheets)))
    random.shuffle(sheets)
    for sheet in sheets:
        columns = [c for c in columns_on(report, sheet) if c.name not in ("label",)]
        pairs = [
            (a, b)
            for at, a in enumerate(columns)
            for b in columns[at + 1 :]
            if a.x1 <= b.x0 + 1 and (not single or {n for n, _ in a.cells} == {n for n, _ in b.cells})
        ]
        if pairs:
            return random.choice(pairs)
    return None


def any_column(report: PrintedReport, random: Random, *names: str) -> PrintedColumn | None:
    found = [
        c for sheet in range(len(report.sheets)) for c in columns_on(report, sheet) if not names or c.name in names
    ]
    return random.choice(found) if found else None
