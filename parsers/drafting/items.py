"""A sketch of a layout with one patient per page and tables of questions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from parsers.drafting.fields import Certainty, Guess, guess_fields
from parsers.drafting.headings import Heading, find_item_headers
from parsers.drafting.labels import find_labelled, texts_beside
from parsers.drafting.lines import Piece, general_pieces, may_be_a_record
from parsers.drafting.question_tables import SUMMARY, QuestionTable, alike, read_headless, read_questions
from parsers.drafting.text import ItemsSketch, Sketch
from parsers.drafting.vocabulary import FREQUENCIES, NO_ANSWER, NO_POINT
from parsers.drafting.words import choice_words, instruments_in, item_heading_means, plain, share
from parsers.instrument_library import load_instruments
from parsers.lines import find_on_line, folded, joined, lines_of
from parsers.template_parts import Field, Place
from records.document import Document, Page, ReaderName

_PAGES = 20  # enough to tell the usual order of the questions
_NEAR_ABOVE = 4  # texts above a table that may name it
_POINTS_BEHIND = re.compile(r"\((\d)\)\s*$")


def sketch_items(sketch: Sketch, documents: Sequence[Document], *, texts: Sequence[str]) -> bool:
    """Make `sketch` one of this layout; False, and nothing changed, if the questions are those of no instrument.

    Args:
        sketch: The sketch to complete.
        documents: The samples.
        texts: What the first page prints, run by run.
    """
    first = documents[0].pages[0]
    pages = [page for document in documents for page in document.pages][:_PAGES]
    parts: list[ItemsSketch] = []
    found: list[QuestionTable] = []
    for headings in find_item_headers(first):
        for group in alike([table for page in pages for table in read_questions(page, headings)]):
            part = _part(group, headings, texts, taken={part.instrument for part in parts})
            if part is not None:
                parts.append(part)
                found += group
    if not parts:
        found, parts = _headless(pages, texts)
    if not parts:
        return False
    sketch.items = parts
    top = min(table.top for table in found if table.page is found[0].page)
    labelled = find_labelled(documents, above=top - 1)
    guesses = list(guess_fields(list(zip(labelled.labels, labelled.values, strict=True))))
    if labelled.name_above is not None:
        guesses.insert(
            0,
            Guess(
                heading=labelled.name_above, values=(), field=Field.NAME, certainty=Certainty.SURE, place=Place.ABOVE,
                why="what stands above it has the form of a name",
            ),
        )  # fmt: skip
    totalled = all(
        part.labelled or any(Field.TOTAL in dict(cells).values() for _, cells in part.summary) for part in parts
    )
    kept = tuple(guess for guess in guesses if guess.field is not Field.TOTAL or not totalled)
    sketch.page_guesses = (*kept, *severity_below(documents, kept))
    sketch.no_score = _no_answers(pages, found)
    sketch.furniture = [*_legends(found, sketch.page_guesses), *_feet(found, parts)]
    return True


def severity_below(documents: Sequence[Document], guesses: Sequence[Guess]) -> tuple[Guess, ...]:
    """A severity that stands without a label of its own below the total, whose value stands beside its label."""
    totals = [g for g in guesses if g.field is Field.TOTAL and g.place is Place.RIGHT and any(g.values)]
    if len(totals) != 1 or any(guess.field is Field.SEVERITY for guess in guesses):
        return ()
    filled = [text for text in texts_beside(documents, totals[0].heading, Place.BELOW) if text]
    if len(filled) * 2 < len(totals[0].values) or share(Field.SEVERITY, filled) < 1:
        return ()
    return (
        replace(
            totals[0], field=Field.SEVERITY, place=Place.BELOW, certainty=Certainty.LIKELY, values=tuple(filled),
            why="the word for the score stands below it",
        ),
    )  # fmt: skip


def _no_answers(pages: Sequence[Page], tables: Sequence[QuestionTable]) -> tuple[str, ...]:
    """What the samples print right of a question that was left out."""
    asked = {folded(question) for table in tables for question in table.questions}
    beside = [
        joined(runs[-1])
        for page in pages
        for line in lines_of(page.words)
        if len(runs := line.runs()) > 1 and any(folded(joined(run)) in asked for run in runs[:-1])
    ]
    return tuple(dict.fromkeys(text for text in beside if plain(text) in NO_ANSWER))


def _headless(pages: Sequence[Page], texts: Sequence[str]) -> tuple[list[QuestionTable], list[ItemsSketch]]:
    """Questions that are printed without a header, as a part."""
    groups = alike([table for page in pages if (table := read_headless(page)) is not None])
    for group in groups:
        wording = group[0].questions
        instrument, why = _instrument((*group[0].above[:_NEAR_ABOVE], *texts), len(wording), set())
        if instrument is not None and len(set(wording)) == len(wording):
            part = ItemsSketch(
                instrument=instrument, why=why, guesses=(), wording=wording, beside=group[0].roles[1],
                labelled=_labelled_below(group, has_total=False),
                answers=_said(group) if group[0].roles[1] is Field.ANSWER else (),
            )  # fmt: skip
            return group, [part]
    return [], []


def _said(group: Sequence[QuestionTable]) -> tuple[tuple[str, int], ...]:
    """The answers in words as the pages print them, and those that none of them shows."""
    printed = {folded(row[1]): row[1] for table in group for row in table.rows}
    return tuple((printed.get(folded(words), words.capitalize()), points) for words, points in FREQUENCIES.items())


def _part(
    group: Sequence[QuestionTable], headings: Sequence[Heading], texts: Sequence[str], *, taken: set[str]
) -> ItemsSketch | None:
    """One table of questions as its pages print it, or None where it is that of no instrument."""
    table = group[0]
    wording = table.questions
    instrument, why = _instrument((*table.above[:_NEAR_ABOVE], *texts), len(wording), taken)
    if instrument is None or len(set(wording)) != len(wording):
        return None
    points = _choice_points(headings)
    return ItemsSketch(
        instrument=instrument,
        why=why,
        guesses=tuple(
            Guess(
                heading=heading.text, under=heading.under, values=(), field=role, certainty=Certainty.SURE,
                points=points.get(number) if role is Field.CHOICE else None,
                why=f"the {role.value} of a question" if role is not Field.IGNORE else "printed beside the question",
            )
            for number, (heading, role) in enumerate(zip(headings, table.roles, strict=True))
        ),
        wording=wording,
        answers=_answers(group),
        summary=tuple((table.label(row), cells) for row in table.totals if (cells := _summary_cells(table, row))),
        labelled=_labelled_below(group, has_total=any(_summary_cells(table, row) for row in table.totals)),
    )  # fmt: skip


def _choice_points(headings: Sequence[Heading]) -> dict[int, int]:
    """What the columns of one answer each stand for: the number behind their heading, or their order from the least."""
    choices = [n for n, heading in enumerate(headings) if item_heading_means(heading.text) is Field.CHOICE]
    written = [_POINTS_BEHIND.search(headings[n].text) for n in choices]
    last = len(choices) - 1
    ends = [choice_words(headings[n].text) in NO_POINT for n in (*choices[:1], *choices[-1:])]
    falling = ends == [False, True]
    return {
        n: int(match[1]) if match is not None and all(written) else last - order if falling else order
        for order, (n, match) in enumerate(zip(choices, written, strict=True))
    }


def _labelled_below(group: Sequence[QuestionTable], *, has_total: bool) -> tuple[Guess, ...]:
    """Total and severity that stand below the questions, beside labels of their own."""
    below = [
        Document(
            reader=ReaderName.PDFPLUMBER,
            pages=(
                replace(
                    table.page,
                    words=tuple(
                        w for w in table.page.words if table.bottom <= w.region.top and w.region.bottom <= table.end
                    ),
                ),
            ),
        )
        for table in group
    ]
    found = find_labelled(below, above=None)
    guesses = guess_fields(list(zip(found.labels, found.values, strict=True)))
    wanted = {Field.SEVERITY} if has_total else {Field.TOTAL, Field.SEVERITY}
    return tuple(replace(g, place=found.place, instrument=None) for g in guesses if g.field in wanted)


def _legends(tables: Sequence[QuestionTable], labelled: Sequence[Guess]) -> list[Piece]:
    """What stands between the labelled values of a page and its first question, such as how to answer."""
    texts: list[str] = []
    for page in {id(table.page): table.page for table in tables}.values():
        top = min(table.top for table in tables if table.page is page)
        lines = [line for line in lines_of(page.words) if line.region.bottom <= top]
        named = [n for n, line in enumerate(lines) for g in labelled if find_on_line(line, g.heading, colon=True)]
        below = [line for line in lines[max(named) + 1 :] if not may_be_a_record(line)] if named else []
        texts += [line.text for line in below]
    return general_pieces(texts)


def _feet(tables: Sequence[QuestionTable], parts: Sequence[ItemsSketch]) -> list[Piece]:
    """What stands below the last table of the pages: legends, a question without points, page numbers."""
    labels = [guess.heading for part in parts for guess in part.labelled]
    texts: list[str] = []
    for page in {id(table.page): table.page for table in tables}.values():
        bottom = max(table.bottom for table in tables if table.page is page)
        texts += [
            line.text
            for line in lines_of(page.words)
            if line.region.top >= bottom and not may_be_a_record(line)
            and not any(find_on_line(line, label, colon=True) for label in labels)
        ]  # fmt: skip
    sums = [" ".join(cell for cell in row if cell) for t in tables for row in t.totals if not _summary_cells(t, row)]
    titles = [t.above[0] for t in tables if t.above and instruments_in(t.above[0])]
    return general_pieces([*titles, *sums, *texts])


def _instrument(texts: Sequence[str], questions: int, taken: set[str]) -> tuple[str | None, str]:
    library = load_instruments()
    for text in texts:
        for found in instruments_in(text):
            if found not in taken and library[found].item_count == questions:
                return found, "the page names it"
    # The page does not say; the author of the template is told to check what the number of questions suggests.
    fitting = [
        name
        for name, instrument in library.items()
        if sum(item.scored for item in instrument.items) == questions == instrument.item_count and name not in taken
    ]
    why = f"check: the page does not name it; as many questions have {', '.join(sorted(fitting))}"
    return min(fitting, default=None), why


def _answers(group: Sequence[QuestionTable]) -> tuple[tuple[str, int], ...]:
    roles = group[0].roles
    if Field.ANSWER not in roles or Field.POINTS not in roles:
        return ()
    counted: dict[str, Counter[int]] = {}
    for table in group:
        for row in table.rows:
            answer, points = row[table.roles.index(Field.ANSWER)], row[table.roles.index(Field.POINTS)]
            if answer and re.fullmatch(r"\d", points) and not SUMMARY.search(table.label(row)):
                counted.setdefault(answer, Counter())[int(points)] += 1
    # The majority decides: a form whose words and points differ once must not teach the template so.
    found = {answer: by_points.most_common(1)[0][0] for answer, by_points in counted.items()}
    return tuple(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))


def _summary_cells(table: QuestionTable, row: Sequence[str]) -> tuple[tuple[Field, Field], ...]:
    cells: list[tuple[Field, Field]] = []
    for role, text in zip(table.roles, row, strict=True):
        if role is Field.POINTS:
            cells.append((role, Field.TOTAL))
        elif role is Field.ANSWER:
            cells.append((role, Field.SEVERITY if any(c.isalpha() for c in text) else Field.IGNORE))
    return tuple(cells)
