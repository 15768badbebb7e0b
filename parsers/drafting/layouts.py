"""Which layout a sample has, and a sketch of its template."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from parsers.drafting.cards import sketch_blocks, unnamed
from parsers.drafting.components import FoundComponents, find_components, without_answers
from parsers.drafting.continued import continued_lines
from parsers.drafting.conventions import instrument_names, name_order, no_score_words
from parsers.drafting.fields import Certainty, Guess, guess_fields, stacked
from parsers.drafting.further_tables import further_tables
from parsers.drafting.group_lines import GroupPattern, sort_lines
from parsers.drafting.headings import FoundHeader, find_component_header, find_flowsheet, find_table, lists_people
from parsers.drafting.items import sketch_items
from parsers.drafting.labels import find_labelled
from parsers.drafting.legends import cell_legend, named_beside, with_earlier, without_earlier
from parsers.drafting.lines import clinic_of, pattern_of, title_of
from parsers.drafting.logs import find_log
from parsers.drafting.prose import sentence_patterns
from parsers.drafting.score_lines import find_score_lines
from parsers.drafting.tables import FoundTable, read_table
from parsers.drafting.text import Sketch, TableSketch
from parsers.drafting.trends import find_trend
from parsers.drafting.words import (
    date_formats,
    heading_means,
    instruments_in,
    is_visit,
    item_heading_means,
    named_by_legend,
)
from parsers.header import find_headers
from parsers.lines import Line, folded, joined, lines_of
from parsers.sentence_extraction import paragraphs
from parsers.template import Kind
from parsers.template_parts import IDENTITY, Field
from records.document import Document, TableFile
from records.errors import TemplateError

_ANCHORS = 4
_SENTENCE = 6  # words
_LONGEST_DATE = 3  # words: "August 16, 2026"
_TOP_RUNS = 12  # texts at the top of a page among which its title is looked for
_TITLE_RUNS = 8  # texts at the top of a page that may name its one questionnaire
_FEWEST_DAYS = 2  # at the top of a flowsheet
_TICKED = ("☐☑☒", "□■", "○●", "◯◉", "❏✔")
_DATED = (Field.BIRTH_DATE, Field.AUTHORED_ON)
_WHO = frozenset({Field.NAME, Field.FAMILY, Field.MRN, Field.BIRTH_DATE})


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
    legend = named_by_legend(around)
    named = [(name, column) for name, column in zip(header.cells, values, strict=True) if name]
    guesses = guess_fields(named, legend=legend)
    found = find_components(guesses)
    clinic = clinic_of(around)
    sketch = Sketch(
        id=template_id, title=title_of(around) or "CSV export", kind=Kind.CSV, site=site, clinic=clinic,
        tables=[_of_components(TableSketch(guesses=guesses), found)], anchors=_anchors(None, guesses), legend=legend,
    )  # fmt: skip
    sketch.furniture = list(dict.fromkeys(pattern_of(text) for text in around if text != clinic))
    return _completed(sketch, around)


def sketch_pdf(documents: Sequence[Document], template_id: str, site: str) -> Sketch:
    """A sketch of a PDF layout: questions on a page, a table, sentences, or blocks of labelled values.

    Raises:
        TemplateError: None of these was recognised.
    """
    lines = lines_of(documents[0].pages[0].words)
    runs = [run for line in lines for run in line.runs()]
    texts = [joined(run) for run in runs]
    edges = [joined(run) for line in (*lines[:4], *lines[-3:]) for run in line.runs()]
    every = [line.text for document in documents for page in document.pages for line in lines_of(page.words)]
    heights = [max(w.region.bottom - w.region.top for w in run) for run in runs[:_TOP_RUNS]]
    sketch = Sketch(id=template_id, title="Drafted layout", kind=Kind.PDF, site=site, clinic=clinic_of(edges))
    sketch.legend, sketch.cells = named_by_legend(every), cell_legend(every)
    if not lists_people(find_table(documents[0])) and sketch_items(sketch, documents, texts=texts):
        return _completed(_anchored(sketch, texts, heights), texts)
    if _sketch_table(sketch, documents, texts):
        return _completed(_anchored(sketch, texts, heights), texts)
    sketch.sentences = sentence_patterns(documents)
    if sketch.sentences:
        sketch.anchors = _lasting_sentences(lines, sketch.sentences)
        if not sketch.anchors:
            raise TemplateError(
                "Sentences with scores were recognised, but no other line that every such print has.",
                next_step="Write the template by hand: an anchor tells this layout from others.",
            )
        sketch.dates = _sentence_dates(documents)
        return _completed(sketch, texts)
    trend = find_trend(documents)
    if trend is not None:
        sketch.sentences, sketch.sentence_groups = [trend.sentence], list(trend.people)
        sketch.sentence_why = (
            "The print says that the newest score comes first; the earlier ones behind it are known and not read"
        )
        order, sketch.names_why = name_order([_named(trend.names)])
        sketch.names, sketch.dates, sketch.no_score = order.value, trend.dates, trend.no_score
        return _completed(_anchored(sketch, texts, heights), texts)
    log = find_log(documents) or find_score_lines(documents)
    if log is not None:
        sketch.sentences, sketch.sentence_groups = [log.sentence], list(log.headings)
        sketch.sentence_why = "A score at a time; what is noted beside scores again and again is known and not read"
        order, sketch.names_why = name_order([_named(log.names)])
        sketch.names, sketch.dates, sketch.no_score = order.value, log.dates, log.no_score
        return _completed(_anchored(sketch, texts, heights), texts)
    sketch_blocks(sketch, documents)
    return _completed(_anchored(sketch, texts, heights), texts)


def _lasting_sentences(lines: Sequence[Line], records: Sequence[str]) -> tuple[str, ...]:
    """The longest line of a page without a number that is part of no record: what every print of a letter says."""
    told = [text for text in paragraphs(lines) if any(re.search(pattern, text.joined) for pattern in records)]
    theirs = {id(word) for text in told for word in text.words}
    plain = [
        line.text
        for line in lines
        if len(line.words) >= _SENTENCE
        and not re.search(r"\d", line.text)
        and not theirs & {id(word) for word in line.words}
    ]
    return (max(plain, key=len).rstrip(".,;:"),) if plain else ()


def _sketch_table(sketch: Sketch, documents: Sequence[Document], texts: Sequence[str]) -> bool:
    """Make `sketch` one of a table of records; False, and nothing changed, if no such table is recognised."""
    for found in _headers(documents[0]):
        if found is None:
            continue
        read = read_table(documents, found)
        table, groups = _table(read, found, sketch)
        said = {field for group in groups for field in group.fields} | {guess.field for guess in table.above}
        page_guesses = _page_values(documents, found)
        if (said | _fields(table)) & _WHO:
            page_guesses = _day_of_all(page_guesses) if Field.AUTHORED_ON not in said | _fields(table) else ()
        known = said | _fields(table) | {guess.field for guess in page_guesses}
        labelled = find_labelled(documents, above=None)
        if _can_be_read(table, known, texts) and not (labelled.most > 1 and len(table.guesses) < 4 and not said):
            sketch.tables = _with_further_tables(table, found, documents, sketch)
            sketch.legend |= named_beside(table.guesses)
            sketch.page_guesses = page_guesses
            sketch.continued = continued_lines(documents, page_guesses)
            people = [group.values for group in groups]
            people += [guess.person.values for guess in table.guesses if guess.person]
            sketch.people = tuple(text for each in people for field in _WHO for text in each.get(field, ()))
            values = [text for each in people for text in each.get(Field.NAME, ())]
            if values:
                order, why = name_order([_named(values)])
                sketch.names, sketch.names_why = order.value, why
            return True
    return False


def _with_further_tables(
    first: TableSketch, found: FoundHeader, documents: Sequence[Document], sketch: Sketch
) -> list[TableSketch]:
    """The table, and those below other headers, if each of them says itself whose scores of what it lists."""
    more = further_tables(documents[0], found)
    if not more or first.groups or first.across or first.components:
        return [first]
    made: list[TableSketch] = []
    for header in (found, *more):
        others = [other for other in (found, *more) if other is not header]
        table, groups = _table(read_table(documents, header, others), header, sketch)
        known = _fields(table)
        told = Field.INSTRUMENT in known or any(guess.instrument for guess in table.guesses)
        if groups or not told or not known & _WHO or not _can_be_read(table, known, ()):
            return [first]
        made.append(table)
    return made


def _headers(document: Document) -> tuple[FoundHeader | None, ...]:
    """What may be the header of a table of records, the surest first."""
    flowsheet = find_flowsheet(document)
    found = (find_table(document), flowsheet, find_component_header(document))
    # Nothing else is headed by several days: what looks like a header below them are scores ("PHQ-9  1  13  2").
    return found if flowsheet is None or flowsheet.days < _FEWEST_DAYS else (flowsheet, *found)


def _named(values: Sequence[str]) -> Guess:
    return Guess(heading="", values=tuple(values), field=Field.NAME, certainty=Certainty.SURE, why="")


def _fields(table: TableSketch) -> set[Field]:
    fields = {one.field for guess in table.guesses for one in guess.single}
    fields |= {Field(name) for pattern in table.details for name in re.compile(pattern).groupindex}
    for guess in table.guesses:
        if guess.field is Field.PARTS and guess.pattern:
            fields |= set(guess.person.values) if guess.person else {Field.INSTRUMENT, Field.TOTAL}
    fields |= {Field.INSTRUMENT, Field.TOTAL} if table.components else set()
    return fields | {Field.TOTAL, Field.AUTHORED_ON} if table.across else fields


def _table(read: FoundTable, found: FoundHeader, sketch: Sketch) -> tuple[TableSketch, list[GroupPattern]]:
    guesses = _column_guesses(read, sketch)
    if found.dates:
        guesses = tuple(_row_name(guess) for guess in guesses)
    above = guess_fields([(h.text, values) for h, values in zip(found.above, read.above, strict=True)])
    components = find_components(guesses)
    guesses = components.guesses if components is not None else guesses
    in_rows = frozenset(one.field for guess in (*guesses, *above) for one in guess.single)
    lacking = frozenset(Field) - in_rows
    details = {field: [each.values[field] for each in read.details if field in each.values] for field in lacking}
    lacking -= {field for field, values in details.items() if values}
    groups, skip = sort_lines(read.odd_lines, lacking=lacking)
    printed, pages = read.headers
    table = TableSketch(
        guesses=guesses,
        across=found.dates,
        groups=[group.pattern for group in groups],
        above=above,
        skip=skip,
        details=tuple(dict.fromkeys(each.without(in_rows) for each in read.details)),
        group_dates=(
            *(form for group in groups for field in _DATED for form in _format(group.values, field)),
            *(form for field in _DATED for form in _format(details, field)),
            *(form for each in guesses if each.person for form in _format(each.person.values, Field.BIRTH_DATE)),
        ),
        header_on_every_page=printed == pages or pages == 1,
        unheaded=_ticked_or_not(read.unheaded),
    )
    return _of_components(table, components), groups


def _of_components(table: TableSketch, found: FoundComponents | None) -> TableSketch:
    return table if found is None else replace(table, guesses=found.guesses, components=found.components)


def _column_guesses(read: FoundTable, sketch: Sketch) -> tuple[Guess, ...]:
    """A guess for each column; for one with a field on each line of its cells, all of them in one."""
    found: list[tuple[str, Sequence[str]]] = []
    under: list[str | None] = []
    for heading, values in zip(read.headings, read.values, strict=True):
        for number, text in enumerate(heading.lines or (heading.text,)):
            own = [f"{value}\n".split("\n")[number] for value in values] if heading.lines else values
            found.append((text, without_earlier(own, sketch.cells)))
            under.append(heading.under)
    rest = [with_earlier(guess, sketch.cells) for guess in guess_fields(found, under=under, legend=sketch.legend)]
    guesses: list[Guess] = []
    for heading in read.headings:
        count = len(heading.lines) or 1
        guesses.append(stacked(heading.text, rest[:count]) if heading.lines else rest[0])
        rest = rest[count:]
    return tuple(guesses)


def _ticked_or_not(boxes: Sequence[str]) -> tuple[str, ...]:
    """The boxes of a sample, and the other state of each, which another day prints."""
    pairs = [pair for pair in _TICKED if set(pair) & set(boxes)]
    return tuple(dict.fromkeys([*boxes, *(box for pair in pairs for box in pair)]))


def _format(values: Mapping[Field, Sequence[str]], field: Field) -> tuple[str, ...]:
    return date_formats(list(values.get(field, ())))[:1]


def _row_name(guess: Guess) -> Guess:
    """Of a flowsheet: its rows begin with the name of an instrument, whatever their heading says."""
    why = "rows begin with the name of a questionnaire"
    return replace(guess, field=Field.INSTRUMENT, certainty=Certainty.SURE, why=why, dates=())


def _page_values(documents: Sequence[Document], found: FoundHeader) -> tuple[Guess, ...]:
    """What labels above the table say of the person whose page it is."""
    columns = [heading.column() for heading in found.headings]
    headers = find_headers(lines_of(documents[0].pages[0].words), columns)
    if not headers:
        return ()
    labelled = find_labelled(documents, above=headers[0].top - 1)
    guesses = guess_fields(list(zip(labelled.labels, labelled.values, strict=True)))
    kept = [
        guess
        for guess in guesses
        if guess.field in IDENTITY
        or guess.field is Field.AUTHORED_ON
        # What is known and not used must be known, or its value would be a word that nothing claims.
        or (guess.field is Field.IGNORE and heading_means(guess.heading) is Field.IGNORE)
    ]
    if not IDENTITY & {guess.field for guess in kept}:
        kept = [guess for guess in kept if guess.field is not Field.IGNORE]
    return tuple(replace(guess, place=labelled.place) for guess in kept)


def _day_of_all(guesses: Sequence[Guess]) -> tuple[Guess, ...]:
    """The label that surely says when all persons of a page were seen; "Date" may be the day of the print."""
    days = [guess for guess in guesses if guess.field is Field.AUTHORED_ON and is_visit(guess.heading)]
    why = "the day of every row of its page: check"
    return tuple(replace(guess, certainty=Certainty.GUESS, why=why) for guess in days[:1] if len(days) == 1)


def _can_be_read(table: TableSketch, known: set[Field], texts: Sequence[str]) -> bool:
    named = any(guess.instrument for guess in table.guesses) or any(
        instruments_in(text) for text in texts[:_TITLE_RUNS]
    )
    return Field.TOTAL in known and (Field.INSTRUMENT in known or named) and len(known - {Field.IGNORE}) >= 3


def _sentence_dates(documents: Sequence[Document]) -> tuple[str, ...]:
    words = [word.text for document in documents for page in document.pages for word in page.words]
    texts = (" ".join(words[n : n + count]) for count in range(1, _LONGEST_DATE + 1) for n in range(len(words)))
    plain = (text.strip(".,;()") for text in texts if any(map(str.isdigit, text)))
    formats = Counter(form for text in plain for form in date_formats([text]))
    return tuple(form for form, _ in formats.most_common(1))


def _completed(sketch: Sketch, texts: Sequence[str]) -> Sketch:
    """The sketch with what follows from its guesses: date formats, name order, words for no score."""
    if any(guess.field is Field.NAME for guess in sketch.guesses):
        order, sketch.names_why = name_order(sketch.guesses)
        sketch.names = order.value
    elif sketch.sentences and not sketch.names_why:
        sketch.names, sketch.names_why = "given-first", "running text puts given names first: check"
    legend = [word for word in sketch.cells.no_score if sketch.tables]
    untold = [word for table in sketch.tables for word in without_answers(table.guesses)]
    words = (*sketch.no_score, *legend, *untold, *no_score_words(sketch.guesses))
    sketch.no_score = tuple({folded(word): word for word in reversed(words)}.values())[::-1]
    sketch.instruments = instrument_names(sketch.guesses, sketch.legend)
    counted = Counter(form for guess in sketch.guesses for form in guess.dates)

    def settled(guesses: Sequence[Guess]) -> tuple[Guess, ...]:
        # Of formats that read one column alike, the one that reads the other columns too is meant.
        return tuple(replace(g, dates=tuple(sorted(g.dates, key=lambda form: -counted[form]))) for g in guesses)

    sketch.page_guesses, sketch.blocks = settled(sketch.page_guesses), settled(sketch.blocks)
    for table in sketch.tables:
        table.guesses, table.above = settled(table.guesses), settled(table.above)
    for part in sketch.items:
        part.labelled = settled(part.labelled)
    first = Counter(guess.dates[0] for guess in sketch.guesses if guess.dates)
    first.update(form for table in sketch.tables for form in table.across[:1])
    headed = [form for table in sketch.tables for form in table.group_dates]
    likeliest = tuple(form for form, _ in first.most_common(1))
    # What headings say has no format of its own.
    sketch.dates = tuple(dict.fromkeys((*likeliest, *headed))) or sketch.dates
    doubtful = [guess for guess in sketch.guesses if len(guess.dates) > 1 and _swapped(guess.dates)]
    if doubtful:
        sketch.dates_why = "day and month cannot be told apart in this sample: check"
    elif not sketch.dates and any(g.field in (Field.BIRTH_DATE, Field.AUTHORED_ON) for g in sketch.guesses):
        sketch.dates, sketch.dates_why = ("%m/%d/%Y",), "no date of the sample could be read: check"
    _name_instrument(sketch, texts)
    return sketch


def _swapped(forms: Sequence[str]) -> bool:
    return len({form.find("%d") < form.find("%m") for form in forms if "%m" in form and "%d" in form}) > 1


def _name_instrument(sketch: Sketch, texts: Sequence[str]) -> None:
    """Where no column says which questionnaire it is, the page's own words may."""
    said = any("(?P<instrument>" in pattern for table in sketch.tables for pattern in table.groups)
    said = said or any(
        guess.field is Field.COMPONENT or (guess.field is Field.PARTS and guess.person is None)
        for guess in sketch.guesses
    )
    if sketch.items or sketch.sentences or said:
        return
    if any(g.field is Field.INSTRUMENT or (g.instrument and g.field is Field.TOTAL) for g in sketch.guesses):
        return
    named = {found for text in texts[:_TITLE_RUNS] for found in instruments_in(text)}
    if len(named) != 1:
        raise unnamed()
    instrument = named.pop()

    def told(guesses: Sequence[Guess]) -> tuple[Guess, ...]:
        why = f"the page names {instrument}: check"
        return tuple(
            replace(g, instrument=instrument, certainty=Certainty.GUESS, why=why) if g.field is Field.TOTAL else g
            for g in guesses
        )

    sketch.blocks = told(sketch.blocks)
    for table in sketch.tables:
        table.guesses = told(table.guesses)


def _anchored(sketch: Sketch, texts: Sequence[str], heights: Sequence[float]) -> Sketch:
    values = {value for guess in sketch.guesses for value in guess.values} | set(sketch.people)
    title = title_of(texts[:_TOP_RUNS], heights, values=values)
    sketch.title = title or sketch.title
    sketch.anchors = _anchors(title, sketch.guesses)
    return sketch


def _anchors(title: str | None, *guesses: Sequence[Guess]) -> tuple[str, ...]:
    """The title and the longest headings: the more words, the less likely another layout prints them all."""
    # Only words that are headings for sure: what merely stands where a label may stand can be somebody's name.
    known = {g.heading for each in guesses for g in each if g.field is not Field.IGNORE or heading_means(g.heading)}
    headings = sorted(
        (text for text in known if heading_means(text) or item_heading_means(text) or instruments_in(text)),
        key=lambda text: (-len(text.split()), -len(text), text),
    )
    return tuple(dict.fromkeys([*([title] if title else []), *headings]))[:_ANCHORS]
