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

_ALL_LABELS = 3  # known labels on one line that are no label with its value


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLabels:
    """The labels of a sample, in the order in which they are printed first.

    Attributes:
        labels: Their words, without a colon.
        values: The values of each, over all pages.
        name_above: The label that has a name above it and none beside it; None where a label names the name.
        most: How often the commonest label is printed on one page.
        place: Where values stand, seen from their labels.
        first: The label that is printed first on a page, where every record begins; None without labels.
    """

    labels: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    name_above: str | None
    most: int
    place: Place
    first: str | None


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
    values: dict[Place, dict[str, list[str]]] = {
        place: {text: [] for text in labels} for place in (Place.RIGHT, Place.BELOW)
    }
    names_above: Counter[str] = Counter()
    firsts: Counter[str] = Counter()
    for page in pages:
        lines = _lines(page, above)
        places = find_labels(lines, fields)
        firsts.update(_first_of_columns(places))
        for label in places:
            for place, found in values.items():
                found[label.label].append(_value(lines, label, places, page, place))
            if above_it := _name_above(lines, label, places, page):
                names_above[label.label] += above_it
    place = max(values, key=lambda each: _likeness(values[each]))
    has_name = any(heading_means(text) in (Field.NAME, Field.FAMILY) for text in labels)
    return FoundLabels(
        labels=tuple(labels),
        values=tuple(tuple(values[place][text]) for text in labels),
        name_above=None if has_name else next((text for text, _ in names_above.most_common(1)), None),
        most=most,
        place=place,
        first=next((label for label, _ in firsts.most_common(1)), None),
    )


def texts_beside(documents: Sequence[Document], label: str, place: Place) -> tuple[str, ...]:
    """What stands above or below a label, wherever it is printed; blank where nothing does or a label stands there."""
    field = LabelledField(label=label, field=Field.IGNORE, place=place)
    texts: list[str] = []
    for page in (page for document in documents for page in document.pages):
        lines = lines_of(page.words)
        known = [LabelledField(label=text, field=Field.IGNORE) for text in dict.fromkeys(_labels_of(lines))]
        places = find_labels(lines, [field, *(each for each in known if each.label != label)])
        whole = Region(page.number, 0, 0, page.width, page.height)
        for own in (each for each in places if each.label == label):
            others = [each for each in places if each.label != label]
            found = read_values(lines, [own, *others], [field], within=whole)
            texts.append(found.cells[0][1].text if found.cells else "")
    return tuple(texts)


def _first_of_columns(places: Sequence[LabelPlace]) -> list[str]:
    """The label at the top of each column of labels, the leftmost column first."""
    tops: dict[int, LabelPlace] = {}
    for place in places:
        tops.setdefault(round(place.region.x0 / 5), place)
    return [place.label for place in sorted(tops.values(), key=lambda p: (round(p.region.top), p.region.x0))]


def _likeness(values: dict[str, list[str]]) -> float:
    """How many values look like what their labels mean; ties go to the first place asked."""
    likeness = 0.0
    for label, found in values.items():
        field = heading_means(label)
        if field is not None and any(found):
            likeness += share(field, found) * sum(bool(text) for text in found) / len(found)
    return round(likeness, 6)


def _lines(page: Page, above: float | None) -> tuple[Line, ...]:
    return lines_of(word for word in page.words if above is None or word.region.bottom <= above)


def _labels_of(lines: Sequence[Line]) -> list[str]:
    found: list[str] = []
    for line in lines:
        value_follows = False
        runs = line.runs()
        texts = [joined(run) for run in runs]
        if len(runs) >= _ALL_LABELS and all(heading_means(text.rstrip(":")) is not None for text in texts):
            # "Sex   Attending   Coverage": labels side by side, with their values below them.
            found += [text.rstrip(": ") for text in texts]
            continue
        for run in runs:
            # Beside a bare label stands its value, unless that is a label itself: then values stand below.
            value_follows = value_follows and heading_means(joined(run)) in (None, Field.IGNORE)
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
        bare = length == len(run)
        if heading_means(text) is not None and (bare or heading_means(text) is not Field.IGNORE):
            return [text]
    return []


def _value(lines: Sequence[Line], label: LabelPlace, places: Sequence[LabelPlace], page: Page, place: Place) -> str:
    field = LabelledField(label=label.label, field=Field.IGNORE, optional=True, place=place)
    others = [other for other in places if other is not label and other.words[0].region.x0 > label.region.x1]
    right = min((o.region.x0 - 1 for o in others if _beside(o.region, label.region)), default=page.width)
    right = max(right, label.region.x1)
    under = [o.region for o in places if o.region.top > label.region.bottom and o.region.x0 < right]
    below = min((o.top for o in under if o.x1 > label.region.x0 - 1), default=page.height)
    box = Region(page.number, max(0.0, label.region.x0 - 1), label.region.top - 1, right, below)
    found = read_values(lines, [label, *(o for o in places if o is not label)], [field], within=box)
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
