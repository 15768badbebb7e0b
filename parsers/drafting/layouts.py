"""Which layout a sample has, and a sketch of its template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from parsers.drafting.fields import Certainty, Guess, guess_fields, name_order, no_score_words
from parsers.drafting.items import sketch_items
from parsers.drafting.labels import find_labelled
from parsers.drafting.lines import clinic_of, heading_line, pattern_of, title_of
from parsers.drafting.tables import find_item_table, find_table, read_table
from parsers.drafting.text import Sketch
from parsers.drafting.words import heading_means, named_instrument
from parsers.lines import lines_of
from parsers.template import Kind
from parsers.template_parts import Field
from records.document import Document, TableFile
from records.errors import TemplateError

_ANCHORS = 4


def sketch_csv(files: Sequence[TableFile], template_id: str, site: str) -> Sketch:
    """A sketch of a CSV layout.

    Raises:
        TemplateError: No row of the first file looks like a header with a score.
    """
    rows = files[0].rows
    ranked = [(sum(heading_means(cell) is not None for cell in row.cells), -n) for n, row in enumerate(rows[:30])]
    known, at = max(ranked, default=(0, 0))
    if known < 3:
        raise TemplateError(
            "No line of the file looks like a header: fewer than three columns have a known name.",
            next_step="Write the template by hand from the nearest CSV form; “header” is the column's name.",
        )
    header = rows[-at]
    values: list[list[str]] = [[] for _ in header.cells]
    around: list[str] = []
    for file in files:
        start = next((n for n, row in enumerate(file.rows) if row.cells == header.cells), None)
        for n, row in enumerate(file.rows):
            if start is not None and n > start and len(row.cells) == len(header.cells):
                for column, cell in zip(values, row.cells, strict=True):
                    column.append(cell)
            elif n != start:
                around.append(" ".join(cell for cell in row.cells if cell))
    guesses = guess_fields([(name, column) for name, column in zip(header.cells, values, strict=True) if name])
    clinic = clinic_of(around)
    sketch = Sketch(
        id=template_id, title=title_of(around) or "CSV export", kind=Kind.CSV, layout="table", site=site,
        guesses=guesses, clinic=clinic, anchors=_anchors(None, guesses),
    )  # fmt: skip
    sketch.furniture = list(dict.fromkeys(pattern_of(text) for text in around if text != clinic))
    return _completed(sketch, around)


def sketch_pdf(documents: Sequence[Document], template_id: str, site: str) -> Sketch:
    """A sketch of a PDF layout: questions on a page, a table, or blocks of labelled values.

    Raises:
        TemplateError: None of the three was recognised.
    """
    above = [
        " ".join(word.text for word in run) for line in lines_of(documents[0].pages[0].words) for run in line.runs()
    ]
    lines = lines_of(documents[0].pages[0].words)
    edges = [" ".join(w.text for w in run) for line in (*lines[:4], *lines[-3:]) for run in line.runs()]
    title, clinic = title_of(above), clinic_of(edges)
    sketch = Sketch(
        id=template_id,
        title=title or "Drafted layout",
        kind=Kind.PDF,
        layout="table",
        site=site,
        guesses=(),
        clinic=clinic,
    )
    if (headings := find_item_table(documents[0])) is not None and (
        sketch_items(sketch, documents, headings, texts=above)
    ):
        sketch.anchors = _anchors(title, sketch.page_guesses, sketch.guesses)
        return _completed(sketch, above)
    headings = find_table(documents[0])
    guesses = () if headings is None else _table_guesses(sketch, documents, headings)
    labelled = find_labelled(documents, above=None)
    if _can_be_read(guesses, above) and not (labelled.most > 1 and len(guesses) < 4):
        sketch.guesses = guesses
    else:
        sketch.guesses = guess_fields(list(zip(labelled.labels, labelled.values, strict=True)))
        sketch.layout, sketch.groups, sketch.skip = "blocks", [], []
        if not any(guess.field is Field.TOTAL for guess in sketch.guesses):
            raise TemplateError(
                "No table heading and no labels with a score were recognised on the first page.",
                next_step="Write the template by hand from the nearest form; “template explain” shows what it finds.",
            )
    sketch.anchors = _anchors(title, sketch.guesses)
    return _completed(sketch, above)


def _table_guesses(sketch: Sketch, documents: Sequence[Document], headings: Sequence[str]) -> tuple[Guess, ...]:
    table = read_table(documents, headings)
    for text in dict.fromkeys(table.odd_lines):
        group = heading_line(text)
        piece = pattern_of(text)
        if group is not None:
            sketch.groups = list(dict.fromkeys([*sketch.groups, group]))
        elif piece not in sketch.skip:
            sketch.skip.append(piece)
    pages = sum(len(document.pages) for document in documents)
    sketch.header_on_every_page = len(table.header_pages) == pages or pages == 1
    return guess_fields(list(zip(table.headings, table.values, strict=True)))


def _can_be_read(guesses: Sequence[Guess], texts: Sequence[str]) -> bool:
    fields = {guess.field for guess in guesses}
    named = any(guess.instrument for guess in guesses) or any(named_instrument(text) for text in texts)
    return Field.TOTAL in fields and (Field.INSTRUMENT in fields or named) and len(fields - {Field.IGNORE}) >= 3


def _completed(sketch: Sketch, texts: Sequence[str]) -> Sketch:
    """The sketch with what follows from its guesses: date formats, name order, words for no score."""
    everything = (*sketch.guesses, *sketch.page_guesses)
    order, sketch.names_why = name_order(everything)
    sketch.names = order.value
    sketch.no_score = no_score_words(sketch.guesses)
    counted = Counter(form for guess in everything for form in guess.dates)

    def settled(guesses: Sequence[Guess]) -> tuple[Guess, ...]:
        # Of formats that read one column alike, the one that reads the other columns too is meant.
        return tuple(replace(g, dates=tuple(sorted(g.dates, key=lambda form: -counted[form]))) for g in guesses)

    sketch.guesses, sketch.page_guesses = settled(sketch.guesses), settled(sketch.page_guesses)
    everything = (*sketch.guesses, *sketch.page_guesses)
    first = Counter(guess.dates[0] for guess in everything if guess.dates)
    sketch.dates = tuple(form for form, _ in first.most_common(1))
    doubtful = [guess for guess in everything if len(guess.dates) > 1 and _swapped(guess.dates)]
    if doubtful:
        sketch.dates_why = "day and month cannot be told apart in this sample: check"
    elif not sketch.dates and any(g.field in (Field.BIRTH_DATE, Field.AUTHORED_ON) for g in everything):
        sketch.dates, sketch.dates_why = ("%m/%d/%Y",), "no date of the sample could be read: check"
    _name_instrument(sketch, texts)
    return sketch


def _swapped(forms: Sequence[str]) -> bool:
    return len({form.find("%d") < form.find("%m") for form in forms if "%m" in form and "%d" in form}) > 1


def _name_instrument(sketch: Sketch, texts: Sequence[str]) -> None:
    """Where no column says which questionnaire it is, the page's own words may."""
    if sketch.layout == "items" or any(g.field is Field.INSTRUMENT or g.instrument for g in sketch.guesses):
        return
    named = next((found for text in texts if (found := named_instrument(text))), None)
    if named is None:
        raise TemplateError(
            "Nothing in the sample says which questionnaire the scores belong to.",
            next_step="Write the template by hand and give the score column its instrument.",
        )
    sketch.guesses = tuple(
        replace(g, instrument=named, certainty=Certainty.GUESS, why=f"the page names {named}: check")
        if g.field is Field.TOTAL
        else g
        for g in sketch.guesses
    )


def _anchors(title: str | None, *guesses: Sequence[Guess]) -> tuple[str, ...]:
    """The title and the longest headings: the more words, the less likely another layout prints them all."""
    headings = sorted(
        {g.heading for each in guesses for g in each}, key=lambda text: (-len(text.split()), -len(text), text)
    )
    return tuple(dict.fromkeys([*([title] if title else []), *headings]))[:_ANCHORS]
