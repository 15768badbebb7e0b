"""Labelled values found in a sample without a template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from parsers.drafting.words import LONGEST_HEADING, heading_means, share
from parsers.labels import LabelPlace, find_labels, read_values
from parsers.lines import Line, joined, lines_of
from parsers.template_parts import Field, LabelledField, Place
from records.document import Document, Page, Word
from records.geometry import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLabels:
    """The labels of a sample, in the order in which they are printed first.

    Attributes:
        labels: Their words, without a colon.
        values: The values of each, over all pages.
        name_above: The label that has a name above it and none beside it; None where a label names the name.
        most: How often the commonest label is printed on one page.
    """

    labels: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    name_above: str | None
    most: int


def find_labelled(documents: Sequence[Document], *, above: float | None) -> FoundLabels:
    """The labels of the samples.

    Args:
        documents: The samples.
        above: Only what stands above this height counts, in points; None for whole pages.
    """
    pages = [page for document in documents for page in document.pages]
    counts: Counter[str] = Counter()
    most = 0
    for page in pages:
        on_page = Counter(_labels_of(_lines(page, above)))
        counts.update(on_page)
        most = max([most, *(count for text, count in on_page.items() if heading_means(text) is not None)])
    known = [text for text in counts if heading_means(text) is not None]
    usual = max((counts[text] for text in known), default=0)
    labels = [text for text in counts if counts[text] * 2 >= usual]
    fields = [LabelledField(label=text, field=Field.IGNORE, optional=True) for text in labels]
    values: dict[str, list[str]] = {text: [] for text in labels}
    names_above: Counter[str] = Counter()
    for page in pages:
        lines = _lines(page, above)
        places = find_labels(lines, fields)
        for place in places:
            text = _value(lines, place, places, page)
            values[place.label].append(text)
            if above_it := _name_above(lines, place, places, page):
                names_above[place.label] += above_it
    has_name = any(heading_means(text) in (Field.NAME, Field.FAMILY) for text in labels)
    return FoundLabels(
        labels=tuple(labels),
        values=tuple(tuple(values[text]) for text in labels),
        name_above=None if has_name else next((text for text, _ in names_above.most_common(1)), None),
        most=most,
    )


def _lines(page: Page, above: float | None) -> tuple[Line, ...]:
    return lines_of(word for word in page.words if above is None or word.region.bottom <= above)


def _labels_of(lines: Sequence[Line]) -> list[str]:
    found: list[str] = []
    for line in lines:
        value_follows = False
        for run in line.runs():
            labels = [] if value_follows else _labels_in(run)
            found += labels
            # What stands beside a bare label is its value, even if it begins with a known word.
            value_follows = bool(labels) and labels[-1] == joined(run).rstrip(": ")
    return found


def _labels_in(run: tuple[Word, ...]) -> list[str]:
    """The labels a run of words holds: what ends with a colon, else known words at its beginning."""
    with_colon: list[str] = []
    since = 0
    for number, word in enumerate(run):
        if word.text.endswith(":") and len(word.text) + number > 1:
            words = run[since : number + 1]
            tail = next((words[n:] for n in range(len(words)) if heading_means(joined(words[n:]))), words[-3:])
            with_colon.append(joined(tail if with_colon else words).rstrip(": "))
            since = number + 1
    if with_colon:
        return with_colon
    for length in range(min(LONGEST_HEADING, len(run)), 0, -1):
        text = joined(run[:length])
        if heading_means(text) not in (None, Field.IGNORE):
            return [text]
    return []


def _value(lines: Sequence[Line], place: LabelPlace, places: Sequence[LabelPlace], page: Page) -> str:
    field = LabelledField(label=place.label, field=Field.IGNORE, optional=True)
    others = [other for other in places if other is not place and other.words[0].region.x0 > place.region.x1]
    right = min((o.region.x0 - 1 for o in others if _beside(o.region, place.region)), default=page.width)
    below = min((o.region.top for o in places if o.region.top > place.region.bottom), default=page.height)
    box = Region(page.number, max(0.0, place.region.x0 - 1), place.region.top - 1, max(right, place.region.x1), below)
    found = read_values(lines, [place, *(o for o in places if o is not place)], [field], within=box)
    return found.cells[0][1].text if found.cells else ""


def _beside(one: Region, other: Region) -> bool:
    return min(one.bottom, other.bottom) > max(one.top, other.top)


def _name_above(lines: Sequence[Line], place: LabelPlace, places: Sequence[LabelPlace], page: Page) -> bool:
    if place.line == 0:
        return False
    field = LabelledField(label=place.label, field=Field.NAME, place=Place.ABOVE, optional=True)
    whole = Region(page.number, 0, 0, page.width, page.height)
    found = read_values(lines, [place, *(o for o in places if o.label != place.label)], [field], within=whole)
    text = found.cells[0][1].text if found.cells else ""
    return bool(text) and share(Field.NAME, [text]) == 1 and "," in text
