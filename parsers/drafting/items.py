"""A sketch of a layout with one patient per page and one row per question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from parsers.drafting.fields import Certainty, Guess, guess_fields
from parsers.drafting.labels import find_labelled
from parsers.drafting.lines import is_personal, pattern_of
from parsers.drafting.tables import FoundTable, read_table
from parsers.drafting.text import Sketch
from parsers.drafting.words import item_heading_means, named_instrument
from parsers.header import find_headers
from parsers.instrument_library import load_instruments
from parsers.lines import find_on_line, lines_of
from parsers.template_parts import Column, Field, Place
from records.document import Document

_NUMBERING = re.compile(r"^\(?\d{1,2}[a-z]?[.):]?\s+")
_PAGES = 20  # enough to tell the usual order of the questions
_SUMMARY = re.compile(r"\b(total|sum|score)\b", re.IGNORECASE)


def sketch_items(
    sketch: Sketch, documents: Sequence[Document], headings: Sequence[str], *, texts: Sequence[str]
) -> bool:
    """Make `sketch` one of this layout; False, and nothing changed, if the questions are those of no instrument.

    Args:
        sketch: The sketch to complete.
        documents: The samples.
        headings: Of the table of questions.
        texts: What the first page prints, run by run.
    """
    first, table = documents[0], _usual_page(documents, headings)
    if table is None:
        return False
    roles = _roles(table)
    labels = _labels(table, roles)
    wording = tuple(_NUMBERING.sub("", text) for text in labels if text and not _SUMMARY.search(text))
    summary = tuple(text for text in labels if _SUMMARY.search(text))
    instrument, why = _instrument(texts, len(wording))
    if instrument is None or not summary or len(set(wording)) != len(wording):
        return False
    everything = read_table(documents, headings)
    sketch.layout = "items"
    sketch.furniture = _foot(first, summary)
    sketch.instrument, sketch.instrument_why = instrument, why
    sketch.wording = wording
    sketch.answers = _answers(everything, roles, summary)
    sketch.summary = tuple((text, _summary_cells(table, roles, labels.index(text))) for text in summary)
    sketch.guesses = tuple(
        Guess(heading=heading, values=(), field=role, certainty=Certainty.SURE, why=f"the {role.value} of a question")
        for heading, role in zip(table.headings, roles, strict=True)
    )
    top = _header_top(first, headings)
    labelled = find_labelled(documents, above=top)
    guesses = list(guess_fields(list(zip(labelled.labels, labelled.values, strict=True))))
    if labelled.name_above is not None:
        guesses.insert(
            0,
            Guess(
                heading=labelled.name_above, values=(), field=Field.NAME, certainty=Certainty.SURE, place=Place.ABOVE,
                why="what stands above it has the form of a name",
            ),
        )  # fmt: skip
    sketch.page_guesses = tuple(guesses)
    return True


def _usual_page(documents: Sequence[Document], headings: Sequence[str]) -> FoundTable | None:
    """The table of a page that prints the questions as most pages do: one sheet may have them in another order."""
    pages = [Document(reader=d.reader, pages=(page,)) for d in documents for page in d.pages][:_PAGES]
    tables = [table for table in (read_table([page], headings) for page in pages) if table.header_pages]
    if not tables:
        return None
    orders = Counter(_labels(table, _roles(table)) for table in tables)
    usual, _ = orders.most_common(1)[0]
    return next(table for table in tables if _labels(table, _roles(table)) == usual)


def _labels(table: FoundTable, roles: Sequence[Field]) -> tuple[str, ...]:
    labels = table.values[roles.index(Field.LABEL)]
    ends = [n for n, text in enumerate(labels) if _SUMMARY.search(text)]
    return labels[: ends[-1] + 1] if ends else labels  # below the total stands the foot of the page


def _foot(document: Document, summary: Sequence[str]) -> list[tuple[str, bool]]:
    """What stands below the last summary row of the first page: legends, page numbers."""
    lines = lines_of(document.pages[0].words)
    ends = [n for n, line in enumerate(lines) for label in summary if find_on_line(line, label)]
    below = lines[ends[-1] + 1 :] if ends else ()
    return list(dict.fromkeys(pattern_of(line.text) for line in below if not is_personal(line.text)))


def _roles(table: FoundTable) -> list[Field]:
    roles = [item_heading_means(heading) or Field.IGNORE for heading in table.headings]
    # "Item" may head the questions or their numbers: of several candidates the wordiest column holds the questions.
    candidates = [n for n, role in enumerate(roles) if role is Field.LABEL]
    wordiest = max(candidates, key=lambda n: sum(len(text) for text in table.values[n]))
    points = [n for n, role in enumerate(roles) if role is Field.POINTS]
    return [
        Field.IGNORE if (role is Field.LABEL and n != wordiest) or (role is Field.POINTS and n != points[-1]) else role
        for n, role in enumerate(roles)
    ]


def _instrument(texts: Sequence[str], questions: int) -> tuple[str | None, str]:
    library = load_instruments()
    for text in texts:
        words = text.split()
        spans = [" ".join(words[a:b]) for a in range(len(words)) for b in range(len(words), a, -1)][:200]
        for span in spans:
            found = named_instrument(span)
            if found is not None and library[found].item_count == questions:
                return found, "the page names it"
    # The page does not say; the author of the template is told to check what the number of questions suggests.
    fitting = [
        name
        for name, instrument in library.items()
        if sum(item.scored for item in instrument.items) == questions == instrument.item_count
    ]
    why = f"check: the page does not name it; as many questions have {', '.join(sorted(fitting))}"
    return min(fitting, default=None), why


def _answers(table: FoundTable, roles: Sequence[Field], summary: Sequence[str]) -> tuple[tuple[str, int], ...]:
    if Field.ANSWER not in roles or Field.POINTS not in roles:
        return ()
    labels = table.values[roles.index(Field.LABEL)]
    answers = table.values[roles.index(Field.ANSWER)]
    points = table.values[roles.index(Field.POINTS)]
    counted: dict[str, dict[int, int]] = {}
    for label, answer, point in zip(labels, answers, points, strict=True):
        if label not in summary and answer and re.fullmatch(r"\d", point):
            by_points = counted.setdefault(answer, {})
            by_points[int(point)] = by_points.get(int(point), 0) + 1
    # The majority decides: a form whose words and points differ once must not teach the template so.
    found = {answer: max(by_points, key=lambda p: by_points[p]) for answer, by_points in counted.items()}
    return tuple(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))


def _summary_cells(table: FoundTable, roles: Sequence[Field], row: int) -> tuple[tuple[Field, Field], ...]:
    cells: list[tuple[Field, Field]] = []
    for number, role in enumerate(roles):
        text = table.values[number][row]
        if role is Field.POINTS:
            cells.append((role, Field.TOTAL))
        elif role is Field.ANSWER:
            cells.append((role, Field.SEVERITY if any(c.isalpha() for c in text) else Field.IGNORE))
    return tuple(cells)


def _header_top(document: Document, headings: Sequence[str]) -> float | None:
    columns = tuple(Column(header=heading, field=Field.IGNORE) for heading in headings)
    found = find_headers(lines_of(document.pages[0].words), columns)
    return found[0].region.top - 1 if found else None
