"""Values found by the words beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parsers.lines import Line, find_on_line, joined
from parsers.template_parts import LabelledField, Place
from records.document import Word
from records.finding import Finding
from records.geometry import Region, around
from records.report import Cell

# How far above or below its label a value may stand, in heights of the label.
_NEAR = 2.0
# Edges of labels or lines below each other differ by at most this many points.
_SAME_EDGE = 3.0
# A value stands at most this many heights right of its label, or of where the values above and below it begin.
_BEHIND = 2.0
# A label and its value in another size share at least this much of the lower one's height; two lines share less.
_LEVEL = 0.3
# The gap between two lines of one wrapped value, in heights of a line.
_WRAPPED_GAP = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlace:
    """One place where a label is printed; two fields may share it ("Born": the date beside, the name above)."""

    label: str
    line: int
    words: tuple[Word, ...]

    @property
    def region(self) -> Region:
        """The box around the label."""
        return around([word.region for word in self.words])


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledValues:
    """The values of one record or page."""

    cells: tuple[tuple[LabelledField, Cell], ...]
    words: tuple[Word, ...]
    findings: tuple[Finding, ...]


def find_labels(lines: Sequence[Line], fields: Sequence[LabelledField]) -> tuple[LabelPlace, ...]:
    """Every place where one of the labels is printed, from top to bottom; of labels that overlap the longest counts."""
    places = {
        (number, found): LabelPlace(label=field.label, line=number, words=found)
        for field in fields
        for wording in (field.label, *field.also)
        for number, line in enumerate(lines)
        for found in find_on_line(line, wording, colon=True)
    }
    longest: list[LabelPlace] = []
    taken: set[int] = set()
    for place in sorted(places.values(), key=lambda p: -len(p.words)):
        marks = {id(word) for word in place.words}
        if not marks & taken:
            taken |= marks
            longest.append(place)
    return tuple(sorted(_in_label_columns(longest), key=lambda p: (p.line, p.words[0].region.x0)))


def _in_label_columns(places: Sequence[LabelPlace]) -> list[LabelPlace]:
    """The places without those where a label's words are part of a value ("Patient Health Questionnaire").

    Labels below each other share an edge. Of the places of one label those that share none with another label
    fall away, if others of its places do.
    """

    def aligned(place: LabelPlace) -> bool:
        mine = place.region
        return any(
            abs(mine.x0 - other.region.x0) < _SAME_EDGE or abs(mine.x1 - other.region.x1) < _SAME_EDGE
            for other in places
            if other.label != place.label
        )

    standing = {id(place) for place in places if aligned(place)}
    labels = {place.label for place in places if id(place) in standing}
    return [place for place in places if id(place) in standing or place.label not in labels]


def read_values(
    lines: Sequence[Line], places: Sequence[LabelPlace], fields: Sequence[LabelledField], *, within: Region
) -> LabelledValues:
    """The values of `fields` whose labels stand in the box, in the order of `fields`.

    Args:
        lines: What is left of the page after its furniture.
        places: `find_labels` of the page.
        fields: The values looked for.
        within: The box of the record.
    """
    here = [place for place in places if within.holds(*place.region.center)]
    cells: list[tuple[LabelledField, Cell]] = []
    words: list[Word] = []
    findings: list[Finding] = []
    for field in fields:
        own = [place for place in here if place.label == field.label]
        if not own:
            if not field.optional:
                findings.append(Finding(code="label-missing", region=within, detail=field.label))
            continue
        if len(own) > 1:
            findings.append(Finding(code="label-repeated", region=own[1].region, detail=field.label))
        value = _value(lines, own[0], field.place, places, within)
        words += [word for place in own for word in place.words] + list(value)
        box = _box(value)
        cells.append((field, Cell(text=joined(value), region=box, area=box)))
    return LabelledValues(cells=tuple(cells), words=tuple(words), findings=tuple(findings))


def _box(words: Sequence[Word]) -> Region | None:
    return around([word.region for word in words]) if words else None


def _value(
    lines: Sequence[Line], label: LabelPlace, place: Place, places: Sequence[LabelPlace], within: Region
) -> tuple[Word, ...]:
    if place is Place.RIGHT:
        first = _to_the_right(lines[label.line], label, places, within)
        first = first or _nearly_level(lines, label, places, within)
        if first and _is_elsewhere(lines, label, first, places, within):
            return ()
        return (*first, *_wrapped(lines, label, first, places, within))
    return _beside(lines, label, places, within, step=-1 if place is Place.ABOVE else 1)


def _to_the_right(line: Line, label: LabelPlace, places: Sequence[LabelPlace], within: Region) -> tuple[Word, ...]:
    labels = {id(word) for other in places for word in other.words}
    value: list[Word] = []
    for word in line.words:
        if word.region.x0 < label.words[-1].region.x1 - 0.1 or (word.text == ":" and not value):
            continue
        if id(word) in labels or word.region.x0 > within.x1:
            break
        if value and not _same_run(line, value[-1], word):
            break
        value.append(word)
    return tuple(value)


def _nearly_level(
    lines: Sequence[Line], label: LabelPlace, places: Sequence[LabelPlace], within: Region
) -> tuple[Word, ...]:
    """What stands close right of a label in larger or smaller type, so that its middle is not on the label's line."""
    box = label.region
    for line in lines[max(0, label.line - 1) : label.line + 2]:
        words = [word for word in line.words if word.region.x0 > box.x1 and _share_height(word.region, box)]
        if line is lines[label.line] or not words:
            continue
        found = _to_the_right(Line(tuple(words)), label, places, within)
        if found and found[0].region.x0 - box.x1 <= _BEHIND * (box.bottom - box.top):
            return found
    return ()


def _share_height(one: Region, other: Region) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > _LEVEL * min(one.bottom - one.top, other.bottom - other.top)


def _is_elsewhere(
    lines: Sequence[Line], label: LabelPlace, value: Sequence[Word], places: Sequence[LabelPlace], within: Region
) -> bool:
    """Whether text to the right of a label is no value of it: it begins far right of where its neighbours' begin.

    Values of labels below each other begin at one place, or right behind their labels. Text that stands on the same
    height elsewhere on the page would else become the value of a label whose own is blank.
    """
    height = label.region.bottom - label.region.top
    start = value[0].region.x0
    if start - label.region.x1 <= _BEHIND * height:
        return False
    peers = [
        _to_the_right(lines[other.line], other, places, within)
        for other in places
        if other is not label
        and abs(other.region.x0 - label.region.x0) < _SAME_EDGE
        and within.holds(*other.region.center)
    ]
    starts = [peer[0].region.x0 for peer in peers if peer]
    return bool(starts) and all(start - place > _BEHIND * height for place in starts)


def _wrapped(
    lines: Sequence[Line], label: LabelPlace, first: Sequence[Word], places: Sequence[LabelPlace], within: Region
) -> tuple[Word, ...]:
    """The further lines of a value: they begin where it begins, close below it, with no label before them."""
    if not first:
        return ()
    labels = {id(word) for place in places for word in place.words}
    last = around([word.region for word in first])
    rest: list[Word] = []
    for line in lines[label.line + 1 :]:
        inside = tuple(word for word in line.words if within.x0 <= word.region.center[0] <= within.x1)
        here = tuple(word for word in inside if word.region.x1 > label.region.x0)
        if not here or here[0].region.center[1] < last.center[1] + _WRAPPED_GAP * (last.bottom - last.top):
            continue
        run = Line(here).runs()[0]
        starts_there = abs(run[0].region.x0 - first[0].region.x0) < _SAME_EDGE
        near = run[0].region.top - last.bottom <= _WRAPPED_GAP * (last.bottom - last.top)
        if not starts_there or not near or any(id(word) in labels for word in run):
            break
        rest += run
        last = around([word.region for word in run])
    return tuple(rest)


def _same_run(line: Line, left: Word, right: Word) -> bool:
    return any(left in run and right in run for run in line.runs())


def _beside(
    lines: Sequence[Line], label: LabelPlace, places: Sequence[LabelPlace], within: Region, *, step: int
) -> tuple[Word, ...]:
    """The nearest run straight above or below the label, unless that is a label itself."""
    box = label.region
    labels = {id(word) for other in places for word in other.words}
    number = label.line + step
    while 0 <= number < len(lines):
        region = lines[number].region
        gap = box.top - region.bottom if step < 0 else region.top - box.bottom
        if gap > _NEAR * (box.bottom - box.top):
            break
        for run in lines[number].runs():
            overlaps = run[0].region.x0 < box.x1 and run[-1].region.x1 > box.x0
            if overlaps and within.x0 <= run[0].region.center[0] <= within.x1:
                if any(id(word) in labels for word in run):
                    return ()
                return run if step < 0 else (*run, *_goes_on(lines, number, run, labels, within))
        number += step
    return ()


def _goes_on(
    lines: Sequence[Line], number: int, first: Sequence[Word], labels: set[int], within: Region
) -> tuple[Word, ...]:
    """The further lines of a value below its label: they begin where it begins, close below it."""
    last = around([word.region for word in first])
    rest: list[Word] = []
    for line in lines[number + 1 :]:
        if line.region.top - last.bottom > _WRAPPED_GAP * (last.bottom - last.top):
            break
        run = next((r for r in line.runs() if abs(r[0].region.x0 - first[0].region.x0) < _SAME_EDGE), None)
        if run is None or run[0].region.top < last.center[1]:
            continue
        if any(id(word) in labels for word in run) or not within.holds(*run[0].region.center):
            break
        rest += run
        last = around([word.region for word in run])
    return tuple(rest)
