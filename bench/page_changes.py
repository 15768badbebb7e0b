"""A mutated print: what is drawn instead of a report, and what is true of it then.

Every word keeps its number on its sheet: a word that is taken away says nothing, a new one comes last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from bench.printed_report import Place, PrintedReport, Told
from parsers.readers import drawing
from parsers.readers.artwork import Artwork, Lettering, Stroke
from records.document import Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A mutated print.

    Attributes:
        told: What is true of its records.
        maps: Standard typefaces whose map says other digits than it draws: drawn to said.
    """

    sheets: tuple[Artwork, ...]
    told: tuple[Told, ...]
    maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


Mutation = Callable[[PrintedReport, Random], Mutant | None]


def word_at(report: PrintedReport, place: Place) -> Word:
    assert report.document is not None
    return report.document.pages[place[0]].words[place[1]]


def set_at(report: PrintedReport, place: Place) -> Lettering:
    return report.sheets[place[0]].letterings[place[1]]


def words_on(report: PrintedReport, sheet: int) -> Sequence[Word]:
    assert report.document is not None
    return report.document.pages[sheet].words


def redrawn(
    report: PrintedReport,
    changed: Mapping[Place, Lettering],
    more: Iterable[tuple[int, Lettering]] = (),
    strokes: Mapping[int, tuple[Stroke, ...]] | None = None,
) -> tuple[Artwork, ...]:
    added = list(more)
    return tuple(
        replace(
            sheet,
            letterings=(
                *(changed.get((number, at), each) for at, each in enumerate(sheet.letterings)),
                *(each for there, each in added if there == number),
            ),
            strokes=(strokes or {}).get(number, sheet.strokes),
        )
        for number, sheet in enumerate(report.sheets)
    )


def moved(report: PrintedReport, places: Iterable[Place], dx: float, dy: float = 0.0) -> dict[Place, Lettering]:
    return {
        p: replace(set_at(report, p), x=set_at(report, p).x + dx, baseline=set_at(report, p).baseline + dy)
        for p in places
    }


def gone(report: PrintedReport, places: Iterable[Place]) -> dict[Place, Lettering]:
    return {place: replace(set_at(report, place), text="") for place in places}


def saying(report: PrintedReport, place: Place, text: str) -> Lettering:
    old = set_at(report, place)
    natural = drawing.natural_width(old, old.text)
    return replace(old, text=text, length=old.length * drawing.natural_width(old, text) / natural if natural else 0.0)


def users(report: PrintedReport, places: Iterable[Place]) -> set[int]:
    """The records that a cell with one of these words belongs to."""
    wanted = set(places)
    return {n for n, words in enumerate(report.words) if any(wanted & set(cell) for cell in words.values())}


def held_of(report: PrintedReport, numbers: Iterable[int]) -> tuple[Told, ...]:
    wanted = set(numbers)
    return tuple(replace(told, held=told.held or n in wanted) for n, told in enumerate(report.told))


def on_sheet(report: PrintedReport, sheet: int) -> list[int]:
    return [n for n, told in enumerate(report.told) if told.page == sheet + 1]


def cells_of(report: PrintedReport, *names: str) -> list[tuple[int, str, tuple[Place, ...]]]:
    """The printed cells of some fields ("item" stands for all questions)."""
    return [
        (n, name, places)
        for n, words in enumerate(report.words)
        for name, places in words.items()
        if places and name.partition(":")[0] in names
    ]


def shifted(stroke: Stroke, dx: float) -> Stroke:
    segments = tuple((kind, tuple((x + dx, y) for x, y in points)) for kind, points in stroke.segments)
    return replace(stroke, segments=segments)
